/* commit and renew: from outside the process that claimed. SESSION:TOKEN, as
 * `tilia in --lease` prints it, says whose session is resumed. */
#include "link.h"
#include "tilia.h"

#include "../libclient/message.h"

#include <string.h>

#define SESSION_BYTES 16
#define OUTS_MAX 64

enum { OPT_BACK = OPT_OWN, OPT_BURY, OPT_OUT };

const struct option_row commit_options[] = {
	{OPT_BACK, 0, "back", OPT_OPTIONAL, "TIME",
	 "give the tuple back, in its old place; nobody finds it for so long"},
	{OPT_BURY, 0, "bury", OPT_FLAG, NULL, "put it among the dead letters of its space"},
	{OPT_OUT, 0, "out", OPT_VALUE, "TUPLE", "put this tuple in the same step: '[...]'"},
	{OPT_TTL, 0, "ttl", OPT_VALUE, "TIME", "what is put is deleted after so long (never)"},
	{OPT_DELAY, 0, "delay", OPT_VALUE, "TIME", "nobody finds what is put for so long"},
	OPT_ROW_SPACE, /* of --out */
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

const struct option_row renew_options[] = {OPT_ROW_CONNECT, OPT_ROWS_END};

struct claim {
	struct link link;
	bool back, bury;
	const char *space, *out[OUTS_MAX];
	size_t outs;
	int64_t back_ms, ttl_ms, delay_ms;
	uint8_t session[SESSION_BYTES];
	uint64_t token;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct claim *c = ctx;

	switch (id) {
	case OPT_CONNECT:
		c->link.address = s->value;
		return true;
	case OPT_SPACE:
		c->space = s->value;
		return true;
	case OPT_BACK:
		c->back = true;
		return !s->value || option_period(s, &c->back_ms);
	case OPT_TTL:
		return option_period(s, &c->ttl_ms);
	case OPT_DELAY:
		return option_period(s, &c->delay_ms);
	case OPT_BURY:
		return c->bury = true;
	}
	if (c->outs == OUTS_MAX)
		return tool_usage(s->command, "--out stands there too often"), false;
	c->out[c->outs++] = s->value;
	return true;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The word SESSION:TOKEN. */
static bool read_claim(struct claim *c, const char *word)
{
	for (int i = 0; i < SESSION_BYTES; i++, word += 2) {
		if (digit(word[0]) < 0 || digit(word[1]) < 0)
			return false;
		c->session[i] = (uint8_t)(digit(word[0]) << 4 | digit(word[1]));
	}
	return *word == ':' && option_read_count(word + 1, MESSAGE_NUMBER_MAX / 2 - 2, &c->token);
}

/* Resumes the session. A token has two request numbers of its own, far from those of
 * the process that claimed, so a request given twice is done once. */
static int resume(struct claim *c, uint64_t offset)
{
	c->link.session = (struct bytes){c->session, sizeof c->session};
	c->link.number = 2 * c->token + offset;
	return link_open(&c->link);
}

/* The session is left as it was: it may have other claims. */
static int finish(struct claim *c, int code)
{
	int status = code == 0 ? EXIT_DONE : link_failed(&c->link, code, NULL);

	link_drop(&c->link);
	return status;
}

static int commit(struct claim *c)
{
	struct tilia_commit what = {0};
	struct tilia_put puts[OUTS_MAX];
	void *cbor[OUTS_MAX] = {0};
	int code = 0;

	for (size_t i = 0; i < c->outs && code == 0; i++) {
		puts[i] = (struct tilia_put){
			.space = c->space, .ttl_ms = c->ttl_ms, .delay_ms = c->delay_ms};
		code = tilia_parse(c->link.t, &cbor[i], &puts[i].size, c->out[i]);
		puts[i].cbor = cbor[i];
	}
	*(c->back ? &what.back : c->bury ? &what.bury : &what.done) = &c->token;
	*(c->back ? &what.back_count : c->bury ? &what.bury_count : &what.done_count) = 1;
	what.back_delay_ms = &c->back_ms;
	what.out = puts;
	what.out_count = c->outs;
	if (code == 0)
		code = tilia_commit(c->link.t, &what, NULL);
	for (size_t i = 0; i < c->outs; i++)
		tilia_free(cbor[i]);
	return finish(c, code);
}

int commit_main(const struct command *command, int argc, char **argv)
{
	struct claim c = {.link.command = command->name, .link.calm = true};
	struct option_scan s;
	int status;

	if (!tool_options(&s, command, argc, argv, set_option, &c, &status))
		return status;
	if (c.back && c.bury)
		return tool_usage(c.link.command, "--back or --bury, not both");
	if (c.outs == 0 && (c.ttl_ms || c.delay_ms))
		return tool_usage(c.link.command, "--ttl and --delay are of what --out puts");
	if (s.argc - s.at != 1 || !read_claim(&c, s.argv[s.at]))
		return tool_usage(c.link.command, "one SESSION:TOKEN of tilia in --lease");
	status = resume(&c, 0);
	return status ? status : commit(&c);
}

int renew_main(const struct command *command, int argc, char **argv)
{
	struct claim c = {.link.command = command->name, .link.calm = true};
	struct option_scan s;
	uint64_t ms;
	int status;

	if (!tool_options(&s, command, argc, argv, set_option, &c, &status))
		return status;
	if (s.argc - s.at != 2 || !read_claim(&c, s.argv[s.at]))
		return tool_usage(c.link.command,
		                  "a SESSION:TOKEN of tilia in --lease, and a time");
	if (!option_read_duration(s.argv[s.at + 1], &ms) || ms < 1 || ms > MESSAGE_LEASE_MAX)
		return tool_usage(c.link.command, "not a time up to 24h: %s", s.argv[s.at + 1]);
	c.link.grace_ms = (int64_t)ms;
	status = resume(&c, 1);
	return status ? status
	              : finish(&c, tilia_renew(c.link.t, &c.token, 1, (int64_t)ms, NULL));
}
