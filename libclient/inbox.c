/* What a server says: session_next(). */
#include "session_state.h"

#include "frame.h"
#include "hello.h"
#include "item.h"

#include <assert.h>

/* A reply that may have to be acknowledged is about to be read: there is room
 * for its number. */
static bool make_ack_room(struct session *s)
{
	if (s->unacked_count < SESSION_ACK_AFTER)
		return true;
	if (s->connected)
		return outbox_acks(s);
	outbox_forget_acked(s);
	return true;
}

/* The reply of `p` was read. */
static void read_by_caller(struct session *s, struct pending *p, int code)
{
	s->unanswered -= !ledger_is_internal(s, p);
	if (p->op == MESSAGE_BYE)
		s->ended = true;
	if (code != 0 || !p->changes || !s->resumable || p->op == MESSAGE_BYE) {
		ledger_drop(s, p);
		return;
	}
	list_remove(&p->link);
	ledger_move(s, p, PENDING_READ);
	buf_close(&p->reply);
	if (s->passthrough)
		return;
	s->unacked[s->unacked_count++] = p->n;
}

static void describe(struct session_reply *r, const struct pending *p)
{
	*r = (struct session_reply){
		.n = p->origin != 0 ? p->origin : p->n, .user = p->user, .op = p->op};
}

/* The message of a reply made here, for passthrough. */
static bool make_message(struct session *s, const struct pending *p, struct bytes *message)
{
	static const uint8_t truth[] = {0xf4, 0xf5}, null[] = {ITEM_NULL};
	size_t used;

	s->shown.len = 0;
	if (p->code != 0)
		message_error_reply(&s->shown, p->n, p->code, error_text(p->code));
	else if (p->op == MESSAGE_CANCEL)
		message_reply(&s->shown, p->n, (struct bytes){truth + p->verdict, 1});
	else
		message_reply(&s->shown, p->n, (struct bytes){null, 1});
	if (s->shown.failed) {
		buf_close(&s->shown);
		return false;
	}
	return frame_next(buf_bytes(&s->shown), FRAME_MAX, message, &used) == 1;
}

/* Hands out what was finished here: 1, 0 or ERROR_NOMEM. */
static int next_done(struct session *s, struct session_reply *r)
{
	struct list *l = list_first(&s->done);
	struct pending *p;
	struct reply reply;

	if (l == NULL)
		return 0;
	p = list_entry(l, struct pending, link);
	describe(r, p);
	if (!make_ack_room(s) || (s->passthrough && !make_message(s, p, &r->message)))
		return ERROR_NOMEM;
	r->code = p->code;
	if (p->reply.len != 0) {
		buf_close(&s->shown);
		s->shown = p->reply;
		buf_init(&p->reply);
		if (message_decode_reply(buf_bytes(&s->shown), &s->scratch, &reply, NULL) != 0) {
			p->reply = s->shown;
			buf_init(&s->shown);
			return ERROR_NOMEM;
		}
		r->code = reply.kind;
		r->body = reply.body;
		r->text = reply.text;
	} else if (r->code != 0 && !s->passthrough) {
		r->text = bytes_of(error_text(r->code));
	}
	read_by_caller(s, p, r->code);
	return 1;
}

/* hello was answered. 0, or the code with which the stream must end. */
static int read_hello(struct session *s, const struct reply *reply, struct session_reply *r)
{
	struct welcome w;

	if (reply->kind != 0) {
		s->refused = true;
		s->over = reply->kind == ERROR_SESSION_OVER;
		r->text = reply->text;
		return r->code = reply->kind < 0 ? reply->kind : ERROR_MALFORMED;
	}
	if (!hello_read(reply->body, &w) || (s->resumable && w.id.n == 0)) {
		s->refused = true;
		r->text = bytes_of("the server's answer to hello is not one");
		return r->code = ERROR_MALFORMED;
	}
	s->welcome.len = 0;
	buf_append(&s->welcome, reply->body.p, reply->body.n);
	if (s->resumable && s->id.len == 0)
		buf_append(&s->id, w.id.p, w.id.n);
	if (s->welcome.failed || s->id.failed) {
		s->welcome.failed = s->id.failed = false;
		s->id.len = s->welcome.len = 0;
		return r->code = ERROR_NOMEM;
	}
	s->boot = w.boot;
	s->grace_ms = w.id.n == 0 ? 0 : w.grace_ms;
	s->open = true;
	return 0;
}

