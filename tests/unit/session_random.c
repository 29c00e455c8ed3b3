/* The client's session against a small model of a server that applies DESIGN 6
 * to the letter, over connections that break anywhere, with a server that is
 * killed (and forgets what it had not committed), old connections whose bytes
 * arrive late, and sessions that end. Each put must be executed once, each tuple
 * be delivered once, and each request be answered once. A watch must be told each
 * event in order, or of a gap. */
#include "../lib/harness.h"

#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "../../libclient/session.h"

#define VALUES 1500
#define SESSIONS 64
#define CONNS 4
#define OUTCOMES 1200
#define WAITING 400
#define REQUESTS 6000
#define WATCHES 4  /* of a session */
#define RING 60    /* events the server keeps */

/* --- the model server ------------------------------------------------------ */

enum state { NEVER, PRESENT, TAKEN, GONE };

struct outcome {
	uint64_t n;
	bool take;
	int v;
	unsigned attach;
};

struct server_watch {
	uint64_t n, next;
	bool gap;
};

struct server_session {
	bool alive;
	unsigned watches;
	struct server_watch watch[WATCHES];
	unsigned outcomes, waiting;
	uint64_t attempt;
	struct outcome outcome[OUTCOMES];
	uint64_t wait[WAITING];
};

/* What a kill takes back to the last commit. */
struct world {
	enum state tuple[VALUES];
	unsigned sessions;
	struct server_session session[SESSIONS];
};

struct conn {
	bool used, closing;
	int session; /* -1: none */
	struct buf in, out, held;
	uint64_t first, last;
};

static struct world live, disk;
static struct conn conns[CONNS];
static int attached[SESSIONS]; /* by which connection, or -1 */
static unsigned attaches, limit;
static bool returned[VALUES]; /* a session's end put it back after it was delivered */
static int delivered[VALUES];
static uint64_t ring_first, ring_next; /* cursors; a start of the server begins anew */
static bool watched[REQUESTS];         /* the server has seen this watch */

static void conn_close(struct conn *c)
{
	if (c->session >= 0 && attached[c->session] == (int)(c - conns)) {
		attached[c->session] = -1;
		live.session[c->session].watches = 0;
	}
	buf_close(&c->in);
	buf_close(&c->out);
	buf_close(&c->held);
	*c = (struct conn){.session = -1};
}

static void event(void)
{
	ring_next++;
	if (ring_next - ring_first > RING)
		ring_first = ring_next - RING;
}

static void part(struct conn *c, uint64_t n, const char *kind, uint64_t cursor)
{
	struct buf item = BUF_INIT;

	item_put_head(&item, ITEM_ARRAY, 4);
	item_put_text(&item, kind);
	item_put_uint(&item, cursor);
	item_put_uint(&item, 0);
	item_put_null(&item);
	message_part(&c->held, n, buf_bytes(&item));
	buf_close(&item);
}

static void tell_watches(struct conn *c, struct server_session *s)
{
	for (unsigned i = 0; i < s->watches; i++) {
		struct server_watch *w = &s->watch[i];

		if (w->next < ring_first) {
			w->gap = true;
			w->next = ring_next;
		}
		if (w->gap)
			part(c, w->n, "gap", w->next - 1);
		w->gap = false;
		for (; w->next < ring_next; w->next++)
			part(c, w->n, "put", w->next);
	}
}

static void commit(void)
{
	for (unsigned i = 0; i < live.sessions; i++)
		if (live.session[i].alive && attached[i] >= 0)
			tell_watches(&conns[attached[i]], &live.session[i]);
	disk = live;
	for (int i = 0; i < CONNS; i++) {
		buf_append(&conns[i].out, conns[i].held.data, conns[i].held.len);
		conns[i].held.len = 0;
	}
}

static void reply_bool(struct buf *b, uint64_t n, bool v)
{
	uint8_t byte = v ? 0xf5 : 0xf4;

	message_reply(b, n, (struct bytes){&byte, 1});
}

