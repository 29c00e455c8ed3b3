/* watch: a request whose reply comes in parts, an event each. A watcher reads its
 * space's ring where it stands, in slices, and tests its template there. It sends a
 * burst of at most limits.watch_bytes, and goes on when the kernel has taken that:
 * so a slow one costs nobody anything, and the ring may pass it. */
#include "state.h"

#define PART_BYTES 40 /* of a part, beside a tuple's own */

static const char *const kinds[] = {
	[RING_PUT] = "put",     [RING_TAKE] = "take", [RING_CLAIM] = "claim",
	[RING_BACK] = "back",   [RING_DONE] = "done", [RING_EXPIRE] = "expire",
	[RING_BURY] = "bury",   [RING_DROP] = "drop",
};

static void move(struct watcher *w, struct list *to)
{
	list_remove(&w->link);
	list_append(to, &w->link);
}

static void go_on(struct engine *e, struct watcher *w)
{
	struct ring *r = w->ring;

	move(w, &r->behind);
	if (!work_active(&r->work))
		work_begin(e, &r->work, watch_work);
}

static void forget(struct engine *e, struct watcher *w)
{
	seq_remove(&w->session->watchers, w->n);
	list_remove(&w->link);
	e->watching--;
	ring_leave(e, w->ring);
	tuple_free(w->template);
	xfree(w);
}

void watch_end(struct engine *e, struct watcher *w, int code, const char *why)
{
	reply_error(e, w->session->conn, w->n, w->batch, code, "%s", why);
	forget(e, w);
}

void watch_end_all(struct engine *e, struct session *s, int code, const char *why)
{
	struct watcher *w;

	while ((w = seq_first(&s->watchers)))
		watch_end(e, w, code, why);
}

void watch_forget_all(struct engine *e, struct session *s)
{
	struct watcher *w;

	while ((w = seq_first(&s->watchers)))
		forget(e, w);
}

void watch_sent(struct engine *e, struct watcher *w)
{
	w->sending = false;
	go_on(e, w);
}

static void tell(struct engine *e, struct watcher *w, const char *kind, uint64_t cursor,
                 uint64_t batch, const struct tuple *t)
{
	w->batch = batch;
	reply_event(e, w->session->conn, w->n, batch, kind, cursor, t);
}

/* One that missed events goes on with those to come. */
static size_t tell_gap(struct engine *e, struct watcher *w)
{
	struct ring *r = w->ring;

	if (w->next < r->first) {
		w->gap = true;
		/* One whose space was dropped must hear of it. */
		w->next = r->space ? r->next : r->next - 1;
	}
	if (!w->gap)
		return 0;
	w->gap = false;
	tell(e, w, "gap", w->next - 1, r->batch, NULL);
	return PART_BYTES;
}

static bool concerns(const struct watcher *w, const struct ring_event *ev)
{
	const struct tuple *t = ring_tuple(ev);

	return !t || !w->template || template_match_tuple(w->template, t);
}

/* Tells it what it has not read, as far as the units and its burst go. Answers the
 * units used. */
static unsigned read_on(struct engine *e, struct watcher *w, unsigned units)
{
	uint64_t most = e->config.limits.watch_bytes, sent = tell_gap(e, w);
	struct ring_event *ev;
	struct seq_cursor at;
	unsigned used = 1;

	for (ev = seq_after(&w->ring->events, w->next - 1, &at); ev && used <= units;
	     ev = seq_next(&at), used++) {
		const struct tuple *t = ring_tuple(ev);
		uint64_t size = PART_BYTES + (t ? t->size : 0);

		if (concerns(w, ev)) {
			if (sent > 0 && sent + size > most)
				break;
			tell(e, w, kinds[ev->kind], ev->cursor, ev->batch, t);
			sent += size;
		}
		w->next = ev->cursor + 1;
		if (ev->kind == RING_DROP) {
			watch_end(e, w, ERROR_NO_SPACE, "the space was dropped");
			return used;
		}
	}
	if (sent > 0) {
		e->fx->list[e->fx->count - 1].confirm = true;
		w->sending = true;
	}
	move(w, w->sending ? &w->ring->blocked
	                   : w->next < w->ring->next ? &w->ring->behind : &w->ring->idle);
	return used;
}

unsigned watch_work(struct engine *e, struct work *work, unsigned units)
{
	struct ring *r = list_entry(work, struct ring, work);
	unsigned used = 0;
	struct list *first;

	while (used < units && (first = list_first(&r->behind)))
		used += read_on(e, list_entry(first, struct watcher, link), units - used);
	if (!list_empty(&r->behind))
		return used;
	work_end(work);
	if (!r->space && r->watchers == 0)
		ring_free(e, r);
	return used + 1;
}

/* Where to begin: behind the cursor that was asked for, if nothing is missing. */
static void begin(struct watcher *w, const struct request *r)
{
	const struct ring *ring = w->ring;
	uint64_t after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : ring->next - 1;

	w->gap = after < ring->first - 1 || after >= ring->next;
	w->next = w->gap ? ring->next : after + 1;
}

int watch_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct space *s = request_space(e, c, r);
	struct template t;
	struct watcher *w;

	if (!s)
		return 0;
	if (session_waiting(c->session) >= e->config.limits.waiting) {
		reply_error(e, c, r->n, 0, ERROR_LIMIT,
		            "watch: too many requests of this session wait");
		return 0;
	}
	template_open(&t, r->value);
	w = xcalloc(1, sizeof *w);
	w->n = r->n;
	w->session = c->session;
	w->ring = ring_get(e, s);
	w->template = t.tuple;
	t.tuple = NULL;
	template_close(&t);
	list_init(&w->link);
	seq_insert(&c->session->watchers, w);
	ring_join(e, w->ring);
	e->watching++;
	begin(w, r);
	go_on(e, w);
	return 0;
}
