/* Rings: the last events of a space, in the one order that all its watchers see.
 * A ring is made for the first watcher. Writing an event is an append, whatever the
 * number of watchers: they read it by themselves, as background work (watch.c), and
 * one that the ring has passed is told of the gap. */
#include "state.h"

#include <assert.h>

#define RINGS_MAX 64    /* that nobody watches */
#define RING_SHARE 16   /* of limits.bytes, for all rings: one in so many */
#define CURSOR_SHIFT 11 /* cursors begin at wall ms x 2^11: no start repeats one */

/* By the clock at the start: one that is set back later repeats none of the last start. */
void ring_ready(struct engine *e)
{
	e->cursor = e->wall_ms ? (e->wall_ms << CURSOR_SHIFT) - 2 : 0;
}

struct ring *ring_get(struct engine *e, struct space *s)
{
	struct ring *r = s->ring;
	uint64_t first;

	if (r)
		return r;
	/* The cursor before the first is told in a `gap`: it must be new, too. */
	first = e->cursor + 2;
	e->cursor = first - 1;
	r = s->ring = xcalloc(1, sizeof *r);
	r->space = s;
	r->first = r->next = r->left = first;
	seq_init(&r->events);
	list_init(&r->behind);
	list_init(&r->idle);
	list_init(&r->blocked);
	list_init(&r->work.link);
	list_init(&r->link);
	return r;
}

const struct tuple *ring_tuple(const struct ring_event *ev)
{
	return ev->empty ? NULL : (const struct tuple *)(const void *)(ev + 1);
}

static struct ring_event *event_create(const struct tuple *t)
{
	size_t size = t ? tuple_size(t) : 0;
	struct ring_event *ev = xmalloc(sizeof *ev + size);

	*ev = (struct ring_event){.empty = !t, .cost = (uint32_t)sizeof *ev};
	if (t) {
		memcpy(ev + 1, t, size);
		ev->cost += (uint32_t)tuple_cost(t);
	}
	return ev;
}

static void account(struct engine *e, struct ring *r, const struct ring_event *ev, bool in)
{
	uint64_t cost = in ? ev->cost : 0 - (uint64_t)ev->cost;

	r->bytes += cost;
	e->ring_bytes += cost;
}

/* All rings together take a share of the server's bytes; who is beyond it lets go of
 * its own. The newest event stays, however large. */
static void evict(struct engine *e, struct ring *r)
{
	const struct engine_limits *l = &e->config.limits;

	while ((r->bytes > l->ring_bytes || e->ring_bytes > l->bytes / RING_SHARE) &&
	       r->events.count > 1) {
		struct ring_event *ev = seq_remove(&r->events, r->first);

		r->first++;
		account(e, r, ev, false);
		xfree(ev);
	}
}

/* Those that had read all have not any more. */
static void wake(struct engine *e, struct ring *r)
{
	list_splice(&r->behind, &r->idle);
	if (!list_empty(&r->behind) && !work_active(&r->work))
		work_begin(e, &r->work, watch_work);
}

/* What an event waits for: its own batch, and that of the one before it. */
static uint64_t batch_of(const struct engine *e, const struct space *s, const struct tuple *t)
{
	bool durable = t ? !s->is_volatile : !e->config.all_volatile; /* spaces themselves are */
	uint64_t batch = durable ? e->batch : 0;

	if (t)
		batch = engine_wait(e, t->id, batch);
	return batch > s->ring->batch ? batch : s->ring->batch;
}

void ring_note(struct engine *e, struct space *s, enum ring_kind kind, const struct tuple *t)
{
	struct ring *r = s->ring;
	struct ring_event *ev;

	if (!r)
		return;
	r->batch = batch_of(e, s, t);
	ev = event_create(t);
	ev->cursor = r->next++;
	ev->batch = r->batch;
	ev->kind = kind;
	if (ev->cursor > e->cursor)
		e->cursor = ev->cursor;
	account(e, r, ev, true);
	seq_insert(&r->events, ev);
	evict(e, r);
	wake(e, r);
	if (r->watchers == 0 && r->first > r->left)
		ring_free(e, r); /* nobody could go on from here */
}

static void free_event(void *item, void *ctx)
{
	(void)ctx;
	xfree(item);
}

void ring_free(struct engine *e, struct ring *r)
{
	assert(r->watchers == 0);
	if (!list_empty(&r->link))
		e->ring_count--;
	list_remove(&r->link);
	work_end(&r->work);
	if (r->space)
		r->space->ring = NULL;
	e->ring_bytes -= r->bytes;
	seq_drain(&r->events, SIZE_MAX, free_event, NULL);
	seq_close(&r->events);
	xfree(r);
}

void ring_join(struct engine *e, struct ring *r)
{
	if (!list_empty(&r->link))
		e->ring_count--;
	list_remove(&r->link);
	r->watchers++;
}

void ring_leave(struct engine *e, struct ring *r)
{
	if (--r->watchers > 0)
		return;
	if (!r->space) { /* within its own work, that frees it */
		if (!work_active(&r->work))
			ring_free(e, r);
		return;
	}
	r->left = r->next;
	list_append(&e->rings, &r->link);
	if (++e->ring_count > RINGS_MAX)
		ring_free(e, list_entry(list_first(&e->rings), struct ring, link));
}

void ring_drop(struct engine *e, struct space *s)
{
	struct ring *r;

	ring_note(e, s, RING_DROP, NULL);
	r = s->ring; /* this event may have been the one that freed it */
	if (!r)
		return;
	s->ring = NULL;
	r->space = NULL;
	if (r->watchers == 0)
		ring_free(e, r);
}
