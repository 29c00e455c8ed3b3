#include "../../libclient/item.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../lib/harness.h"

#include <math.h>

/* Fails unless the buffer holds these bytes; closes it. */
static void expect(struct buf *b, const char *hex)
{
	uint8_t want[64];
	size_t n = test_unhex(hex, want, sizeof want);
	bool same = b->len == n && memcmp(b->data, want, n) == 0;
	char got[200] = "";

	for (size_t i = 0; i < b->len && i < 64; i++)
		snprintf(got + 2 * i, 3, "%02x", b->data[i]);
	buf_close(b);
	if (!same)
		test_fail(__FILE__, __LINE__, "%s, not %s", got, hex);
}

TEST(integers_take_the_shortest_head)
{
	static const struct {
		int64_t v;
		const char *hex;
	} rows[] = {
		{0, "00"}, {1, "01"}, {23, "17"}, {24, "1818"}, {255, "18ff"}, {256, "190100"},
		{65535, "19ffff"}, {65536, "1a00010000"}, {4294967295, "1affffffff"},
		{4294967296, "1b0000000100000000"}, {INT64_MAX, "1b7fffffffffffffff"},
		{-1, "20"}, {-24, "37"}, {-25, "3818"}, {-256, "38ff"}, {-257, "390100"},
		{INT64_MIN, "3b7fffffffffffffff"},
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		item_put_int(&b, rows[i].v);
		expect(&b, rows[i].hex);
	}
	item_put_uint(&b, UINT64_MAX);
	expect(&b, "1bffffffffffffffff");
}

TEST(floats_take_the_shortest_form_that_keeps_the_value)
{
	static const struct {
		double v;
		const char *hex;
	} rows[] = { /* RFC 8949 appendix A, and the edges of each width */
		{0.0, "f90000"}, {-0.0, "f98000"}, {1.0, "f93c00"}, {1.1, "fb3ff199999999999a"},
		{1.5, "f93e00"}, {65504.0, "f97bff"}, {100000.0, "fa47c35000"},
		{3.4028234663852886e+38, "fa7f7fffff"}, {1.0e+300, "fb7e37e43c8800759c"},
		{5.960464477539063e-8, "f90001"}, {0.00006103515625, "f90400"}, {-4.0, "f9c400"},
		{-4.1, "fbc010666666666666"}, {INFINITY, "f97c00"}, {-INFINITY, "f9fc00"},
		{NAN, "f97e00"}, {-NAN, "f97e00"},
		{65505.0, "fa477fe100"}, {65520.0, "fa477ff000"}, {65536.0, "fa47800000"},
		{0x1.ff8p-15, "f903ff"}, {0x1.ffcp-15, "fa387fe000"}, {0x1p-25, "fa33000000"},
		{0x1.8p-24, "fa33c00000"}, {0x1p-149, "fa00000001"},
		{0x1p-150, "fb3690000000000000"},
		{0x1.ffffffp127, "fb47effffff0000000"}, {0x1p128, "fb47f0000000000000"},
		{0x1p-1074, "fb0000000000000001"},
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		item_put_float(&b, rows[i].v);
		expect(&b, rows[i].hex);
	}
}

TEST(every_half_is_read_and_written_back)
{
	for (uint32_t half = 0; half < 0x10000; half++) {
		struct item_head h = {ITEM_SIMPLE, 25, half};
		struct buf b = BUF_INIT;
		double v = item_float(&h);

		item_put_float(&b, v);
		CHECK_INT(b.len, 3);
		if ((half & 0x7fff) > 0x7c00)
			CHECK(isnan(v) && b.data[1] == 0x7e && b.data[2] == 0);
		else
			CHECK_INT(b.data[1] << 8 | b.data[2], half);
		buf_close(&b);
	}
}

TEST(random_floats_of_all_widths_come_back)
{
	test_seed(1);
	for (int i = 0; i < 200000; i++) {
		uint64_t bits = test_random();
		struct item_head h, back;
		struct buf b = BUF_INIT;
		double v;

		h = (struct item_head){ITEM_SIMPLE, i & 1 ? 27 : 26, i & 1 ? bits : bits >> 32};
		v = item_float(&h);
		item_put_float(&b, v);
		CHECK(b.len <= (i & 1 ? 9 : 5));
		CHECK(item_head(b.data, &back) == b.data + b.len);
		CHECK(isnan(v) ? isnan(item_float(&back)) : item_float(&back) == v);
		CHECK_INT(item_type(b.data), ITEM_TYPE_FLOAT);
		buf_close(&b);
	}
}

