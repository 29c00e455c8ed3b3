#include "link.h"
#include "output.h"
#include "tilia.h"
#include "why.h"

#include "../libclient/item.h"

#include <stdio.h>

enum { OPT_WAITING = OPT_OWN };

const struct option_row stats_options[] = {
	{OPT_WAITING, 0, "waiting", OPT_FLAG, NULL,
	 "the requests that wait, and why: the tuples that come nearest"},
	OUTPUT_ROWS,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct stats {
	struct link link;
	struct output output;
	bool waiting;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct stats *stats = ctx;

	if (id == OPT_WAITING)
		return stats->waiting = true;
	if (id != OPT_CONNECT)
		return output_option(&stats->output, s, id);
	stats->link.address = s->value;
	return true;
}

/* A line "path value" for each leaf of nested maps. */
static void put_lines(struct buf *b, const uint8_t *item, const char *path)
{
	struct item_head h;
	const uint8_t *p = item_head(item, &h);
	char name[256];

	if (h.major != ITEM_MAP) {
		struct bytes text = item_string(item);

		buf_printf(b, "%s ", path);
		if (text.p)
			buf_append(b, text.p, text.n);
		else
			diag_print(b, item);
		buf_byte(b, '\n');
		return;
	}
	for (uint64_t i = 0; i < h.arg; i++) {
		struct bytes key = item_string(p);

		snprintf(name, sizeof name, "%s%s%.*s", path, *path ? "." : "", (int)key.n,
		         (const char *)key.p);
		p = item_skip(p);
		put_lines(b, p, name);
		p = item_skip(p);
	}
}

/* Maps as lines; an array of maps as one paragraph each. */
static void put_text(struct buf *b, const uint8_t *item)
{
	struct item_head h;
	const uint8_t *p = item_head(item, &h);

	if (h.major != ITEM_ARRAY) {
		put_lines(b, item, "");
		return;
	}
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p)) {
		if (i)
			buf_byte(b, '\n');
		put_lines(b, p, "");
	}
}

static int ask(struct stats *stats, const char *what)
{
	void *answer;
	size_t size;
	int code = tilia_stats(stats->link.t, what, &answer, &size), status = 0;

	if (code != 0)
		return link_failed(&stats->link, code, NULL);
	if (stats->output.form == OUTPUT_TEXT && stats->waiting)
		why_print(&stats->output.text, answer);
	else if (stats->output.form == OUTPUT_TEXT)
		put_text(&stats->output.text, answer);
	else
		status = output_item(&stats->output, answer);
	tilia_free(answer);
	return status ? status : output_write(&stats->output);
}

static int run(struct stats *stats, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int left, status;

	if (!tool_options(&s, c, argc, argv, set_option, stats, &status))
		return status;
	if (s.argc - s.at > !stats->waiting)
		return tool_usage(c->name,
		                  "--waiting, or at most one word: what to tell of (spaces)");
	status = link_open(&stats->link);
	if (status != 0)
		return status;
	status = ask(stats, stats->waiting ? "waiting" : s.at < s.argc ? s.argv[s.at] : NULL);
	left = link_close(&stats->link);
	return status ? status : left;
}

int stats_main(const struct command *c, int argc, char **argv)
{
	struct stats stats = {.link = {.command = c->name, .calm = true}};
	int status;

	output_init(&stats.output, c->name);
	status = run(&stats, c, argc, argv);
	output_close(&stats.output);
	return status;
}
