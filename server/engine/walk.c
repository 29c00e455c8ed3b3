/* A search that no index answers alone looks at the tuples of one bucket (or of
 * the whole space) in id order, in slices; one that counts at the hidden ones too.
 * What enters or leaves at or below its position is noticed at once, the rest is
 * left to the walk; so its answer is that of one instant: the one at which it is
 * asked again. */
#include "bucket.h"
#include "state.h"

static struct walk *walk_of_work(struct work *w)
{
	return list_entry(w, struct walk, work);
}

static void walk_found(struct walk *w, struct tuple *t)
{
	if (t->id <= w->after || !template_match(&w->template, t))
		return;
	if (w->counting) {
		w->count++;
		return;
	}
	seq_insert(&w->found, t);
	if (w->found.count > w->max) {
		/* It appeared below: the youngest is one too many, and unlooked at again. */
		seq_remove(&w->found, ((struct tuple *)seq_last(&w->found))->id);
		w->position = ((struct tuple *)seq_last(&w->found))->id;
	}
}

static uint64_t matches(const struct walk *w)
{
	return w->counting ? w->count : w->found.count;
}

static void walk_done(struct engine *e, struct walk *w)
{
	w->done = true;
	work_end(&w->work);
	w->search->seeker->ready(e, w->search->seeker);
}

static void *walk_bucket(const struct engine *e, const struct walk *w, bool hidden)
{
	struct seq *all = hidden ? &w->space->hidden : &w->space->all;

	return w->index ? index_bucket(e, w->index, &w->template, hidden)
	                : (void *)((uintptr_t)all | 1);
}

/* The next tuple of two buckets. */
static struct tuple *next_of(const void *a, const void *b, uint64_t position)
{
	struct tuple *x = bucket_after(a, position), *y = bucket_after(b, position);

	return !x || (y && y->id < x->id) ? y : x;
}

/* What testing a tuple costs, in units: a long template, or the skipping of a tuple's
 * many items, takes longer than a step to the next tuple. */
static unsigned test_units(const struct walk *w, const struct tuple *t)
{
	return w->template.residue ? 1 + (w->template.tuple->size + t->size) / 1024 : 1;
}

static unsigned walk_run(struct engine *e, struct work *work, unsigned units)
{
	struct walk *w = walk_of_work(work);
	void *bucket = walk_bucket(e, w, false);
	void *hidden = w->hidden ? walk_bucket(e, w, true) : NULL;
	unsigned used = 0;

	while (used < units) {
		struct tuple *t = next_of(bucket, hidden, w->position);

		used++;
		if (!t)
			w->position = UINT64_MAX;
		if (!t || (w->max > 0 && matches(w) >= w->max)) {
			walk_done(e, w);
			break;
		}
		w->position = t->id;
		used += test_units(w, t) - 1;
		walk_found(w, t);
	}
	return used;
}

struct walk *walk_begin(struct engine *e, struct search *q, const struct search_want *want)
{
	struct walk *w = xcalloc(1, sizeof *w);

	w->search = q;
	w->space = want->space;
	w->template = *want->template;
	want->template->tuple = NULL;
	w->index = index_best(w->space, &w->template);
	w->counting = want->counting;
	w->hidden = want->counting && want->hidden;
	w->position = w->after = want->after;
	w->max = want->max;
	seq_init(&w->found);
	list_append(&w->space->walks, &w->link);
	work_begin(e, &w->work, walk_run);
	return w;
}

void walk_end(struct walk *w)
{
	work_end(&w->work);
	list_remove(&w->link);
	seq_close(&w->found);
	template_close(&w->template);
	xfree(w);
}

bool walk_ready(struct engine *e, struct walk *w)
{
	if (w->done && matches(w) == 0 && w->position != UINT64_MAX) {
		w->done = false; /* what it had found is gone: it goes on */
		work_begin(e, &w->work, walk_run);
	}
	return w->done;
}

void walk_enter(struct space *s, struct tuple *t, bool hidden)
{
	list_each(it, &s->walks) {
		struct walk *w = list_entry(it, struct walk, link);

		if (t->id <= w->position && (w->hidden || !hidden))
			walk_found(w, t);
	}
}

void walk_leave(struct space *s, struct tuple *t, bool hidden)
{
	list_each(it, &s->walks) {
		struct walk *w = list_entry(it, struct walk, link);

		if (t->id > w->position || t->id <= w->after || (hidden && !w->hidden) ||
		    !template_match(&w->template, t))
			continue;
		if (w->counting)
			w->count--;
		else
			seq_remove(&w->found, t->id);
	}
}
