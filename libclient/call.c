#include "call.h"

#include "base/xmalloc.h"
#include "error.h"
#include "item.h"
#include "operation.h"
#include "tuple.h"
#include "stream.h"

#include <string.h>

struct call {
	struct list link;  /* in t->calls */
	uint64_t n;
	bool done, orphan; /* waited for: answered; nobody waits any more */
	struct call_result result;
	/* with a callback: */
	enum tilia_request what;
	void (*callback)(struct tilia *t, struct tilia_done *d, void *arg);
	void *arg;
};

static struct call *create(struct tilia *t)
{
	struct call *c = xtry_calloc(1, sizeof(*c));

	if (c != NULL)
		list_append(&t->calls, &c->link);
	return c;
}

static void destroy(struct call *c)
{
	list_remove(&c->link);
	buf_close(&c->result.body);
	xfree(c);
}

void call_result_close(struct call_result *r)
{
	buf_close(&r->body);
}

void call_forget_all(struct tilia *t)
{
	list_each(it, &t->calls)
		destroy(list_entry(it, struct call, link));
}

/* --- answers --------------------------------------------------------------- */

/* Why a request failed; of what happened to the connection the text is there. */
static void explain(struct tilia *t, const struct session_reply *r)
{
	if (r->code == ERROR_CONNECT || r->code == ERROR_CLOSED ||
	    (r->code == t->fatal && t->fatal != 0))
		return;
	client_failf(t, r->code, "%.*s", (int)(r->text.n < 300 ? r->text.n : 300),
	             r->text.n == 0 ? "" : (const char *)r->text.p);
}

static void answer_waiting(struct call *c, const struct session_reply *r)
{
	c->done = true;
	c->result.code = r->code;
	if (r->code == 0 && r->body.n != 0)
		buf_append(&c->result.body, r->body.p, r->body.n);
	if (c->result.body.failed)
		c->result.code = ERROR_NOMEM;
}

/* The result in the form of its request. */
static void read_result(enum tilia_request what, struct bytes body, struct tilia_done *d)
{
	if (what == TILIA_IN || what == TILIA_RD) {
		d->code = tuple_list(body, &d->tuples);
		if (d->code == 0 && d->tuples == NULL)
			d->code = TILIA_NONE;
	} else if (what == TILIA_OUT || what == TILIA_COUNT || what == TILIA_WAIT) {
		d->code = operation_number(body, &d->number);
	} else if (what == TILIA_ATOMIC) {
		d->code = operation_atomic_answer(body);
	} else if (what == TILIA_OUTS && body.n == 1 && body.p[0] == ITEM_NULL) {
		d->code = TILIA_NONE;
	}
}

static void call_back(struct tilia *t, struct call *c, const struct session_reply *r)
{
	struct tilia_done d = {.request = (int64_t)r->n, .code = r->code, .error = "",
	                       .cbor = r->body.p, .size = r->body.n};
	bool outer = t->in_callback;

	if (r->code == 0)
		read_result(c->what, r->body, &d);
	if (d.code == ERROR_NOMEM && r->code == 0 && c->what == TILIA_IN)
		session_cancel(t->session, r->n); /* nobody will see it: it goes back */
	if (d.code < 0)
		d.error = tilia_error(t);
	t->in_callback = true;
	c->callback(t, &d, c->arg);
	t->in_callback = outer;
	tilia_tuple_free(d.tuples);
}

/* A part of its answer: the event of a watch. */
static void call_back_event(struct tilia *t, const struct call *c, const struct session_reply *r)
{
	struct tilia_event event;
	struct tilia_done d = {.request = (int64_t)r->n, .error = "", .cbor = r->body.p,
	                       .size = r->body.n, .event = &event};
	bool outer = t->in_callback;

	d.code = stream_read(r->body, &event);
	if (d.code == TILIA_NONE)
		return;
	if (d.code < 0)
		d.error = tilia_strerror(d.code);
	t->in_callback = true;
	c->callback(t, &d, c->arg);
	t->in_callback = outer;
	tilia_tuple_free(event.tuple);
}

void call_answer(struct tilia *t, const struct session_reply *r)
{
	struct call *c = r->user;

	if (r->op == MESSAGE_BYE)
		t->bye = r->code;
	if (r->code == 1 && c != NULL && c->callback != NULL)
		call_back_event(t, c, r);
	if (r->code == 1 || c == NULL)
		return;
	session_set_user(t->session, r->n, NULL);
	if (r->code < 0 && !c->orphan)
		explain(t, r);
	if (r->code == 0 && r->op == MESSAGE_IN)
		t->last_take = r->n;
	if (c->callback == NULL && !c->orphan) {
		answer_waiting(c, r);
		return;
	}
	if (c->callback != NULL)
		call_back(t, c, r);
	destroy(c);
}

/* --- waiting --------------------------------------------------------------- */

/* Nobody waits for it any more; what it says is dropped when it comes. */
static int leave(struct tilia *t, struct call *c, enum message_op op)
{
	bool unknown = message_rows[op].changes && (op != MESSAGE_IN || !t->resumable);

	c->orphan = true;
	if (unknown)
		return client_fail(t, ERROR_UNKNOWN,
		                   "interrupted; whether it was done is not known");
	return client_fail(t, ERROR_INTERRUPTED, NULL);
}

/* Waits for c's answer; at an interruption cancels it, and waits for the word on
 * that while the server can give it. 0 once it is answered. */
