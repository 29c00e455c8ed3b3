/* UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef TILIA_UTF8_H
#define TILIA_UTF8_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether all of `s` is UTF-8. The empty text is. */
bool utf8_valid(struct bytes s);

/* The length of the character at the start of `s` and the character in *c, or
 * 0 when it is not UTF-8 or `s` is empty. `c` may be NULL. */
size_t utf8_next(struct bytes s, uint32_t *c);

/* Appends a character. It must be one: below 0x110000 and no surrogate. */
void utf8_put(struct buf *b, uint32_t c);

#endif
