/* Tuples in the order of one field's values, to be looked through from either end.
 * One tuple is stored inline, more in a tree with a bucket (bucket.h) for each value;
 * an empty shelf is NULL. It is one pointer, so a hash table can hold it. The
 * values are all of one type that has an order, or numbers. */
#ifndef TILIA_ENGINE_SHELF_H
#define TILIA_ENGINE_SHELF_H

#include "../../libclient/base/tree.h"
#include "order.h"

static inline struct tree *shelf_tree(const void *s)
{
	return (uintptr_t)s & 1 ? (struct tree *)((uintptr_t)s & ~(uintptr_t)1) : NULL;
}

/* One of its tuples. */
struct tuple *shelf_any(const void *s);

/* Adds a tuple, takes one out that is there; both answer the shelf as it is now. */
void *shelf_add(void *s, unsigned field, struct tuple *t);
void *shelf_remove(void *s, unsigned field, const struct tuple *t);

/* The first tuple behind the place, or NULL. */
struct tuple *shelf_after(const void *s, const struct order *o, const struct place *p);

#endif
