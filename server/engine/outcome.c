/* Outcomes: what a session's executed requests changed, until acknowledged.
 * A put's or a commit's outcome is its result; a take's is the tuples themselves,
 * which belong to it and stand in no index; a leased take's is its open claims. In
 * a durable space a take's outcome is kept by the tuples' own rows (owner and
 * number), a put's by one row for each session and batch (struct group). */
#include "state.h"

#include <assert.h>

#define OUTCOME_COST 64 /* bytes counted for an outcome, and for each tuple it holds */

bool outcome_room(const struct engine *e, const struct session *s)
{
	if (s->number == 0) /* bounded by what its connection may have unsent */
		return true;
	return s->outcomes.count < e->config.limits.outcomes &&
	       s->outcome_bytes < e->config.limits.outcome_bytes;
}

static struct outcome *outcome_new(struct engine *e, struct session *s, uint64_t n)
{
	struct outcome *o = xcalloc(1, sizeof *o);

	o->n = n;
	o->attach = s->attach;
	o->cost = OUTCOME_COST;
	list_init(&o->claims);
	seq_insert(&s->outcomes, o);
	e->outcomes++;
	return o;
}

static void group_join(struct session *s, uint64_t batch)
{
	struct group *g = seq_find(&s->groups, batch);

	if (!g) {
		g = xcalloc(1, sizeof *g);
		g->batch = batch;
		seq_insert(&s->groups, g);
	}
	g->live++;
}

static void group_leave(struct engine *e, struct session *s, uint64_t batch)
{
	struct group *g = seq_find(&s->groups, batch);
	struct change *c;

	assert(g && g->live > 0);
	if (--g->live > 0)
		return;
	c = reply_change(e, CHANGE_OUTCOME_FREE);
	c->session = s->number;
	c->batch = batch;
	seq_remove(&s->groups, batch);
	xfree(g);
}

static void result_keep(struct outcome *o, struct session *s, struct bytes result)
{
	uint8_t *copy = xmalloc(result.n);

	memcpy(copy, result.p, result.n);
	o->result = (struct bytes){copy, result.n};
	o->cost += (uint32_t)result.n;
	s->outcome_bytes += o->cost;
}

void outcome_result(struct engine *e, struct session *s, uint64_t n, bool durable,
                    struct bytes result)
{
	struct outcome *o;
	struct change *c;

	if (s->number == 0)
		return;
	o = outcome_new(e, s, n);
	result_keep(o, s, result);
	if (!durable)
		return;
	o->batch = e->batch;
	group_join(s, o->batch);
	c = reply_change(e, CHANGE_OUTCOME);
	c->session = s->number;
	c->number = n;
	c->batch = o->batch;
	c->bytes = o->result;
}

static void taken_add(struct outcome *o, struct session *s, struct tuple *t)
{
	uint32_t cost = OUTCOME_COST + t->size;

	if (o->count == 0) {
		o->taken = &o->one;
	} else if (o->taken == &o->one) {
		o->taken = xmalloc(2 * sizeof *o->taken);
		o->taken[0] = o->one;
	} else if ((o->count & (o->count - 1)) == 0) {
		o->taken = xrealloc(o->taken, 2 * (size_t)o->count * sizeof *o->taken);
	}
	o->taken[o->count++] = t;
	o->cost += cost;
	s->outcome_bytes += cost;
}

struct outcome *outcome_take(struct engine *e, struct session *s, uint64_t n, struct space *sp)
{
	struct outcome *o = outcome_new(e, s, n);

	o->space = sp;
	sp->refs++;
	s->outcome_bytes += o->cost;
	return o;
}

void outcome_taken(struct engine *e, struct session *s, uint64_t n, struct space *sp,
                   struct tuple **t, uint32_t count)
{
	struct outcome *o = outcome_take(e, s, n, sp);

	for (uint32_t i = 0; i < count; i++)
		taken_add(o, s, t[i]);
	e->taken += count;
}

