/* What a space has to do by the clock: leases that end, tuples that become due or
 * expire. Each space has a queue of these for each clock, the engine one of spaces.
 * What is overdue is settled before a request is looked at, a slice of it; the rest
 * in background work, space by space. Until that is done nobody is told "nothing" or
 * "so many" of that space. */
#ifndef TILIA_ENGINE_OVERDUE_H
#define TILIA_ENGINE_OVERDUE_H

#include "../../libclient/base/heap.h"
#include "../../libclient/base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct search;
struct space;

enum clock {
	CLOCK_LEASE, /* stands still while the server does; claim.timer */
	CLOCK_WALL,  /* of the world; timed.moment */
	CLOCKS
};

/* `node` is to be settled at `at`, by that clock; and not any more. */
void overdue_add(struct engine *e, struct space *s, enum clock clock, struct heap_node *node,
                 uint64_t at);
void overdue_remove(struct engine *e, struct space *s, enum clock clock, struct heap_node *node);

/* Settles a slice of what is overdue, and begins the work that settles the rest. */
void overdue_settle(struct engine *e);

/* Whether there may be more or less in the space than it seems: something of it is
 * overdue, or a session that is over has not given back all it had. */
bool overdue_in(const struct engine *e, const struct space *s);

/* Tells the seeker of `q` when that is done. The search's end ends this too. */
void overdue_park(struct engine *e, struct search *q, struct space *s);

/* Tells those for whom it is done; at the end of each step. */
void overdue_wake(struct engine *e);

/* When there is something to settle next, in engine.now_ms. */
uint64_t overdue_deadline(const struct engine *e);

/* The space is dropped: only its claims go on. */
void overdue_drop(struct engine *e, struct space *s);

/* Of a space in which nothing is to be done any more. */
void overdue_close(struct space *s);

#endif
