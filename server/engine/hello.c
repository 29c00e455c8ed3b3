/* The requests about sessions: hello, bye, cancel. */
#include "state.h"

#include "../../libclient/formal.h"
#include "../../libclient/frame.h"
#include "../../libclient/utf8.h"

#include <stdlib.h>

#define CLIENT_BYTES 255 /* of hello's `client` that are kept */

struct ack_ctx {
	struct engine *e;
	struct session *s;
};

static void ack_one(uint64_t from, uint64_t to, void *ctx)
{
	struct ack_ctx *a = ctx;

	session_ack(a->e, a->s, from, to);
}

/* A feature's text: of an operation, or of a part of one. */
static void put_feature(struct buf *b, const char *of, const char *part)
{
	item_put_head(b, ITEM_TEXT, strlen(of) + 1 + strlen(part));
	buf_text(b, of);
	buf_byte(b, '.');
	buf_text(b, part);
}

static bool has_option(enum message_op op, unsigned option)
{
	return request_spoken(op) && message_option_rows[option].ops >> op & 1;
}

static void put_features(struct buf *b)
{
	unsigned count = 0;

	for (unsigned op = 0; op < MESSAGE_OPS; op++) {
		count += request_spoken((enum message_op)op);
		for (unsigned o = 0; o < OPTIONS; o++)
			count += has_option((enum message_op)op, o);
	}
	item_put_head(b, ITEM_ARRAY, count + FORMAL_KEYS);
	for (unsigned op = 0; op < MESSAGE_OPS; op++) {
		const char *name = message_rows[op].name;

		if (!request_spoken((enum message_op)op))
			continue;
		item_put_text(b, name);
		for (unsigned o = 0; o < OPTIONS; o++)
			if (has_option((enum message_op)op, o))
				put_feature(b, name, message_option_rows[o].name);
	}
	for (unsigned key = 0; key < FORMAL_KEYS; key++)
		put_feature(b, "formal", formal_key_name((enum formal_key)key));
}

static void put_limits(const struct engine *e, struct buf *b)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"list", MESSAGE_LIST_MAX},       {"depth", CODEC_DEPTH},
		{"frame", FRAME_MAX},             {"heads", CODEC_HEADS_FRAME},
		{"tuple", FORMAL_TUPLE_BYTES},    {"claims", e->config.limits.claims},
		{"fields", TUPLE_FIELDS},
		{"outcomes", e->config.limits.outcomes},
	};

	item_put_head(b, ITEM_MAP, sizeof rows / sizeof *rows);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		item_put_text(b, rows[i].name);
		item_put_uint(b, rows[i].value);
	}
}

static void reply_hello(struct engine *e, struct conn *c, uint64_t n, uint64_t batch)
{
	struct session *s = c->session;
	struct buf *b = reply_begin(e, n);

	item_put_head(b, ITEM_MAP, s->number ? 7 : 6);
	item_put_text(b, "v");
	item_put_uint(b, MESSAGE_VERSION);
	item_put_text(b, "boot");
	item_put_uint(b, e->boot);
	item_put_text(b, "grace");
	item_put_uint(b, s->grace_ms);
	item_put_text(b, "limits");
	put_limits(e, b);
	item_put_text(b, "server");
	item_put_text(b, "tilia " TILIA_VERSION);
	if (s->number) {
		item_put_text(b, "session");
		item_put_bytes(b, (struct bytes){s->id, ENGINE_SESSION_ID});
	}
	item_put_text(b, "features");
	put_features(b);
	reply_end(e, c, n, batch, false);
}

static uint64_t wanted_grace(const struct engine *e, const struct request *r)
{
	const struct engine_limits *l = &e->config.limits;
	uint64_t ms =
		request_has(r, OPTION_GRACE) ? r->option[OPTION_GRACE].u : l->grace_default_ms;

	return ms < l->grace_max_ms ? ms : l->grace_max_ms;
}

