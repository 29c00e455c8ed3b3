/* One row of a table as a change. A statement of store.h stands on the row; what the
 * change points to is the statement's until its next step. */
#ifndef TILIA_JOURNAL_READ_H
#define TILIA_JOURNAL_READ_H

#include "store.h"

/* Whether the row's checksum is right. STORE_SESSIONS, *sum is the row's: */
bool read_session(struct store *s, struct change *c, uint64_t *sum);

/* STORE_TUPLES, *body is what its space adds up: */
bool read_tuple(struct store *s, struct change *c, uint64_t *body);

/* STORE_OUTCOMES, c->bytes are all of that session and batch: */
bool read_outcomes(struct store *s, struct change *c, uint64_t *sum);

/* The next of them behind `at` (NULL: the first) in `all`, of which the checksum is right:
 * c->number and c->bytes. false: there is none. */
bool read_outcome(struct bytes all, const uint8_t **at, struct change *c);

#endif
