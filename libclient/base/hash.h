/* A hash table that grows in steps. Extendible hashing (Fagin, Nievergelt,
 * Pippenger, Strong 1979): a directory over segments of up to 256 open-addressed
 * slots. One segment splits, or two merge, at a time, so no call moves more
 * than one segment's items; the directory (8 bytes a segment) is doubled by a
 * copy. Items are pointers and are not owned; the table stores 32 bits of hash
 * beside each. Several items may have the same hash. Items of more than a
 * segment with one and the same 32-bit hash chain further segments, so the
 * table stays right (not fast) with a bad hash. Aborts when memory is out. */
#ifndef TILIA_BASE_HASH_H
#define TILIA_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_segment;

struct hash {
	struct hash_segment **dir; /* 1 << depth entries; NULL while empty */
	unsigned depth;
	size_t count;    /* items */
	size_t segments; /* allocated */
	size_t bytes;    /* of the segments */
	size_t deepest;  /* directory entries whose segment is theirs alone */
	size_t drained;  /* the entries before this one are empty */
	unsigned swept;  /* and so many of the last slots of its segment */
};

void hash_init(struct hash *h);

/* Frees the table, not the items. For a large table use hash_drain() first. */
void hash_close(struct hash *h);

/* The slot of the first item with this hash for which equal(item, key) holds,
 * or NULL. The slot's pointer may be replaced by that of an item with the same
 * hash; it is valid until the next insert, remove or drain. */
void **hash_find(const struct hash *h, uint32_t hash,
                 bool (*equal)(const void *item, const void *key), const void *key);

/* Has what hash_find() will read brought into the cache: in step 0 what says where, in
 * step 1 what is there. For several tables that will be asked one after the other:
 * step 0 of all of them, then step 1. */
void hash_prefetch(const struct hash *h, uint32_t hash, unsigned step);

/* Adds an item. Whether its like is there already is the caller's business. */
void hash_insert(struct hash *h, uint32_t hash, void *item);

/* Empties a slot that hash_find(h, hash, ...) answered. */
void hash_remove(struct hash *h, uint32_t hash, void **slot);

/* Removes up to `most` items and calls drop(item, ctx) for each (drop may be
 * NULL); gives segments back on the way. Answers how many it removed; 0 means
 * empty, and then nothing is allocated. Cost: O(most), plus a segment's scan. */
size_t hash_drain(struct hash *h, size_t most, void (*drop)(void *item, void *ctx), void *ctx);

/* Calls visit(item, ctx) for every item, in no promised order. The table must
 * not change meanwhile. */
void hash_each(const struct hash *h, void (*visit)(void *item, void *ctx), void *ctx);

/* Bytes allocated by the table itself. */
size_t hash_bytes(const struct hash *h);

/* xxHash (XXH3, 64 bits) of `n` bytes with a seed. */
uint64_t hash_of(const void *p, size_t n, uint64_t seed);

/* Two hashes made into one; the order counts. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	a ^= b + 0x9e3779b97f4a7c15u + (a << 12) + (a >> 4);
	a ^= a >> 32;
	a *= 0xd6e8feb86659fd93u;
	return a ^ (a >> 29);
}

#endif
