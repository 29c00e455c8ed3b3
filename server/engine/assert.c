/* Every invariant of the inside, by brute force: for the tests. */
#include "assert.h"

#include "bucket.h"
#include "shelf.h"
#include "state.h"

#include <assert.h>

struct audit {
	const struct engine *e;
	const struct index *index;
	bool hidden; /* which of the index's two tables */
	const struct waitshape *shape;
	struct space *space;
	uint64_t tuples, waiting, following, watching, claims, ring_bytes;
};

static void check_bucket(void *item, void *ctx)
{
	struct audit *audit = ctx;
	const struct index *x = audit->index;
	bool by_id = x->field == INDEX_BY_ID;
	const struct order order = {by_id ? ORDER_ID : ORDER_MAX, (uint8_t)x->field};
	struct tuple *first = by_id ? bucket_first(item) : shelf_any(item), *t, *next;
	struct place at = {NULL, 0, 0};

	assert(item && (!by_id || !bucket_seq(item) || bucket_count(item) > 1));
	for (t = by_id ? first : shelf_after(item, &order, &at); t; t = next) {
		at = order_place(&order, t);
		next = by_id ? bucket_after(item, t->id) : shelf_after(item, &order, &at);
		assert(by_id || !next || order_before(&order, t, next));
		assert(t->fields == x->arity && t->id <= x->position);
		assert(shape_admits(x->class, t) && shape_same(x->class, first, t));
		assert(seq_find(audit->hidden ? &x->space->hidden : &x->space->all, t->id) == t);
		audit->tuples++;
	}
}

static void check_index(const struct engine *e, const struct index *x)
{
	struct audit audit = {.e = e, .index = x};
	uint64_t expected = 0;
	struct seq_cursor at;

	hash_each(&x->buckets, check_bucket, &audit);
	audit.hidden = true;
	hash_each(&x->hidden, check_bucket, &audit);
	for (int i = 0; i < 2; i++)
		for (struct tuple *t = seq_after(i ? &x->space->hidden : &x->space->all, 0, &at); t;
		     t = seq_next(&at))
			expected += t->fields == x->arity && t->id <= x->position &&
			            shape_admits(x->class, t) && !(i && x->field != INDEX_BY_ID);
	assert(audit.tuples == expected && x->tuples == expected);
	assert(index_complete(x) || work_active(&x->build));
}

static void check_key(void *item, void *ctx)
{
	const struct waitkey *k = item;
	struct audit *audit = ctx;

	assert(k->waiters.next != &k->waiters && k->shape == audit->shape);
	assert_waiters(audit->e, audit->space, k, &audit->waiting, &audit->following);
}

static void check_arity(struct audit *audit, const struct arity *a)
{
	uint32_t indexes = 0, shapes = 0;
	uint64_t before;

	for (const struct list *it = a->indexes.next; it != &a->indexes; it = it->next, indexes++)
		check_index(audit->e, list_entry(it, struct index, link));
	for (const struct list *it = a->waiting.next; it != &a->waiting; it = it->next, shapes++) {
		audit->shape = list_entry(it, struct waitshape, link);
		assert(audit->shape->keys.count > 0);
		before = audit->following;
		hash_each(&audit->shape->keys, check_key, audit);
		assert(audit->following - before == audit->shape->following);
	}
	assert(indexes == a->index_count && shapes == a->waiting_count);
	assert(indexes <= audit->e->config.limits.indexes);
}

/* Every watcher stands where it belongs, and nobody sleeps who has something to read. */
static uint64_t check_watchers(const struct ring *r, const struct list *list)
{
	uint64_t count = 0;

	for (const struct list *it = list->next; it != list; it = it->next, count++) {
		const struct watcher *w = list_entry(it, struct watcher, link);

		assert(w->ring == r && seq_find(&w->session->watchers, w->n) == w);
		assert(w->session->conn && w->next <= r->next);
		assert(w->sending == (list == &r->blocked));
		assert(list != &r->idle || (w->next == r->next && !w->gap));
	}
	return count;
}

