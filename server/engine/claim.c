/* Claims: tuples taken under a lease. The tuple is hidden in its space until the
 * claim ends: committed, given back, or over with its lease or its session. In a
 * durable space a claim is kept by the tuple's own row (owner, token, length of the
 * lease, and the request until that is acknowledged). A session that cannot resume
 * keeps its claims in memory only: the row stays as if nobody had taken it, but
 * for the number of tries. */
#include "state.h"

uint32_t claim_room(const struct engine *e, const struct session *s)
{
	size_t most = e->config.limits.claims;

	return s->claims.count < most ? (uint32_t)(most - s->claims.count) : 0;
}

static bool is_durable(const struct claim *c)
{
	return !c->space->is_volatile;
}

/* The tuple's row says who has it. */
static void write_row(struct engine *e, const struct claim *c)
{
	struct change *ch;

	if (!is_durable(c))
		return;
	ch = reply_change(e, CHANGE_STATE);
	ch->space = c->space->number;
	ch->id = c->tuple->id;
	ch->bytes = tuple_bytes(c->tuple);
	ch->tries = c->tuple->tries;
	if (c->session->number == 0)
		return;
	ch->session = c->session->number;
	ch->number = c->outcome ? c->outcome->n : 0;
	ch->token = c->token;
	ch->lease_ms = c->lease_ms;
}

static struct claim *claim_create(struct engine *e, struct session *s, struct space *sp,
                                  struct tuple *t, uint64_t token, uint64_t lease_ms)
{
	struct claim *c = xcalloc(1, sizeof *c);

	c->token = token;
	c->session = s;
	c->space = sp;
	c->tuple = t;
	c->lease_ms = lease_ms;
	list_init(&c->link);
	sp->refs++;
	seq_insert(&s->claims, c);
	overdue_add(e, sp, CLOCK_LEASE, &c->timer, e->lease_ms + lease_ms);
	sp->claims++;
	e->claims++;
	return c;
}

struct outcome *claim_take(struct engine *e, struct session *s, uint64_t n, struct space *sp,
                           struct tuple **t, uint32_t count, uint64_t lease_ms)
{
	struct outcome *o = outcome_take(e, s, n, sp);

	for (uint32_t i = 0; i < count; i++) {
		struct claim *c = claim_create(e, s, sp, t[i], engine_id(e), lease_ms);

		t[i]->tries += t[i]->tries < UINT8_MAX;
		outcome_join(o, c);
		write_row(e, c);
	}
	return o;
}

struct claim *claim_find(const struct engine *e, const struct session *s, uint64_t token)
{
	struct claim *c = seq_find(&s->claims, token);

	return c && c->timer.key > e->lease_ms ? c : NULL;
}

uint64_t claim_renew(struct engine *e, struct claim *c, uint64_t lease_ms)
{
	if (e->lease_ms + lease_ms > c->timer.key) {
		overdue_remove(e, c->space, CLOCK_LEASE, &c->timer);
		overdue_add(e, c->space, CLOCK_LEASE, &c->timer, e->lease_ms + lease_ms);
	}
	return c->timer.key - e->lease_ms;
}

void claim_acknowledge(struct engine *e, struct claim *c)
{
	if (c->session->number)
		write_row(e, c);
}

/* Takes it from everything that knows it and frees it; the tuple is the caller's. */
static void claim_end(struct engine *e, struct claim *c)
{
	struct session *s = c->session;

	if (is_durable(c))
		s->claim_batch = e->batch;
	if (c->outcome)
		outcome_leave(e, c);
	list_remove(&c->link);
	seq_remove_item(&s->claims, c);
	overdue_remove(e, c->space, CLOCK_LEASE, &c->timer);
	c->space->claims--;
	e->claims--;
	space_unref(e, c->space);
	xfree(c);
}

/* Its tuple is gone; the event says why. */
static void claim_gone(struct engine *e, struct claim *c, enum ring_kind kind)
{
	ring_note(e, c->space, kind, c->tuple);
	space_delete(e, c->space, c->tuple, true);
	claim_end(e, c);
}

void claim_done(struct engine *e, struct claim *c)
{
	claim_gone(e, c, RING_DONE);
}

bool claim_bury(struct engine *e, struct claim *c)
{
	struct space *sp = c->space, *dead;
	struct tuple *t = c->tuple;
	struct change *ch;
	int code;

	dead = sp->dropped ? NULL : space_dead(e, sp, false, &code);
	if (!dead)
		return false;
	ring_note(e, sp, RING_BURY, t);
	space_forget(e, sp, t);
	if (t->timed) /* the dead keep no time */
		timed_end(e, t);
	if (is_durable(c)) {
		reply_delete(e, sp, t);
		ch = reply_change(e, CHANGE_PUT);
		ch->space = dead->number;
		ch->id = t->id;
		ch->bytes = tuple_bytes(t);
		ch->tries = t->tries;
	}
	claim_end(e, c);
	ring_note(e, dead, RING_PUT, t);
	space_appear(e, dead, t);
	return true;
}

/* What the row says of a tuple that nobody has. */
static void write_back(struct engine *e, const struct claim *c, uint64_t due_ms)
{
	struct change *ch = reply_change(e, CHANGE_STATE);

	ch->space = c->space->number;
	ch->id = c->tuple->id;
	ch->bytes = tuple_bytes(c->tuple);
	ch->tries = c->tuple->tries;
	ch->due_ms = due_ms;
}

void claim_back(struct engine *e, struct claim *c, bool undone, uint64_t delay_ms)
{
	struct tuple *t = c->tuple;
	struct space *sp = c->space;

	if (sp->dropped || timed_over(e, t)) {
		claim_gone(e, c, sp->dropped ? RING_DONE : RING_EXPIRE);
		return;
	}
	if (!undone && sp->options.tries && t->tries >= sp->options.tries && claim_bury(e, c))
		return;
	if (undone && t->tries < UINT8_MAX)
		t->tries--;
	if (delay_ms > 0)
		timed_delay(e, sp, t, delay_ms);
	if (is_durable(c) && (c->session->number || undone || delay_ms > 0))
		write_back(e, c, delay_ms ? e->wall_ms + delay_ms : 0);
	claim_end(e, c);
	if (delay_ms > 0)
		return;
	ring_note(e, sp, RING_BACK, t);
	space_reveal(e, sp, t);
}

void claim_over(struct engine *e, struct heap_node *timer)
{
	struct claim *c = list_entry(timer, struct claim, timer);

	e->expiries += is_durable(c) && c->session->number != 0; /* else no row says so */
	claim_back(e, c, false, 0);
}

void claim_restore(struct engine *e, struct session *s, struct space *sp, const struct change *ch,
                   struct tuple *t)
{
	struct claim *c = claim_create(e, s, sp, t, ch->token, ch->lease_ms);
	struct outcome *o = ch->number ? seq_find(&s->outcomes, ch->number) : NULL;

	space_store(e, sp, t, true);
	if (ch->number && !o)
		o = outcome_take(e, s, ch->number, sp);
	if (o)
		outcome_join(o, c);
}
