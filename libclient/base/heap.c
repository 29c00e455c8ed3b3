#include "heap.h"
#include "xmalloc.h"

#include <assert.h>

#define LEAST 8

void heap_init(struct heap *h)
{
	*h = (struct heap){0};
}

void heap_close(struct heap *h)
{
	for (size_t i = 1; i <= h->count; i++)
		h->slot[i]->pos = 0;
	xfree(h->slot);
	heap_init(h);
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void place(struct heap *h, size_t pos, struct heap_node *node)
{
	h->slot[pos] = node;
	node->pos = pos;
}

static void rise(struct heap *h, size_t pos, struct heap_node *node)
{
	for (; pos > 1 && before(node, h->slot[pos / 2]); pos /= 2)
		place(h, pos, h->slot[pos / 2]);
	place(h, pos, node);
}

static void sink(struct heap *h, size_t pos, struct heap_node *node)
{
	for (size_t child; (child = 2 * pos) <= h->count; pos = child) {
		if (child < h->count && before(h->slot[child + 1], h->slot[child]))
			child++;
		if (!before(h->slot[child], node))
			break;
		place(h, pos, h->slot[child]);
	}
	place(h, pos, node);
}

static void resize(struct heap *h, size_t cap)
{
	h->slot = xrealloc(h->slot, cap * sizeof *h->slot);
	h->cap = cap;
}

void heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
	assert(node->pos == 0);
	if (h->count + 1 >= h->cap)
		resize(h, h->cap ? 2 * h->cap : LEAST);
	node->key = key;
	node->order = h->order++;
	rise(h, ++h->count, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	size_t pos = node->pos;
	struct heap_node *moved;

	if (pos == 0)
		return;
	assert(pos <= h->count && h->slot[pos] == node);
	node->pos = 0;
	moved = h->slot[h->count--];
	if (moved != node) {
		if (pos > 1 && before(moved, h->slot[pos / 2]))
			rise(h, pos, moved);
		else
			sink(h, pos, moved);
	}
	if (h->cap > LEAST && h->count < h->cap / 4)
		resize(h, h->cap / 2);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->count ? h->slot[1] : NULL;
}
