/* Whether bytes are canonical: the way that nearly every message takes, so it
 * reads the heads itself (measured: 200 ns a message through libcbor's callbacks). It
 * says yes or no; what is wrong is found by codec_rewrite(), which is also its
 * oracle in the tests. */
#include "codec.h"
#include "item.h"
#include "utf8.h"

#include <assert.h>
#include <math.h>

/* An array, map or tag whose items are being read. */
struct level {
	uint64_t left;       /* items still to come */
	bool map;            /* the items are keys and values in turn */
	const uint8_t *item; /* where the item being read begins */
	struct bytes key;    /* the key before; p NULL: none */
};

struct check {
	const uint8_t *p, *end;
	unsigned depth;
	struct codec_info info;
	struct level levels[CODEC_DEPTH_MAX];
};

/* Reads the bytes of a head's argument. False: they are missing, or a shorter
 * head holds it. */
static inline bool argument(struct check *c, unsigned info, uint64_t *arg)
{
	static const uint64_t least[] = {24, UINT64_C(1) << 8, UINT64_C(1) << 16,
					 UINT64_C(1) << 32};
	unsigned size;

	if (info < 24) {
		*arg = info;
		return true;
	}
	if (info > 27)
		return false;
	size = 1u << (info - 24);
	if ((size_t)(c->end - c->p) < size)
		return false;
	*arg = 0;
	for (unsigned i = 0; i < size; i++)
		*arg = *arg << 8 | *c->p++;
	return *arg >= least[info - 24];
}

/* Whether a float of half precision holds it (or it is a NaN). */
static bool is_half(float v)
{
	uint32_t bits;
	int exponent;

	memcpy(&bits, &v, sizeof bits);
	exponent = (int)(bits >> 23 & 0xff) - 127;
	if (v == 0 || exponent == 128)
		return true;
	if (exponent >= -14)
		return exponent <= 15 && (bits & 0x1fff) == 0;
	/* subnormal: a multiple of 2^-24 */
	return exponent >= -24 && (bits & ((UINT32_C(1) << (-exponent - 1)) - 1)) == 0;
}

/* The `size` bytes of a float, behind its first. */
static bool is_shortest_float(const uint8_t *p, unsigned size)
{
	uint64_t bits = 0;
	uint32_t single;
	double v;
	float f;

	for (unsigned i = 0; i < size; i++)
		bits = bits << 8 | p[i];
	if (size == 2) /* only one NaN */
		return (bits & 0x7fff) <= 0x7c00 || bits == 0x7e00;
	if (size == 4) {
		single = (uint32_t)bits;
		memcpy(&f, &single, sizeof f);
		return !is_half(f);
	}
	memcpy(&v, &bits, sizeof v);
	return !isnan(v) && (double)(float)v != v;
}

/* Simple values and floats: `info` of the first byte. */
static bool check_simple(struct check *c, unsigned info)
{
	unsigned size;

	if (info < 24)
		return true;
	if (info > 27)
		return false;
	size = 1u << (info - 24);
	if ((size_t)(c->end - c->p) < size)
		return false;
	c->p += size;
	return size == 1 ? c->p[-1] >= 32 : is_shortest_float(c->p - size, size);
}

static inline bool check_string(struct check *c, bool text, uint64_t n)
{
	if (n > (uint64_t)(c->end - c->p) || (text && !utf8_valid((struct bytes){c->p, n})))
		return false;
	c->p += n;
	return true;
}

/* A bignum's string: more than fits an integer, without leading zeros. */
static bool check_bignum(struct check *c)
{
	uint64_t n;

	if (c->p == c->end || *c->p >> 5 != ITEM_BYTES)
		return false;
	c->info.heads++;
	return argument(c, *c->p++ & 31, &n) && n > 8 && check_string(c, false, n) &&
	       c->p[-(ptrdiff_t)n] != 0;
}

/* One level more, of so many items. More than there are bytes left is found
 * when they are missing. */
static bool descend(struct check *c, const struct codec_limits *limits, uint64_t items, bool map)
{
	if (c->depth >= limits->depth)
		return false;
	c->levels[c->depth++] = (struct level){.left = items, .map = map};
	if (c->depth > c->info.depth)
		c->info.depth = c->depth;
	return true;
}

static bool check_tag(struct check *c, const struct codec_limits *limits, uint64_t tag)
{
	if (!descend(c, limits, 1, false))
		return false;
	c->info.formals |= tag == ITEM_TAG_FORMAL;
	c->info.refs |= tag == ITEM_TAG_REF;
	if (tag != 2 && tag != 3)
		return true;
	c->depth--;
	return check_bignum(c);
}

/* Whether the key that ends here is greater than the one before. Of two items
 * neither begins the other, so the first byte that differs decides. */
static bool key_rises(struct check *c, struct level *l)
{
	struct bytes key = {l->item, (size_t)(c->p - l->item)};
	size_t n = key.n < l->key.n ? key.n : l->key.n;
	bool rises = l->key.p == NULL || memcmp(l->key.p, key.p, n) < 0;

	l->key = key;
	return rises;
}

/* An item ended, and with it perhaps those that it was the last of. */
static inline bool ascend(struct check *c)
{
	while (c->depth > 0) {
		struct level *l = &c->levels[c->depth - 1];

		if (l->map && l->left % 2 == 0 && !key_rises(c, l))
			return false;
		if (--l->left > 0)
			return true;
		c->depth--;
	}
	return true;
}

/* One head and what goes with it. */
static inline bool check_item(struct check *c, const struct codec_limits *limits)
{
	unsigned depth = c->depth, major, info;
	uint64_t arg;

	if (c->p == c->end)
		return false;
	if (depth > 0)
		c->levels[depth - 1].item = c->p;
	c->info.heads++;
	major = *c->p >> 5;
	info = *c->p++ & 31;
	if (major == ITEM_SIMPLE)
		return check_simple(c, info) && ascend(c);
	if (!argument(c, info, &arg))
		return false;
	if (major == ITEM_BYTES || major == ITEM_TEXT) {
		if (!check_string(c, major == ITEM_TEXT, arg))
			return false;
	} else if (major == ITEM_TAG) {
		if (!check_tag(c, limits, arg))
			return false;
	} else if (major >= ITEM_ARRAY) {
		if (arg > (uint64_t)(c->end - c->p) ||
		    !descend(c, limits, major == ITEM_MAP ? 2 * arg : arg, major == ITEM_MAP))
			return false;
		c->depth -= arg == 0;
	}
	return c->depth > depth || ascend(c);
}

bool codec_check(struct bytes in, const struct codec_limits *limits, struct codec_info *info)
{
	struct check c; /* the levels are not worth clearing */

	assert(limits->depth <= CODEC_DEPTH_MAX);
	c.p = in.p;
	c.end = in.p + in.n;
	c.depth = 0;
	c.info = (struct codec_info){0};
	do {
		if (!check_item(&c, limits) || c.info.heads > limits->heads)
			return false;
	} while (c.depth > 0);
	if (info != NULL)
		*info = c.info;
	return c.p == c.end;
}
