#include "pipe_words.h"

#include "../libclient/diag.h"
#include "../libclient/item.h"

#include <math.h>
#include <string.h>

void pipe_words_close(struct pipe_words *w)
{
	buf_close(&w->text);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The end of a word that begins at `p`; NULL when a quote or bracket is open. */
static const uint8_t *word_end(const uint8_t *p, const uint8_t *end)
{
	bool quoted = false, nests = *p == '"' || *p == '[' || *p == '{';
	unsigned depth = 0;

	for (; p < end; p++) {
		if (!nests && is_blank(*p))
			return p;
		if (quoted && *p == '\\' && p + 1 < end)
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (*p == '[' || *p == '{'))
			depth++;
		else if (!quoted && (*p == ']' || *p == '}') && depth > 0)
			depth--;
		else if (!quoted && depth == 0 && is_blank(*p))
			return p;
	}
	return nests && (quoted || depth > 0) ? NULL : end;
}

bool pipe_words_cut(struct pipe_words *w, struct bytes line, const char **why)
{
	const uint8_t *p = line.p, *end = line.p + line.n, *stop;
	size_t starts[PIPE_WORDS];

	w->count = 0;
	buf_clear(&w->text, 1 << 16);
	*why = "a NUL is in the line";
	if (line.n > 0 && memchr(line.p, '\0', line.n))
		return false;
	for (;;) {
		while (p < end && is_blank(*p))
			p++;
		if (p == end)
			break;
		*why = "too many words";
		if (w->count == PIPE_WORDS)
			return false;
		*why = "a quote or bracket is not closed";
		stop = word_end(p, end);
		if (!stop)
			return false;
		starts[w->count++] = w->text.len;
		buf_append(&w->text, p, (size_t)(stop - p));
		buf_byte(&w->text, '\0');
		p = stop;
	}
	*why = "out of memory";
	for (int i = 0; i < w->count && !w->text.failed; i++)
		w->at[i] = (char *)w->text.data + starts[i];
	w->at[w->count] = NULL;
	return !w->text.failed;
}

/* Whether a text is read as itself when it stands as a word: it begins with a
 * letter, `/`, `.` or `_`, holds nothing a shell or the words form cares about,
 * and is no value. */
static bool plain(struct bytes s)
{
	static const char *const values[] = {"true", "false", "null"};
	uint8_t first = s.n > 0 ? s.p[0] | 32 : 0;

	if (s.n == 0 || ((first < 'a' || first > 'z') && s.p[0] < 128 && !strchr("/._", s.p[0])))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 127 || strchr("\"'\\:$`", s.p[i]))
			return false;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (bytes_equal(s, bytes_of(values[i])))
			return false;
	return true;
}

/* Whether a field is one that a word can say. */
static bool word_can(const uint8_t *field, bool first)
{
	struct item_head h;

	item_head(field, &h);
	switch (item_type(field)) {
	case ITEM_TYPE_NULL:
	case ITEM_TYPE_BOOL:
	case ITEM_TYPE_INT:
	case ITEM_TYPE_TEXT:
	case ITEM_TYPE_MAP:
		return true;
	case ITEM_TYPE_FLOAT:
		return isfinite(item_float(&h));
	case ITEM_TYPE_ARRAY:
		return !first; /* [..] at the front is the whole tuple */
	default:
		return false;
	}
}

void pipe_words_put(struct buf *b, const uint8_t *tuple)
{
	struct item_head h;
	const uint8_t *p = item_head(tuple, &h);
	bool words = h.arg > 0;

	for (uint64_t i = 0; i < h.arg && words; i++, p = item_skip(p))
		words = word_can(p, i == 0);
	if (!words) {
		buf_byte(b, ' ');
		diag_print(b, tuple);
		return;
	}
	p = item_head(tuple, &h);
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p)) {
		struct bytes s = item_string(p);

		buf_byte(b, ' ');
		if (*p >> 5 == ITEM_TEXT && plain(s))
			buf_append(b, s.p, s.n);
		else
			diag_print(b, p);
	}
}
