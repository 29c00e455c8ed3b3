/* wait: until so many tuples match, or none. */
#include "fields.h"
#include "link.h"
#include "output.h"
#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

enum { OPT_GE = OPT_OWN, OPT_NONE };

const struct option_row wait_options[] = {
	{OPT_GE, 'n', "ge", OPT_VALUE, "N", "until at least so many match (1); prints how many do"},
	{OPT_NONE, 0, "none", OPT_FLAG, NULL, "until none does"},
	OPT_ROW_VISIBLE,
	OPT_ROW_TIMEOUT,
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct wait {
	struct link link;
	struct tilia_op op;
	struct fields fields;
	bool none, some;
	uint64_t least;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct wait *w = ctx;

	switch (id) {
	case OPT_CONNECT:
		w->link.address = s->value;
		return true;
	case OPT_SPACE:
		w->op.space = s->value;
		return true;
	case OPT_GE:
		w->some = true;
		return option_count(s, MESSAGE_NUMBER_MAX - 1, &w->least);
	case OPT_NONE:
		return w->none = true;
	case OPT_VISIBLE:
		return w->op.visible = true;
	case OPT_TIMEOUT:
		return option_timeout(s, &w->op.timeout_ms);
	}
	return false;
}

static int print(const struct wait *w, uint64_t n)
{
	struct output o;
	int status;

	output_init(&o, w->link.command);
	buf_printf(&o.text, "%llu\n", (unsigned long long)n);
	status = output_write(&o);
	output_close(&o);
	return status;
}

/* [template, condition] */
static void build(const struct wait *w, struct buf *b)
{
	item_put_head(b, ITEM_ARRAY, 2);
	item_put_item(b, buf_bytes(&w->fields.cbor));
	item_put_head(b, ITEM_ARRAY, 2);
	item_put_text(b, w->none ? "eq" : "ge");
	item_put_uint(b, w->least);
}

static int ask(struct wait *w)
{
	struct link_result r;
	struct buf b = BUF_INIT;
	int left, status = link_open(&w->link);

	if (status != 0)
		return status;
	link_result_init(&r);
	build(w, &b);
	status = link_ask(&w->link, TILIA_WAIT, &w->op, buf_bytes(&b), &r);
	if (status == 0 && !w->none)
		status = print(w, r.number);
	link_result_close(&r);
	buf_close(&b);
	left = link_close(&w->link);
	return status ? status : left;
}

static int run(struct wait *w, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, w, &status))
		return status;
	if (w->none && w->some)
		return tool_usage(c->name, "--ge or --none, not both");
	if (!w->none && !w->some)
		w->least = 1;
	if (!fields_any(&s))
		item_put_null(&w->fields.cbor);
	else if (!fields_words(&w->fields, &s, true))
		return EXIT_USAGE;
	return ask(w);
}

int wait_main(const struct command *c, int argc, char **argv)
{
	struct wait w = {.link.command = c->name};
	int status;

	fields_init(&w.fields);
	status = run(&w, c, argc, argv);
	fields_close(&w.fields);
	return status;
}
