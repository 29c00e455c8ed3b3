/* A search that no index answers alone looks at the tuples of one bucket (or of
 * the whole space) in id order, in slices; one that counts at the hidden ones too.
 * What enters or leaves at or below
 * its position is noticed at once, the rest is left to the walk; so its answer
 * is that of one instant: the one at which the shell gives the request again. */
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
	w->count++;
	if (w->counting)
		return;
	seq_insert(&w->found, t);
	if (w->found.count > w->max) {
		/* It appeared below: the youngest is one too many, and unlooked at again. */
		seq_remove(&w->found, ((struct tuple *)seq_last(&w->found))->id);
		w->position = ((struct tuple *)seq_last(&w->found))->id;
	}
}

static void walk_done(struct engine *e, struct walk *w)
{
	w->done = true;
	work_end(&w->work);
	reply_resume(e, w->conn);
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
	void *hidden = w->counting ? walk_bucket(e, w, true) : NULL;
	unsigned used = 0;

	while (used < units) {
		struct tuple *t = next_of(bucket, hidden, w->position);

		used++;
		if (!t)
			w->position = UINT64_MAX;
		if (!t || (!w->counting && w->found.count >= w->max)) {
			walk_done(e, w);
			break;
		}
		w->position = t->id;
		used += test_units(w, t) - 1;
		walk_found(w, t);
	}
	return used;
}

void walk_begin(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                struct template *t)
{
	struct walk *w = xcalloc(1, sizeof *w);

	w->conn = c;
	w->space = s;
	w->template = *t;
	t->tuple = NULL;
	w->index = index_best(s, &w->template);
	w->n = r->n;
	w->counting = r->op == MESSAGE_COUNT;
	w->after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : 0;
	w->position = w->after;
	w->max = request_has(r, OPTION_MAX) ? (uint32_t)r->option[OPTION_MAX].u : 1;
	seq_init(&w->found);
	list_append(&s->walks, &w->link);
	work_begin(e, &w->work, walk_run);
	c->walk = w;
}

void walk_end(struct engine *e, struct walk *w)
{
	(void)e;
	work_end(&w->work);
	list_remove(&w->link);
	seq_close(&w->found);
	template_close(&w->template);
	w->conn->walk = NULL;
	xfree(w);
}

bool walk_ready(struct engine *e, struct walk *w)
{
	if (w->done && !w->counting && w->found.count == 0 && w->position != UINT64_MAX) {
		w->done = false; /* what it had found is gone: it goes on */
		work_begin(e, &w->work, walk_run);
	}
	return w->done;
}

void walk_enter(struct space *s, struct tuple *t, bool hidden)
{
	list_each(it, &s->walks) {
		struct walk *w = list_entry(it, struct walk, link);

		if (t->id <= w->position && (w->counting || !hidden))
			walk_found(w, t);
	}
}

void walk_leave(struct space *s, struct tuple *t, bool hidden)
{
	list_each(it, &s->walks) {
		struct walk *w = list_entry(it, struct walk, link);

		if (t->id > w->position || t->id <= w->after || (hidden && !w->counting) ||
		    !template_match(&w->template, t))
			continue;
		w->count--;
		seq_remove(&w->found, t->id);
	}
}
