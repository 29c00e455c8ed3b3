/* The top bits of a hash choose the directory entry, a scramble of all its bits
 * the slot. A segment of local depth d stands in 1 << (depth - d) neighbouring
 * entries. Inside a segment: linear probing, removal by shifting back. A stored
 * hash of 0 marks an empty slot (a hash of 0 is stored as 1), so a probe reads
 * the hashes alone. A segment's slots grow in few steps up to 256, so large ones
 * are full to 55 to 87 %; it splits when 256 are not enough.
 *
 * An entry is NULL where hash_drain() emptied it. */
#include "hash.h"
#include "xmalloc.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#define SLOTS 256
#define MERGE_BELOW (SLOTS / 3)
#define DEPTH_MAX 24

/* A bad hash could double the directory for nothing: beyond this depth it has
 * at most 8 entries a segment, and segments that are full are chained. */
#define DEPTH_FREE 6

struct hash_segment {
	struct hash_segment *next; /* of a chain; all have the same depth */
	uint16_t count, slots;
	uint32_t depth;
	uint32_t hash[]; /* `slots` of them, then as many items */
};

static const uint16_t steps[] = {4, 8, 16, 32, 64, 96, 128, 160, SLOTS};

#define STEPS (sizeof steps / sizeof steps[0])

static void **items(const struct hash_segment *s)
{
	return (void **)(void *)(s->hash + s->slots);
}

static unsigned room(unsigned slots)
{
	return slots - (slots < 16 ? 1 : slots / 8);
}

static size_t size_of(unsigned slots)
{
	return sizeof(struct hash_segment) + slots * (sizeof(uint32_t) + sizeof(void *));
}

/* The fewest slots that `count` items fill to three quarters at most. */
static unsigned slots_for(size_t count)
{
	size_t i = 0;

	while (i < STEPS - 1 && count * 4 > steps[i] * 3u)
		i++;
	return steps[i];
}

static uint32_t stored(uint32_t hash)
{
	return hash ? hash : 1;
}

static unsigned home(const struct hash_segment *s, uint32_t hash)
{
	return ((hash * 0x9e3779b1u) >> 16) * s->slots >> 16;
}

static size_t entry_of(const struct hash *h, uint32_t hash)
{
	return h->depth ? hash >> (32 - h->depth) : 0;
}

static struct hash_segment *segment_create(struct hash *h, unsigned slots, unsigned depth)
{
	struct hash_segment *s = xmalloc(size_of(slots));

	s->next = NULL;
	s->count = 0;
	s->slots = (uint16_t)slots;
	s->depth = depth;
	memset(s->hash, 0, slots * sizeof s->hash[0]);
	h->segments++;
	h->bytes += size_of(slots);
	return s;
}

static void segment_free(struct hash *h, struct hash_segment *s)
{
	h->segments--;
	h->bytes -= size_of(s->slots);
	xfree(s);
}

static void segment_put(struct hash_segment *s, uint32_t hash, void *item)
{
	unsigned i = home(s, hash);

	while (s->hash[i])
		i = i + 1 == s->slots ? 0 : i + 1;
	s->hash[i] = hash;
	items(s)[i] = item;
	s->count++;
}

static unsigned distance(const struct hash_segment *s, unsigned from, unsigned to)
{
	return to >= from ? to - from : to + s->slots - from;
}

/* Empties slot i and shifts back what was pushed beyond it. */
static void segment_cut(struct hash_segment *s, unsigned i)
{
	void **item = items(s);

	for (unsigned j = i;;) {
		j = j + 1 == s->slots ? 0 : j + 1;
		if (!s->hash[j])
			break;
		if (distance(s, home(s, s->hash[j]), j) < distance(s, i, j))
			continue;
		s->hash[i] = s->hash[j];
		item[i] = item[j];
		i = j;
	}
	s->hash[i] = 0;
	s->count--;
}

void hash_init(struct hash *h)
{
	*h = (struct hash){0};
}

static void table_free(struct hash *h)
{
	assert(h->segments == 0 && h->bytes == 0);
	xfree(h->dir);
	hash_init(h);
}

