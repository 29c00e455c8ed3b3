/* A trial of an atomic: a look at all its guards at one instant, and when they hold
 * all that it takes and puts, in the same step. */
#ifndef TILIA_ENGINE_TRIAL_H
#define TILIA_ENGINE_TRIAL_H

#include "../../libclient/message.h"

struct conn;
struct engine;
struct seeker;
struct space;
struct tuple;

struct guard {
	struct message_step step;
	struct space *space;
	uint32_t before;     /* `in` guards before it that take from this space, too */
	struct tuple *found; /* the tuple it takes or reads */
};

struct trial {
	struct conn *conn;     /* who is answered */
	uint64_t n;
	struct bytes steps;    /* the request's, checked */
	struct seeker *seeker; /* NULL: nothing waits for unfinished work */
	bool first;            /* not tried before: rights are looked at */
	bool waits;            /* numbers must be exact: somebody is to wait for them */
	bool batch_full;

	struct guard guard[MESSAGE_GUARDS_MAX];
	struct space *out[MESSAGE_STEP_OUTS_MAX];
	const uint8_t *first_out;
	uint32_t guards, outs, takes;
	bool durable, is_volatile; /* touches such a space */
	uint64_t batch;  /* that a reply about these spaces waits for */
	uint32_t failed; /* TRIAL_FAILED: the first guard that does not hold, */
	uint64_t count;  /* and how many match there, whoever takes them */
};

enum verdict {
	TRIAL_DONE,    /* and answered */
	TRIAL_AGAIN,   /* needs unfinished work, or another batch */
	TRIAL_FAILED,  /* a guard does not hold */
	TRIAL_REFUSED, /* and answered: nothing is changed, and nothing will be */
};

/* The caller fills in the first seven members and zeroes the rest. */
enum verdict trial_run(struct engine *e, struct trial *t);

#endif
