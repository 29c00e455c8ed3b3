/* in, rd and count: search, and wait when nothing is there, in one step. */
#include "bucket.h"
#include "state.h"

#define ENTRY_BYTES 32 /* of a reply, beside a tuple's own */

/* What there is to look through for a template. */
enum source {
	SOURCE_BUCKET, /* everything in the bucket matches */
	SOURCE_AGAIN,  /* an index must be built first */
	SOURCE_WALK,   /* a walk is needed */
};

/* `hidden` is asked for when counting; NULL: hidden tuples are nothing to it. */
static enum source source_of(struct engine *e, struct space *s, const struct template *t,
                             void **bucket, void **hidden, struct index **x)
{
	void *none, **other = hidden ? hidden : &none;

	*bucket = *other = NULL;
	*x = NULL;
	if (t->all) {
		*bucket = s->all.count ? (void *)((uintptr_t)&s->all | 1) : NULL;
		*other = s->hidden.count ? (void *)((uintptr_t)&s->hidden | 1) : NULL;
		return SOURCE_BUCKET;
	}
	switch (index_get(e, s, t, x)) {
	case INDEX_BUILDING:
		return SOURCE_AGAIN;
	case INDEX_NONE:
		return SOURCE_WALK;
	case INDEX_READY:
		break;
	}
	*bucket = index_bucket(e, *x, t, false);
	if (hidden)
		*hidden = index_bucket(e, *x, t, true);
	return t->residue && (*bucket || *other) ? SOURCE_WALK : SOURCE_BUCKET;
}

static void park(struct conn *c, struct index *x)
{
	c->pinned = x;
	x->pins++;
	list_append(&x->parked, &c->park);
}

static uint64_t option(const struct request *r, enum message_option o, uint64_t missing)
{
	return request_has(r, o) ? r->option[o].u : missing;
}

/* The oldest matches, as many as are wanted and fit a reply, into e->some. */
static uint32_t gather(struct engine *e, void *bucket, uint64_t after, uint64_t max)
{
	uint64_t bytes = 0;
	uint32_t count = 0;

	while (count < max) {
		struct tuple *t = bucket_after(bucket, after);

		if (!t)
			break;
		bytes += t->size + ENTRY_BYTES;
		if (count > 0 && bytes > e->config.limits.reply_bytes)
			break;
		e->some[count++] = t;
		after = t->id;
	}
	return count;
}

void take_give(struct engine *e, struct session *s, uint64_t n, struct space *sp,
               struct tuple **t, uint32_t count, uint64_t lease_ms)
{
	space_touch(e, sp);
	if (lease_ms > 0) {
		reply_claims(e, s->conn, claim_take(e, s, n, sp, t, count, lease_ms),
		             sp->last_batch, s->number == 0);
		return;
	}
	for (uint32_t i = 0; !sp->is_volatile && i < count; i++) {
		struct change *c = reply_change(e, s->number ? CHANGE_STATE : CHANGE_DELETE);

		c->space = sp->number;
		c->id = t[i]->id;
		c->bytes = tuple_bytes(t[i]);
		c->tries = t[i]->tries;
		c->session = s->number;
		c->number = s->number ? n : 0;
	}
	outcome_taken(e, s, n, sp, t, count);
	reply_tuples(e, s->conn, n, sp->last_batch, s->number == 0, t, count);
}

/* What is wrong with the options, or NULL. */
static const char *refusal(struct engine *e, struct conn *c, const struct request *r, int *code)
{
	uint64_t max = option(r, OPTION_MAX, 1);

	*code = ERROR_LIMIT;
	if (max < 1 || max > MESSAGE_LIST_MAX)
		return "max is from 1 to 1024";
	*code = ERROR_UNACKNOWLEDGED;
	if (r->op == MESSAGE_IN && !outcome_room(e, c->session))
		return "too many replies of this session are not acknowledged";
	*code = ERROR_LIMIT;
	if (request_has(r, OPTION_LEASE) && claim_room(e, c->session) == 0)
		return "too many claims of this session are open";
	return NULL;
}

/* Takes the visible tuples in e->some. */
static void take_found(struct engine *e, struct session *s, uint64_t n, struct space *sp,
                       uint32_t count, uint64_t lease_ms)
{
	for (uint32_t i = 0; i < count; i++)
		(lease_ms > 0 ? space_hide : space_vanish)(e, sp, e->some[i]);
	take_give(e, s, n, sp, e->some, count, lease_ms);
}

static void answer_found(struct engine *e, struct conn *c, const struct request *r,
                         struct space *s, uint32_t count)
{
	if (r->op == MESSAGE_RD)
		reply_tuples(e, c, r->n, s->last_batch, false, e->some, count);
	else
		take_found(e, c->session, r->n, s, count, option(r, OPTION_LEASE, 0));
}

static void answer_nothing(struct engine *e, struct conn *c, const struct request *r,
                           struct space *s, struct template *t)
{
	const char *why;

