/* Runs tests/vectors/ through the C code. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/codec.h"
#include "../../libclient/diag.h"
#include "../../libclient/error.h"
#include "../../libclient/formal.h"
#include "../../libclient/frame.h"
#include "../../libclient/message.h"
#include "../lib/harness.h"

#include <stdlib.h>

#define COLUMNS 6

static const struct codec_limits usual = {CODEC_HEADS_FRAME, CODEC_DEPTH};

/* One line, taken apart. */
struct vector {
	const char *file;
	unsigned line;
	char *column[COLUMNS];
};

static void vector_fail(const struct vector *v, const char *what, const char *got)
{
	test_fail(v->file, (int)v->line, "%s (%s): %s", what, v->column[0], got);
}

/* Calls run() for each line of a file; the lines have `columns` columns. */
static void each_line(const char *file, unsigned columns, void (*run)(const struct vector *v))
{
	struct vector v = {.file = file};
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t cap = 0, lines = 0;

	if (f == NULL)
		test_fail(file, 0, "cannot be read (run the tests in the top folder)");
	while (getline(&line, &cap, f) > 0) {
		char *rest = line;
		unsigned n = 0;

		v.line++;
		line[strcspn(line, "\n")] = '\0';
		if (*line == '#' || *line == '\0')
			continue;
		while (rest != NULL && n < COLUMNS)
			v.column[n++] = strsep(&rest, "\t");
		if (n != columns || rest != NULL)
			vector_fail(&v, "columns are missing or too many", "");
		run(&v);
		lines++;
	}
	CHECK(lines > 50);
	free(line);
	fclose(f);
}

static struct bytes unhex(const char *hex)
{
	size_t cap = strlen(hex) / 2 + 1;
	uint8_t *p = xmalloc(cap);

	if (strcmp(hex, "-") == 0)
		return (struct bytes){p, 0};
	return (struct bytes){p, test_unhex(hex, p, cap)};
}

static void bytes_free(struct bytes b)
{
	xfree((void *)(uintptr_t)b.p);
}

static void check_canonical(const struct vector *v, struct bytes in, struct bytes want)
{
	struct buf scratch = BUF_INIT;
	struct codec_error err = {0};
	struct codec_info info;
	struct bytes got;

	if (codec_canonical(in, &got, &scratch, &usual, &info, &err) != 0)
		vector_fail(v, "refused", err.why);
	if (!bytes_equal(got, want))
		vector_fail(v, "another canonical form", "");
	buf_close(&scratch);
}

static void check_text(const struct vector *v, struct bytes item, const char *text)
{
	struct buf out = BUF_INIT;
	struct diag_error err = {0};

	diag_print(&out, item.p);
	buf_byte(&out, '\0');
	if (strcmp((char *)out.data, text) != 0)
		vector_fail(v, "printed as", (char *)out.data);
	out.len = 0;
	if (diag_parse(bytes_of(text), DIAG_FORMALS | DIAG_REFS, &out, NULL, NULL, &err) != 0)
		vector_fail(v, "the text is refused", err.why);
	if (!bytes_equal(buf_bytes(&out), item))
		vector_fail(v, "the text is another value", text);
	buf_close(&out);
}

static void run_value(const struct vector *v)
{
	struct bytes in = unhex(v->column[0]), want = unhex(v->column[1]);

	check_canonical(v, in, want);
	check_canonical(v, want, want);
	check_text(v, want, v->column[2]);
	bytes_free(in);
	bytes_free(want);
}

TEST(values)
{
	each_line("tests/vectors/values.txt", 4, run_value);
}

static void run_bad(const struct vector *v)
{
	struct bytes in = unhex(v->column[0]), out;
	struct buf scratch = BUF_INIT;
	struct codec_error err = {0};
	char got[200];
	int rc = codec_canonical(in, &out, &scratch, &usual, NULL, &err);

	snprintf(got, sizeof got, "error %s", error_word(rc));
	if (rc == 0 || strcmp(got, v->column[1]) != 0)
		vector_fail(v, "answered", got);
	if (strtoul(v->column[2], NULL, 10) != err.offset)
		vector_fail(v, "another offset", err.why);
	buf_close(&scratch);
	bytes_free(in);
}

TEST(bad)
{
	each_line("tests/vectors/bad.txt", 4, run_bad);
}

static void run_template(const struct vector *v)
{
	struct bytes t = unhex(v->column[0]), u = unhex(v->column[1]), detail;
	const char *why = "";
	int field;

	check_canonical(v, t, t);
	check_canonical(v, u, u);
	check_text(v, t, v->column[3]);
	check_text(v, u, v->column[4]);
	if (formal_check_template(t, &why, &field, &detail) != 0)
		vector_fail(v, "no template", why);
	if (formal_check_tuple(u, true, &why, &field, &detail) != 0)
		vector_fail(v, "no tuple", why);
	/* null as a whole is every tuple: that is not for formal_match() */
	if (*t.p != ITEM_NULL && formal_match(t.p, u.p) != (strcmp(v->column[2], "match") == 0))
		vector_fail(v, v->column[2], v->column[5]);
	bytes_free(t);
	bytes_free(u);
}

TEST(templates)
{
	each_line("tests/vectors/templates.txt", 6, run_template);
}

static int run_reply(struct bytes message)
{
	struct buf scratch = BUF_INIT;
	struct codec_error err = {0};
	struct reply r;
	int rc = message_decode_reply(message, &scratch, &r, &err);

	buf_close(&scratch);
	return rc;
}

static int run_request(struct bytes message)
{
	struct buf scratch = BUF_INIT;
	struct message_error err = {0};
	struct request r;
	int rc = message_decode(message, &scratch, &r, &err);

	buf_close(&scratch);
	return rc;
}

static void run_message(const struct vector *v)
{
	struct bytes frame = unhex(v->column[0]), message;
	struct buf head = BUF_INIT;
	char got[100];
	size_t used;
	int rc;

	if (frame_next(frame, FRAME_MAX, &message, &used) != 1 || used != frame.n)
		vector_fail(v, "not one frame", "");
	frame_put_head(&head, message.n);
	if (head.len + message.n != used || memcmp(head.data, frame.p, head.len) != 0)
		vector_fail(v, "not the head of such a frame", "");
	check_canonical(v, message, message);
	check_text(v, message, v->column[2]);
	rc = strcmp(v->column[1], "reply") == 0 ? run_reply(message) : run_request(message);
	snprintf(got, sizeof got, "error %s", error_word(rc));
	if (rc == 0 ? strncmp(v->column[1], "re", 2) != 0 : strcmp(got, v->column[1]) != 0)
		vector_fail(v, rc == 0 ? "accepted" : got, v->column[3]);
	buf_close(&head);
	bytes_free(frame);
}

TEST(messages)
{
	each_line("tests/vectors/messages.txt", 4, run_message);
}