static void reply_uint(struct buf *b, uint64_t n, uint64_t v)
{
	struct buf item = BUF_INIT;

	item_put_uint(&item, v);
	message_reply(b, n, buf_bytes(&item));
	buf_close(&item);
}

/* [[id, [v]]] or [] */
static void reply_tuple(struct buf *b, uint64_t n, int v)
{
	struct buf item = BUF_INIT;

	item_put_head(&item, ITEM_ARRAY, v >= 0);
	if (v >= 0) {
		item_put_head(&item, ITEM_ARRAY, 2);
		item_put_uint(&item, (uint64_t)v + 1);
		item_put_head(&item, ITEM_ARRAY, 1);
		item_put_uint(&item, (uint64_t)v);
	}
	message_reply(b, n, buf_bytes(&item));
	buf_close(&item);
}

static int oldest(void)
{
	for (int v = 0; v < VALUES; v++) {
		if (live.tuple[v] == PRESENT)
			return v;
	}
	return -1;
}

static struct outcome *outcome_of(struct server_session *s, uint64_t n)
{
	for (unsigned i = 0; i < s->outcomes; i++) {
		if (s->outcome[i].n == n)
			return &s->outcome[i];
	}
	return NULL;
}

static void outcome_end(struct server_session *s, struct outcome *o, bool undo)
{
	if (o->take)
		live.tuple[o->v] = undo ? PRESENT : GONE;
	*o = s->outcome[--s->outcomes];
}

static void outcome_add(struct server_session *s, uint64_t n, bool take, int v)
{
	CHECK(s->outcomes < OUTCOMES);
	s->outcome[s->outcomes++] = (struct outcome){n, take, v, attaches};
}

static void take(struct conn *c, struct server_session *s, uint64_t n, int v)
{
	if (s->outcomes >= limit) {
		message_error_reply(&c->out, n, ERROR_UNACKNOWLEDGED, "too many");
		return;
	}
	live.tuple[v] = TAKEN;
	event();
	outcome_add(s, n, true, v);
	reply_tuple(&c->held, n, v);
}

/* Serves who waits, sessions in turn: order does not matter here. */
static void serve(void)
{
	for (unsigned i = 0; i < live.sessions; i++) {
		struct server_session *s = &live.session[i];

		while (s->alive && attached[i] >= 0 && s->waiting > 0 && oldest() >= 0) {
			uint64_t n = s->wait[0];

			memmove(s->wait, s->wait + 1, --s->waiting * sizeof(s->wait[0]));
			take(&conns[attached[i]], s, n, oldest());
		}
	}
}

static void forget(uint64_t from, uint64_t to, void *ctx)
{
	struct server_session *s = ctx;

	for (unsigned i = s->outcomes; i-- > 0;) {
		if (s->outcome[i].n >= from && s->outcome[i].n <= to)
			outcome_end(s, &s->outcome[i], false);
	}
}

static void session_ends(unsigned i)
{
	struct server_session *s = &live.session[i];

	while (s->outcomes > 0) {
		if (s->outcome[0].take && delivered[s->outcome[0].v])
			returned[s->outcome[0].v] = true;
		outcome_end(s, &s->outcome[0], true);
	}
	s->alive = false;
	serve();
}

static void welcome(struct buf *b, uint64_t n, int session)
{
	struct buf item = BUF_INIT;
	uint8_t id[16] = {(uint8_t)session};

	item_put_head(&item, ITEM_MAP, 4);
	item_put_text(&item, "boot");
	item_put_uint(&item, 1);
	item_put_text(&item, "features");
	item_put_head(&item, ITEM_ARRAY, 1);
	item_put_text(&item, "hello.attempt");
	item_put_text(&item, "grace");
	item_put_uint(&item, 1000);
	item_put_text(&item, "session");
	item_put_bytes(&item, (struct bytes){id, sizeof(id)});
	message_reply(b, n, buf_bytes(&item));
	buf_close(&item);
}