static bool is_true(const struct reply *reply)
{
	return reply->kind == 0 && reply->body.n == 1 && reply->body.p[0] == 0xf5;
}

/* The session's own cancel was answered. */
static void read_cancel(struct session *s, struct pending *c, const struct reply *reply)
{
	struct pending *p = pending_find(&s->table, c->target);
	bool undone = is_true(reply);

	ledger_drop(s, c);
	if (p == NULL)
		return;
	p->cancel = 0;
	/* Of a take that was sent again, false says that it took nothing this time: what its caller
	 * has was undone on an earlier stream. */
	if (undone || (p->given && p->op == MESSAGE_IN))
		ledger_finish_here(s, p, ERROR_CANCELLED);
	else if (p->state == PENDING_ANSWERED || p->state == PENDING_READ)
		ledger_finish(s, p, 0);
}

/* A reply in passthrough; `reply` tells what it means for the table. */
static void read_passed(struct session *s, struct pending *p, const struct reply *reply)
{
	struct pending *target;

	if (reply->kind == 1)
		return;
	target = p->op == MESSAGE_CANCEL ? pending_find(&s->table, p->target) : NULL;
	if (target != NULL && target != p) {
		target->cancel = 0;
		if (is_true(reply)) {
			s->unanswered -= target->state != PENDING_READ;
			ledger_drop(s, target);
		}
	}
	read_by_caller(s, p, reply->kind);
}

/* bye was answered: whatever is still open ends with it. */
static void read_bye(struct session *s, struct pending *bye, int code)
{
	struct pending *p;

	for (uint64_t n = 0; (p = pending_from(&s->table, n)) != NULL;) {
		n = p->n + 1;
		p->reached = false;
		if (p != bye)
			settle_one(s, p, ERROR_CANCELLED);
	}
	s->unacked_count = 0;
	ledger_finish(s, bye, code);
}

static bool keep_reply(struct pending *p, struct bytes message)
{
	buf_close(&p->reply);
	buf_append(&p->reply, message.p, message.n);
	if (!p->reply.failed)
		return true;
	buf_close(&p->reply);
	return false;
}

/* The server has too many of our outcomes: those of takes that waited. Our
 * acknowledgements are on their way, so it is asked again behind them, under a
 * new number. */
static int ask_again(struct session *s, struct pending *p)
{
	struct buf message = BUF_INIT;
	struct item_head h;
	const uint8_t *body = item_skip(item_head(p->message, &h));
	struct pending *again = NULL;

	if (p->cancel != 0) {
		ledger_finish_here(s, p, ERROR_CANCELLED);
		return 0;
	}
	item_put_head(&message, ITEM_ARRAY, h.arg);
	item_put_uint(&message, s->number + 1);
	item_put_item(&message, (struct bytes){body, (size_t)(p->message + p->size - body)});
	if (!message.failed)
		again = ledger_enter(s, s->number + 1, p->op, p->changes, buf_bytes(&message));
	buf_close(&message);
	if (again == NULL)
		return ERROR_NOMEM;
	again->user = p->user;
	again->waits = p->waits;
	again->origin = p->origin != 0 ? p->origin : p->n;
	s->renumbered++;
	s->unanswered--;
	ledger_drop(s, p);
	return 0;
}

/* The caller is given an event of its watch: from there it goes on after a break. */
static void note_event(struct pending *p, struct bytes part)
{
	struct item_head h = {0};
	const uint8_t *kind = part.n == 0 ? NULL : item_head(part.p, &h);
	uint64_t cursor;

	if (p->op == MESSAGE_WATCH && h.major == ITEM_ARRAY && h.arg >= 2 &&
	    message_number(item_skip(kind), &cursor))
		p->cursor = cursor;
}

