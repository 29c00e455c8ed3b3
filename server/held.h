/* Replies of one batch that wait until it is durable, in order. */
#ifndef TILIA_HELD_H
#define TILIA_HELD_H

#include "../libclient/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held_reply {
	uint32_t conn;
	uint32_t life; /* which of the connections that had this number */
	uint64_t number;
	bool confirm; /* number is to be confirmed */
	bool close;   /* no reply: the connection closes after the ones before */
	size_t at, len; /* in bytes */
};

struct held {
	struct held_reply *list;
	size_t count, cap;
	struct buf bytes;
};

/* Copies `bytes`; r->at and r->len are filled in. Aborts when memory is out. */
void held_add(struct held *h, const struct held_reply *r, struct bytes bytes);

static inline struct bytes held_bytes(const struct held *h, const struct held_reply *r)
{
	return (struct bytes){h->bytes.data + r->at, r->len};
}

/* Empties it; a moderate amount of memory stays for the next batch. */
void held_clear(struct held *h);

void held_close(struct held *h);

#endif
