/* Rings: the last events of a space that is, or was lately, watched, in the one order
 * that all its watchers see. */
#ifndef TILIA_ENGINE_RING_H
#define TILIA_ENGINE_RING_H

#include "../../libclient/base/list.h"
#include "../../libclient/base/seq.h"
#include "tuple.h"
#include "work.h"

#include <stdbool.h>

struct engine;
struct space;

enum ring_kind {
	RING_PUT,    /* visible for the first time */
	RING_TAKE,
	RING_CLAIM,
	RING_BACK,   /* visible again */
	RING_EXPIRE, /* its time, or the session it was bound to, is over */
	RING_DONE,   /* a claim was committed */
	RING_BURY,   /* moved to the dead-letter space, where it is a put */
	RING_DROP,   /* the space; of no tuple */
};

struct ring_event {
	uint64_t cursor;  /* first: key of ring.events; they rise by one */
	uint64_t batch;   /* it is told when this one is durable; never falls */
	enum ring_kind kind;
	uint32_t cost;
	bool empty;       /* no tuple follows */
};

struct ring {
	struct space *space; /* NULL: it was dropped, and the last watcher frees the ring */
	struct seq events;
	uint64_t first;      /* cursor of the oldest one kept; `next` when there is none */
	uint64_t next;       /* of the event to come */
	uint64_t batch;      /* of the newest */
	uint64_t bytes;
	uint64_t watchers;
	uint64_t left;       /* without any: `next` when the last one went */
	struct list behind;  /* watchers that have events to read */
	struct list idle;    /* those that have read all */
	struct list blocked; /* those whose parts the kernel has not taken yet */
	struct work work;
	struct list link;    /* engine.rings: not watched now */
};

/* Cursors begin: the engine has started. */
void ring_ready(struct engine *e);

/* The ring of the space, made when there is none. */
struct ring *ring_get(struct engine *e, struct space *s);

/* Something happened in the space: O(1), and nothing at all when it has no ring. */
void ring_note(struct engine *e, struct space *s, enum ring_kind kind, const struct tuple *t);

/* The tuple of an event, or NULL. */
const struct tuple *ring_tuple(const struct ring_event *ev);

/* A watcher came or went. Without any a ring stays until as much as it holds has
 * happened since, or too many others stand about: for clients that come back. */
void ring_join(struct engine *e, struct ring *r);
void ring_leave(struct engine *e, struct ring *r);

/* The space is dropped: the last event. */
void ring_drop(struct engine *e, struct space *s);
void ring_free(struct engine *e, struct ring *r);

#endif