static int await(struct tilia *t, struct call *c, enum message_op op)
{
	bool cancelled = false;
	int code = client_step(t);

	while (!c->done) {
		if (cancelled && t->phase != CLIENT_OPEN)
			return leave(t, c, op);
		code = client_wait(t, INT64_MAX);
		if (code == ERROR_INTERRUPTED) {
			if (cancelled || session_cancel(t->session, c->n) != 0)
				return leave(t, c, op);
			cancelled = true;
			code = client_step(t);
		} else if (code != 0 && !c->done) {
			c->orphan = true;
			return code;
		}
	}
	if (cancelled && c->result.code == ERROR_CANCELLED) {
		c->result.code = ERROR_INTERRUPTED;
		client_fail(t, ERROR_INTERRUPTED, NULL);
	}
	return 0;
}

int call_usable(struct tilia *t)
{
	if (t->fatal != 0)
		return t->fatal;
	if (t->in_callback)
		return client_fail(t, ERROR_USAGE, "a call that waits, within a callback");
	return 0;
}

/* Waits, and moves the answer to *r. */
static int finish(struct tilia *t, struct call *c, enum message_op op, struct call_result *r)
{
	int code = await(t, c, op);

	if (code != 0) {
		*r = (struct call_result){.n = c->n, .code = code};
		return code;
	}
	*r = c->result;
	r->n = c->n;
	buf_init(&c->result.body);
	destroy(c);
	return r->code;
}

int call_wait(struct tilia *t, enum message_op op, unsigned args, struct bytes body,
              struct call_result *r)
{
	int code = call_usable(t);
	struct call *c;

	*r = (struct call_result){0};
	if (code != 0)
		return code;
	c = create(t);
	if (c == NULL)
		return client_fail(t, ERROR_NOMEM, NULL);
	code = session_request(t->session, op, args, body, c, &c->n);
	if (code != 0) {
		destroy(c);
		return client_fail(t, code, NULL);
	}
	code = finish(t, c, op, r);
	if (code == ERROR_NOMEM && op == MESSAGE_IN && r->n != 0)
		call_undo(t, r->n);
	return code;
}

int call_undo(struct tilia *t, uint64_t n)
{
	int code = call_usable(t);
	struct call_result r;
	struct call *c;

	if (code != 0)
		return code;
	if (session_awaits(t->session, n))
		return client_fail(t, ERROR_USAGE, "the request is not finished");
	c = create(t);
	code = session_cancel(t->session, n);
	if (code == 0 && c == NULL)
		code = ERROR_NOMEM; /* nobody waits for the server's word on it */
	if (code != 0) {
		if (c != NULL)
			destroy(c);
		return code == ERROR_USAGE ? TILIA_NONE : client_fail(t, code, NULL);
	}
	c->n = n;
	session_set_user(t->session, n, c);
	code = finish(t, c, MESSAGE_IN, &r);
	call_result_close(&r);
	if (code == ERROR_CANCELLED)
		return 0;
	return code == 0 ? TILIA_NONE : code;
}

int tilia_undo(struct tilia *t, int64_t request)
{
	uint64_t n = request == 0 ? t->last_take : (uint64_t)request;

	return n == 0 ? TILIA_NONE : call_undo(t, n);
}

/* --- without waiting ------------------------------------------------------- */

int64_t call_submit(struct tilia *t, const struct operation *o, enum tilia_request what,
                    void (*done)(struct tilia *t, struct tilia_done *d, void *arg), void *arg)
{
	struct call *c = create(t);
	int code;

	if (c == NULL)
		return client_fail(t, ERROR_NOMEM, NULL);
	c->what = what;
	c->callback = done;
	c->arg = arg;
	code = session_request(t->session, o->op, o->args, buf_bytes(&o->body), c, &c->n);
	if (code != 0) {
		destroy(c);
		return client_fail(t, code, NULL);
	}
	t->dirty = true;
	client_want(t);
	return (int64_t)c->n;
}

int64_t tilia_submit(struct tilia *t, enum tilia_request what, const struct tilia_op *op,
                     const void *cbor, size_t size,
                     void (*done)(struct tilia *t, struct tilia_done *d, void *arg), void *arg)
{
	struct operation o;
	int64_t code;

	if (t->fatal != 0)
		return t->fatal;
	if (done == NULL)
		return client_fail(t, ERROR_USAGE, "a request without a callback");
	code = operation_submitted(t, &o, what, op, (struct bytes){cbor, size});
	if (code == 0)
		code = call_submit(t, &o, what, done, arg);
	operation_close(&o);
	return code;
}

int tilia_cancel(struct tilia *t, int64_t request)
{
	int code;

	if (t->fatal != 0)
		return t->fatal;
	if (request <= 0 || !session_awaits(t->session, (uint64_t)request))
		return client_fail(t, ERROR_USAGE, "the request is finished, or was never there");
	code = session_cancel(t->session, (uint64_t)request);
	t->dirty = true;
	return code == 0 ? 0 : client_fail(t, code, NULL);
}

int tilia_flush(struct tilia *t, size_t most)
{
	int code = call_usable(t);

	if (code == 0 && session_unanswered(t->session) > most)
		code = client_step(t);
	while (code == 0 && session_unanswered(t->session) > most)
		code = client_wait(t, INT64_MAX);
	return code == ERROR_INTERRUPTED ? client_fail(t, code, NULL) : code;
}
