/* Calls of libtilia that together use all its public functions, in rounds, and the
 * books of what they put and took: for tests in which something fails under them.
 * Each round has a space of its own, with what calls_prepare() puts there. */
#ifndef TILIA_TESTS_CALLS_H
#define TILIA_TESTS_CALLS_H

#include "tiliad.h"

#define CALLS_SPACE "test"

struct calls {
	const char *round;   /* and what fails in it: for messages */
	unsigned long n;
	struct tilia *t;     /* a handle that nobody used yet, of CALLS_SPACE */
	int may;             /* the code with which a call may fail; 0: none may */
	bool cut;            /* or because there was no connection for too long */
	int failed;          /* calls that did */
	int64_t sure, maybe; /* tuples that must be there, and that may be besides */
	int64_t bound;       /* of those, the ones that go with the handle */
};

struct calls_round {
	const char *name;
	void (*run)(struct calls *c);
};

extern const struct calls_round calls_rounds[];
extern const size_t calls_rounds_count;

/* Puts what a round needs, over `other`, and begins its books. */
void calls_prepare(struct calls *c, struct tilia *other);

/* The tuples are those of the books; `closed`: the handle is. */
void calls_check(const struct calls *c, struct tilia *other, bool closed);

/* Takes the round's spaces away. */
void calls_clear(struct tilia *other);

#endif
