/* A look at one tuple after the other, in slices: what a search does when no
 * index answers it alone. */
#ifndef TILIA_ENGINE_WALK_H
#define TILIA_ENGINE_WALK_H

#include "../../libclient/base/seq.h"
#include "shape.h"
#include "work.h"

struct search;
struct search_want;

struct walk {
	struct work work;
	struct list link; /* space.walks */
	struct search *search;
	struct space *space;
	struct index *index; /* whose buckets it walks; NULL: the whole space */
	struct template template;
	uint64_t position;   /* every tuple up to this id was looked at */
	uint64_t after;
	uint64_t count;      /* matches, when `counting` */
	struct seq found;    /* the oldest matches, when not */
	uint32_t max;        /* it may stop at so many; 0: nowhere */
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