static void write_row(struct engine *e, const struct session *s)
{
	struct change *ch = reply_change(e, CHANGE_SESSION);

	ch->session = s->number;
	ch->lease_ms = s->grace_ms;
	ch->bytes = s->may;
	ch->principal = s->principal;
	memcpy(ch->id16, s->id, ENGINE_SESSION_ID);
}

/* Whether a resume asks for another grace, which it gets. */
static bool new_grace(struct engine *e, struct session *s, const struct request *r)
{
	if (!request_has(r, OPTION_GRACE) || wanted_grace(e, r) == s->grace_ms)
		return false;
	s->grace_ms = wanted_grace(e, r);
	write_row(e, s);
	return true;
}

static bool hello_new(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct session *s = c->session; /* the connection's own becomes one with an id */

	if (session_count(e, s->principal) >= e->config.limits.sessions) {
		reply_error(e, c, r->n, 0, ERROR_LIMIT,
		            "hello: too many sessions of this principal");
		return false;
	}
	if (e->disk_low && e->session_ids.count >= e->low_sessions) {
		reply_error(e, c, r->n, 0, ERROR_FULL, "hello: the disk is full");
		return false;
	}
	s->grace_ms = wanted_grace(e, r);
	if (request_has(r, OPTION_MAY))
		s->may = session_copy(r->option[OPTION_MAY].s);
	session_register(e, s, engine_id(e), ev->random);
	write_row(e, s);
	reply_hello(e, c, r->n, e->batch);
	return true;
}

static int by_order(const void *a, const void *b)
{
	uint64_t x = (*(struct waiter *const *)a)->order, y = (*(struct waiter *const *)b)->order;

	return x < y ? -1 : x > y;
}

/* Waiting requests stand in their old places again, or are served by what came
 * meanwhile. */
static void reenter(struct engine *e, struct session *s)
{
	size_t count = s->waiting_by_n.count, i = 0;
	struct waiter **w = xmalloc(count * sizeof *w);

	list_each(it, &s->waiting)
		w[i++] = list_entry(it, struct waiter, link);
	if (count > 1)
		qsort(w, count, sizeof *w, by_order);
	for (i = 0; i < count; i++)
		waiter_reenter(e, w[i]);
	xfree(w);
}

static bool hello_resume(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct session *s = session_by_id(e, r->option[OPTION_SESSION].s.p), *own = c->session;

	if (!s || !bytes_equal(s->principal, c->principal) ||
	    (!s->conn && s->grace.key < e->lease_ms)) {
		reply_error(e, c, r->n, 0, ERROR_SESSION_OVER,
		            "hello: no such session, or it is over");
		return false;
	}
	/* Its client gave this one up for a newer one: what stands behind this hello was sent again
	 * there, and may be acknowledged already. The client's own count tells even when a relay
	 * connects late; else the order in which the connections came. */
	if (request_has(r, OPTION_ATTEMPT) ? r->option[OPTION_ATTEMPT].u <= s->attempt
	                                   : c->age < s->conn_age) {
		reply_error(e, c, r->n, 0, ERROR_TAKEN_OVER,
		            "a newer connection resumed this session");
		return false;
	}
	if (request_has(r, OPTION_ATTEMPT))
		s->attempt = r->option[OPTION_ATTEMPT].u;
	if (s->conn) {
		struct conn *old = s->conn;

		reply_error(e, old, 0, 0, ERROR_TAKEN_OVER,
		            "another connection resumed this session");
		reply_close(e, old, true);
		session_suspend(e, s);
		old->session = NULL;
		search_end(&old->seeker);
	}
	heap_remove(&e->graces, &s->grace);
	session_free(e, own);
	session_attach(s, c);
	if (request_has(r, OPTION_MAY))
		c->may = session_copy(r->option[OPTION_MAY].s);
	if (request_has(r, OPTION_HAVE))
		message_ranges(message_list_items(r->option[OPTION_HAVE].s), ack_one,
		               &(struct ack_ctx){e, s});
	reply_hello(e, c, r->n, new_grace(e, s, r) ? e->batch : 0);
	reenter(e, s);
	return true;
}

