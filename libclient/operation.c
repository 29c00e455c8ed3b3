#include "operation.h"

#include "base/xmalloc.h"
#include "call.h"
#include "codec.h"
#include "diag.h"
#include "error.h"
#include "item.h"
#include "linda.h"
#include "tuple.h"

static const struct tilia_op defaults;

/* --- building -------------------------------------------------------------- */

void operation_close(struct operation *o)
{
	buf_close(&o->body);
}

static void begin(struct operation *o, enum message_op op)
{
	*o = (struct operation){.op = op};
	message_request_begin(&o->body, op);
}

static void put_text(struct operation *o, const char *s)
{
	item_put_text(&o->body, s);
	o->args++;
}

static void put_item(struct operation *o, struct bytes item)
{
	item_put_item(&o->body, item);
	o->args++;
}

static int put_options(struct tilia *t, struct operation *o, const struct tilia_op *op)
{
	bool waits = o->op == MESSAGE_IN || o->op == MESSAGE_RD;
	struct message_write_options w = {UINT64_MAX, UINT64_MAX, UINT64_MAX, false};

	if (op->timeout_ms < TILIA_NOWAIT)
		return client_fail(t, ERROR_USAGE, "timeout_ms is negative");
	if ((!waits && (op->timeout_ms != 0 || op->max != 0)) ||
	    (o->op != MESSAGE_RD && op->after != 0))
		return client_fail(t, ERROR_USAGE, "an option that this operation does not have");
	for (size_t i = 0; i < sizeof(op->reserved) / sizeof(op->reserved[0]); i++) {
		if (op->reserved[i] != NULL)
			return client_fail(t, ERROR_USAGE, "the options are not zeroed");
	}
	if (op->timeout_ms != 0)
		w.timeout_ms = op->timeout_ms < 0 ? 0 : (uint64_t)op->timeout_ms;
	if (op->max != 0)
		w.max = op->max;
	if (op->after != 0)
		w.after = op->after;
	o->args += message_options_put(&o->body, &w);
	return 0;
}

/* A request on a space; `item` is canonical. */
static int build(struct tilia *t, struct operation *o, enum message_op kind,
                 const struct tilia_op *op, struct bytes item)
{
	int code;

	if (op == NULL)
		op = &defaults;
	begin(o, kind);
	put_text(o, op->space == NULL ? t->space : op->space);
	put_item(o, item);
	code = put_options(t, o, op);
	if (code == 0 && o->body.failed)
		code = client_fail(t, ERROR_NOMEM, NULL);
	return code;
}

/* The canonical form of a caller's CBOR, in *scratch when it is another. */
static int canonical(struct tilia *t, struct bytes cbor, struct bytes *item, struct buf *scratch)
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

int operation_submitted(struct tilia *t, struct operation *o, enum tilia_request what,
                        const struct tilia_op *op, struct bytes cbor)
{
	static const enum message_op ops[TILIA_REQUESTS] = {
		[TILIA_OUT] = MESSAGE_OUT,     [TILIA_OUTS] = MESSAGE_OUTS, [TILIA_IN] = MESSAGE_IN,
		[TILIA_RD] = MESSAGE_RD,       [TILIA_COUNT] = MESSAGE_COUNT,
		[TILIA_PING] = MESSAGE_PING,   [TILIA_STATS] = MESSAGE_STATS,
	};
	struct buf scratch = BUF_INIT;
	struct bytes item = {0};
	int code = 0;

	*o = (struct operation){0};
	if ((unsigned)what >= TILIA_REQUESTS)
		return client_fail(t, ERROR_USAGE, "no such request");
	if (cbor.n != 0 || (what != TILIA_PING && what != TILIA_STATS))
		code = canonical(t, cbor, &item, &scratch);
	if (code == 0 && (what == TILIA_PING || what == TILIA_STATS)) {
		begin(o, ops[what]);
		if (item.n != 0)
			put_item(o, item);
		code = o->body.failed ? client_fail(t, ERROR_NOMEM, NULL) : 0;
	} else if (code == 0) {
		code = build(t, o, ops[what], op, item);
	}
	buf_close(&scratch);
	return code;
}

