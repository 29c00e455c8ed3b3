/* A search that no index answers alone looks at the tuples of some buckets (or of
 * the whole space) in the order in which it wants them, in slices; one that counts
 * at the hidden ones too. What enters or leaves where it has been is noticed at
 * once, the rest is left to the walk; so its answer is that of one instant: the one
 * at which it is asked again.
 *
 * When the order is by values and there is no room for an index of it, the walk goes
 * by ids through everything and keeps the first in that order. */
#include "source.h"
#include "state.h"

#define SPARE 64 /* kept beyond what is wanted by a walk that would have to begin anew */

static struct walk *walk_of_work(struct work *w)
{
	return list_entry(w, struct walk, work);
}

/* Whether it may match at all: only then has it the field of the walk's order. */
static bool is_candidate(const struct walk *w, const struct tuple *t)
{
	return t->id > w->after && (w->template.all || t->fields == w->template.shape.arity);
}

/* Whether the candidate is one that was looked at. */
static bool has_seen(const struct walk *w, const struct tuple *t)
{
	struct place at = order_place(&w->order, t);

	return t->id <= w->scanned && (w->to_end || order_compare(&w->order, &at, &w->reach) <= 0);
}

/* Its reach must not depend on a tuple that may go. */
static void own_reach(struct walk *w)
{
	struct bytes value;

	if (w->to_end || !w->reach.value || w->reach.value == w->value.data)
		return;
	value = item_bytes(w->reach.value);
	buf_clear(&w->value, 4096);
	buf_append(&w->value, value.p, value.n);
	w->reach.value = w->value.data;
}

/* How many of its finds come before the tuple. */
static uint32_t find(const struct walk *w, const struct tuple *t)
{
	uint32_t low = 0, high = w->found_count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (order_before(&w->order, w->found[mid], t))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add(struct walk *w, struct tuple *t)
{
	uint32_t at = find(w, t);

	memmove(w->found + at + 1, w->found + at, (w->found_count - at) * sizeof *w->found);
	w->found[at] = t;
	if (++w->found_count <= w->keep)
		return;
	w->found_count--; /* one too many: the last, and what is behind it is unknown again */
	w->reach = order_place(&w->order, w->found[w->found_count - 1]);
	w->to_end = false;
	own_reach(w);
}

static void look(struct walk *w, struct tuple *t)
{
	if (!is_candidate(w, t) || !has_seen(w, t) || !template_match(&w->template, t))
		return;
	if (w->counting)
		w->count++;
	else
		add(w, t);
}

static uint64_t matches(const struct walk *w)
{
	return w->counting ? w->count : w->found_count;
}

static void walk_done(struct engine *e, struct walk *w)
{
	w->done = true;
	work_end(&w->work);
	w->search->seeker->ready(e, w->search->seeker);
}

/* What testing a tuple costs, in units: a long template, or the skipping of a tuple's
 * many items, takes longer than a step to the next tuple. */
static unsigned test_units(const struct walk *w, const struct tuple *t)
{
	return w->template.residue ? 1 + (w->template.tuple->size + t->size) / 1024 : 1;
}

/* It has come to the tuple, or to the end. */
static void advance(struct walk *w, const struct tuple *t)
{
	if (!w->sorted)
		w->scanned = t ? t->id : UINT64_MAX;
	else if (t)
		w->reach = order_place(&w->order, t);
	else
		w->to_end = true;
}

static unsigned walk_run(struct engine *e, struct work *work, unsigned units)
{
	struct walk *w = walk_of_work(work);
	struct place from = {NULL, 0, w->scanned};
	struct source src;
	unsigned used = 0;

	source_open(&src, e, w->space, w->search->index, &w->template, w->hidden);
	source_seek(&src, w->sorted ? &w->reach : &from);
	while (used < units) {
		struct tuple *t = source_next(&src);

		used++;
		if (t && w->sorted && w->max > 0 && matches(w) >= w->max) {
			walk_done(e, w);
			break;
		}
		advance(w, t);
		if (!t) {
			walk_done(e, w);
			break;
		}
		used += test_units(w, t) - 1;
		look(w, t);
	}
	own_reach(w);
	return used;
}

struct walk *walk_begin(struct engine *e, struct search *q, const struct search_want *want)
{
	struct walk *w = xcalloc(1, sizeof *w);
	struct source src;

	w->search = q;
	w->space = want->space;
	w->template = *want->template;
	want->template->tuple = NULL;
	source_open(&src, e, w->space, q->index, &w->template, false);
	if (!want->counting)
		w->order = w->template.order;
	w->sorted = src.order.kind == w->order.kind;
	w->scanned = w->sorted ? UINT64_MAX : 0;
	w->to_end = !w->sorted;
	w->reach = source_start(&src);
	w->after = want->after;
	if (w->order.kind == ORDER_ID)
		w->reach.id = w->after;
	w->max = want->max;
	w->least = want->counting || want->uncut ? want->max : 1;
	w->counting = want->counting;
	w->hidden = want->counting && want->hidden;
	w->keep = w->sorted ? w->max : w->max + SPARE;
	if (!w->counting)
		w->found = xmalloc((w->keep + 1) * sizeof *w->found);
	buf_init(&w->value);
	list_append(&w->space->walks, &w->link);
	work_begin(e, &w->work, walk_run);
	return w;
}

void walk_end(struct walk *w)
{
	work_end(&w->work);
	list_remove(&w->link);
	template_close(&w->template);
	buf_close(&w->value);
	xfree(w->found);
	xfree(w);
}

bool walk_ready(struct engine *e, struct walk *w)
{
	if (w->done && !w->to_end && matches(w) < w->least) {
		w->done = false; /* what it had found is gone: it goes on, or begins anew */
		if (!w->sorted) {
			w->scanned = 0;
			w->to_end = true;
		}
		work_begin(e, &w->work, walk_run);
	}
	return w->done;
}

void walk_enter(struct space *s, struct tuple *t, bool hidden)
{
	list_each(it, &s->walks) {
		struct walk *w = list_entry(it, struct walk, link);

		if (w->hidden || !hidden)
			look(w, t);
	}
}

static void remove_found(struct walk *w, const struct tuple *t)
{
	uint32_t at = find(w, t);

	if (at == w->found_count || w->found[at] != t)
		return;
	w->found_count--;
	memmove(w->found + at, w->found + at + 1, (w->found_count - at) * sizeof *w->found);
}

void walk_leave(struct space *s, struct tuple *t, bool hidden)
{
	list_each(it, &s->walks) {
		struct walk *w = list_entry(it, struct walk, link);

		if ((hidden && !w->hidden) || !is_candidate(w, t))
			continue;
		if (!w->counting)
			remove_found(w, t);
		else if (has_seen(w, t) && template_match(&w->template, t))
			w->count--;
	}
}
