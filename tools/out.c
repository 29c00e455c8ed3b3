#include "fields.h"
#include "lines.h"
#include "link.h"
#include "output.h"
#include "tilia.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/item.h"
#include "../libclient/message.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define OUT_BATCH_BYTES ((size_t)256 << 10) /* of one outs */
#define OUT_IN_FLIGHT 8                     /* outs that are not answered yet */

enum { OPT_UNLESS = OPT_OWN, OPT_WAIT };

const struct option_row out_options[] = {
	{OPT_LINES, 'l', "lines", OPT_FLAG, NULL,
	 "a tuple for each line of standard input: the fields, and the line as the last"},
	{OPT_ZERO, '0', "zero", OPT_FLAG, NULL, "lines end with a NUL (find -print0)"},
	{OPT_TTL, 0, "ttl", OPT_VALUE, "TIME", "deleted after so long (never)"},
	{OPT_DELAY, 0, "delay", OPT_VALUE, "TIME", "nobody finds it for so long"},
	{OPT_UNLESS, 0, "unless", OPT_VALUE, "TEMPLATE",
	 "only if nothing that exists matches this '[...]', else status 1"},
	{OPT_VISIBLE, 0, "visible", OPT_FLAG, NULL,
	 "claimed and delayed tuples do not count for --unless (they do)"},
	{OPT_WAIT, 'w', "wait", OPT_FLAG, NULL, "wait while the space is full"},
	{OPT_TIMEOUT, 't', "timeout", OPT_VALUE, "TIME",
	 "with --wait, how long: 500ms, 5s, 2m, 1h (for ever)"},
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROW_DRY_RUN,
	OPT_ROWS_END,
};

struct out {
	struct link link;
	struct tilia_op op;
	struct fields fields; /* the tuple; with --lines its first fields */
	struct buf unless;
	bool lines, dash, zero, dry_run;
	struct lines input;
	struct buf batch; /* tuples, one after the other */
	struct buf array; /* the same as one array */
	uint64_t tuples;  /* in the batch */
	uint64_t done;    /* that the server has */
	int status;
};

/* What one outs was about, for the message when it fails. */
struct sent {
	struct out *out;
	uint64_t first, last; /* lines */
};

static void on_put(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct sent *sent = arg;
	struct out *out = sent->out;

	(void)t;
	if (d->code == 0) {
		out->done += sent->last - sent->first + 1;
	} else if (out->status == 0) {
		out->status = link_failed(&out->link, d->code, d->error);
		tool_complain(out->link.command, "lines %llu to %llu were not put",
		              (unsigned long long)sent->first, (unsigned long long)sent->last);
	}
	xfree(sent);
}

static int show(struct out *out, struct bytes tuple)
{
	struct output o;
	int status;

	output_init(&o, out->link.command);
	for (const uint8_t *p = tuple.p; p < tuple.p + tuple.n; p = item_skip(p))
		output_item(&o, p);
	status = output_write(&o);
	output_close(&o);
	return status;
}

static int submit(struct out *out)
{
	struct sent *sent = xmalloc(sizeof *sent);
	int64_t request;

	*sent = (struct sent){out, out->input.count - out->tuples + 1, out->input.count};
	buf_clear(&out->array, OUT_BATCH_BYTES * 2);
	item_put_head(&out->array, ITEM_ARRAY, out->tuples);
	buf_append(&out->array, out->batch.data, out->batch.len);
	request = tilia_submit(out->link.t, TILIA_OUTS, &out->op, out->array.data, out->array.len,
	                       on_put, sent);
	if (request >= 0)
		return 0;
	xfree(sent);
	return link_failed(&out->link, (int)request, NULL);
}

/* Sends the batch, and waits while too many are on their way. */
static int send_batch(struct out *out, size_t in_flight)
{
	int status = 0;

	if (out->dry_run)
		status = show(out, buf_bytes(&out->batch));
	else if (out->tuples > 0)
		status = submit(out);
	buf_clear(&out->batch, OUT_BATCH_BYTES * 2);
	out->tuples = 0;
	if (status == 0 && !out->dry_run)
		status = link_flush(&out->link, in_flight);
	return out->status ? out->status : status;
}

/* A line becomes a tuple of the batch. */
static int take_line(struct out *out, struct bytes line)
{
	const char *command = out->link.command;
	uint64_t number = out->input.count;
	bool good;

	if (out->lines)
		good = fields_last(&out->batch, command, buf_bytes(&out->fields.cbor), line,
		                   number);
	else
		good = fields_line(&out->batch, command, line, number);
	if (!good) {
		out->input.count--; /* this one is in no batch */
		return EXIT_USAGE;
	}
	out->tuples++;
	if (out->tuples < MESSAGE_LIST_MAX && out->batch.len < OUT_BATCH_BYTES)
		return 0;
	return send_batch(out, OUT_IN_FLIGHT);
}

