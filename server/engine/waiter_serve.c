/* A tuple that appears is given to those who wait for it: all matching readers, then
 * the longest-waiting taker. */
#include "bucket.h"
#include "state.h"

static void serve_readers(struct engine *e, struct space *s, struct waitkey *k, struct tuple *t)
{
	struct waiter *w = bucket_first(k->readers), *next;

	for (; w; w = next) {
		bool last = w->place.next == w->place.prev;

		next = bucket_after(k->readers, w->order);
		if (t->id <= w->after || (w->residue && !template_match_tuple(w->tuple, t)))
			continue;
		reply_tuples(e, w->session->conn, w->n, s->last_batch, false, &t, 1);
		waiter_free(e, w);
		if (last)
			return; /* the key went with its last waiter */
	}
}

static struct waiter *first_taker(const struct waitkey *k, const struct tuple *t)
{
	struct waiter *w = bucket_first(k->takers);

	while (w && w->residue && !template_match_tuple(w->tuple, t))
		w = bucket_after(k->takers, w->order);
	return w;
}

/* Serves the readers of a key; answers the longer-waiting of `best` and its
 * first matching taker. */
static struct waiter *serve_key(struct engine *e, struct space *s, struct waitkey *k,
                                struct tuple *t, struct waiter *best)
{
	struct waiter *w = first_taker(k, t);

	if (k->readers)
		serve_readers(e, s, k, t);
	return w && (!best || w->order < best->order) ? w : best;
}

static struct waiter *serve_all(struct engine *e, struct space *s, struct tuple *t,
                                const struct keys *keys)
{
	struct arity *a = s->arities[t->fields];
	struct waiter *best = serve_key(e, s, &s->everything, t, NULL);

	if (!a)
		return best;
	list_each(it, &a->waiting) {
		struct waitshape *w = list_entry(it, struct waitshape, link);
		struct waitkey *k;

		if (!shape_admits(w->class, t))
			continue;
		k = waiter_key(w, keys, t);
		if (k)
			best = serve_key(e, s, k, t, best);
	}
	return best;
}

/* Whether its session may not have a tuple now, as an error reply. */
static bool is_refused(struct engine *e, struct waiter *w)
{
	if (!outcome_room(e, w->session))
		reply_error(e, w->session->conn, w->n, 0, ERROR_UNACKNOWLEDGED,
		            "in: too many replies of this session are not acknowledged");
	else if (w->lease_ms > 0 && claim_room(e, w->session) == 0)
		reply_error(e, w->session->conn, w->n, 0, ERROR_LIMIT,
		            "in: too many claims of this session are open");
	else
		return false;
	return true;
}

bool waiter_serve(struct engine *e, struct space *s, struct tuple *t, const struct keys *keys)
{
	for (;;) {
		struct waiter *w = serve_all(e, s, t, keys);

		if (!w)
			return false;
		if (!is_refused(e, w)) {
			if (w->lease_ms > 0)
				space_store(e, s, t, true);
			take_give(e, w->session, w->n, s, &t, 1, w->lease_ms);
			waiter_free(e, w);
			return true;
		}
		waiter_free(e, w);
	}
}
