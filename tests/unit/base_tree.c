#include "../../libclient/base/tree.h"
#include "../lib/harness.h"

#include <stdlib.h>

#define ITEMS 6000

/* item[i] is the i-th in order: several share a rank, and differ in what only the
 * comparison sees. */
struct item {
	uint64_t rank;
	int inside;
};

static struct item item[ITEMS];
static bool in[ITEMS];
static unsigned looked; /* comparisons of items */

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	looked++;
	return (x->inside > y->inside) - (x->inside < y->inside);
}

static struct tree_key key_of(unsigned i)
{
	return (struct tree_key){item[i].rank, compare, &item[i]};
}

/* `same`: so many items of each rank. */
static void begin(struct tree *t, unsigned same)
{
	tree_init(t);
	memset(in, 0, sizeof in);
	for (unsigned i = 0; i < ITEMS; i++)
		item[i] = (struct item){i / same, (int)(i % same)};
}

static void put(struct tree *t, unsigned i)
{
	struct tree_key k = key_of(i);

	tree_insert(t, &k, &item[i]);
	in[i] = true;
}

static void take(struct tree *t, unsigned i)
{
	struct tree_key k = key_of(i);

	CHECK(tree_remove(t, &k) == (in[i] ? &item[i] : NULL));
	in[i] = false;
}

static struct item *naive(unsigned i, int step)
{
	for (i += (unsigned)step; i < ITEMS; i += (unsigned)step)
		if (in[i])
			return &item[i];
	return NULL;
}

static void check_around(const struct tree *t, unsigned i)
{
	struct tree_key k = key_of(i);
	void **slot = tree_find(t, &k);

	CHECK((slot != NULL) == in[i]);
	CHECK(!slot || *slot == &item[i]);
	CHECK(tree_after(t, &k) == naive(i, 1));
	CHECK(tree_before(t, &k) == naive(i, -1));
}

static void check_all(const struct tree *t)
{
	struct item *it = tree_first(t), *last = NULL;
	size_t count = 0;

	CHECK(it == (in[0] ? &item[0] : naive(0, 1)));
	for (; it; count++) {
		struct tree_key k = key_of((unsigned)(it - item));

		last = it;
		it = tree_after(t, &k);
		CHECK(it == naive((unsigned)(last - item), 1));
	}
	CHECK(tree_last(t) == last);
	CHECK_INT(t->count, count);
	CHECK((count == 0) == (t->root == NULL && t->nodes == 0 && t->bytes == 0));
}

TEST(an_empty_tree)
{
	struct tree t;
	struct tree_key k;

	begin(&t, 1);
	k = key_of(0);
	CHECK(!tree_first(&t) && !tree_last(&t) && !tree_find(&t, &k) && !tree_remove(&t, &k));
	CHECK(!tree_after(&t, &k) && !tree_before(&t, &k));
	CHECK_INT(tree_drain(&t, 5, NULL, NULL), 0);
	tree_close(&t);
}

TEST(random_operations_agree_with_an_array)
{
	static const unsigned same[] = {1, 3, 100, ITEMS};

	test_seed(1);
	for (int s = 0; s < 4; s++) {
		struct tree t;

		begin(&t, same[s]);
		for (int step = 0; step < 120000; step++) {
			unsigned i = (unsigned)test_random_below(ITEMS);
			bool fill = step / 20000 % 2 == 0;

			if (in[i] && test_random_below(8) < (fill ? 1 : 8))
				take(&t, i);
			else if (!in[i] && test_random_below(8) < (fill ? 8 : 1))
				put(&t, i);
			if (step % 10 == 0)
				check_around(&t, (unsigned)test_random_below(ITEMS));
			if (step % 4000 == 0)
				check_all(&t);
		}
		for (unsigned i = 0; i < ITEMS; i++)
			take(&t, i);
		check_all(&t);
		tree_close(&t);
	}
}

