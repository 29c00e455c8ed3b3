/* tilia.h: C-Linda. */
#include "operation.h"

#include "error.h"
#include "linda.h"
#include "tuple.h"

static int build_linda(struct tilia *t, struct linda *l, bool formals, const char *format,
                       va_list args)
{
	int code = linda_build(l, formals, format, args);

	return code == 0 ? 0 : client_fail(t, code, l->why);
}

int tilia_out_v(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *format,
                va_list args)
{
	struct linda l;
	int code = build_linda(t, &l, false, format, args);

	if (code == 0)
		code = operation_ask_number(t, MESSAGE_OUT, op, buf_bytes(&l.item), id);
	linda_close(&l);
	return code;
}

int tilia_count_v(struct tilia *t, const struct tilia_op *op, uint64_t *count, const char *format,
                  va_list args)
{
	struct linda l;
	int code = build_linda(t, &l, true, format, args);

	if (code == 0)
		code = operation_ask_number(t, MESSAGE_COUNT, op, buf_bytes(&l.item), count);
	linda_close(&l);
	return code;
}

int tilia_wait_v(struct tilia *t, const struct tilia_op *op, enum tilia_until until, uint64_t n,
                 uint64_t *count, const char *format, va_list args)
{
	struct linda l;
	int code = build_linda(t, &l, true, format, args);

	if (code == 0)
		code = operation_ask_wait(t, op, until, n, buf_bytes(&l.item), count);
	linda_close(&l);
	return code;
}

/* Stores the one tuple of an answer. */
static int store(struct tilia *t, struct linda *l, struct bytes body, uint64_t *id)
{
	struct tilia_tuple *tuple;
	int code = operation_explained(t, tuple_list(body, &tuple));

	if (code != 0 || tuple == NULL)
		return code == 0 ? TILIA_NONE : code;
	if (!linda_matches(l, tuple_item(tuple)))
		code = operation_explained(t, ERROR_MALFORMED);
	else
		code = linda_store(l, tuple_item(tuple));
	if (code == 0 && id != NULL)
		*id = tilia_tuple_id(tuple);
	else if (code != 0 && code != ERROR_MALFORMED)
		client_fail(t, code, l->why);
	tilia_tuple_free(tuple);
	return code;
}

static int find(struct tilia *t, enum message_op kind, const struct tilia_op *op, uint64_t *id,
                const char *format, va_list args)
{
	struct call_result r;
	struct linda l;
	int code, undone = 0;

	if (op != NULL && op->max > 1)
		return client_fail(t, ERROR_USAGE, "max is for the forms that answer tuples");
	if (op != NULL && op->lease_ms != 0)
		return client_fail(t, ERROR_USAGE, "lease_ms is for the forms that answer tuples");
	code = build_linda(t, &l, true, format, args);
	if (code != 0) {
		linda_close(&l);
		return code;
	}
	code = operation_ask(t, kind, op, buf_bytes(&l.item), &r);
	if (code == 0)
		code = store(t, &l, buf_bytes(&r.body), id);
	/* What cannot be handed out goes back, and the text says so when it cannot. */
	if ((code == ERROR_VALUE || code == ERROR_NOMEM) && kind == MESSAGE_IN && r.body.len != 0)
		undone = call_undo(t, r.n);
	if (undone != 0 && undone != ERROR_NOMEM)
		client_failf(t, code, "%s; and the tuple could not be put back",
		             l.why[0] != '\0' ? l.why : error_text(code));
	else if (code == ERROR_VALUE && l.why[0] != '\0')
		client_fail(t, code, l.why);
	call_result_close(&r);
	linda_close(&l);
	return code;
}

int tilia_in_v(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *format,
               va_list args)
{
	return find(t, MESSAGE_IN, op, id, format, args);
}

int tilia_rd_v(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *format,
               va_list args)
{
	return find(t, MESSAGE_RD, op, id, format, args);
}

/* Calls the _v form with the arguments after `format`. */
#define VARIADIC(call)                                                                             \
	va_list args;                                                                              \
	int code;                                                                                  \
                                                                                                   \
	va_start(args, format);                                                                    \
	code = call;                                                                               \
	va_end(args);                                                                              \
	return code

static const struct tilia_op at_once = {.timeout_ms = TILIA_NOWAIT};

int tilia_out(struct tilia *t, const char *format, ...)
{
	VARIADIC(tilia_out_v(t, NULL, NULL, format, args));
}

int tilia_in(struct tilia *t, const char *format, ...)
{
	VARIADIC(tilia_in_v(t, NULL, NULL, format, args));
}

int tilia_rd(struct tilia *t, const char *format, ...)
{
	VARIADIC(tilia_rd_v(t, NULL, NULL, format, args));
}

int tilia_inp(struct tilia *t, const char *format, ...)
{
	VARIADIC(tilia_in_v(t, &at_once, NULL, format, args));
}

int tilia_rdp(struct tilia *t, const char *format, ...)
{
	VARIADIC(tilia_rd_v(t, &at_once, NULL, format, args));
}

int tilia_count(struct tilia *t, uint64_t *count, const char *format, ...)
{
	VARIADIC(tilia_count_v(t, NULL, count, format, args));
}

int tilia_wait(struct tilia *t, enum tilia_until until, uint64_t n, const char *format, ...)
{
	VARIADIC(tilia_wait_v(t, NULL, until, n, NULL, format, args));
}

int tilia_wait_x(struct tilia *t, const struct tilia_op *op, enum tilia_until until, uint64_t n,
                 uint64_t *count, const char *format, ...)
{
	VARIADIC(tilia_wait_v(t, op, until, n, count, format, args));
}

int tilia_out_x(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *format, ...)
{
	VARIADIC(tilia_out_v(t, op, id, format, args));
}

int tilia_in_x(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *format, ...)
{
	VARIADIC(tilia_in_v(t, op, id, format, args));
}

int tilia_rd_x(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *format, ...)
{
	VARIADIC(tilia_rd_v(t, op, id, format, args));
}

int tilia_count_x(struct tilia *t, const struct tilia_op *op, uint64_t *count, const char *format,
                  ...)
{
	VARIADIC(tilia_count_v(t, op, count, format, args));
}
