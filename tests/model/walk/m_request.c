/* One request: resent, or executed. */
#include "world.h"

bool m_visible_only(const struct request *r)
{
	return request_has(r, OPTION_HIDDEN) && !r->option[OPTION_HIDDEN].u;
}

static void cancel(int conn, int session, const struct request *r)
{
	struct driver_conn *c = &w.conns[conn];
	struct m_waiter *one = m_waiter_find(session, r->number);
	struct m_outcome *o = m_outcome_find(session, r->number);
	struct buf b = BUF_INIT;
	uint64_t batch = 0;
	bool undone;

	if (one) {
		expect_code(conn, r->number, ERROR_CANCELLED);
		m_waiter_end(one);
		undone = true;
	} else if (o) {
		undone = o->take;
		if (undone && o->durable)
			batch = w.open_batch;
		if (undone)
			m_outcome_undo(o, false, true);
	} else if (m_watch_cancel(conn, r->number)) {
		undone = true;
	} else {
		undone = !c->first_n || r->number < c->first_n || r->number > c->last_n;
	}
	item_put_bool(&b, undone);
	expect_result(conn, r->n, batch, &b);
}

/* Whether a resend needs no execution; *order: its old place when it does. */
static bool resend(int conn, int session, const struct request *r, uint64_t *order)
{
	struct m_session *s = &w.now.sessions[session];
	struct m_waiter *one = m_waiter_find(session, r->n);
	struct m_outcome *o = m_outcome_find(session, r->n);

	for (int i = 0; i < s->earlies; i++)
		if (s->early[i] == r->n) {
			s->early[i] = s->early[--s->earlies];
			return true;
		}
	if (o && !o->answered)
		m_outcome_answer(conn, o);
	if (o || !one)
		return o != NULL;
	one->resent = true;
	if (one->in)
		return true;
	*order = one->order;
	one->used = false;
	return false;
}

static void execute(int conn, const struct request *r, uint64_t order)
{
	int session = w.conns[conn].session;
	int space = m_space_find(r->space);
	struct buf b = BUF_INIT;

	if (message_rows[r->op].rights && r->op != MESSAGE_SPACE && space < 0) {
		expect_code(conn, r->n, ERROR_NO_SPACE);
		return;
	}
	switch (r->op) {
	case MESSAGE_OUT:
	case MESSAGE_OUTS:
		m_put(conn, session, r, space, order);
		break;
	case MESSAGE_IN:
	case MESSAGE_RD:
		m_take(session, r, space, order);
		break;
	case MESSAGE_COUNT:
		m_take_count(conn, r, space);
		break;
	case MESSAGE_ATOMIC:
		m_atomic(conn, session, r, order);
		break;
	case MESSAGE_WAIT:
		m_take_wait(conn, r, space, order);
		break;
	case MESSAGE_WATCH:
		m_watch_run(conn, r, space);
		break;
	case MESSAGE_COMMIT:
		m_commit(conn, session, r);
		break;
	case MESSAGE_RENEW:
		m_commit_renew(conn, session, r);
		break;
	case MESSAGE_SPACE:
		m_space_run(conn, session, r);
		break;
	case MESSAGE_PING:
		item_put_null(&b);
		expect_result(conn, r->n, 0, &b);
		break;
	case MESSAGE_BYE:
		m_session_bye(conn, session, r->n);
		break;
	case MESSAGE_CANCEL:
		cancel(conn, session, r);
		break;
	default:
		CHECK(!"a request the walk does not send");
	}
}

void m_request(int conn, const struct request *r)
{
	struct driver_conn *c = &w.conns[conn];
	uint64_t order = 0;

	if (r->op == MESSAGE_ACK) {
		message_ranges(r->value, m_session_ack, &c->session);
		return;
	}
	if (c->session >= SESSIONS || !resend(conn, c->session, r, &order))
		execute(conn, r, order);
	if (!c->first_n)
		c->first_n = r->n;
	c->last_n = r->n;
}
