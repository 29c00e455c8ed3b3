/* in and rd: search, and wait when nothing is there, in one step. */
#include "state.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint64_t option(const struct request *r, enum message_option o, uint64_t missing)
{
	return request_has(r, o) ? r->option[o].u : missing;
}

void take_give(struct engine *e, struct session *s, uint64_t n, struct space *sp,
               struct tuple **t, uint32_t count, uint64_t lease_ms)
{
	space_touch(e, sp);
	for (uint32_t i = 0; i < count; i++)
		ring_note(e, sp, lease_ms > 0 ? RING_CLAIM : RING_TAKE, t[i]);
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

/* How many there are, hidden ones too, for those that end when nothing is left. */
static int count_all(struct engine *e, struct seeker *k, struct space *s, struct template *t,
                     uint64_t *count)
{
	struct search_want want = {
		.space = s, .template = t, .slot = 1, .counting = true, .hidden = true,
	};

	return search_run(e, k, &want, NULL, count);
}

static int answer_nothing(struct engine *e, struct conn *c, const struct request *r,
                          struct space *s, struct template *t)
{
	bool waits = !request_has(r, OPTION_TIMEOUT) || r->option[OPTION_TIMEOUT].u > 0;
	uint64_t exist = 1;
	const char *why;
	int code;

	if (waits && option(r, OPTION_DRAIN, 0)) {
		code = count_all(e, &c->seeker, s, t, &exist);
		if (code != 0)
			return code;
	}
	if (!waits || exist == 0)
		reply_tuples(e, c, r->n, s->last_batch, false, NULL, 0);
	else if (waiter_create(e, c, r, s, t, exist, &why))
		reply_error(e, c, r->n, 0, ERROR_LIMIT, "%s: %s", message_rows[r->op].name, why);
	return 0;
}

int take_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct space *s = request_space(e, c, r);
	struct template t;
	struct search_want want = {.space = s, .template = &t};
	const char *why;
	uint64_t count;
	uint32_t room;
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
	if (t.order.kind != ORDER_ID && request_has(r, OPTION_AFTER)) {
		template_close(&t);
		reply_error(e, c, r->n, 0, ERROR_REQUEST, "%s: after goes by ids, and not with %s",
		            message_rows[r->op].name, t.order.kind == ORDER_MIN ? "min" : "max");
		return 0;
	}
	room = request_has(r, OPTION_LEASE) ? claim_room(e, c->session) : MESSAGE_LIST_MAX;
	want.after = option(r, OPTION_AFTER, 0);
	want.max = least((uint32_t)option(r, OPTION_MAX, 1), room);
	code = search_run(e, &c->seeker, &want, e->some, &count);
	if (code == 0 && count > 0)
		answer_found(e, c, r, s, (uint32_t)count);
	else if (code == 0)
		code = answer_nothing(e, c, r, s, &t);
	template_close(&t);
	return code;
}

static void reenter_answer(struct engine *e, struct waiter *w, uint32_t count)
{
	struct session *s = w->session;

	if (w->op == MESSAGE_RD || count == 0) { /* 0: it drains, and nothing is left */
		reply_tuples(e, s->conn, w->n, w->space->last_batch, false, e->some, count);
		return;
	}
	take_found(e, s, w->n, w->space, count, w->lease_ms);
}

void take_reenter(struct engine *e, struct waiter *w)
{
	struct template t;
	struct search_want want = {
		.space = w->space, .template = &t, .after = w->after, .max = w->max,
	};
	uint64_t count, exist = 1;
	int code;

	if (w->op == MESSAGE_IN &&
	    (!outcome_room(e, w->session) || (w->lease_ms && !claim_room(e, w->session))))
		return;
	waiter_template(w, &t);
	if (w->lease_ms > 0)
		want.max = least(w->max, claim_room(e, w->session));
	code = search_run(e, NULL, &want, e->some, &count);
	if (code == 0 && count == 0 && w->drain)
		code = count_all(e, NULL, w->space, &t, &exist);
	template_close(&t);
	if (code != 0)
		return;
	if (count == 0 && exist > 0) {
		waiter_enter(e, w, exist);
		return;
	}
	reenter_answer(e, w, (uint32_t)count);
	waiter_free(e, w);
}
