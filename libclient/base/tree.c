/* Items stand in all nodes, inner ones too: no copy of an item is left behind when
 * it goes. child[i] of an inner node holds what stands between entry[i - 1] and
 * entry[i].
 *
 * A tree of one node is small: it grows 4, 8, ... 48. A split at the right or the
 * left edge moves one item alone, so what comes in order is packed densely; elsewhere
 * nodes are split in halves. A node that falls to a quarter is merged with a sibling
 * when both, and the entry between, fill three quarters at most; one that falls empty
 * gets an entry from its sibling else. */
#include "tree.h"
#include "xmalloc.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define NODE_LEAST 4
#define NODE_MAX 48
#define LEVELS 24

struct entry {
	uint64_t rank;
	void *item;
};

struct tree_node {
	struct tree_node **child; /* count + 1 of them, behind the entries; NULL: a leaf */
	uint32_t count, cap;      /* entries */
	struct entry entry[];
};

/* The way from the root to an entry: at[i] is the place in node[i] of what comes
 * after it, or of the entry itself in the last one. */
struct path {
	struct tree_node *node[LEVELS];
	unsigned at[LEVELS];
	unsigned depth; /* of the last */
};

static size_t size_of(const struct tree_node *n)
{
	return sizeof *n + n->cap * sizeof(struct entry) +
	       (n->child ? (n->cap + 1) * sizeof(struct tree_node *) : 0);
}

static struct tree_node *node_create(struct tree *t, unsigned cap, bool leaf)
{
	size_t children = leaf ? 0 : (cap + 1) * sizeof(struct tree_node *);
	struct tree_node *n = xmalloc(sizeof *n + cap * sizeof(struct entry) + children);

	n->child = leaf ? NULL : (struct tree_node **)(void *)(n->entry + cap);
	n->count = 0;
	n->cap = cap;
	t->nodes++;
	t->bytes += size_of(n);
	return n;
}

static void node_free(struct tree *t, struct tree_node *n)
{
	t->nodes--;
	t->bytes -= size_of(n);
	xfree(n);
}

void tree_init(struct tree *t)
{
	*t = (struct tree){0};
}

static void free_below(struct tree *t, struct tree_node *n)
{
	for (unsigned i = 0; n->child && i <= n->count; i++)
		if (n->child[i])
			free_below(t, n->child[i]);
	node_free(t, n);
}

void tree_close(struct tree *t)
{
	if (t->root)
		free_below(t, t->root);
	assert(t->nodes == 0 && t->bytes == 0);
	tree_init(t);
}

/* Below 0 when the entry stands before the place, 0 at it, above 0 behind it. */
static int side(const struct entry *e, const struct tree_key *k)
{
	if (e->rank != k->rank)
		return e->rank < k->rank ? -1 : 1;
	return k->compare(e->item, k->with);
}

/* How many entries of the node stand before the place; *there: the next stands at it. */
static unsigned lesser(const struct tree_node *n, const struct tree_key *k, bool *there)
{
	unsigned low = 0, high = n->count;

	*there = false;
	while (low < high) {
		unsigned mid = (low + high) / 2;
		int c = side(&n->entry[mid], k);

		if (c < 0)
			low = mid + 1;
		else
			high = mid;
		if (c == 0) {
			*there = true;
			return mid; /* no two are equal */
		}
	}
	return low;
}

/* The way to the place; whether something stands there. */
static bool walk(const struct tree *t, const struct tree_key *k, struct path *p)
{
	struct tree_node *n = t->root;

	for (p->depth = 0;; p->depth++) {
		bool there;

		assert(p->depth < LEVELS);
		p->node[p->depth] = n;
		p->at[p->depth] = lesser(n, k, &there);
		if (there || !n->child)
			return there;
		n = n->child[p->at[p->depth]];
	}
}

/* Moves the entries from `at` on, and what stands behind each, by `by` places. */
static void shift(struct tree_node *n, unsigned at, int by)
{
	unsigned after = n->count - at;

	memmove(n->entry + at + by, n->entry + at, after * sizeof *n->entry);
	if (n->child)
		memmove(n->child + at + 1 + by, n->child + at + 1, after * sizeof *n->child);
	n->count += (unsigned)by;
}

