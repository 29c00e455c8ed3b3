/* in inp rd rdp: one handler, told apart by the command's name. */
#include "fields.h"
#include "link.h"
#include "output.h"
#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

#include <string.h>

enum { OPT_ANY = OPT_OWN, OPT_LEASE, OPT_DRAIN };

#define ROW_MAX {OPT_MAX, 'n', "max", OPT_VALUE, "N", "up to so many at once (1)"}
#define ROW_LEASE                                                                                  \
	{OPT_LEASE, 0, "lease", OPT_VALUE, "TIME",                                                 \
	 "claim it for so long; prints SESSION:TOKEN and a tab before it, for tilia commit"}
#define ROW_DRAIN                                                                                  \
	{OPT_DRAIN, 0, "drain", OPT_FLAG, NULL,                                                    \
	 "end with status 1 once nothing that matches exists, not even claimed or delayed"}
#define ROW_AFTER                                                                                  \
	{OPT_AFTER, 0, "after", OPT_VALUE, "ID", "only tuples whose id is greater (see --ids)"}
#define ROW_ANY {OPT_ANY, 0, "any", OPT_FLAG, NULL, "any tuple at all, instead of a template"}

const struct option_row in_options[] = {
	OPT_ROW_TIMEOUT, ROW_MAX,       ROW_LEASE,       ROW_DRAIN,       ROW_ANY,
	OUTPUT_TUPLE_ROWS, OPT_ROW_SPACE, OPT_ROW_CONNECT, OPT_ROW_DRY_RUN, OPT_ROWS_END,
};
const struct option_row inp_options[] = {
	ROW_MAX,         ROW_LEASE,       ROW_ANY,      OUTPUT_TUPLE_ROWS, OPT_ROW_SPACE,
	OPT_ROW_CONNECT, OPT_ROW_DRY_RUN, OPT_ROWS_END,
};
const struct option_row rd_options[] = {
	OPT_ROW_TIMEOUT, ROW_MAX,       ROW_AFTER,       ROW_ANY,      OUTPUT_TUPLE_ROWS,
	OPT_ROW_SPACE, OPT_ROW_CONNECT, OPT_ROW_DRY_RUN, OPT_ROWS_END,
};
const struct option_row rdp_options[] = {
	ROW_MAX,         ROW_AFTER,       ROW_ANY,      OUTPUT_TUPLE_ROWS, OPT_ROW_SPACE,
	OPT_ROW_CONNECT, OPT_ROW_DRY_RUN, OPT_ROWS_END,
};

struct in {
	struct link link;
	struct tilia_op op;
	struct output output;
	struct fields fields;
	bool take, any, dry_run;
};

static bool set_max(struct in *in, const struct option_scan *s)
{
	uint64_t n;

	if (!option_count(s, MESSAGE_LIST_MAX, &n))
		return false;
	if (n == 0)
		tool_usage(s->command, "--max 0 would be nothing");
	in->op.max = (uint32_t)n;
	return n > 0;
}

static bool set_lease(struct in *in, const struct option_scan *s)
{
	uint64_t ms;

	if (!option_duration(s, &ms))
		return false;
	if (ms < 1 || ms > MESSAGE_LEASE_MAX)
		return tool_usage(s->command, "--lease is from 1ms to 24h"), false;
	in->op.lease_ms = in->link.grace_ms = (int64_t)ms;
	return true;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct in *in = ctx;

	switch (id) {
	case OPT_CONNECT:
		in->link.address = s->value;
		return true;
	case OPT_SPACE:
		in->op.space = s->value;
		return true;
	case OPT_TIMEOUT:
		return option_timeout(s, &in->op.timeout_ms);
	case OPT_MAX:
		return set_max(in, s);
	case OPT_AFTER:
		return option_count(s, MESSAGE_NUMBER_MAX - 1, &in->op.after);
	case OPT_LEASE:
		return set_lease(in, s);
	case OPT_DRAIN:
		return in->op.drain = true;
	case OPT_ANY:
		return in->any = true;
	case OPT_DRY_RUN:
		return in->dry_run = true;
	}
	return output_option(&in->output, s, id);
}

static int settle(struct in *in, const struct option_scan *s)
{
	if (in->any == fields_any(s))
		return tool_usage(s->command, in->any ? "--any or a template, not both"
		                                      : "a template, or --any");
	if (in->any)
		item_put_null(&in->fields.cbor);
	else if (!fields_words(&in->fields, s, true))
		return EXIT_USAGE;
	return output_settle(&in->output, &in->fields.names);
}

/* SESSION:TOKEN */
static void put_claim(struct in *in, const struct tilia_tuple *t)
{
	size_t size;
	const uint8_t *id = tilia_session(in->link.t, &size);

	for (size_t i = 0; i < size; i++)
		buf_printf(&in->output.text, "%02x", id[i]);
	buf_printf(&in->output.text, ":%llu\t", (unsigned long long)tilia_tuple_token(t));
}

/* Prints the tuples; what was taken and cannot be printed goes back. */
static int print(struct in *in, const struct tilia_tuple *t)
{
	int status = 0;
	size_t size;

	for (; t && status == 0; t = tilia_tuple_next(t)) {
		if (in->op.lease_ms > 0)
			put_claim(in, t);
		status = output_tuple(&in->output, tilia_tuple_id(t), tilia_tuple_cbor(t, &size));
	}
	return status ? status : output_write(&in->output);
}

static int ask(struct in *in)
{
	struct link_result r;
	int status = link_open(&in->link);

	if (status != 0)
		return status;
	link_result_init(&r);
	status = link_ask(&in->link, in->take ? TILIA_IN : TILIA_RD, &in->op,
	                  buf_bytes(&in->fields.cbor), &r);
	if (status == 0) {
		status = print(in, r.tuples);
		if (status != 0 && in->take)
			status = link_undo(&in->link, status);
	}
	if (r.tuples && status == 0 && in->op.lease_ms > 0)
		link_drop(&in->link); /* the session lives on with its claims */
	link_result_close(&r);
	if (in->link.t) {
		int left = link_close(&in->link);

		status = status ? status : left;
	}
	return status;
}

static int run(struct in *in, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, in, &status))
		return status;
	status = settle(in, &s);
	if (status != 0)
		return status;
	if (!in->dry_run)
		return ask(in);
	diag_print(&in->output.text, in->fields.cbor.data);
	buf_byte(&in->output.text, '\n');
	return output_write(&in->output);
}

int in_main(const struct command *c, int argc, char **argv)
{
	struct in in = {.link.command = c->name, .take = c->name[0] == 'i'};
	int status;

	if (c->name[strlen(c->name) - 1] == 'p')
		in.op.timeout_ms = TILIA_NOWAIT;
	output_init(&in.output, c->name);
	fields_init(&in.fields);
	status = run(&in, c, argc, argv);
	fields_close(&in.fields);
	output_close(&in.output);
	return status;
}
