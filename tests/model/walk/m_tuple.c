/* Tuples, and who is served when one appears. */
#include "../../../libclient/formal.h"
#include "world.h"

#include <stdlib.h>

bool m_tuple_matches(const uint8_t *template, const struct m_tuple *t)
{
	return *template == ITEM_NULL || formal_match(template, t->bytes);
}

bool m_tuple_exists(const struct m_tuple *t)
{
	return t->used && (!t->taken || t->token);
}

uint64_t m_tuple_put(int space, struct bytes item)
{
	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];
		uint64_t id = w.now.next_id;

		if (t->used)
			continue;
		w.now.next_id++;
		CHECK(item.n <= sizeof t->bytes);
		*t = (struct m_tuple){
			.used = true, .space = space, .id = id, .len = (uint8_t)item.n};
		memcpy(t->bytes, item.p, item.n);
		m_watch_note("put", space, t);
		m_tuple_appear(t);
		return id;
	}
	test_fail(__FILE__, __LINE__, "the model is out of tuples");
}

void m_tuple_appear(struct m_tuple *t)
{
	struct m_waiter *taker = NULL;

	t->taken = false;
	t->token = 0;
	m_space_touch(t->space);
	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];

		if (!one->used || !one->in || one->space != t->space ||
		    (one->op != MESSAGE_IN && one->op != MESSAGE_RD) ||
		    !m_tuple_matches(one->bytes, t))
			continue;
		if (one->op == MESSAGE_IN) {
			taker = !taker || one->order < taker->order ? one : taker;
		} else if (t->id > one->after) {
			expect_tuples(one->session, one->n, t->space, &t, 1);
			m_waiter_end(one);
			w.totals.served++;
		}
	}
	if (!taker)
		return;
	if (taker->lease && m_claim_room(taker->session) == 0) {
		expect_code(m_session_conn(taker->session), taker->n, ERROR_LIMIT);
		m_waiter_end(taker);
		m_tuple_appear(t);
		return;
	}
	m_take_give(&t, 1, taker->session, taker->n, t->space, taker->lease);
	m_waiter_end(taker);
	w.totals.served++;
}

int m_tuple_by_id(const void *a, const void *b)
{
	uint64_t x = (*(struct m_tuple *const *)a)->id, y = (*(struct m_tuple *const *)b)->id;

	return x < y ? -1 : x > y;
}

int m_tuple_scan(int space, const uint8_t *template, uint64_t after, bool hidden,
                struct m_tuple **found)
{
	int count = 0;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && (hidden ? m_tuple_exists(t) : !t->taken) && t->space == space &&
		    t->id > after && m_tuple_matches(template, t))
			found[count++] = t;
	}
	qsort(found, (size_t)count, sizeof *found, m_tuple_by_id);
	return count;
}
