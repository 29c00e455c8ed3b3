/* The order of values, and ranges beside the comparison of the language. */
#include "../../libclient/compare.h"
#include "../../libclient/formal.h"
#include "../../libclient/item.h"
#include "../lib/harness.h"

#include <float.h>
#include <math.h>

__extension__ typedef __int128 wide;

/* A random number: an integer of up to 100 bits, or a float. */
struct number {
	bool is_int;
	wide i;
	double d;
};

static void put_wide(struct buf *b, wide v)
{
	bool negative = v < 0;
	wide n = negative ? -1 - v : v;
	uint8_t digits[16];
	size_t first = 16;

	if (n <= UINT64_MAX) {
		item_put_head(b, negative ? ITEM_NINT : ITEM_UINT, (uint64_t)n);
		return;
	}
	for (; n > 0; n >>= 8)
		digits[--first] = (uint8_t)n;
	item_put_head(b, ITEM_TAG, negative ? 3 : 2);
	item_put_bytes(b, (struct bytes){digits + first, 16 - first});
}

static void put_number(struct buf *b, const struct number *v)
{
	if (v->is_int)
		put_wide(b, v->i);
	else
		item_put_float(b, v->d);
}

/* Mostly close to a power of two, where integers, bignums and floats meet. */
static struct number random_number(int ints)
{
	static const double odd[] = {0.0, -0.0, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MIN,
				     0.5, -0.5, 4.9406564584124654e-324};
	struct number v = {.is_int = ints > 0 || (ints < 0 && test_random_below(2))};
	wide near = ((wide)1 << test_random_below(100)) + (wide)test_random_below(5) - 2;

	if (test_random_below(2))
		near = -near;
	if (test_random_below(4) == 0)
		near = (wide)test_random_below(7) - 3;
	v.i = near;
	v.d = (double)near + ((double)test_random_below(5) - 2) / 4;
	if (test_random_below(3) == 0)
		v.d = nextafter(v.d, test_random_below(2) ? INFINITY : -INFINITY);
	if (test_random_below(10) == 0)
		v.d = odd[test_random_below(sizeof odd / sizeof *odd)];
	return v;
}

/* What is between two integers is above the lower one by a half: enough to compare. */
static int compare_mixed(wide i, double d)
{
	wide low;

	if (fabs(d) > 0x1p110)
		return d > 0 ? -1 : 1;
	low = (wide)floor(d);
	if (i != low)
		return i < low ? -1 : 1;
	return floor(d) < d ? -1 : 0;
}

static int compare_numbers(const struct number *a, const struct number *b)
{
	if (a->is_int && b->is_int)
		return a->i < b->i ? -1 : a->i > b->i;
	if (a->is_int)
		return compare_mixed(a->i, b->d);
	if (b->is_int)
		return -compare_mixed(b->i, a->d);
	return a->d < b->d ? -1 : a->d > b->d;
}

static int sign(int c)
{
	return c < 0 ? -1 : c > 0;
}

TEST(numbers_compare_exactly)
{
	for (int i = 0; i < 200000; i++) {
		struct number x = random_number(-1), y = random_number(-1);
		struct buf a = BUF_INIT, b = BUF_INIT;

		put_number(&a, &x);
		put_number(&b, &y);
		CHECK_INT(sign(compare_items(a.data, b.data)), compare_numbers(&x, &y));
		CHECK_INT(sign(compare_items(b.data, a.data)), -compare_numbers(&x, &y));
		CHECK_INT(compare_items(a.data, a.data), 0);
		buf_close(&a);
		buf_close(&b);
	}
}

