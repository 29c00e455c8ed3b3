#include "steps.h"

#include "option.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

#include <stdio.h>
#include <string.h>

#define BIT(kind) (1u << STEP_##kind)

static const char *const kinds[] = {
	[STEP_IN] = "in", [STEP_RD] = "rd", [STEP_NO] = "no", [STEP_OUT] = "out"};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

/* Options of a step; that of the space is no option of the protocol. */
static const struct row {
	const char *name;
	unsigned kinds;
	bool value;
	enum message_option option;
} rows[] = {
	{"--space", BIT(IN) | BIT(RD) | BIT(NO) | BIT(OUT), true, OPTIONS},
	{"--visible", BIT(NO), false, OPTION_HIDDEN},
	{"--ttl", BIT(OUT), true, OPTION_TTL},
	{"--delay", BIT(OUT), true, OPTION_DELAY},
	{"--bound", BIT(OUT), false, OPTION_BOUND},
};
#define ROWS (sizeof rows / sizeof *rows)

struct step {
	int kind;
	const char *space;
	struct message_options options;
};

void steps_init(struct steps *s, const char *space)
{
	*s = (struct steps){.space = space};
}

void steps_close(struct steps *s)
{
	buf_close(&s->items);
}

static bool refuse(struct steps *s, const char *why, const char *word)
{
	snprintf(s->why, sizeof s->why, "step %llu: %s%s%.100s", (unsigned long long)s->count, why,
	         word ? ": " : "", word ? word : "");
	return false;
}

static bool set_option(struct steps *s, struct step *step, const struct row *row, const char *value)
{
	uint64_t ms;

	if (row->option == OPTIONS) {
		step->space = value;
		return true;
	}
	if (!row->value) {
		message_option_number(&step->options, row->option, row->option == OPTION_BOUND);
		return true;
	}
	if (!option_read_duration(value, &ms) || ms == 0)
		return refuse(s, "not a duration like 500ms, 5s, 2m or 1h", value);
	message_option_number(&step->options, row->option, ms);
	return true;
}

/* The options that stand at *at; it is moved behind them. */
static bool read_options(struct steps *s, struct step *step, char *const *words, int count, int *at)
{
	while (*at < count && strncmp(words[*at], "--", 2) == 0) {
		const struct row *row = rows;

		while (row < rows + ROWS && (strcmp(row->name, words[*at]) != 0 ||
		                             !(row->kinds >> step->kind & 1)))
			row++;
		if (row == rows + ROWS)
			return refuse(s, "no such option of this step", words[*at]);
		*at += 1 + row->value;
		if (*at > count)
			return refuse(s, "a value is missing", row->name);
		if (!set_option(s, step, row, words[*at - 1]))
			return false;
	}
	return true;
}

static bool put(struct steps *s, const struct step *step, const char *text)
{
	struct buf item = BUF_INIT;
	unsigned flags = step->kind == STEP_OUT ? DIAG_REFS : DIAG_FORMALS;

	if (diag_parse(bytes_of(text), flags, &item, NULL, NULL, &s->at) != 0) {
		s->text = text;
		buf_close(&item);
		return refuse(s, s->at.why, NULL);
	}
	item_put_head(&s->items, ITEM_ARRAY, 3 + (step->options.have != 0));
	item_put_text(&s->items, kinds[step->kind]);
	item_put_text(&s->items, step->space);
	item_put_item(&s->items, buf_bytes(&item));
	message_options_put(&s->items, &step->options);
	buf_close(&item);
	s->count++;
	return true;
}

bool steps_read(struct steps *s, char *const *words, int count)
{
	s->text = NULL;
	for (int at = 0; at < count; at++) {
		struct step step = {.space = s->space};

		while (step.kind < KINDS && strcmp(kinds[step.kind], words[at]) != 0)
			step.kind++;
		if (step.kind == KINDS)
			return refuse(s, "a step is in, rd, no or out, and its '[...]'", words[at]);
		at++;
		if (!read_options(s, &step, words, count, &at))
			return false;
		if (at >= count)
			return refuse(s, "the '[...]' is missing", NULL);
		if (!put(s, &step, words[at]))
			return false;
	}
	return true;
}

void steps_put(const struct steps *s, struct buf *to)
{
	item_put_head(to, ITEM_ARRAY, s->count);
	buf_append(to, s->items.data, s->items.len);
}
