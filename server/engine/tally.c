#include "bucket.h"
#include "state.h"

#include <assert.h>

static struct tally *find(const struct waitkey *k, bool visible)
{
	for (struct list *it = k->tallies.next; it != &k->tallies; it = it->next) {
		struct tally *y = list_entry(it, struct tally, link);

		if (!y->tuple && y->visible == visible)
			return y;
	}
	return NULL;
}

static struct tally *create(struct waiter *w, uint64_t count)
{
	struct tally *y = xcalloc(1, sizeof *y);

	y->tuple = w->residue ? w->tuple : NULL;
	y->visible = w->visible;
	y->count = count;
	heap_init(&y->least);
	heap_init(&y->none);
	list_init(&y->changed);
	list_append(&w->key->tallies, &y->link);
	return y;
}

void tally_join(struct waiter *w, uint64_t count)
{
	struct tally *y = w->residue ? NULL : find(w->key, w->visible);

	if (!y)
		y = create(w, count);
	assert(y->count == count);
	y->waiters++;
	w->tally = y;
	if (!w->atomic) {
		heap_insert(w->least ? &y->least : &y->none, &w->mark, w->least);
		return;
	}
	if (!y->atomics || w->atomic->spare > y->spare)
		y->spare = w->atomic->spare;
	y->atomics = bucket_add(y->atomics, w);
}

void tally_leave(struct waiter *w)
{
	struct tally *y = w->tally;

	heap_remove(w->least ? &y->least : &y->none, &w->mark);
	if (w->atomic)
		y->atomics = bucket_remove(y->atomics, w);
	w->tally = NULL;
	if (--y->waiters > 0)
		return;
	list_remove(&y->link);
	list_remove(&y->changed);
	heap_close(&y->least);
	heap_close(&y->none);
	xfree(y);
}

void tally_change(struct engine *e, struct waitkey *k, const struct tuple *t, bool hidden,
                  bool enters)
{
	for (struct list *it = k->tallies.next; it != &k->tallies; it = it->next) {
		struct tally *y = list_entry(it, struct tally, link);

		if ((hidden && y->visible) || (y->tuple && !template_match_tuple(y->tuple, t)))
			continue;
		assert(enters || y->count > 0);
		y->count += enters ? 1 : UINT64_MAX;
		list_remove(&y->changed);
		list_append(&e->tallies, &y->changed);
	}
}

/* The next whose number is reached, or NULL. */
static struct waiter *due(const struct tally *y)
{
	struct heap_node *node = heap_first(&y->least);

	if (!node || node->key > y->count)
		node = y->count == 0 ? heap_first(&y->none) : NULL;
	return node ? list_entry(node, struct waiter, mark) : NULL;
}

static void answer(struct engine *e, struct waiter *w, uint64_t count)
{
	struct buf *b = reply_begin(e, w->n);

	if (w->drain)
		item_put_head(b, ITEM_ARRAY, 0);
	else
		item_put_uint(b, count);
	reply_end(e, w->session->conn, w->n, w->space->last_batch, false);
	waiter_free(e, w);
}

/* Answers those of a tally whose number is reached. While something of the space is
 * overdue the number may not be right: it is looked at again after the next step. */
static void settle(struct engine *e, struct tally *y)
{
	bool last = false;

	while (!last) {
		struct waiter *w = due(y);

		if (!w)
			list_remove(&y->changed);
		if (!w && y->atomics && y->count <= y->spare)
			atomic_wake(e, bucket_first(y->atomics));
		if (!w || overdue_in(e, w->space))
			return;
		last = y->waiters == 1; /* it ends the tally */
		answer(e, w, y->count);
	}
}

void tally_settle(struct engine *e)
{
	list_each(it, &e->tallies)
		settle(e, list_entry(it, struct tally, changed));
}
