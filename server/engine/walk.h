/* A look at one tuple after the other, in slices: what a search does when no
 * index answers it alone. */
#ifndef TILIA_ENGINE_WALK_H
#define TILIA_ENGINE_WALK_H

#include "../../libclient/base/buf.h"
#include "order.h"
#include "shape.h"
#include "work.h"

struct search;
struct search_want;
struct space;

struct walk {
	struct work work;
	struct list link; /* space.walks */
	struct search *search; /* whose index it walks; none: the whole space */
	struct space *space;
	struct template template;
	struct order order;   /* of what it finds */
	/* Every tuple up to `reach` in that order (to_end: every one at all) whose id is
	 * `scanned` at most was looked at. Mostly it goes in that order itself, and
	 * `scanned` is UINT64_MAX; without an index in that order it goes by ids. */
	struct place reach;
	struct buf value;     /* the bytes of reach.value, between slices */
	uint64_t scanned;
	uint64_t after;
	uint64_t count;       /* matches, when `counting` */
	struct tuple **found; /* the first matches, when not, in order */
	uint32_t found_count, keep;
	uint32_t max;         /* it may stop at so many; 0: nowhere */
	uint32_t least;       /* its answer may be so few of them while there are more */
	bool sorted;          /* it goes in that order */
	bool to_end;
	bool counting, hidden, done;
};

/* Begins a walk for the search. Takes the template. */
struct walk *walk_begin(struct engine *e, struct search *q, const struct search_want *want);
void walk_end(struct walk *w);

/* Whether it has its answer, of this instant. One whose finds are gone again goes on. */
bool walk_ready(struct engine *e, struct walk *w);

/* A tuple enters or leaves the visible or the hidden ones of the space. */
void walk_enter(struct space *s, struct tuple *t, bool hidden);
void walk_leave(struct space *s, struct tuple *t, bool hidden);

#endif
