/* A request on its way in: what forbids it, whether it was sent before, its
 * handler, and what is noted of it afterwards. */
#include "state.h"

bool request_may(const struct conn *c, struct bytes space, unsigned op)
{
	const struct session *s = c->session;

	return (c->may.n == 0 || message_may(c->may, space, op)) &&
	       (s->may.n == 0 || message_may(s->may, space, op));
}

struct space *request_space(struct engine *e, struct conn *c, const struct request *r)
{
	struct space *s = space_find(e, r->space);

	if (!s)
		reply_error(e, c, r->n, 0, ERROR_NO_SPACE, "%s: no such space: %.*s",
		            message_rows[r->op].name, (int)(r->space.n < 80 ? r->space.n : 80),
		            (const char *)r->space.p);
	return s;
}

static int ping(struct engine *e, struct conn *c, const struct event *ev)
{
	reply_null(e, c, ev->request->n, 0);
	return 0;
}

static void ack_range(uint64_t from, uint64_t to, void *ctx)
{
	void **both = ctx;

	session_ack(both[0], both[1], from, to);
}

static int ack(struct engine *e, struct conn *c, const struct event *ev)
{
	message_ranges(ev->request->value, ack_range, (void *[]){e, c->session});
	return 0;
}

static int (*const handlers[MESSAGE_OPS])(struct engine *, struct conn *, const struct event *) = {
	[MESSAGE_HELLO] = session_hello, [MESSAGE_OUT] = put_run,
	[MESSAGE_OUTS] = put_run,        [MESSAGE_IN] = take_run,
	[MESSAGE_RD] = take_run,         [MESSAGE_COUNT] = count_run,
	[MESSAGE_CANCEL] = hello_cancel, [MESSAGE_ACK] = ack,
	[MESSAGE_SPACE] = admin_space,   [MESSAGE_STATS] = stats_run,
	[MESSAGE_PING] = ping,           [MESSAGE_BYE] = hello_bye,
	[MESSAGE_COMMIT] = commit_run,   [MESSAGE_RENEW] = commit_renew,
	[MESSAGE_WAIT] = count_run,      [MESSAGE_ATOMIC] = atomic_run,
	[MESSAGE_WATCH] = watch_run,
};

bool request_spoken(enum message_op op)
{
	return op == MESSAGE_ACK || handlers[op];
}

/* A request of a resumed session that this connection, or the one before,
 * has sent already. True: it needs no execution. */
static bool is_resend(struct engine *e, struct conn *c, const struct request *r)
{
	struct session *s = c->session;
	struct waiter *w = waiter_find(s, r->n);
	struct outcome *o = seq_find(&s->outcomes, r->n);
	struct early *early = seq_remove(&s->early, r->n);

	xfree(early);
	if (early)
		return true;
	if (o && o->attach != s->attach) {
		o->attach = s->attach;
		if (!list_empty(&o->claims))
			reply_claims(e, c, o, o->space->last_batch, false);
		else if (o->count > 0)
			reply_tuples(e, c, r->n, o->space->last_batch, false, o->taken, o->count);
		else {
			item_put_item(reply_begin(e, r->n), o->result);
			reply_end(e, c, r->n, o->batch, false);
		}
	}
	if (o)
		return true;
	if (!w)
		return false;
	w->resent = true;
	if (waiter_stands(w))
		return true;
	c->old_n = w->n; /* it could not go back to its place without work: it is done again */
	c->old_order = w->order;
	waiter_free(e, w);
	return false;
}

/* What forbids the request, as an error reply. */
static bool is_refused(struct engine *e, struct conn *c, const struct request *r)
{
	bool listing = r->op == MESSAGE_SPACE && bytes_equal(r->verb, bytes_of("list"));

	if (r->op != MESSAGE_HELLO && r->n <= c->last_n)
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "%s: request numbers rise; %llu is not above %llu",
		            message_rows[r->op].name, (unsigned long long)r->n,
		            (unsigned long long)c->last_n);
	else if (!request_spoken(r->op))
		reply_error(e, c, r->n, 0, ERROR_REQUEST, "%s is not spoken yet",
		            message_rows[r->op].name);
	else if (e->stopping && r->op != MESSAGE_BYE && r->op != MESSAGE_PING)
		reply_error(e, c, r->n, 0, ERROR_STOPPING, "the server is stopping");
	else if (message_rows[r->op].rights && !listing && !request_may(c, r->space, r->op))
		reply_error(e, c, r->n, 0, ERROR_DENIED, "%s: this session may not do that on %.*s",
		            message_rows[r->op].name, (int)(r->space.n < 80 ? r->space.n : 80),
		            (const char *)r->space.p);
	else
		return false;
	return true;
}

static void accepted(struct engine *e, struct conn *c, const struct request *r)
{
	e->requests[r->op]++;
	search_end(&c->seeker);
	survey_end(c);
	c->old_order = 0;
	if (r->op == MESSAGE_HELLO || r->op == MESSAGE_ACK)
		return;
	c->greeted = true;
	if (r->n > c->last_n)
		c->last_n = r->n;
	if (!c->first_n)
		c->first_n = r->n;
}

/* Whether a request waits for work that is not finished. */
static bool is_parked(struct engine *e, struct conn *c)
{
	return search_pending(e, &c->seeker) || survey_pending(c);
}

int request_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	int err = 0;

	if (c->leaving || !c->session)
		return 0;
	if (is_parked(e, c)) /* the request before it, or itself */
		return ENGINE_AGAIN;
	if (r->op == MESSAGE_ACK)
		ack(e, c, ev);
	else if (!is_refused(e, c, r) &&
	         (c->session->number == 0 || r->op == MESSAGE_HELLO || !is_resend(e, c, r)))
		err = handlers[r->op](e, c, ev);
	if (err == 0)
		accepted(e, c, r);
	return err;
}

int request_bad(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct message_error *b = ev->bad;

	if (c->leaving)
		return 0;
	if (is_parked(e, c)) /* the request before it, or itself */
		return ENGINE_AGAIN;
	c->greeted = true;
	if (!b->fatal && b->n > c->last_n)
		c->last_n = b->n;
	if (!b->fatal && !c->first_n)
		c->first_n = b->n;
	reply_error(e, c, b->n, 0, b->code, "%s", b->text);
	if (b->fatal)
		reply_close(e, c, false);
	return 0;
}
