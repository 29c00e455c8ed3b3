/* Reading requests, between request.c (the message and its arguments),
 * request_list.c (arrays of things) and request_option.c. */
#ifndef TILIA_REQUEST_H
#define TILIA_REQUEST_H

#include "formal.h"
#include "item.h"
#include "message.h"

/* What is left of a message while it is read. */
struct request_reader {
	struct request *r;
	struct message_error *err;
	const uint8_t *start, *p;
	uint64_t left; /* items from p on */
	bool has_tags; /* 21580 or 21581 somewhere in the message */
	bool is_hello; /* whatever is wrong in it is fatal */
};

/* A stranger's text as part of an error's: cut, and without control characters. */
struct request_quote {
	char text[48];
};

struct request_quote request_quote(struct bytes s);

/* Refuses what is at m->p; answers the code. */
int request_refuse(struct request_reader *m, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Refuses a tuple or template, `what`, as formal_check_tuple() says. */
int request_refuse_value(struct request_reader *m, int code, const char *what, int field,
                         const char *why, struct bytes detail);

/* 0, or the code of its refusal. */
int request_check_tuple(struct request_reader *m, struct bytes item, const char *what);
int request_check_template(struct request_reader *m, struct bytes item, const char *what);

static inline const char *request_op_name(const struct request_reader *m)
{
	return message_rows[m->r->op].name;
}

static inline uint8_t request_major(const uint8_t *p)
{
	return *p >> 5;
}

/* ---- request_list.c: the array at m->p, which stays where it is unless an entry is
 * refused. `name` is what errors call an entry. ------------------------------------- */

int request_tokens(struct request_reader *m, const char *name);
int request_backs(struct request_reader *m, const char *name);
int request_outs(struct request_reader *m, const char *name);

/* ARG_TUPLES and ARG_STEPS: into r->value. */
int request_tuples(struct request_reader *m);
int request_steps(struct request_reader *m);

/* ---- request_option.c -------------------------------------------------------------- */

/* The last item of the message, a map, or none. */
int request_options(struct request_reader *m);

#endif
