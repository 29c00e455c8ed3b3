/* Outs that wait for room (`wait: true`). They stand in their space in the order of
 * their asking, and only the first is tried: nothing that waits overtakes an older one,
 * however little it wants. They are tried as work, soon after something has left. */
#ifndef TILIA_ENGINE_PUTTER_H
#define TILIA_ENGINE_PUTTER_H

#include "put.h"
#include "search.h"
#include "waiter.h"

/* What a waiter of op OUT or OUTS has besides. */
struct putter {
	struct waiter *waiter;
	struct put put;       /* its bytes are owned */
	struct seeker seeker; /* for `unless` */
	bool stands;          /* in space.putters */
};

/* Makes a waiter of the request and puts it behind the others. 0, or ERROR_LIMIT with
 * *why. */
int putter_create(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                  const struct put *p, const char **why);
void putter_free(struct engine *e, struct putter *p);

/* Out of its space's line, when its session loses its connection; and back. */
void putter_leave(struct engine *e, struct waiter *w);
void putter_enter(struct engine *e, struct waiter *w);

/* The first of a space may fit now: its limits or its options have changed. */
void putter_wake(struct engine *e, struct space *s);

/* A tuple has left the space. */
void putter_room(struct engine *e, struct space *s);

/* For the tests: that nobody who could be done stands unnoticed. Answers how many stand. */
uint64_t putter_assert(const struct engine *e, struct space *s);

#endif
