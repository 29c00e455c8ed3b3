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

static void gone(struct m_tuple *t, const char *kind)
{
	if (!m_space(t->space)->dropped)
		m_watch_note(kind, t->space, t);
	end(t);
	t->used = false;
	m_space_touch(t->space);
}

void m_claim_done(struct m_tuple *t)
{
	gone(t, "done");
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
	m_time_forget(t);
	m_watch_note("put", dead, t);
	m_tuple_appear(t);
	w.totals.buried++;
	return true;
}

void m_claim_back(struct m_tuple *t, bool undone, uint64_t delay_ms)
{
	const struct m_space *s = m_space(t->space);

	if (s->dropped || m_time_over(t)) {
		gone(t, "expire");
		return;
	}
	if (!undone && s->tries && t->tries >= s->tries && m_claim_bury(t))
		return;
	t->tries -= undone;
	if (delay_ms == 0)
		m_watch_note("back", t->space, t);
	end(t);
	if (delay_ms > 0)
		m_time_delay(t, delay_ms);
	else
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
		m_claim_back(first, false, 0);
	}
}
