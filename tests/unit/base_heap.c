#include "../../libclient/base/heap.h"
#include "../lib/harness.h"

#include <stdlib.h>

TEST(an_empty_heap_has_no_first)
{
	struct heap h;
	struct heap_node n = {0};

	heap_init(&h);
	CHECK(!heap_first(&h));
	heap_remove(&h, &n);
	CHECK_INT(h.count, 0);
	heap_close(&h);
}

TEST(equal_keys_leave_in_the_order_of_insertion)
{
	static struct heap_node node[1000];
	struct heap h;

	heap_init(&h);
	memset(node, 0, sizeof node);
	for (int i = 0; i < 1000; i++)
		heap_insert(&h, &node[i], 7);
	for (int i = 0; i < 1000; i++) {
		CHECK(heap_first(&h) == &node[i]);
		heap_remove(&h, &node[i]);
	}
	CHECK(!heap_first(&h));
	heap_close(&h);
}

static const struct heap_node *naive_first(const struct heap_node *node, int n)
{
	const struct heap_node *best = NULL;

	for (int i = 0; i < n; i++)
		if (node[i].pos && (!best || node[i].key < best->key ||
		                    (node[i].key == best->key && node[i].order < best->order)))
			best = &node[i];
	return best;
}

TEST(random_operations_agree_with_a_scan)
{
	static struct heap_node node[300];
	struct heap h;
	size_t count = 0;

	test_seed(1);
	heap_init(&h);
	memset(node, 0, sizeof node);
	for (int step = 0; step < 100000; step++) {
		struct heap_node *n = &node[test_random_below(300)];
		bool fill = step / 10000 % 2 == 0;

		if (n->pos && test_random_below(3) < (fill ? 1 : 3)) {
			heap_remove(&h, n);
			CHECK_INT(n->pos, 0);
			count--;
		} else if (!n->pos && test_random_below(3) < (fill ? 3 : 1)) {
			heap_insert(&h, n, test_random_below(50));
			count++;
		}
		CHECK_INT(h.count, count);
		CHECK(heap_first(&h) == naive_first(node, 300));
	}
	for (size_t i = 2; i <= h.count; i++)
		CHECK(h.slot[i]->pos == i && h.slot[i / 2]->key <= h.slot[i]->key);
	heap_close(&h);
	CHECK_INT(h.count, 0);
	for (int i = 0; i < 300; i++)
		CHECK_INT(node[i].pos, 0);
}

TEST(half_a_million_leave_sorted_and_give_their_memory_back)
{
	size_t n = 500000;
	struct heap_node *node = calloc(n, sizeof *node);
	struct heap h;
	uint64_t last = 0;

	test_seed(2);
	heap_init(&h);
	for (size_t i = 0; i < n; i++)
		heap_insert(&h, &node[i], test_random());
	CHECK(h.cap <= 2 * n + 16);
	for (struct heap_node *f; (f = heap_first(&h)); heap_remove(&h, f)) {
		CHECK(f->key >= last);
		last = f->key;
	}
	CHECK(h.cap <= 16);
	heap_close(&h);
	free(node);
}
