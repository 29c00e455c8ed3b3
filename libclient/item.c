#include "item.h"

#include <math.h>

const uint8_t *item_skip(const uint8_t *p)
{
	uint64_t left = 1;
	struct item_head h;

	while (left > 0) {
		uint8_t major = *p >> 5, info = *p & 31;

		left--;
		if (major < ITEM_BYTES || major == ITEM_SIMPLE) { /* what it says does not matter */
			p += info < 24 ? 1 : 1 + ((size_t)1 << (info - 24));
			continue;
		}
		p = item_head(p, &h);
		switch (h.major) {
		case ITEM_BYTES:
		case ITEM_TEXT:
			p += h.arg;
			break;
		case ITEM_ARRAY:
			left += h.arg;
			break;
		case ITEM_MAP:
			left += 2 * h.arg;
			break;
		case ITEM_TAG:
			left++;
			break;
		default:
			break;
		}
	}
	return p;
}

static enum item_type type_of_simple(const struct item_head *h)
{
	if (h->info > 24)
		return ITEM_TYPE_FLOAT;
	switch (h->arg) {
	case 20:
	case 21:
		return ITEM_TYPE_BOOL;
	case 22:
		return ITEM_TYPE_NULL;
	case 23:
		return ITEM_TYPE_UNDEFINED;
	default:
		return ITEM_TYPE_SIMPLE;
	}
}

enum item_type item_type(const uint8_t *p)
{
	struct item_head h;

	p = item_head(p, &h);
	switch ((enum item_major)h.major) {
	case ITEM_UINT:
	case ITEM_NINT:
		return ITEM_TYPE_INT;
	case ITEM_BYTES:
		return ITEM_TYPE_BYTES;
	case ITEM_TEXT:
		return ITEM_TYPE_TEXT;
	case ITEM_ARRAY:
		return ITEM_TYPE_ARRAY;
	case ITEM_MAP:
		return ITEM_TYPE_MAP;
	case ITEM_TAG:
		/* A bignum's content is bytes; anything else under tag 2 or 3 is a tag. */
		return (h.arg == 2 || h.arg == 3) && *p >> 5 == ITEM_BYTES ? ITEM_TYPE_INT
		                                                            : ITEM_TYPE_TAG;
	case ITEM_SIMPLE:
		break;
	}
	return type_of_simple(&h);
}

static const char *const type_names[ITEM_TYPES] = {
	[ITEM_TYPE_ANY] = "any",       [ITEM_TYPE_NULL] = "null",
	[ITEM_TYPE_BOOL] = "bool",     [ITEM_TYPE_INT] = "int",
	[ITEM_TYPE_FLOAT] = "float",   [ITEM_TYPE_NUMBER] = "number",
	[ITEM_TYPE_TEXT] = "text",     [ITEM_TYPE_BYTES] = "bytes",
	[ITEM_TYPE_ARRAY] = "array",   [ITEM_TYPE_MAP] = "map",
	[ITEM_TYPE_TAG] = "tag",       [ITEM_TYPE_SIMPLE] = "simple",
	[ITEM_TYPE_UNDEFINED] = "undefined",
};

const char *item_type_name(enum item_type t)
{
	return (unsigned)t < ITEM_TYPES ? type_names[t] : "unknown";
}

int item_type_named(struct bytes name)
{
	for (int t = 0; t < ITEM_TYPES; t++)
		if (bytes_equal(name, bytes_of(type_names[t])))
			return t;
	return -1;
}

struct bytes item_string(const uint8_t *p)
{
	struct item_head h;

	p = item_head(p, &h);
	if (h.major != ITEM_BYTES && h.major != ITEM_TEXT)
		return (struct bytes){NULL, 0};
	return (struct bytes){p, h.arg};
}

static void put_be(struct buf *b, uint8_t first, uint64_t arg, unsigned size)
{
	uint8_t *to = buf_reserve(b, size + 1);

	if (!to)
		return;
	*to++ = first;
	for (unsigned i = size; i > 0; i--)
		*to++ = (uint8_t)(arg >> 8 * (i - 1));
	b->len += size + 1;
}

