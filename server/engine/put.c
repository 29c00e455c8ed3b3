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

int put_room(const struct engine *e, struct space *s, const struct put *p, struct room_ask *a)
{
	struct item_head h;
	const uint8_t *at;

	room_open(a, p->op == MESSAGE_OUTS ? "tuple" : NULL);
	if (p->op == MESSAGE_OUT) {
		room_put(a, s, p->value);
		return room_judge(e, a);
	}
	for (at = item_head(p->value.p, &h); h.arg > 0; h.arg--) {
		struct bytes tuple = item_bytes(at);

		room_put(a, s, tuple);
		at += tuple.n;
	}
	return room_judge(e, a);
}

uint64_t put_one(struct engine *e, struct session *by, struct space *s, struct bytes item,
                 const struct message_put *how)
{
	struct tuple *t = tuple_create(engine_id(e), item);
	uint64_t id = t->id;
	bool delayed = timed_put(e, by, s, t, how);

	space_touch(e, s);
	if (!s->is_volatile) {
		struct change *c = reply_change(e, CHANGE_PUT);

		c->space = s->number;
		c->id = id;
		c->bytes = tuple_bytes(t);
		timed_row(e, t, c);
	}
	if (delayed) {
		space_store(e, s, t, true);
	} else {
		ring_note(e, s, RING_PUT, t);
		space_appear(e, s, t);
	}
	return id;
}

static struct message_put put_options(const struct request *r)
{
	struct message_put how = {0};

	if (request_has(r, OPTION_TTL))
		how.ttl_ms = r->option[OPTION_TTL].u;
	if (request_has(r, OPTION_DELAY))
		how.delay_ms = r->option[OPTION_DELAY].u;
	if (request_has(r, OPTION_BOUND))
		how.bound = r->option[OPTION_BOUND].u;
	return how;
}

/* Puts the tuples one after the other and writes their ids as the result. */
static uint64_t put_list(struct engine *e, struct session *by, struct space *s,
                         struct bytes list, const struct message_put *how, struct buf *result)
{
	struct item_head h;
	const uint8_t *p = item_head(list.p, &h);
	uint64_t id = 0;

	item_put_head(result, ITEM_ARRAY, h.arg);
	for (uint64_t i = 0; i < h.arg; i++) {
		struct bytes item = item_bytes(p);

		id = put_one(e, by, s, item, how);
		item_put_uint(result, id);
		p = item.p + item.n;
	}
	return id;
}

/* Whether what `unless` names is there, in *there; or ENGINE_AGAIN. */
static int look_unless(struct engine *e, struct space *s, const struct put *p, struct seeker *k,
                       bool *there)
{
	struct template t;
	struct search_want want = {
		.space = s, .template = &t, .max = 1,
		.counting = true, .hidden = !p->visible,
	};
	uint64_t count;
	int code;

	*there = false;
	if (p->unless.n == 0)
		return 0;
	template_open(&t, p->unless);
	code = search_run(e, k, &want, NULL, &count);
	template_close(&t);
	*there = code == 0 && count > 0;
	return code;
}

static void put_all(struct engine *e, struct session *session, uint64_t n, struct space *s,
                    const struct put *p)
{
	struct buf *result = &e->result;
	uint64_t id;

	buf_clear(result, 65536);
	if (p->op == MESSAGE_OUT)
		item_put_uint(result, id = put_one(e, session, s, p->value, &p->how));
	else
		id = put_list(e, session, s, p->value, &p->how, result);
	outcome_result(e, session, n, !s->is_volatile, buf_bytes(result));
	item_put_item(reply_begin(e, n), buf_bytes(result));
	reply_end(e, session->conn, n, engine_wait(e, id, s->last_batch), false);
}

int put_try(struct engine *e, struct session *session, uint64_t n, struct space *s,
            const struct put *p, struct seeker *k, bool waits)
{
	const struct waiter *first = seq_first(&s->putters);
	bool behind = first && &first->putter->put != p, there;
	struct room_ask ask;
	int code = look_unless(e, s, p, k, &there);

	if (code != 0)
		return code;
	if (there) {
		reply_null(e, session->conn, n, s->last_batch);
		return 0;
	}
	code = put_room(e, s, p, &ask);
	if (waits && (code == ERROR_FULL || (code == 0 && behind)))
		code = ask.server ? PUT_SERVER_FULL : PUT_FULL;
	else if (put_refused(e, session->conn, n, p->op, &ask))
		code = 0;
	else
		put_all(e, session, n, s, p);
	room_close(&ask);
	return code;
}

/* Whether it is to wait for room, and how it is then. */
static bool waits_for_room(const struct request *r)
{
	return request_has(r, OPTION_ROOM) && r->option[OPTION_ROOM].u &&
	       !(request_has(r, OPTION_TIMEOUT) && r->option[OPTION_TIMEOUT].u == 0);
}

int put_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct space *s = request_space(e, c, r);
	struct put p = {.op = r->op, .value = r->value, .how = put_options(r),
	                .visible = request_visible(r)};
	bool waits = waits_for_room(r);
	const char *why;
	int code;

	if (!s)
		return 0;
	if (!s->is_volatile && ev->batch_full)
		return ENGINE_AGAIN;
	if (request_has(r, OPTION_UNLESS))
		p.unless = r->option[OPTION_UNLESS].s;
	code = put_try(e, c->session, r->n, s, &p, &c->seeker, waits);
	if (code == 0 || code == ENGINE_AGAIN)
		return code;
	if (putter_create(e, c, r, s, &p, &why))
		reply_error(e, c, r->n, 0, ERROR_LIMIT, "%s: %s", message_rows[r->op].name, why);
	return 0;
}
