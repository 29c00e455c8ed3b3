#include "session_state.h"

#include "frame.h"
#include "item.h"

#include <assert.h>
#include <stdlib.h>

bool outbox_undo(struct session *s, size_t len)
{
	if (!s->out.failed)
		return true;
	s->out.failed = false;
	s->out.len = len;
	return false;
}

bool outbox_frame(struct session *s, struct bytes message)
{
	size_t len = s->out.len;

	frame_put_head(&s->out, message.n);
	buf_append(&s->out, message.p, message.n);
	return outbox_undo(s, len);
}

void outbox_range(struct buf *b, uint64_t from, uint64_t to)
{
	if (from != to) {
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_uint(b, from);
	}
	item_put_uint(b, to);
}

bool outbox_ack(struct session *s, unsigned count, struct bytes items)
{
	size_t len = s->out.len, mark = frame_begin(&s->out);

	item_put_head(&s->out, ITEM_ARRAY, 2 + count);
	item_put_uint(&s->out, 0);
	item_put_text(&s->out, "ack");
	item_put_item(&s->out, items);
	frame_end(&s->out, mark);
	return outbox_undo(s, len);
}

void outbox_forget_acked(struct session *s)
{
	for (unsigned i = 0; i < s->unacked_count; i++) {
		struct pending *p = pending_find(&s->table, s->unacked[i]);

		assert(p != NULL && p->state == PENDING_READ);
		ledger_drop(s, p);
	}
	s->unacked_count = 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool outbox_acks(struct session *s)
{
	struct buf items = BUF_INIT;
	unsigned count = 0;
	bool ok;

	if (s->unacked_count == 0)
		return true;
	qsort(s->unacked, s->unacked_count, sizeof(s->unacked[0]), compare_numbers);
	for (unsigned i = 0, j; i < s->unacked_count; i = j) {
		for (j = i + 1; j < s->unacked_count && s->unacked[j] == s->unacked[j - 1] + 1;)
			j++;
		outbox_range(&items, s->unacked[i], s->unacked[j - 1]);
		count++;
	}
	ok = !items.failed && outbox_ack(s, count, buf_bytes(&items));
	buf_close(&items);
	if (ok)
		outbox_forget_acked(s);
	return ok;
}

/* A watch that was sent before is asked to go on behind the last event its caller
 * has. Without one it begins as it did then; if that was "from now on", behind a
 * cursor that never was, so that its caller is told of the gap there may be. */
static bool put_watch(struct session *s, const struct pending *p)
{
	struct buf message = BUF_INIT;
	struct item_head h;
	const uint8_t *from = item_head(p->message, &h), *end = from;
	bool ok;

	for (int i = 0; i < 4; i++) /* number, name, space, template */
		end = item_skip(end);
	if (p->cursor == 0 && h.arg > 4)
		return outbox_frame(s, (struct bytes){p->message, p->size});
	item_put_head(&message, ITEM_ARRAY, 5);
	buf_append(&message, from, (size_t)(end - from));
	item_put_head(&message, ITEM_MAP, 1);
	item_put_text(&message, "after");
	item_put_uint(&message, p->cursor);
	ok = !message.failed && outbox_frame(s, buf_bytes(&message));
	buf_close(&message);
	return ok;
}

bool outbox_send(struct session *s, struct pending *p)
{
	bool again = p->op == MESSAGE_WATCH && p->end != 0;

	if (!(again ? put_watch(s, p) : outbox_frame(s, (struct bytes){p->message, p->size})))
		return false;
	p->end = s->out_base + s->out.len;
	return true;
}

bool outbox_pump(struct session *s)
{
	struct list *l;

	if (!session_settle_owed(s))
		return list_empty(&s->held);
	while (s->connected && (l = list_first(&s->held)) != NULL) {
		struct pending *p = list_entry(l, struct pending, link);

		if (!outbox_acks(s))
			return false;
		if (s->window >= SESSION_WINDOW && ledger_weight(s, p, PENDING_SENT) != 0)
			return true;
		if (!outbox_send(s, p))
			return false;
		list_remove(&p->link);
		ledger_move(s, p, PENDING_SENT);
	}
	return true;
}
