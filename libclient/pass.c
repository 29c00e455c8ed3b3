/* Passthrough: the requests of another program. */
#include "session_state.h"

#include "item.h"

static void forget_range(uint64_t from, uint64_t to, void *ctx)
{
	struct session *s = ctx;
	struct pending *p;

	while ((p = pending_from(&s->table, from)) != NULL && p->n <= to) {
		from = p->n + 1;
		if (p->state == PENDING_READ)
			ledger_drop(s, p);
	}
}

static int pass_unnumbered(struct session *s, struct bytes message, const struct request *r,
                           int code)
{
	if (s->connected && !outbox_frame(s, message))
		return ERROR_NOMEM;
	if (code == 0 && r->op == MESSAGE_ACK)
		message_ranges(r->value, forget_range, s);
	return 0;
}

/* A watch in the encoding that outbox.c can change; another message as it is. */
static struct bytes kept_form(const struct request *r, struct bytes message, struct buf *b)
{
	if (r->op != MESSAGE_WATCH)
		return message;
	item_put_head(b, ITEM_ARRAY, request_has(r, OPTION_AFTER) ? 5 : 4);
	item_put_uint(b, r->n);
	item_put_text(b, "watch");
	item_put_text_n(b, r->space);
	item_put_item(b, r->value);
	if (request_has(r, OPTION_AFTER)) {
		item_put_head(b, ITEM_MAP, 1);
		item_put_text(b, "after");
		item_put_uint(b, r->option[OPTION_AFTER].u);
	}
	return buf_bytes(b);
}

int session_pass(struct session *s, struct bytes message)
{
	struct message_error err = {0};
	struct request r = {0};
	struct pending *p, *target;
	struct buf form = BUF_INIT;
	int code = message_decode(message, &s->scratch, &r, &err);
	uint64_t n = code == 0 ? r.n : err.n;

	if (code == ERROR_NOMEM)
		return code;
	if ((code != 0 && err.fatal) || (code == 0 && r.op == MESSAGE_HELLO) || s->ending)
		return ERROR_MALFORMED;
	if (n == 0)
		return pass_unnumbered(s, message, &r, code);
	if (n <= s->number)
		return ERROR_MALFORMED;
	/* What the server will refuse, or is unknown here, may still change something. */
	if (code == 0)
		message = kept_form(&r, message, &form);
	p = form.failed ? NULL : ledger_enter(s, n, code == 0 ? r.op : MESSAGE_OPS,
	                                      code != 0 || message_rows[r.op].changes, message);
	buf_close(&form);
	if (p == NULL)
		return ERROR_NOMEM;
	if (p->op == MESSAGE_CANCEL) {
		p->target = r.number;
		target = pending_find(&s->table, r.number);
		if (target != NULL && target != p)
			target->cancel = n;
	}
	s->ending = p->op == MESSAGE_BYE;
	outbox_pump(s);
	return 0;
}
