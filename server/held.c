#include "held.h"

#include "../libclient/base/xmalloc.h"

#include <stdlib.h>

#define KEEP_BYTES ((size_t)1 << 20)
#define KEEP_COUNT ((size_t)16384)

void held_add(struct held *h, const struct held_reply *r, struct bytes bytes)
{
	struct held_reply *to;

	if (h->count == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 256;
		h->list = xrealloc(h->list, h->cap * sizeof *h->list);
	}
	to = &h->list[h->count++];
	*to = *r;
	to->at = h->bytes.len;
	to->len = bytes.n;
	buf_append(&h->bytes, bytes.p, bytes.n);
	if (h->bytes.failed)
		abort();
}

void held_clear(struct held *h)
{
	h->count = 0;
	buf_clear(&h->bytes, KEEP_BYTES);
	if (h->cap > KEEP_COUNT) {
		h->cap = KEEP_COUNT;
		h->list = xrealloc(h->list, h->cap * sizeof *h->list);
	}
}

void held_close(struct held *h)
{
	buf_close(&h->bytes);
	xfree(h->list);
	*h = (struct held){0};
}
