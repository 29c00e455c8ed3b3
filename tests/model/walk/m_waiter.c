/* Requests that wait. */
#include "../../../server/engine/state.h"
#include "world.h"

#include <stdlib.h>

static bool is_retried(enum message_op op)
{
	return op == MESSAGE_OUT || op == MESSAGE_OUTS || op == MESSAGE_ATOMIC;
}

void m_waiter_request(const struct m_waiter *one, struct request *r, struct buf *scratch)
{
	struct message_error err;

	CHECK_INT(message_decode((struct bytes){one->message, one->message_len}, scratch, r, &err),
	          0);
}

void m_waiter_new(int session, const struct request *r, int space, uint64_t order)
{
	struct m_waiter *one = NULL;

	for (int i = 0; i < WAITERS && !one; i++)
		one = w.now.waiters[i].used ? NULL : &w.now.waiters[i];
	CHECK(one);
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
		.order = order ? order : ++w.now.orders};
	if (is_retried(r->op)) {
		const struct driver_conn *c = &w.conns[m_session_conn(session)];

		one->message_len = (uint16_t)c->len;
		memcpy(one->message, c->message, c->len);
	} else {
		CHECK(r->value.n <= sizeof one->bytes);
		one->len = (uint8_t)r->value.n;
		memcpy(one->bytes, r->value.p, r->value.n);
	}
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

static uint64_t batch_of(const struct m_waiter *one)
{
	return one->space < 0 ? 0 : m_space_batch(one->space);
}

/* In vain: null to who waits for a number, no tuples to the others. */
static void expect_nothing(const struct m_waiter *one)
{
	int conn = m_session_conn(one->session);
	struct buf b = BUF_INIT;

	if (one->op == MESSAGE_OUT || one->op == MESSAGE_OUTS) {
		expect_code_at(conn, one->n, batch_of(one), ERROR_FULL);
		return;
	}
	if (one->op == MESSAGE_IN || one->op == MESSAGE_RD)
		item_put_head(&b, ITEM_ARRAY, 0);
	else
		item_put_null(&b);
	expect_result(conn, one->n, batch_of(one), &b);
}

/* Whether one who waits for a number, or for nothing to be left, has it. */
static bool is_counted(const struct m_waiter *one, uint64_t *count)
{
	struct m_tuple *found[TUPLES];
	bool all = one->op == MESSAGE_IN || one->all;

	if (one->op != MESSAGE_WAIT && !(one->op == MESSAGE_IN && one->drain))
		return false;
	*count = (uint64_t)m_tuple_scan(one->space, one->bytes, 0, all, found);
	return one->least ? *count >= one->least : *count == 0;
}

static void answer_count(struct m_waiter *one)
{
	uint64_t count;
	struct buf b = BUF_INIT;

	if (!is_counted(one, &count))
		test_fail(__FILE__, __LINE__,
		          "an answer to %llu though it waits for another number",
		          (unsigned long long)one->n);
	if (one->op == MESSAGE_IN) {
		expect_nothing(one);
	} else {
		item_put_uint(&b, count);
		expect_result(m_session_conn(one->session), one->n, batch_of(one), &b);
	}
	m_waiter_end(one);
	w.totals.counted++;
}

void m_waiter_counted(void)
{
	for (int i = 0; i < WAITERS; i++) {
		const struct m_waiter *one = &w.now.waiters[i];
		uint64_t count;

		/* What is overdue waits for the next batch, and the number for it. */
		if (one->used && one->in && one->space >= 0 && !m_space(one->space)->dropped &&
		    !m_time_overdue(one->space) && is_counted(one, &count))
			test_fail(__FILE__, __LINE__,
			          "%llu of session %d still waits: there are %llu",
			          (unsigned long long)one->n, one->session,
			          (unsigned long long)count);
	}
}

static bool is_late(const struct m_waiter *one)
{
	return one->used && one->deadline && one->deadline <= w.now_ms;
}

/* Where an atomic stands, and whether something is overdue there, is the engine's to
 * know: it is late when it says so. */
void m_waiter_expire(void)
{
	struct m_waiter *due[WAITERS];
	int count = 0;

	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];

		if (!is_late(one) || one->op == MESSAGE_ATOMIC)
			continue;
		if (m_time_overdue(one->space)) /* which waits for the next batch */
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

static bool is_gone(const struct m_waiter *one)
{
	return one->space < 0 ? one->gone : m_space(one->space)->dropped;
}

