/* tilia.h: claims. */
#include "operation.h"

#include "error.h"
#include "item.h"

static void put_tokens(struct operation *o, const char *name, const uint64_t *tokens, size_t count)
{
	if (count == 0)
		return;
	item_put_text(&o->body, name);
	item_put_head(&o->body, ITEM_ARRAY, count);
	for (size_t i = 0; i < count; i++)
		item_put_uint(&o->body, tokens[i]);
}

static int put_backs(struct tilia *t, struct operation *o, const struct tilia_commit *c)
{
	if (c->back_count == 0)
		return 0;
	item_put_text(&o->body, "back");
	item_put_head(&o->body, ITEM_ARRAY, c->back_count);
	for (size_t i = 0; i < c->back_count; i++) {
		int64_t delay_ms = c->back_delay_ms == NULL ? 0 : c->back_delay_ms[i];

		if (delay_ms < 0)
			return client_fail(t, ERROR_USAGE, "back_delay_ms is negative");
		item_put_head(&o->body, ITEM_ARRAY, 2);
		item_put_uint(&o->body, c->back[i]);
		item_put_uint(&o->body, (uint64_t)delay_ms);
	}
	return 0;
}

static int put_out(struct tilia *t, struct operation *o, const struct tilia_put *put)
{
	struct buf scratch = BUF_INIT;
	struct bytes item;
	int code = operation_canonical(t, (struct bytes){put->cbor, put->size}, &item, &scratch);

	if (code == 0) {
		item_put_head(&o->body, ITEM_ARRAY, operation_put_items(put));
		code = operation_put(t, o, put, t->space, item);
	}
	buf_close(&scratch);
	return code;
}

static int put_outs(struct tilia *t, struct operation *o, const struct tilia_commit *c)
{
	int code = 0;

	if (c->out_count == 0)
		return 0;
	item_put_text(&o->body, "out");
	item_put_head(&o->body, ITEM_ARRAY, c->out_count);
	for (size_t i = 0; i < c->out_count && code == 0; i++)
		code = put_out(t, o, &c->out[i]);
	return code;
}

/* The numbers of an answer, which there must be `count` of; `to` may be NULL. */
static int read_numbers(struct tilia *t, struct bytes body, size_t count, uint64_t *to)
{
	struct item_head h = {0};
	const uint8_t *p = body.n == 0 ? NULL : item_head(body.p, &h);

	if (p == NULL || h.major != ITEM_ARRAY || h.arg != count)
		return operation_explained(t, ERROR_MALFORMED);
	for (size_t i = 0; i < count; i++) {
		p = item_head(p, &h);
		if (h.major != ITEM_UINT)
			return operation_explained(t, ERROR_MALFORMED);
		if (to != NULL)
			to[i] = h.arg;
	}
	return 0;
}

/* Builds the request; operation_close() in any case. 0, or a code that tilia_error()
 * explains; so below. */
static int build_commit(struct tilia *t, struct operation *o, const struct tilia_commit *c)
{
	unsigned parts = (c->done_count > 0) + (c->back_count > 0) + (c->bury_count > 0) +
	                 (c->out_count > 0);
	int code;

	operation_begin(o, MESSAGE_COMMIT);
	item_put_head(&o->body, ITEM_MAP, parts);
	o->args++;
	code = put_outs(t, o, c); /* in the order of the keys' bytes: the shorter first */
	if (code == 0)
		code = put_backs(t, o, c);
	put_tokens(o, "bury", c->bury, c->bury_count);
	put_tokens(o, "done", c->done, c->done_count);
	return code == 0 && o->body.failed ? client_fail(t, ERROR_NOMEM, NULL) : code;
}

static int build_renew(struct tilia *t, struct operation *o, const uint64_t *tokens, size_t count,
                       int64_t lease_ms)
{
	operation_begin(o, MESSAGE_RENEW);
	if (lease_ms <= 0)
		return client_fail(t, ERROR_USAGE, "the lease is not above 0");
	item_put_head(&o->body, ITEM_ARRAY, count);
	for (size_t i = 0; i < count; i++)
		item_put_uint(&o->body, tokens[i]);
	item_put_uint(&o->body, (uint64_t)lease_ms);
	o->args += 2;
	return o->body.failed ? client_fail(t, ERROR_NOMEM, NULL) : 0;
}

/* Asks, if it could be built, and waits for so many numbers. */
static int ask(struct tilia *t, struct operation *o, int code, size_t count, uint64_t *numbers)
{
	struct call_result r = {0};

	if (code == 0)
		code = operation_ask_built(t, o, &r);
	if (code == 0)
		code = read_numbers(t, buf_bytes(&r.body), count, numbers);
	call_result_close(&r);
	operation_close(o);
	return code;
}

int tilia_commit(struct tilia *t, const struct tilia_commit *c, uint64_t *ids)
{
	struct operation o;

	return ask(t, &o, build_commit(t, &o, c), c->out_count, ids);
}

int tilia_renew(struct tilia *t, const uint64_t *tokens, size_t count, int64_t lease_ms,
                uint64_t *left_ms)
{
	struct operation o;

	return ask(t, &o, build_renew(t, &o, tokens, count, lease_ms), count, left_ms);
}

/* Queues it, if it could be built. Its answer is a list of numbers as that of outs. */
static int64_t submit(struct tilia *t, struct operation *o, int64_t code,
                      void (*done)(struct tilia *t, struct tilia_done *d, void *arg), void *arg)
{
	if (code == 0 && t->fatal != 0)
		code = t->fatal;
	if (code == 0 && done == NULL)
		code = client_fail(t, ERROR_USAGE, "a request without a callback");
	if (code == 0)
		code = call_submit(t, o, TILIA_OUTS, done, arg);
	operation_close(o);
	return code;
}

int64_t tilia_submit_commit(struct tilia *t, const struct tilia_commit *c,
                            void (*done)(struct tilia *t, struct tilia_done *d, void *arg),
                            void *arg)
{
	struct operation o;

	return submit(t, &o, build_commit(t, &o, c), done, arg);
}

int64_t tilia_submit_renew(struct tilia *t, const uint64_t *tokens, size_t count,
                           int64_t lease_ms,
                           void (*done)(struct tilia *t, struct tilia_done *d, void *arg),
                           void *arg)
{
	struct operation o;

	return submit(t, &o, build_renew(t, &o, tokens, count, lease_ms), done, arg);
}
