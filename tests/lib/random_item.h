/* Random CBOR items in two encodings at once: the deterministic one, written by
 * rules of its own, and a sloppy one of the same value: long heads, indefinite
 * lengths, wide floats, padded bignums, keys in any order. */
#ifndef TILIA_TESTS_RANDOM_ITEM_H
#define TILIA_TESTS_RANDOM_ITEM_H

#include "../../libclient/base/buf.h"

/* Appends one item to both (`sloppy` may be NULL). At most `depth` arrays, maps
 * and tags inside one another. Uses test_random(). */
void random_item(struct buf *canonical, struct buf *sloppy, unsigned depth);

#endif
