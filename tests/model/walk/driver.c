/* Steps of the engine, each checked. */
#include "../../../libclient/diag.h"
#include "world.h"

struct world w;

struct event driver_event(enum event_kind kind)
{
	struct event ev = {.kind = kind, .now_ms = w.now_ms, .wall_ms = w.wall_ms};

	return ev;
}

int driver_step(const struct event *ev)
{
	w.totals.steps++;
	return engine_step(w.engine, ev, &w.fx);
}

/* A part before the final reply. */
static bool is_part(struct bytes rest)
{
	return *rest.p == 1;
}

/* What the engine has done in its own time; the model follows. Watchers are told of
 * what has happened, so theirs comes last. */
static void observe(const struct effect *f, bool watch)
{
	int conn = (int)f->conn, session = w.conns[conn].session;
	struct bytes rest;
	uint64_t n;

	rest = expect_open(f, &n);
	if (session < 0 || watch != m_watch_is(conn, n))
		return;
	if (is_part(rest))
		m_watch_part(conn, n, f->batch, rest.p + 1);
	else if (watch)
		m_watch_dropped(conn, n);
	else
		m_waiter_answered(session, n, rest);
}

static void observe_all(void)
{
	for (int watch = 0; watch < 2; watch++)
		for (size_t i = 0; i < w.fx.count; i++)
			if (w.fx.list[i].kind == EFFECT_REPLY)
				observe(&w.fx.list[i], watch);
}

/* What comes and goes, when $TRACE asks for it. */
static void trace_reply(const struct effect *f)
{
	struct buf b = BUF_INIT;
	uint64_t n;
	struct bytes rest = expect_open(f, &n);

	for (const uint8_t *p = rest.p; p < rest.p + rest.n; p = item_skip(p)) {
		buf_text(&b, " ");
		diag_print(&b, p);
	}
	printf("%llu   conn %d: %llu%.*s\n", (unsigned long long)w.now_ms, (int)f->conn,
	       (unsigned long long)n, (int)b.len, (char *)b.data);
	buf_close(&b);
}

static void check_effect(const struct effect *f)
{
	uint64_t n;

	if (f->kind == EFFECT_CHANGE)
		w.journal->ops->add(w.journal, &f->change);
	else if (f->kind == EFFECT_RESUME)
		w.conns[f->conn].resumed = true;
	else if (f->kind == EFFECT_REPLY && !is_part(expect_open(f, &n)))
		expect_reply(f);
}

/* Nothing is to be done now: what was kept back for it may be given again. */
static void check_resumed(void)
{
	for (int i = 0; i < SPACES; i++)
		if (m_time_overdue(i))
			return; /* that waits for the next batch */
	for (int i = 0; i < CONNS; i++)
		if (w.conns[i].open && w.conns[i].held && !w.conns[i].resumed)
			test_fail(__FILE__, __LINE__, "conn %d is kept back and forgotten", i);
}

void driver_check(void)
{
	for (size_t i = 0; i < w.fx.count && w.trace; i++)
		if (w.fx.list[i].kind == EFFECT_REPLY)
			trace_reply(&w.fx.list[i]);
	observe_all();
	m_waiter_counted();
	for (size_t i = 0; i < w.fx.count; i++)
		check_effect(&w.fx.list[i]);
	expect_none();
	if (engine_deadline(w.engine) > w.now_ms) {
		check_resumed();
		m_waiter_settled();
		m_watch_settled();
	}
	if (w.totals.steps % w.every == 0)
		engine_assert(w.engine);
}

static void trace_request(int conn, const struct driver_conn *c)
{
	struct buf b = BUF_INIT;

	diag_print(&b, c->message);
	printf("%llu conn %d session %d %.*s%s\n", (unsigned long long)w.now_ms, conn, c->session,
	       (int)b.len, (char *)b.data, c->held ? " again" : "");
	buf_close(&b);
}

void driver_deliver(int conn)
{
	struct driver_conn *c = &w.conns[conn];
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct event ev = driver_event(EV_REQUEST);
	struct request r;

	CHECK_INT(message_decode((struct bytes){c->message, c->len}, &scratch, &r, &err), 0);
	ev.conn = (uint32_t)conn;
	ev.request = &r;
	ev.batch_full = message_rows[r.op].changes && test_random_below(20) == 0;
	w.walked = c->held;
	c->held = driver_step(&ev) == ENGINE_AGAIN;
	m_time_settle();
	c->resumed = ev.batch_full; /* the next seal is as good as now */
	w.totals.requests++;
	w.totals.again += c->held;
	if (w.trace)
		trace_request(conn, c);
	if (!c->held)
		m_request(conn, &r);
	driver_check();
	buf_close(&scratch);
}

void driver_send(int conn, uint64_t n, const struct buf *body, unsigned items)
{
	struct driver_conn *c = &w.conns[conn];
	struct client *client = &w.clients[c->session];
	struct buf b = BUF_INIT;
	struct sent *s;

	item_put_head(&b, ITEM_ARRAY, items + 2);
	item_put_uint(&b, n);
	buf_append(&b, body->data, body->len);
	CHECK(b.len <= sizeof c->message);
	memcpy(c->message, b.data, b.len);
	c->len = b.len;
	if (n > 0) {
		CHECK(client->count < SENT && b.len <= sizeof s->message);
		s = &client->sent[client->count++];
		*s = (struct sent){.n = n, .len = (uint16_t)b.len};
		memcpy(s->message, b.data, b.len);
	}
	buf_close(&b);
	driver_deliver(conn);
}

void driver_pass(uint64_t ms)
{
	struct event ev;

	w.now_ms += ms;
	w.wall_ms += ms;
	if (test_random_below(20) == 0) /* somebody sets it */
		w.wall_ms += test_random_below(2) ? 60000 : -(uint64_t)3000;
	w.wall_last = w.wall_ms > w.wall_last ? w.wall_ms : w.wall_last;
	w.now.lease += ms < 1000 ? ms : 1000;
	ev = driver_event(EV_TIME);
	driver_step(&ev);
	m_expire();
	driver_check();
}

void driver_work(void)
{
	struct event ev = driver_event(EV_WORK);

	ev.units = 1 + (uint32_t)test_random_below(4);
	driver_step(&ev);
	m_expire();
	driver_check();
}
