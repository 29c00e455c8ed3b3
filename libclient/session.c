/* States of a request (pending.h), of one stream or many:
 *
 *	HELD -> SENT -> READ -> acknowledged (removed)
 *	            \-> removed (a read, a refusal)
 *	SENT -> ANSWERED -> DONE         its reply is kept until its cancel is answered
 *	HELD, SENT, READ -> DONE         finished here
 *
 * The held ones always have the greatest numbers: once one is held, all that
 * follow are, cancels too, so that numbers rise on every stream. */
#include "session.h"

#include "base/list.h"
#include "base/xmalloc.h"
#include "frame.h"
#include "hello.h"
#include "item.h"
#include "pending.h"

#include <assert.h>
#include <stdlib.h>

#define KEEP_BYTES ((size_t)64 << 10) /* of an emptied buffer */

struct session {
	bool resumable, passthrough;
	uint64_t grace_option_ms;
	char *auth, *client;
	struct buf may;

	struct buf id, welcome;
	uint64_t boot, grace_ms;
	uint64_t first, number; /* of the first and the last request */
	uint64_t attempt;       /* streams on which a resume was begun */

	struct pending_table table;
	struct list held, done;
	size_t window;     /* changing requests that count */
	size_t unanswered;
	size_t renumbered; /* entries with an origin */
	uint64_t unacked[SESSION_ACK_AFTER]; /* read */
	unsigned unacked_count;

	bool connected, open;
	bool refused; /* hello was: nothing behind it was executed */
	bool over;    /* hello said so */
	bool lost;    /* what the stream's end means is still to be settled */
	bool ending, ended;

	struct buf out, in;
	size_t out_at, in_at;
	uint64_t out_base; /* bytes of the stream before `out` */
	struct buf scratch, shown;
};

/* --- life ------------------------------------------------------------------ */

static bool copy_text(char **to, const char *from)
{
	size_t n = from == NULL ? 0 : strlen(from) + 1;

	if (from == NULL)
		return true;
	*to = xtry_malloc(n);
	if (*to != NULL)
		memcpy(*to, from, n);
	return *to != NULL;
}

struct session *session_create(const struct session_options *o)
{
	struct session *s = xtry_calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	list_init(&s->held);
	list_init(&s->done);
	pending_init(&s->table);
	s->resumable = o->resumable;
	s->passthrough = o->passthrough;
	s->grace_option_ms = o->grace_ms;
	s->number = o->number > HELLO_NUMBER ? o->number : HELLO_NUMBER;
	s->first = s->number + 1;
	buf_append(&s->may, o->may.p, o->may.n);
	buf_append(&s->id, o->id.p, o->id.n);
	if (!copy_text(&s->auth, o->auth) || !copy_text(&s->client, o->client) || s->may.failed ||
	    s->id.failed) {
		session_destroy(s);
		return NULL;
	}
	return s;
}

void session_destroy(struct session *s)
{
	if (s == NULL)
		return;
	pending_close(&s->table);
	xfree(s->auth);
	xfree(s->client);
	buf_close(&s->may);
	buf_close(&s->id);
	buf_close(&s->welcome);
	buf_close(&s->out);
	buf_close(&s->in);
	buf_close(&s->scratch);
	buf_close(&s->shown);
	xfree(s);
}

/* --- states of requests ---------------------------------------------------- */

/* Whether the session's own cancels have no reply for anybody. */
static bool is_internal(const struct session *s, const struct pending *p)
{
	return p->op == MESSAGE_CANCEL && !s->passthrough;
}

static bool keeps_window(const struct session *s)
{
	return s->resumable && !s->passthrough;
}

static size_t weight(const struct session *s, const struct pending *p, enum pending_state state)
{
	if (!keeps_window(s) || !p->changes || p->op == MESSAGE_BYE)
		return 0;
	return state == PENDING_READ || state == PENDING_ANSWERED ||
	       (state == PENDING_SENT && !p->waits);
}

static void move(struct session *s, struct pending *p, enum pending_state state)
{
	s->window -= weight(s, p, p->state);
	p->state = state;
	s->window += weight(s, p, state);
}

