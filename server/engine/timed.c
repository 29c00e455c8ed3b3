/* A record is made by the first thing it has to say and goes with the last, or with
 * the tuple. Nothing is written when a tuple becomes due: the row's time has passed,
 * which says the same. */
#include "timed.h"

#include "state.h"

#define TIMED_COST (sizeof(struct timed) + 32) /* with its places in sequences and heaps */

static struct timed *record_of(const struct engine *e, const struct tuple *t)
{
	return t->timed ? seq_find(&e->timed, t->id) : NULL;
}

static struct timed *record_make(struct engine *e, struct space *s, struct tuple *t)
{
	struct timed *r = xcalloc(1, sizeof *r);

	r->id = t->id;
	r->tuple = t;
	r->space = s;
	list_init(&r->link);
	seq_insert(&e->timed, r);
	t->timed = true;
	e->bytes += TIMED_COST;
	return r;
}

static void bind(struct timed *r, struct session *s)
{
	r->session = s;
	list_append(&s->bound, &r->link);
}

bool timed_put(struct engine *e, struct session *by, struct space *s, struct tuple *t,
               const struct message_put *how)
{
	struct timed *r;

	if (!how->ttl_ms && !how->delay_ms && !how->bound)
		return false;
	r = record_make(e, s, t);
	r->due_ms = how->delay_ms ? e->wall_ms + how->delay_ms : 0;
	r->expires_ms = how->ttl_ms ? e->wall_ms + how->ttl_ms : 0;
	if (how->bound)
		bind(r, by);
	return r->due_ms != 0;
}

/* What was bound to a session that is gone goes with one that ends at the start. */
static struct session *lost_session(struct engine *e)
{
	if (!e->lost)
		e->lost = session_make(e, (struct bytes){NULL, 0});
	return e->lost;
}

bool timed_restore(struct engine *e, struct space *s, struct tuple *t, const struct change *c,
                   bool owned)
{
	bool delayed = !owned && c->due_ms > e->wall_ms;
	struct session *session = c->bound ? session_numbered(e, c->bound) : NULL;
	struct timed *r;

	if (!delayed && !c->expires_ms && !c->bound)
		return false;
	r = record_make(e, s, t);
	r->due_ms = delayed ? c->due_ms : 0;
	r->expires_ms = c->expires_ms;
	if (c->bound)
		bind(r, session ? session : lost_session(e));
	return delayed;
}

void timed_row(const struct engine *e, const struct tuple *t, struct change *c)
{
	const struct timed *r = record_of(e, t);

	if (!r)
		return;
	c->due_ms = r->due_ms;
	c->expires_ms = r->expires_ms;
	if (r->session)
		c->bound = r->session->number ? r->session->number : CHANGE_BOUND_CONN;
}

static bool is_delayed(const struct timed *r)
{
	return r->hidden && r->due_ms != 0;
}

/* Waits for the sooner of its times, when it has any. */
static void wait_for(struct engine *e, struct timed *r)
{
	uint64_t at = r->due_ms;

	if (r->expires_ms && (!at || r->expires_ms <= at))
		at = r->expires_ms;
	e->delayed += is_delayed(r);
	if (at)
		overdue_add(e, r->space, CLOCK_WALL, &r->moment, at);
}

void timed_enter(struct engine *e, struct tuple *t, bool hidden)
{
	struct timed *r = record_of(e, t);

	r->visible = !hidden;
	r->hidden = hidden;
	if (r->visible || is_delayed(r))
		wait_for(e, r);
}

void timed_leave(struct engine *e, struct tuple *t)
{
	struct timed *r = record_of(e, t);

	e->delayed -= is_delayed(r);
	r->visible = r->hidden = false;
	overdue_remove(e, r->space, CLOCK_WALL, &r->moment);
}

void timed_delay(struct engine *e, struct space *s, struct tuple *t, uint64_t delay_ms)
{
	struct timed *r = t->timed ? record_of(e, t) : record_make(e, s, t);

	r->hidden = true;
	r->due_ms = e->wall_ms + delay_ms;
	wait_for(e, r);
}

bool timed_over(const struct engine *e, const struct tuple *t)
{
	const struct timed *r = record_of(e, t);

	return r && (r->orphan || (r->expires_ms && r->expires_ms <= e->wall_ms) ||
	             (r->session && work_active(&r->session->ending)));
}

/* It appears in its old place. */
static void become_due(struct engine *e, struct timed *r)
{
	struct space *s = r->space;
	struct tuple *t = r->tuple;

	timed_leave(e, t);
	r->due_ms = 0;
	if (!r->expires_ms && !r->session)
		timed_end(e, t);
	ring_note(e, s, t->tries > 0 ? RING_BACK : RING_PUT, t);
	space_reveal(e, s, t);
}

/* Nobody has it, and it is gone. */
static void expire(struct engine *e, struct timed *r)
{
	if (r->visible || r->tuple->tries > 0) /* else nobody saw it */
		ring_note(e, r->space, RING_EXPIRE, r->tuple);
	space_delete(e, r->space, r->tuple, r->hidden);
}

void timed_moment(struct engine *e, struct heap_node *moment)
{
	struct timed *r = list_entry(moment, struct timed, moment);

	if (!timed_over(e, r->tuple)) {
		become_due(e, r);
		return;
	}
	e->expiries += !r->space->is_volatile;
	expire(e, r);
}

void timed_release(struct engine *e, struct timed *r)
{
	list_remove(&r->link);
	r->session = NULL;
	r->orphan = true;
	if (!r->space->dropped && (r->visible || is_delayed(r)))
		expire(e, r);
}

void timed_end(struct engine *e, struct tuple *t)
{
	struct timed *r = record_of(e, t);

	if (r->visible || r->hidden)
		timed_leave(e, t);
	list_remove(&r->link);
	seq_remove(&e->timed, r->id);
	t->timed = false;
	e->bytes -= TIMED_COST;
	xfree(r);
}
