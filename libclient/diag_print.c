/* Canonical items as diagnostic notation, and texts with a caret. */
#include "decimal.h"
#include "diag.h"
#include "diag_parse.h"
#include "formal.h"
#include "item.h"
#include "utf8.h"

#include <math.h>

/* A line shown with a caret: wider ones are cut. */
#define CARET_COLUMNS 76

static const uint8_t *print(struct buf *out, const uint8_t *p, bool bare);

static void quote_character(struct buf *out, uint32_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;

	if (at != NULL) {
		buf_byte(out, '\\');
		buf_byte(out, (uint8_t)to[at - from]);
	} else if (c < ' ' || (c >= 0x7f && c < 0xa0)) { /* a terminal would obey them */
		buf_printf(out, "\\u%04x", (unsigned)c);
	} else {
		utf8_put(out, c);
	}
}

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

void diag_quote(struct buf *out, struct bytes text)
{
	uint32_t c;
	size_t n, plain;

	buf_byte(out, '"');
	do {
		for (plain = 0; plain < text.n && is_plain(text.p[plain]);)
			plain++;
		buf_append(out, text.p, plain);
		text = (struct bytes){text.p + plain, text.n - plain};
		n = utf8_next(text, &c);
		if (n > 0)
			quote_character(out, c);
		text = (struct bytes){text.p + n, text.n - n};
	} while (n > 0);
	buf_byte(out, '"');
}

static void print_bytes(struct buf *out, const uint8_t *p, uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *to = n < SIZE_MAX / 2 - 3 ? buf_reserve(out, 2 * n + 3) : NULL;

	if (to == NULL)
		return;
	*to++ = 'h';
	*to++ = '\'';
	for (uint64_t i = 0; i < n; i++) {
		*to++ = (uint8_t)digits[p[i] >> 4];
		*to++ = (uint8_t)digits[p[i] & 15];
	}
	*to = '\'';
	out->len += 2 * n + 3;
}

static const uint8_t *print_array(struct buf *out, const uint8_t *p, uint64_t count, bool bare)
{
	buf_byte(out, '[');
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0)
			buf_text(out, ", ");
		p = print(out, p, bare);
	}
	buf_byte(out, ']');
	return p;
}

static const uint8_t *print_map(struct buf *out, const uint8_t *p, uint64_t count, bool bare)
{
	buf_byte(out, '{');
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0)
			buf_text(out, ", ");
		p = print(out, p, true);
		buf_text(out, ": ");
		p = print(out, p, bare);
	}
	buf_byte(out, '}');
	return p;
}

/* Prints a sign and an item, if there is one. */
static void print_constraint(struct buf *out, const char *sign, const uint8_t *item)
{
	if (item == NULL)
		return;
	buf_text(out, sign);
	print(out, item, false);
}

static void print_range(struct buf *out, const struct formal *f)
{
	bool both = f->at[FORMAL_GE] != NULL && f->at[FORMAL_LE] != NULL;

	print_constraint(out, both ? " " : ">=", f->at[FORMAL_GE]);
	print_constraint(out, both ? ".." : "<=", f->at[FORMAL_LE]);
	print_constraint(out, ">", f->at[FORMAL_GT]);
	print_constraint(out, "<", f->at[FORMAL_LT]);
}

static void print_choice(struct buf *out, const uint8_t *list)
{
	struct item_head h;
	const uint8_t *p = item_head(list, &h);

	for (uint64_t i = 0; i < h.arg; i++) {
		buf_byte(out, i == 0 ? '(' : '|');
		p = print(out, p, false);
	}
	buf_byte(out, ')');
}

/* As diag_formal.c reads it. A bracket directly behind a number would make it a
 * tag, so a blank is in front of what follows other constraints. */
static void print_formal(struct buf *out, const struct formal *f)
{
	size_t before;

	buf_byte(out, '?');
	if (f->at[FORMAL_TYPE] != NULL || !f->constrained)
		buf_text(out, f->type == ITEM_TYPE_ANY ? "" : item_type_name(f->type));
	before = out->len;
	print_range(out, f);
	print_constraint(out, "^", f->at[FORMAL_PREFIX]);
	if (f->at[FORMAL_ONEOF] != NULL) {
		buf_text(out, out->len > before ? " " : "");
		print_choice(out, f->at[FORMAL_ONEOF]);
	}
	if (f->at[FORMAL_HAS] != NULL)
		print_constraint(out, out->len > before || f->at[FORMAL_TYPE] ? " has" : "has",
				 f->at[FORMAL_HAS]);
	print_constraint(out, "!=", f->at[FORMAL_NE]);
	if (f->at[FORMAL_ORDER] != NULL)
		buf_printf(out, " %.3s", (const char *)item_string(f->at[FORMAL_ORDER]).p);
}

/* Whether the formal at `p` is one that its text is read as, byte for byte. */
static bool has_text(const uint8_t *p, struct formal *f)
{
	struct bytes detail;
	const char *why;
	bool map = p[3] >> 5 == ITEM_MAP; /* behind the tag's head */

	if (formal_read(p, f, &why, &detail) != 0)
		return false;
	return map == (f->constrained || f->at[FORMAL_ORDER] != NULL) &&
	       (f->at[FORMAL_TYPE] == NULL || *f->at[FORMAL_TYPE] != ITEM_NULL);
}