static void drop(struct session *s, struct pending *p)
{
	s->renumbered -= p->origin != 0;
	s->window -= weight(s, p, p->state);
	pending_remove(&s->table, p);
}

/* The request its caller knows as `n`. */
static struct pending *find(const struct session *s, uint64_t n)
{
	struct pending *p = pending_find(&s->table, n);

	if (p != NULL || s->renumbered == 0)
		return p;
	for (uint64_t at = n; (p = pending_from(&s->table, at)) != NULL && p->origin != n;)
		at = p->n + 1;
	return p;
}

/* Its reply is made here, or was kept; session_next() will tell. */
static void finish(struct session *s, struct pending *p, int code)
{
	list_remove(&p->link);
	move(s, p, PENDING_DONE);
	p->code = code;
	p->cancel = 0;
	list_append(&s->done, &p->link);
}

static void finish_here(struct session *s, struct pending *p, int code)
{
	buf_close(&p->reply);
	finish(s, p, code);
}

/* A take that was not acknowledged is undone when its session ends; any other
 * change stays. */
static bool change_stays(const struct session *s, const struct pending *p)
{
	return p->changes && (p->op != MESSAGE_IN || !s->resumable);
}

/* --- writing --------------------------------------------------------------- */

static bool put_undo(struct session *s, size_t len)
{
	if (!s->out.failed)
		return true;
	s->out.failed = false;
	s->out.len = len;
	return false;
}

static bool put_frame(struct session *s, struct bytes message)
{
	size_t len = s->out.len;

	frame_put_head(&s->out, message.n);
	buf_append(&s->out, message.p, message.n);
	return put_undo(s, len);
}

static void put_range(struct buf *b, uint64_t from, uint64_t to)
{
	if (from != to) {
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_uint(b, from);
	}
	item_put_uint(b, to);
}

static bool put_ack(struct session *s, unsigned count, struct bytes items)
{
	size_t len = s->out.len, mark = frame_begin(&s->out);

	item_put_head(&s->out, ITEM_ARRAY, 2 + count);
	item_put_uint(&s->out, 0);
	item_put_text(&s->out, "ack");
	item_put_item(&s->out, items);
	frame_end(&s->out, mark);
	return put_undo(s, len);
}

/* Takes what is acknowledged out of the table: `have` will say it again. */
static void forget_acked(struct session *s)
{
	for (unsigned i = 0; i < s->unacked_count; i++) {
		struct pending *p = pending_find(&s->table, s->unacked[i]);

		assert(p != NULL && p->state == PENDING_READ);
		drop(s, p);
	}
	s->unacked_count = 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Acknowledges what was read. */
static bool put_acks(struct session *s)
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
		put_range(&items, s->unacked[i], s->unacked[j - 1]);
		count++;
	}
	ok = !items.failed && put_ack(s, count, buf_bytes(&items));
	buf_close(&items);
	if (ok)
		forget_acked(s);
	return ok;
}

static bool send_again(struct session *s, struct pending *p)
{
	if (!put_frame(s, (struct bytes){p->message, p->size}))
		return false;
	p->end = s->out_base + s->out.len;
	return true;
}

/* Sends what is held, as far as the window goes. false: no memory; what is held
 * stays so until the next call. */
static bool pump(struct session *s)
{
	struct list *l;

	while (s->connected && (l = list_first(&s->held)) != NULL) {
		struct pending *p = list_entry(l, struct pending, link);

		if (!put_acks(s))
			return false;
		if (s->window >= SESSION_WINDOW && weight(s, p, PENDING_SENT) != 0)
			return true;
		if (!send_again(s, p))
			return false;
		list_remove(&p->link);
		move(s, p, PENDING_SENT);
	}
	return true;
}

/* --- the stream ------------------------------------------------------------ */

/* Appends up to MESSAGE_LIST_MAX ranges of finished numbers, from *next on. */
static unsigned collect_have(const struct session *s, uint64_t *next, struct buf *items)
{
	unsigned count = 0;

	while (count < MESSAGE_LIST_MAX && *next <= s->number) {
		struct pending *p = pending_from(&s->table, *next);
		uint64_t to = p == NULL ? s->number : p->n - 1;

		if (to >= *next) {
			put_range(items, *next, to);
			count++;
		}
		*next = to + 2;
	}
	return count;
}

