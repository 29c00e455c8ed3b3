#include "whole.h"

#include "item.h"

struct bytes whole_trim(struct bytes n)
{
	while (n.n > 0 && *n.p == 0) {
		n.p++;
		n.n--;
	}
	return n;
}

int whole_compare_bytes(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n > 0 ? memcmp(a.p, b.p, a.n) : 0;
}

void whole_read(struct whole *w, const uint8_t *p)
{
	struct item_head h;

	p = item_head(p, &h);
	if (h.major == ITEM_TAG) {
		w->negative = h.arg == 3;
		w->n = item_string(p);
		return;
	}
	w->negative = h.major == ITEM_NINT;
	for (int i = 0; i < 8; i++)
		w->room[i] = (uint8_t)(h.arg >> 8 * (7 - i));
	w->n = whole_trim((struct bytes){w->room, 8});
}

int whole_compare(const struct whole *a, const struct whole *b)
{
	int c;

	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	c = whole_compare_bytes(a->n, b->n);
	return a->negative ? -c : c;
}

/* The i-th byte, from the least on, of the two's complement: -1 - n is ~n. */
static unsigned byte_at(const struct whole *w, size_t i)
{
	uint8_t b = i < w->n.n ? w->n.p[w->n.n - 1 - i] : 0;

	return w->negative ? b ^ 0xffu : b;
}

static void put(struct buf *b, bool negative, struct bytes n)
{
	uint64_t small = 0;

	if (n.n > 8) {
		item_put_head(b, ITEM_TAG, negative ? 3 : 2);
		item_put_bytes(b, n);
		return;
	}
	for (size_t i = 0; i < n.n; i++)
		small = small << 8 | n.p[i];
	item_put_head(b, negative ? ITEM_NINT : ITEM_UINT, small);
}

void whole_put_sum(struct buf *b, const struct whole *x, const struct whole *y)
{
	size_t n = (x->n.n > y->n.n ? x->n.n : y->n.n) + 1;
	struct buf sum = BUF_INIT;
	uint8_t *to = buf_reserve(&sum, n);
	unsigned carry = 0;
	bool negative;

	if (!to) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		carry += byte_at(x, i) + byte_at(y, i);
		to[n - 1 - i] = (uint8_t)carry;
		carry >>= 8;
	}
	negative = to[0] >> 7;
	for (size_t i = 0; negative && i < n; i++)
		to[i] = (uint8_t)~to[i];
	put(b, negative, whole_trim((struct bytes){to, n}));
	buf_close(&sum);
}
