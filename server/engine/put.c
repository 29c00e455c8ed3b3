/* out and outs. */
#include "state.h"

bool put_refused(struct engine *e, struct conn *c, uint64_t n, enum message_op op,
                 struct room_ask *a)
{
	const char *name = message_rows[op].name;
	bool refused = true;

	if (c->session->number && !outcome_room(e, c->session))
		reply_error(e, c, n, 0, ERROR_UNACKNOWLEDGED,
		            "%s: too many replies of this session are not acknowledged", name);
	else if (room_judge(e, a))
		reply_error(e, c, n, a->batch, a->code, "%s: %.*s", name, (int)a->why.len,
		            (const char *)a->why.data);
	else
		refused = false;
	return refused;
}

/* The tuples of an out or outs, to be judged as one. */
static void ask_room(struct room_ask *a, struct space *s, const struct request *r)
{
	struct item_head h;
	const uint8_t *p;

	room_open(a, r->op == MESSAGE_OUTS ? "tuple" : NULL);
	if (r->op == MESSAGE_OUT) {
		room_put(a, s, r->value);
		return;
	}
	for (p = item_head(r->value.p, &h); h.arg > 0; h.arg--) {
		struct bytes tuple = item_bytes(p);

		room_put(a, s, tuple);
		p += tuple.n;
	}
}

uint64_t put_one(struct engine *e, struct space *s, struct bytes item)
{
	struct tuple *t = tuple_create(engine_id(e), item);
	uint64_t id = t->id;

	space_touch(e, s);
	if (!s->is_volatile) {
		struct change *c = reply_change(e, CHANGE_PUT);

		c->space = s->number;
		c->id = id;
		c->bytes = tuple_bytes(t);
	}
	ring_note(e, s, RING_PUT, t);
	space_appear(e, s, t);
	return id;
}

/* Puts the tuples one after the other and writes their ids as the result. */
static uint64_t put_list(struct engine *e, struct space *s, const struct request *r,
                         struct buf *result)
{
	struct item_head h;
	const uint8_t *p = item_head(r->value.p, &h);
	uint64_t id = 0;

	item_put_head(result, ITEM_ARRAY, h.arg);
	for (uint64_t i = 0; i < h.arg; i++) {
		struct bytes item = item_bytes(p);

		id = put_one(e, s, item);
		item_put_uint(result, id);
		p = item.p + item.n;
	}
	return id;
}

/* Whether what `unless` names is there, in *there; or ENGINE_AGAIN. */
static int look_unless(struct engine *e, struct conn *c, const struct request *r,
                       struct space *s, bool *there)
{
	struct template t;
	struct search_want want = {
		.space = s, .template = &t, .max = 1,
		.counting = true, .hidden = !request_visible(r),
	};
	uint64_t count;
	int code;

	*there = false;
	if (!request_has(r, OPTION_UNLESS))
		return 0;
	template_open(&t, r->option[OPTION_UNLESS].s);
	code = search_run(e, &c->seeker, &want, NULL, &count);
	template_close(&t);
	*there = code == 0 && count > 0;
	return code;
}

int put_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct space *s = request_space(e, c, r);
	struct buf *result = &e->result;
	struct room_ask ask;
	uint64_t id;
	bool there, refused;

	if (!s)
		return 0;
	if (!s->is_volatile && ev->batch_full)
		return ENGINE_AGAIN;
	if (look_unless(e, c, r, s, &there) != 0)
		return ENGINE_AGAIN;
	if (there) {
		reply_null(e, c, r->n, s->last_batch);
		return 0;
	}
	ask_room(&ask, s, r);
	refused = put_refused(e, c, r->n, r->op, &ask);
	room_close(&ask);
	if (refused)
		return 0;
	buf_clear(result, 65536);
	if (r->op == MESSAGE_OUT)
		item_put_uint(result, id = put_one(e, s, r->value));
	else
		id = put_list(e, s, r, result);
	outcome_result(e, c->session, r->n, !s->is_volatile, buf_bytes(result));
	item_put_item(reply_begin(e, r->n), buf_bytes(result));
	reply_end(e, c, r->n, engine_wait(e, id, s->last_batch), false);
	return 0;
}