static bool put_hello(struct session *s)
{
	struct buf items = BUF_INIT;
	uint64_t next = s->first;
	struct hello h = {
		.resumable = s->resumable,
		.id = buf_bytes(&s->id),
		.grace_ms = s->grace_option_ms,
		.attempt = UINT64_MAX,
		.auth = s->auth,
		.client = s->client,
		.may = buf_bytes(&s->may),
	};
	size_t len = s->out.len;
	bool ok;

	if (s->id.len != 0) {
		h.have_count = collect_have(s, &next, &items);
		if (session_feature(s, "hello.attempt"))
			h.attempt = ++s->attempt;
	}
	h.have = buf_bytes(&items);
	if (!s->resumable)
		h.grace_ms = SESSION_DEFAULT;
	hello_put(&s->out, &h);
	ok = put_undo(s, len) && !items.failed;
	while (ok && s->id.len != 0 && next <= s->number) {
		unsigned count;

		items.len = 0;
		count = collect_have(s, &next, &items);
		ok = !items.failed && (count == 0 || put_ack(s, count, buf_bytes(&items)));
	}
	buf_close(&items);
	return ok;
}

/* An answered request whose cancel is unanswered is sent again with it: the
 * take may be undone already, and the server then says so only if it sees both. */
static void unanswer(struct session *s, struct pending *p)
{
	if (p->state != PENDING_ANSWERED && (p->state != PENDING_READ || p->cancel == 0))
		return;
	s->unanswered += s->passthrough;
	p->given |= p->state == PENDING_READ;
	buf_close(&p->reply);
	move(s, p, PENDING_SENT);
	p->reached = true;
}

static bool put_resends(struct session *s)
{
	struct pending *p;

	for (uint64_t n = 0; (p = pending_from(&s->table, n)) != NULL; n = p->n + 1) {
		unanswer(s, p);
		if (p->state == PENDING_SENT && !send_again(s, p))
			return false;
	}
	return true;
}

static void settle(struct session *s, int code);

int session_connected(struct session *s)
{
	assert(!s->connected);
	if (s->lost)
		settle(s, 0);
	forget_acked(s);
	s->in.len = s->in_at = 0;
	s->out.len = s->out_at = 0;
	s->out_base = 0;
	s->open = s->refused = s->over = false;
	if (!put_hello(s) || !put_resends(s)) {
		s->out.len = 0;
		return ERROR_NOMEM;
	}
	s->connected = true;
	pump(s);
	return 0;
}

void session_disconnected(struct session *s)
{
	uint64_t written = s->out_base + s->out_at;
	struct pending *p;

	if (!s->connected)
		return;
	s->connected = s->open = false;
	for (uint64_t n = 0; !s->refused && (p = pending_from(&s->table, n)) != NULL;
	     n = p->n + 1) {
		if (p->state == PENDING_SENT && p->end <= written)
			p->reached = true;
	}
	s->lost = !s->resumable || s->id.len == 0 || s->over;
	buf_clear(&s->out, KEEP_BYTES);
	s->out_at = 0;
}

struct bytes session_output(const struct session *s)
{
	if (!s->connected || s->out.len == s->out_at)
		return (struct bytes){0};
	return (struct bytes){s->out.data + s->out_at, s->out.len - s->out_at};
}

/* Moves a half-consumed buffer down, seldom enough to be cheap. */
static void compact(struct buf *b, size_t *at)
{
	if (*at == b->len) {
		buf_clear(b, KEEP_BYTES);
		*at = 0;
	} else if (*at > KEEP_BYTES && *at > b->len / 2) {
		buf_shift(b, *at);
		*at = 0;
	}
}

void session_written(struct session *s, size_t n)
{
	size_t at;

	if (!s->connected)
		return;
	assert(n <= s->out.len - s->out_at);
	s->out_at += n;
	at = s->out_at;
	compact(&s->out, &s->out_at);
	s->out_base += at - s->out_at;
}