static size_t span_of(const struct hash *h, const struct hash_segment *s)
{
	return (size_t)1 << (h->depth - s->depth);
}

/* Puts `to` in all entries of the segment (or the emptied place) of that depth. */
static void point(struct hash *h, uint32_t hash, unsigned depth, struct hash_segment *to)
{
	size_t span = (size_t)1 << (h->depth - depth);
	size_t first = entry_of(h, hash) & ~(span - 1);

	for (size_t i = 0; i < span; i++)
		h->dir[first + i] = to;
}

void hash_close(struct hash *h)
{
	size_t entries = h->dir ? (size_t)1 << h->depth : 0, span;

	for (size_t i = 0; i < entries; i += span) {
		span = h->dir[i] ? span_of(h, h->dir[i]) : 1;
		for (struct hash_segment *s = h->dir[i], *next; s; s = next) {
			next = s->next;
			segment_free(h, s);
		}
	}
	table_free(h);
}

void **hash_find(const struct hash *h, uint32_t hash,
                 bool (*equal)(const void *item, const void *key), const void *key)
{
	struct hash_segment *s;

	if (!h->dir)
		return NULL;
	hash = stored(hash);
	for (s = h->dir[entry_of(h, hash)]; s; s = s->next)
		for (unsigned i = home(s, hash); s->hash[i]; i = i + 1 == s->slots ? 0 : i + 1)
			if (s->hash[i] == hash && equal(items(s)[i], key))
				return &items(s)[i];
	return NULL;
}

void hash_prefetch(const struct hash *h, uint32_t hash, unsigned step)
{
	const struct hash_segment *s = h->dir ? h->dir[entry_of(h, hash)] : NULL;
	unsigned i;

	if (!s)
		return;
	if (step == 0) {
		__builtin_prefetch(s);
		return;
	}
	i = home(s, stored(hash));
	__builtin_prefetch(&s->hash[i]);
	__builtin_prefetch(&items(s)[i]);
}

/* Copies the items whose hash has `want` in its `mask` bits. */
static void copy(const struct hash_segment *from, struct hash_segment *to, uint32_t mask,
                 uint32_t want)
{
	uint8_t slot[SLOTS];
	unsigned n = 0;

	for (unsigned i = 0; i < from->slots; i++) { /* no branch: which are empty is chance */
		slot[n] = (uint8_t)i;
		n += (from->hash[i] != 0) & ((from->hash[i] & mask) == want);
	}
	for (unsigned i = 0; i < n; i++)
		segment_put(to, from->hash[slot[i]], items(from)[slot[i]]);
}

/* The segment (no chain) with another number of slots. */
static struct hash_segment *resize(struct hash *h, uint32_t hash, struct hash_segment *s,
                                   unsigned slots)
{
	struct hash_segment *to = segment_create(h, slots, s->depth);

	copy(s, to, 0, 0);
	point(h, hash, s->depth, to);
	segment_free(h, s);
	return to;
}

static void dir_double(struct hash *h)
{
	size_t entries = (size_t)1 << h->depth;
	struct hash_segment **dir = xmalloc(2 * entries * sizeof(struct hash_segment *));

	for (size_t i = 0; i < entries; i++)
		dir[2 * i] = dir[2 * i + 1] = h->dir[i];
	xfree(h->dir);
	h->dir = dir;
	h->depth++;
	h->deepest = 0;
	h->drained *= 2;
}

/* While no segment is of the full depth, neighbouring entries are alike. */
static void dir_halve(struct hash *h)
{
	while (h->depth > 0 && h->deepest == 0) {
		size_t entries = (size_t)1 << --h->depth;

		for (size_t i = 0; i < entries; i++) {
			h->dir[i] = h->dir[2 * i];
			if (h->dir[i] && h->dir[i]->depth == h->depth)
				h->deepest++;
		}
		h->dir = xrealloc(h->dir, entries * sizeof(struct hash_segment *));
		h->drained /= 2;
	}
}

