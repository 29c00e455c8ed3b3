/* Every invariant of the inside, by brute force: for the tests. */
#include "bucket.h"
#include "state.h"

#include <assert.h>

struct audit {
	const struct engine *e;
	const struct index *index;
	bool hidden; /* which of the index's two tables */
	const struct waitshape *shape;
	struct space *space;
	uint64_t tuples, waiting, tallies, watching, claims;
};

static void check_bucket(void *item, void *ctx)
{
	struct audit *audit = ctx;
	const struct index *x = audit->index;
	struct tuple *first = bucket_first(item), *t = first;

	assert(bucket_count(item) > 0 && (!bucket_seq(item) || bucket_count(item) > 1));
	for (; t; t = bucket_after(item, t->id)) {
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
			            shape_admits(x->class, t);
	assert(audit.tuples == expected && x->tuples == expected);
	assert(index_complete(x) || work_active(&x->build));
}

/* How many there are of what a tally counts. */
static uint64_t count_matches(const struct space *s, const struct waiter *w)
{
	uint64_t count = 0;

	for (int i = 0; i < (w->visible ? 1 : 2); i++)
		for (struct tuple *t = seq_first(i ? &s->hidden : &s->all); t;
		     t = seq_after(i ? &s->hidden : &s->all, t->id, NULL))
			count += template_match_tuple(w->tuple, t);
	return count;
}

static void check_tallied(const struct space *s, const struct waiter *w)
{
	const struct tally *y = w->tally;

	assert(y->visible == w->visible && y->tuple == (w->residue ? w->tuple : NULL));
	assert(y->waiters > 0 && (!y->tuple || y->waiters == 1));
	assert(y->least.count + y->none.count == y->waiters && list_empty((void *)(uintptr_t)&y->changed));
	assert(y->count == count_matches(s, w));
	assert(w->least ? y->count < w->least : y->count > 0); /* it was not forgotten */
}

/* Nothing it waits for is there: a wake-up was not lost. */
static void check_waits(const struct space *s, const struct waiter *w)
{
	for (struct tuple *t = seq_first(&s->all); t; t = seq_after(&s->all, t->id, NULL))
		assert(t->id <= w->after || !template_match_tuple(w->tuple, t));
}

static uint64_t count_in(void *bucket, enum message_op op)
{
	for (struct waiter *w = bucket_first(bucket); w; w = bucket_after(bucket, w->order))
		assert(w->op == op);
	return bucket_count(bucket);
}

static void check_waiters(struct audit *audit, const struct waitkey *k)
{
	uint64_t residual = 0, waiting = 0, counting = 0;

	for (const struct list *it = k->waiters.next; it != &k->waiters; it = it->next) {
		struct waiter *w = list_entry(it, struct waiter, place);

		assert(w->key == k && w->space == audit->space && w->session->conn);
		assert(waiter_counts(w) == (w->tally != NULL));
		if (w->tally)
			check_tallied(audit->space, w);
		if (w->op == MESSAGE_WAIT)
			counting++;
		else
			check_waits(audit->space, w);
		residual += w->residue;
		waiting++;
	}
	assert(residual == k->residual);
	assert(waiting == counting + count_in(k->readers, MESSAGE_RD) +
	                          count_in(k->takers, MESSAGE_IN));
	audit->waiting += waiting;
	for (const struct list *it = k->tallies.next; it != &k->tallies; it = it->next)
		audit->tallies++;
}

static void check_key(void *item, void *ctx)
{
	const struct waitkey *k = item;

	assert(!list_empty((void *)(uintptr_t)&k->waiters));
	check_waiters(ctx, k);
}

static void check_arity(struct audit *audit, const struct arity *a)
{
	uint32_t indexes = 0, shapes = 0;

	for (const struct list *it = a->indexes.next; it != &a->indexes; it = it->next, indexes++)
		check_index(audit->e, list_entry(it, struct index, link));
	for (const struct list *it = a->waiting.next; it != &a->waiting; it = it->next, shapes++) {
		audit->shape = list_entry(it, struct waitshape, link);
		assert(audit->shape->keys.count > 0);
		hash_each(&audit->shape->keys, check_key, audit);
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
	}
	check_waiters(&audit, &s->everything);
	assert(audit.waiting == s->waiting && audit.tallies == s->tallies);
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

		assert(q->seeker == k && (q->index || q->walk));
		assert((q->index == NULL) == list_empty(&q->pin));
		assert(!q->walk || (q->walk->search == q && !q->walk->space->dropped));
		assert(!q->walk || q->walk->done != work_active(&q->walk->work));
	}
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
	assert(working || sum.claims == e->claims);
	assert(sum.watching == e->watching);
	assert(e->leases.count == e->claims);
}