int session_feed(struct session *s, const void *p, size_t n)
{
	size_t len;

	if (!s->connected)
		return 0;
	compact(&s->in, &s->in_at);
	len = s->in.len;
	buf_append(&s->in, p, n);
	if (s->in.failed) {
		s->in.failed = false;
		s->in.len = len;
		return ERROR_NOMEM;
	}
	return 0;
}

/* --- requests -------------------------------------------------------------- */

static struct pending *enter(struct session *s, uint64_t n, enum message_op op, bool changes,
                             struct bytes message)
{
	struct pending *p = pending_add(&s->table, n, message.n);

	if (p == NULL)
		return NULL;
	memcpy(p->message, message.p, message.n);
	p->op = op;
	p->changes = changes;
	s->number = n;
	s->unanswered += !is_internal(s, p);
	list_append(&s->held, &p->link);
	return p;
}

/* Whether the options of an `in` say `timeout: 0`. */
static bool waits(unsigned args, struct bytes body)
{
	const uint8_t *p = item_skip(body.p);
	struct item_head h, v;

	if (args < 3)
		return true;
	p = item_head(item_skip(item_skip(p)), &h);
	for (uint64_t i = 0; h.major == ITEM_MAP && i < h.arg; i++) {
		const uint8_t *value = item_skip(p);

		item_head(value, &v);
		if (bytes_equal(item_string(p), bytes_of("timeout")))
			return v.arg != 0;
		p = item_skip(value);
	}
	return true;
}

int session_request(struct session *s, enum message_op op, unsigned args, struct bytes body,
                    void *user, uint64_t *n)
{
	struct buf message = BUF_INIT;
	struct pending *p = NULL;

	if (s->ending || s->passthrough)
		return ERROR_USAGE;
	if (body.n > FRAME_MAX - 64)
		return ERROR_LIMIT;
	item_put_head(&message, ITEM_ARRAY, 2 + args);
	item_put_uint(&message, s->number + 1);
	item_put_item(&message, body);
	if (!message.failed)
		p = enter(s, s->number + 1, op, message_rows[op].changes, buf_bytes(&message));
	buf_close(&message);
	if (p == NULL)
		return ERROR_NOMEM;
	p->user = user;
	p->waits = op == MESSAGE_IN && waits(args, body);
	*n = p->n;
	if (!pump(s) && p->state == PENDING_HELD) {
		s->unanswered--;
		drop(s, p);
		return ERROR_NOMEM;
	}
	return 0;
}

static void unack(struct session *s, uint64_t n)
{
	for (unsigned i = 0; i < s->unacked_count; i++) {
		if (s->unacked[i] == n)
			s->unacked[i--] = s->unacked[--s->unacked_count];
	}
}

static struct pending *enter_cancel(struct session *s, uint64_t target)
{
	struct buf message = BUF_INIT;
	struct pending *c = NULL;

	item_put_head(&message, ITEM_ARRAY, 3);
	item_put_uint(&message, s->number + 1);
	item_put_text(&message, "cancel");
	item_put_uint(&message, target);
	if (!message.failed)
		c = enter(s, s->number + 1, MESSAGE_CANCEL, false, buf_bytes(&message));
	buf_close(&message);
	if (c != NULL)
		c->target = target;
	return c;
}

int session_cancel(struct session *s, uint64_t n)
{
	struct pending *p = find(s, n), *c;

	if (p == NULL || p->op == MESSAGE_CANCEL || p->op == MESSAGE_BYE || s->passthrough)
		return ERROR_USAGE;
	if (p->cancel != 0 || p->state == PENDING_DONE)
		return 0;
	if (p->state == PENDING_HELD ||
	    (p->state == PENDING_SENT && !p->reached && !s->connected)) {
		finish(s, p, ERROR_CANCELLED);
		return 0;
	}
	if (s->ending)
		return ERROR_USAGE;
	c = enter_cancel(s, p->n);
	if (c == NULL)
		return ERROR_NOMEM;
	p->cancel = c->n;
	if (p->state == PENDING_READ) {
		unack(s, p->n);
		s->unanswered++;
	}
	pump(s);
	return 0;
}

