#include "utf8.h"

static bool follows(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_next(struct bytes s, uint32_t *c)
{
	uint32_t v;
	size_t n;

	if (s.n == 0)
		return 0;
	if (s.p[0] < 0x80) {
		n = 1;
		v = s.p[0];
	} else if (s.p[0] >= 0xc2 && s.p[0] <= 0xdf) {
		n = 2;
		v = s.p[0] & 0x1f;
	} else if ((s.p[0] & 0xf0) == 0xe0) {
		n = 3;
		v = s.p[0] & 0x0f;
	} else if (s.p[0] >= 0xf0 && s.p[0] <= 0xf4) {
		n = 4;
		v = s.p[0] & 0x07;
	} else {
		return 0;
	}
	if (s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (!follows(s.p[i]))
			return 0;
		v = v << 6 | (s.p[i] & 0x3f);
	}
	if ((n == 3 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) ||
	    (n == 4 && (v < 0x10000 || v > 0x10ffff)))
		return 0;
	if (c != NULL)
		*c = v;
	return n;
}

bool utf8_valid(struct bytes s)
{
	const uint8_t *p = s.p, *end = s.p + s.n;
	uint64_t eight;
	size_t n;

	while (p < end) {
		if (end - p >= 8) { /* most text is ASCII */
			memcpy(&eight, p, 8);
			if ((eight & 0x8080808080808080u) == 0) {
				p += 8;
				continue;
			}
		}
		n = *p < 0x80 ? 1 : utf8_next((struct bytes){p, (size_t)(end - p)}, NULL);
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

void utf8_put(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_byte(b, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		buf_byte(b, (uint8_t)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_byte(b, (uint8_t)(0xe0 | c >> 12));
		} else {
			buf_byte(b, (uint8_t)(0xf0 | c >> 18));
			buf_byte(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
}
