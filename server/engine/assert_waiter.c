/* What holds for those who wait: the order they stand in, the numbers they wait for,
 * and that none of them sleeps when what it waits for is there. */
#include "assert.h"

#include "bucket.h"
#include "state.h"

#include "../../libclient/message.h"

#include <assert.h>

/* The tuple after that id among the visible or the hidden ones. */
static struct tuple *after(const struct space *s, bool hidden, uint64_t id)
{
	return seq_after(hidden ? &s->hidden : &s->all, id, NULL);
}

/* How many match; `t` is a template's, NULL is null. */
static uint64_t count_matches(const struct space *s, const struct tuple *t, bool visible)
{
	uint64_t count = 0;

	for (int hidden = 0; hidden < (visible ? 1 : 2); hidden++)
		for (struct tuple *v = after(s, hidden, 0); v; v = after(s, hidden, v->id))
			count += template_match_tuple(t, v);
	return count;
}

static void check_tally(const struct engine *e, const struct space *s, const struct waiter *w)
{
	const struct tally *y = w->tally;
	bool unsettled = overdue_in(e, s) && y->changed.next != &y->changed;

	assert(y->visible == w->visible && y->tuple == (w->residue ? w->tuple : NULL));
	assert(y->waiters > 0 && (!y->tuple || y->waiters == 1));
	assert(y->least.count + y->none.count + bucket_count(y->atomics) == y->waiters);
	assert(unsettled || y->changed.next == &y->changed);
	assert(y->count == count_matches(s, w->tuple, w->visible));
	assert(!w->atomic || w->atomic->spare <= y->spare);
	assert(unsettled || w->atomic || /* not forgotten */
	       (w->least ? y->count < w->least : y->count > 0));
}

/* ---- atomics ------------------------------------------------------------------------- */

struct taken {
	const struct space *space[MESSAGE_GUARDS_MAX];
	const struct tuple *tuple[MESSAGE_GUARDS_MAX];
	uint32_t count;
};

static bool is_taken(const struct taken *t, const struct tuple *one)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (t->tuple[i] == one)
			return true;
	return false;
}

/* Whether a guard before this one takes from the space, too. Another choice of that one
 * may make this one hold, though nothing came or went where it stands. */
static bool depends(const struct taken *t, const struct space *s)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (t->space[i] == s)
			return true;
	return false;
}

/* The first match that is not taken, in the order the template wants. */
static struct tuple *first_match(const struct space *s, const struct template *t,
                                 const struct taken *taken)
{
	struct tuple *first = NULL;

	for (struct tuple *v = after(s, false, 0); v; v = after(s, false, v->id))
		if (template_match(t, v) && !is_taken(taken, v) &&
		    (!first || (!t->all && order_before(&t->order, v, first))))
			first = v;
	return first;
}

/* Whether the guard holds behind those that took so much; it takes a match, too. */
static bool holds(const struct space *s, const struct message_step *step, struct taken *taken)
{
	struct template t;
	uint64_t count;
	struct tuple *v;

	template_open(&t, step->item);
	count = count_matches(s, t.tuple, step->visible);
	for (uint32_t i = 0; i < taken->count; i++)
		count -= taken->space[i] == s && template_match(&t, taken->tuple[i]);
	v = first_match(s, &t, taken);
	template_close(&t);
	if (step->kind == STEP_NO)
		return count == 0;
	if (v && step->kind == STEP_IN) {
		taken->space[taken->count] = s;
		taken->tuple[taken->count++] = v;
	}
	return v != NULL;
}

/* Whether all guards hold for certain, none of them by what another one chooses. */
static bool could_be_done(const struct engine *e, const struct atomic *a)
{
	struct taken taken = {.count = 0};
	struct item_head h;
	const uint8_t *p = item_head(a->steps.p, &h);

	for (uint64_t i = 0; i < h.arg; i++) {
		struct message_step step;
		const struct space *s;

		p = message_step_read(p, &step);
		if (step.kind == STEP_OUT)
			break;
		s = space_find(e, step.space);
		if (!s || depends(&taken, s) || !holds(s, &step, &taken))
			return false;
	}
	return true;
}

static bool is_pending(const struct atomic *a)
{
	return a->turn.pos > 0 || a->searching;
}

/* Whether it is in the queue, or one at its place is, which will wake it. */
static bool will_be_tried(const struct waiter *w)
{
	const void *there = w->tally ? w->tally->atomics : w->key->atomics;

	if (is_pending(w->atomic) || w->residue)
		return is_pending(w->atomic);
	for (struct waiter *o = bucket_first(there); o; o = bucket_after(there, o->order))
		if (is_pending(o->atomic))
			return true;
	return false;
}

static void check_atomic(const struct engine *e, const struct waiter *w)
{
	const struct atomic *a = w->atomic;

	assert(a->waiter == w);
	assert(a->searching || a->seeker.searches.next == &a->seeker.searches);
	assert(!could_be_done(e, a) || will_be_tried(w));
	assert(e->tries.count == 0 || work_active(&e->trying) || e->searching > 0 ||
	       engine_sated(e));
}

/* ---- all ------------------------------------------------------------------------------ */

static uint64_t count_in(const void *bucket, enum message_op op, bool residue)
{
	for (struct waiter *w = bucket_first(bucket); w; w = bucket_after(bucket, w->order))
		assert(w->op == op && (op != MESSAGE_ATOMIC || w->residue == residue));
	return bucket_count(bucket);
}

static void check_waiter(const struct engine *e, const struct space *s, const struct waiter *w)
{
	assert(w->space == s && w->session->conn);
	assert(w->counts == (w->tally != NULL));
	assert((w->op == MESSAGE_ATOMIC) == (w->atomic != NULL));
	if (w->tally)
		check_tally(e, s, w);
	if (w->atomic)
		check_atomic(e, w);
	if (w->op != MESSAGE_IN && w->op != MESSAGE_RD)
		return;
	for (struct tuple *t = after(s, false, w->after); t; t = after(s, false, t->id))
		assert(!template_match_tuple(w->tuple, t)); /* a wake-up was not lost */
}

void assert_waiters(const struct engine *e, const struct space *s, const struct waitkey *k,
                    uint64_t *waiting, uint64_t *following)
{
	uint64_t residual = 0, counting = 0, all = 0;

	for (const struct list *it = k->waiters.next; it != &k->waiters; it = it->next, all++) {
		const struct waiter *w = list_entry(it, struct waiter, place);

		assert(w->key == k);
		check_waiter(e, s, w);
		counting += w->tally && !w->drain;
		residual += w->residue;
		*following += w->tally || w->atomic;
	}
	assert(residual == k->residual);
	assert(all == counting + count_in(k->readers, MESSAGE_RD, false) +
	                      count_in(k->takers, MESSAGE_IN, false) +
	                      count_in(k->atomics, MESSAGE_ATOMIC, false) +
	                      count_in(k->picky, MESSAGE_ATOMIC, true));
	*waiting += all;
}