/* `at` is where the tag begins, `p` its content. */
static const uint8_t *print_tag(struct buf *out, const uint8_t *at, const uint8_t *p, uint64_t tag,
				bool bare)
{
	struct bytes content = item_string(p);
	struct formal f;

	/* Digits take a time that grows with their square. */
	if ((tag == 2 || tag == 3) && content.n <= DECIMAL_BYTES) {
		decimal_put_bignum(out, tag == 3, content);
		return item_skip(p);
	}
	if (tag == ITEM_TAG_FORMAL && !bare && has_text(at, &f)) {
		print_formal(out, &f);
		return item_skip(p);
	}
	if (tag == ITEM_TAG_REF && !bare && diag_ref_print(out, at))
		return item_skip(p);
	buf_printf(out, "%llu(", (unsigned long long)tag);
	p = print(out, p, bare);
	buf_byte(out, ')');
	return p;
}

static void print_simple(struct buf *out, const struct item_head *h)
{
	static const char *const words[] = {"false", "true", "null", "undefined"};
	double v;

	if (h->info > 24) {
		v = item_float(h);
		if (isnan(v))
			buf_text(out, "NaN");
		else if (isinf(v))
			buf_text(out, v < 0 ? "-Infinity" : "Infinity");
		else
			decimal_put_double(out, v);
		return;
	}
	if (h->arg >= 20 && h->arg < 24)
		buf_text(out, words[h->arg - 20]);
	else
		buf_printf(out, "simple(%u)", (unsigned)h->arg);
}

/* Answers the first byte behind the item. The codec bounds the depth. `bare`: no
 * formal may stand here, so one that does is shown as the tag it is. */
static const uint8_t *print(struct buf *out, const uint8_t *p, bool bare)
{
	const uint8_t *at = p;
	struct item_head h;

	p = item_head(p, &h);
	switch ((enum item_major)h.major) {
	case ITEM_UINT:
		decimal_put_uint(out, h.arg);
		return p;
	case ITEM_NINT:
		decimal_put_negative(out, h.arg);
		return p;
	case ITEM_BYTES:
		print_bytes(out, p, h.arg);
		return p + h.arg;
	case ITEM_TEXT:
		diag_quote(out, (struct bytes){p, h.arg});
		return p + h.arg;
	case ITEM_ARRAY:
		return print_array(out, p, h.arg, bare);
	case ITEM_MAP:
		return print_map(out, p, h.arg, bare);
	case ITEM_TAG:
		return print_tag(out, at, p, h.arg, bare);
	case ITEM_SIMPLE:
		print_simple(out, &h);
		return p;
	}
	return p;
}

void diag_print(struct buf *out, const uint8_t *item)
{
	print(out, item, false);
}

/* One character of the line shown, `n` bytes of it; what a terminal would obey
 * becomes a blank or a question mark. */
static void caret_character(struct buf *out, const uint8_t *p, size_t n, uint32_t c)
{
	if (n == 0)
		buf_byte(out, '?');
	else if (c == '\t')
		buf_byte(out, ' ');
	else if (c < ' ' || (c >= 0x7f && c < 0xa0))
		buf_byte(out, '?');
	else
		buf_append(out, p, n);
}

/* Appends the characters of a line from column `from` to before `to`; answers
 * how many the whole line has, and in *column that of the byte at `at`. */
static size_t caret_line(struct buf *out, struct bytes line, size_t at, size_t from, size_t to,
			 size_t *column)
{
	size_t columns = 0, i = 0;

	*column = SIZE_MAX;
	while (i < line.n) {
		uint32_t c = 0;
		size_t n = utf8_next((struct bytes){line.p + i, line.n - i}, &c);

		if (i + (n > 0 ? n : 1) > at && *column == SIZE_MAX)
			*column = columns;
		if (columns >= from && columns < to)
			caret_character(out, line.p + i, n, c);
		columns++;
		i += n > 0 ? n : 1;
	}
	if (*column == SIZE_MAX)
		*column = columns;
	return columns;
}

void diag_caret(struct buf *out, struct bytes text, const struct diag_error *err)
{
	size_t at = err->offset < text.n ? err->offset : text.n, begin = at, end = at;
	size_t from = 0, columns, column;
	struct bytes line;

	while (begin > 0 && text.p[begin - 1] != '\n')
		begin--;
	while (end < text.n && text.p[end] != '\n')
		end++;
	line = (struct bytes){text.p + begin, end - begin};
	columns = caret_line(out, line, at - begin, 0, 0, &column);
	if (columns > CARET_COLUMNS) {
		from = column > CARET_COLUMNS / 2 ? column - CARET_COLUMNS / 2 : 0;
		if (from > columns - CARET_COLUMNS)
			from = columns - CARET_COLUMNS;
	}
	buf_text(out, from > 0 ? "..." : "");
	caret_line(out, line, at - begin, from, from + CARET_COLUMNS, &column);
	buf_text(out, from + CARET_COLUMNS < columns ? "...\n" : "\n");
	buf_text(out, from > 0 ? "   " : "");
	for (size_t i = from; i < column; i++)
		buf_byte(out, ' ');
	buf_text(out, "^\n");
}
