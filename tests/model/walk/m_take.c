/* in, rd and count. */
#include "world.h"

void m_take_give(struct m_tuple **t, int count, int session, uint64_t n, int space, uint64_t ms)
{
	m_outcome_take(session, n, space);
	for (int i = 0; i < count; i++)
		m_watch_note(ms ? "claim" : "take", space, t[i]);
	for (int i = 0; i < count; i++) {
		t[i]->taken = true;
		t[i]->session = session;
		t[i]->n = n;
		t[i]->place = (unsigned)i;
		if (ms == 0)
			continue;
		t[i]->token = w.now.next_id++;
		t[i]->lease = ms;
		t[i]->tries++;
		m_claim_lease(t[i], ms);
	}
	m_space_touch(space);
	expect_tuples(session, n, space, t, count);
}

/* How many tuples the engine's reply to request n holds. */
static int replied(uint64_t n)
{
	struct item_head h = {.arg = 0};
	struct bytes rest = expect_final(n);

	if (rest.n > 0 && *rest.p == 0)
		item_head(rest.p + 1, &h);
	return (int)h.arg;
}

static bool may_wait(const struct request *r)
{
	return !request_has(r, OPTION_TIMEOUT) || r->option[OPTION_TIMEOUT].u > 0;
}

static bool is_drained(const struct request *r, int space)
{
	struct m_tuple *found[TUPLES];

	return request_has(r, OPTION_DRAIN) && r->option[OPTION_DRAIN].u &&
	       m_tuple_scan(space, r->value.p, 0, true, found) == 0;
}

void m_take(int session, const struct request *r, int space, uint64_t order)
{
	struct m_tuple *found[TUPLES];
	uint64_t after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : 0;
	int max = request_has(r, OPTION_MAX) ? (int)r->option[OPTION_MAX].u : 1;
	uint64_t ms = request_has(r, OPTION_LEASE) ? r->option[OPTION_LEASE].u : 0;
	int room = ms ? m_claim_room(session) : MAX;
	int count = m_tuple_scan(space, r->value.p, after, false, found);

	if (room == 0) {
		expect_code(m_session_conn(session), r->n, ERROR_LIMIT);
		return;
	}
	max = max < room ? max : room;
	count = count < max ? count : max;
	/* A walk may give fewer than there are, the oldest, when some vanished under it. */
	if (w.walked && replied(r->n) > 0 && replied(r->n) < count)
		count = replied(r->n);
	if (count > 0 && r->op == MESSAGE_IN)
		m_take_give(found, count, session, r->n, space, ms);
	else if (count > 0 || !may_wait(r) || is_drained(r, space))
		expect_tuples(session, r->n, space, found, count);
	else
		m_waiter_new(session, r, space, order);
}

void m_take_count(int conn, const struct request *r, int space)
{
	struct m_tuple *found[TUPLES];
	struct buf b = BUF_INIT;

	item_put_uint(&b, (uint64_t)m_tuple_scan(space, r->value.p, 0, !m_visible_only(r), found));
	expect_result(conn, r->n, m_space_batch(space), &b);
}

void m_take_wait(int conn, const struct request *r, int space, uint64_t order)
{
	uint64_t least = bytes_equal(r->verb, bytes_of("eq")) ? 0 : r->number;
	struct m_tuple *found[TUPLES];
	uint64_t count = (uint64_t)m_tuple_scan(space, r->value.p, 0, !m_visible_only(r), found);
	struct buf b = BUF_INIT;

	if (least ? count >= least : count == 0 || bytes_equal(r->verb, bytes_of("ge")))
		item_put_uint(&b, count);
	else if (!may_wait(r))
		item_put_null(&b);
	if (b.len > 0)
		expect_result(conn, r->n, m_space_batch(space), &b);
	else
		m_waiter_new(w.conns[conn].session, r, space, order);
}
