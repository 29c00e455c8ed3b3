#include "option.h"

#include "tilia.h"

#include "../libclient/tilia.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_MS_MAX 1e15 /* below 2^53 */

static const struct option_row help_row = {OPT_HELP, 'h', "help", OPT_FLAG, NULL, NULL};

void option_start(struct option_scan *s, const char *command, const struct option_row *rows,
                  int argc, char **argv)
{
	*s = (struct option_scan){.command = command,
	                          .rows = rows,
	                          .argc = argc,
	                          .whole = argc,
	                          .argv = argv,
	                          .at = 1};
}

/* A number, or `-` alone: a word, whatever the table says. Only `-0`, which is
 * both, is an option where a table has it. */
static bool is_word(const char *arg)
{
	if (arg[0] != '-' || arg[1] == '\0')
		return true;
	return (arg[1] >= '0' && arg[1] <= '9') && strcmp(arg, "-0") != 0;
}

static const struct option_row *by_letter(const struct option_scan *s, char letter)
{
	if (letter == help_row.letter)
		return &help_row;
	for (const struct option_row *r = s->rows; r->name; r++)
		if (r->letter == letter)
			return r;
	return NULL;
}

static const struct option_row *by_name(const struct option_scan *s, const char *name, size_t n)
{
	if (n == strlen(help_row.name) && memcmp(name, help_row.name, n) == 0)
		return &help_row;
	for (const struct option_row *r = s->rows; r->name; r++)
		if (strlen(r->name) == n && memcmp(r->name, name, n) == 0)
			return r;
	return NULL;
}

static int bad(const struct option_scan *s, const char *what, const char *name, int n)
{
	tool_usage(s->command, "%s%.*s (tilia %s --help lists the options)", what, n, name,
	           s->command);
	return OPT_BAD;
}

/* The option's value from the next word, when none was joined to it. */
static int with_value(struct option_scan *s, const struct option_row *r, const char *joined)
{
	s->value = joined;
	s->row = r;
	if (joined && r->value == OPT_FLAG)
		return bad(s, "no value belongs to --", r->name, (int)strlen(r->name));
	if (!joined && r->value == OPT_VALUE) {
		if (s->at == s->argc)
			return bad(s, "a value is missing after --", r->name, (int)strlen(r->name));
		s->value = s->argv[s->at++];
	}
	return r->id;
}

static int next_letter(struct option_scan *s)
{
	const char *at = s->rest;
	const struct option_row *r = by_letter(s, *at);

	s->rest = at[1] ? at + 1 : NULL;
	if (!r)
		return bad(s, "no option -", at, 1);
	if (r->value != OPT_VALUE)
		return with_value(s, r, NULL);
	s->rest = NULL;
	return with_value(s, r, at[1] ? at + 1 : NULL);
}

int option_next(struct option_scan *s)
{
	const char *arg, *equal;
	const struct option_row *r;
	size_t n;

	if (s->rest)
		return next_letter(s);
	if (s->at == s->argc || is_word(s->argv[s->at]))
		return OPT_END;
	arg = s->argv[s->at];
	if (strcmp(arg, "-0") == 0 && !by_letter(s, '0'))
		return OPT_END;
	s->at++;
	if (arg[1] != '-') {
		s->rest = arg + 1;
		return next_letter(s);
	}
	if (arg[2] == '\0') {
		s->literal = true;
		return OPT_END;
	}
	equal = strchr(arg, '=');
	n = equal ? (size_t)(equal - arg) - 2 : strlen(arg) - 2;
	r = by_name(s, arg + 2, n);
	if (!r)
		return bad(s, "no option ", arg, (int)n + 2);
	return with_value(s, r, equal ? equal + 1 : NULL);
}

bool option_read_count(const char *text, uint64_t most, uint64_t *value)
{
	const char *p = text;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9' && v <= most; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	*value = v;
	return p > text && !*p && v <= most;
}

bool option_read_duration(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	char *end;
	double v = strtod(text, &end);

	*ms = 0;
	if (strcmp(text, "0") == 0)
		return true;
	if (text[0] < '0' || text[0] > '9')
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(end, units[i].unit) == 0 && v * units[i].ms < OPTION_MS_MAX) {
			*ms = (uint64_t)(v * units[i].ms + 0.5);
			return true;
		}
	return false;
}

bool option_count(const struct option_scan *s, uint64_t most, uint64_t *value)
{
	if (option_read_count(s->value, most, value))
		return true;
	tool_usage(s->command, "--%s wants a number up to %llu, not \"%s\"", s->row->name,
	           (unsigned long long)most, s->value);
	return false;
}

bool option_duration(const struct option_scan *s, uint64_t *ms)
{
	if (option_read_duration(s->value, ms))
		return true;
	tool_usage(s->command, "--%s wants a duration like 500ms, 5s, 2m or 1h, not \"%s\"",
	           s->row->name, s->value);
	return false;
}

bool option_period(const struct option_scan *s, int64_t *ms)
{
	uint64_t v;

	if (!option_duration(s, &v))
		return false;
	if (v == 0)
		tool_usage(s->command, "--%s 0 would be nothing", s->row->name);
	*ms = (int64_t)v;
	return v > 0;
}

bool option_timeout(const struct option_scan *s, int64_t *ms)
{
	uint64_t v;

	if (!option_duration(s, &v))
		return false;
	*ms = v ? (int64_t)v : TILIA_NOWAIT;
	return true;
}
