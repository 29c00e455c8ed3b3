/* tilia.h: watches that are read one event at a time. What comes while nobody reads
 * is kept, up to STREAM_KEEP bytes; then the watch is cancelled, and asked for again
 * behind the last event kept when all of them were read. */
#include "stream.h"

#include "base/xmalloc.h"
#include "call.h"
#include "client.h"
#include "error.h"
#include "item.h"
#include "message.h"
#include "operation.h"
#include "tuple.h"

#include <string.h>

#define STREAM_KEEP ((size_t)1 << 20)

struct kept {
	struct list link; /* tilia_watch.events */
	struct tilia_event event;
	size_t size;
};

struct tilia_watch {
	struct list link;   /* tilia.watches */
	struct tilia *t;    /* NULL: the handle is gone */
	int64_t request;    /* on its way; 0: none */
	struct buf template;
	char *space;        /* NULL: the handle's */
	uint64_t cursor;    /* of the last event kept; or where it was to begin */
	struct list events;
	size_t bytes;
	int code;           /* negative: it is over */
	bool full;          /* events are left out, to be asked for again */
	bool ended;         /* nobody has it any more */
};

static const char *const words[] = {
	[TILIA_EVENT_PUT] = "put",       [TILIA_EVENT_TAKE] = "take",
	[TILIA_EVENT_CLAIM] = "claim",   [TILIA_EVENT_BACK] = "back",
	[TILIA_EVENT_DONE] = "done",     [TILIA_EVENT_BURY] = "bury",
	[TILIA_EVENT_EXPIRE] = "expire", [TILIA_EVENT_DROP] = "drop",
	[TILIA_EVENT_GAP] = "gap",
};

const char *tilia_event_word(enum tilia_event_kind kind)
{
	return kind >= TILIA_EVENT_PUT && kind <= TILIA_EVENT_GAP ? words[kind] : "";
}

static int read_kind(struct bytes word, enum tilia_event_kind *kind)
{
	for (int k = TILIA_EVENT_PUT; k <= TILIA_EVENT_GAP; k++) {
		if (bytes_equal(word, bytes_of(words[k]))) {
			*kind = (enum tilia_event_kind)k;
			return 0;
		}
	}
	return TILIA_NONE;
}

int stream_read(struct bytes part, struct tilia_event *event)
{
	struct item_head h;
	const uint8_t *p;
	uint64_t id;
	int code;

	*event = (struct tilia_event){0};
	if (part.n == 0)
		return ERROR_MALFORMED;
	p = item_head(part.p, &h);
	if (h.major != ITEM_ARRAY || h.arg < 4 || *p >> 5 != ITEM_TEXT ||
	    !message_number(item_skip(p), &event->cursor) ||
	    !message_number(item_skip(item_skip(p)), &id))
		return ERROR_MALFORMED;
	code = read_kind(item_string(p), &event->kind);
	p = item_skip(item_skip(item_skip(p)));
	if (code != 0 || *p == ITEM_NULL)
		return code;
	if (*p >> 5 != ITEM_ARRAY)
		return ERROR_MALFORMED;
	event->tuple = tuple_make(id, p);
	return event->tuple == NULL ? ERROR_NOMEM : 0;
}

/* --- life ------------------------------------------------------------------ */

static void drop_events(struct tilia_watch *w)
{
	list_each(it, &w->events) {
		struct kept *k = list_entry(it, struct kept, link);

		tilia_tuple_free(k->event.tuple);
		xfree(k);
	}
	list_init(&w->events);
}

static void destroy(struct tilia_watch *w)
{
	drop_events(w);
	list_remove(&w->link);
	buf_close(&w->template);
	xfree(w->space);
	xfree(w);
}

void stream_forget_all(struct tilia *t)
{
	list_each(it, &t->watches) {
		struct tilia_watch *w = list_entry(it, struct tilia_watch, link);

		list_remove(&w->link);
		w->t = NULL;
		if (w->code == 0)
			w->code = ERROR_CLOSED;
		if (w->ended)
			destroy(w);
	}
}

/* --- events ---------------------------------------------------------------- */

/* false: there is no room, or no memory, for it. */
static bool keep(struct tilia_watch *w, struct tilia_event *event)
{
	struct kept *k;

	if (w->bytes > STREAM_KEEP)
		return false;
	k = xtry_malloc(sizeof *k);
	if (k == NULL)
		return false;
	k->event = *event;
	k->size = sizeof *k + (event->tuple == NULL ? 0 : tuple_item(event->tuple).n);
	event->tuple = NULL;
	list_append(&w->events, &k->link);
	w->bytes += k->size;
	w->cursor = k->event.cursor;
	return true;
}

/* The rest is left to the server. A cancel that failed is tried with each event. */
static void leave(struct tilia *t, struct tilia_watch *w, int64_t request)
{
	w->full = true;
	if (w->cursor == 0)
		w->cursor = 1; /* none: so that a gap is told */
	tilia_cancel(t, request);
}

