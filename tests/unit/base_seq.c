#include "../../libclient/base/seq.h"
#include "../lib/harness.h"

#include <stdlib.h>

#define KEYS 6000

static uint64_t item[KEYS]; /* item[k] has key k */
static bool in[KEYS];

static void begin(struct seq *s)
{
	seq_init(s);
	memset(in, 0, sizeof in);
	for (uint64_t k = 0; k < KEYS; k++)
		item[k] = k;
}

static void put(struct seq *s, uint64_t k)
{
	seq_insert(s, &item[k]);
	in[k] = true;
}

static void take(struct seq *s, uint64_t k)
{
	if (in[k] && test_random() % 2)
		seq_remove_item(s, &item[k]);
	else
		CHECK(seq_remove(s, k) == (in[k] ? &item[k] : NULL));
	in[k] = false;
}

/* The least key above k that is in, or KEYS. */
static uint64_t naive_after(uint64_t k)
{
	while (++k < KEYS && !in[k])
		continue;
	return k;
}

static void check_all(const struct seq *s)
{
	struct seq_cursor c;
	size_t count = 0;
	uint64_t *it = seq_first(s);

	CHECK(!it || in[*it]);
	if (it && *it > 0)
		it = seq_after(s, *it - 1, &c);
	else if (it) /* key 0 has nothing before it: the cursor starts at the next */
		count++, it = seq_after(s, 0, &c);
	for (uint64_t k = count; k < KEYS; k++) {
		if (!in[k])
			continue;
		CHECK(it == &item[k]);
		it = seq_next(&c);
		count++;
	}
	CHECK(!it);
	CHECK_INT(s->count, count);
	CHECK((count == 0) == (s->root == NULL));
	CHECK((count == 0) == (seq_bytes(s) == 0 && s->nodes == 0));
	CHECK((count == 0) == (seq_last(s) == NULL && seq_first(s) == NULL));
}

static void check_around(const struct seq *s, uint64_t k)
{
	uint64_t after = naive_after(k);

	CHECK(seq_find(s, k) == (in[k] ? &item[k] : NULL));
	CHECK(seq_after(s, k, NULL) == (after < KEYS ? &item[after] : NULL));
}

TEST(an_empty_sequence)
{
	struct seq s;
	struct seq_cursor c;

	begin(&s);
	CHECK(!seq_first(&s) && !seq_last(&s) && !seq_find(&s, 0) && !seq_remove(&s, 0));
	CHECK(!seq_after(&s, 0, &c));
	CHECK_INT(seq_drain(&s, 5, NULL, NULL), 0);
	check_all(&s);
	seq_close(&s);
}

TEST(random_operations_agree_with_an_array)
{
	struct seq s;

	test_seed(1);
	begin(&s);
	for (int step = 0; step < 300000; step++) {
		uint64_t k = test_random_below(KEYS);
		bool fill = step / 30000 % 2 == 0;

		if (in[k] && test_random_below(8) < (fill ? 1 : 8))
			take(&s, k);
		else if (!in[k] && test_random_below(8) < (fill ? 8 : 1))
			put(&s, k);
		check_around(&s, test_random_below(KEYS));
		if (step % 3000 == 0)
			check_all(&s);
	}
	for (uint64_t k = 0; k < KEYS; k++)
		take(&s, k);
	check_all(&s);
	seq_close(&s);
}

TEST(every_small_number_of_items_in_every_order)
{
	for (unsigned n = 1; n <= 70; n++)
		for (int order = 0; order < 3; order++) {
			struct seq s;

			begin(&s);
			for (unsigned i = 0; i < n; i++)
				put(&s, order == 0 ? i : order == 1 ? n - 1 - i : i * 37 % 101);
			check_all(&s);
			for (unsigned i = 0; i < n; i++) {
				unsigned j = (i * 53 + 7) % 71; /* 71 is prime: all, out of order */

				for (; j >= n; j = (j + 53) % 71)
					continue;
				take(&s, order == 2 ? j * 37 % 101 : j);
				check_around(&s, i);
			}
			for (uint64_t k = 0; k < 101; k++)
				take(&s, k);
			check_all(&s);
		}
}

TEST(a_queue_moves_on_and_stays_small)
{
	struct seq s;
	uint64_t *node = calloc(200000, sizeof *node);

	seq_init(&s);
	for (uint64_t k = 0; k < 200000; k++) {
		node[k] = k;
		seq_insert(&s, &node[k]);
		if (k >= 100)
			CHECK(seq_remove(&s, k - 100) == &node[k - 100]);
		CHECK(seq_bytes(&s) < 4000);
		CHECK(seq_last(&s) == &node[k]);
	}
	CHECK(seq_first(&s) == &node[199900]);
	CHECK_INT(s.count, 100);
	seq_close(&s);
	free(node);
}