void session_set_user(struct session *s, uint64_t n, void *user)
{
	struct pending *p = find(s, n);

	if (p != NULL)
		p->user = user;
}

bool session_awaits(const struct session *s, uint64_t n)
{
	const struct pending *p = find(s, n);

	return p != NULL && (p->state != PENDING_READ || p->cancel != 0);
}

int session_bye(struct session *s)
{
	struct buf message = BUF_INIT;
	struct pending *p = NULL;

	if (s->ending)
		return 0;
	item_put_head(&message, ITEM_ARRAY, 2);
	item_put_uint(&message, s->number + 1);
	item_put_text(&message, "bye");
	if (!message.failed)
		p = enter(s, s->number + 1, MESSAGE_BYE, true, buf_bytes(&message));
	buf_close(&message);
	if (p == NULL)
		return ERROR_NOMEM;
	s->ending = true;
	pump(s);
	return 0;
}

/* --- passthrough ----------------------------------------------------------- */

static void forget_range(uint64_t from, uint64_t to, void *ctx)
{
	struct session *s = ctx;
	struct pending *p;

	while ((p = pending_from(&s->table, from)) != NULL && p->n <= to) {
		from = p->n + 1;
		if (p->state == PENDING_READ)
			drop(s, p);
	}
}

static int pass_unnumbered(struct session *s, struct bytes message, const struct request *r,
                           int code)
{
	if (s->connected && !put_frame(s, message))
		return ERROR_NOMEM;
	if (code == 0 && r->op == MESSAGE_ACK)
		message_ranges(r->value, forget_range, s);
	return 0;
}

int session_pass(struct session *s, struct bytes message)
{
	struct message_error err = {0};
	struct request r = {0};
	struct pending *p, *target;
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
	p = enter(s, n, code == 0 ? r.op : MESSAGE_OPS, code != 0 || message_rows[r.op].changes,
	          message);
	if (p == NULL)
		return ERROR_NOMEM;
	if (p->op == MESSAGE_CANCEL) {
		p->target = r.number;
		target = pending_find(&s->table, r.number);
		if (target != NULL && target != p)
			target->cancel = n;
	}
	s->ending = p->op == MESSAGE_BYE;
	pump(s);
	return 0;
}

/* --- the end of a stream --------------------------------------------------- */

/* What an unanswered request becomes when its session is over: resent in the
 * next (code 0, and it stays as it is), or finished; with a code all are. */
static void settle_unanswered(struct session *s, struct pending *p, int code)
{
	bool unknown = p->reached && change_stays(s, p);
	struct pending *c = p->cancel == 0 ? NULL : pending_find(&s->table, p->cancel);

	if (p->op == MESSAGE_BYE)
		finish(s, p, code);
	else if (unknown)
		finish(s, p, ERROR_UNKNOWN);
	else if (c != NULL) {
		c->verdict = true;
		finish(s, p, ERROR_CANCELLED);
	} else if (code != 0 || s->ending)
		finish(s, p, code != 0 ? code : ERROR_CANCELLED);
	p->reached = false;
}

static void settle_one(struct session *s, struct pending *p, int code)
{
	switch (p->state) {
	case PENDING_HELD:
	case PENDING_SENT:
		if (p->op != MESSAGE_CANCEL)
			settle_unanswered(s, p, code);
		else if (s->passthrough)
			finish(s, p, 0);
		else
			drop(s, p);
		break;
	case PENDING_ANSWERED: /* being cancelled */
		if (change_stays(s, p))
			finish(s, p, 0);
		else
			finish_here(s, p, ERROR_CANCELLED);
		break;
	case PENDING_READ:
		if (p->cancel == 0)
			drop(s, p);
		else
			finish_here(s, p, p->op == MESSAGE_IN ? ERROR_CANCELLED : 0);
		break;
	case PENDING_DONE:
		break;
	}
}

