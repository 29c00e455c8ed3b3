/* The engine in lock step with a naive model: a list and a scan. A seeded
 * random walk sends requests over a few connections, with and without sessions,
 * breaks and resumes them, crashes and recovers, and runs background work in
 * slices of 1 to 4 so that half-built indexes are seen. After every step the
 * replies must be the model's, byte for byte, and the inside must hold. The walk
 * is done over both journals; under SQLite a crash is a loss of power that drops,
 * keeps or tears what was not synced, at any write of a commit. */
#include "../../libclient/diag.h"
#include "../../libclient/formal.h"
#include "../../libclient/frame.h"
#include "../../server/engine/state.h"
#include "../../server/journal/journal.h"
#include "../lib/crashvfs.h"
#include "../lib/harness.h"

#include <stdlib.h>
#include <unistd.h>

enum { CONNS = 6, SESSIONS = 5, TUPLES = 400, WAITERS = 200, OUTCOMES = 600, SENT = 4000, MAX = 4 };

struct m_tuple {
	bool used, taken;
	int space, session;
	uint64_t id, n;             /* n: the request that took it; 0: acknowledged (a claim) */
	uint64_t token;             /* of a claim; 0: none */
	uint64_t lease, over,
		turn; /* over: by the lease clock; turn: of the leases that end then */
	unsigned tries;
	uint8_t len, bytes[40];
};

struct m_waiter {
	bool used, take, resent, in;
	int space, session, max;
	uint64_t n, after, order, deadline, lease; /* 0: none */
	uint8_t len, bytes[120];
};

struct m_outcome {
	bool used, take, answered;
	int session, space;
	uint64_t n;
	uint8_t len, result[48];
};

struct m_session {
	bool used; /* an id was given, and it is not over */
	int conn;  /* -1: detached */
	uint64_t grace, over, number;
	uint8_t id[ENGINE_SESSION_ID];
	uint64_t early[64];
	int earlies;
};

/* What survives a crash, when its batch was durable, is in here. Sessions 0 to
 * SESSIONS - 1 have ids; SESSIONS + c is that of connection c without one. */
struct model {
	struct m_tuple tuples[TUPLES];
	struct m_waiter waiters[WAITERS];
	struct m_outcome outcomes[OUTCOMES];
	struct m_session sessions[SESSIONS];
	uint64_t next_id, ceiling, orders, turns;
	uint64_t last_batch; /* of main */
	uint64_t lease;
};

struct driver_conn {
	bool open, held;
	int session; /* -1: taken over */
	uint64_t first_n, last_n;
	uint8_t message[256];
	size_t len;
};

struct sent {
	uint64_t n, batch;
	bool answered, acked;
	uint8_t len, message[200];
};

/* What the client of a session knows. */
struct driver_session {
	uint64_t next_n;
	uint64_t number; /* of the session it believes it has */
	struct sent sent[SENT];
	int count;
};

struct expected {
	int conn;
	uint64_t n, batch;
	size_t len;
	uint8_t bytes[512];
	bool seen;
};

static struct world {
	struct engine *engine;
	struct effects fx;
	struct journal *journal;
	struct model now, sealed, durable;
	uint64_t open_batch, durable_batch;
	bool committing;
	struct driver_conn conns[CONNS];
	struct driver_session clients[SESSIONS + CONNS];
	struct expected expected[256];
	int expected_count;
	uint64_t now_ms, wall_ms;
	uint64_t random_id;
	bool walking;
	bool sqlite; /* the journal: on a disk that loses power */
	bool few;    /* indexes: they are dropped and built all the time, or a walk must do */
	bool walked; /* the present request was given before */
	int most_claims;   /* of a session */
	unsigned expiries; /* durable leases that ended in this batch */
	unsigned most_expiries;
	unsigned long requests, again, served, crashes, resumes, undone, expired, committed, stale;
} w;

/* --- expectations ---------------------------------------------------------- */

static void expect(int conn, uint64_t n, uint64_t batch, struct buf *item)
{
	struct expected *x = &w.expected[w.expected_count++];

	CHECK(w.expected_count < 256 && item->len < sizeof x->bytes);
	*x = (struct expected){.conn = conn, .n = n, .batch = batch, .len = item->len};
	memcpy(x->bytes, item->data, item->len);
	buf_close(item);
}

static void expect_code(int conn, uint64_t n, int code)
{
	struct buf b = BUF_INIT;

	item_put_int(&b, code);
	expect(conn, n, 0, &b);
}

static void expect_stale(int conn, uint64_t n, const uint64_t *tokens, unsigned count)
{
	struct buf b = BUF_INIT;

	item_put_int(&b, ERROR_CLAIM_OVER);
	item_put_head(&b, ITEM_ARRAY, count);
	for (unsigned i = 0; i < count; i++)
		item_put_uint(&b, tokens[i]);
	expect(conn, n, 0, &b);
}

static uint64_t batch_of(int space)
{
	return space == 0 ? w.now.last_batch : 0;
}

static void expect_tuples(int session, uint64_t n, int space, struct m_tuple *const *t, int count)
{
	struct buf b = BUF_INIT;
	int conn = session >= SESSIONS ? session - SESSIONS : w.now.sessions[session].conn;

	item_put_uint(&b, 0);
	item_put_head(&b, ITEM_ARRAY, (uint64_t)count);
	for (int i = 0; i < count; i++) {
		item_put_head(&b, ITEM_ARRAY, t[i]->token ? 4 : 2);
		item_put_uint(&b, t[i]->id);
		buf_append(&b, t[i]->bytes, t[i]->len);
		if (t[i]->token) {
			item_put_uint(&b, t[i]->token);
			item_put_uint(&b, t[i]->tries);
		}
	}
	expect(conn, n, batch_of(space), &b);
}

/* --- the model ------------------------------------------------------------- */

static bool matches(const uint8_t *template, const struct m_tuple *t)
{
	return *template == ITEM_NULL || formal_match(template, t->bytes);
}

static void touch(int space)
{
	if (space == 0)
		w.now.last_batch = w.open_batch;
}

static struct m_outcome *find_outcome(int session, uint64_t n)
{
	for (int i = 0; i < OUTCOMES; i++)
		if (w.now.outcomes[i].used && w.now.outcomes[i].session == session &&
		    w.now.outcomes[i].n == n)
			return &w.now.outcomes[i];
	return NULL;
}

static struct m_outcome *new_outcome(int session, uint64_t n, int space, bool take)
{
	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];

		if (o->used)
			continue;
		*o = (struct m_outcome){.used = true, .take = take, .answered = true,
		                        .session = session, .space = space, .n = n};
		return o;
	}
	test_fail(__FILE__, __LINE__, "the model is out of outcomes");
}

static struct m_waiter *find_waiter(int session, uint64_t n)
{
	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session &&
		    w.now.waiters[i].n == n)
			return &w.now.waiters[i];
	return NULL;
}

static void end_waiter(struct m_waiter *one)
{
	if (one->session < SESSIONS && !one->resent && w.now.sessions[one->session].conn >= 0) {
		struct m_session *s = &w.now.sessions[one->session];

		s->early[s->earlies++] = one->n;
		CHECK(s->earlies < 64);
	}
	one->used = false;
}

/* The tuples that the outcome of request n took, in order. */
static int taken_by(int session, uint64_t n, struct m_tuple **found);

