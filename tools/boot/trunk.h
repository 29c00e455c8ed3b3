/* The launcher's end of a trunk (docs/trunk.md) as a pure machine: bytes in,
 * frames out; operations in, bytes out. No I/O. Aborts when memory is out. */
#ifndef TILIA_BOOT_TRUNK_H
#define TILIA_BOOT_TRUNK_H

#include "../../libclient/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRUNK_PIECE 65536      /* bytes of a piece of op, out, err */
#define TRUNK_WINDOW (1 << 20) /* credit at the beginning */
#define TRUNK_FRAME 131072     /* the longest frame upward */
#define TRUNK_FULL (16 << 20)  /* bytes queued by trunk_send(), beyond which the reader stops */
#define TRUNK_NOISE 4096       /* bytes kept of what came before the mark */

enum trunk_kind {
	TRUNK_OP,
	TRUNK_OUT,
	TRUNK_ERR,
	TRUNK_LOG,
	TRUNK_EXIT,
	TRUNK_FILE,
	TRUNK_IMPORT,
	TRUNK_CONTROL,
	TRUNK_CREDIT,
	TRUNK_KINDS
};

struct trunk_frame {
	unsigned channel; /* at most the number of workers */
	enum trunk_kind kind;
	struct bytes bytes; /* valid until the next call with this trunk; for LOG to
	                       CREDIT one canonical item */
};

struct trunk;

/* A trunk of `channels` workers (channels 1 to n). `mark`: the NUL-terminated
 * text that ends the noise. */
struct trunk *trunk_create(unsigned channels, const char *mark);
void trunk_destroy(struct trunk *t);

/* Bytes came from the far side. */
void trunk_feed(struct trunk *t, const void *p, size_t n);

/* Whether the mark was seen; what came before it (its end, when it was long),
 * valid until the next call. */
bool trunk_is_open(const struct trunk *t);
struct bytes trunk_noise(const struct trunk *t);

/* The next frame: 1; 0: none until more bytes come; ERROR_MALFORMED or
 * ERROR_LIMIT: the far side does not speak the trunk, or sends more than it has
 * credit for. The credit it gives us is taken care of inside. */
int trunk_next(struct trunk *t, struct trunk_frame *f);

/* Queues a frame that overtakes operations: one item, written by the caller. */
void trunk_send(struct trunk *t, unsigned channel, enum trunk_kind kind, struct bytes item);

/* Whether so much waits because of trunk_send() that no more should be asked of
 * us: stop reading until it was written. */
bool trunk_is_full(const struct trunk *t);

/* Gives credit: n more bytes of op, or of text (TRUNK_OUT), may come. */
void trunk_credit(struct trunk *t, unsigned channel, enum trunk_kind kind, size_t n);

/* Queues bytes of a channel's op stream. Goes out as credit allows, one piece a
 * channel in turn. */
void trunk_op(struct trunk *t, unsigned channel, struct bytes bytes);

/* Bytes of op that wait for the channel. */
size_t trunk_queued(const struct trunk *t, unsigned channel);

/* What is to be written now (made when the last was written whole); empty:
 * nothing, for now. Valid until trunk_written(), which drops all of it. */
struct bytes trunk_output(struct trunk *t);
void trunk_written(struct trunk *t);

#endif
