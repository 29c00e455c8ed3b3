/* A B+ tree whose leaves are linked. key[i] of an inner node (i > 0) is a lower
 * bound of the keys under child[i] and above all keys under child[i - 1]; key[0]
 * means nothing. Leaves do not store keys: they are read from the items.
 *
 * A sequence of one leaf is small: that leaf grows 4, 8, ... 64. A split at the
 * right edge leaves the left node full, so what is appended is packed densely;
 * elsewhere nodes are split in halves. A node that falls to a quarter is merged
 * with a sibling when both fill three quarters at most. The first leaf is let
 * run empty: a queue's end is not shuffled about. */
#include "seq.h"
#include "xmalloc.h"

#include <assert.h>
#include <string.h>

#define LEAF_LEAST 4
#define LEAF_MAX 64
#define FAN 32
#define LEVELS 24

struct seq_node {
	uint16_t level; /* 0: a leaf */
	uint16_t count;
	uint16_t from, cap; /* leaves: the first item's place, places */
};

struct leaf {
	struct seq_node node;
	struct leaf *next, *prev;
	void *item[];
};

struct inner {
	struct seq_node node;
	uint64_t key[FAN];
	struct seq_node *child[FAN];
};

/* The way from the root to a leaf: at[i] is the place in node[i] of what comes
 * after it; node[depth] is the leaf. */
struct path {
	struct inner *node[LEVELS];
	unsigned at[LEVELS];
	unsigned depth;
	struct leaf *leaf;
};

static uint64_t key_of(const void *item)
{
	return *(const uint64_t *)item;
}

static struct leaf *as_leaf(struct seq_node *n)
{
	return (struct leaf *)(void *)n;
}

static struct inner *as_inner(struct seq_node *n)
{
	return (struct inner *)(void *)n;
}

static void **first_of(struct leaf *l)
{
	return l->item + l->node.from;
}

static void *last_of(struct leaf *l)
{
	return l->item[l->node.from + l->node.count - 1];
}

static size_t size_of(const struct seq_node *n)
{
	return n->level ? sizeof(struct inner) : sizeof(struct leaf) + n->cap * sizeof(void *);
}

static void account(struct seq *s, const struct seq_node *n)
{
	s->nodes++;
	s->bytes += size_of(n);
}

static void node_free(struct seq *s, struct seq_node *n)
{
	s->nodes--;
	s->bytes -= size_of(n);
	xfree(n);
}

static struct leaf *leaf_create(struct seq *s, unsigned cap)
{
	struct leaf *l = xmalloc(sizeof *l + cap * sizeof(void *));

	l->node = (struct seq_node){.cap = (uint16_t)cap};
	l->next = l->prev = NULL;
	account(s, &l->node);
	return l;
}

static struct inner *inner_create(struct seq *s, unsigned level)
{
	struct inner *n = xmalloc(sizeof *n);

	n->node = (struct seq_node){.level = (uint16_t)level};
	account(s, &n->node);
	return n;
}

void seq_init(struct seq *s)
{
	*s = (struct seq){0};
}

static void free_below(struct seq *s, struct seq_node *n)
{
	if (n->level)
		for (unsigned i = 0; i < n->count; i++)
			free_below(s, as_inner(n)->child[i]);
	node_free(s, n);
}

void seq_close(struct seq *s)
{
	if (s->root)
		free_below(s, s->root);
	assert(s->nodes == 0 && s->bytes == 0);
	seq_init(s);
}