/* Takes it from its session and frees it; what it held is the caller's. */
static void outcome_end(struct engine *e, struct session *s, struct outcome *o)
{
	seq_remove(&s->outcomes, o->n);
	s->outcome_bytes -= o->cost;
	e->outcomes--;
	if (o->taken)
		e->taken -= o->count;
	if (o->space)
		space_unref(e, o->space);
	if (o->taken != &o->one)
		xfree(o->taken);
	xfree((void *)(uintptr_t)o->result.p);
	xfree(o);
}

void outcome_join(struct outcome *o, struct claim *c)
{
	uint32_t cost = OUTCOME_COST + c->tuple->size;

	c->outcome = o;
	list_append(&o->claims, &c->link);
	o->count++;
	o->cost += cost;
	c->session->outcome_bytes += cost;
}

void outcome_leave(struct engine *e, struct claim *c)
{
	struct outcome *o = c->outcome;
	uint32_t cost = OUTCOME_COST + c->tuple->size;

	c->outcome = NULL;
	list_remove(&c->link);
	o->cost -= cost;
	c->session->outcome_bytes -= cost;
	if (--o->count == 0)
		outcome_end(e, c->session, o);
}

void outcome_free(struct engine *e, struct session *s, struct outcome *o)
{
	bool rows = o->taken && !o->space->is_volatile && s->number != 0;
	struct claim *c;

	if (!list_empty(&o->claims)) {
		for (uint32_t left = o->count; left > 0; left--) {
			c = list_entry(list_first(&o->claims), struct claim, link);
			outcome_leave(e, c); /* the last one ends the outcome */
			claim_acknowledge(e, c);
		}
		return;
	}
	for (uint32_t i = 0; i < o->count; i++) {
		if (rows)
			reply_delete(e, o->space, o->taken[i]);
		engine_bury(e, o->taken[i]);
	}
	if (o->batch)
		group_leave(e, s, o->batch);
	outcome_end(e, s, o);
}

/* Puts one tuple back: its row says so before any waiter takes it again. */
static void give_back(struct engine *e, struct session *s, struct space *sp, struct tuple *t,
                      bool died)
{
	struct change *c;

	if (sp->dropped || timed_over(e, t)) {
		ring_note(e, sp, RING_EXPIRE, t);
		if (!sp->is_volatile && s->number != 0)
			reply_delete(e, sp, t);
		engine_bury(e, t);
		return;
	}
	if (died && t->tries < UINT8_MAX)
		t->tries++;
	if (!sp->is_volatile) {
		c = reply_change(e, s->number ? CHANGE_STATE : CHANGE_PUT);
		c->space = sp->number;
		c->id = t->id;
		c->bytes = tuple_bytes(t);
		c->tries = t->tries;
		if (!s->number)
			timed_row(e, t, c);
	}
	ring_note(e, sp, RING_BACK, t);
	space_appear(e, sp, t);
}

/* Each claim leaves first, and the last one ends the outcome: what comes back may
 * be taken again at once, by the same session. */
static void undo_claims(struct engine *e, struct outcome *o, bool undone)
{
	for (uint32_t left = o->count; left > 0; left--) {
		struct claim *c = list_entry(list_first(&o->claims), struct claim, link);

		outcome_leave(e, c);
		claim_back(e, c, undone, 0);
	}
}

uint32_t outcome_undo(struct engine *e, struct session *s, struct outcome *o, enum undo why)
{
	uint32_t count = o->count;

	if (!list_empty(&o->claims)) {
		undo_claims(e, o, why == UNDO_CANCEL);
		return count;
	}
	for (uint32_t i = 0; i < count; i++)
		give_back(e, s, o->space, o->taken[i], why == UNDO_DEATH);
	outcome_end(e, s, o);
	return count;
}

void outcome_restore_result(struct engine *e, struct session *s, const struct change *c)
{
	struct outcome *o = seq_find(&s->outcomes, c->number);

	if (o)
		return;
	o = outcome_new(e, s, c->number);
	result_keep(o, s, c->bytes);
	o->batch = c->batch;
	group_join(s, c->batch);
}

void outcome_restore_taken(struct engine *e, struct session *s, struct space *sp,
                           const struct change *c, struct tuple *t)
{
	struct outcome *o = seq_find(&s->outcomes, c->number);

	if (!o)
		o = outcome_take(e, s, c->number, sp);
	taken_add(o, s, t);
	e->taken++;
}