/* Reads on; what was read until now is sent first when there is nothing to read. */
static int read_on(struct out *out)
{
	int code, status = lines_ready() ? 0 : send_batch(out, 0);
	sigset_t open;

	if (status != 0)
		return status;
	link_hold_signals(&open);
	code = link_interrupted() ? EINTR : lines_read(&out->input, &open);
	sigprocmask(SIG_SETMASK, &open, NULL);
	if (link_interrupted())
		return EXIT_INTERRUPTED;
	if (code == 0 || code == EINTR)
		return 0;
	tool_complain(out->link.command, "standard input: %s", strerror(code));
	return EXIT_LOCAL;
}

static int each_line(struct out *out)
{
	struct bytes line;

	for (;;) {
		int status = 0;

		switch (lines_next(&out->input, &line)) {
		case LINES_ONE:
			status = take_line(out, line);
			break;
		case LINES_WAIT:
			status = read_on(out);
			break;
		case LINES_OVER:
			return 0;
		case LINES_LONG:
			tool_complain(out->link.command, "line %llu is too long",
			              (unsigned long long)out->input.count + 1);
			return EXIT_USAGE;
		}
		if (status != 0)
			return status;
	}
}

/* Lines before a wrong one are put; it and those after it are not. */
static int put_lines(struct out *out)
{
	int status, last;

	lines_init(&out->input, out->zero ? '\0' : '\n');
	status = each_line(out);
	last = send_batch(out, 0);
	status = status ? status : last;
	if (status != 0 && !out->dry_run)
		tool_complain(out->link.command, "%llu tuples were put",
		              (unsigned long long)out->done);
	lines_close(&out->input);
	return status;
}

static int put_one(struct out *out)
{
	struct link_result r;
	int status;

	link_result_init(&r);
	status = link_ask(&out->link, TILIA_OUT, &out->op, buf_bytes(&out->fields.cbor), &r);
	link_result_close(&r);
	return status;
}

static int ask(struct out *out)
{
	int left, status;

	if (out->dry_run)
		return put_lines(out);
	status = link_open(&out->link);
	if (status != 0)
		return status;
	status = out->dash || out->lines ? put_lines(out) : put_one(out);
	left = link_close(&out->link);
	return status ? status : left;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct out *out = ctx;

	switch (id) {
	case OPT_CONNECT:
		out->link.address = s->value;
		return true;
	case OPT_SPACE:
		out->op.space = s->value;
		return true;
	case OPT_TTL:
		return option_period(s, &out->op.ttl_ms);
	case OPT_DELAY:
		return option_period(s, &out->op.delay_ms);
	case OPT_UNLESS:
		out->unless.len = 0;
		return fields_template(&out->unless, s->command, s->value);
	case OPT_VISIBLE:
		return out->op.visible = true;
	case OPT_WAIT:
		return out->op.room = true;
	case OPT_TIMEOUT:
		return option_timeout(s, &out->op.timeout_ms);
	case OPT_LINES:
		return out->lines = true;
	case OPT_ZERO:
		return out->zero = true;
	case OPT_DRY_RUN:
		return out->dry_run = true;
	}
	return false;
}

/* What the options say together. */
static int settle_options(struct out *out, const struct option_scan *s)
{
	out->op.unless_cbor = out->unless.data;
	out->op.unless_size = out->unless.len;
	if (out->unless.len > 0 && (out->dash || out->lines))
		return tool_usage(s->command, "--unless is for one tuple");
	if (out->op.visible && out->unless.len == 0)
		return tool_usage(s->command, "--visible goes with --unless");
	if (out->op.timeout_ms != 0 && !out->op.room)
		return tool_usage(s->command, "--timeout goes with --wait");
	return 0;
}

static int settle(struct out *out, const struct option_scan *s)
{
	int status;

	out->dash = fields_dash(s);
	if (out->dash && out->lines)
		return tool_usage(s->command, "--lines takes each line as text, - each as a tuple: "
		                              "one of them");
	if (out->zero && !out->dash && !out->lines)
		return tool_usage(s->command,
		                  "-0 goes with --lines or -; the number is [-0] alone, or "
		                  "stands after another field");
	if (!fields_any(s) && !out->lines)
		return tool_usage(s->command, "the fields of a tuple, or - for a tuple a line");
	status = settle_options(out, s);
	if (status != 0 || out->dash)
		return status;
	if (!fields_words(&out->fields, s, false))
		return EXIT_USAGE;
	return 0;
}

static int run(struct out *out, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, out, &status))
		return status;
	status = settle(out, &s);
	if (status != 0)
		return status;
	if (out->dry_run && !out->dash && !out->lines)
		return show(out, buf_bytes(&out->fields.cbor));
	return ask(out);
}

int out_main(const struct command *c, int argc, char **argv)
{
	struct out out = {.link.command = c->name};
	int status;

	fields_init(&out.fields);
	status = run(&out, c, argc, argv);
	fields_close(&out.fields);
	buf_close(&out.unless);
	buf_close(&out.batch);
	buf_close(&out.array);
	return status;
}
