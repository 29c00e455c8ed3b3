/* Atomics: guards and outs at one instant, or not at all. One that waits stands under
 * its first guard that failed, as a waiter, and reserves nothing. What may make that
 * guard hold wakes the one that has waited longest there; it is tried as background
 * work, in order of age, and wakes the next when that may be of use. So what a tuple
 * costs does not grow with the number of those who wait for it. */
#ifndef TILIA_ENGINE_ATOMIC_H
#define TILIA_ENGINE_ATOMIC_H

#include "../../libclient/base/heap.h"
#include "search.h"

struct conn;
struct engine;
struct event;
struct tuple;
struct waiter;
struct waitkey;

/* What a waiting one is, beside a waiter. */
struct atomic {
	struct waiter *waiter;
	struct bytes steps;    /* owned: as they were asked for */
	struct seeker seeker;  /* of a try that needs unfinished work */
	bool searching;        /* that try has begun, and goes on when the work is done */
	struct heap_node turn; /* engine.tries, by age: it is to be tried */
	uint32_t guard;        /* the number of the guard under which it stands */
	uint32_t spare;        /* matches that it takes itself before its `no` */
};

int atomic_run(struct engine *e, struct conn *c, const struct event *ev);

/* waiter_reenter() */
void atomic_reenter(struct engine *e, struct waiter *w);

/* It waits no more. */
void atomic_free(struct atomic *a);

/* Its waiter is about to leave its place: if it was to be tried, the next is. */
void atomic_leave(struct engine *e, struct waiter *w);

/* A tuple of that key becomes visible. */
void atomic_appear(struct engine *e, const struct waitkey *k, const struct tuple *t);

/* To be tried, for what it waits for may be so now. */
void atomic_wake(struct engine *e, struct waiter *w);

/* The next batch is open: what the last had no room for goes on. */
void atomic_sealed(struct engine *e);

#endif
