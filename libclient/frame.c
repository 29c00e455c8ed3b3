#include "frame.h"
#include "error.h"
#include "item.h"

int frame_next(struct bytes in, size_t max, struct bytes *message, size_t *used)
{
	struct item_head h;
	const uint8_t *content;
	size_t head;

	if (in.n == 0) {
		*used = 1;
		return 0;
	}
	if (in.p[0] >> 5 != ITEM_BYTES || (in.p[0] & 31) > 27)
		return ERROR_MALFORMED;
	head = (in.p[0] & 31) < 24 ? 1 : 1 + ((size_t)1 << ((in.p[0] & 31) - 24));
	*used = head;
	if (in.n < head)
		return 0;
	content = item_head(in.p, &h);
	if (h.arg > max)
		return ERROR_LIMIT;
	*used = head + (size_t)h.arg;
	if (in.n < *used)
		return 0;
	*message = (struct bytes){content, (size_t)h.arg};
	return 1;
}

void frame_put_head(struct buf *b, size_t n)
{
	item_put_head(b, ITEM_BYTES, n);
}

size_t frame_begin(struct buf *b)
{
	size_t mark = b->len;

	if (buf_reserve(b, FRAME_HEAD_MAX))
		b->len += FRAME_HEAD_MAX;
	return mark;
}

void frame_end(struct buf *b, size_t mark)
{
	uint8_t head_bytes[FRAME_HEAD_MAX];
	/* Its memory is its caller's: FRAME_HEAD_MAX bytes hold any head, so it never grows. */
	struct buf head = {head_bytes, 0, sizeof head_bytes, false};
	size_t n;

	if (b->failed)
		return;
	n = b->len - mark - FRAME_HEAD_MAX;
	frame_put_head(&head, n);
	memcpy(b->data + mark, head_bytes, head.len);
	memmove(b->data + mark + head.len, b->data + mark + FRAME_HEAD_MAX, n);
	b->len = mark + head.len + n;
}
