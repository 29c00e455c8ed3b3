#include "../../libclient/base/hash.h"
#include "../lib/harness.h"

#include <stdlib.h>

#define ITEMS 4000

struct thing {
	uint64_t key;
	uint32_t hash;
	bool in;
	unsigned seen;
};

static bool equal(const void *item, const void *key)
{
	return ((const struct thing *)item)->key == *(const uint64_t *)key;
}

static void **find(const struct hash *h, const struct thing *t)
{
	return hash_find(h, t->hash, equal, &t->key);
}

static void see(void *item, void *ctx)
{
	((struct thing *)item)->seen++;
	(*(size_t *)ctx)++;
}

/* Everything that is in is found and visited once; nothing else is. */
static void check_all(const struct hash *h, struct thing *thing, size_t n)
{
	size_t in = 0, visited = 0;

	for (size_t i = 0; i < n; i++) {
		void **slot = find(h, &thing[i]);

		thing[i].seen = 0;
		in += thing[i].in;
		CHECK(thing[i].in ? slot && *slot == &thing[i] : !slot);
	}
	CHECK_INT(h->count, in);
	hash_each(h, see, &visited);
	CHECK_INT(visited, in);
	for (size_t i = 0; i < n; i++)
		CHECK_INT(thing[i].seen, thing[i].in);
	CHECK((in == 0) == (h->dir == NULL));
	CHECK((in == 0) == (h->segments == 0));
}

static uint32_t good_hash(uint64_t key)
{
	return (uint32_t)hash_of(&key, sizeof key, 5);
}

static uint32_t few_hashes(uint64_t key)
{
	return good_hash(key % 3);
}

static uint32_t high_bits_alike(uint64_t key)
{
	return 0xabc00000u | (uint32_t)key;
}

static uint32_t low_bits_alike(uint64_t key)
{
	return (uint32_t)key << 16;
}

static uint32_t all_zero(uint64_t key)
{
	(void)key;
	return 0;
}

static uint32_t half_alike(uint64_t key)
{
	return key % 2 ? 0x80000000u : good_hash(key);
}

static void toggle(struct hash *h, struct thing *t)
{
	if (t->in)
		hash_remove(h, t->hash, find(h, t));
	else
		hash_insert(h, t->hash, t);
	t->in = !t->in;
}

/* Random inserts and removals in waves that fill and empty the table. */
static void walk(uint32_t (*hash)(uint64_t), size_t n, int steps)
{
	static struct thing thing[ITEMS];
	struct hash h;

	test_seed(1);
	hash_init(&h);
	for (size_t i = 0; i < n; i++)
		thing[i] = (struct thing){.key = i, .hash = hash(i)};
	for (int step = 0; step < steps; step++) {
		struct thing *t = &thing[test_random_below(n)];
		bool fill = step / (steps / 8) % 2 == 0;

		if (t->in != fill || test_random_below(8) == 0)
			toggle(&h, t);
		if (step % (steps / 64) == 0)
			check_all(&h, thing, n);
	}
	for (size_t i = 0; i < n; i++)
		if (thing[i].in)
			toggle(&h, &thing[i]);
	check_all(&h, thing, n);
	CHECK_INT(hash_bytes(&h), 0);
	hash_close(&h);
}

TEST(an_empty_table_finds_nothing_and_has_no_memory)
{
	struct thing t = {.key = 1, .hash = 1};
	struct hash h;

	hash_init(&h);
	CHECK(!find(&h, &t));
	CHECK_INT(hash_drain(&h, 10, NULL, NULL), 0);
	CHECK_INT(hash_bytes(&h), 0);
	check_all(&h, &t, 1);
	hash_close(&h);
}

TEST(random_operations_with_a_good_hash)
{
	walk(good_hash, ITEMS, 400000);
	walk(good_hash, 300, 50000);
	walk(good_hash, 5, 10000);
}

TEST(random_operations_with_three_hashes_only)
{
	walk(few_hashes, ITEMS / 2, 40000);
}

TEST(random_operations_with_alike_high_bits)
{
	walk(high_bits_alike, ITEMS, 100000);
}

TEST(random_operations_with_alike_low_bits)
{
	walk(low_bits_alike, ITEMS, 100000);
}

TEST(random_operations_with_one_hash_of_zero)
{
	walk(all_zero, ITEMS / 4, 20000);
}

TEST(random_operations_with_half_of_the_hashes_alike)
{
	walk(half_alike, ITEMS, 60000);
}

TEST(a_bad_hash_takes_no_great_directory)
{
	static struct thing thing[2000];
	struct hash h;

	hash_init(&h);
	for (uint32_t i = 0; i < 2000; i++) {
		thing[i] = (struct thing){.key = i, .hash = 0x12300000u + i};
		hash_insert(&h, thing[i].hash, &thing[i]);
	}
	CHECK(hash_bytes(&h) < 2000 * 24);
	hash_close(&h);
}