static void lease(struct m_tuple *t, uint64_t ms)
{
	t->over = w.now.lease + ms;
	t->turn = ++w.now.turns;
}

static void take(struct m_tuple **t, int count, int session, uint64_t n, int space, uint64_t ms)
{
	new_outcome(session, n, space, true);
	for (int i = 0; i < count; i++) {
		t[i]->taken = true;
		t[i]->session = session;
		t[i]->n = n;
		if (ms == 0)
			continue;
		t[i]->token = w.now.next_id++;
		t[i]->lease = ms;
		t[i]->tries++;
		lease(t[i], ms);
	}
	touch(space);
	expect_tuples(session, n, space, t, count);
}

static int claim_room_of(int session)
{
	int room = w.most_claims;

	for (int i = 0; i < TUPLES; i++)
		room -= w.now.tuples[i].used && w.now.tuples[i].token &&
		        w.now.tuples[i].session == session;
	return room;
}

static int conn_of(int session)
{
	return session >= SESSIONS ? session - SESSIONS : w.now.sessions[session].conn;
}

/* A tuple appears: all matching readers, then the longest-waiting taker that may
 * have one more. */
static void appear(struct m_tuple *t)
{
	struct m_waiter *taker = NULL;

	t->taken = false;
	t->token = 0;
	touch(t->space);
	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];

		if (!one->used || !one->in || one->space != t->space || !matches(one->bytes, t))
			continue;
		if (one->take) {
			taker = !taker || one->order < taker->order ? one : taker;
		} else if (t->id > one->after) {
			expect_tuples(one->session, one->n, t->space, &t, 1);
			end_waiter(one);
			w.served++;
		}
	}
	if (!taker)
		return;
	if (taker->lease && claim_room_of(taker->session) == 0) {
		expect_code(conn_of(taker->session), taker->n, ERROR_LIMIT);
		end_waiter(taker);
		appear(t);
		return;
	}
	take(&t, 1, taker->session, taker->n, t->space, taker->lease);
	end_waiter(taker);
	w.served++;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = (*(struct m_tuple *const *)a)->id, y = (*(struct m_tuple *const *)b)->id;

	return x < y ? -1 : x > y;
}

/* All visible matches, oldest first; with `hidden`, what is claimed too. */
static int scan(int space, const uint8_t *template, uint64_t after, bool hidden,
                struct m_tuple **found)
{
	int count = 0;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && (!t->taken || (hidden && t->token)) && t->space == space &&
		    t->id > after && matches(template, t))
			found[count++] = t;
	}
	qsort(found, (size_t)count, sizeof *found, by_id);
	return count;
}

static int taken_by(int session, uint64_t n, struct m_tuple **found)
{
	int count = 0;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->taken && t->session == session && t->n == n)
			found[count++] = t;
	}
	qsort(found, (size_t)count, sizeof *found, by_id);
	return count;
}

static uint64_t put(int space, struct bytes item)
{
	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];
		uint64_t id = w.now.next_id;

		if (t->used)
			continue;
		w.now.next_id++;
		CHECK(item.n <= sizeof t->bytes);
		*t = (struct m_tuple){
			.used = true, .space = space, .id = id, .len = (uint8_t)item.n};
		memcpy(t->bytes, item.p, item.n);
		appear(t);
		return id;
	}
	test_fail(__FILE__, __LINE__, "the model is out of tuples");
}

static void free_outcome(struct m_outcome *o)
{
	struct m_tuple *t[TUPLES];
	int count = o->take ? taken_by(o->session, o->n, t) : 0;

	for (int i = 0; i < count; i++) {
		t[i]->used = t[i]->token != 0;
		t[i]->n = 0;
	}
	if (count > 0 && o->session < SESSIONS && !t[0]->used)
		touch(o->space);
	o->used = false;
}

static void undo_outcome(struct m_outcome *o, bool died, bool cancelled)
{
	struct m_tuple *back[TUPLES];
	int count = taken_by(o->session, o->n, back);

	o->used = false;
	for (int i = 0; i < count; i++) {
		if (back[i]->token)
			back[i]->tries -= cancelled;
		else
			back[i]->tries += died;
		back[i]->n = 0;
	}
	for (int i = 0; i < count; i++)
		appear(back[i]);
	w.undone += (unsigned)count;
}

/* ---- claims ----------------------------------------------------------------------------- */

/* The claim ends; the outcome of its take goes with the last. */
static void end_claim(struct m_tuple *t)
{
	struct m_tuple *left[TUPLES];
	uint64_t n = t->n;

	t->taken = false;
	t->token = t->n = 0;
	if (n && taken_by(t->session, n, left) == 0)
		find_outcome(t->session, n)->used = false;
}

static void done_claim(struct m_tuple *t)
{
	end_claim(t);
	t->used = false;
	touch(t->space);
}

static void back_claim(struct m_tuple *t)
{
	end_claim(t);
	appear(t);
}

/* The session's open claim of that token, or NULL. */
static struct m_tuple *find_claim(int session, uint64_t token)
{
	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->token && t->token == token && t->session == session &&
		    t->over > w.now.lease)
			return t;
	}
	return NULL;
}

static struct m_tuple *first_claim(int session)
{
	struct m_tuple *first = NULL;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->token && t->session == session &&
		    (!first || t->token < first->token))
			first = t;
	}
	return first;
}

static void expire_claims(void)
{
	for (;;) {
		struct m_tuple *first = NULL;

		for (int i = 0; i < TUPLES; i++) {
			struct m_tuple *t = &w.now.tuples[i];

			if (t->used && t->token &&
			    (!first || t->over < first->over ||
			     (t->over == first->over && t->turn < first->turn)))
				first = t;
		}
		if (!first || first->over > w.now.lease ||
		    (first->space == 0 && w.expiries >= w.most_expiries))
			return;
		w.expiries += first->space == 0;
		w.expired++;
		back_claim(first);
	}
}

static int outcome_order(const void *a, const void *b)
{
	uint64_t x = (*(struct m_outcome *const *)a)->n, y = (*(struct m_outcome *const *)b)->n;

	return x < y ? -1 : x > y;
}

static void end_session(int session, bool died)
{
	struct m_outcome *list[OUTCOMES];
	struct m_tuple *t;
	int count = 0;

	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			w.now.waiters[i].used = false;
	for (int i = 0; i < OUTCOMES; i++)
		if (w.now.outcomes[i].used && w.now.outcomes[i].session == session)
			list[count++] = &w.now.outcomes[i];
	qsort(list, (size_t)count, sizeof *list, outcome_order);
	if (session < SESSIONS)
		w.now.sessions[session].used = false;
	for (int i = 0; i < count; i++) {
		if (list[i]->take)
			undo_outcome(list[i], died, false);
		else
			list[i]->used = false;
	}
	while ((t = first_claim(session)))
		back_claim(t);
}

static void detach(int session)
{
	struct m_session *s;

	if (session >= SESSIONS) {
		end_session(session, false);
		return;
	}
	s = &w.now.sessions[session];
	s->conn = -1;
	s->over = w.now.lease + s->grace;
	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			w.now.waiters[i].in = w.now.waiters[i].resent = false;
}

/* --- stepping -------------------------------------------------------------- */

static struct event event(enum event_kind kind)
{
	struct event ev = {.kind = kind, .now_ms = w.now_ms, .wall_ms = w.wall_ms};

