/* A byte buffer that grows at its end. A failed allocation is remembered in
 * `failed` and every later append does nothing, so a chain of appends is
 * checked once, at its end. Contents are owned by the buffer; pointers into it
 * are valid until the next append. */
#ifndef TILIA_BASE_BUF_H
#define TILIA_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A run of bytes owned by somebody else. */
struct bytes {
	const uint8_t *p;
	size_t n;
};

struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed;
};

#define BUF_INIT ((struct buf){0})

void buf_init(struct buf *b);

/* Frees the contents; the buffer is empty and usable again. */
void buf_close(struct buf *b);

/* Makes room for `n` more bytes and answers where they go (len is not moved),
 * or NULL when memory is out. */
uint8_t *buf_reserve(struct buf *b, size_t n);

void buf_append(struct buf *b, const void *p, size_t n);
void buf_byte(struct buf *b, uint8_t c);
void buf_text(struct buf *b, const char *s); /* without the final NUL */

/* printf() at the end of the buffer, without the final NUL. */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Drops the first `n` bytes (at most len). Cost: a move of the rest. */
void buf_shift(struct buf *b, size_t n);

/* Empties it and keeps the memory; memory beyond `keep` bytes is given back. */
void buf_clear(struct buf *b, size_t keep);

static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

/* A C string without its NUL. */
static inline struct bytes bytes_of(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#endif
