/* Requests that wait, indexed by shape as tuples are: a tuple probes once for
 * each waiting shape of its arity, whatever the number of waiters. */
#include "bucket.h"
#include "state.h"

#include <assert.h>

#define WAITER_EXPIRE_SLICE 1024 /* timeouts answered in one step */

struct key_key {
	const struct waitshape *shape;
	const struct tuple *tuple;
};

/* One of those who stand there: they agree in the fields that the key is made of. */
static struct waiter *key_sample(const struct waitkey *k)
{
	return list_empty(&k->waiters) ? NULL : list_entry(k->waiters.next, struct waiter, place);
}

void waitkey_init(struct waitkey *k)
{
	list_init(&k->waiters);
	list_init(&k->tallies);
}

static bool key_is(const void *item, const void *key)
{
	const struct key_key *k = key;

	return shape_same(k->shape->class, key_sample(item)->tuple, k->tuple);
}

struct n_key {
	uint64_t n;
};

static bool n_is(const void *item, const void *key)
{
	return ((const struct waiter *)item)->n == ((const struct n_key *)key)->n;
}

static uint32_t n_hash(uint64_t n)
{
	return (uint32_t)hash_mix(n, 0);
}

struct waiter *waiter_find(const struct session *s, uint64_t n)
{
	struct n_key key = {n};
	void **slot = hash_find(&s->waiting_by_n, n_hash(n), n_is, &key);

	return slot ? *slot : NULL;
}

static void first_key(void *item, void *ctx)
{
	*(struct waitkey **)ctx = item;
}

struct waiter *waiter_any(struct space *s)
{
	struct waitkey *k = &s->everything;

	for (unsigned n = 0; n <= TUPLE_FIELDS && list_empty(&k->waiters); n++) {
		struct list *first = s->arities[n] ? list_first(&s->arities[n]->waiting) : NULL;

		if (first)
			hash_each(&list_entry(first, struct waitshape, link)->keys, first_key, &k);
	}
	return list_empty(&k->waiters) ? seq_first(&s->putters) : key_sample(k);
}

static struct waitshape *shape_find(const struct arity *a, const uint8_t *class, unsigned arity)
{
	for (struct list *it = a->waiting.next; it != &a->waiting; it = it->next) {
		struct waitshape *w = list_entry(it, struct waitshape, link);

		if (memcmp(w->class, class, arity) == 0)
			return w;
	}
	return NULL;
}

static struct waitshape *shape_get(struct arity *a, const uint8_t *class, unsigned arity)
{
	struct waitshape *w = shape_find(a, class, arity);

	if (w)
		return w;
	w = xcalloc(1, sizeof *w + arity);
	w->arity = (uint8_t)arity;
	memcpy(w->class, class, arity);
	hash_init(&w->keys);
	list_append(&a->waiting, &w->link);
	a->waiting_count++;
	return w;
}

static struct waitkey *key_find(const struct waitshape *w, uint32_t hash, const struct tuple *t)
{
	struct key_key key = {w, t};
	void **slot = hash_find(&w->keys, hash, key_is, &key);

	return slot ? *slot : NULL;
}

struct waitkey *waiter_key(const struct waitshape *w, const struct keys *k, const struct tuple *t)
{
	return key_find(w, keys_hash(k, w->class, w->arity), t);
}

static struct waitkey *key_get(struct waitshape *w, uint32_t hash, const struct tuple *t)
{
	struct waitkey *k = key_find(w, hash, t);

	if (k)
		return k;
	k = xcalloc(1, sizeof *k);
	waitkey_init(k);
	k->shape = w;
	k->hash = hash;
	return k; /* enters the table with its first waiter: it is found by it */
}

/* Gives an empty key back, and its shape when it was the last. */
static void key_release(struct space *s, struct waitkey *k, void **slot)
{
	struct waitshape *w = k->shape;

	hash_remove(&w->keys, k->hash, slot);
	xfree(k);
	if (w->keys.count > 0)
		return;
	s->arities[w->arity]->waiting_count--;
	list_remove(&w->link);
	hash_close(&w->keys);
	xfree(w);
}

/* Its key, which may be new: then it is in no table yet. */
static struct waitkey *key_for(struct engine *e, const struct waiter *w)
{
	struct waitshape *shape;
	struct waitkey *k;
	struct template t;
	struct keys keys;

	if (!w->tuple)
		return &w->space->everything;
	template_open(&t, tuple_bytes(w->tuple));
	keys_of(&keys, w->tuple, e->config.hash_seed);
	shape = shape_get(space_arity(w->space, t.shape.arity), t.shape.class, t.shape.arity);
	k = key_get(shape, keys_hash(&keys, shape->class, shape->arity), w->tuple);
	template_close(&t);
	return k;
}

