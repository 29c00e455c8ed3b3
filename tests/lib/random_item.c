#include "random_item.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>

/* Bytes of a head's argument: 0 when it is within the first byte. */
static unsigned least_width(uint64_t arg)
{
	return arg < 24            ? 0
	       : arg <= UINT8_MAX  ? 1
	       : arg <= UINT16_MAX ? 2
	       : arg <= UINT32_MAX ? 4
				   : 8;
}

static void put_head(struct buf *b, unsigned major, uint64_t arg, unsigned width)
{
	static const uint8_t info[] = {0, 24, 25, 0, 26, 0, 0, 0, 27};

	buf_byte(b, (uint8_t)(major << 5 | (width == 0 ? arg : info[width])));
	for (unsigned i = width; i > 0; i--)
		buf_byte(b, (uint8_t)(arg >> (i - 1) * 8));
}

static void put_sloppy_head(struct buf *b, unsigned major, uint64_t arg)
{
	unsigned width = least_width(arg);

	for (unsigned more = (unsigned)test_random_below(8); more > 4 && width < 8; more--)
		width = width == 0 ? 1 : width * 2;
	put_head(b, major, arg, width);
}

static void put_both(struct buf *c, struct buf *s, unsigned major, uint64_t arg)
{
	put_head(c, major, arg, least_width(arg));
	put_sloppy_head(s, major, arg);
}

static uint64_t random_arg(void)
{
	return test_random() >> test_random_below(64);
}

/* Text: whole characters, so that it can be cut anywhere between two. */
static size_t random_character(uint8_t *p, unsigned major)
{
	static const char *const some[] = {"a", "b",    "\"", "\\", "\n", "7",
					   " ", "\x7f", "é",  "漢", "😀",  "\x01"};
	const char *s = some[test_random_below(sizeof some / sizeof *some)];

	if (major == 2) {
		*p = (uint8_t)test_random();
		return 1;
	}
	memcpy(p, s, strlen(s));
	return strlen(s);
}

static void random_string(struct buf *c, struct buf *s, unsigned major)
{
	uint8_t text[4 * 80];
	size_t n = 0, chunk = 0;
	unsigned characters = (unsigned)test_random_below(test_random_below(8) == 0 ? 80 : 6);
	bool open = test_random_below(3) == 0;

	if (open)
		buf_byte(s, (uint8_t)(major << 5 | 31));
	for (unsigned i = 0; i < characters; i++) {
		n += random_character(text + n, major);
		if (open && test_random_below(3) == 0) {
			put_sloppy_head(s, major, n - chunk);
			buf_append(s, text + chunk, n - chunk);
			chunk = n;
		}
	}
	put_head(c, major, n, least_width(n));
	buf_append(c, text, n);
	put_sloppy_head(s, major, n - chunk);
	buf_append(s, text + chunk, n - chunk);
	if (open)
		buf_byte(s, 0xff);
}

