/* What a store holds, row by row, in memory: the changes applied one after the
 * other in the plainest way. The memory journal is made of it; the tests compare
 * the SQLite journal, its batches and its recovery, with it. */
#ifndef TILIA_JOURNAL_ROWS_H
#define TILIA_JOURNAL_ROWS_H

#include "../../libclient/base/seq.h"
#include "../engine/engine.h"

struct rows {
	struct seq spaces, sessions, tuples; /* of struct row, by number or id */
	uint64_t ceiling;
};

void rows_init(struct rows *r);
void rows_close(struct rows *r);

/* Applies one change of that batch; what it points to is copied. A change of
 * what is not there (STATE, DELETE, OUTCOME) is our own bug and aborts. */
void rows_apply(struct rows *r, const struct change *c, uint64_t batch);

/* Gives every row back in the order of EV_RESTORE. A row is valid during the
 * call. */
void rows_each(const struct rows *r, void (*row)(const struct change *c, void *ctx), void *ctx);

/* A copy of a change with bytes of its own, and its end. */
void rows_copy(struct change *to, const struct change *from);
void rows_free(struct change *c);

#endif