static void attach(struct conn *c, int i)
{
	live.session[i].watches = 0;
	if (attached[i] >= 0) {
		struct conn *old = &conns[attached[i]];

		message_error_reply(&old->out, 0, ERROR_TAKEN_OVER, "taken over");
		old->closing = true;
		old->held.len = 0;
		old->session = -1;
	}
	attached[i] = (int)(c - conns);
	c->session = i;
	attaches++;
}

static bool is_read_by_client(uint64_t n);
static bool is_clients(const struct conn *c);

static void on_hello(struct conn *c, const struct request *r)
{
	if (r->session_text) {
		CHECK(live.sessions < SESSIONS);
		live.session[live.sessions] = (struct server_session){.alive = true};
		attached[live.sessions] = -1;
		attach(c, (int)live.sessions++);
		welcome(&c->held, r->n, c->session);
		return;
	}
	unsigned i = r->option[OPTION_SESSION].s.p[0];

	if (i >= live.sessions || !live.session[i].alive) {
		message_error_reply(&c->out, r->n, ERROR_SESSION_OVER, "over");
		c->closing = true;
		return;
	}
	CHECK(request_has(r, OPTION_ATTEMPT));
	if (r->option[OPTION_ATTEMPT].u <= live.session[i].attempt) {
		message_error_reply(&c->out, r->n, ERROR_TAKEN_OVER, "late");
		c->closing = true;
		return;
	}
	live.session[i].attempt = r->option[OPTION_ATTEMPT].u;
	attach(c, (int)i);
	if (request_has(r, OPTION_HAVE))
		message_ranges(message_list_items(r->option[OPTION_HAVE].s), forget,
		               &live.session[i]);
	for (unsigned j = 0; j < live.session[i].outcomes; j++) /* `have` says all that was read */
		CHECK(!is_read_by_client(live.session[i].outcome[j].n));
	welcome(&c->out, r->n, (int)i);
	serve();
}

static bool stop_waiting(struct server_session *s, uint64_t n)
{
	for (unsigned i = 0; i < s->waiting; i++) {
		if (s->wait[i] != n)
			continue;
		memmove(s->wait + i, s->wait + i + 1, (--s->waiting - i) * sizeof(s->wait[0]));
		return true;
	}
	return false;
}

static bool stop_watching(struct server_session *s, uint64_t n)
{
	for (unsigned i = 0; i < s->watches; i++) {
		if (s->watch[i].n != n)
			continue;
		s->watch[i] = s->watch[--s->watches];
		return true;
	}
	return false;
}

static bool on_cancel(struct conn *c, struct server_session *s, uint64_t m)
{
	struct outcome *o = outcome_of(s, m);

	if (stop_watching(s, m) || stop_waiting(s, m)) {
		message_error_reply(&c->out, m, ERROR_CANCELLED, "cancelled");
		return true;
	}
	if (o != NULL && o->take) {
		outcome_end(s, o, true);
		serve();
		return true;
	}
	return o == NULL && (m < c->first || m > c->last);
}

static void on_bye(struct conn *c, struct server_session *s, uint64_t n)
{
	while (s->waiting > 0) {
		message_error_reply(&c->out, s->wait[0], ERROR_CANCELLED, "bye");
		stop_waiting(s, s->wait[0]);
	}
	while (s->watches > 0) {
		message_error_reply(&c->out, s->watch[0].n, ERROR_CANCELLED, "bye");
		stop_watching(s, s->watch[0].n);
	}
	forget(0, UINT64_MAX, s);
	s->alive = false;
	message_reply(&c->held, n, bytes_of("\xf6"));
}

static int value_of(struct bytes tuple)
{
	struct item_head h;

	item_head(item_head(tuple.p, &h), &h);
	return (int)h.arg;
}