static void random_bignum(struct buf *c, struct buf *s)
{
	unsigned tag = 2 + (unsigned)test_random_below(2), n = (unsigned)test_random_below(20);
	unsigned zeros = (unsigned)test_random_below(4);
	uint8_t bytes[24] = {0};
	uint64_t small = 0;

	for (unsigned i = 0; i < n; i++)
		bytes[zeros + i] = (uint8_t)(test_random() | (i == 0));
	put_sloppy_head(s, 6, tag);
	put_sloppy_head(s, 2, zeros + n);
	buf_append(s, bytes, zeros + n);
	if (n > 8) {
		put_head(c, 6, tag, 0);
		put_head(c, 2, n, 0);
		buf_append(c, bytes + zeros, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		small = small << 8 | bytes[zeros + i];
	put_head(c, tag - 2, small, least_width(small));
}

static void put_float(struct buf *b, double v, unsigned width)
{
	uint64_t bits = 0;
	uint32_t single;
	float f = (float)v;

	memcpy(&bits, &v, sizeof v);
	memcpy(&single, &f, sizeof f);
	put_head(b, 7, width == 4 ? single : bits, width);
}

static double half_value(unsigned half)
{
	int exponent = half >> 10 & 31, mantissa = half & 1023;
	double v = exponent == 0 ? ldexp(mantissa, -24) : ldexp(mantissa + 1024, exponent - 25);

	return half & 0x8000 ? -v : v;
}

static void random_half(struct buf *c, struct buf *s)
{
	unsigned half = (unsigned)test_random() & 0xffff, width = 2u << test_random_below(3);
	double v;

	if ((half >> 10 & 31) == 31) { /* an infinity, or any NaN */
		v = half & 1 ? (double)NAN : half & 0x8000 ? -(double)INFINITY : (double)INFINITY;
		put_head(c, 7, half & 1 ? 0x7e00 : half & 0x8000 ? 0xfc00 : 0x7c00, 2);
		width = width == 2 ? 4 : width;
	} else {
		v = half_value(half);
		put_head(c, 7, half, 2);
	}
	if (width == 2)
		put_head(s, 7, half, 2);
	else
		put_float(s, v, width);
}

static void random_float(struct buf *c, struct buf *s)
{
	uint64_t bits = test_random();
	uint32_t single = (uint32_t)bits | 1;
	double v;
	float f;

	if (test_random_below(2) == 0) { /* a half holds no float whose last bit is set */
		memcpy(&f, &single, sizeof f);
		v = isfinite(f) ? (double)f : 1 + 0x1p-23;
		put_float(c, v, 4);
		put_float(s, v, test_random_below(2) == 0 ? 4 : 8);
		return;
	}
	bits |= 1;
	memcpy(&v, &bits, sizeof v);
	v = isfinite(v) ? v : 0.1;
	put_float(c, v, 8);
	put_float(s, v, 8);
}

static void random_simple(struct buf *c, struct buf *s)
{
	static const uint8_t some[] = {20, 21, 22, 23, 0, 19, 32, 255};
	uint8_t v = some[test_random_below(sizeof some)];

	put_head(c, 7, v, v < 24 ? 0 : 1);
	put_head(s, 7, v, v < 24 ? 0 : 1);
}

struct entry {
	struct buf key, value, sloppy_key, sloppy_value;
	uint64_t place;
};

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t n = x->key.len < y->key.len ? x->key.len : y->key.len;
	int c = memcmp(x->key.data, y->key.data, n);

	return c != 0 ? c : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

static void entry_close(struct entry *e)
{
	buf_close(&e->key);
	buf_close(&e->value);
	buf_close(&e->sloppy_key);
	buf_close(&e->sloppy_value);
}

static void random_map(struct buf *c, struct buf *s, unsigned depth)
{
	struct entry all[40];
	unsigned wanted = (unsigned)test_random_below(test_random_below(9) == 0 ? 40 : 5), n = 0;
	bool open = test_random_below(3) == 0;

	for (unsigned i = 0; i < wanted; i++) {
		all[i] = (struct entry){.place = test_random()};
		random_item(&all[i].key, &all[i].sloppy_key, depth - 1);
		random_item(&all[i].value, &all[i].sloppy_value, depth - 1);
	}
	qsort(all, wanted, sizeof *all, by_key);
	for (unsigned i = 0; i < wanted; i++) {
		if (n > 0 && by_key(&all[n - 1], &all[i]) == 0)
			entry_close(&all[i]);
		else
			all[n++] = all[i];
	}
	put_head(c, 5, n, least_width(n));
	for (unsigned i = 0; i < n; i++) {
		buf_append(c, all[i].key.data, all[i].key.len);
		buf_append(c, all[i].value.data, all[i].value.len);
	}
	qsort(all, n, sizeof *all, by_place);
	if (open)
		buf_byte(s, 0xbf);
	else
		put_sloppy_head(s, 5, n);
	for (unsigned i = 0; i < n; i++) {
		buf_append(s, all[i].sloppy_key.data, all[i].sloppy_key.len);
		buf_append(s, all[i].sloppy_value.data, all[i].sloppy_value.len);
		entry_close(&all[i]);
	}
	if (open)
		buf_byte(s, 0xff);
}

static void random_array(struct buf *c, struct buf *s, unsigned depth)
{
	unsigned n = (unsigned)test_random_below(test_random_below(9) == 0 ? 40 : 5);
	bool open = test_random_below(3) == 0;

	put_head(c, 4, n, least_width(n));
	if (open)
		buf_byte(s, 0x9f);
	else
		put_sloppy_head(s, 4, n);
	for (unsigned i = 0; i < n; i++)
		random_item(c, s, depth - 1);
	if (open)
		buf_byte(s, 0xff);
}

static void random_tag(struct buf *c, struct buf *s, unsigned depth)
{
	uint64_t tag = random_arg();

	put_both(c, s, 6, tag == 2 || tag == 3 || tag == 21580 || tag == 21581 ? 1 : tag);
	random_item(c, s, depth - 1);
}

void random_item(struct buf *canonical, struct buf *sloppy, unsigned depth)
{
	struct buf unused = BUF_INIT, *s = sloppy != NULL ? sloppy : &unused;

	switch (test_random_below(depth > 0 ? 12 : 8)) {
	case 0:
	case 1:
		put_both(canonical, s, (unsigned)test_random_below(2), random_arg());
		break;
	case 2:
		random_simple(canonical, s);
		break;
	case 3:
		random_half(canonical, s);
		break;
	case 4:
		random_float(canonical, s);
		break;
	case 5:
	case 6:
		random_string(canonical, s, 2 + (unsigned)test_random_below(2));
		break;
	case 7: /* a bignum is a tag */
		if (depth > 0)
			random_bignum(canonical, s);
		else
			put_both(canonical, s, 0, 1);
		break;
	case 8:
		random_tag(canonical, s, depth);
		break;
	case 9:
		random_map(canonical, s, depth);
		break;
	default:
		random_array(canonical, s, depth);
	}
	buf_close(&unused);
}