/* The greeting; false after an error reply. */
static bool greet(struct engine *e, struct conn *c, const struct event *ev, bool none)
{
	const struct request *r = ev->request;

	if (c->greeted) {
		reply_error(e, c, r->n, 0, ERROR_REQUEST, "hello: comes first, and once");
		return false;
	}
	if (request_has(r, OPTION_V) && r->option[OPTION_V].u != MESSAGE_VERSION) {
		reply_error(e, c, r->n, 0, ERROR_VERSION, "hello: version %llu is not spoken, 1 is",
		            (unsigned long long)r->option[OPTION_V].u);
		return false;
	}
	if (!none)
		return (r->session_text ? hello_new : hello_resume)(e, c, ev);
	if (request_has(r, OPTION_MAY))
		c->may = session_copy(r->option[OPTION_MAY].s);
	reply_hello(e, c, r->n, 0);
	return true;
}

/* For those who ask who waits. */
static void keep_client(struct conn *c, const struct request *r)
{
	struct bytes all = r->option[OPTION_CLIENT].s, kept = {all.p, 0};
	size_t n = 1;

	if (!request_has(r, OPTION_CLIENT))
		return;
	while (n > 0 && kept.n + n <= CLIENT_BYTES) {
		n = utf8_next((struct bytes){all.p + kept.n, all.n - kept.n}, NULL);
		kept.n += kept.n + n <= CLIENT_BYTES ? n : 0;
	}
	c->client = session_copy(kept);
}

int session_hello(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	bool none = !request_has(r, OPTION_SESSION) ||
	            (r->session_text && bytes_equal(r->option[OPTION_SESSION].s, bytes_of("none")));

	if (!none && r->session_text && ev->batch_full)
		return ENGINE_AGAIN;
	/* What was sent behind a refused hello must not be done without its session. */
	if (greet(e, c, ev, none)) {
		c->greeted = true;
		keep_client(c, r);
	} else {
		reply_close(e, c, false);
	}
	return 0;
}

int hello_bye(struct engine *e, struct conn *c, const struct event *ev)
{
	struct session *s = c->session;

	list_each(it, &s->waiting) {
		struct waiter *w = list_entry(it, struct waiter, link);

		reply_error(e, c, w->n, 0, ERROR_CANCELLED, "the session said bye");
		waiter_free(e, w);
	}
	watch_end_all(e, s, ERROR_CANCELLED, "the session said bye");
	session_ack(e, s, 0, UINT64_MAX);
	s->conn = NULL;
	reply_null(e, c, ev->request->n, s->number ? e->batch : 0);
	session_end(e, s, false);
	session_attach(session_make(e, c->principal), c);
	return 0;
}

/* Whether request m has no effect now; takes it back where it can. */
static bool cancel(struct engine *e, struct conn *c, uint64_t m)
{
	struct session *s = c->session;
	struct waiter *w = waiter_find(s, m);
	struct outcome *o = seq_find(&s->outcomes, m);
	struct watcher *watcher = seq_find(&s->watchers, m);

	if (watcher) {
		e->wait = watcher->batch;
		watch_end(e, watcher, ERROR_CANCELLED, "cancelled");
		return true;
	}
	if (w) {
		reply_error(e, c, m, 0, ERROR_CANCELLED, "cancelled");
		waiter_free(e, w);
		return true;
	}
	if (o && o->space) {
		struct space *sp = o->space;

		e->wait = !sp->is_volatile ? e->batch : 0;
		if (e->wait && s->number)
			s->undo_batch = e->wait;
		outcome_undo(e, s, o, UNDO_CANCEL);
		return true;
	}
	if (o)
		return false;
	return !c->first_n || m < c->first_n || m > c->last_n;
}

int hello_cancel(struct engine *e, struct conn *c, const struct event *ev)
{
	uint64_t n = ev->request->n;
	bool undone;

	e->wait = 0;
	undone = cancel(e, c, ev->request->number);
	item_put_bool(reply_begin(e, n), undone);
	reply_end(e, c, n, e->wait, false);
	return 0;
}
