/* out and outs. */
#include "world.h"

/* Whether what `unless` names is there. */
static bool is_there(const struct request *r, int space)
{
	struct m_tuple *found[TUPLES];

	if (!request_has(r, OPTION_UNLESS))
		return false;
	return m_tuple_scan(space, r->option[OPTION_UNLESS].s.p, 0, !m_visible_only(r), found) > 0;
}

static struct message_put put_options(const struct request *r)
{
	struct message_put how = {
		.bound = request_has(r, OPTION_BOUND) && r->option[OPTION_BOUND].u,
	};

	if (request_has(r, OPTION_TTL))
		how.ttl_ms = r->option[OPTION_TTL].u;
	if (request_has(r, OPTION_DELAY))
		how.delay_ms = r->option[OPTION_DELAY].u;
	return how;
}

static void put_list(const struct request *r, int session, int space, struct buf *b)
{
	struct message_put how = put_options(r);
	struct item_head h;
	const uint8_t *p = item_head(r->value.p, &h);

	item_put_head(b, ITEM_ARRAY, h.arg);
	for (; h.arg > 0; h.arg--, p = item_skip(p))
		item_put_uint(b, m_tuple_put(session, space, item_bytes(p), &how));
}

static int judge(const struct request *r, int space, uint64_t *batch)
{
	struct m_room room = {.count = 0};
	struct item_head h;
	const uint8_t *p;

	if (r->op == MESSAGE_OUT)
		m_room_put(&room, space, r->value);
	else
		for (p = item_head(r->value.p, &h); h.arg > 0; h.arg--, p = item_skip(p))
			m_room_put(&room, space, item_bytes(p));
	m_room_judge(&room);
	*batch = room.batch;
	return room.code;
}

/* Whether one that waits for room stands in the space, and is older. */
static bool is_behind(int space, uint64_t order)
{
	for (int i = 0; i < WAITERS; i++) {
		const struct m_waiter *one = &w.now.waiters[i];

		if (one->used && one->in && one->space == space && one->order < order &&
		    (one->op == MESSAGE_OUT || one->op == MESSAGE_OUTS))
			return true;
	}
	return false;
}

/* False: it is to wait for room, and nothing is answered. */
static bool try(int conn, int session, const struct request *r, int space, bool waits,
                uint64_t order)
{
	struct message_put how = put_options(r);
	struct buf b = BUF_INIT;
	uint64_t batch;
	int code;

	if (is_there(r, space)) {
		item_put_null(&b);
		expect_result(conn, r->n, m_space_batch(space), &b);
		w.totals.unless++;
		return true;
	}
	code = judge(r, space, &batch);
	if (waits && (code == ERROR_FULL || (code == 0 && is_behind(space, order))))
		return false;
	if (code) {
		expect_code_at(conn, r->n, batch, code);
		return true;
	}
	if (r->op == MESSAGE_OUT)
		item_put_uint(&b, m_tuple_put(session, space, r->value, &how));
	else
		put_list(r, session, space, &b);
	m_space_touch(space);
	m_outcome_result(conn, session, r->n, !m_space(space)->is_volatile, &b);
	return true;
}

void m_put(int conn, int session, const struct request *r, int space, uint64_t order)
{
	bool waits = request_has(r, OPTION_ROOM) && r->option[OPTION_ROOM].u &&
	             !(request_has(r, OPTION_TIMEOUT) && r->option[OPTION_TIMEOUT].u == 0);

	if (!try(conn, session, r, space, waits, UINT64_MAX))
		m_waiter_new(session, r, space, order);
}

bool m_put_retry(struct m_waiter *one)
{
	struct buf scratch = BUF_INIT;
	struct request r;
	bool done;

	m_waiter_request(one, &r, &scratch);
	done = !is_behind(one->space, one->order) &&
	       try(m_session_conn(one->session), one->session, &r, one->space, true, one->order);
	if (done)
		m_waiter_end(one);
	w.totals.roomed += done;
	buf_close(&scratch);
	return done;
}

bool m_put_ready(const struct m_waiter *one)
{
	struct buf scratch = BUF_INIT;
	struct request r;
	uint64_t batch;
	bool ready;

	m_waiter_request(one, &r, &scratch);
	ready = !is_behind(one->space, one->order) &&
	        (is_there(&r, one->space) || judge(&r, one->space, &batch) != ERROR_FULL);
	buf_close(&scratch);
	return ready;
}