	return ev;
}

/* Whether the client has the reply: it was not lost, and its batch is durable. */
static bool delivered(const struct sent *s)
{
	return s->answered && s->batch <= w.durable_batch;
}

static void mark_answered(const struct effect *f, uint64_t n)
{
	int session = w.conns[f->conn].session;
	struct driver_session *c = session < 0 ? NULL : &w.clients[session];

	for (int i = c ? c->count : 0; i-- > 0 && n > 0;)
		if (c->sent[i].n == n) {
			c->sent[i].answered = test_random_below(5) > 0; /* else it was lost */
			c->sent[i].batch = f->batch;
			return;
		}
}

static void print_hex(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", p[i]);
}

static void fail_reply(const struct effect *f, struct bytes message)
{
	struct buf b = BUF_INIT;

	print_hex(&b, message.p, message.n);
	for (int i = 0; i < w.expected_count; i++) {
		buf_printf(&b, "\n  expected%s conn %d n %llu ",
		           w.expected[i].seen ? " (seen)" : "", w.expected[i].conn,
		           (unsigned long long)w.expected[i].n);
		print_hex(&b, w.expected[i].bytes, w.expected[i].len);
	}
	test_fail(__FILE__, __LINE__, "reply on conn %u not expected: %.*s", f->conn, (int)b.len,
	          (char *)b.data);
}

static void check_reply(const struct effect *f)
{
	struct bytes frame = effect_frame(&w.fx, f), message;
	uint8_t joined[200];
	struct item_head h;
	const uint8_t *p;
	size_t used, len;

	CHECK_INT(frame_next(frame, FRAME_MAX, &message, &used), 1);
	CHECK_INT(used, frame.n);
	p = item_head(message.p, &h);
	p = item_head(p, &h); /* the number */
	len = *p >> 5 == ITEM_NINT ? item_bytes(p).n : (size_t)(message.p + message.n - p);
	if (*p >> 5 == ITEM_NINT &&
	    *message.p == (ITEM_ARRAY << 5 | 4)) { /* the detail, not the text */
		struct bytes detail = item_bytes(item_skip(item_skip(p)));

		CHECK(len + detail.n <= sizeof joined);
		memcpy(joined, p, len);
		memcpy(joined + len, detail.p, detail.n);
		p = joined;
		len += detail.n;
	}
	for (int i = 0; i < w.expected_count; i++) {
		struct expected *x = &w.expected[i];

		if (x->seen || x->conn != (int)f->conn || x->n != h.arg || x->len != len ||
		    memcmp(x->bytes, p, len) != 0)
			continue;
		x->seen = true;
		if (f->batch < x->batch)
			test_fail(__FILE__, __LINE__,
			          "the reply to %llu waits for batch %llu, not %llu",
			          (unsigned long long)h.arg, (unsigned long long)f->batch,
			          (unsigned long long)x->batch);
		mark_answered(f, h.arg);
		return;
	}
	fail_reply(f, message);
}

static void after_step(void)
{
	for (size_t i = 0; i < w.fx.count; i++) {
		const struct effect *f = &w.fx.list[i];

		if (f->kind == EFFECT_CHANGE)
			w.journal->ops->add(w.journal, &f->change);
		else if (f->kind == EFFECT_REPLY)
			check_reply(f);
	}
	for (int i = 0; i < w.expected_count; i++)
		if (!w.expected[i].seen)
			test_fail(__FILE__, __LINE__, "no reply on conn %d to %llu",
			          w.expected[i].conn, (unsigned long long)w.expected[i].n);
	w.expected_count = 0;
	engine_assert(w.engine);
}

static int step(const struct event *ev)
{
	return engine_step(w.engine, ev, &w.fx);
}

/* --- requests -------------------------------------------------------------- */

static bool is_durable_change(const struct request *r, int space)
{
	return space == 0 && (r->op == MESSAGE_OUT || r->op == MESSAGE_OUTS ||
	                      r->op == MESSAGE_IN || r->op == MESSAGE_COMMIT);
}

static void model_wait(int session, const struct request *r, int space, uint64_t order)
{
	struct m_waiter *one = NULL;

	for (int i = 0; i < WAITERS && !one; i++)
		one = w.now.waiters[i].used ? NULL : &w.now.waiters[i];
	CHECK(one && r->value.n <= sizeof one->bytes);
	*one = (struct m_waiter){
		.used = true,
		.take = r->op == MESSAGE_IN,
		.resent = true,
		.in = true,
		.space = space,
		.session = session,
		.n = r->n,
		.max = request_has(r, OPTION_MAX) ? (int)r->option[OPTION_MAX].u : 1,
		.after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : 0,
		.len = (uint8_t)r->value.n,
		.order = order ? order : ++w.now.orders};
	memcpy(one->bytes, r->value.p, r->value.n);
	one->lease = request_has(r, OPTION_LEASE) ? r->option[OPTION_LEASE].u : 0;
	if (request_has(r, OPTION_TIMEOUT))
		one->deadline = w.now_ms + r->option[OPTION_TIMEOUT].u;
}

/* How many tuples the engine's reply to request n holds. */
static int replied(uint64_t n)
{
	for (size_t i = 0; i < w.fx.count; i++) {
		struct bytes message;
		struct item_head h;
		const uint8_t *p;
		size_t used;

		if (w.fx.list[i].kind != EFFECT_REPLY || w.fx.list[i].number != n)
			continue;
		frame_next(effect_frame(&w.fx, &w.fx.list[i]), FRAME_MAX, &message, &used);
		p = item_skip(item_skip(item_head(message.p, &h)));
		item_head(p, &h);
		return (int)h.arg;
	}
	return 0;
}

static void model_take(int session, const struct request *r, int space, uint64_t order)
{
	struct m_tuple *found[TUPLES];
	uint64_t after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : 0;
	int max = request_has(r, OPTION_MAX) ? (int)r->option[OPTION_MAX].u : 1;
	uint64_t ms = request_has(r, OPTION_LEASE) ? r->option[OPTION_LEASE].u : 0;
	int room = ms ? claim_room_of(session) : MAX;
	int count = scan(space, r->value.p, after, false, found);

	if (room == 0) {
		expect_code(conn_of(session), r->n, ERROR_LIMIT);
		return;
	}
	max = max < room ? max : room;
	count = count < max ? count : max;
	/* A walk may give fewer than there are, the oldest, when some vanished under it. */
	if (w.walked && replied(r->n) > 0 && replied(r->n) < count)
		count = replied(r->n);
	if (count > 0 && r->op == MESSAGE_IN)
		take(found, count, session, r->n, space, ms);
	else if (count > 0 || (request_has(r, OPTION_TIMEOUT) && r->option[OPTION_TIMEOUT].u == 0))
		expect_tuples(session, r->n, space, found, count);
	else
		model_wait(session, r, space, order);
}

/* What is named by a list of tokens, or of [token, delay]. */
struct named {
	struct m_tuple *claims[8];
	uint64_t stale[8];
	unsigned count, stales;
	bool twice;
};

