/* commit and renew. A commit is looked at in full before anything changes: one
 * stale token, and nothing does. */
#include "state.h"

/* What a commit comes to. */
struct commit {
	uint32_t done, back;         /* claims up to these places are; the rest is buried */
	uint32_t named, stale;
	uint64_t twice;              /* a token that stands there twice, or 0 */
	bool durable, is_volatile;   /* touches such a space */
	uint64_t outs;
	struct room_ask room; /* of what it puts */
};

static void touches(struct commit *k, const struct space *s)
{
	k->durable |= !s->is_volatile;
	k->is_volatile |= s->is_volatile;
}

static void name(struct engine *e, const struct session *s, struct commit *k, uint64_t token)
{
	struct claim *c = claim_find(e, s, token);

	if (!c) {
		e->stale[k->stale++] = token;
	} else if (c->named) {
		k->twice = token;
	} else {
		c->named = true;
		e->named[k->named++] = c;
		touches(k, c->space);
	}
}

/* Looks up the claims of a list of tokens, or of [token, delay]. */
static void name_list(struct engine *e, const struct session *s, struct commit *k,
                      struct bytes list, bool pairs)
{
	struct item_head h;
	const uint8_t *p = item_head(list.p, &h);

	for (uint64_t n = h.arg; n > 0; n--, p = item_skip(p)) {
		uint64_t token;

		message_number(pairs ? item_head(p, &h) : p, &token);
		name(e, s, k, token);
	}
}

static void name_claims(struct engine *e, const struct session *s, const struct request *r,
                        struct commit *k)
{
	if (request_has(r, OPTION_DONE))
		name_list(e, s, k, r->option[OPTION_DONE].s, false);
	k->done = k->named;
	if (request_has(r, OPTION_BACK))
		name_list(e, s, k, r->option[OPTION_BACK].s, true);
	k->back = k->named;
	if (request_has(r, OPTION_BURY))
		name_list(e, s, k, r->option[OPTION_BURY].s, false);
	for (uint32_t i = 0; i < k->named; i++)
		e->named[i]->named = false;
}

static bool look_at_outs(struct engine *e, struct conn *c, const struct request *r,
                         struct commit *k)
{
	struct bytes list = r->option[OPTION_OUTS].s, space, tuple;
	struct message_put put;
	struct item_head h;
	const uint8_t *p;

	if (!request_has(r, OPTION_OUTS))
		return true;
	p = item_head(list.p, &h);
	for (; k->outs < h.arg; k->outs++) {
		struct space *s;
		int shown;

		p = message_out_read(p, &space, &tuple, &put);
		s = space_find(e, space);
		shown = (int)(space.n < 80 ? space.n : 80);
		if (!request_may(c, space, MESSAGE_OUT)) {
			reply_error(e, c, r->n, 0, ERROR_DENIED,
			            "commit: this session may not put into %.*s", shown,
			            (const char *)space.p);
			return false;
		}
		if (!s) {
			reply_error(e, c, r->n, 0, ERROR_NO_SPACE, "commit: no such space: %.*s",
			            shown, (const char *)space.p);
			return false;
		}
		touches(k, s);
		room_put(&k->room, s, tuple);
	}
	return true;
}

/* Whether there are, or can be, the dead-letter spaces it needs. */
static bool look_at_graves(struct engine *e, struct conn *c, const struct request *r,
                           const struct commit *k)
{
	size_t missing = 0;
	int code = 0;

	for (uint32_t i = k->back; i < k->named && code == 0; i++) {
		const struct space *s = e->named[i]->space;

		if (s->dropped)
			continue; /* its tuples just go */
		missing += !space_dead(e, s, true, &code);
		if (code == 0 && missing > e->config.limits.spaces - e->spaces.count)
			code = ERROR_LIMIT;
	}
	if (code)
		reply_error(e, c, r->n, 0, code, "commit: %s",
		            code == ERROR_LIMIT
		                    ? "too many spaces: no dead-letter space can be made"
		                    : "its dead-letter space is not of the same durability");
	return code == 0;
}

/* The claims to be given back, each with its delay. */
static void give_back(struct engine *e, const struct request *r, const struct commit *k)
{
	struct item_head h;
	const uint8_t *p = k->back > k->done ? item_head(r->option[OPTION_BACK].s.p, &h) : NULL;

	for (uint32_t i = k->done; i < k->back; i++, p = item_skip(p)) {
		uint64_t delay_ms = 0;

		message_number(item_skip(item_head(p, &h)), &delay_ms);
		claim_back(e, e->named[i], false, delay_ms);
	}
}