static bool says_gone(struct bytes rest)
{
	return rest.n > 0 && *rest.p == (ITEM_NINT << 5 | (-ERROR_NO_SPACE - 1));
}

static void end_gone(struct m_waiter *one)
{
	expect_code_at(m_session_conn(one->session), one->n, batch_of(one), ERROR_NO_SPACE);
	m_waiter_end(one);
}

void m_waiter_answered(int session, uint64_t n, struct bytes rest)
{
	struct m_waiter *one = m_waiter_find(session, n);
	bool empty = rest.n == 2 && rest.p[1] == ITEM_ARRAY << 5;
	bool done = true;

	if (one && one->op == MESSAGE_ATOMIC && is_late(one) && rest.p[1] == ITEM_NULL) {
		expect_nothing(one);
		m_waiter_end(one);
		return;
	}
	if (!one || !one->in)
		return;
	if (says_gone(rest) && is_gone(one))
		end_gone(one);
	else if (one->op == MESSAGE_OUT || one->op == MESSAGE_OUTS)
		done = m_put_retry(one);
	else if (one->op == MESSAGE_ATOMIC)
		done = m_atomic_retry(one, true);
	else if (one->op == MESSAGE_WAIT || (one->drain && empty))
		answer_count(one);
	if (!done)
		test_fail(__FILE__, __LINE__, "an answer to %llu though it must wait",
		          (unsigned long long)n);
}

void m_waiter_settled(void)
{
	for (int i = 0; i < WAITERS; i++) {
		const struct m_waiter *one = &w.now.waiters[i];
		bool ready = false;

		if (!one->used || !one->in)
			continue;
		if (one->op == MESSAGE_ATOMIC)
			ready = m_atomic_ready(one);
		else if (m_space(one->space)->dropped)
			ready = true;
		else if (one->op == MESSAGE_OUT || one->op == MESSAGE_OUTS)
			ready = m_put_ready(one);
		if (ready)
			test_fail(__FILE__, __LINE__, "%llu of session %d is forgotten",
			          (unsigned long long)one->n, one->session);
	}
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

/* A take or a read that is back in its place: served, or it waits on. */
static void serve(struct m_waiter *one)
{
	struct m_tuple *found[TUPLES];
	int n = m_tuple_scan(one->space, one->bytes, one->after, false, found);
	int room = one->lease ? m_claim_room(one->session) : MAX;

	n = n < one->max ? n : one->max;
	n = n < room ? n : room;
	if (n == 0)
		return;
	if (one->op == MESSAGE_IN)
		m_take_give(found, n, one->session, one->n, one->space, one->lease);
	else
		expect_tuples(one->session, one->n, one->space, found, n);
	m_waiter_end(one);
}

/* It was late while its session was away. */
static bool is_forgotten(const struct m_waiter *one)
{
	uint64_t number = w.now.sessions[one->session].number;

	return !waiter_find(session_numbered(w.engine, number), one->n) &&
	       expect_final(one->n).n == 0;
}

static void reenter(struct m_waiter *one)
{
	uint64_t count;

	if (one->op != MESSAGE_ATOMIC && m_space(one->space)->dropped) {
		end_gone(one);
		return;
	}
	if (one->op != MESSAGE_OUT && one->op != MESSAGE_OUTS &&
	    left_out(&w.now.sessions[one->session], one->n))
		return;
	if (one->op == MESSAGE_ATOMIC && is_late(one) && is_forgotten(one)) {
		one->used = false;
		return;
	}
	/* The space it stood under was dropped, whatever bears that name now. */
	if (one->op == MESSAGE_ATOMIC && one->gone && says_gone(expect_final(one->n))) {
		end_gone(one);
		return;
	}
	one->in = true;
	if (one->op == MESSAGE_ATOMIC)
		m_atomic_retry(one, false);
	else if (one->op == MESSAGE_IN || one->op == MESSAGE_RD)
		serve(one);
	/* At once: what comes behind it in this step may take what it counts. */
	if (one->used && is_counted(one, &count))
		answer_count(one);
}

void m_waiter_reenter(int session)
{
	struct m_waiter *list[WAITERS];
	int count = 0;

	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			list[count++] = &w.now.waiters[i];
	qsort(list, (size_t)count, sizeof *list, by_order);
	for (int i = 0; i < count; i++)
		reenter(list[i]);
}