static void name_claims(struct named *k, int session, const uint8_t *p, bool pairs)
{
	struct item_head h;

	p = item_head(p, &h);
	for (uint64_t left = h.arg; left > 0; left--, p = item_skip(p)) {
		struct m_tuple *t;
		uint64_t token;

		CHECK(message_number(pairs ? item_head(p, &h) : p, &token));
		t = find_claim(session, token);
		if (!t) {
			k->stale[k->stales++] = token;
			continue;
		}
		for (unsigned i = 0; i < k->count; i++)
			k->twice |= k->claims[i] == t;
		k->claims[k->count++] = t;
	}
	CHECK(k->count + k->stales <= 8);
}

/* Whether they are right; else the error is expected. */
static bool named_well(const struct named *k, int conn, uint64_t n)
{
	w.stale += k->stales > 0;
	if (k->stales)
		expect_stale(conn, n, k->stale, k->stales);
	else if (k->twice)
		expect_code(conn, n, ERROR_REQUEST);
	return !k->stales && !k->twice;
}

static int space_at(const uint8_t *p)
{
	return bytes_equal(item_string(p), bytes_of("vol")) ? 1 : 0;
}

static void model_commit(int conn, int session, const struct request *r)
{
	const uint8_t *outs = request_has(r, OPTION_OUTS) ? r->option[OPTION_OUTS].s.p : NULL, *p;
	struct item_head h = {.arg = 0}, out;
	struct named k = {.count = 0};
	bool seen[2] = {false, false};
	struct buf b = BUF_INIT;
	unsigned done;

	if (request_has(r, OPTION_DONE))
		name_claims(&k, session, r->option[OPTION_DONE].s.p, false);
	done = k.count;
	if (request_has(r, OPTION_BACK))
		name_claims(&k, session, r->option[OPTION_BACK].s.p, true);
	if (!named_well(&k, conn, r->n))
		return;
	for (unsigned i = 0; i < k.count; i++)
		seen[k.claims[i]->space] = true;
	outs = outs ? item_head(outs, &h) : NULL;
	p = outs;
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p))
		seen[space_at(item_head(p, &out))] = true;
	if (seen[0] && seen[1]) {
		expect_code(conn, r->n, ERROR_MIXED);
		return;
	}
	for (unsigned i = 0; i < k.count; i++)
		(i < done ? done_claim : back_claim)(k.claims[i]);
	item_put_uint(&b, 0);
	item_put_head(&b, ITEM_ARRAY, h.arg);
	p = outs;
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p)) {
		const uint8_t *name = item_head(p, &out);

		item_put_uint(&b, put(space_at(name), item_bytes(item_skip(name))));
	}
	if (session < SESSIONS && (seen[0] || seen[1])) {
		struct m_outcome *o = new_outcome(session, r->n, seen[0] ? 0 : 1, false);

		CHECK(b.len - 1 <= sizeof o->result);
		memcpy(o->result, b.data + 1, b.len - 1);
		o->len = (uint8_t)(b.len - 1);
	}
	w.committed += k.count;
	expect(conn, r->n, seen[0] ? w.open_batch : 0, &b);
}

static void model_renew(int conn, int session, const struct request *r)
{
	struct named k = {.count = 0};
	struct buf b = BUF_INIT;

	name_claims(&k, session, r->value.p, false);
	if (!named_well(&k, conn, r->n))
		return;
	item_put_uint(&b, 0);
	item_put_head(&b, ITEM_ARRAY, k.count);
	for (unsigned i = 0; i < k.count; i++) {
		if (k.claims[i]->over < w.now.lease + r->number)
			lease(k.claims[i], r->number);
		item_put_uint(&b, k.claims[i]->over - w.now.lease);
	}
	expect(conn, r->n, 0, &b);
}

static void model_put(int conn, int session, const struct request *r, int space)
{
	struct buf b = BUF_INIT;
	struct item_head h;
	const uint8_t *p = r->value.p;

	if (r->op == MESSAGE_OUT) {
		item_put_uint(&b, put(space, r->value));
	} else {
		p = item_head(p, &h);
		item_put_head(&b, ITEM_ARRAY, h.arg);
		for (uint64_t i = 0; i < h.arg; i++) {
			struct bytes item = item_bytes(p);

			item_put_uint(&b, put(space, item));
			p = item.p + item.n;
		}
	}
	touch(space);
	if (session < SESSIONS) {
		struct m_outcome *o = new_outcome(session, r->n, space, false);

		CHECK(b.len <= sizeof o->result);
		memcpy(o->result, b.data, b.len);
		o->len = (uint8_t)b.len;
	}
	buf_append(&b, "", 1);
	memmove(b.data + 1, b.data, b.len - 1);
	b.data[0] = 0;
	expect(conn, r->n, batch_of(space), &b);
}

static void model_cancel(int conn, int session, const struct request *r)
{
	struct driver_conn *c = &w.conns[conn];
	struct m_waiter *one = find_waiter(session, r->number);
	struct m_outcome *o = find_outcome(session, r->number);
	struct buf b = BUF_INIT;
	bool undone;

	if (one) {
		expect_code(conn, r->number, ERROR_CANCELLED);
		end_waiter(one);
		undone = true;
	} else if (o) {
		undone = o->take;
		if (undone)
			undo_outcome(o, false, true);
	} else {
		undone = !c->first_n || r->number < c->first_n || r->number > c->last_n;
	}
	item_put_uint(&b, 0);
	item_put_bool(&b, undone);
	expect(conn, r->n, 0, &b);
}

static void model_answer_again(int conn, struct m_outcome *o)
{
	struct m_tuple *t[TUPLES];
	struct buf b = BUF_INIT;

	o->answered = true;
	if (o->take) {
		expect_tuples(o->session, o->n, o->space, t, taken_by(o->session, o->n, t));
		return;
	}
	item_put_uint(&b, 0);
	buf_append(&b, o->result, o->len);
	expect(conn, o->n, 0, &b);
}

/* Whether a resend needs no execution; *order: its old place when it does. */
static bool model_resend(int conn, int session, const struct request *r, uint64_t *order)
{
	struct m_session *s = &w.now.sessions[session];
	struct m_waiter *one = find_waiter(session, r->n);
	struct m_outcome *o = find_outcome(session, r->n);

	for (int i = 0; i < s->earlies; i++)
		if (s->early[i] == r->n) {
			s->early[i] = s->early[--s->earlies];
			return true;
		}
	if (o && !o->answered)
		model_answer_again(conn, o);
	if (o || !one)
		return o != NULL;
	one->resent = true;
	if (one->in)
		return true;
	*order = one->order;
	one->used = false;
	return false;
}

static void model_count(int conn, const struct request *r, int space)
{
	struct m_tuple *found[TUPLES];
	struct buf b = BUF_INIT;

	item_put_uint(&b, 0);
	item_put_uint(&b, (uint64_t)scan(space, r->value.p, 0, true, found));
	expect(conn, r->n, batch_of(space), &b);
}

static void model_request(int conn, const struct request *r, int space, uint64_t order)
{
	int session = w.conns[conn].session;

	switch (r->op) {
	case MESSAGE_OUT:
	case MESSAGE_OUTS:
		model_put(conn, session, r, space);
		break;
	case MESSAGE_IN:
	case MESSAGE_RD:
		model_take(session, r, space, order);
		break;
	case MESSAGE_COUNT:
		model_count(conn, r, space);
		break;
	case MESSAGE_COMMIT:
		model_commit(conn, session, r);
		break;
	case MESSAGE_RENEW:
		model_renew(conn, session, r);
		break;
	case MESSAGE_CANCEL:
		model_cancel(conn, session, r);
		break;
	default:
		CHECK(!"a request the walk does not send");
	}
}