static void check_ring(const struct engine *e, const struct ring *r)
{
	uint64_t bytes = 0, cursor = r->first, batch = 0;
	struct seq_cursor at;

	for (struct ring_event *ev = seq_after(&r->events, 0, &at); ev; ev = seq_next(&at)) {
		assert(ev->cursor == cursor++ && ev->batch >= batch && ev->batch <= r->batch);
		batch = ev->batch;
		bytes += ev->cost;
	}
	assert(cursor == r->next && cursor <= e->cursor + 1 && bytes == r->bytes);
	assert(bytes <= e->config.limits.ring_bytes || r->events.count == 1);
	assert(check_watchers(r, &r->behind) + check_watchers(r, &r->idle) +
	               check_watchers(r, &r->blocked) == r->watchers);
	assert(list_empty(&r->behind) || work_active(&r->work));
	assert((r->watchers == 0) == !list_empty(&r->link));
	assert(r->watchers > 0 || r->first <= r->left);
}

static void check_space(const struct engine *e, struct space *s, struct audit *sum)
{
	struct audit audit = {.e = e, .space = s};
	uint64_t bytes = 0, tuples = 0, arities = 0;
	struct seq_cursor at;

	if (s->dropped) { /* on its way out in slices; what is claimed stays until that ends */
		sum->tuples += s->all.count + s->hidden.count;
		sum->claims += s->hidden.count;
		return;
	}
	for (int i = 0; i < 2; i++)
		for (struct tuple *t = seq_after(i ? &s->hidden : &s->all, 0, &at); t;
		     t = seq_next(&at)) {
			bytes += tuple_cost(t);
			tuples++;
		}
	assert(bytes == s->bytes && tuples == s->all.count + s->hidden.count);
	for (unsigned n = 0; n <= TUPLE_FIELDS; n++) {
		if (!s->arities[n])
			continue;
		arities += s->arities[n]->tuples;
		check_arity(&audit, s->arities[n]);
	}
	assert(arities == tuples);
	if (s->ring) {
		assert(s->ring->space == s);
		check_ring(e, s->ring);
		sum->ring_bytes += s->ring->bytes;
	}
	assert_waiters(e, s, &s->everything, &audit.waiting, &audit.following);
	assert(audit.waiting == s->waiting && audit.following == s->following);
	sum->tuples += tuples;
	sum->claims += s->hidden.count;
	sum->waiting += audit.waiting + putter_assert(e, s);
}

static uint32_t check_outcome_claims(const struct outcome *o)
{
	uint32_t count = 0;

	for (const struct list *it = o->claims.next; it != &o->claims; it = it->next, count++)
		assert(list_entry(it, struct claim, link)->outcome == o);
	return count;
}

static void check_claims(const struct session *s)
{
	for (struct claim *c = seq_first(&s->claims); c;
	     c = seq_after(&s->claims, c->token, NULL)) {
		assert(c->session == s && c->timer.pos > 0 && !c->named);
		assert(seq_find(&c->space->hidden, c->tuple->id) == c->tuple &&
		       c->tuple->tries > 0);
		assert((c->outcome == NULL) == list_empty(&c->link));
		assert(!c->outcome || seq_find(&s->outcomes, c->outcome->n) == c->outcome);
	}
}

static void check_session(const struct session *s, uint64_t *outcomes, uint64_t *taken,
                          uint64_t *watching)
{
	uint64_t bytes = 0, waiting = 0;

	for (struct outcome *o = seq_first(&s->outcomes); o;
	     o = seq_after(&s->outcomes, o->n, NULL)) {
		bytes += o->cost;
		*outcomes += 1;
		*taken += o->taken ? o->count : 0;
		assert((o->count > 0) == (o->space != NULL));
		assert(o->count == (o->taken ? o->count : 0) + check_outcome_claims(o));
		assert(!o->batch || seq_find(&s->groups, o->batch));
	}
	check_claims(s);
	*watching += s->watchers.count;
	assert(s->conn || s->watchers.count == 0);
	for (const struct list *it = s->waiting.next; it != &s->waiting; it = it->next, waiting++)
		assert(list_entry(it, struct waiter, link)->session == s);
	assert(bytes == s->outcome_bytes && waiting == s->waiting_by_n.count);
	assert((s->conn == NULL) == (s->grace.pos != 0));
}

