/* The strings of diagnostic notation: "text", 'bytes', h'..', b64'..'. */
#include "diag_parse.h"
#include "error.h"
#include "item.h"
#include "utf8.h"

static int hex_value(uint8_t c)
{
	return scan_is_digit(c)                         ? c - '0'
	       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
							: -1;
}

/* The four digits of \u. */
static int hex4(struct scan *s, uint32_t *v)
{
	*v = 0;
	for (int i = 0; i < 4; i++, s->p++) {
		if (s->p == s->end || hex_value(*s->p) < 0)
			return scan_expected(s, "four hex digits");
		*v = *v << 4 | (uint32_t)hex_value(*s->p);
	}
	return 0;
}

/* Behind \u. */
static int escape_u(struct scan *s, struct buf *out)
{
	const uint8_t *at = s->p - 2;
	uint32_t c, low;
	int rc = hex4(s, &c);

	if (rc != 0)
		return rc;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!scan_take_word(s, "\\u"))
			return scan_fail(s, ERROR_SYNTAX, at, "half of a surrogate pair");
		rc = hex4(s, &low);
		if (rc != 0)
			return rc;
		if (low < 0xdc00 || low > 0xdfff)
			return scan_fail(s, ERROR_SYNTAX, at, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return scan_fail(s, ERROR_SYNTAX, at, "half of a surrogate pair");
	}
	utf8_put(out, c);
	return 0;
}

/* Behind the backslash. */
static int escape(struct scan *s, struct buf *out)
{
	static const char from[] = "\"'\\/bfnrt", to[] = "\"'\\/\b\f\n\r\t";
	const char *at;

	if (s->p == s->end)
		return scan_expected(s, "an escape");
	if (scan_take(s, 'u'))
		return escape_u(s, out);
	at = *s->p != '\0' ? strchr(from, *s->p) : NULL;
	if (at == NULL)
		return scan_fail(s, ERROR_SYNTAX, s->p - 1,
				 "no such escape (there are \\\" \\' \\\\ \\/ \\b \\f "
				 "\\n \\r \\t \\uXXXX)");
	buf_byte(out, (uint8_t)to[at - from]);
	s->p++;
	return 0;
}

/* Behind the opening quote, to behind the closing one. */
static int quoted(struct scan *s, struct buf *out, char quote)
{
	const uint8_t *open = s->p - 1;
	int rc = 0;

	while (rc == 0) {
		const uint8_t *run = s->p;
		size_t n = 1;

		while (s->p < s->end && *s->p >= ' ' && *s->p != (uint8_t)quote && *s->p != '\\' &&
		       n > 0) {
			n = utf8_next((struct bytes){s->p, (size_t)(s->end - s->p)}, NULL);
			s->p += n;
		}
		buf_append(out, run, (size_t)(s->p - run));
		if (n == 0)
			return scan_fail(s, ERROR_SYNTAX, s->p, "invalid UTF-8");
		if (s->p == s->end)
			return scan_fail(s, ERROR_SYNTAX, open, "a string without its closing %c",
					 quote);
		if (*s->p < ' ')
			return scan_fail(s, ERROR_SYNTAX, s->p,
					 "a control character in a string: write \\u%04x", *s->p);
		if (*s->p++ == (uint8_t)quote)
			return 0;
		rc = escape(s, out);
	}
	return rc;
}

/* Behind h', to behind the closing quote. */
static int hex_string(struct scan *s, struct buf *out)
{
	for (;;) {
		int rc = scan_blanks(s), high;

		if (rc != 0)
			return rc;
		if (scan_take(s, '\''))
			return 0;
		high = s->p < s->end ? hex_value(*s->p) : -1;
		if (high < 0)
			return scan_expected(s, "hex digits or '");
		s->p++;
		rc = scan_blanks(s);
		if (rc != 0)
			return rc;
		if (s->p == s->end || hex_value(*s->p) < 0)
			return scan_expected(s, "the second digit of a byte");
		buf_byte(out, (uint8_t)(high << 4 | hex_value(*s->p++)));
	}
}

static int base64_value(uint8_t c)
{
	if (scan_is_letter(c))
		return c >= 'a' ? c - 'a' + 26 : c - 'A';
	if (scan_is_digit(c))
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Behind b64', to behind the closing quote. Either alphabet, padded or not. */
static int base64_string(struct scan *s, struct buf *out)
{
	const uint8_t *open = s->p;
	uint32_t bits = 0, have = 0;
	unsigned digits = 0, padding = 0;

	for (; !scan_next_is(s, '\''); s->p++) {
		if (s->p == s->end)
			return scan_fail(s, ERROR_SYNTAX, open, "a string without its closing '");
		if (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')
			continue;
		if (*s->p == '=' && ++padding <= 2)
			continue;
		if (base64_value(*s->p) < 0 || padding > 0)
			return scan_expected(s, "base64 digits or '");
		bits = bits << 6 | (uint32_t)base64_value(*s->p);
		have += 6;
		digits++;
		if (have < 8)
			continue;
		have -= 8;
		buf_byte(out, (uint8_t)(bits >> have));
		bits &= (1u << have) - 1;
	}
	if (digits % 4 == 1 || bits != 0 || (padding > 0 && (digits + padding) % 4 != 0))
		return scan_fail(s, ERROR_SYNTAX, s->p,
				 "the base64 is cut, or its padding is wrong");
	s->p++;
	return 0;
}

int diag_string(struct scan *s, struct buf *out)
{
	int major = ITEM_BYTES, rc;

	if (scan_take(s, '"')) {
		rc = quoted(s, out, '"');
		major = ITEM_TEXT;
	} else if (scan_take(s, '\'')) {
		rc = quoted(s, out, '\'');
	} else if (scan_take_word(s, "h'")) {
		rc = hex_string(s, out);
	} else if (scan_take_word(s, "b64'")) {
		rc = base64_string(s, out);
	} else {
		return 0;
	}
	if (rc == 0)
		scan_indicator(s);
	return rc != 0 ? rc : major;
}
