#include "fields.h"
#include "link.h"
#include "output.h"
#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

const struct option_row ls_options[] = {
	{OPT_MAX, 'n', "max", OPT_VALUE, "N", "the first N only (all)"},
	{OPT_AFTER, 0, "after", OPT_VALUE, "ID", "only tuples whose id is greater (see --ids)"},
	OUTPUT_TUPLE_ROWS,
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct ls {
	struct link link;
	struct tilia_op op;
	struct output output;
	struct fields fields;
	uint64_t left;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct ls *ls = ctx;

	switch (id) {
	case OPT_CONNECT:
		ls->link.address = s->value;
		return true;
	case OPT_SPACE:
		ls->op.space = s->value;
		return true;
	case OPT_MAX:
		return option_count(s, MESSAGE_NUMBER_MAX, &ls->left);
	case OPT_AFTER:
		return option_count(s, MESSAGE_NUMBER_MAX - 1, &ls->op.after);
	}
	return output_option(&ls->output, s, id);
}

/* Prints a page and makes the next begin behind it. */
static int print(struct ls *ls, const struct tilia_tuple *t)
{
	int status = 0;
	size_t size;

	for (; t && status == 0; t = tilia_tuple_next(t)) {
		ls->op.after = tilia_tuple_id(t);
		ls->left--;
		status = output_tuple(&ls->output, ls->op.after, tilia_tuple_cbor(t, &size));
	}
	return status ? status : output_write(&ls->output);
}

static int pages(struct ls *ls)
{
	struct link_result r;
	int status = 0;

	link_result_init(&r);
	while (ls->left > 0 && status == 0) {
		ls->op.max = ls->left < MESSAGE_LIST_MAX ? (uint32_t)ls->left : MESSAGE_LIST_MAX;
		status = link_ask(&ls->link, TILIA_RD, &ls->op, buf_bytes(&ls->fields.cbor), &r);
		if (status == 0)
			status = print(ls, r.tuples);
	}
	link_result_close(&r);
	return status == EXIT_NONE ? 0 : status; /* the end of the last page */
}

static int run(struct ls *ls, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int left, status;

	if (!tool_options(&s, c, argc, argv, set_option, ls, &status))
		return status;
	if (!fields_any(&s))
		item_put_null(&ls->fields.cbor);
	else if (!fields_words(&ls->fields, &s, true))
		return EXIT_USAGE;
	status = output_settle(&ls->output, &ls->fields.names);
	if (status == 0)
		status = link_open(&ls->link);
	if (status != 0)
		return status;
	status = pages(ls);
	left = link_close(&ls->link);
	return status ? status : left;
}

int ls_main(const struct command *c, int argc, char **argv)
{
	struct ls ls = {.link.command = c->name, .op.timeout_ms = TILIA_NOWAIT, .left = UINT64_MAX};
	int status;

	output_init(&ls.output, c->name);
	fields_init(&ls.fields);
	status = run(&ls, c, argc, argv);
	fields_close(&ls.fields);
	output_close(&ls.output);
	return status;
}