/* --- results --------------------------------------------------------------- */

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

static int explained(struct tilia *t, int code)
{
	if (code == ERROR_MALFORMED)
		return client_fail(t, code, "the server's answer is not one");
	return code == ERROR_NOMEM ? client_fail(t, code, NULL) : code;
}

/* Builds, asks, waits. call_result_close(r) in any case. */
static int ask(struct tilia *t, enum message_op kind, const struct tilia_op *op, struct bytes item,
               struct call_result *r)
{
	struct operation o;
	int code = build(t, &o, kind, op, item);

	*r = (struct call_result){0};
	if (code == 0)
		code = call_wait(t, o.op, o.args, buf_bytes(&o.body), r);
	operation_close(&o);
	return code;
}

static int ask_number(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                      struct bytes item, uint64_t *v)
{
	struct call_result r;
	uint64_t ignored;
	int code = ask(t, kind, op, item, &r);

	if (code == 0)
		code = explained(t, operation_number(buf_bytes(&r.body), v == NULL ? &ignored : v));
	call_result_close(&r);
	return code;
}

static int ask_tuples(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                      struct bytes item, struct tilia_tuple **found)
{
	struct call_result r;
	int code = ask(t, kind, op, item, &r);

	*found = NULL;
	if (code == 0)
		code = explained(t, tuple_list(buf_bytes(&r.body), found));
	if (code == ERROR_NOMEM && kind == MESSAGE_IN && r.n != 0)
		call_undo(t, r.n);
	call_result_close(&r);
	return code == 0 && *found == NULL ? TILIA_NONE : code;
}

/* --- C-Linda --------------------------------------------------------------- */

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
		code = ask_number(t, MESSAGE_OUT, op, buf_bytes(&l.item), id);
	linda_close(&l);
	return code;
}

int tilia_count_v(struct tilia *t, const struct tilia_op *op, uint64_t *count, const char *format,
                  va_list args)
{
	struct linda l;
	int code = build_linda(t, &l, true, format, args);

	if (code == 0)
		code = ask_number(t, MESSAGE_COUNT, op, buf_bytes(&l.item), count);
	linda_close(&l);
	return code;
}