/* Puts an entry, and the child behind it, at place `at` of a node with room. */
static void put(struct tree_node *n, unsigned at, struct entry e, struct tree_node *behind)
{
	shift(n, at, 1);
	n->entry[at] = e;
	if (n->child)
		n->child[at + 1] = behind;
}

/* Takes the entry at place `at` out, and the child behind it. */
static struct entry cut(struct tree_node *n, unsigned at)
{
	struct entry e = n->entry[at];

	shift(n, at + 1, -1);
	return e;
}

/* Copies the entries [from, from + count) to the end of `to`, and the children around
 * them but the first, which is there already or set by the caller. */
static void copy(struct tree_node *to, const struct tree_node *n, unsigned from, unsigned count)
{
	memcpy(to->entry + to->count, n->entry + from, count * sizeof *n->entry);
	if (n->child)
		memcpy(to->child + to->count + 1, n->child + from + 1, count * sizeof *n->child);
	to->count += count;
}

/* Splits a full node so that the entry (to stand at place `at`, with a child behind
 * it) finds room. Answers the right half; *e is what goes between the halves. */
static struct tree_node *split(struct tree *t, struct tree_node *n, unsigned at, struct entry *e,
                               struct tree_node *behind)
{
	struct tree_node *right = node_create(t, NODE_MAX, !n->child);
	unsigned left = at == NODE_MAX ? NODE_MAX - 1 : at == 0 ? 1 : NODE_MAX / 2;
	struct entry between = n->entry[left];

	if (n->child)
		right->child[0] = n->child[left + 1];
	copy(right, n, left + 1, NODE_MAX - left - 1);
	n->count = left;
	if (at <= left)
		put(n, at, *e, behind);
	else
		put(right, at - left - 1, *e, behind);
	*e = between;
	return right;
}

/* The only node, full, becomes one of another capacity. */
static void resize(struct tree *t, unsigned cap)
{
	struct tree_node *n = t->root, *to = node_create(t, cap, true);

	copy(to, n, 0, n->count);
	node_free(t, n);
	t->root = to;
}

static void grow(struct tree *t)
{
	unsigned twice = 2 * t->root->cap;

	resize(t, twice < NODE_MAX ? twice : NODE_MAX);
}

void tree_insert(struct tree *t, const struct tree_key *k, void *item)
{
	struct entry e = {k->rank, item};
	struct tree_node *behind = NULL, *root;
	struct path p;
	bool there;

	t->count++;
	if (!t->root)
		t->root = node_create(t, NODE_LEAST, true);
	if (!t->root->child && t->root->count == t->root->cap && t->root->cap < NODE_MAX)
		grow(t);
	there = walk(t, k, &p);
	assert(!there);
	(void)there;
	for (unsigned i = p.depth + 1; i-- > 0;) {
		if (p.node[i]->count < p.node[i]->cap) {
			put(p.node[i], p.at[i], e, behind);
			return;
		}
		behind = split(t, p.node[i], p.at[i], &e, behind);
	}
	root = node_create(t, NODE_MAX, false);
	root->child[0] = t->root;
	put(root, 0, e, behind);
	t->root = root;
}

/* Merges child `at + 1` of `n`, and the entry between, into child `at` if they are
 * light together. */
static bool merge(struct tree *t, struct tree_node *n, unsigned at)
{
	struct tree_node *left = n->child[at], *right = n->child[at + 1];

	if (left->count + 1 + right->count > NODE_MAX * 3 / 4)
		return false;
	put(left, left->count, cut(n, at), right->child ? right->child[0] : NULL);
	copy(left, right, 0, right->count);
	node_free(t, right);
	return true;
}

/* Child `at` of `n` is empty: the entry beside it goes down, and one of its sibling's
 * takes that one's place. */
static void lend(struct tree_node *n, unsigned at)
{
	struct tree_node *empty = n->child[at], *from;

	if (at > 0) {
		from = n->child[at - 1];
		put(empty, 0, n->entry[at - 1], empty->child ? empty->child[0] : NULL);
		if (empty->child)
			empty->child[0] = from->child[from->count];
		n->entry[at - 1] = cut(from, from->count - 1);
		return;
	}
	from = n->child[1];
	put(empty, 0, n->entry[0], from->child ? from->child[0] : NULL);
	if (from->child)
		from->child[0] = from->child[1];
	n->entry[0] = cut(from, 0);
}

