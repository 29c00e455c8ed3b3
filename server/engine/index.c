/* Indexes by shape. Made when a shape is first asked for, built in slices in id
 * order: what changes at or below the builder's position updates the index at
 * once, the rest is left to the builder. */
#include "bucket.h"
#include "shelf.h"
#include "state.h"

#include <assert.h>

static struct index *index_of_work(struct work *w)
{
	return list_entry(w, struct index, build);
}

/* A tuple of the bucket or shelf. */
static struct tuple *any_of(const struct index *x, const void *bucket)
{
	return x->field == INDEX_BY_ID ? bucket_first(bucket) : shelf_any(bucket);
}

static bool bucket_is(const void *item, const void *key)
{
	const struct index_key *k = key;
	const struct tuple *t = any_of(k->index, item);
	unsigned at = 0;

	if (k->choices == 0)
		return shape_same(k->index->class, t, k->tuple);
	for (unsigned i = 0; i < t->fields; i++) {
		bool chosen = at < k->choices && k->choice[at].field == i;
		struct bytes value = chosen ? k->choice[at++].value : tuple_field(k->tuple, i);

		if (k->index->class[i] == SHAPE_BOUND && !bytes_equal(tuple_field(t, i), value))
			return false;
	}
	return true;
}

static struct hash *table(const struct index *x, bool hidden)
{
	return (struct hash *)(uintptr_t)(hidden ? &x->hidden : &x->buckets);
}

void *index_bucket(const struct index *x, const struct index_key *key, const struct keys *k,
                   bool hidden)
{
	void **slot = hash_find(table(x, hidden), keys_hash(k, x->class, x->arity), bucket_is, key);

	return slot ? *slot : NULL;
}

/* Whether the tuple is one that it has by now. */
static bool holds(const struct index *x, const struct tuple *t, bool hidden)
{
	return t->id <= x->position && !(hidden && x->field != INDEX_BY_ID) &&
	       shape_admits(x->class, t);
}

void index_expect(struct list *indexes, const struct keys *k, bool hidden)
{
	if (indexes->next == indexes->prev) /* one at most */
		return;
	for (unsigned step = 0; step < 2; step++)
		list_each(it, indexes) {
			const struct index *x = list_entry(it, struct index, link);

			hash_prefetch(table(x, hidden), keys_hash(k, x->class, x->arity), step);
		}
}

void index_add(struct index *x, const struct keys *k, struct tuple *t, bool hidden)
{
	struct index_key key = {.index = x, .tuple = t};
	uint32_t hash;
	void **slot;

	if (!holds(x, t, hidden))
		return;
	hash = keys_hash(k, x->class, x->arity);
	slot = hash_find(table(x, hidden), hash, bucket_is, &key);
	if (!slot)
		hash_insert(table(x, hidden), hash, t);
	else if (x->field == INDEX_BY_ID)
		*slot = bucket_add(*slot, t);
	else
		*slot = shelf_add(*slot, (unsigned)x->field, t);
	x->tuples++;
}

void index_remove(struct index *x, const struct keys *k, struct tuple *t, bool hidden)
{
	struct index_key key = {.index = x, .tuple = t};
	uint32_t hash;
	void **slot, *rest;

	if (!holds(x, t, hidden))
		return;
	hash = keys_hash(k, x->class, x->arity);
	slot = hash_find(table(x, hidden), hash, bucket_is, &key);
	assert(slot);
	rest = x->field == INDEX_BY_ID ? bucket_remove(*slot, t)
	                               : shelf_remove(*slot, (unsigned)x->field, t);
	if (rest)
		*slot = rest;
	else
		hash_remove(table(x, hidden), hash, slot);
	x->tuples--;
}

static void build_done(struct engine *e, struct index *x)
{
	work_end(&x->build);
	x->position = UINT64_MAX;
	list_each(it, &x->pinned) {
		struct seeker *k = list_entry(it, struct search, pin)->seeker;

		k->ready(e, k);
	}
}

static unsigned build_run(struct engine *e, struct work *w, unsigned units)
{
	struct index *x = index_of_work(w);
	struct seq_cursor at, at_hidden;
	struct tuple *seen = seq_after(&x->space->all, x->position, &at);
	struct tuple *hidden = seq_after(&x->space->hidden, x->position, &at_hidden);
	unsigned used = 0;
	struct keys k;

	for (; (seen || hidden) && used < units; used++) {
		bool is_hidden = !seen || (hidden && hidden->id < seen->id);
		struct tuple *t = is_hidden ? hidden : seen;

		if (is_hidden)
			hidden = seq_next(&at_hidden);
		else
			seen = seq_next(&at);
		x->position = t->id;
		if (t->fields != x->arity)
			continue;
		keys_of(&k, t, e->config.hash_seed);
		index_add(x, &k, t, is_hidden);
	}
	if (!seen && !hidden)
		build_done(e, x);
	return used + 1;
}

