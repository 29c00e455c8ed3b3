/* atomic: guards and outs at one instant. */
#include "fields.h"
#include "lines.h"
#include "link.h"
#include "output.h"
#include "pipe_words.h"
#include "steps.h"
#include "tilia.h"

#include "../libclient/item.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct option_row atomic_options[] = {
	OPT_ROW_TIMEOUT,
	OUTPUT_ROWS,
	OUTPUT_FIELD_ROWS,
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROW_DRY_RUN,
	OPT_ROWS_END,
};

struct atomic {
	struct link link;
	struct tilia_op op;
	struct output output;
	struct steps steps;
	bool dry_run;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct atomic *a = ctx;

	switch (id) {
	case OPT_CONNECT:
		a->link.address = s->value;
		return true;
	case OPT_SPACE:
		a->steps.space = s->value;
		return true;
	case OPT_TIMEOUT:
		return option_timeout(s, &a->op.timeout_ms);
	case OPT_DRY_RUN:
		return a->dry_run = true;
	}
	return output_option(&a->output, s, id);
}

static int read_words(struct atomic *a, char *const *words, int count)
{
	const struct steps *s = &a->steps;

	if (steps_read(&a->steps, words, count))
		return 0;
	tool_usage(a->link.command, "%s", s->why);
	if (s->text) {
		struct buf b = BUF_INIT;

		diag_caret(&b, bytes_of(s->text), &s->at);
		fwrite(b.data, 1, b.len, stderr);
		buf_close(&b);
	}
	return EXIT_USAGE;
}

static int read_line(struct atomic *a, struct bytes line)
{
	struct pipe_words w = {.count = 0};
	const char *why;
	int status;

	if (pipe_words_cut(&w, line, &why))
		status = read_words(a, w.at, w.count);
	else
		status = tool_usage(a->link.command, "%s", why);
	pipe_words_close(&w);
	return status;
}

/* Steps on standard input, as many a line as one likes. */
static int read_lines(struct atomic *a)
{
	struct lines input;
	struct bytes line;
	sigset_t open;
	int code = 0, status = 0;
	enum lines_state state;

	sigprocmask(SIG_SETMASK, NULL, &open);
	lines_init(&input, '\n');
	while (status == 0 && code == 0 && (state = lines_next(&input, &line)) != LINES_OVER)
		if (state == LINES_ONE)
			status = read_line(a, line);
		else if (state == LINES_LONG)
			status = tool_usage(a->link.command, "a line is too long");
		else
			code = lines_read(&input, &open);
	lines_close(&input);
	if (code == 0)
		return status;
	tool_complain(a->link.command, "standard input: %s", strerror(code));
	return EXIT_LOCAL;
}

/* Prints what the guards matched: the first of [[[id, tuple] | null...], [id...]]. */
static int print(struct atomic *a, struct bytes answer)
{
	struct item_head h, entry, id;
	const uint8_t *p;
	int status = 0;

	item_head(answer.p, &h);
	p = item_head(item_head(answer.p, &h), &h);
	for (uint64_t i = 0; i < h.arg && status == 0; i++, p = item_skip(p)) {
		const uint8_t *first = item_head(p, &entry);

		if (entry.major == ITEM_ARRAY) {
			const uint8_t *tuple = item_head(first, &id);

			status = output_tuple(&a->output, id.arg, tuple);
		}
	}
	status = status ? status : output_write(&a->output);
	if (status != 0)
		tool_complain(a->link.command, "it was done all the same");
	return status;
}

static int ask(struct atomic *a, struct bytes steps)
{
	struct link_result r;
	int left, status = link_open(&a->link);

	if (status != 0)
		return status;
	link_result_init(&r);
	status = link_ask(&a->link, TILIA_ATOMIC, &a->op, steps, &r);
	if (status == 0)
		status = print(a, buf_bytes(&r.cbor));
	link_result_close(&r);
	left = link_close(&a->link);
	return status ? status : left;
}

static int run(struct atomic *a, const struct command *c, int argc, char **argv)
{
	struct buf steps = BUF_INIT;
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, a, &status))
		return status;
	status = output_settle(&a->output, NULL);
	if (status == 0)
		status = fields_dash(&s) ? read_lines(a)
		                         : read_words(a, argv + s.at, argc - s.at);
	if (status == 0 && a->steps.count == 0)
		status = tool_usage(c->name, "steps, or - for steps on standard input");
	if (status != 0)
		return status;
	steps_put(&a->steps, &steps);
	if (a->dry_run) {
		status = output_item(&a->output, steps.data);
		status = status ? status : output_write(&a->output);
	} else {
		status = ask(a, buf_bytes(&steps));
	}
	buf_close(&steps);
	return status;
}

int atomic_main(const struct command *c, int argc, char **argv)
{
	struct atomic a = {.link.command = c->name};
	int status;

	output_init(&a.output, c->name);
	steps_init(&a.steps, "main");
	status = run(&a, c, argc, argv);
	steps_close(&a.steps);
	output_close(&a.output);
	return status;
}
