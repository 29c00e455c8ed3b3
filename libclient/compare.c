#include "compare.h"

#include "base/buf.h"
#include "item.h"
#include "whole.h"

#include <math.h>

#define DOUBLE_BYTES 128 /* of the greatest double's integer part */

static int compare_bytes(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (c == 0)
		return a.n < b.n ? -1 : a.n > b.n;
	return c < 0 ? -1 : 1;
}

static int compare_doubles(double a, double b)
{
	if (isnan(a) || isnan(b))
		return !isnan(b) ? 1 : isnan(a) ? 0 : -1;
	return a < b ? -1 : a > b;
}

/* The digits of a finite double's integer part to the base of 256, from v >= 0. */
static void double_bytes(double v, uint8_t digits[DOUBLE_BYTES])
{
	int exponent, shift;
	uint64_t m;

	memset(digits, 0, DOUBLE_BYTES);
	m = (uint64_t)ldexp(frexp(v, &exponent), 53);
	shift = exponent - 53;
	if (shift < 0) {
		m = shift > -64 ? m >> -shift : 0;
		shift = 0;
	}
	for (int i = DOUBLE_BYTES - 1 - shift / 8, s = shift % 8; m != 0; i--, s = 0) {
		digits[i] = (uint8_t)(m << s);
		m >>= 8 - s;
	}
}

static void subtract_one(uint8_t digits[DOUBLE_BYTES])
{
	int i = DOUBLE_BYTES - 1;

	while (digits[i] == 0)
		digits[i--] = 0xff;
	digits[i]--;
}

/* Below zero v is -1 - n, so with f = -g: v is less than f when n + 1 is greater
 * than g, which is n > g - 1, or for a g between integers n >= floor(g). */
static int compare_mixed(const struct whole *v, double f)
{
	double g = fabs(f), part;
	bool negative = f < 0, between;
	uint8_t digits[DOUBLE_BYTES];
	int c;

	if (isnan(f))
		return -1;
	if (isinf(f))
		return negative ? 1 : -1;
	if (v->negative != negative)
		return v->negative ? -1 : 1;
	between = modf(g, &part) != 0;
	double_bytes(part, digits);
	if (negative && !between)
		subtract_one(digits);
	c = whole_compare_bytes(v->n, whole_trim((struct bytes){digits, sizeof digits}));
	if (c == 0 && between)
		c = negative ? 1 : -1;
	return negative ? -c : c;
}

static int compare_numbers(const uint8_t *a, const uint8_t *b)
{
	struct item_head f, g;
	struct whole x, y;
	bool a_int = item_type(a) == ITEM_TYPE_INT, b_int = item_type(b) == ITEM_TYPE_INT;

	if (a_int)
		whole_read(&x, a);
	else
		item_head(a, &f);
	if (b_int)
		whole_read(&y, b);
	else
		item_head(b, &g);
	if (a_int)
		return b_int ? whole_compare(&x, &y) : compare_mixed(&x, item_float(&g));
	return b_int ? -compare_mixed(&y, item_float(&f))
	             : compare_doubles(item_float(&f), item_float(&g));
}

int compare_items(const uint8_t *a, const uint8_t *b)
{
	if (*a >> 5 == ITEM_TEXT || *a >> 5 == ITEM_BYTES)
		return compare_bytes(item_string(a), item_string(b));
	return compare_numbers(a, b);
}

/* Doubles in their order. What is beyond 64 bits is as great as the greatest there,
 * so that no bignum must be made a double. */
static uint64_t rank_double(double v)
{
	uint64_t bits;

	v = v > 0x1p64 ? 0x1p64 : v < -0x1p64 ? -0x1p64 : v == 0 ? 0.0 : v;
	memcpy(&bits, &v, sizeof bits);
	return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t rank_number(const uint8_t *p)
{
	struct item_head h;

	item_head(p, &h);
	switch (h.major) {
	case ITEM_UINT:
		return rank_double((double)h.arg);
	case ITEM_NINT:
		return rank_double(h.arg == UINT64_MAX ? -0x1p64 : -(double)(h.arg + 1));
	case ITEM_TAG:
		return rank_double(h.arg == 3 ? -INFINITY : INFINITY);
	default:
		return item_is_nan(p) ? UINT64_MAX : rank_double(item_float(&h));
	}
}

uint64_t compare_rank(const uint8_t *p)
{
	struct bytes s;
	uint64_t rank = 0;

	if (*p >> 5 != ITEM_TEXT && *p >> 5 != ITEM_BYTES)
		return rank_number(p);
	s = item_string(p);
	for (size_t i = 0; i < 8; i++)
		rank = rank << 8 | (i < s.n ? s.p[i] : 0);
	return rank;
}
