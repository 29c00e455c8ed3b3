#include "survey.h"

#include "near.h"
#include "state.h"

#include "../../libclient/explain.h"

#define SURVEY_UNITS 16  /* what an entry costs */
#define SURVEY_SHOWN 4096 /* bytes of a tuple that is shown; a longer one is null */

static void put_near_text(struct buf *b, const struct near *near, unsigned i,
                          const struct template *t, const struct waiter *w)
{
	const struct tuple *v = near->at[i].tuple;
	struct buf text = BUF_INIT;

	if (near->at[i].field != EXPLAIN_MATCH)
		explain_text(&text, tuple_bytes(t->tuple).p, tuple_bytes(v).p, near->at[i].field,
		             "the template");
	else if (near->at[i].hidden)
		buf_text(&text, "it matches, and is claimed or delayed");
	else if (w->after && v->id <= w->after)
		buf_printf(&text, "it matches, and its id is not above %llu",
		           (unsigned long long)w->after);
	else
		buf_text(&text, "it matches");
	item_put_text_n(b, buf_bytes(&text));
	buf_close(&text);
}

/* [[id, tuple, field, text]...] */
static void put_near(struct buf *b, const struct near *near, const struct template *t,
                     const struct waiter *w)
{
	item_put_text(b, "near");
	item_put_head(b, ITEM_ARRAY, near->count);
	for (unsigned i = 0; i < near->count; i++) {
		const struct tuple *v = near->at[i].tuple;

		item_put_head(b, ITEM_ARRAY, 4);
		item_put_uint(b, v->id);
		if (v->size <= SURVEY_SHOWN)
			item_put_item(b, tuple_bytes(v));
		else
			item_put_null(b);
		if (near->at[i].field >= 0)
			item_put_uint(b, (uint64_t)near->at[i].field);
		else
			item_put_null(b);
		put_near_text(b, near, i, t, w);
	}
}

/* What there is to say beside the nearest tuples. */
static void put_text(const struct engine *e, struct buf *b, const struct waiter *w,
                     const struct template *t, const struct near *near)
{
	struct space *s = w->space;
	struct buf text = BUF_INIT;
	struct room_ask ask;

	if (w->putter && seq_first(&s->putters) != w) {
		buf_text(&text, "it stands behind others that wait for room");
	} else if (w->putter) {
		put_room(e, s, &w->putter->put, &ask);
		buf_append(&text, ask.why.data, ask.why.len);
		room_close(&ask);
	} else if (w->op == MESSAGE_WAIT) {
		buf_printf(&text, "there %s %llu, it waits for %s%llu",
		           w->tally->count == 1 ? "is" : "are",
		           (unsigned long long)w->tally->count, w->least ? "at least " : "",
		           (unsigned long long)w->least);
	} else if (s->all.count + s->hidden.count == 0) {
		buf_text(&text, "the space is empty");
	} else if (s->all.count == 0) {
		buf_text(&text, "all tuples of the space are claimed or delayed");
	} else if (!t->all && s->arities[t->shape.arity]->tuples == 0) {
		buf_printf(&text, "no tuple of the space has %u field%s", t->shape.arity,
		           t->shape.arity == 1 ? "" : "s");
	} else if (near->count == 0) {
		buf_text(&text, "none of the tuples that were looked at is near");
	}
	item_put_text(b, "text");
	item_put_text_n(b, buf_bytes(&text));
	buf_close(&text);
}

static void put_uint(struct buf *b, const char *name, uint64_t value)
{
	item_put_text(b, name);
	item_put_uint(b, value);
}

static void put_entry(const struct engine *e, struct survey *v, const struct waiter *w)
{
	struct buf *b = &v->entries;
	struct near near = {.count = 0};
	struct template t;

	waiter_template(w, &t);
	if (!w->putter && w->op != MESSAGE_WAIT)
		near_find(e, w->space, &t, &near);
	item_put_head(b, ITEM_MAP, 10);
	put_uint(b, "n", w->n);
	item_put_text(b, "op");
	item_put_text(b, message_rows[w->op].name);
	item_put_text(b, "mine");
	item_put_bool(b, w->session == v->conn->session);
	put_near(b, &near, &t, w);
	put_text(e, b, w, &t, &near);
	item_put_text(b, "space");
	item_put_text_n(b, w->space->name);
	put_uint(b, "age_ms", e->now_ms - w->since_ms);
	item_put_text(b, "client");
	item_put_text_n(b, w->session->conn->client);
	put_uint(b, "session", w->session->number);
	item_put_text(b, "template");
	if (t.all)
		item_put_null(b);
	else
		item_put_item(b, tuple_bytes(t.tuple));
	template_close(&t);
}

static bool is_shown(const struct survey *v, const struct waiter *w)
{
	return waiter_stands(w) && !w->space->dropped &&
	       request_may(v->conn, w->space->name, MESSAGE_RD);
}

/* Appends the waiter's entry; false: there is no room for more. */
static bool add(struct engine *e, struct survey *v, const struct waiter *w)
{
	size_t before = v->entries.len;

	put_entry(e, v, w);
	if (v->entries.len > e->config.limits.reply_bytes) {
		v->entries.len = before;
		return false;
	}
	v->count++;
	if (w->space->last_batch > v->batch)
		v->batch = w->space->last_batch;
	return v->count < SURVEY_ENTRIES;
}

static unsigned work(struct engine *e, struct work *work, unsigned units)
{
	struct survey *v = list_entry(work, struct survey, work);
	unsigned used = 0;

	while (used < units && !v->done) {
		struct waiter *w = seq_after(&e->waiters, v->order, NULL);

		used++;
		v->done = !w || ++v->looked > SURVEY_LOOKS;
		if (v->done)
			break;
		v->order = w->order;
		if (!is_shown(v, w))
			continue;
		used += SURVEY_UNITS;
		v->done = !add(e, v, w);
	}
	if (v->done) {
		work_end(&v->work);
		reply_resume(e, v->conn);
	}
	return used;
}

int survey_run(struct engine *e, struct conn *c, const struct event *ev)
{
	uint64_t n = ev->request->n;
	struct survey *v = c->survey;
	struct buf *b;

	if (!v) {
		v = c->survey = xcalloc(1, sizeof *v);
		v->conn = c;
		work_begin(e, &v->work, work);
		return ENGINE_AGAIN;
	}
	b = reply_begin(e, n);
	item_put_head(b, ITEM_ARRAY, v->count);
	buf_append(b, v->entries.data, v->entries.len);
	reply_end(e, c, n, v->batch, false);
	return 0;
}

bool survey_pending(const struct conn *c)
{
	return c->survey && !c->survey->done;
}

void survey_end(struct conn *c)
{
	struct survey *v = c->survey;

	if (!v)
		return;
	work_end(&v->work);
	buf_close(&v->entries);
	xfree(v);
	c->survey = NULL;
}
