/* work: a command for each matching tuple, for as long as it takes. */
#include "work.h"

#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

#include <string.h>
#include <unistd.h>

#define WORK_LEASE_MS 30000
#define WORK_BACK_MS 1000
#define WORK_BACK_MAX_MS (5 * 60 * 1000)
#define WORK_BURY_ON 65 /* EX_DATAERR of sysexits.h: what was to be worked on is wrong */
#define WORK_RESUME_MS ((int64_t)30 * 86400 * 1000)

enum {
	OPT_JOBS = OPT_OWN, OPT_LEASE, OPT_OUT, OPT_OUT_SPACE, OPT_STDIN, OPT_ONCE, OPT_MAX_JOBS,
	OPT_WAIT, OPT_DRAINED, OPT_BACK_DELAY, OPT_BACK_MAX, OPT_BURY_ON, OPT_ANY,
};

const struct option_row work_options[] = {
	{OPT_JOBS, 'j', "jobs", OPT_VALUE, "N", "so many commands at once (1)"},
	{OPT_OUT, 'o', "out", OPT_VALUE, "TUPLE",
	 "put this when it is done: '[\"done\", {n}, {stdout}, {status}]'"},
	{OPT_OUT_SPACE, 0, "out-space", OPT_VALUE, "NAME", "there (in the space of the jobs)"},
	{OPT_STDIN, 0, "stdin", OPT_VALUE, "FORM", "give it the tuple on stdin, as json or cbor"},
	{OPT_LEASE, 0, "lease", OPT_VALUE, "TIME",
	 "of the claim, renewed while the command runs (30s)"},
	{OPT_TIMEOUT, 't', "timeout", OPT_VALUE, "TIME", "terminate a command after so long"},
	{OPT_BURY_ON, 0, "bury-on", OPT_VALUE, "STATUS",
	 "the exit status that buries a job (65; 0: none)"},
	{OPT_BACK_DELAY, 0, "back-delay", OPT_VALUE, "TIME",
	 "before a failed job is tried again; twice as long each time (1s)"},
	{OPT_BACK_MAX, 0, "back-max", OPT_VALUE, "TIME", "but never longer (5m)"},
	{OPT_ONCE, 0, "once", OPT_FLAG, NULL, "one job, then leave"},
	{OPT_MAX_JOBS, 0, "max-jobs", OPT_VALUE, "N", "leave after so many jobs"},
	{OPT_WAIT, 'w', "wait", OPT_VALUE, "TIME", "leave when nothing has matched for so long"},
	{OPT_DRAINED, 0, "until-drained", OPT_FLAG, NULL,
	 "leave when nothing that matches exists any more, claimed or delayed"},
	{OPT_ANY, 0, "any", OPT_FLAG, NULL, "any tuple at all, instead of a template"},
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

static bool set_count(const struct option_scan *s, uint64_t most, uint64_t *n)
{
	if (!option_count(s, most, n))
		return false;
	if (*n == 0)
		tool_usage(s->command, "--%s 0 would be nothing", s->row->name);
	return *n > 0;
}

static bool set_lease(struct work *w, const struct option_scan *s)
{
	uint64_t ms;

	if (!option_duration(s, &ms))
		return false;
	if (ms < 100 || ms > MESSAGE_LEASE_MAX)
		return tool_usage(s->command, "--lease is from 100ms to 24h"), false;
	w->op.lease_ms = (int64_t)ms;
	return true;
}

static bool set_duration(const struct option_scan *s, int64_t *to)
{
	uint64_t ms;

	if (!option_duration(s, &ms))
		return false;
	*to = (int64_t)ms;
	return true;
}

static bool set_wait(struct work *w, const struct option_scan *s)
{
	if (!set_duration(s, &w->op.timeout_ms))
		return false;
	if (w->op.timeout_ms == 0)
		w->op.timeout_ms = TILIA_NOWAIT;
	return true;
}

static bool set_out(struct work *w, const struct option_scan *s)
{
	if (w->o.outs == WORK_OUTS_MAX)
		return tool_usage(s->command, "--out stands there too often"), false;
	w->o.out[w->o.outs++] = s->value;
	w->o.captures |= strstr(s->value, "{stdout}") != NULL;
	return true;
}

static bool set_stdin(struct work *w, const struct option_scan *s)
{
	w->o.in = strcmp(s->value, "json") == 0 ? WORK_JSON
	        : strcmp(s->value, "cbor") == 0 ? WORK_CBOR : WORK_NO_STDIN;
	if (w->o.in == WORK_NO_STDIN)
		tool_usage(s->command, "--stdin json, or cbor, not \"%s\"", s->value);
	return w->o.in != WORK_NO_STDIN;
}

static bool set_numbers(struct work *w, const struct option_scan *s, int id)
{
	uint64_t n;

	switch (id) {
	case OPT_JOBS:
		if (!set_count(s, WORK_SLOTS_MAX, &n))
			return false;
		w->o.slots = (unsigned)n;
		return true;
	case OPT_MAX_JOBS:
		return set_count(s, MESSAGE_NUMBER_MAX, &w->o.most);
	default:
		if (!option_count(s, 255, &n))
			return false;
		w->o.bury_on = (int)n;
		return true;
	}
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct work *w = ctx;

	switch (id) {
	case OPT_CONNECT:
		w->link.address = s->value;
		return true;
	case OPT_SPACE:
		w->op.space = s->value;
		return true;
	case OPT_OUT:
		return set_out(w, s);
	case OPT_OUT_SPACE:
		w->o.out_space = s->value;
		return true;
	case OPT_STDIN:
		return set_stdin(w, s);
	case OPT_LEASE:
		return set_lease(w, s);
	case OPT_TIMEOUT:
		return set_duration(s, &w->o.timeout_ms);
	case OPT_BACK_DELAY:
		return set_duration(s, &w->o.back_ms);
	case OPT_BACK_MAX:
		return set_duration(s, &w->o.back_max_ms);
	case OPT_WAIT:
		return set_wait(w, s);
	case OPT_ONCE:
		w->o.most = 1;
		return true;
	case OPT_DRAINED:
		return w->op.drain = true;
	case OPT_ANY:
		return w->o.any = true;
	}
	return set_numbers(w, s, id);
}

/* TEMPLATE... -- COMMAND...: what is behind the first `--` is the command. */
static int settle(struct work *w, struct option_scan *s)
{
	char why[WORK_WHY];
	int end = s->literal ? s->at : s->at - 1;
	struct item_head h;

	while (!s->literal && ++end < s->argc && strcmp(s->argv[end], "--") != 0)
		;
	w->o.words = s->argv + end + !s->literal;
	w->o.word_count = end + !s->literal < s->argc ? (unsigned)(s->argc - end - !s->literal) : 0;
	s->argc = end;
	s->literal = false;
	if (w->o.word_count == 0)
		return tool_usage(s->command, "the command is missing: FIELD... -- COMMAND");
	if (w->o.any == fields_any(s))
		return tool_usage(s->command, w->o.any ? "--any or a template, not both"
		                                       : "a template, or --any");
	if (w->o.any)
		item_put_null(&w->fields.cbor);
	else if (!fields_words(&w->fields, s, true))
		return EXIT_USAGE;
	item_head(w->fields.cbor.data, &h);
	w->arity = w->o.any ? 0 : (unsigned)h.arg;
	return work_command_check(w, why) ? 0 : tool_usage(s->command, "%s", why);
}

static int run(struct work *w, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, w, &status))
		return status;
	status = settle(w, &s);
	if (status != 0)
		return status;
	if (!guard_start(&w->guard)) {
		tool_complain(c->name, "no new process");
		return EXIT_LOCAL;
	}
	w->link.grace_ms = w->op.lease_ms;
	status = link_open(&w->link);
	if (status == 0)
		status = work_run(w);
	guard_stop(&w->guard);
	return status;
}

int work_main(const struct command *c, int argc, char **argv)
{
	struct work w = {
		.link = {.command = c->name, .calm = true, .resume_ms = WORK_RESUME_MS},
		.op.lease_ms = WORK_LEASE_MS,
		.o = {.slots = 1, .most = UINT64_MAX, .back_ms = WORK_BACK_MS,
		      .back_max_ms = WORK_BACK_MAX_MS, .bury_on = WORK_BURY_ON},
		.out.fd = STDOUT_FILENO, .err.fd = STDERR_FILENO,
	};
	int status;

	list_init(&w.jobs);
	fields_init(&w.fields);
	status = run(&w, c, argc, argv);
	fields_close(&w.fields);
	return status;
}