/* One reply to a request. 1: it is in *r; 0: nothing for the caller; or ERROR_NOMEM. */
static int read_reply(struct session *s, const struct reply *reply, struct bytes message,
                      struct session_reply *r)
{
	struct pending *p = pending_find(&s->table, reply->n);

	if (p == NULL || (p->state != PENDING_SENT && p->state != PENDING_ANSWERED))
		return 0; /* finished long ago */
	if (reply->kind == ERROR_STOPPING && s->resumable && p->op != MESSAGE_BYE) {
		p->end = UINT64_MAX; /* not executed: the next server will */
		return 0;
	}
	if (reply->kind == ERROR_UNACKNOWLEDGED && ledger_keeps_window(s))
		return ask_again(s, p);
	if (ledger_is_internal(s, p)) {
		read_cancel(s, p, reply);
		return 0;
	}
	if (p->op == MESSAGE_BYE) {
		read_bye(s, p, reply->kind);
		return 0;
	}
	if (!s->passthrough && p->cancel != 0 && reply->kind != 1) {
		if (!keep_reply(p, message))
			return ERROR_NOMEM;
		ledger_move(s, p, PENDING_ANSWERED);
		return 0;
	}
	if (!make_ack_room(s))
		return ERROR_NOMEM;
	describe(r, p);
	r->code = reply->kind;
	if (reply->kind == 1)
		note_event(p, reply->body);
	if (s->passthrough) {
		r->message = message;
		read_passed(s, p, reply);
		return 1;
	}
	r->body = reply->body;
	r->text = reply->text;
	if (reply->kind != 1)
		read_by_caller(s, p, reply->kind);
	return 1;
}

static int read_message(struct session *s, struct bytes message, struct session_reply *r)
{
	struct codec_error err = {0};
	struct reply reply;
	int code = message_decode_reply(message, &s->scratch, &reply, &err);

	if (code == ERROR_NOMEM)
		return code;
	if (code != 0) {
		r->text = bytes_of(err.why != NULL ? err.why : error_text(code));
		return r->code = code;
	}
	if (reply.n == 0) {
		r->text = reply.text;
		return r->code = reply.kind < 0 ? reply.kind : ERROR_MALFORMED;
	}
	if (reply.n == HELLO_NUMBER)
		return s->open || !s->connected ? 0 : read_hello(s, &reply, r);
	return read_reply(s, &reply, message, r);
}

/* The next whole message of the input: 1, 0 or the code of a broken stream. */
static int take_message(struct session *s, struct bytes *message, size_t *used,
                        struct session_reply *r)
{
	struct bytes in = buf_bytes(&s->in);
	int code = 0;

	if (in.n > s->in_at)
		code = frame_next((struct bytes){in.p + s->in_at, in.n - s->in_at}, FRAME_MAX,
		                  message, used);
	if (code == 1)
		return 1;
	if (!s->connected) {
		s->in.len = s->in_at = 0;
		return 0;
	}
	if (code < 0) {
		r->code = code;
		r->text = bytes_of("the server's frames are broken");
	}
	return code;
}

static int next(struct session *s, struct session_reply *r)
{
	for (;;) {
		struct bytes message;
		size_t used;
		int code;

		/* Its caller had the last reply and may have cancelled it. */
		if (s->unacked_count == SESSION_ACK_AFTER && s->connected)
			outbox_acks(s);
		code = outbox_pump(s) ? next_done(s, r) : ERROR_NOMEM;
		if (code != 0)
			return code;
		code = take_message(s, &message, &used, r);
		if (code == 0 && !s->connected && s->lost) {
			settle_all(s, 0);
			continue;
		}
		if (code <= 0)
			return code;
		code = read_message(s, message, r);
		if (code == ERROR_NOMEM)
			return code;
		s->in_at += used;
		if (code != 0)
			return code;
	}
}

int session_next(struct session *s, struct session_reply *r)
{
	int code;

	*r = (struct session_reply){0};
	code = next(s, r);
	if (code == ERROR_NOMEM)
		*r = (struct session_reply){.code = code, .text = bytes_of(error_text(code))};
	return code;
}