/* Whether the first segment of a full chain is worth a split. */
static bool can_split(const struct hash *h, const struct hash_segment *s)
{
	bool alike = true;

	if (s->depth == h->depth) {
		size_t entries = (size_t)1 << h->depth;

		if (h->depth == DEPTH_MAX || (h->depth >= DEPTH_FREE && entries > 8 * h->segments))
			return false;
	}
	for (unsigned i = 0, seen = 0; i < s->slots && alike; i++) {
		if (!s->hash[i])
			continue;
		alike = !seen || s->hash[i] == seen;
		seen = s->hash[i];
	}
	return !alike;
}

/* A new chain of the items of `s` and its followers that are on one side. */
static struct hash_segment *half_of(struct hash *h, const struct hash_segment *s, uint32_t mask,
                                    uint32_t want)
{
	size_t count = 0;
	struct hash_segment *to;

	for (const struct hash_segment *c = s; c; c = c->next)
		for (unsigned i = 0; i < c->slots; i++)
			count += c->hash[i] && (c->hash[i] & mask) == want;
	to = segment_create(h, slots_for(count), s->depth + 1);
	for (; s; s = s->next) {
		/* A whole segment always fits after this, whatever its side. */
		if (to->count + s->count > room(to->slots) && to->slots == SLOTS && to->count) {
			struct hash_segment *head = segment_create(h, SLOTS, to->depth);

			head->next = to;
			to = head;
		}
		copy(s, to, mask, want);
	}
	return to;
}

static bool split(struct hash *h, uint32_t hash, struct hash_segment *s)
{
	uint32_t mask, side;

	if (!can_split(h, s))
		return false;
	if (s->depth == h->depth)
		dir_double(h);
	mask = 1u << (31 - s->depth);
	for (side = 0; side < 2; side++) {
		uint32_t want = side ? mask : 0;
		struct hash_segment *to = half_of(h, s, mask, want);

		h->deepest += to->depth == h->depth;
		point(h, (hash & ~mask) | want, to->depth, to);
	}
	for (struct hash_segment *next; s; s = next) {
		next = s->next;
		segment_free(h, s);
	}
	return true;
}

static void chain(struct hash *h, uint32_t hash, struct hash_segment *s)
{
	struct hash_segment *head = segment_create(h, SLOTS, s->depth);

	head->next = s;
	point(h, hash, s->depth, head);
}

static void make_room(struct hash *h, uint32_t hash, struct hash_segment *s)
{
	unsigned i = 0;

	if (s->slots == SLOTS) {
		if (!split(h, hash, s))
			chain(h, hash, s);
		return;
	}
	while (steps[i] <= s->slots)
		i++;
	resize(h, hash, s, steps[i]);
}

/* An entry that has no segment gets one of its own. */
static struct hash_segment *fill_entry(struct hash *h, size_t entry)
{
	struct hash_segment *s = segment_create(h, steps[0], h->depth);

	h->dir[entry] = s;
	h->deepest++;
	if (entry < h->drained)
		h->drained = entry;
	return s;
}

void hash_insert(struct hash *h, uint32_t hash, void *item)
{
	struct hash_segment *s;

	assert(item);
	h->swept = 0;
	hash = stored(hash);
	if (!h->dir)
		h->dir = xcalloc(1, sizeof(struct hash_segment *));
	for (;;) {
		size_t entry = entry_of(h, hash);

		s = h->dir[entry] ? h->dir[entry] : fill_entry(h, entry);
		if (s->count < room(s->slots))
			break;
		make_room(h, hash, s);
	}
	segment_put(s, hash, item);
	h->count++;
}

/* Merges the segment with its buddy while both are light. */
static struct hash_segment *merge(struct hash *h, uint32_t hash, struct hash_segment *s)
{
	while (s->depth > 0) {
		uint32_t bit = 1u << (32 - s->depth);
		struct hash_segment *buddy = h->dir[entry_of(h, hash ^ bit)], *to;
		unsigned count;

		if (!buddy || buddy->depth != s->depth || buddy->next ||
		    (count = s->count + buddy->count) >= MERGE_BELOW)
			break;
		to = segment_create(h, slots_for(count), s->depth - 1);
		copy(s, to, 0, 0);
		copy(buddy, to, 0, 0);
		point(h, hash, to->depth, to);
		h->deepest -= s->depth == h->depth ? 2 : 0;
		segment_free(h, s);
		segment_free(h, buddy);
		s = to;
	}
	return s;
}

