/* A binary min-heap of nodes embedded in their owners. A node knows its
 * position, so removal is O(log n). Equal keys leave in the order of their
 * insertion. Nodes are not owned. Aborts when memory is out. */
#ifndef TILIA_BASE_HEAP_H
#define TILIA_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t key;
	uint64_t order; /* of insertion: breaks ties */
	size_t pos;     /* 1-based; 0: in no heap */
};

struct heap {
	struct heap_node **slot; /* slot[0] unused */
	size_t count, cap;
	uint64_t order;
};

void heap_init(struct heap *h);
void heap_close(struct heap *h);

/* `node` must be in no heap (pos 0). */
void heap_insert(struct heap *h, struct heap_node *node, uint64_t key);

/* Does nothing to a node that is in no heap. */
void heap_remove(struct heap *h, struct heap_node *node);

/* The node of the least key, or NULL. */
struct heap_node *heap_first(const struct heap *h);

#endif
