#include "shelf.h"

#include "bucket.h"

#include "../../libclient/compare.h"

struct value {
	unsigned field;
	const uint8_t *p;
};

static int compare(const void *bucket, const void *with)
{
	const struct value *v = with;

	return compare_items(tuple_field(bucket_first(bucket), v->field).p, v->p);
}

static struct tree_key key_of(const struct value *v)
{
	return (struct tree_key){v->p ? compare_rank(v->p) : 0, compare, v};
}

struct tuple *shelf_any(const void *s)
{
	const struct tree *tree = shelf_tree(s);

	return tree ? bucket_first(tree_first(tree)) : (struct tuple *)(uintptr_t)s;
}

static void add(struct tree *tree, unsigned field, struct tuple *t)
{
	struct value v = {field, tuple_field(t, field).p};
	struct tree_key k = key_of(&v);
	void **slot = tree_find(tree, &k);

	if (slot)
		*slot = bucket_add(*slot, t);
	else
		tree_insert(tree, &k, t);
}

void *shelf_add(void *s, unsigned field, struct tuple *t)
{
	struct tree *tree = shelf_tree(s);

	if (!s)
		return t;
	if (!tree) {
		tree = xmalloc(sizeof *tree);
		tree_init(tree);
		add(tree, field, s);
	}
	add(tree, field, t);
	return (void *)((uintptr_t)tree | 1);
}

/* The shelf as it is now. */
static void *settled(struct tree *tree)
{
	void *only = tree->count == 1 ? tree_first(tree) : NULL;

	if (tree->count > 1 || bucket_seq(only))
		return (void *)((uintptr_t)tree | 1);
	tree_close(tree);
	xfree(tree);
	return only;
}

void *shelf_remove(void *s, unsigned field, const struct tuple *t)
{
	struct tree *tree = shelf_tree(s);
	struct value v = {field, tuple_field(t, field).p};
	struct tree_key k = key_of(&v);
	void **slot, *rest;

	if (!tree)
		return NULL;
	slot = tree_find(tree, &k);
	rest = bucket_remove(*slot, t);
	if (rest)
		*slot = rest;
	else
		tree_remove(tree, &k);
	return settled(tree);
}

static bool is_nan(const void *bucket, unsigned field)
{
	return item_is_nan(tuple_field(bucket_first(bucket), field).p);
}

/* The bucket of the greatest value below that one (NULL: of all); NaN's comes last. */
static void *next_down(const struct tree *tree, const struct value *v)
{
	void *last = tree_last(tree), *next;
	struct value from = *v;
	struct tree_key k;

	if (v->p && item_is_nan(v->p))
		return NULL;
	if (!v->p && !is_nan(last, v->field))
		return last;
	if (!v->p)
		from.p = tuple_field(bucket_first(last), v->field).p;
	k = key_of(&from);
	next = tree_before(tree, &k);
	return next || !is_nan(last, v->field) ? next : last;
}

static void *next_up(const struct tree *tree, const struct value *v)
{
	struct tree_key k = key_of(v);

	return v->p ? tree_after(tree, &k) : tree_first(tree);
}

struct tuple *shelf_after(const void *s, const struct order *o, const struct place *p)
{
	const struct tree *tree = shelf_tree(s);
	struct value v = {o->field, p->value};
	void **same, *next;

	if (!tree) {
		struct tuple *only = (struct tuple *)(uintptr_t)s;
		struct place at = s ? order_place(o, only) : *p;

		return order_compare(o, &at, p) > 0 ? only : NULL;
	}
	if (p->value) {
		struct tree_key k = key_of(&v);

		same = tree_find(tree, &k);
		next = same ? bucket_after(*same, p->id) : NULL;
		if (next)
			return next;
	}
	next = (o->kind == ORDER_MIN ? next_up : next_down)(tree, &v);
	return bucket_first(next);
}
