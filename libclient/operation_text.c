/* tilia.h: diagnostic notation and CBOR. */
#include "operation.h"

#include "codec.h"
#include "diag.h"
#include "error.h"
#include "item.h"
#include "linda.h"

int operation_parse(struct tilia *t, const char *text, unsigned flags, struct buf *item)
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
	int code = operation_canonical(t, cbor, &item, &scratch);

	if (code == 0)
		code = operation_ask_number(t, kind, op, item, v);
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
	code = operation_canonical(t, cbor, &item, &scratch);
	if (code == 0)
		code = operation_ask_tuples(t, kind, op, item, found);
	buf_close(&scratch);
	return code;
}

int tilia_out_text_x(struct tilia *t, const struct tilia_op *op, uint64_t *id, const char *text)
{
	struct buf item = BUF_INIT;
	int code = operation_parse(t, text, 0, &item);

	if (code == 0)
		code = operation_ask_number(t, MESSAGE_OUT, op, buf_bytes(&item), id);
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
	int code = operation_parse(t, text, DIAG_FORMALS, &item);

	if (code == 0)
		code = operation_ask_number(t, MESSAGE_COUNT, op, buf_bytes(&item), count);
	buf_close(&item);
	return code;
}

static int find_text(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                     const char *text, struct tilia_tuple **found)
{
	struct buf item = BUF_INIT;
	int code = operation_parse(t, text, DIAG_FORMALS, &item);

	*found = NULL;
	if (code == 0)
		code = operation_ask_tuples(t, kind, op, buf_bytes(&item), found);
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

/* There must be `count` of them; null stands for an `unless` that was not so. */
static int read_ids(struct bytes body, uint64_t count, uint64_t *ids)
{
	struct item_head h;
	const uint8_t *p = body.n == 0 ? NULL : item_head(body.p, &h);

	if (body.n == 1 && body.p[0] == ITEM_NULL)
		return TILIA_NONE;
	if (p == NULL || h.major != ITEM_ARRAY || h.arg != count)
		return ERROR_MALFORMED;
	for (uint64_t i = 0; ids != NULL && i < count; i++) {
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
	int code = operation_canonical(t, (struct bytes){p, size}, &item, &scratch);

	if (code == 0)
		code = operation_ask(t, MESSAGE_OUTS, op, item, &r);
	if (code == 0)
		code = operation_explained(t, read_ids(buf_bytes(&r.body), array_count(item), ids));
	call_result_close(&r);
	buf_close(&scratch);
	return code;
}

int tilia_build_v(struct tilia *t, void **p, size_t *size, const char *format, va_list args)
{
	struct linda l;
	int code = linda_build(&l, true, format, args);

	if (code == 0)
		return operation_hand_out(t, &l.item, p, size);
	linda_close(&l);
	return t == NULL ? code : client_fail(t, code, l.why);
}

int tilia_build(struct tilia *t, void **p, size_t *size, const char *format, ...)
{
	va_list args;
	int code;

	va_start(args, format);
	code = tilia_build_v(t, p, size, format, args);
	va_end(args);
	return code;
}

int tilia_parse(struct tilia *t, void **p, size_t *size, const char *text)
{
	struct buf item = BUF_INIT;
	int code = operation_parse(t, text, DIAG_FORMALS | DIAG_REFS, &item);

	if (code == 0)
		return operation_hand_out(t, &item, p, size);
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
