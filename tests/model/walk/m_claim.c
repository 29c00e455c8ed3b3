/* Claims, and the clock of leases. */
#include "world.h"

void m_claim_lease(struct m_tuple *t, uint64_t ms)
{
	t->over = w.now.lease + ms;
	t->turn = ++w.now.turns;
}

int m_claim_room(int session)
{
	int room = w.most_claims;

	for (int i = 0; i < TUPLES; i++)
		room -= w.now.tuples[i].used && w.now.tuples[i].token &&
		        w.now.tuples[i].session == session;
	return room;
}

/* The claim ends; the outcome of its take goes with the last. */
static void end(struct m_tuple *t)
{
	struct m_tuple *left[TUPLES];
	uint64_t n = t->n;

	if (!m_space(t->space)->is_volatile)
		w.now.claim_batch[t->session] = w.open_batch;
	t->taken = false;
	t->token = t->n = 0;
	if (n && m_outcome_taken(t->session, n, left) == 0)
		m_outcome_find(t->session, n)->used = false;
}

void m_claim_done(struct m_tuple *t)
{
	if (!m_space(t->space)->dropped)
		m_watch_note("done", t->space, t);
	end(t);
	t->used = false;
	m_space_touch(t->space);
}

bool m_claim_bury(struct m_tuple *t)
{
	int code, dead = m_space(t->space)->dropped ? -1 : m_space_dead(t->space, false, &code);

	if (dead < 0)
		return false;
	m_watch_note("bury", t->space, t);
	end(t);
	m_space_touch(t->space);
	t->space = dead;
	m_watch_note("put", dead, t);
	m_tuple_appear(t);
	w.totals.buried++;
	return true;
}

void m_claim_back(struct m_tuple *t, bool undone)
{
	const struct m_space *s = m_space(t->space);

	if (s->dropped) {
		m_claim_done(t);
		return;
	}
	if (!undone && s->tries && t->tries >= s->tries && m_claim_bury(t))
		return;
	t->tries -= undone;
	m_watch_note("back", t->space, t);
	end(t);
	m_tuple_appear(t);
}

struct m_tuple *m_claim_find(int session, uint64_t token)
{
	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->token && t->token == token && t->session == session &&
		    t->over > w.now.lease)
			return t;
	}
	return NULL;
}

struct m_tuple *m_claim_first(int session)
{
	struct m_tuple *first = NULL;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->token && t->session == session &&
		    (!first || t->token < first->token))
			first = t;
	}
	return first;
}

bool m_claim_overdue(int space)
{
	for (int i = 0; i < TUPLES; i++) {
		const struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->token && t->space == space && t->over <= w.now.lease)
			return true;
	}
	return false;
}

void m_claim_expire(void)
{
	for (;;) {
		struct m_tuple *first = NULL;

		for (int i = 0; i < TUPLES; i++) {
			struct m_tuple *t = &w.now.tuples[i];

			if (t->used && t->token &&
			    (w.expiries < w.most_expiries || m_space(t->space)->is_volatile) &&
			    (!first || t->over < first->over ||
			     (t->over == first->over && t->turn < first->turn)))
				first = t;
		}
		if (!first || first->over > w.now.lease)
			return;
		w.expiries += !m_space(first->space)->is_volatile && first->session < SESSIONS;
		w.totals.expired++;
		m_claim_back(first, false);
	}
}