/* Where it stands in its key, beside the tally; or NULL. */
static void **bucket_of(const struct waiter *w)
{
	struct waitkey *k = w->key;

	if (w->op == MESSAGE_IN)
		return &k->takers;
	if (w->op == MESSAGE_RD)
		return &k->readers;
	if (!w->atomic || w->tally)
		return NULL;
	return w->residue ? &k->picky : &k->atomics;
}

static void count_in(struct engine *e, struct waiter *w, bool in)
{
	uint64_t one = in ? 1 : UINT64_MAX;
	bool follows = w->tally || w->atomic;

	w->space->waiting += one;
	e->waiting += one;
	w->space->following += follows ? one : 0;
	if (w->key->shape)
		w->key->shape->following += follows ? (uint32_t)one : 0;
	w->key->residual += w->residue ? (uint32_t)one : 0;
}

void waiter_enter(struct engine *e, struct waiter *w, uint64_t count)
{
	struct waitkey *k = key_for(e, w);
	bool fresh = k->shape && list_empty(&k->waiters);
	void **bucket;

	w->key = k;
	list_append(&k->waiters, &w->place);
	if (fresh)
		hash_insert(&k->shape->keys, k->hash, k);
	if (w->counts)
		tally_join(w, count);
	bucket = bucket_of(w);
	if (bucket)
		*bucket = bucket_add(*bucket, w);
	count_in(e, w, true);
}

void waiter_leave(struct engine *e, struct waiter *w)
{
	struct waitkey *k = w->key;
	void **slot = NULL, **bucket;

	if (w->putter)
		putter_leave(e, w);
	if (!k)
		return;
	if (w->atomic)
		atomic_leave(e, w);
	if (k->shape) { /* found by a waiter, so before the last one goes */
		struct key_key key = {k->shape, w->tuple};

		slot = hash_find(&k->shape->keys, k->hash, key_is, &key);
		assert(slot && *slot == k);
	}
	count_in(e, w, false);
	bucket = bucket_of(w);
	if (bucket)
		*bucket = bucket_remove(*bucket, w);
	if (w->tally)
		tally_leave(w);
	list_remove(&w->place);
	w->key = NULL;
	if (slot && list_empty(&k->waiters))
		key_release(w->space, k, slot);
}

bool waiter_stands(const struct waiter *w)
{
	return w->putter ? w->putter->stands : w->key != NULL;
}

static void follow_key(struct engine *e, struct waitkey *k, const struct tuple *t, bool hidden,
                       bool enters)
{
	tally_change(e, k, t, hidden, enters);
	if (enters && !hidden)
		atomic_appear(e, k, t);
}

void waiter_follow(struct engine *e, struct space *s, const struct tuple *t,
                   const struct keys *keys, bool hidden, bool enters)
{
	const struct arity *a = s->arities[t->fields];

	if (s->dropped) /* who waits there is told so */
		return;
	follow_key(e, &s->everything, t, hidden, enters);
	for (struct list *it = a->waiting.next; it != &a->waiting; it = it->next) {
		struct waitshape *w = list_entry(it, struct waitshape, link);
		struct waitkey *k;

		if (w->following == 0 || !shape_admits(w->class, t))
			continue;
		k = waiter_key(w, keys, t);
		if (k)
			follow_key(e, k, t, hidden, enters);
	}
}

void waiter_template(const struct waiter *w, struct template *t)
{
	static const uint8_t null[] = {ITEM_NULL};

	template_open(t, w->tuple ? tuple_bytes(w->tuple) : (struct bytes){null, 1});
}

void waiter_reenter(struct engine *e, struct waiter *w)
{
	if (w->space->dropped) {
		reply_error(e, w->session->conn, w->n, w->space->last_batch, ERROR_NO_SPACE,
		            "the space was dropped");
		waiter_free(e, w);
	} else if (w->putter) {
		putter_enter(e, w);
	} else if (w->op == MESSAGE_WAIT) {
		count_reenter(e, w);
	} else if (w->op == MESSAGE_ATOMIC) {
		atomic_reenter(e, w);
	} else {
		take_reenter(e, w);
	}
}

/* What stands in the way of one more waiter for the template, or NULL. */
static const char *refusal(struct engine *e, struct space *sp, const struct template *t)
{
	const struct engine_limits *l = &e->config.limits;
	struct waitshape *w;
	struct waitkey *k;
	struct keys keys;
	struct arity *a;

	if (t->all)
		return NULL;
	a = space_arity(sp, t->shape.arity);
	w = shape_find(a, t->shape.class, t->shape.arity);
	if (!w)
		return a->waiting_count >= l->waiting_shapes
		           ? "templates of too many shapes wait for tuples of this length" : NULL;
	if (!t->residue)
		return NULL;
	keys_of(&keys, t->tuple, e->config.hash_seed);
	k = key_find(w, keys_hash(&keys, w->class, w->arity), t->tuple);
	return k && k->residual >= l->residual_waiters
	           ? "too many templates that differ inside a field wait here" : NULL;
}

