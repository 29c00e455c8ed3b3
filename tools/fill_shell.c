/* Where a value may stand in a command for a shell. A value in single quotes is safe
 * only where the shell reads single quotes as such, so what is in quotes has to be
 * known exactly. This is no shell's grammar: whatever would need one is refused
 * together with blanks, and the rest is plain words, '..', "..", \x and $( ) outside
 * of "", within which quotes begin anew. */
#include "fill.h"

#include <stdio.h>
#include <string.h>

struct scan {
	const char *text, *p;
	char quote;          /* ', " or 0 */
	bool filled;         /* there are blanks */
	bool subscript;      /* behind a `[` within a word: bash computes what is in there */
	const char *trouble; /* what cannot be together with blanks, or NULL */
};

static bool begins_word(const struct scan *s)
{
	return s->p == s->text || strchr(" \t\n;&|()<>", s->p[-1]) != NULL;
}

/* The length of a plain ${...}, without quotes or further expansions in it; or 0. */
static size_t parameter(const char *p)
{
	size_t n = strspn(p + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                         "_@*#?!:%/.,+=^~-");

	return n > 0 && p[2 + n] == '}' ? n + 3 : 0;
}

/* What begins at s->p and leaves it open what is quoted behind it; or NULL. */
static const char *trouble(const struct scan *s)
{
	const char *p = s->p;

	if (*p == '`')
		return "`...`";
	if (p[0] == '$' && p[1] == '{' && parameter(p) == 0)
		return "${ } with quotes or expansions in it";
	if (s->quote == '"')
		return p[0] == '$' && p[1] == '(' ? "$( ) within quotes" : NULL;
	if (p[0] == '$' && (p[1] == '\'' || p[1] == '"'))
		return "$'...'";
	if (strncmp(p, "$((", 3) == 0 || strncmp(p, "((", 2) == 0 || strncmp(p, "$[", 2) == 0)
		return "arithmetic";
	if (p[0] == '<' && p[1] == '<')
		return "a here-document";
	if (*p == '#' && begins_word(s))
		return "a comment";
	return NULL;
}

/* How many bytes from s->p on belong together and hold no blank. */
static size_t step(struct scan *s)
{
	const char *p = s->p;

	if (s->quote != '\'' && s->trouble == NULL)
		s->trouble = trouble(s);
	if (*p == '\\' && s->quote != '\'' && p[1] != '\0')
		return 2;
	if (s->quote != '\'' && p[0] == '$' && p[1] == '{' && parameter(p) > 0)
		return parameter(p);
	if (s->quote == 0 && (*p == '[' || *p == ']'))
		s->subscript = *p == '[' && !begins_word(s);
	if (*p == s->quote)
		s->quote = 0;
	else if (s->quote == 0 && (*p == '\'' || *p == '"'))
		s->quote = *p;
	return 1;
}

/* 'value', its own quotes as '\'' */
static bool put_word(struct buf *out, const struct fill *f, const char *blank, size_t n, char *why)
{
	struct buf value = BUF_INIT;
	bool ok = fill_text(&value, f, blank, n, why);

	buf_byte(out, '\'');
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == '\'')
			buf_text(out, "'\\''");
		else
			buf_byte(out, value.data[i]);
	buf_byte(out, '\'');
	out->failed |= value.failed;
	buf_close(&value);
	return ok;
}

static bool refuse_trouble(const struct scan *s, char *why)
{
	snprintf(why, FILL_WHY, "blanks and %s do not go together: use $TILIA_NAME there, "
	         "or a command with arguments", s->trouble);
	return false;
}

/* The blank at s->p, and ${n} that looks like one. */
static bool put_blank(struct scan *s, struct buf *out, size_t n, const struct fill *f, char *why)
{
	const uint8_t *item;
	bool known = fill_find(f, s->p, n, &item);

	if (s->subscript)
		return fill_refuse(why, s->p, n, "it cannot stand behind x[");
	if (s->quote == 0) {
		s->filled = true;
		s->p += n;
		return put_word(out, f, s->p - n, n, why);
	}
	if (known && s->trouble != NULL)
		return refuse_trouble(s, why);
	if (known)
		return fill_refuse(why, s->p, n,
		                   "it becomes one quoted word, so it stands outside of quotes");
	buf_append(out, s->p, n);
	s->p += n;
	return true;
}

bool fill_shell(struct buf *out, const char *text, const struct fill *f, char *why)
{
	struct scan s = {.text = text, .p = text};
	const uint8_t *item;

	while (*s.p != '\0') {
		size_t n = fill_blank(s.p);

		if (n > 0 && !put_blank(&s, out, n, f, why))
			return false;
		if (n > 0)
			continue;
		n = s.p[0] == '$' && s.quote != '\'' ? fill_blank(s.p + 1) : 0;
		if (n > 0 && fill_find(f, s.p + 1, n, &item))
			return fill_refuse(why, s.p, n + 1, "the blank has no $ in front of it");
		n = step(&s);
		buf_append(out, s.p, n);
		s.p += n;
	}
	if (s.trouble != NULL && s.filled)
		return refuse_trouble(&s, why);
	if (s.quote != 0 && s.filled)
		return fill_refuse(why, &s.quote, 1, "this quote is not closed");
	return true;
}
