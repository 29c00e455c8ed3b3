/* References of an atomic's outs to what its guards matched: tag 21581 (private),
 * [guard, field] or [guard, field, add]. */
#ifndef TILIA_REFER_H
#define TILIA_REFER_H

#include "base/buf.h"

#include <stdint.h>

/* What is referred to, and what went wrong. */
struct refer {
	/* The field of what the guard matched; {NULL, 0}: it has none of that number. */
	struct bytes (*field)(void *ctx, uint32_t guard, uint32_t field);
	void *ctx;
	size_t left;           /* bytes that references may still read and write in all */
	uint32_t guard, index; /* the reference that was refused */
	const char *why;
};

/* Appends the tuple `item` with every reference replaced by its field, to which `add`
 * is added when there is one. 0; ERROR_VALUE: there is no such field, or no int to
 * add to; ERROR_LIMIT: `left` is used up. After an error the buffer holds a part. */
int refer_put(struct buf *b, struct bytes item, struct refer *r);

#endif