static void end_claims(struct engine *e, const struct request *r, const struct commit *k)
{
	for (uint32_t i = 0; i < k->done; i++)
		claim_done(e, e->named[i]);
	give_back(e, r, k);
	for (uint32_t i = k->back; i < k->named; i++)
		if (!claim_bury(e, e->named[i]))
			claim_back(e, e->named[i], false, 0);
}

/* Room is what there is when its claims have ended. */
static bool is_full(struct engine *e, struct conn *c, const struct request *r, struct commit *k)
{
	for (uint32_t i = 0; i < k->named; i++)
		if (i < k->done || i >= k->back)
			room_gone(&k->room, e->named[i]->space, e->named[i]->tuple);
	return put_refused(e, c, r->n, r->op, &k->room);
}

/* Whether it can be done; else it is answered. */
static bool look(struct engine *e, struct conn *c, const struct request *r, struct commit *k)
{
	name_claims(e, c->session, r, k);
	if (k->stale) {
		reply_stale(e, c, r, c->session->claim_batch, e->stale, k->stale);
		return false;
	}
	if (k->twice) {
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "commit: the token %llu stands there twice",
		            (unsigned long long)k->twice);
		return false;
	}
	if (!look_at_outs(e, c, r, k))
		return false;
	if (k->durable && k->is_volatile) {
		reply_error(e, c, r->n, 0, ERROR_MIXED,
		            "commit: touches both durable and volatile spaces");
		return false;
	}
	return look_at_graves(e, c, r, k) && !is_full(e, c, r, k);
}

/* Puts its tuples and writes their ids as the result; answers the last. */
static uint64_t put_outs(struct engine *e, struct session *s, const struct request *r,
                         uint64_t count, struct buf *result)
{
	struct bytes space, tuple;
	struct message_put put;
	struct item_head h;
	const uint8_t *p = count ? item_head(r->option[OPTION_OUTS].s.p, &h) : NULL;
	uint64_t id = 0;

	item_put_head(result, ITEM_ARRAY, count);
	for (; count > 0; count--) {
		p = message_out_read(p, &space, &tuple, &put);
		id = put_one(e, s, space_find(e, space), tuple, &put);
		item_put_uint(result, id);
	}
	return id;
}

int commit_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct buf *result = &e->result;
	struct commit k = {0};
	uint64_t id;
	bool ok;

	room_open(&k.room, "out");
	ok = look(e, c, r, &k);
	room_close(&k.room);
	if (!ok)
		return 0;
	if (k.durable && ev->batch_full)
		return ENGINE_AGAIN;
	end_claims(e, r, &k);
	buf_clear(result, 65536);
	id = put_outs(e, c->session, r, k.outs, result);
	if (k.named || k.outs)
		outcome_result(e, c->session, r->n, k.durable, buf_bytes(result));
	item_put_item(reply_begin(e, r->n), buf_bytes(result));
	reply_end(e, c, r->n, engine_wait(e, id, k.durable ? e->batch : 0), false);
	return 0;
}

int commit_renew(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct commit k = {0};
	struct buf *b;

	if (r->number < 1 || r->number > MESSAGE_LEASE_MAX) {
		reply_error(e, c, r->n, 0, ERROR_LIMIT, "renew: the lease is not 1 to %d",
		            MESSAGE_LEASE_MAX);
		return 0;
	}
	name_list(e, c->session, &k, r->value, false);
	for (uint32_t i = 0; i < k.named; i++)
		e->named[i]->named = false;
	if (k.stale) {
		reply_stale(e, c, r, c->session->claim_batch, e->stale, k.stale);
		return 0;
	}
	if (k.twice) {
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "renew: the token %llu stands there twice",
		            (unsigned long long)k.twice);
		return 0;
	}
	b = reply_begin(e, r->n);
	item_put_head(b, ITEM_ARRAY, k.named);
	for (uint32_t i = 0; i < k.named; i++)
		item_put_uint(b, claim_renew(e, e->named[i], r->number));
	reply_end(e, c, r->n, 0, false);
	return 0;
}
