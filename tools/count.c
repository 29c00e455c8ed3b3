/* count and rm: how many match, and taking them all away. */
#include "fields.h"
#include "link.h"
#include "output.h"
#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

enum { OPT_ANY = OPT_OWN };

const struct option_row count_options[] = {
	OPT_ROW_VISIBLE, OPT_ROW_SPACE, OPT_ROW_CONNECT, OPT_ROWS_END,
};
const struct option_row rm_options[] = {
	{OPT_ANY, 0, "any", OPT_FLAG, NULL, "every tuple of the space, instead of a template"},
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct count {
	struct link link;
	struct tilia_op op;
	struct fields fields;
	bool any;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct count *count = ctx;

	switch (id) {
	case OPT_CONNECT:
		count->link.address = s->value;
		return true;
	case OPT_SPACE:
		count->op.space = s->value;
		return true;
	case OPT_VISIBLE:
		return count->op.visible = true;
	case OPT_ANY:
		return count->any = true;
	}
	return false;
}

static int print(const struct count *count, uint64_t n)
{
	struct output o;
	int status;

	output_init(&o, count->link.command);
	buf_printf(&o.text, "%llu\n", (unsigned long long)n);
	status = output_write(&o);
	output_close(&o);
	return status;
}

/* How many match now. */
static int ask_count(struct count *count, uint64_t *n)
{
	struct link_result r;
	int status;

	link_result_init(&r);
	status =
		link_ask(&count->link, TILIA_COUNT, &count->op, buf_bytes(&count->fields.cbor), &r);
	*n = r.number;
	link_result_close(&r);
	return status;
}

static uint64_t length(const struct tilia_tuple *t)
{
	uint64_t n = 0;

	for (; t; t = tilia_tuple_next(t))
		n++;
	return n;
}

/* Takes as many as there are now, page by page: what others put meanwhile is not
 * run after for ever. */
static int take_all(struct count *count, uint64_t *taken)
{
	struct link_result r;
	uint64_t there = 0;
	int status = ask_count(count, &there);

	*taken = 0;
	link_result_init(&r);
	while (status == 0 && *taken < there) {
		uint64_t left = there - *taken;

		count->op.max = left < MESSAGE_LIST_MAX ? (uint32_t)left : MESSAGE_LIST_MAX;
		count->op.timeout_ms = TILIA_NOWAIT;
		status = link_ask(&count->link, TILIA_IN, &count->op,
		                  buf_bytes(&count->fields.cbor), &r);
		*taken += length(r.tuples);
	}
	link_result_close(&r);
	return status == EXIT_NONE ? 0 : status; /* others took some */
}

static int run(struct count *count, bool take, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	uint64_t n = 0;
	int left, status;

	if (!tool_options(&s, c, argc, argv, set_option, count, &status))
		return status;
	if (take && count->any == fields_any(&s))
		return tool_usage(c->name, count->any ? "--any or a template, not both"
		                                      : "a template, or --any");
	if (!fields_any(&s))
		item_put_null(&count->fields.cbor);
	else if (!fields_words(&count->fields, &s, true))
		return EXIT_USAGE;
	status = link_open(&count->link);
	if (status != 0)
		return status;
	status = take ? take_all(count, &n) : ask_count(count, &n);
	left = link_close(&count->link);
	status = status ? status : left;
	if (status == 0 || n > 0)
		left = print(count, n);
	return status ? status : left;
}

static int with_fields(bool take, const struct command *c, int argc, char **argv)
{
	struct count count = {.link.command = c->name};
	int status;

	fields_init(&count.fields);
	status = run(&count, take, c, argc, argv);
	fields_close(&count.fields);
	return status;
}

int count_main(const struct command *c, int argc, char **argv)
{
	return with_fields(false, c, argc, argv);
}

int rm_main(const struct command *c, int argc, char **argv)
{
	return with_fields(true, c, argc, argv);
}
