/* watch: what happens in a space, a line for each event. */
#include "fields.h"
#include "link.h"
#include "output.h"
#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/message.h"

#define GATHER 65536 /* bytes that are written at once */

const struct option_row watch_options[] = {
	{OPT_AFTER, 0, "after", OPT_VALUE, "CURSOR",
	 "what happened behind that event too, or a gap; 0: where it stands now, as a gap"},
	{OPT_MAX, 'n', "max", OPT_VALUE, "N", "end after so many events (never)"},
	{OPT_TIMEOUT, 't', "timeout", OPT_VALUE, "TIME",
	 "end when nothing happened for so long: 500ms, 5s, 2m, 1h (never)"},
	OUTPUT_ROWS,
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct watch {
	struct link link;
	struct tilia_op op;
	struct fields fields;
	struct output output;
	int64_t timeout_ms;
	uint64_t max, told; /* events; max 0: no end */
};

static bool set_max(struct watch *w, const struct option_scan *s)
{
	if (!option_count(s, UINT64_MAX, &w->max))
		return false;
	if (w->max == 0)
		tool_usage(s->command, "--max 0 would be nothing");
	return w->max > 0;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct watch *w = ctx;

	switch (id) {
	case OPT_CONNECT:
		w->link.address = s->value;
		return true;
	case OPT_SPACE:
		w->op.space = s->value;
		return true;
	case OPT_AFTER:
		if (!option_count(s, MESSAGE_NUMBER_MAX - 1, &w->op.after))
			return false;
		w->op.after += w->op.after == 0; /* no event has the cursor 1, nor 0 */
		return true;
	case OPT_MAX:
		return set_max(w, s);
	case OPT_TIMEOUT:
		return option_timeout(s, &w->timeout_ms);
	}
	return output_option(&w->output, s, id);
}

/* Gathers a line. */
static int put_event(struct watch *w, const struct tilia_event *e)
{
	const char *kind = tilia_event_word(e->kind);
	struct buf item = BUF_INIT;
	struct bytes tuple = {(const uint8_t *)"\xf6", 1};
	uint64_t id = e->tuple ? tilia_tuple_id(e->tuple) : 0;
	int status;

	if (e->tuple)
		tuple.p = tilia_tuple_cbor(e->tuple, &tuple.n);
	if (w->output.form == OUTPUT_TEXT) {
		buf_printf(&w->output.text, "%s\t%llu\t%llu\t", kind,
		           (unsigned long long)e->cursor, (unsigned long long)id);
		return output_item(&w->output, tuple.p);
	}
	item_put_head(&item, ITEM_ARRAY, 4);
	item_put_text(&item, kind);
	item_put_uint(&item, e->cursor);
	item_put_uint(&item, id);
	item_put_item(&item, tuple);
	status = item.failed ? link_failed(&w->link, TILIA_E_NOMEM, NULL)
	                     : output_item(&w->output, item.data);
	buf_close(&item);
	return status;
}

/* Gathers the next event and those that are there already. A code of link_next(). */
static int gather(struct watch *w, struct tilia_watch *events, int *status)
{
	struct tilia_event e;
	int code = link_next(&w->link, events, w->timeout_ms, &e);

	while (code == 0) {
		*status = put_event(w, &e);
		tilia_tuple_free(e.tuple);
		w->told++;
		if (*status != 0 || w->told == w->max || w->output.text.len >= GATHER)
			return 0;
		code = link_next(&w->link, events, TILIA_NOWAIT, &e);
		if (code == TILIA_NONE)
			return 0;
	}
	return code;
}

static int follow(struct watch *w, struct tilia_watch *events)
{
	int code, status = 0;

	do {
		code = gather(w, events, &status);
		if (status == 0)
			status = output_write(&w->output);
	} while (code == 0 && status == 0 && (w->max == 0 || w->told < w->max));
	if (code == 0 || status != 0)
		return status;
	return code == TILIA_E_INTERRUPTED ? EXIT_INTERRUPTED : link_failed(&w->link, code, NULL);
}

static int watch(struct watch *w)
{
	struct tilia_watch *events;
	struct bytes template = buf_bytes(&w->fields.cbor);
	int status = link_open(&w->link), code, left;

	if (status != 0)
		return status;
	code = tilia_watch_cbor(w->link.t, &events, &w->op, template.p, template.n);
	status = code == 0 ? follow(w, events) : link_failed(&w->link, code, NULL);
	tilia_watch_end(events);
	left = link_close(&w->link);
	return status ? status : left;
}

static int run(struct watch *w, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, w, &status))
		return status;
	if (!fields_any(&s))
		item_put_null(&w->fields.cbor);
	else if (!fields_words(&w->fields, &s, true))
		return EXIT_USAGE;
	return watch(w);
}

int watch_main(const struct command *c, int argc, char **argv)
{
	struct watch w = {.link.command = c->name};
	int status;

	output_init(&w.output, c->name);
	fields_init(&w.fields);
	status = run(&w, c, argc, argv);
	fields_close(&w.fields);
	output_close(&w.output);
	return status;
}
