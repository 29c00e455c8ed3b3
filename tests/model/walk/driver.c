/* Steps of the engine, each checked. */
#include "world.h"

struct world w;

struct event driver_event(enum event_kind kind)
{
	struct event ev = {.kind = kind, .now_ms = w.now_ms, .wall_ms = w.wall_ms};

	return ev;
}

int driver_step(const struct event *ev)
{
	return engine_step(w.engine, ev, &w.fx);
}

void driver_check(void)
{
	for (size_t i = 0; i < w.fx.count; i++) {
		const struct effect *f = &w.fx.list[i];

		if (f->kind == EFFECT_CHANGE)
			w.journal->ops->add(w.journal, &f->change);
		else if (f->kind == EFFECT_REPLY)
			expect_reply(f);
	}
	expect_none();
	engine_assert(w.engine);
}

static bool is_durable_change(const struct request *r, int space)
{
	return space == 0 && (r->op == MESSAGE_OUT || r->op == MESSAGE_OUTS ||
	                      r->op == MESSAGE_IN || r->op == MESSAGE_COMMIT);
}

void driver_deliver(int conn)
{
	struct driver_conn *c = &w.conns[conn];
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct event ev = driver_event(EV_REQUEST);
	struct request r;
	int space;

	CHECK_INT(message_decode((struct bytes){c->message, c->len}, &scratch, &r, &err), 0);
	ev.conn = (uint32_t)conn;
	ev.request = &r;
	space = bytes_equal(r.space, bytes_of("vol")) ? 1 : 0;
	ev.batch_full = is_durable_change(&r, space) && test_random_below(20) == 0;
	w.walked = c->held;
	c->held = driver_step(&ev) == ENGINE_AGAIN;
	w.totals.requests++;
	w.totals.again += c->held;
	if (!c->held)
		m_request(conn, &r, space);
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
		*s = (struct sent){.n = n, .len = (uint8_t)b.len};
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
