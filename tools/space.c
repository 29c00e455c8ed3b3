#include "space.h"
#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

#include <string.h>

enum { OPT_VOLATILE = OPT_OWN, OPT_TRIES, OPT_DEAD, OPT_SHAPE, OPT_TUPLES, OPT_BYTES };

const struct option_row space_options[] = {
	{OPT_VOLATILE, 0, "volatile", OPT_FLAG, NULL, "create: in memory only"},
	{OPT_TRIES, 0, "tries", OPT_VALUE, "N",
	 "bury what was claimed so often in vain (0: never)"},
	{OPT_DEAD, 0, "dead", OPT_VALUE, "NAME", "the space for what is buried (NAME.dead)"},
	{OPT_SHAPE, 0, "shape", OPT_VALUE, "TEMPLATE",
	 "'[...]' that all that is put must match (null: anything)"},
	{OPT_TUPLES, 0, "tuples", OPT_VALUE, "N", "so many may be in it (0: no limit)"},
	{OPT_BYTES, 0, "bytes", OPT_VALUE, "SIZE",
	 "so many bytes of them: 512k, 10M, 1G (0: no limit)"},
	{OPT_MAX, 'n', "max", OPT_VALUE, "N", "bury, kick: so many at most (all)"},
	OUTPUT_ROWS,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct verb {
	const char *name;
	int (*run)(struct space *space);
	bool names;     /* a name follows */
	bool templates; /* and then a template, or not when `optional` */
	bool optional;
	unsigned set;   /* options of a space that it takes */
	bool makes;     /* --volatile */
};

static bool set_number(struct space *space, const struct option_scan *s, unsigned bit,
                       uint64_t most, uint64_t *value)
{
	space->options.set |= bit;
	return option_count(s, most, value);
}

/* A number of bytes, or of KiB, MiB, GiB. */
static bool set_bytes(struct space *space, const struct option_scan *s)
{
	static const char units[] = "kMG";
	size_t n = strlen(s->value);
	const char *unit = n > 1 ? strchr(units, s->value[n - 1]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	char digits[24] = "";

	space->options.set |= TILIA_SPACE_BYTES;
	if (n - (unit != NULL) < sizeof digits)
		memcpy(digits, s->value, n - (unit != NULL));
	if (!option_read_count(digits, (MESSAGE_NUMBER_MAX - 1) >> shift, &space->options.bytes))
		return tool_usage(s->command,
		                  "--bytes wants a size like 512k, 10M or 1G, not \"%s\"",
		                  s->value), false;
	space->options.bytes <<= shift;
	return true;
}

static bool set_shape(struct space *space, const struct option_scan *s)
{
	struct buf item = BUF_INIT;
	bool ok = fields_template(&item, s->command, s->value); /* for its caret */

	buf_close(&item);
	space->options.shape = s->value;
	space->options.set |= TILIA_SPACE_SHAPE;
	return ok;
}

static bool set_tries(struct space *space, const struct option_scan *s)
{
	uint64_t n = 0;
	bool ok = set_number(space, s, TILIA_SPACE_TRIES, MESSAGE_TRIES_MAX, &n);

	space->options.tries = (uint32_t)n;
	return ok;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct space *space = ctx;

	switch (id) {
	case OPT_CONNECT:
		space->link.address = s->value;
		return true;
	case OPT_VOLATILE:
		return space->options.is_volatile = true;
	case OPT_TRIES:
		return set_tries(space, s);
	case OPT_DEAD:
		space->options.dead = s->value;
		space->options.set |= TILIA_SPACE_DEAD;
		return true;
	case OPT_SHAPE:
		return set_shape(space, s);
	case OPT_TUPLES:
		return set_number(space, s, TILIA_SPACE_TUPLES, MESSAGE_NUMBER_MAX - 1,
		                  &space->options.tuples);
	case OPT_BYTES:
		return set_bytes(space, s);
	case OPT_MAX:
		return option_count(s, MESSAGE_NUMBER_MAX - 1, &space->most);
	}
	return output_option(&space->output, s, id);
}

static int answer(struct space *space, int code)
{
	return code == 0 ? 0 : link_failed(&space->link, code, NULL);
}

static int create(struct space *space)
{
	return answer(space, tilia_space_create(space->link.t, space->name, &space->options));
}

static int alter(struct space *space)
{
	return answer(space, tilia_space_alter(space->link.t, space->name, &space->options));
}

static int drop(struct space *space)
{
	return answer(space, tilia_space_drop(space->link.t, space->name));
}

#define SET_ALL                                                                                    \
	(TILIA_SPACE_TRIES | TILIA_SPACE_DEAD | TILIA_SPACE_SHAPE | TILIA_SPACE_TUPLES |           \
	 TILIA_SPACE_BYTES)

static const struct verb verbs[] = {
	{"create", create, .names = true, .set = SET_ALL, .makes = true},
	{"alter", alter, .names = true, .set = SET_ALL},
	{"drop", drop, .names = true},
	{"list", space_list, .names = false},
	{"bury", space_bury, .names = true, .templates = true},
	{"kick", space_kick, .names = true, .templates = true, .optional = true},
};

#define VERBS (sizeof verbs / sizeof *verbs)

static const struct verb *find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* Whether the options are those of the verb. */
static int options_fit(const struct space *space, const struct verb *v, const char *command)
{
	if (space->options.is_volatile && !v->makes)
		return tool_usage(command, "--volatile goes with create");
	if (space->options.set & ~v->set)
		return tool_usage(command, "what a space is made of goes with create and alter");
	if (space->most != UINT64_MAX && !v->templates)
		return tool_usage(command, "--max goes with bury and kick");
	return 0;
}

static int settle(struct space *space, struct option_scan *s, const struct verb *v)
{
	int words = s->argc - s->at;

	if (v->names && words == 0)
		return tool_usage(s->command, "%s wants a name", v->name);
	if (v->names)
		space->name = s->argv[s->at++];
	if (!v->templates && s->at < s->argc)
		return tool_usage(s->command, v->names ? "%s wants one name" : "nothing follows %s",
		                  v->name);
	if (v->templates && fields_any(s))
		return fields_words(&space->fields, s, true) ? 0 : EXIT_USAGE;
	if (v->templates && !v->optional)
		return tool_usage(s->command, "%s wants a template", v->name);
	item_put_null(&space->fields.cbor);
	return 0;
}

static int run(struct space *space, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	const struct verb *v;
	const char *word;
	int left, status;

	if (!tool_options(&s, c, argc, argv, set_option, space, &status))
		return status;
	word = s.at < s.argc ? s.argv[s.at++] : "list";
	v = find(word);
	if (!v)
		return tool_usage(c->name, "create, alter, drop, list, bury or kick, not \"%s\"",
		                  word);
	status = options_fit(space, v, c->name);
	if (status == 0)
		status = settle(space, &s, v);
	if (status == 0)
		status = link_open(&space->link);
	if (status != 0)
		return status;
	status = v->run(space);
	left = link_close(&space->link);
	return status ? status : left;
}

int space_main(const struct command *c, int argc, char **argv)
{
	struct space space = {.link = {.command = c->name, .calm = true}, .most = UINT64_MAX};
	int status;

	output_init(&space.output, c->name);
	fields_init(&space.fields);
	status = run(&space, c, argc, argv);
	fields_close(&space.fields);
	output_close(&space.output);
	return status;
}
