/* Formals: the typed blanks of a template, CBOR tag 21580 (private). */
#ifndef TILIA_FORMAL_H
#define TILIA_FORMAL_H

#include "base/buf.h"
#include "item.h"

#include <stdbool.h>

#define FORMAL_TUPLE_BYTES ((size_t)1 << 20) /* of a tuple or template */
#define FORMAL_FIELDS 255                    /* of a tuple or template */

/* One formal. Only `type` is spoken so far; the map form's constraints are
 * refused by name. */
struct formal {
	enum item_type type; /* ANY for null content */
};

/* Whether the canonical item at `p` is tag 21580. */
bool formal_is(const uint8_t *p);

/* Reads the formal at `p` (canonical bytes, formal_is() true). 0, or
 * ERROR_VALUE with *why: a text that names what is wrong ("no such type"; the
 * constraint's name for a map). *why is static, or points into `p` for
 * *detail. */
int formal_read(const uint8_t *p, struct formal *f, const char **why, struct bytes *detail);

/* Writes the formal of a type. */
void formal_put(struct buf *b, enum item_type type);

/* Checks a template: null, or an array of at most 255 fields whose formals are
 * all valid (and none in the key of a map) and none of which holds tag 21581; at
 * most 1 MiB, 16,384 heads and 64 deep. Answers 0, ERROR_VALUE, or ERROR_LIMIT
 * for the sizes, with *why, *field (0-based; -1: the whole) and *detail. */
int formal_check_template(struct bytes item, const char **why, int *field, struct bytes *detail);

/* Checks a tuple: an array of at most 255 fields that holds neither formals nor
 * tag 21581 at any depth, of the same sizes. The same answers. `has_tags`: codec_info
 * saw one of the two tags, so that tuples without them are not searched. */
int formal_check_tuple(struct bytes item, bool has_tags, const char **why, int *field,
                       struct bytes *detail);

/* Whether the value `v` matches the template's element `t` (both canonical),
 * formals at any depth included. */
bool formal_match(const uint8_t *t, const uint8_t *v);

#endif
