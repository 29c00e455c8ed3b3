/* Walking and writing CBOR (RFC 8949) data items. Walking is for bytes that
 * codec.h has accepted: definite lengths, whole, deterministic; nothing is
 * checked again. Nothing allocates but the put functions' buffer. */
#ifndef TILIA_ITEM_H
#define TILIA_ITEM_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum item_major {
	ITEM_UINT,
	ITEM_NINT,
	ITEM_BYTES,
	ITEM_TEXT,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_TAG,
	ITEM_SIMPLE, /* simple values and floats */
};

#define ITEM_TAG_FORMAL 21580 /* content: null, a type name, or a map */
#define ITEM_TAG_REF 21581    /* content: [guard, field] or [guard, field, add] */
#define ITEM_NULL 0xf6        /* the byte of null */

/* What kind of value a field is; the words of formals. */
enum item_type {
	ITEM_TYPE_ANY, /* in formals only */
	ITEM_TYPE_NULL,
	ITEM_TYPE_BOOL,
	ITEM_TYPE_INT, /* bignums (tags 2 and 3) too */
	ITEM_TYPE_FLOAT,
	ITEM_TYPE_NUMBER, /* in formals only: int or float */
	ITEM_TYPE_TEXT,
	ITEM_TYPE_BYTES,
	ITEM_TYPE_ARRAY,
	ITEM_TYPE_MAP,
	ITEM_TYPE_TAG,
	ITEM_TYPE_SIMPLE,
	ITEM_TYPE_UNDEFINED,
	ITEM_TYPES
};

struct item_head {
	uint8_t major; /* enum item_major */
	uint8_t info;  /* the low five bits: 25 to 27 of ITEM_SIMPLE are floats */
	uint64_t arg;  /* value, length, count, tag, simple value or float bits */
};

/* Reads the head at `p` and answers the first byte after it. */
static inline const uint8_t *item_head(const uint8_t *p, struct item_head *h)
{
	uint8_t info = *p & 31;

	h->major = *p++ >> 5;
	h->info = info;
	if (info < 24) {
		h->arg = info;
		return p;
	}
	h->arg = 0;
	for (int n = 1 << (info - 24); n > 0; n--)
		h->arg = h->arg << 8 | *p++;
	return p;
}

/* How many items the item of this head consists of. */
static inline uint64_t item_children(const struct item_head *h)
{
	switch (h->major) {
	case ITEM_ARRAY:
		return h->arg;
	case ITEM_MAP:
		return 2 * h->arg;
	case ITEM_TAG:
		return 1;
	default:
		return 0;
	}
}

/* The first byte after the item at `p`, whatever its depth. */
const uint8_t *item_skip(const uint8_t *p);

/* The bytes of the item at `p`. */
static inline struct bytes item_bytes(const uint8_t *p)
{
	return (struct bytes){p, (size_t)(item_skip(p) - p)};
}

/* The type of the item at `p` (never ANY or NUMBER; a formal is a TAG). */
enum item_type item_type(const uint8_t *p);

/* "int", "text", ... as formals, errors and diagnostic notation say it. */
const char *item_type_name(enum item_type t);

/* The type of that name, or -1. "any" is ITEM_TYPE_ANY. */
int item_type_named(struct bytes name);

/* Whether a value of type `t` is of the class `formal` of a typed formal. */
static inline bool item_type_is(enum item_type t, enum item_type formal)
{
	return formal == ITEM_TYPE_ANY || formal == t ||
	       (formal == ITEM_TYPE_NUMBER && (t == ITEM_TYPE_INT || t == ITEM_TYPE_FLOAT));
}

/* Whether it is the one NaN there is. */
static inline bool item_is_nan(const uint8_t *p)
{
	return p[0] == 0xf9 && p[1] == 0x7e;
}

/* The contents of a byte or text string at `p`; {NULL, 0} for anything else. */
struct bytes item_string(const uint8_t *p);

/* Deterministic writing (RFC 8949 4.2.1): the shortest head. */
void item_put_head(struct buf *b, enum item_major major, uint64_t arg);
void item_put_uint(struct buf *b, uint64_t v);
void item_put_int(struct buf *b, int64_t v);
void item_put_bool(struct buf *b, bool v);
void item_put_null(struct buf *b);
void item_put_float(struct buf *b, double v); /* shortest; one NaN */
void item_put_text(struct buf *b, const char *s);
void item_put_text_n(struct buf *b, struct bytes s);
void item_put_bytes(struct buf *b, struct bytes s);
void item_put_item(struct buf *b, struct bytes item); /* bytes that are an item */

/* The double of a float item's head (info 25, 26 or 27). */
double item_float(const struct item_head *h);

#endif
