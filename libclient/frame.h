/* Frames: a connection is a CBOR sequence (RFC 8742) of definite-length byte
 * strings, one message each. */
#ifndef TILIA_FRAME_H
#define TILIA_FRAME_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX ((size_t)16 << 20) /* bytes of a message */
#define FRAME_HEAD_MAX 9             /* bytes of a head */

/* Looks at the start of `in`. 1: a whole frame is there, *message is its
 * content (pointing into `in`) and *used its length with the head. 0: more
 * bytes are needed, *used is how many in all (at least; at most the head's
 * length until the head is whole). ERROR_MALFORMED: not a definite-length byte
 * string; ERROR_LIMIT: longer than `max`. A head that is longer than needed is
 * accepted. */
int frame_next(struct bytes in, size_t max, struct bytes *message, size_t *used);

/* Writes the head of a frame of `n` bytes. */
void frame_put_head(struct buf *b, size_t n);

/* A message of unknown length is written in place: frame_begin() leaves room
 * for a head and answers a mark; frame_end() writes the head and closes the
 * gap. */
size_t frame_begin(struct buf *b);
void frame_end(struct buf *b, size_t mark);

#endif