static void check_seeker(const struct seeker *k)
{
	for (const struct list *it = k->searches.next; it != &k->searches; it = it->next) {
		const struct search *q = list_entry(it, struct search, link);

		assert(q->seeker == k);
		assert((q->index == NULL) == list_empty(&q->pin));
		assert(!q->walk || (q->walk->search == q && !q->walk->space->dropped));
		assert(!q->walk || q->walk->done != work_active(&q->walk->work));
	}
}

/* The queues of what is to be done by the clock. */
static void check_agenda(const struct space *s, enum clock clock)
{
	const struct heap_node *first = heap_first(&s->agenda[clock]), *turn = &s->turn[clock];

	if (turn->pos)
		assert(first && turn->key == first->key && turn->order == first->order);
	else
		assert(!first || work_active(&s->settling) || (s->dropped && clock == CLOCK_WALL));
}

static void check_timed(const struct timed *r)
{
	bool delayed = r->hidden && r->due_ms;

	assert(r->tuple->timed && r->tuple->id == r->id && !(r->visible && r->hidden));
	assert((r->moment.pos != 0) == (delayed || (r->visible && r->expires_ms)));
	assert((r->session != NULL) == !list_empty(&r->link) && !(r->session && r->orphan));
	assert(!r->hidden || seq_find(&r->space->hidden, r->id) == r->tuple);
	assert(!r->visible || seq_find(&r->space->all, r->id) == r->tuple);
}

static void check_agendas(const struct engine *e)
{
	uint64_t leases = 0, moments = 0, turns = 0, timed = 0;

	for (struct space *s = seq_first(&e->spaces); s;
	     s = seq_after(&e->spaces, s->number, NULL)) {
		for (enum clock clock = CLOCK_LEASE; clock < CLOCKS; clock++) {
			check_agenda(s, clock);
			turns += s->turn[clock].pos != 0;
		}
		leases += s->agenda[CLOCK_LEASE].count;
		moments += s->agenda[CLOCK_WALL].count;
		assert(list_empty(&s->parked) || (!list_empty(&s->backlog) && overdue_in(e, s)));
	}
	for (unsigned i = 0; i < 2 * CLOCKS; i++)
		turns -= e->turns[i / 2][i % 2].count;
	for (struct timed *r = seq_first(&e->timed); r; r = seq_after(&e->timed, r->id, NULL)) {
		check_timed(r);
		timed += r->moment.pos != 0;
	}
	assert(turns == 0 && leases == e->claims && moments == timed);
}

void engine_assert(const struct engine *e)
{
	uint64_t outcomes = 0, taken = 0;
	struct audit sum = {.e = e};
	bool working = engine_working(e);

	for (struct space *s = seq_first(&e->spaces); s; s = seq_after(&e->spaces, s->number, NULL))
		check_space(e, s, &sum);
	for (uint32_t i = 0; i < e->conn_cap; i++) {
		const struct conn *c = e->conns[i];

		if (c && c->session && c->session->number == 0)
			check_session(c->session, &outcomes, &taken, &sum.watching);
		assert(!c || !c->session || c->session->conn == c);
		if (c)
			check_seeker(&c->seeker);
	}
	for (struct session *s = seq_first(&e->sessions); s;
	     s = seq_after(&e->sessions, s->number, NULL))
		check_session(s, &outcomes, &taken, &sum.watching);
	/* Dropped spaces and ending sessions are counted until they are gone. */
	assert(working || (outcomes == e->outcomes && taken == e->taken));
	assert(working || (sum.tuples == e->tuples && sum.waiting == e->waiting));
	assert(working || sum.claims == e->claims + e->delayed);
	assert(sum.watching == e->watching);
	assert(sum.ring_bytes <= e->ring_bytes); /* those of dropped spaces are nowhere */
	check_agendas(e);
}
