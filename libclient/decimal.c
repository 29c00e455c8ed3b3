#include "decimal.h"

#include "error.h"
#include "item.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BILLION UINT32_C(1000000000)

static size_t digits_span(struct bytes s, size_t from)
{
	size_t n = from;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n - from;
}

size_t decimal_span(struct bytes s, bool *is_float)
{
	size_t n = s.n > 0 && s.p[0] == '-', more, at;

	*is_float = false;
	more = n < s.n && s.p[n] == '0' ? 1 : digits_span(s, n);
	if (more == 0)
		return 0;
	n += more;
	if (n < s.n && s.p[n] == '.') {
		more = digits_span(s, n + 1);
		if (more == 0)
			return n;
		n += 1 + more;
		*is_float = true;
	}
	if (n < s.n && (s.p[n] | 0x20) == 'e') {
		at = n + 1 + (n + 1 < s.n && (s.p[n + 1] == '+' || s.p[n + 1] == '-'));
		more = digits_span(s, at);
		if (more == 0)
			return n;
		n = at + more;
		*is_float = true;
	}
	return n;
}

/* In glibc the locale "C" is a constant: this takes no memory and cannot fail. */
static locale_t locale_c(void)
{
	return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static int read_float(struct buf *out, struct bytes number)
{
	char text[DECIMAL_DIGITS + 1];
	locale_t c = locale_c();
	double v;

	memcpy(text, number.p, number.n);
	text[number.n] = '\0';
	v = strtod_l(text, NULL, c);
	freelocale(c);
	if (isinf(v))
		return ERROR_LIMIT;
	item_put_float(out, v);
	return 0;
}

/* An integer of more than 19 digits: nine of them at a time into words of 32
 * bits, the least first. */
static void read_big(struct buf *out, bool negative, struct bytes digits)
{
	uint32_t word[DECIMAL_DIGITS / 9 + 2] = {0};
	uint8_t bytes[sizeof word];
	size_t words = 0, n = 0;

	for (size_t i = 0; i < digits.n;) {
		uint64_t scale = 1, carry = 0;

		do {
			carry = carry * 10 + (digits.p[i++] - '0');
			scale *= 10;
		} while (i < digits.n && scale < BILLION);
		for (size_t k = 0; k < words; k++) {
			carry += word[k] * scale;
			word[k] = (uint32_t)carry;
			carry >>= 32;
		}
		if (carry != 0)
			word[words++] = (uint32_t)carry;
	}
	if (negative) /* the magnitude stands for -1 - it */
		for (size_t k = 0; k < words && word[k]-- == 0; k++)
			;
	for (size_t k = words; k-- > 0;)
		for (int shift = 24; shift >= 0; shift -= 8)
			if (n > 0 || (word[k] >> shift & 0xff) != 0)
				bytes[n++] = (uint8_t)(word[k] >> shift);
	if (n <= 8) {
		uint64_t small = 0;

		for (size_t i = 0; i < n; i++)
			small = small << 8 | bytes[i];
		item_put_head(out, negative ? ITEM_NINT : ITEM_UINT, small);
		return;
	}
	item_put_head(out, ITEM_TAG, negative ? 3 : 2);
	item_put_bytes(out, (struct bytes){bytes, n});
}

int decimal_read(struct buf *out, struct bytes number, bool is_float)
{
	bool negative = number.p[0] == '-';
	struct bytes digits = {number.p + negative, number.n - negative};
	uint64_t v = 0;

	if (number.n > DECIMAL_DIGITS)
		return ERROR_LIMIT;
	if (is_float)
		return read_float(out, number);
	if (digits.n > 19) {
		read_big(out, negative, digits);
		return 0;
	}
	for (size_t i = 0; i < digits.n; i++)
		v = v * 10 + (digits.p[i] - '0');
	if (negative && v > 0)
		item_put_head(out, ITEM_NINT, v - 1);
	else
		item_put_uint(out, v);
	return 0;
}

/* printf's %.*g of a double, in the locale "C". */
static void format_double(char *text, size_t cap, int precision, double v)
{
	locale_t c = locale_c(), before = uselocale(c);

	snprintf(text, cap, "%.*g", precision, v);
	uselocale(before);
	freelocale(c);
}

static double parse_double(const char *text)
{
	locale_t c = locale_c();
	double v = strtod_l(text, NULL, c);

	freelocale(c);
	return v;
}

/* Makes the last digit one greater; false when that would carry. */
static bool bump(char *text)
{
	char *last = text + strcspn(text, "e") - 1;

	if (*last < '0' || *last > '8')
		return false;
	++*last;
	return true;
}

void decimal_put_double(struct buf *out, double v)
{
	/* 15 digits always survive, unless the double has fewer bits than usual. */
	int precision = fabs(v) < 0x1p-1022 ? 1 : 15;
	char text[40];

	assert(isfinite(v));
	do {
		format_double(text, sizeof text, precision, v);
		/* Below a power of two doubles lie closer than above it: where the nearest
		 * digits fail, the next ones may still name it. */
	} while (precision++ < 17 && parse_double(text) != v &&
		 !(bump(text) && parse_double(text) == v));
	buf_text(out, text);
	if (strpbrk(text, ".e") == NULL)
		buf_text(out, ".0");
}

void decimal_put_uint(struct buf *out, uint64_t v)
{
	char digits[20];
	size_t n = sizeof digits;

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_append(out, digits + n, sizeof digits - n);
}

void decimal_put_negative(struct buf *out, uint64_t v)
{
	if (v == UINT64_MAX) {
		buf_text(out, "-18446744073709551616");
		return;
	}
	buf_byte(out, '-');
	decimal_put_uint(out, v + 1);
}

/* Divides by a billion and answers the rest. */
static uint32_t divide(uint32_t *word, size_t words)
{
	uint64_t rest = 0;

	for (size_t k = words; k-- > 0;) {
		rest = rest << 32 | word[k];
		word[k] = (uint32_t)(rest / BILLION);
		rest %= BILLION;
	}
	return (uint32_t)rest;
}

void decimal_put_bignum(struct buf *out, bool negative, struct bytes magnitude)
{
	uint32_t word[DECIMAL_BYTES / 4 + 1] = {0};
	uint32_t part[DECIMAL_BYTES * 8 / 29 + 2]; /* a billion has more than 29 bits */
	size_t words = magnitude.n / 4 + 1, parts = 0;

	assert(magnitude.n <= DECIMAL_BYTES);
	for (size_t i = 0; i < magnitude.n; i++)
		word[i / 4] |= (uint32_t)magnitude.p[magnitude.n - 1 - i] << i % 4 * 8;
	if (negative)
		for (size_t k = 0; ++word[k] == 0; k++)
			;
	while (words > 0 && word[words - 1] == 0)
		words--;
	while (words > 0) {
		part[parts++] = divide(word, words);
		while (words > 0 && word[words - 1] == 0)
			words--;
	}
	buf_text(out, negative ? "-" : "");
	buf_printf(out, "%lu", parts > 0 ? (unsigned long)part[--parts] : 0ul);
	while (parts > 0)
		buf_printf(out, "%09lu", (unsigned long)part[--parts]);
}
