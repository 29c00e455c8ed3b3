#include "fill.h"

#include "../libclient/item.h"

#include <stdio.h>
#include <string.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t fill_blank(const char *p)
{
	size_t n = 1;

	if (p[0] != '{' || (!is_letter(p[1]) && !is_digit(p[1])))
		return 0;
	while (is_letter(p[n]) || is_digit(p[n]) || p[n] == '-')
		n++;
	return p[n] == '}' ? n + 1 : 0;
}

/* The field that a blank means, or -1. */
static int field_of(const struct fill *f, struct bytes name)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->names->count; i++)
		if (bytes_equal(f->names->at[i].name, name))
			return (int)f->names->at[i].field;
	for (size_t i = 0; i < name.n; i++) {
		if (!is_digit((char)name.p[i]) || n > 255)
			return -1;
		n = n * 10 + name.p[i] - '0';
	}
	return n < (f->arity > 0 ? f->arity : 255) ? (int)n : -1;
}

bool fill_find(const struct fill *f, const char *blank, size_t n, const uint8_t **item)
{
	struct bytes name = {(const uint8_t *)blank + 1, n - 2};
	struct item_head h;
	int field;

	*item = NULL;
	for (const struct fill_value *v = f->values; v != NULL && v->name != NULL; v++)
		if (bytes_equal(bytes_of(v->name), name)) {
			*item = v->item;
			return true;
		}
	field = field_of(f, name);
	if (field < 0 || f->tuple == NULL)
		return field >= 0;
	*item = item_head(f->tuple, &h);
	if ((unsigned)field >= h.arg)
		*item = NULL;
	for (; field > 0 && *item != NULL; field--)
		*item = item_skip(*item);
	return true;
}

bool fill_refuse(char *why, const char *blank, size_t n, const char *what)
{
	snprintf(why, FILL_WHY, "%.*s: %s", n > 80 ? 80 : (int)n, blank, what);
	return false;
}

bool fill_text(struct buf *out, const struct fill *f, const char *blank, size_t n, char *why)
{
	const uint8_t *item;
	size_t start = out->len;
	struct bytes s;

	if (!fill_find(f, blank, n, &item))
		return fill_refuse(why, blank, n, "no blank has this name, no field this number");
	if (f->tuple == NULL)
		return true;
	if (item == NULL)
		return fill_refuse(why, blank, n, "the tuple has no such field");
	s = item_string(item);
	if (s.p != NULL)
		buf_append(out, s.p, s.n);
	else
		diag_print(out, item);
	if (out->len > start && memchr(out->data + start, 0, out->len - start) != NULL)
		return fill_refuse(why, blank, n, "the value has a NUL, which no command can have");
	return true;
}

bool fill_argument(struct buf *out, const char *text, const struct fill *f, char *why)
{
	while (*text != '\0') {
		size_t n = fill_blank(text), escaped = *text == '{' ? fill_blank(text + 1) : 0;

		if (escaped > 0 && text[1 + escaped] == '}') {
			buf_append(out, text + 1, escaped);
			text += escaped + 2;
		} else if (n == 0)
			buf_byte(out, (uint8_t)*text++);
		else if (!fill_text(out, f, text, n, why))
			return false;
		else
			text += n;
	}
	return true;
}

/* --- tuples ---------------------------------------------------------------- */

/* The length of the string or comment that begins at `p`, or 0. */
static size_t quoted(const char *p)
{
	char end = *p == '#' ? '\n' : *p;
	size_t n = 1;

	if (strchr("\"'/#", *p) == NULL)
		return 0;
	while (p[n] != '\0' && p[n] != end)
		n += p[n] == '\\' && (end == '"' || end == '\'') && p[n + 1] != '\0' ? 2 : 1;
	return n + (p[n] != '\0');
}

/* A blank in a string would stay there as it is: whoever wrote it meant another thing. */
static bool check_string(const char *p, size_t n, const struct fill *f, char *why)
{
	const uint8_t *item;

	for (size_t i = 0; i < n && (*p == '"' || *p == '\''); i++) {
		size_t blank = fill_blank(p + i);

		if (blank > 0 && fill_find(f, p + i, blank, &item))
			return fill_refuse(why, p + i, blank, "nothing is filled in within quotes");
	}
	return true;
}

static bool put_item(struct buf *text, const struct fill *f, const char *blank, size_t n,
                     char *why)
{
	const uint8_t *item;

	if (!fill_find(f, blank, n, &item))
		return fill_refuse(why, blank, n, "no blank has this name, no field this number");
	if (item == NULL && f->tuple != NULL)
		return fill_refuse(why, blank, n, "the tuple has no such field");
	if (item != NULL)
		diag_print(text, item);
	else
		buf_text(text, "null");
	return true;
}

static bool tuple_text(struct buf *text, const char *p, const struct fill *f, char *why)
{
	while (*p != '\0') {
		size_t string = quoted(p), n = string > 0 ? 0 : fill_blank(p);

		if (n > 0 && !put_item(text, f, p, n, why))
			return false;
		if (string > 0 && !check_string(p, string, f, why))
			return false;
		if (n == 0)
			buf_append(text, p, string > 0 ? string : 1);
		p += n > 0 ? n : string > 0 ? string : 1;
	}
	return true;
}

bool fill_tuple(struct buf *out, const char *text, const struct fill *f, char *why)
{
	struct buf filled = BUF_INIT;
	struct diag_error err;
	size_t start = out->len;
	bool ok = tuple_text(&filled, text, f, why);

	if (ok && filled.failed) {
		snprintf(why, FILL_WHY, "out of memory");
		ok = false;
	} else if (ok && diag_parse(buf_bytes(&filled), 0, out, NULL, NULL, &err) != 0) {
		snprintf(why, FILL_WHY, "%s", err.why);
		ok = false;
	} else if (ok && out->data[start] >> 5 != ITEM_ARRAY) {
		snprintf(why, FILL_WHY, "a tuple is [...]");
		ok = false;
	}
	buf_close(&filled);
	return ok;
}
