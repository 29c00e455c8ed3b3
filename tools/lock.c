/* lock: a command that runs while it holds a lock. */
#include "lock.h"

#include "tilia.h"

#include "../libclient/message.h"
#include "../libclient/utf8.h"

#include <string.h>

#define LOCK_LEASE_MS 30000
#define LOCK_RESUME_MS ((int64_t)30 * 86400 * 1000)

enum { OPT_WAIT = OPT_OWN, OPT_NOWAIT, OPT_LEASE };

const struct option_row lock_options[] = {
	{OPT_WAIT, 'w', "wait", OPT_VALUE, "TIME",
	 "how long to wait for it, also as bare seconds (for ever)"},
	{OPT_NOWAIT, 'n', "no-wait", OPT_FLAG, NULL, "do not wait: exit status 1 when it is held"},
	{OPT_LEASE, 0, "lease", OPT_VALUE, "TIME",
	 "of the claim, renewed while the command runs (30s)"},
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

static bool set_wait(struct lock *l, const struct option_scan *s)
{
	uint64_t ms;

	if (option_read_count(s->value, MESSAGE_NUMBER_MAX / 1000, &ms))
		ms *= 1000;
	else if (!option_duration(s, &ms))
		return false;
	l->op.timeout_ms = ms > 0 ? (int64_t)ms : TILIA_NOWAIT;
	return true;
}

static bool set_lease(struct lock *l, const struct option_scan *s)
{
	uint64_t ms;

	if (!option_duration(s, &ms))
		return false;
	if (ms < 1000 || ms > MESSAGE_LEASE_MAX)
		return tool_usage(s->command, "--lease is from 1s to 24h"), false;
	l->op.lease_ms = (int64_t)ms;
	return true;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct lock *l = ctx;

	switch (id) {
	case OPT_CONNECT:
		l->link.address = s->value;
		return true;
	case OPT_SPACE:
		l->op.space = s->value;
		return true;
	case OPT_NOWAIT:
		l->op.timeout_ms = TILIA_NOWAIT;
		return true;
	case OPT_WAIT:
		return set_wait(l, s);
	}
	return set_lease(l, s);
}

/* NAME -- COMMAND [ARG]... */
static int settle(struct lock *l, const struct option_scan *s)
{
	int left = s->argc - s->at;

	if (left < 3 || s->literal || strcmp(s->argv[s->at + 1], "--") != 0)
		return tool_usage(s->command, "a name and a command: NAME -- COMMAND [ARG]...");
	l->name = s->argv[s->at];
	l->words = s->argv + s->at + 2;
	if (!utf8_valid(bytes_of(l->name)))
		return tool_usage(s->command, "the name is not UTF-8");
	return 0;
}

int lock_main(const struct command *c, int argc, char **argv)
{
	struct lock l = {.link = {.command = c->name, .calm = true,
	                          .resume_ms = LOCK_RESUME_MS},
	                 .op = {.lease_ms = LOCK_LEASE_MS}};
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, &l, &status))
		return status;
	status = settle(&l, &s);
	l.link.grace_ms = l.op.lease_ms;
	return status != 0 ? status : lock_hold(&l);
}