/* The place among the children under which `key` belongs. */
static unsigned child_of(const struct inner *n, uint64_t key)
{
	unsigned low = 0, high = n->node.count - 1u;

	while (low < high) {
		unsigned mid = (low + high + 1) / 2;

		if (n->key[mid] <= key)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* How many items of the leaf have a lesser key. */
static unsigned lesser(struct leaf *l, uint64_t key)
{
	void **item = first_of(l);
	unsigned low = 0, high = l->node.count;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (key_of(item[mid]) < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct leaf *leaf_for(const struct seq *s, uint64_t key)
{
	struct seq_node *n = s->root;

	while (n->level)
		n = as_inner(n)->child[child_of(as_inner(n), key)];
	return as_leaf(n);
}

static void walk(struct seq *s, uint64_t key, struct path *p)
{
	struct seq_node *n = s->root;

	for (p->depth = 0; n->level; p->depth++) {
		assert(p->depth < LEVELS);
		p->node[p->depth] = as_inner(n);
		p->at[p->depth] = child_of(as_inner(n), key);
		n = as_inner(n)->child[p->at[p->depth]];
	}
	p->leaf = as_leaf(n);
}

static void link_after(struct seq *s, struct leaf *l, struct leaf *fresh)
{
	fresh->prev = l;
	fresh->next = l->next;
	if (l->next)
		l->next->prev = fresh;
	else
		s->last = &fresh->node;
	l->next = fresh;
}

static void leaf_unlink(struct seq *s, struct leaf *l)
{
	if (l->prev)
		l->prev->next = l->next;
	else
		s->first = l->next ? &l->next->node : NULL;
	if (l->next)
		l->next->prev = l->prev;
	else
		s->last = l->prev ? &l->prev->node : NULL;
	node_free(s, &l->node);
}

/* Moves the items of the only leaf into one of another capacity. */
static struct leaf *leaf_resize(struct seq *s, struct leaf *l, unsigned cap)
{
	struct leaf *to = leaf_create(s, cap);

	memcpy(to->item, first_of(l), l->node.count * sizeof(void *));
	to->node.count = l->node.count;
	node_free(s, &l->node);
	s->root = s->first = s->last = &to->node;
	return to;
}

/* Puts an item at place `at` of a leaf that is not full, moving the shorter side. */
static void leaf_put(struct leaf *l, unsigned at, void *item)
{
	unsigned count = l->node.count++;
	void **first = first_of(l);
	bool room_behind = l->node.from + count < l->node.cap;

	if (l->node.from > 0 && (at < count / 2 || !room_behind)) {
		memmove(first - 1, first, at * sizeof *first);
		l->node.from--;
		first--;
	} else {
		memmove(first + at + 1, first + at, (count - at) * sizeof *first);
	}
	first[at] = item;
}

static void *leaf_cut(struct leaf *l, unsigned at)
{
	void **first = first_of(l), *item = first[at];
	unsigned after = --l->node.count - at;

	if (at < after) {
		memmove(first + 1, first, at * sizeof *first);
		l->node.from++;
	} else {
		memmove(first + at, first + at + 1, after * sizeof *first);
	}
	return item;
}

static void inner_put(struct inner *n, unsigned at, uint64_t key, struct seq_node *child)
{
	unsigned after = n->node.count++ - at;

	memmove(n->key + at + 1, n->key + at, after * sizeof n->key[0]);
	memmove(n->child + at + 1, n->child + at, after * sizeof n->child[0]);
	n->key[at] = key;
	n->child[at] = child;
}

static void inner_cut(struct inner *n, unsigned at)
{
	unsigned after = --n->node.count - at;

	memmove(n->key + at, n->key + at + 1, after * sizeof n->key[0]);
	memmove(n->child + at, n->child + at + 1, after * sizeof n->child[0]);
}

/* Moves the children from `at` on to the end of `to`; the first of them has
 * `key` as its bound there. */
static void inner_move(struct inner *from, unsigned at, struct inner *to, uint64_t key)
{
	unsigned n = from->node.count - at, end = to->node.count;

	memcpy(to->key + end, from->key + at, n * sizeof from->key[0]);
	memcpy(to->child + end, from->child + at, n * sizeof from->child[0]);
	to->key[end] = key;
	to->node.count = (uint16_t)(end + n);
	from->node.count = (uint16_t)at;
}

/* Puts `child` into the parents, after the path's place; splits those that are full. */
static void add_child(struct seq *s, struct path *p, uint64_t key, struct seq_node *child)
{
	struct inner *root;

	for (unsigned i = p->depth; i-- > 0;) {
		struct inner *n = p->node[i], *right;
		unsigned at = p->at[i] + 1;

		if (n->node.count < FAN) {
			inner_put(n, at, key, child);
			return;
		}
		right = inner_create(s, n->node.level);
		if (at == FAN) {
			inner_put(right, 0, key, child);
		} else {
			uint64_t bound = n->key[FAN / 2];

			inner_move(n, FAN / 2, right, bound);
			if (at <= FAN / 2)
				inner_put(n, at, key, child);
			else
				inner_put(right, at - FAN / 2, key, child);
			key = bound;
		}
		child = &right->node;
	}
	root = inner_create(s, s->root->level + 1u);
	inner_put(root, 0, 0, s->root);
	inner_put(root, 1, key, child);
	s->root = &root->node;
}

/* Splits a full leaf so that `item` (to stand at place `at`) finds room. */
static void leaf_split(struct seq *s, struct path *p, unsigned at, void *item)
{
	struct leaf *l = p->leaf, *right = leaf_create(s, LEAF_MAX);

	if (at == LEAF_MAX && !l->next) {
		leaf_put(right, 0, item);
	} else {
		unsigned half = LEAF_MAX / 2;

		memcpy(right->item, first_of(l) + half, (LEAF_MAX - half) * sizeof(void *));
		right->node.count = LEAF_MAX - LEAF_MAX / 2;
		l->node.count = LEAF_MAX / 2;
		if (at <= half)
			leaf_put(l, at, item);
		else
			leaf_put(right, at - half, item);
	}
	link_after(s, l, right);
	add_child(s, p, key_of(right->item[right->node.from]), &right->node);
}

static bool append_fast(struct seq *s, void *item)
{
	struct leaf *l = as_leaf(s->last);

	if (key_of(item) <= key_of(last_of(l)))
		return false;
	if (l->node.from + l->node.count == l->node.cap) {
		if (l->node.from < l->node.cap / 4)
			return false;
		memmove(l->item, first_of(l), l->node.count * sizeof(void *));
		l->node.from = 0;
	}
	l->item[l->node.from + l->node.count++] = item;
	return true;
}

void seq_insert(struct seq *s, void *item)
{
	uint64_t key = key_of(item);
	struct path p;
	struct leaf *l;
	unsigned at;

	if (!s->root)
		s->root = s->first = s->last = &leaf_create(s, LEAF_LEAST)->node;
	else if (append_fast(s, item)) {
		s->count++;
		return;
	}
	s->count++;
	walk(s, key, &p);
	l = p.leaf;
	at = lesser(l, key);
	assert(at == l->node.count || key_of(first_of(l)[at]) != key);
	if (l->node.count == l->node.cap && p.depth == 0 && l->node.cap < LEAF_MAX)
		l = p.leaf = leaf_resize(s, l, 2u * l->node.cap);
	if (l->node.count < l->node.cap)
		leaf_put(l, at, item);
	else
		leaf_split(s, &p, at, item);
}

static void root_shrink(struct seq *s)
{
	while (s->root && s->root->level && s->root->count == 1) {
		struct seq_node *child = as_inner(s->root)->child[0];

		node_free(s, s->root);
		s->root = child;
	}
}

/* Merges child `at + 1` of `n` into child `at` if both are light together. */
static bool merge_children(struct seq *s, struct inner *n, unsigned at)
{
	struct seq_node *left = n->child[at], *right = n->child[at + 1];
	unsigned count = (unsigned)left->count + right->count;

	if (left->level) {
		if (count > FAN * 3 / 4)
			return false;
		inner_move(as_inner(right), 0, as_inner(left), n->key[at + 1]);
		node_free(s, right);
	} else {
		struct leaf *l = as_leaf(left);

		if (count > LEAF_MAX * 3 / 4)
			return false;
		memmove(l->item, first_of(l), left->count * sizeof(void *));
		memcpy(l->item + left->count, first_of(as_leaf(right)),
		       right->count * sizeof(void *));
		left->from = 0;
		left->count = (uint16_t)count;
		leaf_unlink(s, as_leaf(right));
	}
	inner_cut(n, at + 1);
	return true;
}

/* What stands at the path's places has lost something: empty nodes go, light
 * ones are merged, from the leaf upwards. */
static void mend(struct seq *s, struct path *p)
{
	for (unsigned i = p->depth; i-- > 0;) {
		struct inner *n = p->node[i];
		struct seq_node *child = n->child[p->at[i]];

		if (child->count == 0) {
			if (child->level)
				node_free(s, child);
			else
				leaf_unlink(s, as_leaf(child));
			inner_cut(n, p->at[i]);
		} else if (child->count > (child->level ? FAN : LEAF_MAX) / 4 ||
		           ((p->at[i] + 1 == n->node.count || !merge_children(s, n, p->at[i])) &&
		            (p->at[i] == 0 || !merge_children(s, n, p->at[i] - 1)))) {
			return;
		}
	}
	root_shrink(s);
}

/* The only leaf has lost an item. */
static void shrink_only(struct seq *s)
{
	struct leaf *l = as_leaf(s->root);

	if (l->node.count == 0) {
		leaf_unlink(s, l);
		s->root = NULL;
	} else if (l->node.cap > LEAF_LEAST && l->node.count <= l->node.cap / 4) {
		leaf_resize(s, l, l->node.cap / 2u);
	}
}

/* Takes from the first leaf without a walk, while something is left in it. */
static void *cut_first(struct seq *s, unsigned at)
{
	void *item = leaf_cut(as_leaf(s->first), at);

	s->count--;
	if (!s->root->level)
		shrink_only(s);
	return item;
}

static void *cut(struct seq *s, struct path *p, unsigned at)
{
	void *item = leaf_cut(p->leaf, at);

	s->count--;
	if (p->depth)
		mend(s, p);
	else
		shrink_only(s);
	return item;
}

void *seq_remove(struct seq *s, uint64_t key)
{
	struct path p;
	struct leaf *l;
	unsigned at;

	if (!s->root)
		return NULL;
	l = as_leaf(s->first);
	if (l->node.count > 1 && key_of(first_of(l)[0]) == key)
		return cut_first(s, 0);
	walk(s, key, &p);
	l = p.leaf;
	at = lesser(l, key);
	if (at == l->node.count || key_of(first_of(l)[at]) != key)
		return NULL;
	return l == as_leaf(s->first) && l->node.count > 1 ? cut_first(s, at) : cut(s, &p, at);
}

void seq_remove_item(struct seq *s, const void *item)
{
	struct path p;
	struct leaf *l = as_leaf(s->first);
	unsigned at = 0;

	if (l->node.count > 1 && first_of(l)[0] == item) {
		cut_first(s, 0);
		return;
	}
	walk(s, key_of(item), &p);
	l = p.leaf;
	while (first_of(l)[at] != item) {
		at++;
		assert(at < l->node.count);
	}
	if (l == as_leaf(s->first) && l->node.count > 1)
		cut_first(s, at);
	else
		cut(s, &p, at);
}

void *seq_find(const struct seq *s, uint64_t key)
{
	struct leaf *l;
	unsigned at;

	if (!s->root)
		return NULL;
	l = leaf_for(s, key);
	at = lesser(l, key);
	if (at == l->node.count || key_of(first_of(l)[at]) != key)
		return NULL;
	return first_of(l)[at];
}

void *seq_first(const struct seq *s)
{
	return s->root ? first_of(as_leaf(s->first))[0] : NULL;
}

void *seq_last(const struct seq *s)
{
	return s->root ? last_of(as_leaf(s->last)) : NULL;
}

void *seq_after(const struct seq *s, uint64_t key, struct seq_cursor *c)
{
	struct leaf *l;
	unsigned at;

	if (!s->root || key == UINT64_MAX)
		return NULL;
	l = leaf_for(s, key + 1);
	at = lesser(l, key + 1);
	if (at == l->node.count) {
		l = l->next;
		at = 0;
	}
	if (!l)
		return NULL;
	if (c)
		*c = (struct seq_cursor){&l->node, at};
	return first_of(l)[at];
}

void *seq_next(struct seq_cursor *c)
{
	struct leaf *l = as_leaf(c->leaf);

	if (!l)
		return NULL;
	if (++c->at == l->node.count) {
		l = l->next;
		*c = (struct seq_cursor){l ? &l->node : NULL, 0};
	}
	return l ? first_of(l)[c->at] : NULL;
}

/* Frees the first leaf, which is empty. */
static void drop_first(struct seq *s)
{
	struct seq_node *n = s->root;
	struct path p = {.depth = 0};

	for (; n->level; n = as_inner(n)->child[0]) {
		p.node[p.depth] = as_inner(n);
		p.at[p.depth++] = 0;
	}
	if (p.depth)
		mend(s, &p);
	else
		shrink_only(s);
}

size_t seq_drain(struct seq *s, size_t most, void (*drop)(void *item, void *ctx), void *ctx)
{
	size_t done = 0;

	while (s->root && done < most) {
		struct leaf *l = as_leaf(s->first);

		while (l->node.count > 0 && done < most) {
			void *item = first_of(l)[0];

			l->node.from++;
			l->node.count--;
			s->count--;
			done++;
			if (drop)
				drop(item, ctx);
		}
		if (l->node.count == 0)
			drop_first(s);
		else if (!s->root->level)
			shrink_only(s);
	}
	return done;
}

size_t seq_bytes(const struct seq *s)
{
	return s->bytes;
}
