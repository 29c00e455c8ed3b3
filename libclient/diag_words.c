/* The words of a command line as a tuple or template. What a word is, is told
 * by its form alone; a word that has the form of a value but is not one is an
 * error, never silently text. */
#include "codec.h"
#include "decimal.h"
#include "diag.h"
#include "error.h"
#include "formal.h"
#include "item.h"
#include "scan.h"
#include "utf8.h"

#include <stdio.h>

static int fail(struct diag_error *err, int code, size_t offset, const char *why)
{
	err->code = code;
	err->offset = offset;
	snprintf(err->why, sizeof err->why, "%s", why);
	return code;
}

static bool is_name(uint8_t c)
{
	return scan_is_letter(c) || scan_is_digit(c) || c == '_' || c == '-';
}

/* Whether a word has the form of something that is not text. */
static bool is_value(struct bytes w)
{
	bool is_float;
	uint8_t first = w.n > 0 ? w.p[0] : 0, last = w.n > 1 ? w.p[w.n - 1] : 0;

	return (first == '[' && last == ']') || (first == '{' && last == '}') ||
	       (first == '"' && last == '"') || bytes_equal(w, bytes_of("true")) ||
	       bytes_equal(w, bytes_of("false")) || bytes_equal(w, bytes_of("null")) ||
	       (w.n > 0 && decimal_span(w, &is_float) == w.n);
}

/* Whether a word has the form name:type or :type, of letters; where its parts
 * are then. */
static bool is_formal(struct bytes w, struct bytes *name, struct bytes *type)
{
	size_t n = 0;

	while (n < w.n && is_name(w.p[n]))
		n++;
	if (n == w.n || w.p[n] != ':' || n + 1 == w.n ||
	    (n > 0 && !scan_is_letter(w.p[0]) && w.p[0] != '_'))
		return false;
	*name = (struct bytes){w.p, n};
	*type = (struct bytes){w.p + n + 1, w.n - n - 1};
	for (size_t i = 0; i < type->n; i++)
		if (!scan_is_letter(type->p[i]))
			return false;
	return true;
}

static int name_put(struct diag_names *names, unsigned field, struct bytes name,
		    struct diag_error *err)
{
	if (names == NULL || name.n == 0)
		return 0;
	for (unsigned i = 0; i < names->count; i++)
		if (bytes_equal(names->at[i].name, name))
			return fail(err, ERROR_SYNTAX, 0, "this name is there already");
	if (names->count == sizeof names->at / sizeof *names->at)
		return fail(err, ERROR_LIMIT, 0, "too many names");
	names->at[names->count++] = (struct diag_name){field, name};
	return 0;
}

static int put_formal(struct buf *out, struct bytes name, struct bytes type, unsigned field,
		      struct diag_names *names, struct diag_error *err)
{
	int named = item_type_named(type);

	if (named < 0)
		return fail(
		    err, ERROR_SYNTAX, name.n + 1,
		    "no such type; there are any null bool int float number text bytes array map "
		    "tag simple undefined (text with a colon stands in quotes or behind --)");
	formal_put(out, (enum item_type)named);
	return name_put(names, field, name, err);
}

/* Text, or in a tuple a formal, which has no place there. */
static int put_text(struct buf *out, struct bytes w, bool literal, struct diag_error *err)
{
	struct bytes name, type;
	uint32_t c;
	size_t at = 0, n;

	if (!literal && is_formal(w, &name, &type) && item_type_named(type) >= 0)
		return fail(err, ERROR_SYNTAX, name.n,
			    "a formal stands in templates only (as text: in quotes or behind --)");
	for (; at < w.n; at += n) {
		n = utf8_next((struct bytes){w.p + at, w.n - at}, &c);
		if (n == 0)
			return fail(err, ERROR_SYNTAX, at,
				    "not UTF-8; bytes are written [h'..'] in a whole tuple");
	}
	item_put_text_n(out, w);
	return 0;
}

static int put_word(struct buf *out, struct bytes w, bool literal, unsigned flags, unsigned field,
		    struct diag_names *names, struct diag_error *err)
{
	struct bytes name, type;

	if (literal)
		return put_text(out, w, true, err);
	if (is_value(w))
		return diag_parse(w, flags & DIAG_FORMALS, out, NULL, NULL, err);
	if ((flags & DIAG_FORMALS) != 0 && is_formal(w, &name, &type))
		return put_formal(out, name, type, field, names, err);
	return put_text(out, w, false, err);
}

/* The fields are canonical each; is the whole within the limits? */
static int check(struct bytes item, struct diag_error *err)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};
	struct codec_error why;
	struct buf scratch = BUF_INIT;
	struct bytes unused;
	int rc = codec_canonical(item, &unused, &scratch, &limits, NULL, &why);

	buf_close(&scratch);
	return rc != 0 ? fail(err, rc, 0, why.why) : 0;
}

int diag_words(char *const *words, unsigned count, unsigned literal, unsigned flags,
	       struct buf *out, struct diag_names *names, unsigned *word, struct diag_error *err)
{
	size_t before = out->len;
	int rc = 0;

	*word = 0;
	if (names != NULL)
		names->count = 0;
	if (count > 0 && literal > 0 && words[0][0] == '[') {
		if (count == 1)
			return diag_parse(bytes_of(words[0]), flags & DIAG_FORMALS, out, names,
					  NULL, err);
		*word = 1;
		return fail(err, ERROR_SYNTAX, 0,
			    "a word that begins with [ is the whole; no other may follow it");
	}
	item_put_head(out, ITEM_ARRAY, count);
	for (unsigned i = 0; i < count && rc == 0; i++) {
		*word = i;
		rc = put_word(out, bytes_of(words[i]), i >= literal, flags, i, names, err);
	}
	if (rc == 0 && out->failed)
		rc = fail(err, ERROR_NOMEM, 0, "out of memory");
	if (rc == 0)
		rc = check((struct bytes){out->data + before, out->len - before}, err);
	if (rc != 0)
		out->len = before;
	return rc;
}