/* Small ones wait longer, so that no insert and remove in turn resize each time. */
static bool is_light(const struct hash_segment *s)
{
	return s->count * (s->slots <= 32 ? 4 : 2) < s->slots;
}

/* A light segment loses slots; an empty one of a chain goes. */
static void lighten(struct hash *h, uint32_t hash, struct hash_segment *s)
{
	struct hash_segment *head = h->dir[entry_of(h, hash)];

	if (head->next) {
		if (s->count)
			return;
		if (s == head)
			point(h, hash, s->depth, s->next);
		for (; head->next; head = head->next)
			if (head->next == s) {
				head->next = s->next;
				break;
			}
		segment_free(h, s);
		return;
	}
	if (!is_light(s))
		return;
	s = merge(h, hash, s);
	if (is_light(s) && slots_for(s->count) < s->slots)
		resize(h, hash, s, slots_for(s->count));
	dir_halve(h);
}

void hash_remove(struct hash *h, uint32_t hash, void **slot)
{
	struct hash_segment *s;

	h->swept = 0;
	hash = stored(hash);
	s = h->dir[entry_of(h, hash)];
	while (slot < items(s) || slot >= items(s) + s->slots)
		s = s->next;
	assert(s->hash[slot - items(s)] == hash);
	segment_cut(s, (unsigned)(slot - items(s)));
	if (--h->count == 0)
		hash_close(h);
	else
		lighten(h, hash, s);
}

/* Removes up to `most` items of one segment, from the slot on where the call
 * before stopped. */
static size_t empty_some(struct hash *h, struct hash_segment *s, size_t most,
                         void (*drop)(void *item, void *ctx), void *ctx)
{
	size_t done = 0;

	for (; done < most && h->swept < s->slots; h->swept++) {
		unsigned i = s->slots - 1u - h->swept;

		while (s->hash[i]) {
			void *item = items(s)[i];

			segment_cut(s, i);
			if (drop)
				drop(item, ctx);
			if (++done == most)
				return done;
		}
	}
	return done;
}

size_t hash_drain(struct hash *h, size_t most, void (*drop)(void *item, void *ctx), void *ctx)
{
	size_t done = 0;

	while (h->count > 0 && done < most) {
		struct hash_segment *s;
		size_t entry, n;

		for (; !h->dir[h->drained]; h->drained++)
			h->swept = 0;
		entry = h->drained;
		s = h->dir[entry];
		n = empty_some(h, s, most - done, drop, ctx);
		done += n;
		h->count -= n;
		if (s->count > 0)
			break;
		h->deepest -= !s->next && s->depth == h->depth;
		for (size_t i = 0, span = span_of(h, s); i < span; i++)
			h->dir[entry + i] = s->next;
		segment_free(h, s);
		h->swept = 0;
	}
	if (h->dir && h->count == 0)
		hash_close(h);
	else if (h->dir)
		dir_halve(h);
	return done;
}

void hash_each(const struct hash *h, void (*visit)(void *item, void *ctx), void *ctx)
{
	size_t entries = h->dir ? (size_t)1 << h->depth : 0, span;

	for (size_t i = 0; i < entries; i += span) {
		span = h->dir[i] ? span_of(h, h->dir[i]) : 1;
		for (struct hash_segment *s = h->dir[i]; s; s = s->next)
			for (unsigned k = 0; k < s->slots; k++)
				if (s->hash[k])
					visit(items(s)[k], ctx);
	}
}

size_t hash_bytes(const struct hash *h)
{
	return h->bytes + (h->dir ? sizeof(struct hash_segment *) << h->depth : 0);
}

uint64_t hash_of(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}
