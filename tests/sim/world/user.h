/* Users: each has the session machine of libclient, a connection that breaks, and
 * some requests under way. */
#ifndef TILIA_TESTS_USER_H
#define TILIA_TESTS_USER_H

#include "../../../libclient/base/list.h"
#include "../../../libclient/session.h"
#include "account.h"

enum { USERS = 6, AUDITOR = USERS, CLAIMS = 12, ASKED = 10, TOGETHER = 4 };

/* How a commit ends a claim. */
enum fate {
	FATE_DONE, /* the tuple is taken */
	FATE_MOVE, /* done, and put again as another kind: the same uid */
	FATE_BACK,
	FATE_LATER, /* back with a delay */
	FATE_BURY,
};

struct claim {
	uint64_t token, uid, lease_ms;
	uint64_t asked_ms;
	uint64_t renewed_ms, renewed_lease_ms, renewed_boots; /* of the last renewal */
	const char *space;
	bool busy; /* a request names it */
};

enum ask_kind { ASK_PUT, ASK_TAKE, ASK_READ, ASK_CLAIM, ASK_COMMIT, ASK_RENEW, ASK_MOVE, ASK_COUNT,
	        ASK_SPACE };

/* A request without its final reply. */
struct ask {
	struct list link;
	unsigned user, epoch;
	enum ask_kind kind;
	bool lane;    /* of the user's lane */
	bool cancelled; /* after its reply was read: another one comes */
	const char *space;
	uint64_t n, asked, asked_ms, boots, lease_ms;
	uint64_t uid[TOGETHER]; /* puts */
	unsigned puts;
	struct claim claim[TOGETHER]; /* commits and renewals */
	enum fate fate[TOGETHER];
	unsigned claims;
	size_t take[TOGETHER];
	uint64_t taken[TOGETHER]; /* the tuples */
	unsigned takes;
};

struct user {
	struct session *session; /* NULL: gone */
	int link;                /* -1: none */
	uint64_t connect_ms, ask_ms;
	unsigned epoch;   /* counts its sessions, as far as it knows of them */
	bool plain;       /* without a session: what a broken connection had is in doubt */
	bool learnt;      /* it has heard of this one */
	uint64_t lost_ms; /* when the last connection that had it broke */
	struct list asks;
	unsigned asked; /* how many */
	bool leaving, ended; /* bye is said; is answered */
	struct claim claims[CLAIMS];
	unsigned claims_count;
	uint64_t counted; /* the auditor: the last answer to a count */
	unsigned found;   /* and of the last take */
};

extern struct user users[USERS + 1];

void user_begin(unsigned i);

/* A tick: what has arrived is read, what is to be said is written. */
void user_tick(unsigned i);

/* It dies; another one begins in its place. */
void user_dies(unsigned i);

/* It wants no more: what waits is cancelled, then it says bye. False: that goes on. */
bool user_finish(unsigned i);

/* Its claim of that token, or NULL; forgets one. */
struct claim *user_claim(struct user *u, uint64_t token);
void user_unclaim(struct user *u, uint64_t token);

void user_remove_all(void);

/* ---- ask.c: what users ask ------------------------------------------------------- */

/* Another request, of any kind. */
void ask_something(unsigned user);

/* Some claims end, or get longer. */
void ask_commit(unsigned user);

/* A request of kind `kind`; the caller says what more it is about, and sends it. */
struct ask *ask_new(unsigned user, enum ask_kind kind, const char *space);
void ask_send(struct ask *a, enum message_op op, unsigned args, struct buf *body);

/* Writes a commit of its claims with their fates. */
void ask_write_commit(struct ask *a, struct buf *body);
void ask_end(struct ask *a);

/* What the auditor does. */
void ask_space(unsigned user, const char *name, uint64_t tries);
void ask_all(unsigned user, const char *space);
void ask_count(unsigned user, const char *space);

/* ---- answer.c: what they learn --------------------------------------------------- */

void answer(struct ask *a, const struct session_reply *r);

/* It will never be answered: its user died. */
void answer_never(struct ask *a);

/* Reads the uid and the token (0: none) of an entry; answers what comes after it. */
const uint8_t *answer_entry(const uint8_t *p, uint64_t *uid, uint64_t *token);

/* Whether the token is in the list of a refusal. */
bool answer_is_stale(struct bytes list, uint64_t token);

/* ---- lane.c: a kind of tuples that one user alone puts and takes ------------------ */

/* Its next request, if the last one is answered. */
void lane_ask(unsigned user);
void lane_answer(struct ask *a, const struct session_reply *r);

/* What is in it is not known any more: the user begins another. */
void lane_forget(unsigned user);
void lane_forget_all(void);

#endif
