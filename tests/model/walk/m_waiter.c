/* Requests that wait. */
#include "../../../server/engine/state.h"
#include "world.h"

#include <stdlib.h>

void m_waiter_new(int session, const struct request *r, int space, uint64_t order)
{
	struct m_waiter *one = NULL;

	for (int i = 0; i < WAITERS && !one; i++)
		one = w.now.waiters[i].used ? NULL : &w.now.waiters[i];
	CHECK(one && r->value.n <= sizeof one->bytes);
	*one = (struct m_waiter){
		.used = true,
		.op = r->op,
		.drain = request_has(r, OPTION_DRAIN) && r->option[OPTION_DRAIN].u,
		.all = !m_visible_only(r),
		.least = bytes_equal(r->verb, bytes_of("eq")) ? 0 : r->number,
		.resent = true,
		.in = true,
		.space = space,
		.session = session,
		.n = r->n,
		.max = request_has(r, OPTION_MAX) ? (int)r->option[OPTION_MAX].u : 1,
		.after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : 0,
		.len = (uint8_t)r->value.n,
		.order = order ? order : ++w.now.orders};
	memcpy(one->bytes, r->value.p, r->value.n);
	one->lease = request_has(r, OPTION_LEASE) ? r->option[OPTION_LEASE].u : 0;
	if (request_has(r, OPTION_TIMEOUT))
		one->deadline = w.now_ms + r->option[OPTION_TIMEOUT].u;
}

struct m_waiter *m_waiter_find(int session, uint64_t n)
{
	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session &&
		    w.now.waiters[i].n == n)
			return &w.now.waiters[i];
	return NULL;
}

void m_waiter_end(struct m_waiter *one)
{
	if (one->session < SESSIONS && !one->resent && w.now.sessions[one->session].conn >= 0) {
		struct m_session *s = &w.now.sessions[one->session];

		s->early[s->earlies++] = one->n;
		CHECK(s->earlies < 64);
	}
	one->used = false;
}

/* In vain: null to who waits for a number, no tuples to the others. */
static void expect_nothing(const struct m_waiter *one)
{
	struct buf b = BUF_INIT;

	if (one->op == MESSAGE_WAIT)
		item_put_null(&b);
	else
		item_put_head(&b, ITEM_ARRAY, 0);
	expect_result(m_session_conn(one->session), one->n, m_space_batch(one->space), &b);
}

/* Answers one who waits for a number, or for nothing to be left, when it is so. */
static bool counted(struct m_waiter *one)
{
	struct m_tuple *found[TUPLES];
	bool all = one->op == MESSAGE_IN || one->all;
	uint64_t count = (uint64_t)m_tuple_scan(one->space, one->bytes, 0, all, found);
	struct buf b = BUF_INIT;

	if (one->op == MESSAGE_RD || (one->op == MESSAGE_IN && !one->drain) ||
	    (one->least ? count < one->least : count > 0))
		return false;
	if (one->op == MESSAGE_IN) {
		expect_nothing(one);
	} else {
		item_put_uint(&b, count);
		expect_result(m_session_conn(one->session), one->n, m_space_batch(one->space), &b);
	}
	m_waiter_end(one);
	w.totals.counted++;
	return true;
}

void m_waiter_count(void)
{
	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];

		/* What is overdue waits for the next batch, and the number for it. */
		if (one->used && one->in && !m_space(one->space)->dropped &&
		    !m_claim_overdue(one->space))
			counted(one);
	}
}

void m_waiter_expire(void)
{
	struct m_waiter *due[WAITERS];
	int count = 0;

	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];

		if (!one->used || !one->deadline || one->deadline > w.now_ms)
			continue;
		if (m_claim_overdue(one->space)) /* which waits for the next batch */
			one->deadline = w.now_ms + 1;
		else
			due[count++] = one;
	}
	for (int i = 0; i < count; i++) {
		int session = due[i]->session;

		if (session >= SESSIONS || w.now.sessions[session].conn >= 0)
			expect_nothing(due[i]);
		m_waiter_end(due[i]);
	}
}

static void expect_gone(const struct m_waiter *one)
{
	struct buf b = BUF_INIT;

	item_put_int(&b, ERROR_NO_SPACE);
	expect_item(m_session_conn(one->session), one->n, m_space_batch(one->space), &b);
}

void m_waiter_dropped(int session, uint64_t n)
{
	struct m_waiter *one = m_waiter_find(session, n);

	if (!one || !one->in || !m_space(one->space)->dropped)
		return;
	expect_gone(one);
	m_waiter_end(one);
}

void m_waiter_settled(void)
{
	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].in)
			CHECK(!m_space(w.now.waiters[i].space)->dropped);
}

static int by_order(const void *a, const void *b)
{
	uint64_t x = (*(struct m_waiter *const *)a)->order,
		 y = (*(struct m_waiter *const *)b)->order;

	return x < y ? -1 : x > y;
}

/* Which waiters of the session the engine could not put back without work. */
static bool left_out(const struct m_session *s, uint64_t n)
{
	struct waiter *one = waiter_find(session_numbered(w.engine, s->number), n);

	return one && !one->key;
}

void m_waiter_reenter(int session)
{
	struct m_waiter *list[WAITERS];
	int count = 0;

	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			list[count++] = &w.now.waiters[i];
	qsort(list, (size_t)count, sizeof *list, by_order);
	for (int i = 0; i < count; i++) {
		struct m_waiter *one = list[i];
		struct m_tuple *found[TUPLES];
		int n = m_tuple_scan(one->space, one->bytes, one->after, false, found);
		int room = one->lease ? m_claim_room(session) : MAX;

		if (m_space(one->space)->dropped) {
			expect_gone(one);
			m_waiter_end(one);
			continue;
		}
		if (left_out(&w.now.sessions[session], one->n))
			continue;
		one->in = true;
		n = n < one->max ? n : one->max;
		n = n < room ? n : room;
		if (n == 0 || one->op == MESSAGE_WAIT)
			continue; /* m_waiter_count() looks at numbers */
		if (one->op == MESSAGE_IN)
			m_take_give(found, n, session, one->n, one->space, one->lease);
		else
			expect_tuples(session, one->n, one->space, found, n);
		m_waiter_end(one);
	}
}
