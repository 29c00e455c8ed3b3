/* An ordered tree: a B-tree of pointers, up to 48 in a node. The order is a rank,
 * a number given with the item and kept beside it, and among those of equal rank
 * what the caller's comparison says; no two items are equal in both. So the items
 * themselves are looked at where ranks do not decide, and nowhere else. Insert,
 * remove and seek are O(log n). Items are not owned. Aborts when memory is out. */
#ifndef TILIA_BASE_TREE_H
#define TILIA_BASE_TREE_H

#include <stddef.h>
#include <stdint.h>

struct tree_node;

struct tree {
	struct tree_node *root; /* NULL: empty */
	size_t count;           /* items */
	size_t nodes;           /* allocated */
	size_t bytes;           /* of the nodes */
};

/* A place in the order: what is sought, inserted or removed stands there. */
struct tree_key {
	uint64_t rank;
	/* Of an item of that rank: below 0 when it stands before the place, 0 at it,
	 * above 0 behind it. */
	int (*compare)(const void *item, const void *with);
	const void *with;
};

void tree_init(struct tree *t);

/* Frees the nodes, not the items. For a large one use tree_drain() first. */
void tree_close(struct tree *t);

/* Nothing may stand at the item's place yet (asserted). */
void tree_insert(struct tree *t, const struct tree_key *k, void *item);

/* Takes out what stands there and answers it, or NULL. */
void *tree_remove(struct tree *t, const struct tree_key *k);

/* The slot of what stands there, or NULL. Its pointer may be replaced by that of an
 * item with the same place; it is valid until the next insert, remove or drain. */
void **tree_find(const struct tree *t, const struct tree_key *k);

/* The first item behind the place, the last before it; the first and the last of
 * all. NULL: there is none. */
void *tree_after(const struct tree *t, const struct tree_key *k);
void *tree_before(const struct tree *t, const struct tree_key *k);
void *tree_first(const struct tree *t);
void *tree_last(const struct tree *t);

/* Removes up to `most` items from the end and calls drop(item, ctx) for each (drop
 * may be NULL). Answers how many; 0 means empty, nothing allocated. Once begun, the
 * tree is for nothing else but this and tree_close(). */
size_t tree_drain(struct tree *t, size_t most, void (*drop)(void *item, void *ctx), void *ctx);

#endif
