/* A text that is read from its start, and the error where reading failed. */
#ifndef TILIA_SCAN_H
#define TILIA_SCAN_H

#include "diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
	const uint8_t *start, *p, *end; /* p: what is read next */
	struct diag_error *err;
};

static inline bool scan_is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool scan_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Fills the error, of the place `at`; answers `code`. */
int scan_fail(struct scan *s, int code, const uint8_t *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The error "expected WHAT, found" and what stands there instead. */
int scan_expected(struct scan *s, const char *what);

/* Whether that character is next; the other two take it, or a word, if so. */
bool scan_next_is(const struct scan *s, char c);
bool scan_take(struct scan *s, char c);
bool scan_take_word(struct scan *s, const char *word);

/* Takes blanks and comments: "/ ... /", and "#" to the end of the line. 0, or an
 * error. */
int scan_blanks(struct scan *s);

/* Takes an encoding indicator, if there is one. They say how a value was
 * encoded; here they say nothing. */
void scan_indicator(struct scan *s);

/* How many letters, digits, - and _ are next. */
size_t scan_word_span(const struct scan *s);

#endif