TEST(what_is_taken_from_the_front_can_come_back)
{
	struct seq s;

	test_seed(4);
	begin(&s);
	for (uint64_t k = 0; k < 3000; k++)
		put(&s, k);
	for (int round = 0; round < 20000; round++) {
		uint64_t *first = seq_first(&s), k = *first;

		CHECK_INT(k, naive_after((uint64_t)-1));
		take(&s, k);
		if (test_random_below(3) == 0)
			put(&s, test_random_below(k + 1));
		if (s.count < 10)
			break;
		if (round % 500 == 0)
			check_all(&s);
	}
	check_all(&s);
	seq_close(&s);
}

TEST(descending_and_alternating_inserts)
{
	struct seq s;

	begin(&s);
	for (uint64_t k = KEYS; k-- > 0;)
		put(&s, k);
	check_all(&s);
	CHECK(seq_bytes(&s) < 20 * KEYS);
	for (uint64_t k = KEYS; k-- > 0;)
		take(&s, k);
	check_all(&s);
	for (uint64_t k = 0; k < KEYS / 2; k++) {
		put(&s, k);
		put(&s, KEYS - 1 - k);
	}
	check_all(&s);
	for (uint64_t k = 0; k < KEYS; k += 2)
		take(&s, k);
	check_all(&s);
	seq_close(&s);
}

TEST(memory_after_appends_and_after_random_removal)
{
	size_t n = 1000000, left = n;
	uint64_t *node = calloc(n, sizeof *node);
	struct seq s;

	test_seed(5);
	seq_init(&s);
	for (size_t i = 0; i < n; i++) {
		node[i] = i;
		seq_insert(&s, &node[i]);
		if (i > 10000 && i % 10000 == 0)
			CHECK(seq_bytes(&s) <= 10 * i);
	}
	while (left > n / 50)
		left -= seq_remove(&s, test_random_below(n)) != NULL;
	CHECK(seq_bytes(&s) <= 40 * left);
	CHECK_INT(s.count, left);
	while (seq_drain(&s, 1000, NULL, NULL) > 0)
		continue;
	CHECK(!s.root && seq_bytes(&s) == 0);
	free(node);
}

TEST(small_sequences_are_small)
{
	struct seq s;

	begin(&s);
	for (uint64_t k = 0; k < 64; k++) {
		put(&s, k);
		CHECK(seq_bytes(&s) <= 56 + 17 * k);
	}
	for (uint64_t k = 0; k < 63; k++)
		take(&s, k);
	CHECK(seq_bytes(&s) <= 90);
	check_all(&s);
	seq_close(&s);
}

static void drop(void *it, void *ctx)
{
	uint64_t k = *(uint64_t *)it, *last = ctx;

	CHECK(in[k] && k + 1 > *last);
	*last = k + 1;
	in[k] = false;
}

TEST(draining_goes_from_the_front_and_stays_right)
{
	static const size_t most[] = {1, 7, 64, 65, 100000};

	for (int m = 0; m < 5; m++) {
		struct seq s;
		uint64_t last = 0;
		size_t n, rounds = 0;

		test_seed(6);
		begin(&s);
		for (uint64_t i = 0; i < KEYS; i++)
			put(&s, i * 37 % KEYS); /* 37 and KEYS share no factor: all of them */
		while ((n = seq_drain(&s, most[m], drop, &last)) > 0) {
			CHECK(n == most[m] || s.count == 0);
			if (rounds++ % 100 == 0)
				check_all(&s);
		}
		CHECK_INT(last, KEYS);
		check_all(&s);
	}
}

TEST(the_greatest_keys_there_are)
{
	uint64_t big[3] = {UINT64_MAX - 2, UINT64_MAX - 1, UINT64_MAX};
	struct seq_cursor c;
	struct seq s;

	seq_init(&s);
	for (int i = 2; i >= 0; i--)
		seq_insert(&s, &big[i]);
	CHECK(seq_after(&s, UINT64_MAX - 1, &c) == &big[2]);
	CHECK(!seq_next(&c) && !seq_next(&c));
	CHECK(!seq_after(&s, UINT64_MAX, &c));
	CHECK(seq_find(&s, UINT64_MAX) == &big[2]);
	CHECK(seq_remove(&s, UINT64_MAX) == &big[2]);
	seq_close(&s);
}
