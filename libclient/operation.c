#include "operation.h"

#include "codec.h"
#include "error.h"
#include "item.h"
#include "tuple.h"

void operation_close(struct operation *o)
{
	buf_close(&o->body);
}

void operation_begin(struct operation *o, enum message_op op)
{
	*o = (struct operation){.op = op};
	message_request_begin(&o->body, op);
}

void operation_text(struct operation *o, const char *s)
{
	item_put_text(&o->body, s);
	o->args++;
}

void operation_item(struct operation *o, struct bytes item)
{
	item_put_item(&o->body, item);
	o->args++;
}

/* A request on a space; `item` is canonical. */
int operation_build(struct tilia *t, struct operation *o, enum message_op kind,
                    const struct tilia_op *op, struct bytes item)
{
	int code;

	operation_begin(o, kind);
	operation_text(o, op == NULL || op->space == NULL ? t->space : op->space);
	operation_item(o, item);
	code = operation_options(t, o, op);
	if (code == 0 && o->body.failed)
		code = client_fail(t, ERROR_NOMEM, NULL);
	return code;
}

/* The canonical form of a caller's CBOR, in *scratch when it is another. */
int operation_canonical(struct tilia *t, struct bytes cbor, struct bytes *item, struct buf *scratch)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};
	struct codec_error err = {0};
	struct codec_info info;
	int code = codec_canonical(cbor, item, scratch, &limits, &info, &err);

	if (code == 0)
		return 0;
	if (code == ERROR_NOMEM)
		return client_fail(t, code, NULL);
	return client_failf(t, code == ERROR_MALFORMED ? ERROR_VALUE : code, "byte %zu: %s",
	                    err.offset, err.why == NULL ? error_text(code) : err.why);
}

int operation_copy(struct tilia *t, struct bytes cbor, struct buf *item)
{
	struct buf scratch = BUF_INIT;
	struct bytes canonical;
	int code = operation_canonical(t, cbor, &canonical, &scratch);

	if (code == 0)
		item_put_item(item, canonical);
	buf_close(&scratch);
	return code == 0 && item->failed ? client_fail(t, ERROR_NOMEM, NULL) : code;
}

/* [template, condition] */
static int submit_wait(struct tilia *t, struct operation *o, const struct tilia_op *op,
                       struct bytes item)
{
	struct item_head h;
	const uint8_t *p = item_head(item.p, &h);

	if (h.major != ITEM_ARRAY || h.arg != 2)
		return client_fail(t, ERROR_USAGE, "wait: not [template, condition]");
	operation_begin(o, MESSAGE_WAIT);
	operation_text(o, op == NULL || op->space == NULL ? t->space : op->space);
	operation_item(o, item_bytes(p));
	operation_item(o, item_bytes(item_skip(p)));
	return operation_options(t, o, op);
}

static int submit(struct tilia *t, struct operation *o, enum message_op kind,
                  const struct tilia_op *op, struct bytes item)
{
	switch (kind) {
	case MESSAGE_PING:
	case MESSAGE_STATS:
		operation_begin(o, kind);
		if (item.n != 0)
			operation_item(o, item);
		return 0;
	case MESSAGE_ATOMIC:
		operation_begin(o, kind);
		operation_item(o, item);
		return operation_options(t, o, op);
	case MESSAGE_WAIT:
		return submit_wait(t, o, op, item);
	default:
		return operation_build(t, o, kind, op, item);
	}
}

int operation_submitted(struct tilia *t, struct operation *o, enum tilia_request what,
                        const struct tilia_op *op, struct bytes cbor)
{
	static const enum message_op ops[TILIA_REQUESTS] = {
		[TILIA_OUT] = MESSAGE_OUT,       [TILIA_OUTS] = MESSAGE_OUTS,
		[TILIA_IN] = MESSAGE_IN,         [TILIA_RD] = MESSAGE_RD,
		[TILIA_COUNT] = MESSAGE_COUNT,   [TILIA_WAIT] = MESSAGE_WAIT,
		[TILIA_ATOMIC] = MESSAGE_ATOMIC, [TILIA_PING] = MESSAGE_PING,
		[TILIA_STATS] = MESSAGE_STATS,   [TILIA_WATCH] = MESSAGE_WATCH,
	};
	struct buf scratch = BUF_INIT;
	struct bytes item = {0};
	int code = 0;

	*o = (struct operation){0};
	if ((unsigned)what >= TILIA_REQUESTS)
		return client_fail(t, ERROR_USAGE, "no such request");
	if (cbor.n != 0 || (what != TILIA_PING && what != TILIA_STATS))
		code = operation_canonical(t, cbor, &item, &scratch);
	if (code == 0)
		code = submit(t, o, ops[what], op, item);
	if (code == 0 && o->body.failed)
		code = client_fail(t, ERROR_NOMEM, NULL);
	buf_close(&scratch);
	return code;
}

int operation_number(struct bytes body, uint64_t *v)
{
	struct item_head h;

	if (body.n == 1 && body.p[0] == ITEM_NULL)
		return TILIA_NONE;
	if (body.n == 0)
		return ERROR_MALFORMED;
	item_head(body.p, &h);
	*v = h.arg;
	return h.major == ITEM_UINT ? 0 : ERROR_MALFORMED;
}

int operation_explained(struct tilia *t, int code)
{
	if (code == ERROR_MALFORMED)
		return client_fail(t, code, "the server's answer is not one");
	return code == ERROR_NOMEM ? client_fail(t, code, NULL) : code;
}

int operation_ask_built(struct tilia *t, struct operation *o, struct call_result *r)
{
	return o->body.failed ? client_fail(t, ERROR_NOMEM, NULL)
	                      : call_wait(t, o->op, o->args, buf_bytes(&o->body), r);
}

int operation_ask(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                  struct bytes item, struct call_result *r)
{
	struct operation o;
	int code = operation_build(t, &o, kind, op, item);

	*r = (struct call_result){0};
	if (code == 0)
		code = operation_ask_built(t, &o, r);
	operation_close(&o);
	return code;
}

int operation_ask_number(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                         struct bytes item, uint64_t *v)
{
	struct call_result r;
	uint64_t ignored;
	int code = operation_ask(t, kind, op, item, &r);

	if (code == 0)
		code = operation_explained(
			t, operation_number(buf_bytes(&r.body), v == NULL ? &ignored : v));
	call_result_close(&r);
	return code;
}

int operation_ask_tuples(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                         struct bytes item, struct tilia_tuple **found)
{
	struct call_result r;
	int code = operation_ask(t, kind, op, item, &r);

	*found = NULL;
	if (code == 0)
		code = operation_explained(t, tuple_list(buf_bytes(&r.body), found));
	if (code == ERROR_NOMEM && kind == MESSAGE_IN && r.n != 0)
		call_undo(t, r.n);
	call_result_close(&r);
	return code == 0 && *found == NULL ? TILIA_NONE : code;
}

/* Gives a buffer's memory to the caller. */
int operation_hand_out(struct tilia *t, struct buf *b, void **p, size_t *size)
{
	if (b->failed) {
		buf_close(b);
		return t == NULL ? ERROR_NOMEM : client_fail(t, ERROR_NOMEM, NULL);
	}
	*p = b->data;
	*size = b->len;
	return 0;
}