/* A resend of what is known: answered again, or swallowed. */
static bool is_known(struct conn *c, struct server_session *s, uint64_t n)
{
	struct outcome *o = outcome_of(s, n);

	for (unsigned i = 0; i < s->waiting; i++) {
		if (s->wait[i] == n)
			return true;
	}
	if (o == NULL)
		return false;
	if (o->attach != attaches) {
		o->attach = attaches;
		if (o->take)
			reply_tuple(&c->held, n, o->v);
		else
			reply_uint(&c->held, n, (uint64_t)o->v + 1);
	}
	return true;
}

static void on_watch(struct server_session *s, const struct request *r, bool late)
{
	struct server_watch *w = &s->watch[s->watches++];
	uint64_t after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : ring_next - 1;

	CHECK(s->watches <= WATCHES);
	/* Nothing is missed unsaid, whatever late bytes of an older stream may ask. */
	CHECK(late || !watched[r->n] || request_has(r, OPTION_AFTER));
	watched[r->n] = true;
	w->n = r->n;
	w->gap = after < ring_first - 1 || after >= ring_next;
	w->next = w->gap ? ring_next : after + 1;
}

static void execute(struct conn *c, struct server_session *s, const struct request *r)
{
	int v;

	switch (r->op) {
	case MESSAGE_OUT:
		v = value_of(r->value);
		CHECK_INT(live.tuple[v], NEVER); /* each put once */
		if (s->outcomes >= limit) {
			message_error_reply(&c->out, r->n, ERROR_UNACKNOWLEDGED, "too many");
			break;
		}
		live.tuple[v] = PRESENT;
		event();
		outcome_add(s, r->n, false, v);
		reply_uint(&c->held, r->n, (uint64_t)v + 1);
		serve();
		break;
	case MESSAGE_IN:
		v = oldest();
		if (v >= 0) {
			take(c, s, r->n, v);
		} else if (request_has(r, OPTION_TIMEOUT)) {
			reply_tuple(&c->held, r->n, -1);
		} else {
			CHECK(s->waiting < WAITING);
			s->wait[s->waiting++] = r->n;
		}
		break;
	case MESSAGE_RD:
		reply_tuple(&c->held, r->n, oldest());
		break;
	case MESSAGE_WATCH:
		on_watch(s, r, !is_clients(c));
		break;
	case MESSAGE_CANCEL:
		reply_bool(&c->held, r->n, on_cancel(c, s, r->number));
		break;
	case MESSAGE_BYE:
		on_bye(c, s, r->n);
		break;
	default:
		CHECK(false);
	}
}

static void on_message(struct conn *c, struct bytes message)
{
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct request r;

	CHECK_INT(message_decode(message, &scratch, &r, &err), 0);
	if (r.op == MESSAGE_HELLO) {
		on_hello(c, &r);
	} else if (c->session >= 0 && r.op == MESSAGE_ACK) {
		message_ranges(r.value, forget, &live.session[c->session]);
	} else if (c->session >= 0 && live.session[c->session].alive) {
		struct server_session *s = &live.session[c->session];

		CHECK(r.n > c->last); /* numbers rise */
		c->last = r.n;
		if (c->first == 0)
			c->first = r.n;
		if (!is_known(c, s, r.n))
			execute(c, s, &r);
	}
	buf_close(&scratch);
}

static void server_reads(struct conn *c)
{
	struct bytes message;
	size_t used;

	while (c->used && !c->closing && c->in.len > 0 &&
	       frame_next(buf_bytes(&c->in), FRAME_MAX, &message, &used) == 1) {
		on_message(c, message);
		buf_shift(&c->in, used);
		if (test_random_below(3) == 0)
			return;
	}
}

static void kill_server(void)
{
	live = disk;
	for (int i = 0; i < CONNS; i++)
		conn_close(&conns[i]);
	for (unsigned i = 0; i < SESSIONS; i++) {
		attached[i] = -1;
		live.session[i].waiting = live.session[i].watches = 0;
	}
	ring_first = ring_next += 1000;
	attaches++;
}

/* --- the client ------------------------------------------------------------ */

