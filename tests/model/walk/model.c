/* Time, and what a crash leaves. */
#include "world.h"

void m_expire(void)
{
	m_time_settle();
	m_session_expire();
	m_waiter_expire();
}

void m_recover(const struct model *kept)
{
	w.now = *kept;
	w.now.lease = 0;
	memset(w.now.waiters, 0, sizeof w.now.waiters);
	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		t->used = t->used && !m_space(t->space)->is_volatile &&
		          !(t->taken && t->session >= SESSIONS && !t->token);
		t->place = 0; /* rows come by id */
		if (!t->used || !t->token)
			continue;
		if (t->session >= SESSIONS) {
			t->used = !m_space(t->space)->dropped;
			t->taken = false;
			t->token = 0;
		}
		t->over = t->lease; /* again in full */
		t->turn = t->id;    /* rows come by id */
	}
	for (int i = 0; i < TUPLES; i++)
		if (w.now.tuples[i].used)
			m_time_recover(&w.now.tuples[i]);
	w.now.turns = w.now.next_id + 1;
	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];

		o->used = o->used && o->session < SESSIONS && o->durable;
	}
	for (int i = 0; i < SPACES; i++)
		m_space(i)->last_batch = 0;
	memset(w.now.claim_batch, 0, sizeof w.now.claim_batch);
	for (int i = 0; i < SESSIONS; i++) {
		w.now.sessions[i].conn = -1;
		w.now.sessions[i].over = w.now.sessions[i].grace;
		w.now.sessions[i].turn = w.now.sessions[i].number; /* rows come by number */
		w.now.sessions[i].earlies = 0;
	}
}
