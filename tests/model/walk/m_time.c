/* What the wall clock does to tuples: they become due and expire; and what goes with
 * the session it is bound to. */
#include "world.h"

bool m_time_over(const struct m_tuple *t)
{
	return t->orphan || (t->expires && t->expires <= w.wall_ms);
}

void m_time_put(struct m_tuple *t, int session, const struct message_put *how)
{
	t->due = how->delay_ms ? w.wall_ms + how->delay_ms : 0;
	t->expires = how->ttl_ms ? w.wall_ms + how->ttl_ms : 0;
	t->delayed = t->due > 0;
	t->moment = ++w.now.turns;
	t->bound = how->bound;
	t->binder = session;
}

void m_time_delay(struct m_tuple *t, uint64_t ms)
{
	t->delayed = true;
	t->due = w.wall_ms + ms;
	t->moment = ++w.now.turns;
}

void m_time_forget(struct m_tuple *t)
{
	t->due = t->expires = 0;
	t->bound = t->orphan = false;
}

/* When something happens to it; 0: nothing will. */
static uint64_t moment_of(const struct m_tuple *t)
{
	uint64_t at = t->delayed ? t->due : 0;

	if (!t->used || t->taken || m_space(t->space)->dropped)
		return 0;
	return t->expires && (!at || t->expires < at) ? t->expires : at;
}

bool m_time_overdue(int space)
{
	for (int i = 0; i < TUPLES; i++) {
		const struct m_tuple *t = &w.now.tuples[i];
		uint64_t at = moment_of(t);

		if (t->space == space && at && at <= w.wall_ms)
			return true;
		if (t->used && t->token && t->space == space && t->over <= w.now.lease)
			return true;
	}
	return false;
}

/* Nobody has it. Of one that was never seen nobody is told. */
static void expire(struct m_tuple *t)
{
	if (!t->delayed || t->tries > 0)
		m_watch_note("expire", t->space, t);
	m_space_touch(t->space);
	t->used = false;
}

static void become_due(struct m_tuple *t)
{
	t->delayed = false;
	m_watch_note(t->tries > 0 ? "back" : "put", t->space, t);
	m_tuple_appear(t);
	w.totals.due++;
}

/* The first that is to be settled, if it may be in this batch. */
static struct m_tuple *first(void)
{
	struct m_tuple *first = NULL;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];
		uint64_t at = moment_of(t), best = first ? moment_of(first) : 0;

		if (!at || at > w.wall_ms ||
		    (w.expiries >= w.most_expiries && !m_space(t->space)->is_volatile))
			continue;
		if (!first || at < best || (at == best && t->moment < first->moment))
			first = t;
	}
	return first;
}

void m_time_settle(void)
{
	struct m_tuple *t;

	m_claim_expire();
	while ((t = first())) {
		if (!m_time_over(t)) {
			become_due(t);
			continue;
		}
		w.expiries += !m_space(t->space)->is_volatile;
		w.totals.lapsed++;
		expire(t);
	}
}

/* By their ids, as they were put. */
static struct m_tuple *next_bound(int session)
{
	struct m_tuple *next = NULL;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->bound && t->binder == session && (!next || t->id < next->id))
			next = t;
	}
	return next;
}

void m_time_release(int session)
{
	struct m_tuple *t;

	while ((t = next_bound(session))) {
		t->bound = false;
		t->orphan = true;
		if (t->taken || m_space(t->space)->dropped)
			continue;
		expire(t);
		w.totals.unbound++;
	}
}

void m_time_recover(struct m_tuple *t)
{
	if (t->delayed && t->due <= w.wall_ms)
		t->delayed = false;
	t->moment = t->id;
	if (t->bound && t->binder >= SESSIONS) {
		t->bound = false;
		t->orphan = true;
	}
	t->used = t->taken || !t->orphan;
}