static struct client {
	struct session *session;
	int conn; /* -1: none */
	struct {
		enum message_op op;
		int v;
		unsigned asked, answered;
		int code;
		uint64_t cursor; /* of the last event told */
	} request[REQUESTS];
	uint64_t open[REQUESTS];
	unsigned opened, watching;
	uint64_t events, gaps;
	int next_value;
	bool ended;
} client;

static bool is_clients(const struct conn *c)
{
	return client.conn == (int)(c - conns);
}

static bool is_read_by_client(uint64_t n)
{
	return client.request[n].answered == 1 && client.request[n].asked == 1;
}

static void put_request(enum message_op op, int v, bool wait)
{
	struct buf b = BUF_INIT;
	unsigned args = 2;
	uint64_t n;

	message_request_begin(&b, op);
	item_put_text(&b, "main");
	if (op == MESSAGE_OUT) {
		item_put_head(&b, ITEM_ARRAY, 1);
		item_put_uint(&b, (uint64_t)v);
	} else {
		item_put_null(&b);
	}
	if (!wait && op == MESSAGE_IN) {
		struct message_options o = {0};

		message_option_number(&o, OPTION_TIMEOUT, 0);
		args += message_options_put(&b, &o);
	}
	CHECK_INT(session_request(client.session, op, args, buf_bytes(&b), NULL, &n), 0);
	buf_close(&b);
	CHECK(n < REQUESTS);
	client.request[n].op = op;
	client.request[n].v = v;
	client.request[n].asked = 1;
	client.open[client.opened++] = n;
}

static void ask_something(void)
{
	unsigned dice = (unsigned)test_random_below(10);

	if (client.watching < WATCHES && test_random_below(10) == 0) {
		client.watching++;
		put_request(MESSAGE_WATCH, -1, true);
	}
	if (client.opened >= WAITING / 2 || session_number(client.session) > REQUESTS - 1000)
		return;
	if (dice < 4 && client.next_value < VALUES)
		put_request(MESSAGE_OUT, client.next_value++, false);
	else if (dice < 9)
		put_request(MESSAGE_IN, -1, dice < 7);
	else
		put_request(MESSAGE_RD, -1, false);
}

static void took(uint64_t n, struct bytes body)
{
	struct item_head h;
	const uint8_t *p = item_head(body.p, &h);
	int v;

	client.request[n].v = -1;
	if (h.arg == 0)
		return;
	p = item_skip(item_head(p, &h));
	v = value_of((struct bytes){p, 2});
	client.request[n].v = v;
	CHECK(delivered[v] == 0 || returned[v]);
	returned[v] = false;
	delivered[v] = 1;
}

static void told(const struct session_reply *r)
{
	struct item_head h;
	const uint8_t *kind = item_head(r->body.p, &h);
	bool gap = bytes_equal(item_string(kind), bytes_of("gap"));
	uint64_t cursor, *last = &client.request[r->n].cursor;

	CHECK(r->op == MESSAGE_WATCH && client.request[r->n].answered == 0);
	CHECK(message_number(item_skip(kind), &cursor));
	CHECK(gap || *last == 0 || cursor == *last + 1);
	*last = cursor;
	client.gaps += gap;
	client.events += !gap;
}

static void answered(const struct session_reply *r)
{
	if (r->code == 1) {
		told(r);
		return;
	}
	if (r->op == MESSAGE_BYE) {
		CHECK_INT(r->code, 0);
		client.ended = true;
		return;
	}
	CHECK(r->n < REQUESTS);
	CHECK_INT(++client.request[r->n].answered, client.request[r->n].asked);
	for (unsigned i = 0; i < client.opened; i++) {
		if (client.open[i] == r->n)
			client.open[i--] = client.open[--client.opened];
	}
	client.watching -= client.request[r->n].op == MESSAGE_WATCH;
	if (client.request[r->n].op != MESSAGE_IN) {
		client.request[r->n].code = r->code;
		return;
	}
	if (r->code == 0 && r->body.n != 0)
		took(r->n, r->body);
	else if (r->code == 0 &&
	         client.request[r->n].v >= 0) /* it could not be undone: it stands */
		CHECK_INT(++delivered[client.request[r->n].v], 1);
	client.request[r->n].code = r->code;
}