struct waiter *waiter_new(struct engine *e, struct conn *c, const struct request *r,
                          struct space *s)
{
	struct session *session = c->session;
	struct waiter *w = xcalloc(1, sizeof *w);

	w->order = c->old_n == r->n && c->old_order ? c->old_order : ++e->orders;
	w->n = r->n;
	w->op = r->op;
	w->since_ms = e->now_ms;
	w->session = session;
	w->space = s;
	w->resent = true;
	w->drain = request_has(r, OPTION_DRAIN) && r->option[OPTION_DRAIN].u;
	w->counts = w->drain || r->op == MESSAGE_WAIT;
	w->visible = request_visible(r);
	w->least = r->op == MESSAGE_WAIT ? r->number : 0;
	w->after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : 0;
	w->max = request_has(r, OPTION_MAX) ? (uint32_t)r->option[OPTION_MAX].u : 1;
	w->lease_ms = request_has(r, OPTION_LEASE) ? r->option[OPTION_LEASE].u : 0;
	list_init(&w->place);
	s->refs++;
	list_append(&session->waiting, &w->link);
	hash_insert(&session->waiting_by_n, n_hash(w->n), w);
	seq_insert(&e->waiters, w);
	if (request_has(r, OPTION_TIMEOUT))
		heap_insert(&e->timers, &w->timer, e->now_ms + r->option[OPTION_TIMEOUT].u);
	return w;
}

int waiter_stand(struct engine *e, struct waiter *w, struct space *s, struct template *t,
                 uint64_t count, const char **why)
{
	*why = refusal(e, s, t);
	if (*why)
		return ERROR_LIMIT;
	waiter_leave(e, w);
	s->refs++;
	space_unref(e, w->space);
	tuple_free(w->tuple);
	w->space = s;
	w->tuple = t->tuple;
	w->residue = t->residue;
	t->tuple = NULL;
	waiter_enter(e, w, count);
	return 0;
}

const char *waiter_full(const struct engine *e, const struct session *s)
{
	return session_waiting(s) >= e->config.limits.waiting
	               ? "too many requests of this session wait" : NULL;
}

int waiter_create(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                  struct template *t, uint64_t count, const char **why)
{
	struct waiter *w;
	int code;

	*why = waiter_full(e, c->session);
	if (*why)
		return ERROR_LIMIT;
	w = waiter_new(e, c, r, s);
	code = waiter_stand(e, w, s, t, count, why);
	if (code)
		waiter_free(e, w);
	return code;
}

void waiter_free(struct engine *e, struct waiter *w)
{
	struct session *s = w->session;
	struct n_key key = {w->n};
	void **slot = hash_find(&s->waiting_by_n, n_hash(w->n), n_is, &key);

	waiter_leave(e, w);
	if (!w->resent && s->conn && !seq_find(&s->early, w->n)) {
		struct early *early = xmalloc(sizeof *early);

		early->n = w->n;
		seq_insert(&s->early, early);
	}
	hash_remove(&s->waiting_by_n, n_hash(w->n), slot);
	seq_remove_item(&e->waiters, w);
	list_remove(&w->link);
	heap_remove(&e->timers, &w->timer);
	space_unref(e, w->space);
	if (w->putter)
		putter_free(e, w->putter);
	if (w->atomic)
		atomic_free(w->atomic);
	tuple_free(w->tuple);
	xfree(w);
}

/* Its time is over. */
static void answer_late(struct engine *e, struct waiter *w)
{
	struct buf *b;

	if (w->putter) {
		reply_error(e, w->session->conn, w->n, w->space->last_batch, ERROR_FULL,
		            "%s: there was no room in time", message_rows[w->op].name);
		return;
	}
	b = reply_begin(e, w->n);
	if (w->op == MESSAGE_WAIT || w->op == MESSAGE_ATOMIC)
		item_put_null(b);
	else
		item_put_head(b, ITEM_ARRAY, 0);
	reply_end(e, w->session->conn, w->n, w->space->last_batch, false);
}

void waiter_expire(struct engine *e)
{
	struct heap_node *node = heap_first(&e->timers);

	for (unsigned n = 0; node && node->key <= e->now_ms && n < WAITER_EXPIRE_SLICE; n++) {
		struct waiter *w = list_entry(node, struct waiter, timer);

		if (overdue_in(e, w->space)) { /* it may not be so that there is nothing */
			heap_remove(&e->timers, node);
			heap_insert(&e->timers, node, e->now_ms + 1);
			node = heap_first(&e->timers);
			continue;
		}
		if (w->session->conn)
			answer_late(e, w);
		waiter_free(e, w);
		node = heap_first(&e->timers);
	}
}