void item_put_head(struct buf *b, enum item_major major, uint64_t arg)
{
	uint8_t m = (uint8_t)(major << 5);

	if (arg < 24)
		put_be(b, (uint8_t)(m | arg), 0, 0);
	else if (arg <= UINT8_MAX)
		put_be(b, m | 24, arg, 1);
	else if (arg <= UINT16_MAX)
		put_be(b, m | 25, arg, 2);
	else if (arg <= UINT32_MAX)
		put_be(b, m | 26, arg, 4);
	else
		put_be(b, m | 27, arg, 8);
}

void item_put_uint(struct buf *b, uint64_t v)
{
	item_put_head(b, ITEM_UINT, v);
}

void item_put_int(struct buf *b, int64_t v)
{
	if (v < 0)
		item_put_head(b, ITEM_NINT, ~(uint64_t)v);
	else
		item_put_head(b, ITEM_UINT, (uint64_t)v);
}

void item_put_bool(struct buf *b, bool v)
{
	buf_byte(b, v ? 0xf5 : 0xf4);
}

void item_put_null(struct buf *b)
{
	buf_byte(b, ITEM_NULL);
}

/* The half of exactly that value, or -1. */
static int half_of(uint32_t single)
{
	uint32_t sign = single >> 16 & 0x8000, fraction = single & 0x7fffff;
	int exponent = (int)(single >> 23 & 0xff) - 127;

	if ((single & 0x7fffffff) == 0)
		return (int)sign;
	if (exponent == 128) /* NaN does not come here */
		return (int)(sign | 0x7c00);
	if (exponent >= -14 && exponent <= 15 && (fraction & 0x1fff) == 0)
		return (int)(sign | (uint32_t)(exponent + 15) << 10 | fraction >> 13);
	if (exponent >= -24 && exponent < -14) { /* subnormal as a half */
		unsigned drop = (unsigned)(-1 - exponent);

		fraction |= 0x800000;
		if ((fraction & ((1u << drop) - 1)) == 0)
			return (int)(sign | fraction >> drop);
	}
	return -1;
}

void item_put_float(struct buf *b, double v)
{
	float f;
	uint32_t single;
	uint64_t bits;
	int half;

	if (isnan(v)) {
		put_be(b, 0xf9, 0x7e00, 2);
		return;
	}
	memcpy(&bits, &v, sizeof bits);
	if (fabs(v) > 3.4028234663852886e38 && !isinf(v)) { /* beyond any float: no cast */
		put_be(b, 0xfb, bits, 8);
		return;
	}
	f = (float)v;
	if ((double)f != v) {
		put_be(b, 0xfb, bits, 8);
		return;
	}
	memcpy(&single, &f, sizeof single);
	half = half_of(single);
	if (half >= 0)
		put_be(b, 0xf9, (uint64_t)half, 2);
	else
		put_be(b, 0xfa, single, 4);
}

void item_put_text(struct buf *b, const char *s)
{
	item_put_text_n(b, bytes_of(s));
}

void item_put_text_n(struct buf *b, struct bytes s)
{
	item_put_head(b, ITEM_TEXT, s.n);
	buf_append(b, s.p, s.n);
}

void item_put_bytes(struct buf *b, struct bytes s)
{
	item_put_head(b, ITEM_BYTES, s.n);
	buf_append(b, s.p, s.n);
}

void item_put_item(struct buf *b, struct bytes item)
{
	buf_append(b, item.p, item.n);
}

static double half_value(uint32_t half)
{
	int exponent = (int)(half >> 10 & 31);
	double fraction = half & 0x3ff, v;

	if (exponent == 0)
		v = ldexp(fraction, -24);
	else if (exponent == 31)
		v = fraction != 0 ? NAN : INFINITY;
	else
		v = ldexp(fraction + 1024, exponent - 25);
	return half & 0x8000 ? -v : v;
}

double item_float(const struct item_head *h)
{
	uint32_t single = (uint32_t)h->arg;
	double v;
	float f;

	switch (h->info) {
	case 25:
		return half_value(single);
	case 26:
		memcpy(&f, &single, sizeof f);
		return (double)f;
	default:
		memcpy(&v, &h->arg, sizeof v);
		return v;
	}
}
