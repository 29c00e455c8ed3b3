/* Reading a store at the start: every row goes back as a change, every checksum,
 * count and xor is compared. */
#ifndef TILIA_JOURNAL_RECOVER_H
#define TILIA_JOURNAL_RECOVER_H

#include "store.h"

/* As journal_ops.recover. 0, or ERROR_DAMAGED / ERROR_STORE with the text in
 * s->why; rows given before the damage was found are to be forgotten. */
int recover_rows(struct store *s, void (*row)(const struct change *c, void *ctx), void *ctx,
                 void (*progress)(uint64_t done, uint64_t all, void *ctx),
                 struct journal_start *start);

#endif