/* Stores the one tuple of an answer. */
static int store(struct tilia *t, struct linda *l, struct bytes body, uint64_t *id)
{
	struct tilia_tuple *tuple;
	int code = explained(t, tuple_list(body, &tuple));

	if (code != 0 || tuple == NULL)
		return code == 0 ? TILIA_NONE : code;
	if (!linda_matches(l, tuple_item(tuple)))
		code = explained(t, ERROR_MALFORMED);
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
	int code;

	if (op != NULL && op->max > 1)
		return client_fail(t, ERROR_USAGE, "max is for the forms that answer tuples");
	code = build_linda(t, &l, true, format, args);
	if (code != 0) {
		linda_close(&l);
		return code;
	}
	code = ask(t, kind, op, buf_bytes(&l.item), &r);
	if (code == 0)
		code = store(t, &l, buf_bytes(&r.body), id);
	/* What cannot be handed out goes back, and the text says so when it cannot. */
	if ((code == ERROR_VALUE || code == ERROR_NOMEM) && kind == MESSAGE_IN && r.body.len != 0 &&
	    call_undo(t, r.n) != 0)
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

/* --- text and CBOR --------------------------------------------------------- */

static int parse(struct tilia *t, const char *text, unsigned flags, struct buf *item)
{
	struct diag_error err;
	int code = diag_parse(bytes_of(text), flags, item, NULL, NULL, &err);

	if (code == 0 && item->failed)
		code = ERROR_NOMEM;
	if (code == 0 || t == NULL)
		return code;
	if (code == ERROR_NOMEM)
		return client_fail(t, code, NULL);
	return client_failf(t, code, "byte %zu of the text: %s", err.offset, err.why);
}

static int with_number(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                       struct bytes cbor, uint64_t *v)
{
	struct buf scratch = BUF_INIT;
	struct bytes item;
	int code = canonical(t, cbor, &item, &scratch);

	if (code == 0)
		code = ask_number(t, kind, op, item, v);
	buf_close(&scratch);
	return code;
}

static int with_tuples(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                       struct bytes cbor, struct tilia_tuple **found)
{
	struct buf scratch = BUF_INIT;
	struct bytes item;
	int code;

	*found = NULL;
	code = canonical(t, cbor, &item, &scratch);
	if (code == 0)
		code = ask_tuples(t, kind, op, item, found);
	buf_close(&scratch);
	return code;
}

int tilia_out_text_x(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *text)
{
	struct buf item = BUF_INIT;
	int code = parse(t, text, 0, &item);

	if (code == 0)
		code = ask_number(t, MESSAGE_OUT, op, buf_bytes(&item), id);
	buf_close(&item);
	return code;
}

int tilia_out_text(struct tilia *t, const char *text)
{
	return tilia_out_text_x(t, NULL, NULL, text);
}

int tilia_count_text(struct tilia *t, const struct tilia_op *op, const char *text, uint64_t *count)
{
	struct buf item = BUF_INIT;
	int code = parse(t, text, DIAG_FORMALS, &item);

	if (code == 0)
		code = ask_number(t, MESSAGE_COUNT, op, buf_bytes(&item), count);
	buf_close(&item);
	return code;
}

static int find_text(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                     const char *text, struct tilia_tuple **found)
{
	struct buf item = BUF_INIT;
	int code = parse(t, text, DIAG_FORMALS, &item);

	*found = NULL;
	if (code == 0)
		code = ask_tuples(t, kind, op, buf_bytes(&item), found);
	buf_close(&item);
	return code;
}

int tilia_in_text_x(struct tilia *t, const struct tilia_op *op, const char *text,
                    struct tilia_tuple **found)
{
	return find_text(t, MESSAGE_IN, op, text, found);
}

int tilia_rd_text_x(struct tilia *t, const struct tilia_op *op, const char *text,
                    struct tilia_tuple **found)
{
	return find_text(t, MESSAGE_RD, op, text, found);
}

int tilia_in_text(struct tilia *t, const char *text, struct tilia_tuple **found)
{
	return find_text(t, MESSAGE_IN, NULL, text, found);
}

int tilia_rd_text(struct tilia *t, const char *text, struct tilia_tuple **found)
{
	return find_text(t, MESSAGE_RD, NULL, text, found);
}

int tilia_out_cbor(struct tilia *t, const struct tilia_op *op, const void *p, size_t size,
                   uint64_t *id)
{
	return with_number(t, MESSAGE_OUT, op, (struct bytes){p, size}, id);
}

int tilia_count_cbor(struct tilia *t, const struct tilia_op *op, const void *p, size_t size,
                     uint64_t *count)
{
	return with_number(t, MESSAGE_COUNT, op, (struct bytes){p, size}, count);
}

int tilia_in_cbor(struct tilia *t, const struct tilia_op *op, const void *p, size_t size,
                  struct tilia_tuple **found)
{
	return with_tuples(t, MESSAGE_IN, op, (struct bytes){p, size}, found);
}

int tilia_rd_cbor(struct tilia *t, const struct tilia_op *op, const void *p, size_t size,
                  struct tilia_tuple **found)
{
	return with_tuples(t, MESSAGE_RD, op, (struct bytes){p, size}, found);
}

static int read_ids(struct bytes body, uint64_t *ids)
{
	struct item_head h;
	const uint8_t *p = body.n == 0 ? NULL : item_head(body.p, &h);

	if (p == NULL || h.major != ITEM_ARRAY)
		return ERROR_MALFORMED;
	for (uint64_t count = h.arg, i = 0; ids != NULL && i < count; i++) {
		p = item_head(p, &h);
		if (h.major != ITEM_UINT)
			return ERROR_MALFORMED;
		ids[i] = h.arg;
	}
	return 0;
}

static uint64_t array_count(struct bytes item)
{
	struct item_head h;

	item_head(item.p, &h);
	return h.major == ITEM_ARRAY ? h.arg : 0;
}

int tilia_outs_cbor(struct tilia *t, const struct tilia_op *op, const void *p, size_t size,
                    uint64_t *ids)
{
	struct buf scratch = BUF_INIT;
	struct call_result r = {0};
	struct bytes item;
	int code = canonical(t, (struct bytes){p, size}, &item, &scratch);

	if (code == 0) {
		code = ask(t, MESSAGE_OUTS, op, item, &r);
		if (code == 0 && array_count(item) != array_count(buf_bytes(&r.body)))
			code = explained(t, ERROR_MALFORMED);
		if (code == 0)
			code = explained(t, read_ids(buf_bytes(&r.body), ids));
	}
	call_result_close(&r);
	buf_close(&scratch);
	return code;
}

/* Gives a buffer's memory to the caller. */
static int hand_out(struct tilia *t, struct buf *b, void **p, size_t *size)
{
	if (b->failed) {
		buf_close(b);
		return t == NULL ? ERROR_NOMEM : client_fail(t, ERROR_NOMEM, NULL);
	}
	*p = b->data;
	*size = b->len;
	return 0;
}

int tilia_build_v(struct tilia *t, void **p, size_t *size, const char *format, va_list args)
{
	struct linda l;
	int code = linda_build(&l, true, format, args);

	if (code == 0)
		return hand_out(t, &l.item, p, size);
	linda_close(&l);
	return t == NULL ? code : client_fail(t, code, l.why);
}

int tilia_build(struct tilia *t, void **p, size_t *size, const char *format, ...)
{
	VARIADIC(tilia_build_v(t, p, size, format, args));
}

int tilia_parse(struct tilia *t, void **p, size_t *size, const char *text)
{
	struct buf item = BUF_INIT;
	int code = parse(t, text, DIAG_FORMALS, &item);

	if (code == 0)
		return hand_out(t, &item, p, size);
	buf_close(&item);
	return code;
}

char *tilia_text(const void *p, size_t size)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};
	struct buf scratch = BUF_INIT, text = BUF_INIT;
	struct codec_info info;
	struct bytes item;

	if (codec_canonical((struct bytes){p, size}, &item, &scratch, &limits, &info, NULL) == 0) {
		diag_print(&text, item.p);
		buf_byte(&text, '\0');
	}
	buf_close(&scratch);
	if (text.failed)
		buf_close(&text);
	return (char *)text.data;
}

