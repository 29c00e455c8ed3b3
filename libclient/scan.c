#include "scan.h"

#include "error.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>

int scan_fail(struct scan *s, int code, const uint8_t *at, const char *fmt, ...)
{
	va_list ap;

	s->err->code = code;
	s->err->offset = (size_t)(at - s->start);
	va_start(ap, fmt);
	vsnprintf(s->err->why, sizeof s->err->why, fmt, ap);
	va_end(ap);
	return code;
}

int scan_expected(struct scan *s, const char *what)
{
	size_t n = utf8_next((struct bytes){s->p, (size_t)(s->end - s->p)}, NULL);

	if (s->p == s->end)
		return scan_fail(s, ERROR_SYNTAX, s->p, "expected %s, found the end", what);
	if (n == 0 || *s->p < ' ' || *s->p == 0x7f || (*s->p == 0xc2 && s->p[1] < 0xa0))
		return scan_fail(s, ERROR_SYNTAX, s->p, "expected %s, found byte %u", what, *s->p);
	return scan_fail(s, ERROR_SYNTAX, s->p, "expected %s, found %.*s", what, (int)n,
			 (const char *)s->p);
}

bool scan_next_is(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == (uint8_t)c;
}

bool scan_take(struct scan *s, char c)
{
	if (!scan_next_is(s, c))
		return false;
	s->p++;
	return true;
}

bool scan_take_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	return true;
}

int scan_blanks(struct scan *s)
{
	for (; s->p < s->end; s->p++) {
		const uint8_t *at = s->p;

		if (*at == '#') {
			while (s->p + 1 < s->end && s->p[1] != '\n')
				s->p++;
		} else if (*at == '/') {
			do
				s->p++;
			while (s->p < s->end && *s->p != '/');
			if (s->p == s->end)
				return scan_fail(s, ERROR_SYNTAX, at,
						 "a comment without its second /");
		} else if (*at != ' ' && *at != '\t' && *at != '\n' && *at != '\r') {
			break;
		}
	}
	return 0;
}

void scan_indicator(struct scan *s)
{
	if (scan_take(s, '_') && s->p < s->end && *s->p >= '0' && *s->p <= '3')
		s->p++;
}

size_t scan_word_span(const struct scan *s)
{
	const uint8_t *q = s->p;

	while (q < s->end && (scan_is_letter(*q) || scan_is_digit(*q) || *q == '_' || *q == '-'))
		q++;
	return (size_t)(q - s->p);
}
