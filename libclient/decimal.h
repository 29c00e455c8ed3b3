/* Numbers as decimal text, whatever the locale. Integers of any size are CBOR
 * integers or, beyond 64 bits, bignums (tags 2 and 3). */
#ifndef TILIA_DECIMAL_H
#define TILIA_DECIMAL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define DECIMAL_DIGITS 4096 /* of a number that is read */
#define DECIMAL_BYTES 512   /* of a bignum that is written in digits */

/* How much of `s` is a JSON number (RFC 8259 section 6), from its start; 0 when
 * none is there. *is_float: it has a point or an exponent. */
size_t decimal_span(struct bytes s, bool *is_float);

/* Appends the item of a JSON number that is an integer or a float. ERROR_LIMIT:
 * more than DECIMAL_DIGITS characters, or a float beyond the greatest one. */
int decimal_read(struct buf *out, struct bytes number, bool is_float);

/* Appends the fewest digits that name this double among all, always with a point
 * or an exponent. It must be finite. */
void decimal_put_double(struct buf *out, double v);

/* Appends the digits of an integer; the second of -1 - v, for a negative one. */
void decimal_put_uint(struct buf *out, uint64_t v);
void decimal_put_negative(struct buf *out, uint64_t v);

/* Appends the digits of the bignum of that magnitude (tag 2), or of -1 - it (tag
 * 3). At most DECIMAL_BYTES bytes. */
void decimal_put_bignum(struct buf *out, bool negative, struct bytes magnitude);

#endif