static void on_event(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct tilia_watch *w = arg;

	if (d->event != NULL) {
		if (w->full || w->ended || d->code != 0 || !keep(w, d->event))
			leave(t, w, d->request);
		return;
	}
	w->request = 0;
	if (w->ended)
		destroy(w);
	else if (!w->full || d->code != ERROR_CANCELLED)
		w->code = d->code;
}

static int ask(struct tilia_watch *w)
{
	struct tilia_op op = {.space = w->space, .after = w->cursor};
	int64_t n = tilia_submit(w->t, TILIA_WATCH, &op, w->template.data, w->template.len,
	                         on_event, w);

	if (n < 0)
		return (int)n;
	w->request = n;
	w->full = false;
	return 0;
}

static struct tilia_watch *create(struct tilia *t, const struct tilia_op *op, struct bytes item)
{
	struct tilia_watch *w = xtry_calloc(1, sizeof *w);
	size_t n = op == NULL || op->space == NULL ? 0 : strlen(op->space) + 1;

	if (w == NULL)
		return NULL;
	list_init(&w->events);
	list_append(&t->watches, &w->link);
	w->t = t;
	w->cursor = op == NULL ? 0 : op->after;
	buf_append(&w->template, item.p, item.n);
	w->space = n == 0 ? NULL : xtry_malloc(n);
	if (w->space != NULL)
		memcpy(w->space, op->space, n);
	if (!w->template.failed && (n == 0 || w->space != NULL))
		return w;
	destroy(w);
	return NULL;
}

int tilia_watch_cbor(struct tilia *t, struct tilia_watch **watch, const struct tilia_op *op,
                     const void *p, size_t size)
{
	struct operation o;
	int code = t->fatal;

	*watch = NULL;
	if (code != 0)
		return code;
	code = operation_submitted(t, &o, TILIA_WATCH, op, (struct bytes){p, size});
	operation_close(&o); /* it was to be judged only */
	if (code != 0)
		return code;
	*watch = create(t, op, (struct bytes){p, size});
	if (*watch == NULL)
		return client_fail(t, ERROR_NOMEM, NULL);
	code = ask(*watch);
	if (code == 0)
		return 0;
	destroy(*watch);
	*watch = NULL;
	return code;
}

int tilia_watch_text(struct tilia *t, struct tilia_watch **w, const struct tilia_op *op,
                     const char *text)
{
	struct buf item = BUF_INIT;
	int code = operation_parse(t, text, DIAG_FORMALS, &item);

	*w = NULL;
	if (code == 0)
		code = tilia_watch_cbor(t, w, op, item.data, item.len);
	buf_close(&item);
	return code;
}

int tilia_watch(struct tilia *t, struct tilia_watch **w, const struct tilia_op *op,
                const char *format, ...)
{
	va_list args;
	void *p = NULL;
	size_t size;
	int code;

	*w = NULL;
	va_start(args, format);
	code = tilia_build_v(t, &p, &size, format, args);
	va_end(args);
	if (code == 0)
		code = tilia_watch_cbor(t, w, op, p, size);
	tilia_free(p);
	return code;
}

static void take(struct tilia_watch *w, struct tilia_event *event)
{
	struct kept *k = list_entry(list_first(&w->events), struct kept, link);

	*event = k->event;
	w->bytes -= k->size;
	list_remove(&k->link);
	xfree(k);
}

/* Goes on until there is an event, an end, or the time is over. */
static int await(struct tilia_watch *w, int64_t until)
{
	struct tilia *t = w->t;
	int code = call_usable(t);

	if (code == 0 && w->code == 0)
		code = client_step(t);
	while (code == 0 && list_empty(&w->events) && w->code == 0) {
		if (w->full && w->request == 0)
			code = ask(w);
		else if (client_now_ms() >= until)
			return TILIA_NONE;
		if (code == 0)
			code = client_wait(t, until);
	}
	return code == ERROR_INTERRUPTED ? client_fail(t, code, NULL) : code;
}

int tilia_watch_next(struct tilia_watch *w, int64_t timeout_ms, struct tilia_event *event)
{
	int64_t now = client_now_ms();
	int code = 0;

	*event = (struct tilia_event){0};
	if (list_empty(&w->events) && w->t != NULL)
		code = await(w, timeout_ms == 0 ? INT64_MAX
		                : timeout_ms < 0 ? now : client_after_ms(now, timeout_ms));
	if (list_empty(&w->events))
		return code != 0 ? code : w->code;
	take(w, event);
	return 0;
}

void tilia_watch_end(struct tilia_watch *w)
{
	if (w == NULL)
		return;
	w->ended = true;
	if (w->request == 0 || w->t == NULL)
		destroy(w);
	else
		tilia_cancel(w->t, w->request);
}
