/* Connections: they open, say hello, resume, and break. */
#include "world.h"

bool client_delivered(const struct sent *s)
{
	return s->answered && s->batch <= w.durable_batch;
}

void client_answered(const struct effect *f, uint64_t n)
{
	int session = w.conns[f->conn].session;
	struct client *c = session < 0 ? NULL : &w.clients[session];

	for (int i = c ? c->count : 0; i-- > 0 && n > 0;)
		if (c->sent[i].n == n) {
			c->sent[i].answered = test_random_below(5) > 0; /* else it was lost */
			c->sent[i].batch = f->batch;
			return;
		}
}

void client_open(int conn)
{
	struct event ev = driver_event(EV_OPEN);

	ev.conn = (uint32_t)conn;
	ev.principal = bytes_of("uid:1");
	driver_step(&ev);
	w.conns[conn] = (struct driver_conn){.open = true, .session = SESSIONS + conn};
	w.clients[SESSIONS + conn].count = 0;
	w.clients[SESSIONS + conn].next_n = 0;
	driver_check();
}

void client_close(int conn)
{
	struct event ev = driver_event(EV_CLOSE);

	ev.conn = (uint32_t)conn;
	driver_step(&ev);
	m_watch_cancel_all(conn, false);
	if (w.conns[conn].session >= 0)
		m_session_detach(w.conns[conn].session);
	w.conns[conn].open = false;
	driver_check();
}

/* Says hello; its own reply is not compared, what follows it is the caller's. */
static void hello(int conn, struct buf *b, int session)
{
	struct event ev = driver_event(EV_REQUEST);
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct request r;
	size_t i = 0;

	CHECK_INT(message_decode(buf_bytes(b), &scratch, &r, &err), 0);
	ev.conn = (uint32_t)conn;
	ev.request = &r;
	w.random_id++;
	memcpy(ev.random, &w.random_id, sizeof w.random_id);
	CHECK_INT(driver_step(&ev), 0);
	if (!r.session_text)
		message_ranges(message_list_items(r.option[OPTION_HAVE].s), m_session_ack,
		               &session);
	while (i < w.fx.count &&
	       (w.fx.list[i].kind != EFFECT_REPLY || w.fx.list[i].conn != (uint32_t)conn))
		i++;
	CHECK(i < w.fx.count);
	w.fx.list[i].kind = EFFECT_CLOSE; /* seen */
	w.conns[conn].session = session;
	buf_close(&scratch);
	buf_close(b);
}

void client_hello(int conn, int session)
{
	struct m_session *s = &w.now.sessions[session];
	struct buf b = BUF_INIT;
	uint64_t grace = test_random_below(4) ? 5000 : 0;

	m_time_settle();
	item_put_head(&b, ITEM_ARRAY, 3);
	item_put_uint(&b, 1);
	item_put_text(&b, "hello");
	item_put_head(&b, ITEM_MAP, 2);
	item_put_text(&b, "grace");
	item_put_uint(&b, grace);
	item_put_text(&b, "session");
	item_put_text(&b, "new");
	hello(conn, &b, session);
	*s = (struct m_session){
		.used = true, .conn = conn, .grace = grace, .number = w.now.next_id++};
	memcpy(s->id, &w.random_id, sizeof w.random_id);
	w.clients[session].count = 0;
	w.clients[session].next_n = 1;
	w.clients[session].number = s->number;
	driver_check();
}

/* `have`: everything below the next number that is not unanswered. So an
 * acknowledgement that a crash has lost is said again. */
static void put_have(struct buf *b, const struct client *client)
{
	struct buf ranges = BUF_INIT;
	uint64_t from = 1, entries = 0;

	for (int i = 0; i <= client->count; i++) {
		uint64_t n = i < client->count ? client->sent[i].n : client->next_n + 1;

		if (i < client->count && client_delivered(&client->sent[i]))
			continue;
		if (n > from) {
			item_put_head(&ranges, ITEM_ARRAY, 2);
			item_put_uint(&ranges, from);
			item_put_uint(&ranges, n - 1);
			entries++;
		}
		from = n + 1;
	}
	item_put_head(b, ITEM_ARRAY, entries);
	buf_append(b, ranges.data, ranges.len);
	buf_close(&ranges);
}

void client_resume(int conn, int session)
{
	struct m_session *s = &w.now.sessions[session];
	struct buf b = BUF_INIT;
	int old = s->conn;

	m_time_settle();
	item_put_head(&b, ITEM_ARRAY, 3);
	item_put_uint(&b, 1);
	item_put_text(&b, "hello");
	item_put_head(&b, ITEM_MAP, 2);
	item_put_text(&b, "have");
	put_have(&b, &w.clients[session]);
	item_put_text(&b, "session");
	item_put_bytes(&b, (struct bytes){s->id, ENGINE_SESSION_ID});
	if (old >= 0) {
		expect_code(old, 0, ERROR_TAKEN_OVER);
		m_watch_cancel_all(old, false);
		m_session_detach(session);
		w.conns[old].session = -1;
		w.conns[old].held = false;
	}
	s->conn = conn;
	s->earlies = 0;
	for (int i = 0; i < OUTCOMES; i++)
		if (w.now.outcomes[i].used && w.now.outcomes[i].session == session)
			w.now.outcomes[i].answered = false;
	hello(conn, &b, session);
	m_waiter_reenter(session);
	driver_check();
	w.totals.resumes++;
	if (old >= 0)
		client_close(old);
}

void client_resend(int conn)
{
	struct driver_conn *c = &w.conns[conn];
	struct client *client = &w.clients[c->session];

	for (int i = 0; i < client->count; i++) {
		if (client_delivered(&client->sent[i]))
			continue;
		memcpy(c->message, client->sent[i].message, client->sent[i].len);
		c->len = client->sent[i].len;
		driver_deliver(conn);
		for (int tries = 0; c->held; tries++) {
			CHECK(tries < 5000);
			if (tries % 100 == 99) /* it may wait for leases that wait for it */
				store_next();
			driver_work();
			if (c->resumed || test_random_below(10) == 0)
				driver_deliver(conn);
		}
	}
}