static void model_ack(uint64_t from, uint64_t to, void *ctx)
{
	struct m_outcome *list[OUTCOMES];
	int session = *(int *)ctx, count = 0;

	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];

		if (o->used && o->session == session && o->n >= from && o->n <= to)
			list[count++] = o;
	}
	for (int i = 0; i < count; i++)
		free_outcome(list[i]);
}

/* What the engine accepted, the model does too. The order a waiter had is
 * remembered while its resend is given again and again. */
static void model_accept(int conn, const struct request *r, int space)
{
	struct driver_conn *c = &w.conns[conn];
	uint64_t order = 0;

	if (r->op == MESSAGE_ACK) {
		message_ranges(r->value, model_ack, &c->session);
		return;
	}
	if (c->session >= SESSIONS || !model_resend(conn, c->session, r, &order))
		model_request(conn, r, space, order);
	if (!c->first_n)
		c->first_n = r->n;
	c->last_n = r->n;
}

static void deliver(int conn)
{
	struct driver_conn *c = &w.conns[conn];
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct event ev = event(EV_REQUEST);
	struct request r;
	int space;

	CHECK_INT(message_decode((struct bytes){c->message, c->len}, &scratch, &r, &err), 0);
	ev.conn = (uint32_t)conn;
	ev.request = &r;
	space = bytes_equal(r.space, bytes_of("vol")) ? 1 : 0;
	ev.batch_full = is_durable_change(&r, space) && test_random_below(20) == 0;
	w.walked = c->held;
	c->held = step(&ev) == ENGINE_AGAIN;
	w.requests++;
	w.again += c->held;
	if (!c->held)
		model_accept(conn, &r, space);
	after_step();
	buf_close(&scratch);
}

static void send(int conn, uint64_t n, const struct buf *body, unsigned items)
{
	struct driver_conn *c = &w.conns[conn];
	struct driver_session *client = &w.clients[c->session];
	struct buf b = BUF_INIT;
	struct sent *s;

	item_put_head(&b, ITEM_ARRAY, items + 2);
	item_put_uint(&b, n);
	buf_append(&b, body->data, body->len);
	CHECK(b.len <= sizeof c->message);
	memcpy(c->message, b.data, b.len);
	c->len = b.len;
	if (n > 0) {
		CHECK(client->count < SENT && b.len <= sizeof s->message);
		s = &client->sent[client->count++];
		*s = (struct sent){.n = n, .len = (uint8_t)b.len};
		memcpy(s->message, b.data, b.len);
	}
	buf_close(&b);
	deliver(conn);
}

/* --- random things --------------------------------------------------------- */

static void put_pair(struct buf *b)
{
	item_put_head(b, ITEM_ARRAY, 2);
	item_put_uint(b, test_random_below(2));
	item_put_uint(b, test_random_below(2));
}

static void put_map(struct buf *b)
{
	uint64_t n = test_random_below(3);

	item_put_head(b, ITEM_MAP, n);
	for (uint64_t i = 0; i < n; i++) {
		item_put_text(b, i == 0 ? "k" : "l");
		item_put_uint(b, test_random_below(3));
	}
}

static void random_value(struct buf *b)
{
	switch (test_random_below(15)) {
	case 0: item_put_float(b, 1.0); break;
	case 1: item_put_bool(b, true); break;
	case 2: item_put_text(b, "a"); break;
	case 3: item_put_bytes(b, bytes_of("a")); break;
	case 4: item_put_null(b); break;
	case 5:
	case 6: put_pair(b); break;
	case 7:
	case 8: put_map(b); break;
	case 9: item_put_text(b, "ab"); break;
	default: item_put_uint(b, test_random_below(3));
	}
}

static void random_tuple(struct buf *b)
{
	uint64_t n = test_random_below(4);

	item_put_head(b, ITEM_ARRAY, n);
	for (uint64_t i = 0; i < n; i++)
		random_value(b);
}

/* What an index alone does not answer. */
static void random_residue(struct buf *b)
{
	static const char *const texts[] = {
	    "[?int, 1]", "[?int>0, ?]", "?int 0..1", "?int>=1", "?int<1", "?number>0<1.5", "?!=1",
	    "?int!=0", "?text^\"a\"", "?text>\"a\"", "?(0|1|\"a\"|null)", "?int(1|2)",
	    "?has{\"k\": 1}", "?has{\"l\": ?int>0}", "{\"k\": ?}", "?float!=1.0",
	};
	struct diag_error err;
	size_t i = test_random_below(sizeof texts / sizeof *texts);

	CHECK_INT(diag_parse(bytes_of(texts[i]), DIAG_FORMALS, b, NULL, NULL, &err), 0);
}

static void random_template(struct buf *b)
{
	static const enum item_type types[] = {ITEM_TYPE_ANY, ITEM_TYPE_INT, ITEM_TYPE_NUMBER,
	                                       ITEM_TYPE_TEXT, ITEM_TYPE_ARRAY};
	uint64_t n = test_random_below(4);

	if (test_random_below(12) == 0) {
		item_put_null(b);
		return;
	}
	item_put_head(b, ITEM_ARRAY, n);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t kind = test_random_below(10);

		if (kind < 4)
			random_value(b);
		else if (kind < 7)
			formal_put(b, types[test_random_below(5)]);
		else
			random_residue(b);
	}
}

static unsigned random_options(struct buf *b, bool read)
{
	bool timeout = test_random_below(3) > 0, max = test_random_below(3) == 0;
	bool after = read && test_random_below(3) == 0, claim = !read && test_random_below(2);

	if (!timeout && !max && !after && !claim)
		return 0;
	item_put_head(b, ITEM_MAP, (uint64_t)timeout + max + after + claim);
	if (max) {
		item_put_text(b, "max");
		item_put_uint(b, 1 + test_random_below(MAX));
	}
	if (after) {
		item_put_text(b, "after");
		item_put_uint(b, w.now.next_id - test_random_below(w.now.next_id > 40 ? 40 : 1));
	}
	if (claim) {
		item_put_text(b, "lease");
		item_put_uint(b, test_random_below(3) ? 1 + test_random_below(600) : 60000);
	}
	if (timeout) {
		item_put_text(b, "timeout");
		item_put_uint(b, test_random_below(3) ? test_random_below(400) : 0);
	}
	return 1;
}

/* A token: of the session as a rule, else of anybody, or of nobody any more. */
static uint64_t random_token(int session)
{
	int from = (int)test_random_below(TUPLES);
	bool any = test_random_below(20) == 0, nobody = test_random_below(20) == 0;

	for (int i = 0; i < TUPLES && !nobody; i++) {
		const struct m_tuple *t = &w.now.tuples[(from + i) % TUPLES];

		if (t->used && t->token && (any || t->session == session))
			return t->token;
	}
	return w.now.next_id - 1 - test_random_below(w.now.next_id > 60 ? 60 : 1);
}

static void put_token(struct buf *b, int session, bool back)
{
	if (back)
		item_put_head(b, ITEM_ARRAY, 2);
	item_put_uint(b, random_token(session));
	if (back)
		item_put_uint(b, 0);
}