static void disconnect(bool server_too);

static void drain(void)
{
	struct session_reply r;
	int code;

	while ((code = session_next(client.session, &r)) == 1)
		answered(&r);
	if (code != 0 && code != ERROR_SESSION_OVER)
		test_fail(__FILE__, __LINE__, "session_next: %d %.*s", code, (int)r.text.n,
		          (const char *)r.text.p);
	if (code != 0 && client.conn >= 0)
		disconnect(true);
}

/* The server may learn of it later, or never before a resume. */
static void disconnect(bool server_too)
{
	if (client.conn < 0)
		return;
	if (server_too)
		conn_close(&conns[client.conn]);
	client.conn = -1;
	session_disconnected(client.session);
	drain();
}

static void reconnect(void)
{
	for (int i = 0; client.conn < 0 && i < CONNS; i++) {
		if (conns[i].used)
			continue;
		conns[i] = (struct conn){.used = true, .session = -1};
		client.conn = i;
	}
	if (client.conn < 0)
		return;
	CHECK_INT(session_connected(client.session), 0);
}

static void client_writes(void)
{
	struct bytes out = session_output(client.session);
	size_t n;

	if (client.conn < 0 || out.n == 0)
		return;
	n = test_random_below(4) == 0 ? test_random_below(out.n) + 1 : out.n;
	buf_append(&conns[client.conn].in, out.p, n);
	session_written(client.session, n);
}

static void client_reads(void)
{
	struct conn *c;
	size_t n;

	if (client.conn < 0)
		return;
	c = &conns[client.conn];
	if (c->out.len == 0) {
		if (c->closing || !c->used)
			disconnect(true);
		return;
	}
	n = test_random_below(3) == 0 ? test_random_below(c->out.len) + 1 : c->out.len;
	CHECK_INT(session_feed(client.session, c->out.data, n), 0);
	buf_shift(&c->out, n);
	drain();
}

static void cancel_something(void)
{
	uint64_t n;

	if (client.opened > 0 && test_random_below(4) != 0) {
		CHECK_INT(session_cancel(client.session,
		                         client.open[test_random_below(client.opened)]),
		          0);
		return;
	}
	/* One that was read, lately: as long as it is not acknowledged it goes back. */
	n = session_number(client.session);
	n -= test_random_below(n < 20 ? n : 20);
	if (n >= REQUESTS || client.request[n].op != MESSAGE_IN ||
	    client.request[n].answered != 1 || client.request[n].asked != 1)
		return;
	if (session_cancel(client.session, n) == 0) {
		client.request[n].asked = 2;
		if (client.request[n].v >= 0)
			delivered[client.request[n].v] = 0;
		client.open[client.opened++] = n;
	}
}

/* A session without a connection ends. */
static void end_a_session(void)
{
	unsigned i = (unsigned)test_random_below(live.sessions + 1);

	if (i < live.sessions && attached[i] < 0 && live.session[i].alive)
		session_ends(i);
}

/* --- the walk -------------------------------------------------------------- */

static void step(bool sessions_end, unsigned trouble)
{
	unsigned dice = (unsigned)test_random_below(1000);
	int i = (int)test_random_below(CONNS);

	if (dice < 150)
		ask_something();
	else if (dice < 350)
		client_writes();
	else if (dice < 600)
		server_reads(&conns[i]);
	else if (dice < 800)
		client_reads();
	else if (dice < 900)
		commit();
	else if (dice < 930)
		cancel_something();
	else if (client.conn < 0)
		reconnect();
	else if (dice < 930 + trouble)
		disconnect(test_random_below(2) == 0);
	else if (dice < 970 && i != client.conn)
		conn_close(&conns[i]);
	else if (dice == 999 && trouble > 0) {
		kill_server();
		disconnect(false);
	} else if (dice > 990 && sessions_end)
		end_a_session();
}

