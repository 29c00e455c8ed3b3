/* A run of an engine as its journal sees it: batches of changes of every kind,
 * drawn from a seed, that are valid one after the other; and what a store must
 * hold after each. The journals' tests play it. */
#ifndef TILIA_TESTS_SCENARIO_H
#define TILIA_TESTS_SCENARIO_H

#include "../../server/journal/journal.h"
#include "../../server/journal/rows.h"

struct scenario;

/* `most`: changes in a batch, about; every seventh batch is empty. */
struct scenario *scenario_create(uint64_t seed, unsigned most);
void scenario_destroy(struct scenario *s);

/* Gives the journal the next batch's changes; the scenario counts batches from 1. */
void scenario_batch(struct scenario *s, struct journal *j);

/* What the store must hold after the batches given so far, as text; the caller
 * frees it with xfree(). */
char *scenario_text(const struct scenario *s);

/* Collects rows as the same text: pass both to recover(). */
struct scenario_dump {
	struct buf text;
};

void scenario_dump_row(const struct change *c, void *dump);

/* The dump's text, NUL-terminated, owned by it. */
const char *scenario_dump_text(struct scenario_dump *d);

#endif