static void random_commit(struct buf *b, int session, bool room)
{
	uint64_t done = test_random_below(3),
		 back = test_random_below(3) ? 0 : 1 + test_random_below(2);
	uint64_t outs = room ? test_random_below(3) : 0;
	const char *space = test_random_below(3) ? "main" : "vol";

	item_put_text(b, "commit");
	item_put_head(b, ITEM_MAP, (outs > 0) + (back > 0) + (done > 0));
	if (outs) {
		item_put_text(b, "out");
		item_put_head(b, ITEM_ARRAY, outs);
	}
	for (; outs > 0; outs--) {
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_text(b, test_random_below(20) ? space : "vol");
		random_tuple(b);
	}
	if (back) {
		item_put_text(b, "back");
		item_put_head(b, ITEM_ARRAY, back);
	}
	for (; back > 0; back--)
		put_token(b, session, true);
	if (done) {
		item_put_text(b, "done");
		item_put_head(b, ITEM_ARRAY, done);
	}
	for (; done > 0; done--)
		put_token(b, session, false);
}

static void random_renew(struct buf *b, int session)
{
	uint64_t count = test_random_below(3);

	item_put_text(b, "renew");
	item_put_head(b, ITEM_ARRAY, count);
	for (; count > 0; count--)
		put_token(b, session, false);
	item_put_uint(b, 1 + test_random_below(800));
}

static int tuples_used(void)
{
	int count = 0;

	for (int i = 0; i < TUPLES; i++)
		count += w.now.tuples[i].used;
	return count;
}

/* A session without claims seldom has anything to commit. */
static bool may_commit(int session)
{
	return first_claim(session) || test_random_below(12) == 0;
}

static void random_request(int conn)
{
	struct driver_session *client = &w.clients[w.conns[conn].session];
	uint64_t n = client->next_n += 1 + (test_random_below(8) == 0),
		 kind = test_random_below(100);
	struct buf b = BUF_INIT;
	unsigned items = 2;
	const char *space = test_random_below(3) ? "main" : "vol";
	bool room = tuples_used() < 60;

	if (kind < 30 && room) {
		item_put_text(&b, "out");
		item_put_text(&b, space);
		random_tuple(&b);
	} else if (kind < 35 && room) {
		item_put_text(&b, "outs");
		item_put_text(&b, space);
		item_put_head(&b, ITEM_ARRAY, 3);
		for (int i = 0; i < 3; i++)
			random_tuple(&b);
	} else if (kind < 75 || (kind < 88 && !may_commit(w.conns[conn].session))) {
		item_put_text(&b, kind < 60 ? "in" : "rd");
		item_put_text(&b, space);
		random_template(&b);
		items += random_options(&b, kind >= 60);
	} else if (kind < 85) {
		random_commit(&b, w.conns[conn].session, room);
		items = 1;
	} else if (kind < 88) {
		random_renew(&b, w.conns[conn].session);
	} else if (kind < 93) {
		item_put_text(&b, "count");
		item_put_text(&b, space);
		random_template(&b);
	} else {
		item_put_text(&b, "cancel");
		item_put_uint(&b, n - test_random_below(n < 30 ? n : 30));
		items = 1;
	}
	send(conn, n, &b, items);
	buf_close(&b);
}

static void random_ack(int conn)
{
	struct driver_session *client = &w.clients[w.conns[conn].session];
	struct buf b = BUF_INIT, ranges = BUF_INIT;
	unsigned entries = 0;

	for (int i = 0; i < client->count && entries < 20; i++)
		if (delivered(&client->sent[i]) && !client->sent[i].acked && test_random_below(3)) {
			client->sent[i].acked = true;
			item_put_uint(&ranges, client->sent[i].n);
			entries++;
		}
	if (entries) {
		item_put_text(&b, "ack");
		buf_append(&b, ranges.data, ranges.len);
		send(conn, 0, &b, entries);
	}
	buf_close(&ranges);
	buf_close(&b);
}

/* --- connections ----------------------------------------------------------- */

static void open_conn(int conn)
{
	struct event ev = event(EV_OPEN);

	ev.conn = (uint32_t)conn;
	ev.principal = bytes_of("uid:1");
	step(&ev);
	w.conns[conn] = (struct driver_conn){.open = true, .session = SESSIONS + conn};
	w.clients[SESSIONS + conn].count = 0;
	w.clients[SESSIONS + conn].next_n = 0;
	after_step();
}

static void close_conn(int conn)
{
	struct event ev = event(EV_CLOSE);

	ev.conn = (uint32_t)conn;
	step(&ev);
	if (w.conns[conn].session >= 0)
		detach(w.conns[conn].session);
	w.conns[conn].open = false;
	after_step();
}

/* Says hello; its own reply is not compared, what follows it is the caller's. */
static void hello(int conn, struct buf *b, int session)
{
	struct event ev = event(EV_REQUEST);
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct request r;
	size_t i = 0;

	CHECK_INT(message_decode(buf_bytes(b), &scratch, &r, &err), 0);
	ev.conn = (uint32_t)conn;
	ev.request = &r;
	w.random_id++;
	memcpy(ev.random, &w.random_id, sizeof w.random_id);
	CHECK_INT(step(&ev), 0);
	if (!r.session_text)
		message_ranges(message_list_items(r.option[OPTION_HAVE].s), model_ack, &session);
	while (i < w.fx.count &&
	       (w.fx.list[i].kind != EFFECT_REPLY || w.fx.list[i].conn != (uint32_t)conn))
		i++;
	CHECK(i < w.fx.count);
	w.fx.list[i].kind = EFFECT_RESUME; /* seen */
	w.conns[conn].session = session;
	buf_close(&scratch);
	buf_close(b);
}

static void hello_new(int conn, int session)
{
	struct m_session *s = &w.now.sessions[session];
	struct buf b = BUF_INIT;
	uint64_t grace = test_random_below(4) ? 5000 : 0;

	item_put_head(&b, ITEM_ARRAY, 3);
	item_put_uint(&b, 1);
	item_put_text(&b, "hello");
	item_put_head(&b, ITEM_MAP, 2);
	item_put_text(&b, "grace");
	item_put_uint(&b, grace);
	item_put_text(&b, "session");
	item_put_text(&b, "new");
	hello(conn, &b, session);
	*s = (struct m_session){
		.used = true, .conn = conn, .grace = grace, .number = w.now.next_id++};
	memcpy(s->id, &w.random_id, sizeof w.random_id);
	w.clients[session].count = 0;
	w.clients[session].next_n = 1;
	w.clients[session].number = s->number;
	after_step();
}

static int waiter_order(const void *a, const void *b)
{
	uint64_t x = (*(struct m_waiter *const *)a)->order,
		 y = (*(struct m_waiter *const *)b)->order;

	return x < y ? -1 : x > y;
}

/* Which waiters of the session the engine could not put back without work. */
static bool engine_left_out(const struct m_session *s, uint64_t n)
{
	struct waiter *one = waiter_find(session_numbered(w.engine, s->number), n);

	return one && !one->key;
}