/* Everything that is open is answered or cancelled, then bye. */
static void wind_up(void)
{
	for (int i = 0; !client.ended; i++) {
		CHECK(i < 100000);
		if (i == 100) {
			for (unsigned j = 0; j < client.opened; j++)
				session_cancel(client.session, client.open[j]);
		}
		if (client.opened == 0)
			CHECK_INT(session_bye(client.session), 0);
		if (client.conn < 0) {
			for (int c = 0; c < CONNS; c++)
				conn_close(&conns[c]);
			reconnect();
		}
		client_writes();
		if (client.conn >= 0)
			server_reads(&conns[client.conn]);
		commit();
		client_reads();
		drain();
	}
	CHECK_INT(session_unanswered(client.session), 0);
	for (unsigned i = 0; i < live.sessions; i++) { /* the grace of all others ends */
		if (live.session[i].alive)
			session_ends(i);
	}
}

static void check_all(void)
{
	for (uint64_t n = 2; n < REQUESTS; n++) {
		int v = client.request[n].v;

		if (client.request[n].asked == 0)
			continue;
		CHECK_INT(client.request[n].answered, client.request[n].asked);
		if (client.request[n].op != MESSAGE_OUT)
			continue;
		if (client.request[n].code == 0)
			CHECK(live.tuple[v] != NEVER);
		if (client.request[n].code == ERROR_CANCELLED)
			CHECK_INT(live.tuple[v], NEVER);
		CHECK(live.tuple[v] != TAKEN);
		/* It is with the client or in the space, never both, never neither. */
		if (live.tuple[v] == PRESENT)
			CHECK(!delivered[v] || returned[v]);
		if (live.tuple[v] == GONE)
			CHECK(delivered[v]);
		if (live.tuple[v] == NEVER)
			CHECK(!delivered[v]);
	}
}

static void walk(uint64_t seed, bool sessions_end, unsigned trouble)
{
	struct session_options o = {.resumable = true, .grace_ms = SESSION_DEFAULT};
	unsigned unknown = 0;

	test_random_seed(seed);
	for (int i = 0; i < CONNS; i++)
		conn_close(&conns[i]);
	memset(&live, 0, sizeof(live));
	memset(&disk, 0, sizeof(disk));
	memset(delivered, 0, sizeof(delivered));
	memset(returned, 0, sizeof(returned));
	memset(&client, 0, sizeof(client));
	memset(watched, 0, sizeof(watched));
	ring_first = ring_next = 1000;
	for (int i = 0; i < SESSIONS; i++)
		attached[i] = -1;
	limit = test_random_below(2) == 0 ? 20 : OUTCOMES;
	client.conn = -1;
	client.session = session_create(&o);
	for (int i = 0; i < 12000 && live.sessions < SESSIONS - 8; i++)
		step(sessions_end, trouble);
	wind_up();
	check_all();
	CHECK(client.events > 0 || test_seed(1) != 1);
	CHECK(trouble > 0 || client.gaps == 0);
	for (uint64_t n = 0; n < REQUESTS; n++)
		unknown += client.request[n].code == ERROR_UNKNOWN;
	CHECK(unknown == 0 || trouble > 0);
	session_destroy(client.session);
	for (int i = 0; i < CONNS; i++)
		conn_close(&conns[i]);
}

static void walks(bool sessions_end, unsigned trouble, int count)
{
	uint64_t seed = test_seed(1);

	for (int i = 0; i < count; i++)
		walk(seed + (uint64_t)i, sessions_end, trouble);
}

TEST(a_quiet_connection_does_each_thing_once)
{
	walks(false, 0, 10);
}

TEST(broken_connections_and_killed_servers_do_each_thing_once)
{
	walks(false, 10, 60);
}

TEST(sessions_that_end_tell_what_is_unknown_once)
{
	walks(true, 20, 60);
}
