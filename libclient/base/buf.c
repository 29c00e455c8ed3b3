#include "buf.h"
#include "xmalloc.h"

#include <stdio.h>

#define LEAST 64

void buf_init(struct buf *b)
{
	*b = BUF_INIT;
}

void buf_close(struct buf *b)
{
	xfree(b->data);
	*b = BUF_INIT;
}

static bool grow(struct buf *b, size_t n)
{
	size_t cap = b->cap < LEAST ? LEAST : b->cap;
	uint8_t *data;

	if (n > SIZE_MAX / 2 - b->len)
		return false;
	while (cap < b->len + n)
		cap *= 2;
	data = xtry_realloc(b->data, cap);
	if (!data)
		return false;
	b->data = data;
	b->cap = cap;
	return true;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	/* A buffer without memory has no place to answer, not even for 0 bytes. */
	if ((n > b->cap - b->len || !b->data) && !grow(b, n)) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0 || !(to = buf_reserve(b, n)))
		return;
	memcpy(to, p, n);
	b->len += n;
}

void buf_byte(struct buf *b, uint8_t c)
{
	uint8_t *to = buf_reserve(b, 1);

	if (!to)
		return;
	*to = c;
	b->len++;
}

void buf_text(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		b->failed = true;
	else if ((to = (char *)buf_reserve(b, (size_t)n + 1))) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_shift(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len);
}

void buf_clear(struct buf *b, size_t keep)
{
	b->len = 0;
	b->failed = false;
	if (b->cap <= keep)
		return;
	/* Giving back must not fail, so it is not a realloc(). */
	xfree(b->data);
	b->data = NULL;
	b->cap = 0;
}
