#include "source.h"

#include "bucket.h"
#include "shelf.h"
#include "state.h"

#include <assert.h>

/* How many values a field chooses from, when it is a formal that says so; else 0. */
static uint64_t choices_of(const uint8_t *field)
{
	struct item_head list;
	struct formal f;

	if (!formal_is(field))
		return 0;
	formal_open(field, &f);
	if (!f.at[FORMAL_ONEOF])
		return 0;
	item_head(f.at[FORMAL_ONEOF], &list);
	return list.arg;
}

void lookup_open(struct lookup *l, const struct template *t, bool sorted)
{
	unsigned fields = 0;
	uint64_t buckets = 1;

	l->shape = t->shape;
	l->residue = t->residue;
	l->order = (struct order){ORDER_ID, 0};
	if (sorted && t->order.kind != ORDER_ID) {
		l->order = t->order;
		l->residue -= t->ranged;
	}
	for (unsigned i = 0; l->residue > 0 && i < l->shape.arity; i++) {
		uint64_t n = choices_of(tuple_field(t->tuple, i).p);

		if (n == 0 || n * buckets > SOURCE_CHOICES || fields == INDEX_CHOICES ||
		    (l->order.kind != ORDER_ID && i == l->order.field))
			continue;
		l->shape.class[i] = SHAPE_BOUND;
		l->shape.bound++;
		l->residue--;
		buckets *= n;
		fields++;
	}
}

static void add(struct source *src, void *bucket)
{
	if (!bucket)
		return;
	assert(src->count < 2 * SOURCE_CHOICES);
	src->from[src->count++].bucket = bucket;
}

static void *whole(struct seq *s)
{
	return s->count ? (void *)((uintptr_t)s | 1) : NULL;
}

/* Whether an equal value stands before `v` in the list. */
static bool is_again(const uint8_t *list, const uint8_t *v)
{
	struct item_head h;
	const uint8_t *p = item_head(list, &h);

	while (p < v && !bytes_equal(item_bytes(p), item_bytes(v)))
		p = item_skip(p);
	return p < v;
}

struct choosing {
	const struct engine *e;
	struct source *src;
	struct index_key key;
	struct keys keys;
	bool hidden;
};

/* Adds the buckets of every combination of choices from choice `at` on. */
static void choose(struct choosing *c, unsigned at)
{
	const struct index *x = c->key.index;
	const uint8_t *formal, *v;
	struct item_head list;
	struct formal f;

	if (at == c->key.choices) {
		add(c->src, index_bucket(x, &c->key, &c->keys, false));
		if (c->hidden)
			add(c->src, index_bucket(x, &c->key, &c->keys, true));
		return;
	}
	formal = tuple_field(c->key.tuple, c->key.choice[at].field).p;
	formal_open(formal, &f);
	v = item_head(f.at[FORMAL_ONEOF], &list);
	for (uint64_t i = 0; i < list.arg; i++, v = item_skip(v)) {
		struct bytes value = item_bytes(v);

		/* It may ask for more than the choice. */
		if (!formal_match(formal, v) || is_again(f.at[FORMAL_ONEOF], v))
			continue;
		c->key.choice[at].value = value;
		c->keys.field[c->key.choice[at].field] =
		    hash_of(value.p, value.n, c->e->config.hash_seed);
		choose(c, at + 1);
	}
}

static void open_index(struct source *src, const struct engine *e, const struct index *x,
                       const struct template *t, bool hidden)
{
	struct choosing c = {.e = e, .src = src, .key = {.index = x, .tuple = t->tuple},
	                     .hidden = hidden};

	keys_of(&c.keys, t->tuple, e->config.hash_seed);
	for (unsigned i = 0; i < x->arity; i++)
		if (x->class[i] == SHAPE_BOUND && t->shape.class[i] != SHAPE_BOUND)
			c.key.choice[c.key.choices++].field = (uint8_t)i;
	choose(&c, 0);
}

void source_open(struct source *src, const struct engine *e, struct space *s,
                 const struct index *x, const struct template *t, bool hidden)
{
	src->count = 0;
	src->order = (struct order){ORDER_ID, 0};
	if (!x) {
		add(src, whole(&s->all));
		if (hidden)
			add(src, whole(&s->hidden));
		return;
	}
	if (x->field != INDEX_BY_ID) {
		src->order = t->order;
		formal_open(tuple_field(t->tuple, t->order.field).p, &src->range);
	}
	open_index(src, e, x, t, hidden);
}

uint64_t source_count(const struct source *src)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < src->count; i++)
		count += bucket_count(src->from[i].bucket);
	return count;
}

struct place source_start(const struct source *src)
{
	bool least = src->order.kind == ORDER_MIN;
	struct place start = {NULL, 0, 0}, other;
	const uint8_t *from, *behind;

	if (src->order.kind == ORDER_ID)
		return start;
	from = src->range.at[least ? FORMAL_GE : FORMAL_LE];
	behind = src->range.at[least ? FORMAL_GT : FORMAL_LT];
	if (from)
		start = order_around(from, false);
	if (behind) {
		other = order_around(behind, true);
		if (order_compare(&src->order, &other, &start) > 0)
			start = other;
	}
	return start;
}

static struct tuple *behind(const struct source *src, unsigned i, const struct place *p)
{
	void *bucket = src->from[i].bucket;

	return src->order.kind == ORDER_ID ? bucket_after(bucket, p->id)
	                                   : shelf_after(bucket, &src->order, p);
}

void source_seek(struct source *src, const struct place *p)
{
	for (unsigned i = 0; i < src->count; i++)
		src->from[i].next = behind(src, i, p);
}

struct tuple *source_next(struct source *src)
{
	struct tuple *t = NULL;
	struct place at;
	unsigned best = 0;

	for (unsigned i = 0; i < src->count; i++) {
		struct tuple *next = src->from[i].next;

		if (next && (!t || order_before(&src->order, next, t))) {
			t = next;
			best = i;
		}
	}
	if (!t || (src->order.kind != ORDER_ID &&
	           !formal_in_range(&src->range, tuple_field(t, src->order.field).p)))
		return NULL;
	at = order_place(&src->order, t);
	src->from[best].next = behind(src, best, &at);
	return t;
}
