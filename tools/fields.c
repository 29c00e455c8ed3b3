#include "fields.h"

#include "tilia.h"

#include "../libclient/error.h"
#include "../libclient/item.h"
#include "../libclient/utf8.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 255

void fields_init(struct fields *f)
{
	buf_init(&f->cbor);
	f->names.count = 0;
}

void fields_close(struct fields *f)
{
	buf_close(&f->cbor);
}

bool fields_any(const struct option_scan *s)
{
	return s->at < s->argc;
}

bool fields_dash(const struct option_scan *s)
{
	return !s->literal && s->argc - s->at == 1 && strcmp(s->argv[s->at], "-") == 0;
}

void fields_show(const char *command, struct bytes text, const struct diag_error *err)
{
	struct buf b = BUF_INIT;

	diag_caret(&b, text, err);
	tool_complain(command, "%s", err->why);
	fwrite(b.data, 1, b.len, stderr);
	buf_close(&b);
}

/* The number of words before a `--` among the fields; the `--` itself is moved
 * out of the way. */
static unsigned literal_from(const struct option_scan *s, char **words, unsigned *count)
{
	if (s->literal)
		return 0;
	for (unsigned i = 0; i < *count; i++)
		if (strcmp(words[i], "--") == 0) {
			memmove(words + i, words + i + 1, (*count - i - 1) * sizeof *words);
			--*count;
			return i;
		}
	return *count;
}

static bool looks_like_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') &&
	       word[1] != '.' && strcmp(word, "-Infinity") != 0;
}

static bool check_words(const char *command, char *const *words, unsigned count, unsigned literal)
{
	for (unsigned i = 0; i < literal; i++) {
		if (looks_like_option(words[i])) {
			tool_usage(command,
			           "%s: options stand before the fields; after -- it is text",
			           words[i]);
			return false;
		}
		if (words[i][0] == '[' && i == 0 && count > 1 &&
		    strchr(words[1], '[') == words[1]) {
			tool_usage(command,
			           "one [...] is a whole tuple; give one at a time, or a line "
			           "each to `tilia out -`");
			return false;
		}
	}
	return true;
}

bool fields_words(struct fields *f, const struct option_scan *s, bool formals)
{
	char *words[FIELDS_MAX + 1];
	unsigned count = (unsigned)(s->argc - s->at), literal = 0, word = 0;
	struct diag_error err;

	if (count <= FIELDS_MAX + 1) { /* one of them may be a `--` */
		memcpy(words, s->argv + s->at, count * sizeof *words);
		literal = literal_from(s, words, &count);
	}
	if (count > FIELDS_MAX) {
		tool_usage(s->command, "at most %d fields", FIELDS_MAX);
		return false;
	}
	if (!check_words(s->command, words, count, literal))
		return false;
	if (diag_words(words, count, literal, formals ? DIAG_FORMALS : 0, &f->cbor, &f->names,
	               &word, &err) == 0)
		return true;
	fields_show(s->command, bytes_of(word < count ? words[word] : ""), &err);
	return false;
}

bool fields_line(struct buf *out, const char *command, struct bytes text, uint64_t line)
{
	struct diag_error err;
	size_t start = out->len;

	if (diag_parse(text, 0, out, NULL, NULL, &err) == 0) {
		if (out->data[start] >> 5 == ITEM_ARRAY)
			return true;
		out->len = start;
		err = (struct diag_error){.code = ERROR_SYNTAX, .why = "a tuple is [...]"};
	}
	fprintf(stderr, "tilia %s: line %llu\n", command, (unsigned long long)line);
	fields_show(command, text, &err);
	return false;
}

bool fields_template(struct buf *out, const char *command, const char *text)
{
	struct diag_error err;

	if (diag_parse(bytes_of(text), DIAG_FORMALS, out, NULL, NULL, &err) == 0)
		return true;
	fields_show(command, bytes_of(text), &err);
	return false;
}

bool fields_last(struct buf *out, const char *command, struct bytes head, struct bytes text,
                 uint64_t line)
{
	struct item_head h;
	const uint8_t *first = item_head(head.p, &h);

	if (!utf8_valid(text)) {
		tool_complain(command, "line %llu is not UTF-8, and text must be",
		              (unsigned long long)line);
		return false;
	}
	item_put_head(out, ITEM_ARRAY, h.arg + 1);
	buf_append(out, first, (size_t)(head.p + head.n - first));
	item_put_text_n(out, text);
	return true;
}