/* The last node of the path has lost an entry: light ones are merged, upwards. */
static void mend(struct tree *t, const struct path *p)
{
	for (unsigned i = p->depth; i > 0 && p->node[i]->count <= NODE_MAX / 4; i--) {
		struct tree_node *n = p->node[i - 1];
		unsigned at = p->at[i - 1];

		if ((at < n->count && merge(t, n, at)) || (at > 0 && merge(t, n, at - 1)))
			continue;
		if (p->node[i]->count == 0)
			lend(n, at);
		break;
	}
	if (t->root->count == 0) {
		struct tree_node *child = t->root->child ? t->root->child[0] : NULL;

		node_free(t, t->root);
		t->root = child;
	} else if (!t->root->child && t->root->cap > NODE_LEAST &&
	           t->root->count <= t->root->cap / 4) {
		resize(t, t->root->cap / 2);
	}
}

void *tree_remove(struct tree *t, const struct tree_key *k)
{
	struct path p;
	struct entry *e;
	void *item;

	if (!t->root || !walk(t, k, &p))
		return NULL;
	e = &p.node[p.depth]->entry[p.at[p.depth]];
	item = e->item;
	while (p.node[p.depth]->child) { /* the one before it, in a leaf, takes its place */
		struct tree_node *n = p.node[p.depth]->child[p.at[p.depth]];

		assert(p.depth + 1 < LEVELS);
		p.node[++p.depth] = n;
		p.at[p.depth] = n->child ? n->count : n->count - 1;
	}
	*e = p.node[p.depth]->entry[p.at[p.depth]];
	cut(p.node[p.depth], p.at[p.depth]);
	t->count--;
	mend(t, &p);
	return item;
}

void **tree_find(const struct tree *t, const struct tree_key *k)
{
	struct tree_node *n = t->root;

	while (n) {
		bool there;
		unsigned at = lesser(n, k, &there);

		if (there)
			return &n->entry[at].item;
		n = n->child ? n->child[at] : NULL;
	}
	return NULL;
}

void *tree_after(const struct tree *t, const struct tree_key *k)
{
	struct tree_node *n = t->root;
	void *best = NULL;

	while (n) {
		bool there;
		unsigned at = lesser(n, k, &there);

		at += there;
		if (at < n->count)
			best = n->entry[at].item;
		n = n->child ? n->child[at] : NULL;
	}
	return best;
}

void *tree_before(const struct tree *t, const struct tree_key *k)
{
	struct tree_node *n = t->root;
	void *best = NULL;

	while (n) {
		bool there;
		unsigned at = lesser(n, k, &there);

		if (at > 0)
			best = n->entry[at - 1].item;
		n = n->child ? n->child[at] : NULL;
	}
	return best;
}

void *tree_first(const struct tree *t)
{
	struct tree_node *n = t->root;

	while (n && n->child)
		n = n->child[0];
	return n ? n->entry[0].item : NULL;
}

void *tree_last(const struct tree *t)
{
	struct tree_node *n = t->root;

	while (n && n->child)
		n = n->child[n->count];
	return n ? n->entry[n->count - 1].item : NULL;
}

struct draining {
	struct tree *tree;
	size_t left;
	void (*drop)(void *item, void *ctx);
	void *ctx;
};

/* Drops from the end of the subtree. Whether it is empty, and freed. */
static bool drain_below(struct draining *d, struct tree_node *n)
{
	for (;;) {
		if (n->child && n->child[n->count]) {
			if (!drain_below(d, n->child[n->count]))
				return false;
			n->child[n->count] = NULL;
		}
		if (n->count == 0)
			break;
		if (d->left == 0)
			return false;
		d->left--;
		d->tree->count--;
		n->count--;
		if (d->drop)
			d->drop(n->entry[n->count].item, d->ctx);
	}
	node_free(d->tree, n);
	return true;
}

size_t tree_drain(struct tree *t, size_t most, void (*drop)(void *item, void *ctx), void *ctx)
{
	struct draining d = {t, most, drop, ctx};

	if (t->root && drain_below(&d, t->root))
		t->root = NULL;
	return most - d.left;
}
