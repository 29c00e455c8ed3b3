/* States of a request (pending.h), of one stream or many:
 *
 *	HELD -> SENT -> READ -> acknowledged (removed)
 *	            \-> removed (a read, a refusal)
 *	SENT -> ANSWERED -> DONE         its reply is kept until its cancel is answered
 *	HELD, SENT, READ -> DONE         finished here
 *
 * The held ones always have the greatest numbers: once one is held, all that
 * follow are, cancels too, so that numbers rise on every stream. */
#include "session_state.h"

#include "base/xmalloc.h"
#include "frame.h"
#include "hello.h"
#include "item.h"

#include <assert.h>

#define KEEP_BYTES ((size_t)64 << 10) /* of an emptied buffer */

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

/* --- the stream ------------------------------------------------------------ */

/* Appends up to MESSAGE_LIST_MAX ranges of finished numbers, from *next on. */
static unsigned collect_have(const struct session *s, uint64_t *next, struct buf *items)
{
	unsigned count = 0;

	while (count < MESSAGE_LIST_MAX && *next <= s->number) {
		struct pending *p = pending_from(&s->table, *next);
		uint64_t to = p == NULL ? s->number : p->n - 1;

		if (to >= *next) {
			outbox_range(items, *next, to);
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
	ok = outbox_undo(s, len) && !items.failed;
	while (ok && s->id.len != 0 && next <= s->number) {
		unsigned count;

		items.len = 0;
		count = collect_have(s, &next, &items);
		ok = !items.failed && (count == 0 || outbox_ack(s, count, buf_bytes(&items)));
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
	ledger_move(s, p, PENDING_SENT);
	p->reached = true;
}

static bool put_resends(struct session *s)
{
	struct pending *p;

	for (uint64_t n = 0; (p = pending_from(&s->table, n)) != NULL; n = p->n + 1) {
		unanswer(s, p);
		if (p->state == PENDING_SENT && !outbox_send(s, p))
			return false;
	}
	return true;
}

int session_connected(struct session *s)
{
	assert(!s->connected);
	if (s->lost)
		settle_all(s, 0);
	outbox_forget_acked(s);
	s->in.len = s->in_at = 0;
	s->out.len = s->out_at = 0;
	s->out_base = 0;
	s->open = s->refused = s->over = false;
	if (!put_hello(s) || !put_resends(s)) {
		s->out.len = 0;
		return ERROR_NOMEM;
	}
	s->connected = true;
	outbox_pump(s);
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
	if (!session_settle_owed(s))
		return ERROR_NOMEM;
	item_put_head(&message, ITEM_ARRAY, 2 + args);
	item_put_uint(&message, s->number + 1);
	item_put_item(&message, body);
	if (!message.failed)
		p = ledger_enter(s, s->number + 1, op, message_rows[op].changes,
		                 buf_bytes(&message));
	buf_close(&message);
	if (p == NULL)
		return ERROR_NOMEM;
	p->user = user;
	p->waits = op == MESSAGE_IN && waits(args, body);
	*n = p->n;
	if (!outbox_pump(s) && p->state == PENDING_HELD) {
		s->unanswered--;
		ledger_drop(s, p);
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
		c = ledger_enter(s, s->number + 1, MESSAGE_CANCEL, false, buf_bytes(&message));
	buf_close(&message);
	if (c != NULL)
		c->target = target;
	return c;
}

/* A cancel of `p` is on its way. */
static bool begin_cancel(struct session *s, struct pending *p)
{
	struct pending *c = enter_cancel(s, p->n);

	if (c == NULL)
		return false;
	p->cancel = c->n;
	s->unanswered += p->state == PENDING_READ;
	return true;
}

bool session_settle_owed(struct session *s)
{
	struct pending *p;

	for (uint64_t n = 0; s->owed > 0 && (p = pending_from(&s->table, n)) != NULL;
	     n = p->n + 1) {
		if (!p->owed)
			continue;
		if (!begin_cancel(s, p))
			return false;
		p->owed = false;
		s->owed--;
	}
	return true;
}

int session_cancel(struct session *s, uint64_t n)
{
	struct pending *p = ledger_find(s, n);

	if (p == NULL || p->op == MESSAGE_CANCEL || p->op == MESSAGE_BYE || s->passthrough)
		return ERROR_USAGE;
	if (p->cancel != 0 || p->owed || p->state == PENDING_DONE)
		return 0;
	if (p->state == PENDING_HELD ||
	    (p->state == PENDING_SENT && !p->reached && !s->connected)) {
		ledger_finish(s, p, ERROR_CANCELLED);
		return 0;
	}
	if (s->ending)
		return ERROR_USAGE;
	if (p->state == PENDING_READ)
		unack(s, p->n);
	if (begin_cancel(s, p)) {
		outbox_pump(s);
		return 0;
	}
	if (p->state == PENDING_READ) {
		p->owed = true;
		s->owed++;
	}
	return ERROR_NOMEM;
}

void session_set_user(struct session *s, uint64_t n, void *user)
{
	struct pending *p = ledger_find(s, n);

	if (p != NULL)
		p->user = user;
}

bool session_awaits(const struct session *s, uint64_t n)
{
	const struct pending *p = ledger_find(s, n);

	return p != NULL && (p->state != PENDING_READ || p->cancel != 0);
}

int session_bye(struct session *s)
{
	struct buf message = BUF_INIT;
	struct pending *p = NULL;

	if (s->ending)
		return 0;
	if (!session_settle_owed(s))
		return ERROR_NOMEM;
	item_put_head(&message, ITEM_ARRAY, 2);
	item_put_uint(&message, s->number + 1);
	item_put_text(&message, "bye");
	if (!message.failed)
		p = ledger_enter(s, s->number + 1, MESSAGE_BYE, true, buf_bytes(&message));
	buf_close(&message);
	if (p == NULL)
		return ERROR_NOMEM;
	s->ending = true;
	outbox_pump(s);
	return 0;
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
