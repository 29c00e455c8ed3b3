#include "link.h"
#include "output.h"
#include "tilia.h"

#include "../libclient/item.h"

#include <string.h>

enum { OPT_VOLATILE = OPT_OWN };

const struct option_row space_options[] = {
	{OPT_VOLATILE, 0, "volatile", OPT_FLAG, NULL, "create: in memory only"},
	OUTPUT_ROWS,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct space {
	struct link link;
	struct output output;
	const char *verb, *name;
	bool is_volatile;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct space *space = ctx;

	switch (id) {
	case OPT_CONNECT:
		space->link.address = s->value;
		return true;
	case OPT_VOLATILE:
		return space->is_volatile = true;
	}
	return output_option(&space->output, s, id);
}

/* The value of a text key in a map, or NULL. */
static const uint8_t *value_of(const uint8_t *map, const char *key)
{
	struct item_head h;
	const uint8_t *p = item_head(map, &h);

	if (h.major != ITEM_MAP)
		return NULL;
	for (uint64_t i = 0; i < h.arg; i++) {
		if (bytes_equal(item_string(p), bytes_of(key)))
			return item_skip(p);
		p = item_skip(item_skip(p));
	}
	return NULL;
}

/* One line: name, kind, tuples, bytes. */
static void put_row(struct buf *b, const uint8_t *map)
{
	static const char *const keys[] = {"volatile", "tuples", "bytes"};
	const uint8_t *name = value_of(map, "name");
	struct bytes text = name ? item_string(name) : (struct bytes){0};

	buf_printf(b, "%-24.*s", (int)text.n, (const char *)text.p);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const uint8_t *v = value_of(map, keys[i]);
		struct item_head h = {0};

		if (v)
			item_head(v, &h);
		if (i == 0)
			buf_text(b, h.arg == 21 ? "  volatile" : "  durable ");
		else
			buf_printf(b, "  %llu %s", (unsigned long long)h.arg, keys[i]);
	}
	buf_byte(b, '\n');
}

static int list(struct space *space)
{
	struct item_head h;
	const uint8_t *p;
	void *answer;
	size_t size;
	int code = tilia_space_list(space->link.t, &answer, &size), status = 0;

	if (code != 0)
		return link_failed(&space->link, code, NULL);
	if (space->output.form == OUTPUT_TEXT) {
		p = item_head(answer, &h);
		for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p))
			put_row(&space->output.text, p);
	} else {
		status = output_item(&space->output, answer);
	}
	tilia_free(answer);
	return status ? status : output_write(&space->output);
}

static int ask(struct space *space)
{
	int code;

	if (strcmp(space->verb, "list") == 0)
		return list(space);
	if (strcmp(space->verb, "create") == 0)
		code = tilia_space_create(space->link.t, space->name, space->is_volatile);
	else
		code = tilia_space_drop(space->link.t, space->name);
	return code == 0 ? 0 : link_failed(&space->link, code, NULL);
}

static int settle(struct space *space, const struct option_scan *s)
{
	int words = s->argc - s->at;
	bool create, lists;

	space->verb = words > 0 ? s->argv[s->at] : "list";
	space->name = words > 1 ? s->argv[s->at + 1] : NULL;
	create = strcmp(space->verb, "create") == 0;
	lists = strcmp(space->verb, "list") == 0;
	if (!create && !lists && strcmp(space->verb, "drop") != 0)
		return tool_usage(s->command, "create, drop or list, not \"%s\"", space->verb);
	if (words > 2 || (lists ? words > 1 : words != 2))
		return tool_usage(s->command, lists ? "nothing follows list"
		                                    : "%s wants one name", space->verb);
	if (space->is_volatile && !create)
		return tool_usage(s->command, "--volatile goes with create");
	return 0;
}

static int run(struct space *space, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int left, status;

	if (!tool_options(&s, c, argc, argv, set_option, space, &status))
		return status;
	status = settle(space, &s);
	if (status == 0)
		status = link_open(&space->link);
	if (status != 0)
		return status;
	status = ask(space);
	left = link_close(&space->link);
	return status ? status : left;
}

int space_main(const struct command *c, int argc, char **argv)
{
	struct space space = {.link = {.command = c->name, .calm = true}};
	int status;

	output_init(&space.output, c->name);
	status = run(&space, c, argc, argv);
	output_close(&space.output);
	return status;
}
