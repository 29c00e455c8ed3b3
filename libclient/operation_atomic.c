/* tilia.h: tilia_atomic. */
#include "operation.h"

#include "error.h"
#include "item.h"
#include "tuple.h"

static const char *const names[] = {
	[TILIA_STEP_IN] = "in",
	[TILIA_STEP_RD] = "rd",
	[TILIA_STEP_NO] = "no",
	[TILIA_STEP_OUT] = "out",
};
#define KINDS (sizeof names / sizeof *names)

/* Every failure names its step. */
static int refuse(struct tilia *t, size_t at, const char *why)
{
	return client_failf(t, ERROR_USAGE, "step %zu: %s", at, why);
}

static int judge(struct tilia *t, size_t at, const struct tilia_step *s)
{
	bool out = s->kind == TILIA_STEP_OUT;

	if ((unsigned)s->kind >= KINDS)
		return refuse(t, at, "no such kind");
	if ((s->text == NULL) == (s->cbor == NULL))
		return refuse(t, at, "text or cbor, one of them");
	if (!out && (s->ttl_ms != 0 || s->delay_ms != 0 || s->bound))
		return refuse(t, at, "ttl_ms, delay_ms and bound are for what is put");
	if (s->kind != TILIA_STEP_NO && s->visible)
		return refuse(t, at, "visible is for no");
	return 0;
}

/* The canonical template or tuple of a step. */
static int read_item(struct tilia *t, const struct tilia_step *s, struct buf *item)
{
	unsigned flags = s->kind == TILIA_STEP_OUT ? DIAG_REFS : DIAG_FORMALS;

	if (s->text != NULL)
		return operation_parse(t, s->text, flags, item);
	return operation_copy(t, (struct bytes){s->cbor, s->size}, item);
}

static void put_guard(struct operation *o, const struct tilia_step *s, const char *space,
                      struct bytes item)
{
	struct message_options w = {0};

	item_put_head(&o->body, ITEM_ARRAY, 3 + s->visible);
	item_put_text(&o->body, names[s->kind]);
	item_put_text(&o->body, s->space == NULL ? space : s->space);
	item_put_item(&o->body, item);
	if (s->visible)
		message_option_number(&w, OPTION_HIDDEN, false);
	message_options_put(&o->body, &w);
}

static int put_step(struct tilia *t, struct operation *o, const struct tilia_step *s,
                    const char *space)
{
	struct tilia_put put = {.space = s->space, .ttl_ms = s->ttl_ms, .delay_ms = s->delay_ms,
	                        .bound = s->bound};
	struct buf item = BUF_INIT;
	int code = read_item(t, s, &item);

	if (code == 0 && s->kind != TILIA_STEP_OUT) {
		put_guard(o, s, space, buf_bytes(&item));
	} else if (code == 0) {
		item_put_head(&o->body, ITEM_ARRAY, 1 + operation_put_items(&put));
		item_put_text(&o->body, names[s->kind]);
		code = operation_put(t, o, &put, space, buf_bytes(&item));
	}
	buf_close(&item);
	return code;
}

static int build(struct tilia *t, struct operation *o, const struct tilia_op *op,
                 const struct tilia_step *steps, size_t count)
{
	const char *space = op == NULL || op->space == NULL ? t->space : op->space;
	int code = 0;

	operation_begin(o, MESSAGE_ATOMIC);
	item_put_head(&o->body, ITEM_ARRAY, count);
	o->args++;
	for (size_t i = 0; i < count && code == 0; i++) {
		code = judge(t, i, &steps[i]);
		if (code == 0)
			code = put_step(t, o, &steps[i], space);
	}
	return code == 0 ? operation_options(t, o, op) : code;
}

/* ---- its answer: [[[id, tuple] | null...], [id...]], or null when it timed out ------- */

static bool is_match(const uint8_t *p)
{
	struct item_head h, id;
	const uint8_t *first = item_head(p, &h);

	return *p == ITEM_NULL ||
	       (h.major == ITEM_ARRAY && h.arg >= 2 && *first >> 5 == ITEM_UINT &&
	                           *item_head(first, &id) >> 5 == ITEM_ARRAY);
}

int operation_atomic_answer(struct bytes body)
{
	struct item_head h = {0}, list;
	const uint8_t *p = body.n == 0 ? NULL : item_head(body.p, &h);

	if (body.n == 1 && body.p[0] == ITEM_NULL)
		return TILIA_NONE;
	if (p == NULL || h.major != ITEM_ARRAY || h.arg != 2)
		return ERROR_MALFORMED;
	for (int outs = 0; outs < 2; outs++) {
		p = item_head(p, &list);
		if (list.major != ITEM_ARRAY)
			return ERROR_MALFORMED;
		for (uint64_t i = 0; i < list.arg; i++, p = item_skip(p))
			if (outs ? *p >> 5 != ITEM_UINT : !is_match(p))
				return ERROR_MALFORMED;
	}
	return 0;
}

/* What the guard at `p` matched. */
static int read_match(const uint8_t *p, struct tilia_step *s)
{
	if ((s->kind == TILIA_STEP_NO) != (*p == ITEM_NULL))
		return ERROR_MALFORMED;
	return *p == ITEM_NULL ? 0 : tuple_entry(p, &s->found);
}

/* One of the answer's two arrays, for the steps that are outs or are not. */
static int read_array(const uint8_t *p, bool outs, struct tilia_step *steps, size_t count)
{
	struct item_head h;
	int code = 0;

	p = item_head(p, &h);
	for (size_t i = 0; i < count && code == 0; i++) {
		if ((steps[i].kind == TILIA_STEP_OUT) != outs)
			continue;
		if (h.arg-- == 0)
			return ERROR_MALFORMED;
		if (outs)
			message_number(p, &steps[i].id);
		else
			code = read_match(p, &steps[i]);
		p = item_skip(p);
	}
	return code == 0 && h.arg != 0 ? ERROR_MALFORMED : code;
}

static int read_answer(struct bytes body, struct tilia_step *steps, size_t count)
{
	int code = operation_atomic_answer(body);
	struct item_head h;
	const uint8_t *p;

	if (code != 0)
		return code;
	p = item_head(body.p, &h);
	code = read_array(p, false, steps, count);
	return code == 0 ? read_array(item_skip(p), true, steps, count) : code;
}

static void forget(struct tilia_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		tilia_tuple_free(steps[i].found);
		steps[i].found = NULL;
	}
}

int tilia_atomic(struct tilia *t, const struct tilia_op *op, struct tilia_step *steps, size_t count)
{
	struct call_result r = {0};
	struct operation o;
	int code;

	for (size_t i = 0; i < count; i++) {
		steps[i].found = NULL;
		steps[i].id = 0;
	}
	code = build(t, &o, op, steps, count);
	if (code == 0)
		code = operation_ask_built(t, &o, &r);
	if (code == 0) {
		code = operation_explained(t, read_answer(buf_bytes(&r.body), steps, count));
		if (code < 0)
			forget(steps, count);
	}
	call_result_close(&r);
	operation_close(&o);
	return code;
}
