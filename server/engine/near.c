#include "near.h"

#include "bucket.h"
#include "state.h"

#include "../../libclient/explain.h"

#define NEAR_INDEXES 2 /* of those that bind most fields */
#define NEAR_BUCKET 8  /* candidates of each of their buckets, visible ones and hidden ones */
#define NEAR_ENDS 8    /* of the oldest and of the newest of all, likewise */

static bool is_nearer(const struct near *near, unsigned at, unsigned matching, uint64_t id)
{
	return at >= near->count || matching > near->at[at].matching ||
	       (matching == near->at[at].matching && id > near->at[at].tuple->id);
}

static void consider(struct near *near, const struct template *t, const struct tuple *v,
                     bool hidden)
{
	unsigned matching, at = 0;
	int field;

	near->looked++;
	if (v->fields != t->shape.arity)
		return;
	for (unsigned i = 0; i < near->count; i++)
		if (near->at[i].tuple == v)
			return;
	field = explain_field(tuple_bytes(t->tuple).p, tuple_bytes(v).p, &matching);
	while (!is_nearer(near, at, matching, v->id))
		at++;
	if (at == NEAR_TUPLES)
		return;
	near->count += near->count < NEAR_TUPLES;
	for (unsigned i = near->count - 1; i > at; i--)
		near->at[i] = near->at[i - 1];
	near->at[at].tuple = v;
	near->at[at].matching = matching;
	near->at[at].field = field;
	near->at[at].hidden = hidden;
}

static void look_at_bucket(struct near *near, const struct template *t, void *bucket, bool hidden)
{
	struct tuple *v = bucket_first(bucket);

	for (unsigned n = 0; v && n < NEAR_BUCKET; n++, v = bucket_after(bucket, v->id))
		consider(near, t, v, hidden);
}

/* Whether it binds fields only that the template binds: then it has a bucket of tuples
 * that agree with the template in them. */
static bool is_coarser(const struct index *x, const struct template *t)
{
	if (!index_complete(x) || x->field != INDEX_BY_ID || x->bound == 0)
		return false;
	for (unsigned i = 0; i < x->arity; i++)
		if (x->class[i] == SHAPE_BOUND && t->shape.class[i] != SHAPE_BOUND)
			return false;
	return true;
}

/* The coarser indexes that bind most fields. */
static void look_at_indexes(const struct engine *e, const struct space *s,
                            const struct template *t, struct near *near)
{
	const struct arity *a = s->arities[t->shape.arity];
	struct index *best[NEAR_INDEXES + 1] = {NULL};
	struct keys k;

	for (const struct list *it = a->indexes.next; it != &a->indexes; it = it->next) {
		struct index *x = list_entry(it, struct index, link);
		unsigned at = NEAR_INDEXES;

		if (!is_coarser(x, t))
			continue;
		for (; at > 0 && (!best[at - 1] || best[at - 1]->bound < x->bound); at--)
			best[at] = best[at - 1];
		best[at] = x;
	}
	keys_of(&k, t->tuple, e->config.hash_seed);
	for (unsigned i = 0; i < NEAR_INDEXES && best[i]; i++) {
		struct index_key key = {.index = best[i], .tuple = t->tuple};

		look_at_bucket(near, t, index_bucket(best[i], &key, &k, false), false);
		look_at_bucket(near, t, index_bucket(best[i], &key, &k, true), true);
	}
}

static void look_from(struct near *near, const struct template *t, const struct seq *s,
                      uint64_t after, bool hidden)
{
	struct seq_cursor at;
	struct tuple *v = seq_after(s, after, &at);

	for (unsigned n = 0; v && n < NEAR_ENDS; n++, v = seq_next(&at))
		consider(near, t, v, hidden);
}

static void look_at_ends(struct near *near, const struct template *t, const struct seq *s,
                         bool hidden)
{
	const struct tuple *last = seq_last(s);

	look_from(near, t, s, 0, hidden);
	if (last && last->id > NEAR_ENDS)
		look_from(near, t, s, last->id - NEAR_ENDS, hidden);
}

void near_find(const struct engine *e, struct space *s, const struct template *t,
               struct near *near)
{
	*near = (struct near){0};
	if (t->all || !s->arities[t->shape.arity])
		return;
	look_at_indexes(e, s, t, near);
	look_at_ends(near, t, &s->all, false);
	look_at_ends(near, t, &s->hidden, true);
}