static void model_reenter(int session)
{
	struct m_waiter *list[WAITERS];
	int count = 0;

	for (int i = 0; i < WAITERS; i++)
		if (w.now.waiters[i].used && w.now.waiters[i].session == session)
			list[count++] = &w.now.waiters[i];
	qsort(list, (size_t)count, sizeof *list, waiter_order);
	for (int i = 0; i < count; i++) {
		struct m_waiter *one = list[i];
		struct m_tuple *found[TUPLES];
		int n = scan(one->space, one->bytes, one->after, false, found);
		int room = one->lease ? claim_room_of(session) : MAX;

		if (engine_left_out(&w.now.sessions[session], one->n))
			continue;
		one->in = true;
		n = n < one->max ? n : one->max;
		n = n < room ? n : room;
		if (n == 0)
			continue;
		if (one->take)
			take(found, n, session, one->n, one->space, one->lease);
		else
			expect_tuples(session, one->n, one->space, found, n);
		end_waiter(one);
	}
}

/* `have`: everything below the next number that is not unanswered. So an
 * acknowledgement that a crash has lost is said again. */
static void put_have(struct buf *b, const struct driver_session *client)
{
	struct buf ranges = BUF_INIT;
	uint64_t from = 1, entries = 0;

	for (int i = 0; i <= client->count; i++) {
		uint64_t n = i < client->count ? client->sent[i].n : client->next_n + 1;

		if (i < client->count && delivered(&client->sent[i]))
			continue;
		if (n > from) {
			item_put_head(&ranges, ITEM_ARRAY, 2);
			item_put_uint(&ranges, from);
			item_put_uint(&ranges, n - 1);
			entries++;
		}
		from = n + 1;
	}
	item_put_head(b, ITEM_ARRAY, entries);
	buf_append(b, ranges.data, ranges.len);
	buf_close(&ranges);
}

/* Resumes a session on a fresh connection, which may take it over from another. */
static void resume(int conn, int session)
{
	struct m_session *s = &w.now.sessions[session];
	struct buf b = BUF_INIT;
	int old = s->conn;

	item_put_head(&b, ITEM_ARRAY, 3);
	item_put_uint(&b, 1);
	item_put_text(&b, "hello");
	item_put_head(&b, ITEM_MAP, 2);
	item_put_text(&b, "have");
	put_have(&b, &w.clients[session]);
	item_put_text(&b, "session");
	item_put_bytes(&b, (struct bytes){s->id, ENGINE_SESSION_ID});
	if (old >= 0) {
		expect_code(old, 0, ERROR_TAKEN_OVER);
		detach(session);
		w.conns[old].session = -1;
		w.conns[old].held = false;
	}
	s->conn = conn;
	s->earlies = 0;
	for (int i = 0; i < OUTCOMES; i++)
		if (w.now.outcomes[i].used && w.now.outcomes[i].session == session)
			w.now.outcomes[i].answered = false;
	hello(conn, &b, session);
	model_reenter(session);
	after_step();
	w.resumes++;
	if (old >= 0)
		close_conn(old);
}

static void work(void);

/* Sends again, in order, what has no reply. */
static void resend_all(int conn)
{
	struct driver_conn *c = &w.conns[conn];
	struct driver_session *client = &w.clients[c->session];

	for (int i = 0; i < client->count; i++) {
		if (delivered(&client->sent[i]))
			continue;
		memcpy(c->message, client->sent[i].message, client->sent[i].len);
		c->len = client->sent[i].len;
		deliver(conn);
		for (int tries = 0; c->held; tries++) {
			CHECK(tries < 5000);
			work();
			deliver(conn);
		}
	}
}

/* --- the world turns ------------------------------------------------------- */

static void expire_waiters(void)
{
	struct m_waiter *due[WAITERS];
	int count = 0;

	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];

		if (one->used && one->deadline && one->deadline <= w.now_ms)
			due[count++] = one;
	}
	for (int i = 0; i < count; i++) {
		int session = due[i]->session;

		if (session >= SESSIONS || w.now.sessions[session].conn >= 0)
			expect_tuples(session, due[i]->n, due[i]->space, NULL, 0);
		end_waiter(due[i]);
	}
}

static void expire_model(void)
{
	expire_waiters();
	expire_claims();
	for (;;) {
		int first = -1;

		for (int i = 0; i < SESSIONS; i++) {
			struct m_session *s = &w.now.sessions[i];

			if (s->used && s->conn < 0 && s->over <= w.now.lease &&
			    (first < 0 || s->over < w.now.sessions[first].over))
				first = i;
		}
		if (first < 0)
			return;
		end_session(first, true);
	}
}

static void pass(uint64_t ms)
{
	struct event ev;

	w.now_ms += ms;
	w.wall_ms += ms;
	w.now.lease += ms < 1000 ? ms : 1000;
	ev = event(EV_TIME);
	step(&ev);
	expire_model();
	after_step();
}

static void work(void)
{
	struct event ev = event(EV_WORK);

	ev.units = 1 + (uint32_t)test_random_below(4);
	step(&ev);
	expire_model();
	after_step();
}

static void sync_batch(void)
{
	uint64_t durable;

	if (!w.committing)
		return;
	if (!w.sqlite)
		journal_memory_sync(w.journal);
	CHECK_INT(w.journal->ops->wait(w.journal, &durable), 0);
	CHECK_INT(durable, w.open_batch - 1);
	w.committing = false;
	w.durable = w.sealed;
	w.durable_batch = durable;
}

static void crash(void);

/* Under SQLite, now and then the power fails in the middle of the commit. */
static void seal(void)
{
	bool fatal = w.sqlite && w.walking && !w.committing && test_random_below(6) == 0;
	struct event ev = event(EV_SEAL);
	uint64_t durable;

	if (w.committing)
		return;
	step(&ev);
	after_step();
	w.sealed = w.now;
	w.open_batch++;
	w.expiries = 0;
	w.committing = true;
	if (fatal)
		crashvfs_stop_at(1 + test_random_below(12));
	w.journal->ops->commit(w.journal);
	if (!fatal)
		return;
	if (w.journal->ops->wait(w.journal, &durable) == 0)
		sync_batch(); /* it failed later than this commit */
	crash();
}

static void restore_row(const struct change *c, void *ctx)
{
	struct event ev = event(EV_RESTORE);

	(void)ctx;
	ev.change = c;
	step(&ev);
}

/* What a recovery from that state leaves. */
static void recover_model(const struct model *kept)
{
	w.now = *kept;
	w.now.lease = 0;
	memset(w.now.waiters, 0, sizeof w.now.waiters);
	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		t->used = t->used && t->space == 0 &&
		          !(t->taken && t->session >= SESSIONS && !t->token);
		if (!t->used || !t->token)
			continue;
		if (t->session >= SESSIONS) {
			t->taken = false;
			t->token = 0;
		}
		t->over = t->lease; /* again in full */
		t->turn = t->id;    /* rows come by id */
	}
	w.now.turns = w.now.next_id + 1;
	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];

		o->used = o->used && o->session < SESSIONS && o->space == 0;
	}
	for (int i = 0; i < SESSIONS; i++) {
		w.now.sessions[i].conn = -1;
		w.now.sessions[i].over = w.now.sessions[i].grace;
		w.now.sessions[i].earlies = 0;
	}
}

static void open_journal(void)
{
	struct journal_options options = {.vfs = CRASHVFS_NAME};
	char path[300], why[256];

	if (!w.sqlite) {
		if (!w.journal)
			CHECK_INT(journal_memory_open(&w.journal, &options, true), 0);
		return;
	}
	snprintf(path, sizeof path, "%s/model.db", test_folder());
	options.path = path;
	if (journal_sqlite_open(&w.journal, &options, why))
		test_fail(__FILE__, __LINE__, "the store does not open: %s", why);
}