TEST(strings_and_simple_values)
{
	struct buf b = BUF_INIT;
	static const uint8_t bytes[] = {1, 2, 3};

	item_put_text(&b, "");
	expect(&b, "60");
	item_put_text(&b, "IETF");
	expect(&b, "6449455446");
	item_put_text_n(&b, (struct bytes){(const uint8_t *)"a\0b", 3});
	expect(&b, "63610062");
	item_put_bytes(&b, (struct bytes){bytes, 3});
	expect(&b, "43010203");
	item_put_bytes(&b, (struct bytes){NULL, 0});
	expect(&b, "40");
	item_put_bool(&b, true);
	item_put_bool(&b, false);
	item_put_null(&b);
	expect(&b, "f5f4f6");
	item_put_head(&b, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_item(&b, (struct bytes){bytes, 1});
	expect(&b, "d9544c01");
}

static enum item_type type_of(const char *hex)
{
	uint8_t p[32];

	test_unhex(hex, p, sizeof p);
	return item_type(p);
}

TEST(types)
{
	CHECK_INT(type_of("f6"), ITEM_TYPE_NULL);
	CHECK_INT(type_of("f4"), ITEM_TYPE_BOOL);
	CHECK_INT(type_of("f5"), ITEM_TYPE_BOOL);
	CHECK_INT(type_of("f7"), ITEM_TYPE_UNDEFINED);
	CHECK_INT(type_of("e0"), ITEM_TYPE_SIMPLE);
	CHECK_INT(type_of("f8ff"), ITEM_TYPE_SIMPLE);
	CHECK_INT(type_of("00"), ITEM_TYPE_INT);
	CHECK_INT(type_of("1bffffffffffffffff"), ITEM_TYPE_INT);
	CHECK_INT(type_of("20"), ITEM_TYPE_INT);
	CHECK_INT(type_of("c249010000000000000000"), ITEM_TYPE_INT);
	CHECK_INT(type_of("c349010000000000000000"), ITEM_TYPE_INT);
	CHECK_INT(type_of("c201"), ITEM_TYPE_TAG);
	CHECK_INT(type_of("c101"), ITEM_TYPE_TAG);
	CHECK_INT(type_of("d9544cf6"), ITEM_TYPE_TAG);
	CHECK_INT(type_of("f93c00"), ITEM_TYPE_FLOAT);
	CHECK_INT(type_of("fa47c35000"), ITEM_TYPE_FLOAT);
	CHECK_INT(type_of("fb3ff199999999999a"), ITEM_TYPE_FLOAT);
	CHECK_INT(type_of("40"), ITEM_TYPE_BYTES);
	CHECK_INT(type_of("60"), ITEM_TYPE_TEXT);
	CHECK_INT(type_of("80"), ITEM_TYPE_ARRAY);
	CHECK_INT(type_of("a0"), ITEM_TYPE_MAP);
}

TEST(type_names_go_both_ways)
{
	for (int t = 0; t < ITEM_TYPES; t++)
		CHECK_INT(item_type_named(bytes_of(item_type_name((enum item_type)t))), t);
	CHECK_INT(item_type_named(bytes_of("integer")), -1);
	CHECK_INT(item_type_named(bytes_of("")), -1);
	CHECK_INT(item_type_named(bytes_of("in")), -1);
	CHECK_INT(item_type_named(bytes_of("ints")), -1);
	CHECK(item_type_is(ITEM_TYPE_INT, ITEM_TYPE_NUMBER));
	CHECK(item_type_is(ITEM_TYPE_FLOAT, ITEM_TYPE_NUMBER));
	CHECK(!item_type_is(ITEM_TYPE_TEXT, ITEM_TYPE_NUMBER));
	CHECK(item_type_is(ITEM_TYPE_TEXT, ITEM_TYPE_ANY));
	CHECK(item_type_is(ITEM_TYPE_TEXT, ITEM_TYPE_TEXT));
	CHECK(!item_type_is(ITEM_TYPE_TEXT, ITEM_TYPE_BYTES));
}

TEST(skip_ends_where_the_item_ends)
{
	static const char *const items[] = {
		"00", "1818", "1bffffffffffffffff", "3863", "40", "4401020304", "60", "6161", "80",
		"83010203", "8301820203820405", "a0", "a201020304", "a26161016162820203",
		"c074323031332d30332d32315432303a30343a30305a", "d818456449455446", "f6", "f8ff",
		"f93c00", "fa47c35000", "fb7e37e43c8800759c", "d9544ca1616701", "81818181818180", "c2c2c240",
	};

	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		uint8_t p[80];
		size_t n = test_unhex(items[i], p, sizeof p);

		CHECK_INT(item_skip(p) - p, n);
		CHECK_INT(item_bytes(p).n, n);
	}
}

TEST(skip_of_deep_nesting_takes_no_stack)
{
	size_t n = 8u << 20;
	uint8_t *p = xmalloc(n + 1);

	memset(p, 0x81, n);
	p[n] = 0;
	CHECK(item_skip(p) == p + n + 1);
	xfree(p);
}

TEST(string_answers_the_contents)
{
	uint8_t p[300];

	test_unhex("6449455446", p, sizeof p);
	CHECK(bytes_equal(item_string(p), bytes_of("IETF")));
	test_unhex("43010203", p, sizeof p);
	CHECK_INT(item_string(p).n, 3);
	CHECK(item_string(p).p == p + 1);
	test_unhex("7818", p, sizeof p);
	CHECK_INT(item_string(p).n, 24);
	CHECK(item_string(p).p == p + 2);
	test_unhex("f6", p, sizeof p);
	CHECK(item_string(p).p == NULL);
	test_unhex("83010203", p, sizeof p);
	CHECK(item_string(p).p == NULL);
}

TEST(writing_without_memory_fails_the_buffer_and_nothing_else)
{
	struct buf b = BUF_INIT;

	xmalloc_fail_at(1, 1);
	item_put_uint(&b, 1);
	item_put_float(&b, 1.1);
	item_put_text(&b, "x");
	item_put_null(&b);
	xmalloc_fail_at(0, 0);
	CHECK(b.failed && b.len == 0);
	buf_close(&b);
}

TEST(every_error_has_a_text_and_a_word)
{
	CHECK_STR(error_text(0), "done");
	CHECK_STR(error_word(0), "ok");
	CHECK_STR(error_text(ERROR_NO_SPACE), "no such space");
	CHECK_STR(error_word(ERROR_NO_SPACE), "no-space");
	CHECK_STR(error_word(ERROR_DAMAGED), "damaged");
	CHECK_STR(error_text(1), "unknown error");
	CHECK_STR(error_text(-63), "unknown error");
	CHECK_STR(error_word(-1000), "unknown-error");
}