TEST(a_slot_can_be_given_another_item)
{
	struct thing a = {.key = 1, .hash = 9}, b = {.key = 1, .hash = 9};
	struct hash h;

	hash_init(&h);
	hash_insert(&h, 9, &a);
	*find(&h, &a) = &b;
	CHECK(*find(&h, &a) == &b);
	CHECK_INT(h.count, 1);
	hash_close(&h);
}

TEST(small_tables_are_small)
{
	static struct thing thing[16];
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < 16; i++) {
		thing[i] = (struct thing){.key = i, .hash = good_hash(i)};
		hash_insert(&h, thing[i].hash, &thing[i]);
		CHECK(hash_bytes(&h) <= 80 + 30 * i);
	}
	hash_close(&h);
}

static void inserted(struct hash *h, struct thing *thing, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		thing[i].key = i;
		thing[i].hash = good_hash(i);
		hash_insert(h, thing[i].hash, &thing[i]);
	}
}

TEST(memory_an_item_is_bounded_at_every_size_up_and_down)
{
	size_t n = 400000, left = n;
	struct thing *thing = calloc(n, sizeof *thing);
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < n; i += 1000) {
		inserted(&h, thing, i, i + 1000);
		if (i > 10000)
			CHECK(hash_bytes(&h) <= 24 * h.count);
	}
	test_seed(1);
	while (left > 10000) {
		size_t i = test_random_below(left);
		struct thing t = thing[i];

		hash_remove(&h, t.hash, find(&h, &t));
		thing[i] = thing[--left];
		if (i < left)
			*hash_find(&h, thing[i].hash, equal, &thing[i].key) = &thing[i];
		if (left % 1000 == 0)
			CHECK(hash_bytes(&h) <= 24 * h.count);
	}
	hash_close(&h);
	CHECK_INT(hash_bytes(&h), 0);
	free(thing);
}

static void drop(void *item, void *ctx)
{
	((struct thing *)item)->in = false;
	(*(size_t *)ctx)++;
}

TEST(a_table_is_drained_in_steps_and_stays_right_meanwhile)
{
	static const size_t most[] = {1, 7, 300, 100000};
	static struct thing thing[ITEMS];

	for (int m = 0; m < 4; m++) {
		struct hash h;
		size_t dropped = 0, n, rounds = 0;

		hash_init(&h);
		inserted(&h, thing, 0, ITEMS);
		for (size_t i = 0; i < ITEMS; i++)
			thing[i].in = true;
		while ((n = hash_drain(&h, most[m], drop, &dropped)) > 0) {
			CHECK(n == most[m] || h.count == 0);
			if (rounds++ % 100 == 0)
				check_all(&h, thing, ITEMS);
		}
		CHECK_INT(dropped, ITEMS);
		CHECK(!h.dir && hash_bytes(&h) == 0);
	}
}

TEST(inserts_and_removals_between_the_steps_of_a_drain)
{
	static struct thing thing[ITEMS];
	struct hash h;
	size_t dropped = 0;

	test_seed(3);
	hash_init(&h);
	memset(thing, 0, sizeof thing);
	for (size_t i = 0; i < ITEMS; i++)
		thing[i] = (struct thing){.key = i, .hash = i % 5 ? good_hash(i) : few_hashes(i)};
	for (int round = 0; round < 3000; round++) {
		for (int k = 0; k < (round % 1000 < 500 ? 40 : 4); k++) {
			struct thing *t = &thing[test_random_below(ITEMS)];

			if (!t->in || test_random_below(4) == 0)
				toggle(&h, t);
		}
		hash_drain(&h, 1 + test_random_below(20), drop, &dropped);
		if (round % 50 == 0)
			check_all(&h, thing, ITEMS);
	}
	CHECK(dropped > 1000);
	while (hash_drain(&h, 100, drop, &dropped) > 0)
		continue;
	check_all(&h, thing, ITEMS);
}

TEST(a_million_items)
{
	size_t n = 1000000;
	struct thing *thing = calloc(n, sizeof *thing);
	struct hash h;

	hash_init(&h);
	inserted(&h, thing, 0, n);
	CHECK(hash_bytes(&h) <= 18 * n);
	for (size_t i = 0; i < n; i += 3)
		CHECK(*find(&h, &thing[i]) == &thing[i]);
	while (hash_drain(&h, 1000, NULL, NULL) > 0)
		continue;
	CHECK(!h.dir);
	free(thing);
}

TEST(hash_of_is_xxh3_and_the_seed_counts)
{
	CHECK(hash_of("", 0, 0) == 0x2d06800538d394c2u);
	CHECK(hash_of("abc", 3, 1) != hash_of("abc", 3, 2));
	CHECK(hash_of("abc", 3, 1) == hash_of("abc", 3, 1));
	CHECK(hash_mix(1, 2) != hash_mix(2, 1));
}
