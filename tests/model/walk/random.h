/* What the random requests share. Each random_X() appends to the buffer; those of
 * requests answer how many items follow the name. */
#ifndef TILIA_TESTS_RANDOM_H
#define TILIA_TESTS_RANDOM_H

#include "../../../libclient/base/buf.h"

#include <stdbool.h>

struct options {
	struct buf b;
	unsigned count;
};

void random_uint(struct options *o, const char *name, uint64_t value);
void random_bool(struct options *o, const char *name, bool value);

/* Those of what is put: ttl, delay, bound. */
void random_times(struct options *o);

/* Appends the options as a map and closes them; answers 1, or 0 when there is none. */
unsigned random_options(struct buf *b, struct options *o);

/* An id or a token of lately. */
uint64_t random_id(void);

/* A space that exists, as a rule. */
const char *random_space(void);

/* random_tuple.c */
void random_tuple(struct buf *b);
void random_template(struct buf *b);

/* One without an order. */
void random_plain_template(struct buf *b);

uint64_t random_timeout(void);

/* random_atomic.c */
unsigned random_atomic(struct buf *b, bool room);

/* random_claim.c */
unsigned random_commit(struct buf *b, int session, bool room);
unsigned random_renew(struct buf *b, int session);

#endif
