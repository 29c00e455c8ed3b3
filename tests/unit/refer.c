#include "../../libclient/refer.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "../../libclient/whole.h"
#include "../lib/harness.h"

/* Fails unless the buffer holds these bytes; closes it. */
static void expect(struct buf *b, const char *hex)
{
	uint8_t want[256];
	size_t n = test_unhex(hex, want, sizeof want);
	bool same = b->len == n && memcmp(b->data, want, n) == 0;
	char got[600] = "";

	for (size_t i = 0; i < b->len && i < 256; i++)
		snprintf(got + 2 * i, 3, "%02x", b->data[i]);
	buf_close(b);
	if (!same)
		test_fail(__FILE__, __LINE__, "%s, not %s", got, hex);
}

TEST(integers_add_beyond_64_bits)
{
	static const struct {
		const char *a, *b, *sum;
	} rows[] = {
		{"00", "00", "00"},
		{"01", "02", "03"},
		{"17", "01", "1818"},
		{"05", "24", "00"},
		{"05", "25", "20"},
		{"20", "01", "00"},
		{"20", "20", "21"},
		{"1bffffffffffffffff", "00", "1bffffffffffffffff"},
		{"1bffffffffffffffff", "01", "c249010000000000000000"},
		{"1bffffffffffffffff", "1bffffffffffffffff", "c24901fffffffffffffffe"},
		{"3bffffffffffffffff", "00", "3bffffffffffffffff"},
		{"3bffffffffffffffff", "20", "c349010000000000000000"},
		{"3bffffffffffffffff", "01", "3bfffffffffffffffe"},
		{"c249010000000000000000", "20", "1bffffffffffffffff"},
		{"c249010000000000000000", "3bffffffffffffffff", "00"},
		{"c249010000000000000000", "c349010000000000000000", "20"},
		{"c349010000000000000000", "c249010000000000000000", "20"},
		{"c349010000000000000000", "01", "3bffffffffffffffff"},
		{"c24a01000000000000000000", "20", "c249ffffffffffffffffff"},
		{"c24a01000000000000000000", "c349ffffffffffffffffff", "00"},
		{"c350ffffffffffffffffffffffffffffffff", "c2510100000000000000000000000000000000",
		 "00"},
		{"c250ffffffffffffffffffffffffffffffff", "01",
		 "c2510100000000000000000000000000000000"},
		{"18ff", "01", "190100"},
		{"38ff", "20", "390100"},
		{"1b8000000000000000", "1b8000000000000000", "c249010000000000000000"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t a[64], b[64];
		struct buf sum = BUF_INIT;
		struct whole x, y;

		test_unhex(rows[i].a, a, sizeof a);
		test_unhex(rows[i].b, b, sizeof b);
		whole_read(&x, a);
		whole_read(&y, b);
		whole_put_sum(&sum, &x, &y);
		expect(&sum, rows[i].sum);
		whole_put_sum(&sum, &y, &x);
		expect(&sum, rows[i].sum);
	}
}

/* Guard 0 has matched [7, "ab"]. */
static struct bytes field(void *ctx, uint32_t guard, uint32_t index)
{
	static const uint8_t tuple[] = {0x07, 0x62, 'a', 'b'};

	(void)ctx;
	if (guard > 0 || index > 1)
		return (struct bytes){NULL, 0};
	return (struct bytes){tuple + index, index == 0 ? 1 : 3};
}

TEST(references_are_replaced_at_any_depth)
{
	static const struct {
		const char *item, *result, *why;
		size_t left;
		int code;
	} rows[] = {
		{"8101", "8101", NULL, 0, 0},
		{"8163616263", "8163616263", NULL, 0, 0},
		{"81d9544d820000", "8107", NULL, 1, 0},
		{"8301d9544d82000102", "830162616202", NULL, 9, 0},
		{"81d9544d8300001863", "81186a", NULL, 9, 0},
		{"81d9544d83000027", "8120", NULL, 9, 0},
		{"81a16161d9544d820001", "81a16161626162", NULL, 9, 0},
		{"8181c48201d9544d820000", "8181c4820107", NULL, 9, 0},
		{"82d9544d820000d9544d820001", "8207626162", NULL, 4, 0},
		{"81d9544d820002", NULL, "is not there", 9, ERROR_VALUE},
		{"81d9544d83000101", NULL, "is not an int", 9, ERROR_VALUE},
		{"82d9544d820000d9544d820001", NULL, "is too much", 3, ERROR_LIMIT},
		{"81d9544d83000001", NULL, "is too much", 1, ERROR_LIMIT},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct refer r = {.field = field, .left = rows[i].left};
		struct buf out = BUF_INIT;
		uint8_t item[64];
		size_t n = test_unhex(rows[i].item, item, sizeof item);

		CHECK_INT(refer_put(&out, (struct bytes){item, n}, &r), rows[i].code);
		if (rows[i].code == 0) {
			expect(&out, rows[i].result);
			continue;
		}
		buf_close(&out);
		CHECK_STR(r.why, rows[i].why);
		CHECK_INT(r.guard, 0);
	}
}
