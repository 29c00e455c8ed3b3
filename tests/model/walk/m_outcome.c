/* What changed something is kept until it is acknowledged. */
#include "world.h"

#include <stdlib.h>

struct m_outcome *m_outcome_find(int session, uint64_t n)
{
	for (int i = 0; i < OUTCOMES; i++)
		if (w.now.outcomes[i].used && w.now.outcomes[i].session == session &&
		    w.now.outcomes[i].n == n)
			return &w.now.outcomes[i];
	return NULL;
}

static struct m_outcome *new_outcome(int session, uint64_t n, int space)
{
	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];

		if (o->used)
			continue;
		*o = (struct m_outcome){.used = true, .answered = true, .session = session,
		                        .space = space, .n = n};
		return o;
	}
	test_fail(__FILE__, __LINE__, "the model is out of outcomes");
}

void m_outcome_take(int session, uint64_t n, int space)
{
	struct m_outcome *o = new_outcome(session, n, space);

	o->take = true;
	o->durable = !m_space(space)->is_volatile;
}

void m_outcome_result(int conn, int session, uint64_t n, bool durable, struct buf *result)
{
	if (session < SESSIONS) {
		struct m_outcome *o = new_outcome(session, n, -1);

		CHECK(result->len <= sizeof o->result);
		o->durable = durable;
		memcpy(o->result, result->data, result->len);
		o->len = (uint8_t)result->len;
	}
	expect_result(conn, n, durable ? w.open_batch : 0, result);
}

static int by_place(const void *a, const void *b)
{
	const struct m_tuple *x = *(struct m_tuple *const *)a, *y = *(struct m_tuple *const *)b;

	return x->place != y->place ? (x->place < y->place ? -1 : 1) : x->id < y->id ? -1 : 1;
}

int m_outcome_taken(int session, uint64_t n, struct m_tuple **found)
{
	int count = 0;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->taken && t->session == session && t->n == n)
			found[count++] = t;
	}
	qsort(found, (size_t)count, sizeof *found, by_place);
	return count;
}

void m_outcome_free(struct m_outcome *o)
{
	struct m_tuple *t[TUPLES];
	int count = o->take ? m_outcome_taken(o->session, o->n, t) : 0;

	for (int i = 0; i < count; i++) {
		t[i]->used = t[i]->token != 0;
		t[i]->n = 0;
	}
	if (count > 0 && o->session < SESSIONS && !t[0]->used)
		m_space_touch(o->space);
	o->used = false;
}

static void give_back(struct m_tuple *t, bool died, bool cancelled)
{
	if (t->token) {
		m_claim_back(t, cancelled, 0);
	} else if (m_space(t->space)->dropped || m_time_over(t)) {
		if (!m_space(t->space)->dropped)
			m_watch_note("expire", t->space, t);
		t->used = false;
	} else {
		t->tries += died;
		m_watch_note("back", t->space, t);
		m_tuple_appear(t);
	}
}

void m_outcome_undo(struct m_outcome *o, bool died, bool cancelled)
{
	struct m_tuple *back[TUPLES];
	int count = m_outcome_taken(o->session, o->n, back);

	o->used = false;
	for (int i = 0; i < count; i++)
		back[i]->n = 0;
	for (int i = 0; i < count; i++)
		give_back(back[i], died, cancelled);
	w.totals.undone += (unsigned)count;
}

void m_outcome_answer(int conn, struct m_outcome *o)
{
	struct m_tuple *t[TUPLES];
	struct buf b = BUF_INIT;

	o->answered = true;
	if (o->take) {
		expect_tuples(o->session, o->n, o->space, t, m_outcome_taken(o->session, o->n, t));
		return;
	}
	buf_append(&b, o->result, o->len);
	expect_result(conn, o->n, 0, &b);
}
