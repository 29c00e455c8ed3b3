/* Outs that wait for room. A space whose first may fit stands in engine.rooms; one whose
 * first fits into the space but not into the server stands in engine.pressed, where
 * likewise only the first is tried. */
#include "putter.h"

#include "state.h"

#include <assert.h>

static size_t held(const struct put *p)
{
	return p->value.n + p->unless.n;
}

static void ready(struct engine *e, struct seeker *k)
{
	putter_wake(e, list_entry(k, struct putter, seeker)->waiter->space);
}

int putter_create(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                  const struct put *put, const char **why)
{
	const struct engine_limits *l = &e->config.limits;
	struct putter *p;

	*why = waiter_full(e, c->session);
	if (!*why)
		*why = e->putters >= l->putters || e->putter_bytes + held(put) > l->putter_bytes
		               ? "too many puts wait for room" : NULL;
	if (*why)
		return ERROR_LIMIT;
	p = xcalloc(1, sizeof *p);
	p->put = *put;
	p->put.value = session_copy(put->value);
	p->put.unless = session_copy(put->unless);
	seeker_init(&p->seeker, ready);
	e->putters++;
	e->putter_bytes += held(put);
	p->waiter = waiter_new(e, c, r, s);
	p->waiter->putter = p;
	putter_enter(e, p->waiter);
	return 0;
}

void putter_free(struct engine *e, struct putter *p)
{
	e->putters--;
	e->putter_bytes -= held(&p->put);
	xfree((void *)(uintptr_t)p->put.value.p);
	xfree((void *)(uintptr_t)p->put.unless.p);
	xfree(p);
}

void putter_enter(struct engine *e, struct waiter *w)
{
	struct space *s = w->space;

	seq_insert(&s->putters, w);
	w->putter->stands = true;
	e->waiting++;
	if (seq_first(&s->putters) == w)
		putter_wake(e, s);
}

void putter_leave(struct engine *e, struct waiter *w)
{
	struct space *s = w->space;

	if (!w->putter->stands)
		return;
	search_end(&w->putter->seeker);
	seq_remove_item(&s->putters, w);
	w->putter->stands = false;
	e->waiting--;
	putter_wake(e, s); /* it may have been the first */
}

/* ---- the work -------------------------------------------------------------- */

/* Nobody looks at the space until it is woken. */
static void put_aside(struct space *s)
{
	list_remove(&s->room);
	s->pressed = false;
}

/* Tries the first of a space, which then stands where it belongs. Answers the cost. */
static unsigned try_first(struct engine *e, struct space *s)
{
	struct waiter *w = seq_first(&s->putters);
	unsigned cost = 1 + (unsigned)(w->putter->put.value.n / 256);
	int code = put_try(e, w->session, w->n, s, &w->putter->put, &w->putter->seeker, true);

	if (code == PUT_SERVER_FULL && s->pressed)
		return cost;
	put_aside(s);
	if (code == PUT_SERVER_FULL) {
		list_append(&e->pressed, &s->room);
		s->pressed = true;
	} else if (code == 0) {
		waiter_free(e, w); /* wakes the next */
	}
	return cost;
}

static unsigned work(struct engine *e, struct work *w, unsigned units)
{
	unsigned used = 0;

	while (used < units) {
		struct list *next = list_first(&e->rooms), *first = list_first(&e->pressed);

		if (!next && !first)
			break;
		used += try_first(e, list_entry(next ? next : first, struct space, room));
		if (!next && first == list_first(&e->pressed))
			break; /* there is no room yet, and nobody overtakes it */
	}
	if (used < units)
		work_end(w);
	return used + 1;
}

static void begin(struct engine *e)
{
	if (!work_active(&e->room_work))
		work_begin(e, &e->room_work, work);
}

void putter_wake(struct engine *e, struct space *s)
{
	bool pressed = s->pressed;

	if (s->putters.count == 0 || s->dropped) {
		put_aside(s);
	} else if (!pressed) {
		list_remove(&s->room);
		list_append(&e->rooms, &s->room);
		pressed = true;
	}
	if (pressed)
		begin(e);
}

void putter_room(struct engine *e, struct space *s)
{
	if (s->putters.count > 0)
		putter_wake(e, s);
	else if (!list_empty(&e->pressed))
		begin(e);
}

/* ---- for the tests --------------------------------------------------------- */

/* Whether it is in the way of the first that it lacks room, or the answer to `unless`. */
static bool is_held(const struct engine *e, struct space *s, const struct putter *p)
{
	struct room_ask ask;
	int code = put_room(e, s, &p->put, &ask);
	bool server = ask.server;

	room_close(&ask);
	return (code == ERROR_FULL && server == s->pressed) || !list_empty(&p->seeker.searches);
}

uint64_t putter_assert(const struct engine *e, struct space *s)
{
	struct waiter *first = seq_first(&s->putters);

	for (struct waiter *w = first; w; w = seq_after(&s->putters, w->order, NULL))
		assert(w->putter->stands && w->space == s && w->session->conn && !w->key);
	assert(first || list_empty(&s->room));
	assert(!s->pressed || !list_empty(&s->room));
	if (first && !work_active(&e->room_work) && !s->dropped)
		assert(is_held(e, s, first->putter) ||
		       (s->pressed && e->pressed.next != &s->room));
	return s->putters.count;
}