	if (request_has(r, OPTION_TIMEOUT) && r->option[OPTION_TIMEOUT].u == 0)
		reply_tuples(e, c, r->n, s->last_batch, false, NULL, 0);
	else if (waiter_create(e, c, r, s, t, &why))
		reply_error(e, c, r->n, 0, ERROR_LIMIT, "%s: %s", message_rows[r->op].name, why);
}

/* The matches of a request, in e->some and *count; or ENGINE_AGAIN. */
static int search(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                  struct template *t, uint32_t *count)
{
	uint64_t after = option(r, OPTION_AFTER, 0), max = option(r, OPTION_MAX, 1);
	uint32_t room = request_has(r, OPTION_LEASE) ? claim_room(e, c->session) : MESSAGE_LIST_MAX;
	struct index *x;
	void *bucket;

	max = max < room ? max : room;
	if (c->walk) {
		if (!walk_ready(e, c->walk))
			return ENGINE_AGAIN;
		bucket = c->walk->found.count ? (void *)((uintptr_t)&c->walk->found | 1) : NULL;
		*count = gather(e, bucket, after, max);
		walk_end(e, c->walk);
		return 0;
	}
	switch (source_of(e, s, t, &bucket, NULL, &x)) {
	case SOURCE_AGAIN:
		park(c, x);
		return ENGINE_AGAIN;
	case SOURCE_WALK:
		walk_begin(e, c, r, s, t);
		return ENGINE_AGAIN;
	case SOURCE_BUCKET:
		break;
	}
	*count = gather(e, bucket, after, max);
	return 0;
}

int take_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct space *s = request_space(e, c, r);
	struct template t;
	const char *why;
	uint32_t count;
	int code;

	if (!s)
		return 0;
	if (r->op == MESSAGE_IN && !s->is_volatile && ev->batch_full)
		return ENGINE_AGAIN;
	why = refusal(e, c, r, &code);
	if (why) {
		reply_error(e, c, r->n, 0, code, "%s: %s", message_rows[r->op].name, why);
		return 0;
	}
	template_open(&t, r->value);
	code = search(e, c, r, s, &t, &count);
	if (code == 0 && count > 0)
		answer_found(e, c, r, s, count);
	else if (code == 0)
		answer_nothing(e, c, r, s, &t);
	template_close(&t);
	return code;
}

int take_count(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct space *s = request_space(e, c, r);
	struct template t;
	enum source source;
	struct index *x;
	void *bucket, *hidden;
	uint64_t count;

	if (!s)
		return 0;
	if (c->walk) {
		if (!walk_ready(e, c->walk))
			return ENGINE_AGAIN;
		count = c->walk->count;
		walk_end(e, c->walk);
	} else {
		template_open(&t, r->value);
		source = source_of(e, s, &t, &bucket, &hidden, &x);
		if (source == SOURCE_AGAIN)
			park(c, x);
		else if (source == SOURCE_WALK)
			walk_begin(e, c, r, s, &t);
		count = bucket_count(bucket) + bucket_count(hidden);
		template_close(&t);
		if (source != SOURCE_BUCKET)
			return ENGINE_AGAIN;
	}
	item_put_uint(reply_begin(e, r->n), count);
	reply_end(e, c, r->n, s->last_batch, false);
	return 0;
}

static void reenter_answer(struct engine *e, struct waiter *w, uint32_t count)
{
	struct session *s = w->session;

	if (!w->take) {
		reply_tuples(e, s->conn, w->n, w->space->last_batch, false, e->some, count);
		return;
	}
	take_found(e, s, w->n, w->space, count, w->lease_ms);
}

/* How many claims a waiter may get. */
static uint32_t room_for(const struct engine *e, const struct waiter *w)
{
	uint32_t room = claim_room(e, w->session);

	return w->max < room ? w->max : room;
}

void take_reenter(struct engine *e, struct waiter *w)
{
	struct template t;
	enum source source;
	struct index *x;
	uint32_t count;
	void *bucket;

	if (w->space->dropped) {
		reply_error(e, w->session->conn, w->n, w->space->last_batch, ERROR_NO_SPACE,
		            "the space was dropped");
		waiter_free(e, w);
		return;
	}
	if (w->take &&
	    (!outcome_room(e, w->session) || (w->lease_ms && !claim_room(e, w->session))))
		return;
	template_open(&t, w->tuple ? tuple_bytes(w->tuple)
	                           : (struct bytes){(const uint8_t *)"\xf6", 1});
	source = source_of(e, w->space, &t, &bucket, NULL, &x);
	template_close(&t);
	if (source != SOURCE_BUCKET)
		return;
	count = gather(e, bucket, w->after, w->lease_ms ? room_for(e, w) : w->max);
	if (count == 0) {
		waiter_enter(e, w);
		return;
	}
	reenter_answer(e, w, count);
	waiter_free(e, w);
}