static void drop_rest(void *item, void *ctx)
{
	*(void **)ctx = item;
}

/* The next bucket of a dropped index is the one being freed, if there is another. */
static bool next_bucket(struct index *x)
{
	void *item;

	if (x->dropping_shelf && tree_drain(x->dropping_shelf, 1, drop_rest, &item) == 0) {
		tree_close(x->dropping_shelf);
		xfree(x->dropping_shelf);
		x->dropping_shelf = NULL;
	} else if (x->dropping_shelf) {
		x->dropping = bucket_seq(item);
	} else if (hash_drain(&x->buckets, 1, drop_rest, &item) == 0 &&
	           hash_drain(&x->hidden, 1, drop_rest, &item) == 0) {
		return false;
	} else if (x->field == INDEX_BY_ID) {
		x->dropping = bucket_seq(item);
	} else {
		x->dropping_shelf = shelf_tree(item);
	}
	return true;
}

/* Frees an index in slices: bucket by bucket, a large one in pieces. */
static unsigned drop_run(struct engine *e, struct work *w, unsigned units)
{
	struct index *x = index_of_work(w);
	unsigned used = 0;

	while (used < units) {
		if (x->dropping) {
			used += (unsigned)seq_drain(x->dropping, units - used, NULL, NULL);
			if (x->dropping->count > 0)
				break;
			seq_close(x->dropping);
			xfree(x->dropping);
			x->dropping = NULL;
			continue;
		}
		used++;
		if (!next_bucket(x)) {
			work_end(w);
			hash_close(&x->buckets);
			hash_close(&x->hidden);
			e->indexes--;
			xfree(x);
			break;
		}
	}
	return used;
}

void index_drop(struct engine *e, struct index *x)
{
	struct arity *a = x->space->arities[x->arity];

	assert(list_empty(&x->pinned));
	list_remove(&x->link);
	a->index_count--;
	work_end(&x->build);
	work_begin(e, &x->build, drop_run);
}

static struct index *index_create(struct engine *e, struct space *s, const struct shape *shape,
                                  int field)
{
	struct arity *a = space_arity(s, shape->arity);
	struct index *x = xcalloc(1, sizeof *x + shape->arity);

	x->space = s;
	x->field = (int16_t)field;
	x->arity = shape->arity;
	x->bound = shape->bound;
	memcpy(x->class, shape->class, x->arity);
	hash_init(&x->buckets);
	hash_init(&x->hidden);
	list_init(&x->pinned);
	list_init(&x->build.link);
	list_append(&a->indexes, &x->link);
	a->index_count++;
	e->indexes++;
	if (a->tuples == 0)
		x->position = UINT64_MAX;
	else
		work_begin(e, &x->build, build_run);
	return x;
}

static bool has_waiters(const struct arity *a, const struct index *x)
{
	for (struct list *it = a->waiting.next; it != &a->waiting; it = it->next) {
		struct waitshape *w = list_entry(it, struct waitshape, link);

		if (memcmp(w->class, x->class, x->arity) == 0)
			return true;
	}
	return false;
}

/* Drops the least recently used index that nobody waits for. */
static bool make_room(struct engine *e, struct arity *a)
{
	struct index *oldest = NULL;

	list_each(it, &a->indexes) {
		struct index *x = list_entry(it, struct index, link);

		if (list_empty(&x->pinned) && !has_waiters(a, x) &&
		    (!oldest || x->used < oldest->used))
			oldest = x;
	}
	if (oldest)
		index_drop(e, oldest);
	return oldest != NULL;
}

struct index *index_get(struct engine *e, struct space *s, const struct shape *shape,
                        const struct order *o)
{
	struct arity *a = space_arity(s, shape->arity);
	int field = o->kind == ORDER_ID ? INDEX_BY_ID : o->field;
	struct index *x = NULL;

	list_each(it, &a->indexes) {
		struct index *one = list_entry(it, struct index, link);

		if (one->field == field && memcmp(one->class, shape->class, one->arity) == 0) {
			x = one;
			break;
		}
	}
	if (!x && a->index_count >= e->config.limits.indexes && !make_room(e, a))
		return NULL;
	if (!x)
		x = index_create(e, s, shape, field);
	x->used = ++e->uses;
	return x;
}

struct index *index_best(struct space *s, const struct template *t)
{
	struct arity *a = space_arity(s, t->shape.arity);
	struct index *best = NULL;

	list_each(it, &a->indexes) {
		struct index *x = list_entry(it, struct index, link);

		if (index_complete(x) && x->field == INDEX_BY_ID && shape_covers(x->class, t) &&
		    (!best || x->bound > best->bound))
			best = x;
	}
	return best;
}
