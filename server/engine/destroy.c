/* The end of an engine: everything it owns is freed at once. */
#include "bucket.h"
#include "shelf.h"
#include "state.h"

static void free_tuple(void *item, void *ctx)
{
	(void)ctx;
	tuple_free(item);
}

static void free_record(void *item, void *ctx)
{
	(void)ctx;
	xfree(item);
}

static void free_bucket(void *item, void *ctx)
{
	struct seq *s = bucket_seq(item);

	(void)ctx;
	if (s) {
		seq_close(s);
		xfree(s);
	}
}

static void free_shelf(void *item, void *ctx)
{
	struct tree *tree = shelf_tree(item);

	if (tree) {
		tree_drain(tree, SIZE_MAX, free_bucket, ctx);
		xfree(tree);
	}
}

static void free_index(struct index *x)
{
	hash_drain(&x->buckets, SIZE_MAX, x->field == INDEX_BY_ID ? free_bucket : free_shelf, NULL);
	hash_close(&x->buckets);
	hash_drain(&x->hidden, SIZE_MAX, free_bucket, NULL);
	hash_close(&x->hidden);
	xfree(x);
}

/* Finishes what is half done (dropped indexes, sessions that end), so that
 * nothing is out of reach of the lists. */
static void finish_work(struct engine *e)
{
	while (!list_empty(&e->work)) {
		e->fx->count = 0;
		buf_clear(&e->fx->bytes, 0);
		work_run(e, 1024);
	}
}

static void end_sessions(struct engine *e)
{
	struct session *s;

	for (uint32_t i = 0; i < e->conn_cap; i++) {
		struct conn *c = e->conns[i];

		if (!c)
			continue;
		search_end(&c->seeker);
		survey_end(c);
		s = c->session;
		if (s) {
			s->conn = NULL;
			session_end(e, s, false);
		}
		xfree((void *)(uintptr_t)c->principal.p);
		xfree((void *)(uintptr_t)c->may.p);
		xfree((void *)(uintptr_t)c->client.p);
		xfree(c);
	}
	xfree(e->conns);
	e->conns = NULL;
	e->conn_cap = 0;
	while ((s = seq_first(&e->sessions)))
		session_end(e, s, false);
	if (e->lost) /* it never got ready */
		session_end(e, e->lost, false);
}

static void free_space(struct engine *e, struct space *s)
{
	for (unsigned n = 0; n <= TUPLE_FIELDS; n++) {
		if (!s->arities[n])
			continue;
		list_each(it, &s->arities[n]->indexes)
			free_index(list_entry(it, struct index, link));
		xfree(s->arities[n]);
	}
	seq_drain(&s->all, SIZE_MAX, free_tuple, NULL);
	seq_drain(&s->hidden, SIZE_MAX, free_tuple, NULL);
	overdue_close(s);
	if (s->ring)
		ring_free(e, s->ring);
	xfree((void *)(uintptr_t)s->name.p);
	xfree((void *)(uintptr_t)s->options.dead.p);
	xfree((void *)(uintptr_t)s->options.shape.p);
	xfree(s);
}

void engine_destroy(struct engine *e)
{
	struct effects fx;
	struct space *s;

	effects_init(&fx);
	e->fx = &fx;
	end_sessions(e);
	finish_work(e);
	for (unsigned i = 0; i < 2 * CLOCKS; i++) /* its nodes are the spaces' */
		heap_close(&e->turns[i / 2][i % 2]);
	while ((s = seq_first(&e->spaces))) {
		seq_remove(&e->spaces, s->number);
		free_space(e, s);
	}
	while (e->grave_count > 0)
		tuple_free(e->grave[--e->grave_count]);
	hash_close(&e->space_names);
	hash_close(&e->session_ids);
	hash_close(&e->principals);
	heap_close(&e->timers);
	heap_close(&e->graces);
	heap_close(&e->tries);
	seq_drain(&e->timed, SIZE_MAX, free_record, NULL);
	buf_close(&e->result);
	buf_close(&e->built);
	xfree(e->grave);
	xfree(e);
	effects_close(&fx);
}
