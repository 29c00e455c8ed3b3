/* The tuples of a space that come nearest to a template that nothing matches: for
 * people who ask why. It looks at a bounded number of candidates, whatever the size of
 * the space, so there may be nearer ones: those that agree with the template in the
 * bound fields of an index there is, the oldest and the newest. */
#ifndef TILIA_ENGINE_NEAR_H
#define TILIA_ENGINE_NEAR_H

#include "shape.h"

struct engine;
struct space;

#define NEAR_TUPLES 3

struct near {
	struct {
		const struct tuple *tuple;
		unsigned matching; /* fields */
		int field;         /* the first that does not match; EXPLAIN_MATCH */
		bool hidden;
	} at[NEAR_TUPLES];     /* the nearest first; of equals the newest */
	unsigned count;
	unsigned looked;       /* candidates looked at, 64 at most */
};

/* Valid until the next change. */
void near_find(const struct engine *e, struct space *s, const struct template *t,
               struct near *near);

#endif
