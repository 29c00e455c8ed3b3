/* tilia.h: tilia_wait and its forms but C-Linda's. */
#include "operation.h"

#include "error.h"
#include "item.h"

static int put_condition(struct tilia *t, struct operation *o, enum tilia_until until, uint64_t n)
{
	if (until != TILIA_GE && until != TILIA_EQ)
		return client_fail(t, ERROR_USAGE, "until is TILIA_GE or TILIA_EQ");
	if (until == TILIA_EQ && n != 0)
		return client_fail(t, ERROR_USAGE, "TILIA_EQ is for 0 alone");
	item_put_head(&o->body, ITEM_ARRAY, 2);
	item_put_text(&o->body, until == TILIA_GE ? "ge" : "eq");
	item_put_uint(&o->body, n);
	o->args++;
	return 0;
}

int operation_ask_wait(struct tilia *t, const struct tilia_op *op, enum tilia_until until,
                       uint64_t n, struct bytes item, uint64_t *count)
{
	struct call_result r = {0};
	struct operation o;
	uint64_t ignored;
	int code;

	operation_begin(&o, MESSAGE_WAIT);
	operation_text(&o, op == NULL || op->space == NULL ? t->space : op->space);
	operation_item(&o, item);
	code = put_condition(t, &o, until, n);
	if (code == 0)
		code = operation_options(t, &o, op);
	if (code == 0)
		code = operation_ask_built(t, &o, &r);
	if (code == 0)
		code = operation_explained(t, operation_number(buf_bytes(&r.body),
		                                               count == NULL ? &ignored : count));
	call_result_close(&r);
	operation_close(&o);
	return code;
}

int tilia_wait_text(struct tilia *t, const struct tilia_op *op, enum tilia_until until, uint64_t n,
                    const char *text, uint64_t *count)
{
	struct buf item = BUF_INIT;
	int code = operation_parse(t, text, DIAG_FORMALS, &item);

	if (code == 0)
		code = operation_ask_wait(t, op, until, n, buf_bytes(&item), count);
	buf_close(&item);
	return code;
}

int tilia_wait_cbor(struct tilia *t, const struct tilia_op *op, enum tilia_until until, uint64_t n,
                    const void *p, size_t size, uint64_t *count)
{
	struct buf scratch = BUF_INIT;
	struct bytes item;
	int code = operation_canonical(t, (struct bytes){p, size}, &item, &scratch);

	if (code == 0)
		code = operation_ask_wait(t, op, until, n, item, count);
	buf_close(&scratch);
	return code;
}