TEST(every_small_number_of_items_in_every_order)
{
	for (unsigned n = 1; n <= 120; n++)
		for (int order = 0; order < 3; order++) {
			struct tree t;

			begin(&t, 2);
			for (unsigned i = 0; i < n; i++)
				put(&t, order == 0 ? i : order == 1 ? n - 1 - i : i * 37 % 127);
			check_all(&t);
			for (unsigned i = 0; i < 127; i++) {
				take(&t, i * 53 % 127); /* 127 is prime: all, out of order */
				check_around(&t, i);
			}
			check_all(&t);
			tree_close(&t);
		}
}

TEST(a_queue_moves_on_in_either_direction)
{
	for (int back = 0; back < 2; back++) {
		struct tree t;

		begin(&t, 1);
		for (unsigned k = 0; k < ITEMS; k++) {
			put(&t, back ? ITEMS - 1 - k : k);
			if (k >= 100)
				take(&t, back ? ITEMS - 1 - (k - 100) : k - 100);
			CHECK(t.bytes < 8000);
		}
		CHECK_INT(t.count, 100);
		check_all(&t);
		tree_close(&t);
	}
}

TEST(what_comes_in_order_is_packed_densely)
{
	for (int back = 0; back < 2; back++) {
		struct tree t;

		begin(&t, 1);
		for (unsigned k = 0; k < ITEMS; k++)
			put(&t, back ? ITEMS - 1 - k : k);
		CHECK(t.bytes < 18 * ITEMS);
		check_all(&t);
		for (unsigned k = 0; k < ITEMS; k++)
			take(&t, back ? k : ITEMS - 1 - k);
		check_all(&t);
		tree_close(&t);
	}
}

TEST(small_trees_are_small)
{
	struct tree t;

	begin(&t, 1);
	for (unsigned k = 0; k < 48; k++) {
		put(&t, k);
		CHECK(t.bytes <= 80 + 33 * k);
	}
	for (unsigned k = 0; k < 47; k++)
		take(&t, k);
	CHECK(t.bytes <= 120);
	check_all(&t);
	tree_close(&t);
}

TEST(items_are_looked_at_where_ranks_do_not_decide)
{
	struct tree t;

	begin(&t, 1);
	looked = 0;
	for (unsigned k = 0; k < ITEMS; k++)
		put(&t, k * 37 % ITEMS); /* 37 and ITEMS share no factor: all of them */
	CHECK_INT(looked, 0);
	for (unsigned k = 0; k < ITEMS; k++)
		take(&t, k);
	CHECK_INT(looked, ITEMS);
	tree_close(&t);
}

TEST(a_slot_may_be_given_another_item)
{
	struct item other = {7, 0};
	struct tree t;
	struct tree_key k;

	begin(&t, 1);
	for (unsigned i = 0; i < 500; i++)
		put(&t, i);
	k = key_of(7);
	*tree_find(&t, &k) = &other;
	k = key_of(6);
	CHECK(tree_after(&t, &k) == &other);
	k = key_of(7);
	CHECK(tree_remove(&t, &k) == &other);
	tree_close(&t);
}

static void drop(void *it, void *ctx)
{
	unsigned i = (unsigned)((struct item *)it - item), *last = ctx;

	CHECK(in[i] && i < *last);
	*last = i;
	in[i] = false;
}

TEST(draining_goes_from_the_end)
{
	static const size_t most[] = {1, 7, 48, 49, 100000};

	for (int m = 0; m < 5; m++) {
		struct tree t;
		unsigned last = ITEMS;
		size_t n;

		begin(&t, 5);
		for (unsigned i = 0; i < ITEMS; i++)
			put(&t, i * 37 % ITEMS);
		while ((n = tree_drain(&t, most[m], drop, &last)) > 0)
			CHECK(n == most[m] || t.count == 0);
		CHECK_INT(last, 0);
		check_all(&t);
		for (unsigned i = 0; i < ITEMS; i++)
			put(&t, i);
		tree_drain(&t, most[m], NULL, NULL);
		tree_close(&t); /* half drained */
	}
}