/* --- spaces and the server ------------------------------------------------- */

/* Asks with what is built, and hands out the answer when `p` is there. */
static int ask_built(struct tilia *t, struct operation *o, void **p, size_t *size)
{
	struct call_result r = {0};
	int code = o->body.failed ? client_fail(t, ERROR_NOMEM, NULL)
	                          : call_wait(t, o->op, o->args, buf_bytes(&o->body), &r);

	operation_close(o);
	if (code == 0 && p != NULL)
		return hand_out(t, &r.body, p, size);
	call_result_close(&r);
	return code;
}

static int ask_space(struct tilia *t, const char *verb, const char *name, bool is_volatile)
{
	struct message_write_options w = {UINT64_MAX, UINT64_MAX, UINT64_MAX, is_volatile};
	struct operation o;

	begin(&o, MESSAGE_SPACE);
	put_text(&o, verb);
	put_text(&o, name);
	o.args += message_options_put(&o.body, &w);
	return ask_built(t, &o, NULL, NULL);
}

int tilia_space_create(struct tilia *t, const char *name, bool is_volatile)
{
	return ask_space(t, "create", name, is_volatile);
}

int tilia_space_drop(struct tilia *t, const char *name)
{
	return ask_space(t, "drop", name, false);
}

int tilia_space_list(struct tilia *t, void **p, size_t *size)
{
	struct operation o;

	begin(&o, MESSAGE_SPACE);
	put_text(&o, "list");
	return ask_built(t, &o, p, size);
}

int tilia_stats(struct tilia *t, const char *what, void **p, size_t *size)
{
	struct operation o;

	begin(&o, MESSAGE_STATS);
	if (what != NULL)
		put_text(&o, what);
	return ask_built(t, &o, p, size);
}

int tilia_ping(struct tilia *t)
{
	struct operation o;

	begin(&o, MESSAGE_PING);
	return ask_built(t, &o, NULL, NULL);
}
