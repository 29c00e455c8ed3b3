/* Integers of any size, as CBOR has them. */
#ifndef TILIA_WHOLE_H
#define TILIA_WHOLE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The integer n, or -1 - n. */
struct whole {
	bool negative;
	struct bytes n;  /* big-endian, no leading zeros; in `room` or in the item */
	uint8_t room[8]; /* so the struct must not be copied */
};

/* Reads the canonical item at `p`, of type int. */
void whole_read(struct whole *w, const uint8_t *p);

/* Below, at or above 0, as a is less than, equal to or greater than b. */
int whole_compare(const struct whole *a, const struct whole *b);

/* Appends the canonical item of a + b. */
void whole_put_sum(struct buf *b, const struct whole *x, const struct whole *y);

/* n without its leading zeros; and two such compared by what they are worth. */
struct bytes whole_trim(struct bytes n);
int whole_compare_bytes(struct bytes a, struct bytes b);

#endif
