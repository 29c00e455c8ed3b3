/* Formals: the typed blanks of a template, CBOR tag 21580 (private). */
#ifndef TILIA_FORMAL_H
#define TILIA_FORMAL_H

#include "base/buf.h"
#include "item.h"

#include <stdbool.h>

#define FORMAL_TUPLE_BYTES ((size_t)1 << 20) /* of a tuple or template */
#define FORMAL_FIELDS 255                    /* of a tuple or template */
#define FORMAL_ONEOF_MAX 1024                /* values */

/* The keys of a formal's map, in the order of their encoding. */
enum formal_key {
	FORMAL_GE,
	FORMAL_GT,
	FORMAL_LE,
	FORMAL_LT,
	FORMAL_NE,
	FORMAL_HAS,
	FORMAL_TYPE,
	FORMAL_ONEOF,
	FORMAL_ORDER, /* says which match comes first, not what matches */
	FORMAL_PREFIX,
	FORMAL_KEYS,
};

/* One formal. Its class is `type`: the one it names, else the one that `prefix`
 * or `has` implies, else ANY. */
struct formal {
	enum item_type type;
	const uint8_t *at[FORMAL_KEYS]; /* the items of the map; NULL: not there */
	bool constrained;               /* more than a type asks for something */
};

/* "ge", "oneof", ... */
const char *formal_key_name(enum formal_key key);

/* Whether the canonical item at `p` is tag 21580. */
bool formal_is(const uint8_t *p);

/* Reads the formal at `p` (canonical bytes, formal_is() true). 0; ERROR_VALUE, or
 * ERROR_LIMIT for a oneof of more than FORMAL_ONEOF_MAX, with *why: a text that
 * names what is wrong ("no such type"), and *detail: the name of the type or of
 * the constraint. *why is static, *detail static or within `p`. Formals in the
 * values of `has` are not looked at. */
int formal_read(const uint8_t *p, struct formal *f, const char **why, struct bytes *detail);

/* The same of a formal that formal_read() has accepted; nothing is checked again. */
void formal_open(const uint8_t *p, struct formal *f);

/* Whether `value` may stand under `key` of a formal of that type (ANY: it names
 * none): 0, or a code with *why as of formal_read(). `value` is whole, but need
 * not be canonical. */
int formal_judge(enum item_type type, enum formal_key key, const uint8_t *value,
                 const char **why);

/* Writes the formal of a type. */
void formal_put(struct buf *b, enum item_type type);

/* Checks a template: null, or an array of at most 255 fields whose formals are
 * all valid (and none in the key of a map), of which one at most, a field itself,
 * has an order, and none of which holds tag 21581; at most 1 MiB, 16,384 heads and
 * 64 deep. Answers 0, ERROR_VALUE, or ERROR_LIMIT
 * for the sizes, with *why, *field (0-based; -1: the whole) and *detail. */
int formal_check_template(struct bytes item, const char **why, int *field, struct bytes *detail);

/* Checks a tuple: an array of at most 255 fields that holds neither formals nor
 * tag 21581 at any depth, of the same sizes. The same answers. `has_tags`: codec_info
 * saw one of the two tags, so that tuples without them are not searched. */
int formal_check_tuple(struct bytes item, bool has_tags, const char **why, int *field,
                       struct bytes *detail);

/* The same of the tuple of an atomic's out, which may hold references (tag 21581)
 * to the guards that `guards` has a bit for. */
int formal_check_refs(struct bytes item, uint32_t guards, const char **why, int *field,
                      struct bytes *detail);

/* Whether the value, of the formal's type, is within its bounds. NaN is in no range. */
bool formal_in_range(const struct formal *f, const uint8_t *v);

/* Whether the value `v` matches the template's element `t` (both canonical; `t`
 * checked), formals at any depth included. */
bool formal_match(const uint8_t *t, const uint8_t *v);

#endif