/* The session is over, or to be left. */
static void settle(struct session *s, int code)
{
	struct pending *p;

	s->lost = false;
	s->unacked_count = 0;
	s->id.len = 0;
	for (uint64_t n = 0; (p = pending_from(&s->table, n)) != NULL;) {
		n = p->n + 1;
		settle_one(s, p, code);
	}
}

void session_abandon(struct session *s, int code)
{
	assert(!s->connected);
	settle(s, code);
}

/* --- reading --------------------------------------------------------------- */

/* A reply that may have to be acknowledged is about to be read: there is room
 * for its number. */
static bool make_ack_room(struct session *s)
{
	if (s->unacked_count < SESSION_ACK_AFTER)
		return true;
	if (s->connected)
		return put_acks(s);
	forget_acked(s);
	return true;
}

/* The reply of `p` was read. */
static void read_by_caller(struct session *s, struct pending *p, int code)
{
	s->unanswered -= !is_internal(s, p);
	if (p->op == MESSAGE_BYE)
		s->ended = true;
	if (code != 0 || !p->changes || !s->resumable || p->op == MESSAGE_BYE) {
		drop(s, p);
		return;
	}
	list_remove(&p->link);
	move(s, p, PENDING_READ);
	buf_close(&p->reply);
	if (s->passthrough)
		return;
	s->unacked[s->unacked_count++] = p->n;
	if (s->unacked_count == SESSION_ACK_AFTER && s->connected)
		put_acks(s);
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

	drop(s, c);
	if (p == NULL)
		return;
	p->cancel = 0;
	/* Of a take that was sent again, false says that it took nothing this time: what its caller
	 * has was undone on an earlier stream. */
	if (undone || p->given)
		finish_here(s, p, ERROR_CANCELLED);
	else if (p->state == PENDING_ANSWERED || p->state == PENDING_READ)
		finish(s, p, 0);
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
			drop(s, target);
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
	finish(s, bye, code);
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
		finish_here(s, p, ERROR_CANCELLED);
		return 0;
	}
	item_put_head(&message, ITEM_ARRAY, h.arg);
	item_put_uint(&message, s->number + 1);
	item_put_item(&message, (struct bytes){body, (size_t)(p->message + p->size - body)});
	if (!message.failed)
		again = enter(s, s->number + 1, p->op, p->changes, buf_bytes(&message));
	buf_close(&message);
	if (again == NULL)
		return ERROR_NOMEM;
	again->user = p->user;
	again->waits = p->waits;
	again->origin = p->origin != 0 ? p->origin : p->n;
	s->renumbered++;
	s->unanswered--;
	drop(s, p);
	return 0;
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
	if (reply->kind == ERROR_UNACKNOWLEDGED && keeps_window(s))
		return ask_again(s, p);
	if (is_internal(s, p)) {
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
		move(s, p, PENDING_ANSWERED);
		return 0;
	}
	if (!make_ack_room(s))
		return ERROR_NOMEM;
	describe(r, p);
	r->code = reply->kind;
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

		code = pump(s) ? next_done(s, r) : ERROR_NOMEM;
		if (code != 0)
			return code;
		code = take_message(s, &message, &used, r);
		if (code == 0 && !s->connected && s->lost) {
			settle(s, 0);
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

/* --- what is known --------------------------------------------------------- */

bool session_is_connected(const struct session *s)
{
	return s->connected;
}

bool session_is_open(const struct session *s)
{
	return s->open;
}

bool session_is_ended(const struct session *s)
{
	return s->ended;
}

struct bytes session_id(const struct session *s)
{
	return buf_bytes(&s->id);
}

uint64_t session_number(const struct session *s)
{
	return s->number;
}

size_t session_unanswered(const struct session *s)
{
	return s->unanswered;
}

uint64_t session_boot(const struct session *s)
{
	return s->boot;
}

uint64_t session_grace_ms(const struct session *s)
{
	return s->grace_ms;
}

struct bytes session_welcome(const struct session *s)
{
	return buf_bytes(&s->welcome);
}

bool session_feature(const struct session *s, const char *feature)
{
	return hello_feature(buf_bytes(&s->welcome), feature);
}
