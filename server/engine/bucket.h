/* A bucket: items in the order of their first member, a uint64_t key. One item
 * is stored inline, more in a sequence; an empty bucket is NULL. It is one
 * pointer, so a hash table can hold it as its item. */
#ifndef TILIA_ENGINE_BUCKET_H
#define TILIA_ENGINE_BUCKET_H

#include "../../libclient/base/seq.h"
#include "../../libclient/base/xmalloc.h"

#include <stddef.h>
#include <stdint.h>

typedef char bucket_assume_pointer_bits[sizeof(void *) == sizeof(uintptr_t) ? 1 : -1];

static inline struct seq *bucket_seq(const void *b)
{
	return (uintptr_t)b & 1 ? (struct seq *)((uintptr_t)b & ~(uintptr_t)1) : NULL;
}

static inline void *bucket_first(const void *b)
{
	struct seq *s = bucket_seq(b);

	return s ? seq_first(s) : (void *)(uintptr_t)b;
}

static inline size_t bucket_count(const void *b)
{
	struct seq *s = bucket_seq(b);

	return s ? s->count : b != NULL;
}

/* The first item whose key is greater than `key`, or NULL. */
static inline void *bucket_after(const void *b, uint64_t key)
{
	struct seq *s = bucket_seq(b);

	if (s)
		return seq_after(s, key, NULL);
	return b && *(const uint64_t *)b > key ? (void *)(uintptr_t)b : NULL;
}

/* Adds an item and answers the bucket as it is now. */
static inline void *bucket_add(void *b, void *item)
{
	struct seq *s = bucket_seq(b);

	if (!b)
		return item;
	if (!s) {
		s = xmalloc(sizeof *s);
		seq_init(s);
		seq_insert(s, b);
		b = (void *)((uintptr_t)s | 1);
	}
	seq_insert(s, item);
	return b;
}

/* Takes an item out, which must be there, and answers the bucket as it is now. */
static inline void *bucket_remove(void *b, const void *item)
{
	struct seq *s = bucket_seq(b);

	if (!s)
		return NULL;
	seq_remove_item(s, item);
	if (s->count > 1)
		return b;
	b = seq_first(s);
	seq_close(s);
	xfree(s);
	return b;
}

#endif
