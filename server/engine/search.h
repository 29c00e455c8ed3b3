/* One template looked for in one space, at one instant. What there is to be
 * known may need unfinished work (an index that is built, a walk); whoever asks
 * is told when it is done, and asks the same again. */
#ifndef TILIA_ENGINE_SEARCH_H
#define TILIA_ENGINE_SEARCH_H

#include "../../libclient/base/list.h"
#include "shape.h"

struct engine;
struct space;

/* Who asks. It may have several questions at once, told apart by their slots; the
 * answers of all are kept true until search_end(), so that the last ENGINE_AGAIN is
 * followed by an instant at which every one of them is answered. */
struct seeker {
	struct list searches; /* struct search: what is not answered out of hand */
	/* Something it waits for is done, or its space is dropped. It may be told more
	 * than once, and must not ask before this has returned. */
	void (*ready)(struct engine *e, struct seeker *k);
};

/* A question with unfinished work, until search_end(). */
struct search {
	struct list link; /* seeker.searches */
	struct seeker *seeker;
	unsigned slot;
	struct list late;    /* space.parked */
	struct list pin;     /* index.pinned */
	struct index *index; /* waited for, and not to be dropped before it is asked for; or NULL */
	struct walk *walk;   /* or NULL */
};

struct search_want {
	struct space *space;
	struct template *template; /* its tuple is taken when a walk needs it */
	unsigned slot;
	uint64_t after;
	uint32_t max;  /* tuples wanted, cut so that they fit a reply; it may be fewer, when
	                  some were found by a walk and are gone. counting: it may stop at so
	                  many (and answers any number from there on); 0: it counts all */
	bool counting; /* how many match, in *count; else the first of the visible ones, in
	                  the template's order */
	bool hidden;   /* counting: the claimed and the delayed ones, too */
	bool uncut;    /* as many as are wanted, if there are, whether they fit a reply or not */
};

void seeker_init(struct seeker *k, void (*ready)(struct engine *e, struct seeker *k));

/* 0: *count, and found[] when not counting, are what there is now. ENGINE_AGAIN:
 * ready() will be called; so when there is nothing, or a number, as long as that may
 * not be so: while something of the space is overdue. Without a seeker nothing waits,
 * and ready() is for nobody. */
int search_run(struct engine *e, struct seeker *k, const struct search_want *want,
               struct tuple **found, uint64_t *count);

/* Whether something it has asked for is unfinished. */
bool search_pending(struct engine *e, struct seeker *k);

/* It asks no more: its walks end, its indexes may go. */
void search_end(struct seeker *k);

/* The space is dropped: the questions of those that look for something in it end,
 * and they are told to ask again. */
void search_drop(struct engine *e, struct space *s);

#endif
