/* Sessions: detached, over, acknowledging. */
#include "world.h"

#include <stdlib.h>

int m_session_conn(int session)
{
	return session >= SESSIONS ? session - SESSIONS : w.now.sessions[session].conn;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = (*(struct m_outcome *const *)a)->n, y = (*(struct m_outcome *const *)b)->n;

	return x < y ? -1 : x > y;
}

void m_session_end(int session, bool died)
{
	struct m_outcome *list[OUTCOMES];
	struct m_tuple *t;
	int count = 0;

	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			w.now.waiters[i].used = false;
	for (int i = 0; i < OUTCOMES; i++)
		if (w.now.outcomes[i].used && w.now.outcomes[i].session == session)
			list[count++] = &w.now.outcomes[i];
	qsort(list, (size_t)count, sizeof *list, by_number);
	if (session < SESSIONS)
		w.now.sessions[session].used = false;
	m_time_release(session);
	for (int i = 0; i < count; i++) {
		if (list[i]->take)
			m_outcome_undo(list[i], died, false);
		else
			list[i]->used = false;
	}
	while ((t = m_claim_first(session)))
		m_claim_back(t, false, 0);
	w.now.claim_batch[session] = 0; /* of the next one */
}

void m_session_detach(int session)
{
	struct m_session *s;

	if (session >= SESSIONS) {
		m_session_end(session, false);
		return;
	}
	s = &w.now.sessions[session];
	s->conn = -1;
	s->over = w.now.lease + s->grace;
	s->turn = ++w.now.turns;
	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			w.now.waiters[i].in = w.now.waiters[i].resent = false;
}

void m_session_expire(void)
{
	struct m_session *all = w.now.sessions;

	for (;;) {
		int first = -1;

		for (int i = 0; i < SESSIONS; i++) {
			const struct m_session *s = &all[i];

			if (s->used && s->conn < 0 && s->over <= w.now.lease &&
			    (first < 0 || s->over < all[first].over ||
			     (s->over == all[first].over && s->turn < all[first].turn)))
				first = i;
		}
		if (first < 0)
			return;
		m_session_end(first, true);
	}
}

void m_session_ack(uint64_t from, uint64_t to, void *ctx)
{
	struct m_outcome *list[OUTCOMES];
	int session = *(int *)ctx, count = 0;

	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];

		if (o->used && o->session == session && o->n >= from && o->n <= to)
			list[count++] = o;
	}
	for (int i = 0; i < count; i++)
		m_outcome_free(list[i]);
}

void m_session_bye(int conn, int session, uint64_t n)
{
	struct buf b = BUF_INIT;

	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			expect_code(conn, w.now.waiters[i].n, ERROR_CANCELLED);
	m_watch_cancel_all(conn, true);
	m_session_ack(0, UINT64_MAX, &session);
	m_session_end(session, false);
	item_put_null(&b);
	expect_result(conn, n, session < SESSIONS ? w.open_batch : 0, &b);
	w.conns[conn].session = SESSIONS + conn;
	w.clients[SESSIONS + conn].count = 0;
	w.clients[SESSIONS + conn].next_n = n;
	w.totals.byes++;
}
