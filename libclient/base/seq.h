/* A chunked sequence ordered by key: a B+ tree of pointers whose leaves hold
 * up to 64 items. An item is any struct that begins with its uint64_t key; keys
 * are unique within a sequence and must not change while the item is in it.
 * Appending at the end and removing at the front are O(1) amortised; insert,
 * remove and seek anywhere are O(log n); the number of items is known. Items
 * are not owned. Aborts when memory is out. */
#ifndef TILIA_BASE_SEQ_H
#define TILIA_BASE_SEQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seq_node;

struct seq {
	struct seq_node *root;        /* NULL: empty */
	struct seq_node *first, *last; /* leaves, linked */
	size_t count;                 /* items */
	size_t nodes;                 /* allocated */
	size_t bytes;                 /* of the nodes */
};

/* A place in a sequence, valid until the sequence changes. */
struct seq_cursor {
	struct seq_node *leaf;
	unsigned at;
};

void seq_init(struct seq *s);

/* Frees the nodes, not the items. For a large one use seq_drain() first. */
void seq_close(struct seq *s);

/* The key must not be there yet (asserted). */
void seq_insert(struct seq *s, void *item);

/* Takes the item of that key out and answers it, or NULL. */
void *seq_remove(struct seq *s, uint64_t key);

/* Takes out an item that is in it (asserted). Quicker in a large sequence: the
 * other items are not looked at. */
void seq_remove_item(struct seq *s, const void *item);

/* The item of that key, or NULL. */
void *seq_find(const struct seq *s, uint64_t key);

/* The item of the least or the greatest key; NULL when empty. */
void *seq_first(const struct seq *s);
void *seq_last(const struct seq *s);

/* The item of the least key greater than `key`, or NULL; the cursor (may be
 * NULL) then stands on it, and seq_next() answers the one after, or NULL. */
void *seq_after(const struct seq *s, uint64_t key, struct seq_cursor *c);
void *seq_next(struct seq_cursor *c);

/* Removes up to `most` items from the front and calls drop(item, ctx) for each
 * (drop may be NULL). Answers how many; 0 means empty, nothing allocated. */
size_t seq_drain(struct seq *s, size_t most, void (*drop)(void *item, void *ctx), void *ctx);

/* Bytes allocated by the sequence itself. */
size_t seq_bytes(const struct seq *s);

#endif
