/* The search: in the buckets of an index where all that is in them matches, else
 * by a walk. */
#include "source.h"
#include "state.h"

#define ENTRY_BYTES 32 /* of a reply, beside a tuple's own */

void seeker_init(struct seeker *k, void (*ready)(struct engine *e, struct seeker *k))
{
	list_init(&k->searches);
	k->ready = ready;
}

static struct search *find(const struct seeker *k, unsigned slot)
{
	for (struct list *it = k->searches.next; it != &k->searches; it = it->next) {
		struct search *q = list_entry(it, struct search, link);

		if (q->slot == slot)
			return q;
	}
	return NULL;
}

static struct search *get(struct seeker *k, unsigned slot)
{
	struct search *q = find(k, slot);

	if (q)
		return q;
	q = xcalloc(1, sizeof *q);
	q->seeker = k;
	q->slot = slot;
	list_init(&q->late);
	list_init(&q->pin);
	list_append(&k->searches, &q->link);
	return q;
}

static void pin(struct search *q, struct index *x)
{
	list_remove(&q->pin);
	if (x)
		list_append(&x->pinned, &q->pin);
	q->index = x;
}

/* Adds a tuple to what was found. False: no more are wanted, or fit a reply; or its time
 * is over, and what is behind it must wait until it is gone. */
static bool gather(const struct engine *e, const struct search_want *want, struct tuple *t,
                   struct tuple **found, uint64_t *count, uint64_t *bytes)
{
	*bytes += t->size + ENTRY_BYTES;
	if (*count == want->max || timed_over(e, t) ||
	    (*count > 0 && !want->uncut && *bytes > e->config.limits.reply_bytes))
		return false;
	found[(*count)++] = t;
	return *count < want->max;
}

/* What its walk has found. */
static uint64_t from_walk(const struct engine *e, const struct search_want *want,
                          const struct walk *w, struct tuple **found)
{
	uint64_t count = 0, bytes = 0;
	uint32_t i = 0;

	if (want->counting)
		return w->count;
	while (i < w->found_count && gather(e, want, w->found[i], found, &count, &bytes))
		i++;
	return count;
}

/* What is all in the source. */
static uint64_t from_source(const struct engine *e, const struct search_want *want,
                            struct source *src, struct tuple **found)
{
	struct place start = source_start(src);
	uint64_t count = 0, bytes = 0;
	struct tuple *t;

	if (want->counting)
		return source_count(src);
	if (src->order.kind == ORDER_ID)
		start.id = want->after;
	source_seek(src, &start);
	do
		t = source_next(src);
	while (t && gather(e, want, t, found, &count, &bytes));
	return count;
}

/* Begins what must be done first: the building of the index, or a walk through it (or
 * through the best there is, when there is no room for it). */
static int begin(struct engine *e, struct seeker *k, const struct search_want *want,
                 struct index *x)
{
	struct search *q;

	if (!k)
		return ENGINE_AGAIN;
	q = get(k, want->slot);
	pin(q, x ? x : index_best(want->space, want->template));
	if (!q->index || index_complete(q->index))
		q->walk = walk_begin(e, q, want);
	return ENGINE_AGAIN;
}

static int look(struct engine *e, struct seeker *k, const struct search_want *want,
                struct tuple **found, uint64_t *count)
{
	struct search *q = k ? find(k, want->slot) : NULL;
	struct lookup l = {.residue = 0};
	struct index *x = NULL;
	struct source src;

	if (q && q->walk) {
		if (!walk_ready(e, q->walk))
			return ENGINE_AGAIN;
		*count = from_walk(e, want, q->walk, found);
		return 0;
	}
	if (!want->template->all) {
		lookup_open(&l, want->template, !want->counting);
		x = index_get(e, want->space, &l.shape, &l.order);
		if (!x || !index_complete(x))
			return begin(e, k, want, x);
	}
	source_open(&src, e, want->space, x, want->template, want->counting && want->hidden);
	if (l.residue > 0 && src.count > 0)
		return begin(e, k, want, x);
	*count = from_source(e, want, &src, found);
	return 0;
}

int search_run(struct engine *e, struct seeker *k, const struct search_want *want,
               struct tuple **found, uint64_t *count)
{
	int code = look(e, k, want, found, count);
	bool surely;

	if (code != 0)
		return code;
	surely = !want->counting && *count > 0 && (!want->uncut || *count == want->max);
	if (surely || !overdue_in(e, want->space))
		return 0;
	if (k)
		overdue_park(e, get(k, want->slot), want->space);
	return ENGINE_AGAIN;
}

static bool is_pending(struct engine *e, const struct search *q)
{
	return !list_empty(&q->late) || (q->index && !index_complete(q->index)) ||
	       (q->walk && !walk_ready(e, q->walk));
}

bool search_pending(struct engine *e, struct seeker *k)
{
	bool pending = false;

	list_each(it, &k->searches)
		pending = is_pending(e, list_entry(it, struct search, link)) || pending;
	return pending;
}

void search_end(struct seeker *k)
{
	list_each(it, &k->searches) {
		struct search *q = list_entry(it, struct search, link);

		list_remove(&q->late);
		pin(q, NULL);
		if (q->walk)
			walk_end(q->walk);
		list_remove(&q->link);
		xfree(q);
	}
}

static void end_and_tell(struct engine *e, struct seeker *k)
{
	search_end(k);
	k->ready(e, k);
}

void search_drop(struct engine *e, struct space *s)
{
	struct list *it;

	while ((it = list_first(&s->parked)))
		end_and_tell(e, list_entry(it, struct search, late)->seeker);
	while ((it = list_first(&s->walks)))
		end_and_tell(e, list_entry(it, struct walk, link)->search->seeker);
	for (unsigned n = 0; n <= TUPLE_FIELDS; n++) {
		if (!s->arities[n])
			continue;
		list_each(each, &s->arities[n]->indexes) {
			struct index *x = list_entry(each, struct index, link);

			while ((it = list_first(&x->pinned)))
				end_and_tell(e, list_entry(it, struct search, pin)->seeker);
		}
	}
}