static void start(void)
{
	struct engine_config config = {.hash_seed = test_random()};
	struct journal_start found;
	struct event ev;

	engine_limits_default(&config.limits);
	w.most_claims = w.few ? 5 : (int)config.limits.claims;
	w.most_expiries = w.few ? 2 : config.limits.expiries;
	w.expiries = 0;
	if (w.few) {
		config.limits.indexes = 2;
		config.limits.claims = (uint32_t)w.most_claims;
		config.limits.expiries = w.most_expiries;
	}
	w.engine = engine_create(&config);
	open_journal();
	if (w.journal->ops->recover(w.journal, restore_row, NULL, NULL, &found))
		test_fail(__FILE__, __LINE__, "recovery: %s", w.journal->ops->error(w.journal));
	if (w.committing && found.batch == w.open_batch - 1)
		recover_model(&w.sealed); /* in flight, and it arrived */
	else if (w.open_batch > 0)
		recover_model(&w.durable);
	w.durable = w.now;
	ev = event(EV_READY);
	ev.batch = found.batch + 1;
	ev.boot = found.boot;
	step(&ev);
	w.open_batch = found.batch + 1;
	w.durable_batch = found.batch;
	w.committing = false;
	w.now.next_id = w.now.ceiling > 2 ? w.now.ceiling : 2;
	w.now.ceiling = w.now.next_id + ENGINE_CEILING_STEP;
	w.now.last_batch = 0;
	after_step();
}

static void make_volatile(void)
{
	static const uint8_t message[] = "\x85\x01\x65space\x66"
					 "create\x63vol\xa1\x68volatile\xf5";
	struct event ev = event(EV_REQUEST);
	struct message_error err;
	struct request r;
	struct buf b = BUF_INIT, scratch = BUF_INIT;

	open_conn(0);
	CHECK_INT(message_decode((struct bytes){message, sizeof message - 1}, &scratch, &r, &err),
	          0);
	ev.request = &r;
	step(&ev);
	item_put_uint(&b, 0);
	item_put_null(&b);
	expect(0, 1, w.open_batch, &b);
	w.now.next_id++;
	after_step();
	buf_close(&scratch);
	close_conn(0);
	seal();
	sync_batch();
}

/* Everything not durable is gone; what is comes back. */
static void crash(void)
{
	for (int i = 0; i < CONNS; i++)
		w.conns[i].open = false;
	if (w.sqlite && w.committing && !crashvfs_stopped())
		sync_batch(); /* the same walk each time: no race with the writer's thread */
	for (int c = 0; c < SESSIONS; c++)
		for (int i = 0; i < w.clients[c].count; i++)
			w.clients[c].sent[i].answered = delivered(&w.clients[c].sent[i]);
	engine_destroy(w.engine);
	if (w.sqlite) {
		crashvfs_stop_at(1);
		w.journal->ops->close(w.journal);
		crashvfs_crash(1 + test_random_below(1000000));
	} else {
		journal_memory_crash(w.journal);
	}
	start();
	w.crashes++;
}

static void turn_conn(int conn)
{
	int session = (int)test_random_below(SESSIONS);
	struct m_session *s = &w.now.sessions[session];

	if (!w.conns[conn].open) {
		open_conn(conn);
		if (test_random_below(3) == 0)
			return;
		if (s->used && w.clients[session].number == s->number) {
			resume(conn, session);
			resend_all(conn);
		} else if (!s->used) { /* else one that its client gave up came back in a crash */
			hello_new(conn, session);
		}
		return;
	}
	if (test_random_below(30) == 0)
		close_conn(conn);
	else if (w.conns[conn].held && test_random_below(4))
		work();
	else if (w.conns[conn].held)
		deliver(conn);
	else if (test_random_below(6) == 0 && w.conns[conn].session < SESSIONS)
		random_ack(conn);
	else
		random_request(conn);
}

/* The kernel has the reply of a take without a session. */
static void confirm_some(void)
{
	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];
		struct event ev = event(EV_SENT);

		if (!o->used || o->session < SESSIONS || test_random_below(2))
			continue;
		ev.conn = (uint32_t)(o->session - SESSIONS);
		ev.number = o->n;
		step(&ev);
		free_outcome(o);
		after_step();
	}
}

static void turn(void)
{
	uint64_t kind = test_random_below(100);

	if (kind < 70)
		turn_conn((int)test_random_below(CONNS));
	else if (kind < 80)
		work();
	else if (kind < 86)
		pass(test_random_below(20) ? test_random_below(20) : 1500);
	else if (kind < 92)
		seal();
	else if (kind < 97)
		sync_batch();
	else if (kind < 99)
		confirm_some();
	else if (test_random_below(8) == 0)
		crash();
}

/* The next walk begins with an empty disk. */
static void remove_store(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char path[300];

	crashvfs_crash(0);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s/model.db%s", test_folder(), ends[i]);
		unlink(path);
	}
}

static void walk(uint64_t seed, int turns, bool sqlite)
{
	memset(&w, 0, sizeof w);
	test_random_seed(seed);
	w.few = seed % 2 == 0;
	effects_init(&w.fx);
	w.now_ms = 1000;
	w.wall_ms = 1700000000000;
	w.sqlite = sqlite;
	start();
	make_volatile();
	w.walking = true;
	for (int i = 0; i < turns; i++)
		turn();
	engine_destroy(w.engine);
	w.journal->ops->close(w.journal);
	effects_close(&w.fx);
	if (sqlite)
		remove_store();
}

static void walks(int seeds, int turns, bool sqlite)
{
	uint64_t seed = test_seed(1);
	unsigned long requests = 0, again = 0, served = 0, crashes = 0, resumes = 0, undone = 0;
	unsigned long expired = 0, committed = 0, stale = 0;

	if (getenv("SOAK") && *getenv("SOAK"))
		seeds *= 50;
	else if (getenv("SEED") && *getenv("SEED"))
		seeds = 1;
	for (int i = 0; i < seeds; i++) {
		test_note_seed(seed + (uint64_t)i);
		walk(seed + (uint64_t)i, turns, sqlite);
		requests += w.requests;
		again += w.again;
		served += w.served;
		crashes += w.crashes;
		resumes += w.resumes;
		undone += w.undone;
		expired += w.expired;
		committed += w.committed;
		stale += w.stale;
	}
	printf("%d seeds from %llu: %lu requests, %lu given again, %lu waiters served, "
	       "%lu resumes, %lu tuples undone, %lu crashes, %lu leases over, "
	       "%lu claims committed, %lu commits and renewals too late\n",
	       seeds, (unsigned long long)seed, requests, again, served, resumes, undone, crashes,
	       expired, committed, stale);
	CHECK(seeds == 1 || (again > 0 && served > 0 && undone > 0 && crashes > 0));
	CHECK(seeds == 1 || (expired > 0 && committed > 0 && stale > 0));
}

TEST(a_random_walk_agrees_with_a_list_and_a_scan)
{
	walks(40, 3000, false);
}

TEST(a_random_walk_survives_losses_of_power)
{
	crashvfs_register();
	walks(12, 2000, true);
}
