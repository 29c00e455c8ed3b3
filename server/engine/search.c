/* The search: in the bucket of an index where all that is in it matches, else by
 * a walk. */
#include "bucket.h"
#include "state.h"

#define ENTRY_BYTES 32 /* of a reply, beside a tuple's own */

/* What there is to look through for a template. */
struct source {
	void *bucket, *hidden; /* of visible and of hidden tuples */
	struct index *index;   /* whose buckets they are, or will be; NULL: there is none */
	bool exact;            /* all of them match */
};

static void *whole(struct seq *s)
{
	return s->count ? (void *)((uintptr_t)s | 1) : NULL;
}

static struct source source_of(struct engine *e, struct space *s, const struct template *t)
{
	struct source src = {.exact = t->all};

	if (t->all) {
		src.bucket = whole(&s->all);
		src.hidden = whole(&s->hidden);
		return src;
	}
	src.index = index_get(e, s, t);
	if (!src.index || !index_complete(src.index))
		return src;
	src.bucket = index_bucket(e, src.index, t, false);
	src.hidden = index_bucket(e, src.index, t, true);
	src.exact = !t->residue || (!src.bucket && !src.hidden);
	return src;
}

/* The oldest, as many as are wanted and fit a reply. */
static uint64_t gather(struct engine *e, void *bucket, const struct search_want *want,
                       struct tuple **found)
{
	uint64_t bytes = 0, after = want->after;
	uint32_t count = 0;

	while (count < want->max) {
		struct tuple *t = bucket_after(bucket, after);

		if (!t)
			break;
		bytes += t->size + ENTRY_BYTES;
		if (count > 0 && !want->uncut && bytes > e->config.limits.reply_bytes)
			break;
		found[count++] = t;
		after = t->id;
	}
	return count;
}

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
	list_init(&q->pin);
	list_append(&k->searches, &q->link);
	return q;
}

static void pin(struct search *q, struct index *x)
{
	list_remove(&q->pin);
	list_append(&x->pinned, &q->pin);
	q->index = x;
}

/* Begins what must be done first. */
static void begin(struct engine *e, struct seeker *k, const struct search_want *want,
                  const struct source *src)
{
	struct search *q = get(k, want->slot);

	if (src->index && !index_complete(src->index))
		pin(q, src->index);
	else
		q->walk = walk_begin(e, q, want);
}

int search_run(struct engine *e, struct seeker *k, const struct search_want *want,
               struct tuple **found, uint64_t *count)
{
	struct search *q = k ? find(k, want->slot) : NULL;
	struct source src;

	if (q && q->walk) {
		if (!walk_ready(e, q->walk))
			return ENGINE_AGAIN;
		*count = want->counting ? q->walk->count
		                        : gather(e, whole(&q->walk->found), want, found);
		return 0;
	}
	src = source_of(e, want->space, want->template);
	if (!src.exact) {
		if (k)
			begin(e, k, want, &src);
		return ENGINE_AGAIN;
	}
	if (want->counting)
		*count = bucket_count(src.bucket) + (want->hidden ? bucket_count(src.hidden) : 0);
	else
		*count = gather(e, src.bucket, want, found);
	return 0;
}

static bool is_pending(struct engine *e, const struct search *q)
{
	return (q->index && !index_complete(q->index)) || (q->walk && !walk_ready(e, q->walk));
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

		list_remove(&q->pin);
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
