#include "atomic.h"

#include "bucket.h"
#include "state.h"
#include "trial.h"

#define TRIES_AT_ONCE 16 /* that need a walk or an index: each costs what comes and goes */

/* ---- the queue of tries -------------------------------------------------------------- */

static bool is_pending(const struct atomic *a)
{
	return a->turn.pos > 0 || a->searching;
}

static struct atomic *first_of_queue(const struct engine *e)
{
	struct heap_node *node = heap_first(&e->tries);

	return node ? list_entry(node, struct atomic, turn) : NULL;
}

/* Tries write to the journal in background work: not more than a batch has room for. */
static bool may_try(const struct engine *e)
{
	const struct atomic *a = first_of_queue(e);

	return a && (a->searching || e->searching < TRIES_AT_ONCE) &&
	       !engine_sated(e);
}

static unsigned tries_run(struct engine *e, struct work *work, unsigned units);

static void tries_begin(struct engine *e)
{
	if (may_try(e) && !work_active(&e->trying))
		work_begin(e, &e->trying, tries_run);
}

void atomic_wake(struct engine *e, struct waiter *w)
{
	struct atomic *a = w->atomic;

	if (is_pending(a))
		return;
	heap_insert(&e->tries, &a->turn, w->order);
	tries_begin(e);
}

void atomic_sealed(struct engine *e)
{
	tries_begin(e);
}

/* The next one that stands at the same place, or NULL. Templates with residue differ:
 * they are woken one by one. */
static struct waiter *next_there(const struct waiter *w)
{
	if (w->residue)
		return NULL;
	return bucket_after(w->tally ? w->tally->atomics : w->key->atomics, w->order);
}

static void search_over(struct engine *e, struct atomic *a)
{
	search_end(&a->seeker);
	e->searching -= a->searching;
	a->searching = false;
}

void atomic_leave(struct engine *e, struct waiter *w)
{
	struct atomic *a = w->atomic;
	struct waiter *next = is_pending(a) ? next_there(w) : NULL;

	heap_remove(&e->tries, &a->turn);
	search_over(e, a);
	if (next)
		atomic_wake(e, next);
	tries_begin(e);
}

void atomic_appear(struct engine *e, const struct waitkey *k, const struct tuple *t)
{
	if (k->atomics)
		atomic_wake(e, bucket_first(k->atomics));
	for (struct waiter *w = bucket_first(k->picky); w; w = bucket_after(k->picky, w->order))
		if (template_match_tuple(w->tuple, t))
			atomic_wake(e, w);
}

/* The work that its try needed is done: it goes on before others begin. */
static void search_ready(struct engine *e, struct seeker *k)
{
	struct atomic *a = list_entry(k, struct atomic, seeker);

	if (a->turn.pos == 0)
		heap_insert(&e->tries, &a->turn, 0);
	tries_begin(e);
}

/* ---- waiting --------------------------------------------------------------------------- */

/* Lets it stand under the guard that failed; or it is answered. */
static bool stand(struct engine *e, struct waiter *w, const struct trial *t)
{
	const struct guard *g = &t->guard[t->failed];
	struct template template;
	const char *why;
	int code;

	w->counts = g->step.kind == STEP_NO;
	w->visible = g->step.visible;
	w->atomic->guard = t->failed;
	w->atomic->spare = g->before;
	template_open(&template, g->step.item);
	code = waiter_stand(e, w, g->space, &template, t->count, &why);
	template_close(&template);
	if (code)
		reply_error(e, t->conn, t->n, 0, code, "atomic: %s", why);
	return code == 0;
}

/* It stands nowhere yet. NULL after an error reply. */
static struct waiter *create(struct engine *e, struct conn *c, const struct request *r,
                             struct space *s)
{
	const char *why = waiter_full(e, c->session);
	struct waiter *w;
	struct atomic *a;

	if (why) {
		reply_error(e, c, r->n, 0, ERROR_LIMIT, "atomic: %s", why);
		return NULL;
	}
	w = waiter_new(e, c, r, s);
	a = xcalloc(1, sizeof *a);
	a->waiter = w;
	a->steps = session_copy(r->value);
	seeker_init(&a->seeker, search_ready);
	w->atomic = a;
	return w;
}

void atomic_free(struct atomic *a)
{
	xfree((void *)(uintptr_t)a->steps.p);
	xfree(a);
}

int atomic_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	bool waits = !request_has(r, OPTION_TIMEOUT) || r->option[OPTION_TIMEOUT].u > 0;
	struct trial t = {
		.conn = c, .n = r->n, .steps = r->value, .seeker = &c->seeker, .first = true,
		.waits = waits, .batch_full = ev->batch_full,
	};
	enum verdict verdict = trial_run(e, &t);
	struct waiter *w;

	if (verdict == TRIAL_AGAIN)
		return ENGINE_AGAIN;
	if (verdict != TRIAL_FAILED)
		return 0;
	if (!waits) {
		reply_null(e, c, r->n, t.batch);
		return 0;
	}
	w = create(e, c, r, t.guard[t.failed].space);
	if (w && !stand(e, w, &t))
		waiter_free(e, w);
	return 0;
}

static enum verdict try(struct engine *e, struct waiter *w, struct seeker *k, struct trial *t)
{
	*t = (struct trial){
		.conn = w->session->conn, .n = w->n, .steps = w->atomic->steps, .seeker = k,
		.waits = true,
	};
	return trial_run(e, t);
}

void atomic_reenter(struct engine *e, struct waiter *w)
{
	struct trial t;
	enum verdict verdict;

	if (!outcome_room(e, w->session))
		return;
	verdict = try(e, w, NULL, &t);
	if (verdict == TRIAL_AGAIN || (verdict == TRIAL_FAILED && stand(e, w, &t)))
		return;
	waiter_free(e, w);
}

/* Whether those behind it may have more luck, though it stands where it stood. */
static bool may_pass(const struct waiter *w, const struct trial *t)
{
	return w->tally ? w->tally->count <= w->tally->spare : t->count > 0;
}

static void try_one(struct engine *e, struct atomic *a)
{
	struct waiter *w = a->waiter, *next = next_there(w);
	struct trial t;
	enum verdict verdict = try(e, w, &a->seeker, &t);
	bool stays = verdict == TRIAL_FAILED && t.failed == a->guard &&
	             t.guard[t.failed].space == w->space;

	if (verdict == TRIAL_AGAIN) {
		e->searching += !a->searching;
		a->searching = true;
		return;
	}
	search_over(e, a);
	if (verdict == TRIAL_DONE && t.durable)
		e->expiries += t.takes + t.outs;
	if (next && (!stays || may_pass(w, &t)))
		atomic_wake(e, next);
	if (!stays && (verdict != TRIAL_FAILED || !stand(e, w, &t)))
		waiter_free(e, w);
}

static unsigned tries_run(struct engine *e, struct work *work, unsigned units)
{
	unsigned used = 0;

	for (; may_try(e) && used < units; used++) {
		struct atomic *first = first_of_queue(e);

		heap_remove(&e->tries, &first->turn);
		try_one(e, first);
		tally_settle(e);
	}
	if (!may_try(e))
		work_end(work);
	return used + 1;
}
