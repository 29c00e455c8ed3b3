/* Many leases or tuples may end in the same millisecond. So the space, not the single
 * one, is what waits in the engine's queue, and an overdue space that is not settled in
 * a slice becomes a work of its own: it takes turns with all other work, and holds
 * up nobody who asks for another space. In durable spaces what ends also waits for
 * the next batch when a quarter of this one is ends already. */
#include "overdue.h"

#include "state.h"
#include "timed.h"

#define LEASE_POLL_MS 500 /* how often the lease clock must move while something runs by it */
#define WALL_POLL_MS 1000 /* how often a wall clock that was set is noticed */

static uint64_t time_of(const struct engine *e, enum clock clock)
{
	return clock == CLOCK_LEASE ? e->lease_ms : e->wall_ms;
}

static struct heap_node *first_of(const struct space *s, enum clock clock)
{
	return s->dropped && clock == CLOCK_WALL ? NULL : heap_first(&s->agenda[clock]);
}

static bool is_overdue(const struct engine *e, const struct space *s, enum clock clock)
{
	const struct heap_node *first = first_of(s, clock);

	return first && first->key <= time_of(e, clock);
}

/* The clock by which something is overdue, or CLOCKS. */
static enum clock overdue_by(const struct engine *e, const struct space *s)
{
	enum clock clock = CLOCK_LEASE;

	while (clock < CLOCKS && !is_overdue(e, s, clock))
		clock++;
	return clock;
}

static bool must_wait(const struct engine *e, bool is_volatile)
{
	return !is_volatile && engine_sated(e);
}

/* The space's place among the others follows its first; while it is at work it has none. */
static void take_turn(struct engine *e, struct space *s, enum clock clock)
{
	struct heap *turns = &e->turns[clock][s->is_volatile];
	struct heap_node *first = work_active(&s->settling) ? NULL : first_of(s, clock);
	struct heap_node *turn = &s->turn[clock];

	if (first && turn->pos && turn->key == first->key && turn->order == first->order)
		return;
	heap_remove(turns, turn);
	if (first) {
		turns->order = first->order;
		heap_insert(turns, turn, first->key);
	}
}

static void take_turns(struct engine *e, struct space *s)
{
	for (enum clock clock = CLOCK_LEASE; clock < CLOCKS; clock++)
		take_turn(e, s, clock);
}

void overdue_add(struct engine *e, struct space *s, enum clock clock, struct heap_node *node,
                 uint64_t at)
{
	s->agenda[clock].order = e->agendas++; /* of equal times the older, whatever their spaces */
	heap_insert(&s->agenda[clock], node, at);
	take_turn(e, s, clock);
}

void overdue_remove(struct engine *e, struct space *s, enum clock clock, struct heap_node *node)
{
	heap_remove(&s->agenda[clock], node);
	take_turn(e, s, clock);
}

static void settle_one(struct engine *e, struct space *s, enum clock clock)
{
	struct heap_node *node = heap_first(&s->agenda[clock]);

	if (clock == CLOCK_LEASE)
		claim_over(e, node);
	else
		timed_moment(e, node);
}

static unsigned settle_run(struct engine *e, struct work *w, unsigned units)
{
	struct space *s = list_entry(w, struct space, settling);
	enum clock clock = CLOCKS;
	unsigned used = 0;

	for (; used < units && !must_wait(e, s->is_volatile); used++) {
		clock = overdue_by(e, s);
		if (clock == CLOCKS)
			break;
		settle_one(e, s, clock);
	}
	if (used == units)
		return used;
	work_end(w);
	take_turns(e, s);
	return used + 1;
}

/* The space with the oldest of what is overdue by that clock and may be settled now. */
static struct space *next_space(const struct engine *e, enum clock clock)
{
	struct heap_node *a = must_wait(e, false) ? NULL : heap_first(&e->turns[clock][0]);
	struct heap_node *b = heap_first(&e->turns[clock][1]);

	if (!a || (b && (b->key < a->key || (b->key == a->key && b->order < a->order))))
		a = b;
	return a && a->key <= time_of(e, clock) ? list_entry(a - clock, struct space, turn) : NULL;
}

void overdue_settle(struct engine *e)
{
	unsigned left = e->config.limits.settles;

	for (enum clock clock = CLOCK_LEASE; clock < CLOCKS; clock++) {
		struct space *s;

		for (; left > 0 && (s = next_space(e, clock)); left--)
			settle_one(e, s, clock);
		while ((s = next_space(e, clock))) {
			work_begin(e, &s->settling, settle_run);
			take_turns(e, s);
		}
	}
}

bool overdue_in(const struct engine *e, const struct space *s)
{
	const struct heap_node *grace = heap_first(&e->graces);

	return overdue_by(e, s) < CLOCKS || e->endings > 0 ||
	       (grace && grace->key <= e->lease_ms);
}

void overdue_park(struct engine *e, struct search *q, struct space *s)
{
	list_remove(&q->late);
	list_append(&s->parked, &q->late);
	if (list_empty(&s->backlog))
		list_append(&e->backlogs, &s->backlog);
}

void overdue_wake(struct engine *e)
{
	list_each(it, &e->backlogs) {
		struct space *s = list_entry(it, struct space, backlog);
		struct list *late;

		if (!list_empty(&s->parked) && overdue_in(e, s))
			continue;
		list_remove(&s->backlog);
		while ((late = list_first(&s->parked))) {
			struct seeker *k = list_entry(late, struct search, late)->seeker;

			list_remove(late);
			k->ready(e, k);
		}
	}
}

/* When the first of those spaces is to be looked at, by engine.now_ms. */
static uint64_t deadline_of(const struct engine *e, enum clock clock, bool is_volatile)
{
	const struct heap_node *turn = heap_first(&e->turns[clock][is_volatile]);
	uint64_t poll = clock == CLOCK_LEASE ? LEASE_POLL_MS : WALL_POLL_MS, left = 0;

	if (!turn)
		return ENGINE_NEVER;
	if (turn->key > time_of(e, clock))
		left = turn->key - time_of(e, clock);
	else if (must_wait(e, is_volatile))
		left = poll;
	return e->now_ms + (left < poll ? left : poll);
}

uint64_t overdue_deadline(const struct engine *e)
{
	const struct heap_node *grace = heap_first(&e->graces);
	uint64_t at = ENGINE_NEVER;

	if (grace) {
		uint64_t left = grace->key > e->lease_ms ? grace->key - e->lease_ms : 0;

		at = e->now_ms + (left < LEASE_POLL_MS ? left : LEASE_POLL_MS);
	}
	for (unsigned i = 0; i < 2 * CLOCKS; i++) {
		uint64_t turn = deadline_of(e, i / 2, i % 2);

		at = turn < at ? turn : at;
	}
	return at;
}

void overdue_drop(struct engine *e, struct space *s)
{
	take_turn(e, s, CLOCK_WALL);
}

void overdue_close(struct space *s)
{
	work_end(&s->settling);
	list_remove(&s->backlog);
	for (enum clock clock = CLOCK_LEASE; clock < CLOCKS; clock++)
		heap_close(&s->agenda[clock]);
}
