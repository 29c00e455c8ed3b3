/* tilia.h: struct tilia_op as the options of a request. */
#include "operation.h"

#include "error.h"
#include "item.h"

#define BIT(o) ((uint64_t)1 << OPTION_##o)

/* A duration; 0 stands for none. */
static int put_ms(struct tilia *t, struct message_options *w, enum message_option o, int64_t ms)
{
	if (ms < 0)
		return client_failf(t, ERROR_USAGE, "%s_ms is negative",
		                    message_option_rows[o].name);
	if (ms > 0)
		message_option_number(w, o, (uint64_t)ms);
	return 0;
}

static void put_flag(struct message_options *w, enum message_option o, bool set, bool value)
{
	if (set)
		message_option_number(w, o, value);
}

/* What op->unless says, into *item. */
static int put_unless(struct tilia *t, struct message_options *w, const struct tilia_op *op,
                      struct buf *item)
{
	int code;

	if (op->unless != NULL && op->unless_cbor != NULL)
		return client_fail(t, ERROR_USAGE, "unless or unless_cbor, not both");
	if (op->unless != NULL)
		code = operation_parse(t, op->unless, DIAG_FORMALS, item);
	else if (op->unless_cbor != NULL)
		code = operation_copy(t, (struct bytes){op->unless_cbor, op->unless_size}, item);
	else
		return 0;
	if (code == 0)
		message_option_bytes(w, OPTION_UNLESS, buf_bytes(item));
	return code;
}

static int collect(struct tilia *t, struct message_options *w, const struct tilia_op *op,
                   struct buf *unless)
{
	int code = 0;

	if (op->timeout_ms < TILIA_NOWAIT)
		return client_fail(t, ERROR_USAGE, "timeout_ms is negative");
	if (op->timeout_ms != 0)
		message_option_number(w, OPTION_TIMEOUT,
		                      op->timeout_ms < 0 ? 0 : (uint64_t)op->timeout_ms);
	if (op->max != 0)
		message_option_number(w, OPTION_MAX, op->max);
	if (op->after != 0)
		message_option_number(w, OPTION_AFTER, op->after);
	put_flag(w, OPTION_ROOM, op->room, true);
	put_flag(w, OPTION_BOUND, op->bound, true);
	put_flag(w, OPTION_DRAIN, op->drain, true);
	put_flag(w, OPTION_HIDDEN, op->visible, false);
	code = put_ms(t, w, OPTION_LEASE, op->lease_ms);
	if (code == 0)
		code = put_ms(t, w, OPTION_TTL, op->ttl_ms);
	if (code == 0)
		code = put_ms(t, w, OPTION_DELAY, op->delay_ms);
	return code == 0 ? put_unless(t, w, op, unless) : code;
}

/* Which options mean nothing with the others. */
static int judge(struct tilia *t, enum message_op kind, uint64_t have)
{
	for (int o = 0; o < OPTIONS; o++)
		if ((have >> o & 1) && !(message_option_rows[o].ops >> kind & 1))
			return client_failf(t, ERROR_USAGE, "%s has no option %s",
			                    message_rows[kind].name, message_option_rows[o].name);
	if (!(MESSAGE_PUTS >> kind & 1))
		return 0;
	if ((have & (BIT(TIMEOUT) | BIT(ROOM))) == BIT(TIMEOUT))
		return client_fail(t, ERROR_USAGE,
		                   "out waits for room alone: timeout_ms without it");
	if ((have & (BIT(HIDDEN) | BIT(UNLESS))) == BIT(HIDDEN))
		return client_fail(t, ERROR_USAGE, "visible is said of unless, which is not there");
	return 0;
}

int operation_options(struct tilia *t, struct operation *o, const struct tilia_op *op)
{
	struct message_options w = {0};
	struct buf unless = BUF_INIT;
	int code;

	if (op == NULL)
		return 0;
	for (size_t i = 0; i < sizeof op->reserved / sizeof *op->reserved; i++)
		if (op->reserved[i] != NULL)
			return client_fail(t, ERROR_USAGE, "the options are not zeroed");
	code = collect(t, &w, op, &unless);
	if (code == 0)
		code = judge(t, o->op, w.have);
	if (code == 0)
		o->args += message_options_put(&o->body, &w);
	buf_close(&unless);
	return code;
}

unsigned operation_put_items(const struct tilia_put *put)
{
	return 2 + (put->ttl_ms != 0 || put->delay_ms != 0 || put->bound);
}

int operation_put(struct tilia *t, struct operation *o, const struct tilia_put *put,
                  const char *space, struct bytes item)
{
	struct message_options w = {0};
	int code = put_ms(t, &w, OPTION_TTL, put->ttl_ms);

	if (code == 0)
		code = put_ms(t, &w, OPTION_DELAY, put->delay_ms);
	put_flag(&w, OPTION_BOUND, put->bound, true);
	item_put_text(&o->body, put->space == NULL ? space : put->space);
	item_put_item(&o->body, item);
	message_options_put(&o->body, &w);
	return code;
}
