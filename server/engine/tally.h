/* Tallies: how many tuples match a template, kept true by every tuple that comes and
 * goes, for the requests that wait for a number. All that stand under one key and want
 * the same number share one; a template with residue has its own.
 *
 * A number is looked at when the step that changed it is over: what one step takes
 * and puts happens at one instant, and nobody sees between. */
#ifndef TILIA_ENGINE_TALLY_H
#define TILIA_ENGINE_TALLY_H

#include "../../libclient/base/heap.h"
#include "../../libclient/base/list.h"
#include "shape.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct waiter;
struct waitkey;

struct tally {
	struct list link;    /* waitkey.tallies */
	struct list changed; /* engine.tallies */
	struct tuple *tuple; /* the template of its only waiter; NULL: what the key says is all */
	struct heap least;   /* waiter.mark: those who wait for a number, by it */
	struct heap none;    /* likewise: those who wait for none */
	void *atomics;       /* bucket of those that stand under a `no`, by order */
	uint64_t count;
	uint32_t waiters;
	uint32_t spare;      /* the most of their atomic.spare */
	bool visible;        /* hidden tuples do not count */
};

/* A waiter that stands in its key already joins the tally there; `count` is the number now. */
void tally_join(struct waiter *w, uint64_t count);

/* It waits no more. */
void tally_leave(struct waiter *w);

/* A tuple of that key enters or leaves the visible or the hidden ones. */
void tally_change(struct engine *e, struct waitkey *k, const struct tuple *t, bool hidden,
                  bool enters);

/* Answers those whose number is reached; wakes atomics. */
void tally_settle(struct engine *e);

#endif