TEST(ranks_go_up_with_the_order)
{
	unsigned differ = 0;

	for (int i = 0; i < 200000; i++) {
		struct number x = random_number(-1), y = random_number(-1);
		struct buf a = BUF_INIT, b = BUF_INIT;
		int c;

		put_number(&a, &x);
		put_number(&b, &y);
		c = compare_items(a.data, b.data);
		CHECK(c > 0 || compare_rank(a.data) <= compare_rank(b.data));
		CHECK(c != 0 || compare_rank(a.data) == compare_rank(b.data));
		differ += compare_rank(a.data) != compare_rank(b.data);
		buf_close(&a);
		buf_close(&b);
	}
	CHECK(differ > 100000);
}

TEST(nan_is_the_last)
{
	struct buf nan = BUF_INIT;

	item_put_float(&nan, NAN);
	CHECK_INT(compare_items(nan.data, nan.data), 0);
	for (int i = 0; i < 1000; i++) {
		struct number x = random_number(-1);
		struct buf a = BUF_INIT;

		put_number(&a, &x);
		CHECK_INT(compare_items(a.data, nan.data), -1);
		CHECK_INT(compare_items(nan.data, a.data), 1);
		CHECK(compare_rank(nan.data) > compare_rank(a.data));
		buf_close(&a);
	}
	buf_close(&nan);
}

/* A formal with the bounds `low` and `high`, both or one, open or not. */
static void put_range(struct buf *b, const char *type, const struct number *low, bool low_open,
		      const struct number *high, bool high_open)
{
	item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_head(b, ITEM_MAP, 1 + (low != NULL) + (high != NULL));
	if (low) {
		item_put_text(b, low_open ? "gt" : "ge");
		put_number(b, low);
	}
	if (high) {
		item_put_text(b, high_open ? "lt" : "le");
		put_number(b, high);
	}
	item_put_text(b, "type");
	item_put_text(b, type);
}

TEST(a_range_is_what_its_bounds_say)
{
	static const char *const types[] = {"float", "int", "number"};
	int hits = 0;

	for (int i = 0; i < 200000; i++) {
		int kind = (int)test_random_below(3), ints = kind < 2 ? kind : -1;
		struct number low = random_number(ints), high = random_number(ints),
			      v = random_number(kind < 2 && i % 8 ? ints : -1);
		unsigned how = 1 + (unsigned)test_random_below(15);
		bool low_open = how >> 2 & 1, high_open = how >> 3 & 1;
		bool want = kind == 2 || v.is_int == kind;
		struct number *l = how & 1 ? &low : NULL, *h = how & 2 ? &high : NULL;
		struct buf t = BUF_INIT, item = BUF_INIT;
		struct formal f;
		struct bytes detail;
		const char *why;

		put_range(&t, types[kind], l, low_open, h, high_open);
		put_number(&item, &v);
		want = want && (!l || compare_numbers(&v, l) >= low_open);
		want = want && (!h || compare_numbers(&v, h) <= -(int)high_open);
		CHECK_INT(formal_read(t.data, &f, &why, &detail), 0);
		CHECK(formal_match(t.data, item.data) == want);
		hits += want;
		buf_close(&t);
		buf_close(&item);
	}
	CHECK(hits > 20000 && hits < 180000);
}

TEST(texts_and_bytes_compare_by_their_bytes)
{
	for (int i = 0; i < 20000; i++) {
		uint8_t x[4], y[4];
		size_t n = test_random_below(5), m = test_random_below(5);
		struct buf a = BUF_INIT, b = BUF_INIT;
		int want;

		for (int k = 0; k < 4; k++) {
			x[k] = (uint8_t)(test_random_below(2) * 0xff);
			y[k] = (uint8_t)(test_random_below(2) * 0xff);
		}
		want = sign(memcmp(x, y, n < m ? n : m));
		want = want != 0 ? want : (n > m) - (n < m);
		item_put_bytes(&a, (struct bytes){x, n});
		item_put_bytes(&b, (struct bytes){y, m});
		CHECK_INT(sign(compare_items(a.data, b.data)), want);
		CHECK(want > 0 || compare_rank(a.data) <= compare_rank(b.data));
		buf_close(&a);
		buf_close(&b);
	}
}
