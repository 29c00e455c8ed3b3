#include "shell.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/error.h"
#include "../libclient/frame.h"
#include "../libclient/message.h"
#include "log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define HELD_MAX ((size_t)64 << 20) /* held replies of a batch; then requests wait */
#define WORK_US 1000                /* background work a turn, of thread CPU time */
#define UNITS_FIRST 256u
#define UNITS_LEAST 16u
#define UNITS_MOST 1024u /* a unit of one work costs ten times that of the next */
#define ROUNDS 8 /* of commit and flush in a turn */

uint64_t shell_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- effects ---- */

static void reply(struct shell *s, const struct effect *e)
{
	struct bytes frame = effect_frame(&s->fx, e);
	struct shell_peer *p = &s->peers[e->conn];

	if (e->batch <= s->durable) {
		net_write(s->net, e->conn, frame);
		if (e->confirm)
			net_mark(s->net, e->conn, e->number);
		return;
	}
	assert(e->batch <= s->open && e->batch + 1 >= s->open);
	p->held = e->batch;
	held_add(&s->held[e->batch & 1],
	         &(struct held_reply){.conn = e->conn, .life = p->life, .number = e->number,
	                              .confirm = e->confirm},
	         frame);
}

/* With replies still held it closes behind the last of them. */
static void close_conn(struct shell *s, const struct effect *e)
{
	struct shell_peer *p = &s->peers[e->conn];

	if (e->discard)
		p->life++;
	if (e->discard || p->held <= s->durable) {
		net_close(s->net, e->conn);
		return;
	}
	p->closing = true;
	net_deafen(s->net, e->conn);
	held_add(&s->held[p->held & 1],
	         &(struct held_reply){.conn = e->conn, .life = p->life, .close = true},
	         (struct bytes){NULL, 0});
}

/* No call in here calls back, so the effects stay valid to the last. */
static void apply(struct shell *s)
{
	for (size_t i = 0; i < s->fx.count; i++) {
		const struct effect *e = &s->fx.list[i];

		switch (e->kind) {
		case EFFECT_REPLY:
			reply(s, e);
			break;
		case EFFECT_CLOSE:
			close_conn(s, e);
			break;
		case EFFECT_CHANGE:
			s->journal->ops->add(s->journal, &e->change);
			break;
		case EFFECT_RESUME:
			net_resume(s->net, e->conn);
			break;
		}
	}
}

int shell_step(struct shell *s, struct event *ev)
{
	int rc;

	ev->now_ms = uv_now(s->loop);
	if (ev->now_ms != s->now_ms || !s->wall_ms) {
		s->now_ms = ev->now_ms;
		s->wall_ms = wall_ms();
	}
	ev->wall_ms = s->wall_ms;
	rc = engine_step(s->engine, ev, &s->fx);
	apply(s);
	return rc;
}

/* ---- what net tells ---- */

static bool is_low(enum journal_disk_state disk)
{
	return disk >= JOURNAL_DISK_STUCK;
}

static bool batch_full(const struct shell *s)
{
	size_t most = is_low(s->disk) ? JOURNAL_BATCH_LOW : JOURNAL_BATCH_CHANGES;

	return s->journal->ops->bytes(s->journal) >= JOURNAL_BATCH_BYTES ||
	       s->journal->ops->changes(s->journal) >= most;
}

static void on_open(void *ctx, uint32_t conn, struct bytes principal)
{
	struct shell *s = ctx;

	if (conn >= s->peers_count) {
		uint32_t n = s->peers_count ? s->peers_count * 2 : 64;

		s->peers = xrealloc(s->peers, n * sizeof *s->peers);
		memset(s->peers + s->peers_count, 0, (n - s->peers_count) * sizeof *s->peers);
		s->peers_count = n;
	}
	shell_step(s, &(struct event){.kind = EV_OPEN, .conn = conn, .principal = principal});
}

static enum net_verdict hold(struct shell *s, uint32_t conn, bool until_seal)
{
	if (until_seal) {
		if (s->again_count == s->again_cap) {
			s->again_cap = s->again_cap ? s->again_cap * 2 : 64;
			s->again = xrealloc(s->again, s->again_cap * sizeof *s->again);
		}
		s->again[s->again_count++] = conn;
	}
	return NET_HOLD;
}

static enum net_verdict bad(struct shell *s, uint32_t conn, const struct message_error *err)
{
	struct event ev = {.kind = EV_BAD, .conn = conn, .bad = err, .batch_full = batch_full(s)};

	if (shell_step(s, &ev) == ENGINE_AGAIN)
		return hold(s, conn, ev.batch_full);
	return err->fatal ? NET_DEAF : NET_TAKEN;
}

static enum net_verdict on_frame(void *ctx, uint32_t conn, struct bytes message)
{
	struct shell *s = ctx;
	struct request r;
	struct message_error err;
	struct event ev = {.kind = EV_REQUEST, .conn = conn, .request = &r};

	if (s->failed || s->peers[conn].closing)
		return NET_DEAF;
	if (s->held[s->open & 1].bytes.len > HELD_MAX)
		return hold(s, conn, true);
	if (message_decode(message, &s->scratch, &r, &err) != 0)
		return bad(s, conn, &err);
	ev.batch_full = batch_full(s);
	if (r.op == MESSAGE_HELLO && getrandom(ev.random, sizeof ev.random, 0) != sizeof ev.random)
		abort(); /* cannot be: 16 bytes come whole */
	if (shell_step(s, &ev) == ENGINE_AGAIN)
		return hold(s, conn, ev.batch_full);
	s->requests++;
	return NET_TAKEN;
}

static enum net_verdict on_bad(void *ctx, uint32_t conn, int code)
{
	struct message_error err = {.code = code, .fatal = true};

	if (code == ERROR_LIMIT)
		snprintf(err.text, sizeof err.text, "the frame is longer than %zu bytes",
		         FRAME_MAX);
	else
		snprintf(err.text, sizeof err.text,
		         "the bytes are not a frame: a CBOR byte string of definite length");
	return bad(ctx, conn, &err);
}

static void on_sent(void *ctx, uint32_t conn, uint64_t number)
{
	shell_step(ctx, &(struct event){.kind = EV_SENT, .conn = conn, .number = number});
}

static void on_closed(void *ctx, uint32_t conn, const char *why)
{
	struct shell *s = ctx;
	struct shell_peer *p = &s->peers[conn];

	p->life++;
	p->held = 0;
	p->closing = false;
	if (why)
		log_line(LOG_INFO, "connection cut", log_number("conn", conn),
		         log_text("why", why));
	shell_step(s, &(struct event){.kind = EV_CLOSE, .conn = conn});
}

/* Once a second at most: a flood of connections is not to become one of lines. */
static void on_refused(void *ctx, const char *why)
{
	struct shell *s = ctx;
	uint64_t now = uv_now(s->loop);

	s->refused++;
	if (s->refused_logged_ms && now - s->refused_logged_ms < 1000)
		return;
	s->refused_logged_ms = now;
	log_line(LOG_WARN, "connection refused", log_text("why", why),
	         log_number("connections", net_count(s->net)), log_number("refused", s->refused));
}

/* ---- the turn ---- */

static void release(struct shell *s, uint64_t batch)
{
	struct held *h = &s->held[batch & 1];

	for (size_t i = 0; i < h->count; i++) {
		const struct held_reply *r = &h->list[i];

		if (s->peers[r->conn].life != r->life)
			continue;
		net_write(s->net, r->conn, held_bytes(h, r));
		if (r->confirm)
			net_mark(s->net, r->conn, r->number);
		if (r->close)
			net_close(s->net, r->conn);
	}
	held_clear(h);
}

/* Nothing more becomes durable, so nothing more is answered as if it were. */
static void journal_failed(struct shell *s)
{
	log_line(LOG_FATAL, "the journal failed",
	         log_text("error", s->journal->ops->error(s->journal)));
	s->failed = true;
}

static void log_disk(const struct journal_disk *d)
{
	static const struct {
		enum log_level level;
		const char *text;
	} rows[] = {
		[JOURNAL_DISK_WELL] = {LOG_NOTICE, "the disk has room"},
		[JOURNAL_DISK_HELD] = {LOG_WARN, "another program reads in the log, so it grows"},
		[JOURNAL_DISK_STUCK] = {LOG_WARN, "the log, in which another program reads, has "
		                                  "grown to its limit: puts are refused"},
		[JOURNAL_DISK_FULL] = {LOG_WARN, "the disk is full: puts are refused"},
		[JOURNAL_DISK_NONE] = {LOG_ERROR, "the disk has no room at all: everything waits"},
	};

	log_line(rows[d->state].level, rows[d->state].text, log_number("room", d->room),
	         log_number("reserve", d->reserve), log_number("log", d->log),
	         log_number("reader_ms", d->reader_ms));
}

static void look_at_disk(struct shell *s)
{
	struct journal_disk d;
	bool was_low = is_low(s->disk);

	s->journal->ops->disk(s->journal, &d);
	if (d.state == s->disk)
		return;
	s->disk = d.state;
	log_disk(&d);
	if (is_low(d.state) != was_low)
		shell_step(s, &(struct event){.kind = EV_DISK, .low = !was_low});
}

static void look_at_journal(struct shell *s)
{
	uint64_t durable = s->durable;

	if (s->failed)
		return;
	if (s->journal->ops->poll(s->journal, &durable) < 0) {
		journal_failed(s);
		return;
	}
	while (s->durable < durable)
		release(s, ++s->durable);
	look_at_disk(s);
}

static bool wants_commit(const struct shell *s)
{
	return s->journal->ops->changes(s->journal) || s->held[s->open & 1].count;
}

static void commit(struct shell *s)
{
	shell_step(s, &(struct event){.kind = EV_SEAL});
	s->journal->ops->commit(s->journal);
	s->open++;
	for (size_t i = 0; i < s->again_count; i++)
		net_resume(s->net, s->again[i]);
	s->again_count = 0;
}

static void on_work(uv_idle_t *idle);
static void on_timer(uv_timer_t *timer);

/* Sets the idle handle and the timer to what the engine waits for. */
static void schedule(struct shell *s, bool more)
{
	uint64_t at = engine_deadline(s->engine), now = uv_now(s->loop);

	if (more || (engine_working(s->engine) && !batch_full(s)))
		uv_idle_start(&s->work, on_work);
	else
		uv_idle_stop(&s->work);
	if (at == s->timer_at || engine_working(s->engine))
		return;
	s->timer_at = at;
	if (at == ENGINE_NEVER)
		uv_timer_stop(&s->timer);
	else
		uv_timer_start(&s->timer, on_timer, at > now ? at - now : 0, 0);
}

static bool may_commit(const struct shell *s)
{
	return !s->failed && wants_commit(s) && !s->journal->ops->busy(s->journal);
}

/* Durable before visible: a batch is sealed as soon as the writer is free, and
 * its replies leave when it is done. EV_SENT may make new changes. */
void shell_turn(struct shell *s)
{
	bool more = true;

	for (int round = 0; more && round < ROUNDS; round++) {
		look_at_journal(s);
		if (may_commit(s)) {
			commit(s);
			look_at_journal(s);
		}
		if (s->failed)
			return;
		net_flush(s->net);
		more = may_commit(s);
	}
	schedule(s, more);
}

bool shell_is_quiet(const struct shell *s)
{
	/* The writer may be done with a batch whose replies are still held here. */
	return !wants_commit(s) && s->durable + 1 == s->open;
}

/* About a millisecond of background work; its steps are kept near a fifth of
 * that, so that the clock is looked at often enough. */
static void on_work(uv_idle_t *idle)
{
	struct shell *s = idle->data;
	uint64_t start = shell_cpu_us(), last = start, now = start;

	while (engine_working(s->engine) && now - start < WORK_US && !batch_full(s)) {
		shell_step(s, &(struct event){.kind = EV_WORK, .units = s->units});
		now = shell_cpu_us();
		if (now - last > WORK_US / 4 && s->units > UNITS_LEAST)
			s->units /= 2;
		else if (now - last < WORK_US / 10 && s->units < UNITS_MOST)
			s->units *= 2;
		last = now;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct shell *s = timer->data;

	s->timer_at = ENGINE_NEVER;
	shell_step(s, &(struct event){.kind = EV_TIME});
}

/* ---- life ---- */

void shell_init(struct shell *s, uv_loop_t *loop)
{
	*s = (struct shell){.loop = loop, .timer_at = ENGINE_NEVER, .units = UNITS_FIRST};
	effects_init(&s->fx);
	uv_idle_init(loop, &s->work);
	uv_timer_init(loop, &s->timer);
	s->work.data = s->timer.data = s;
}

void shell_calls(struct shell *s, struct net_options *o)
{
	o->calls = (struct net_calls){on_open, on_frame, on_bad, on_sent, on_closed, on_refused};
	o->ctx = s;
}

void shell_close_all(struct shell *s)
{
	for (uint32_t i = 0; i < s->peers_count; i++)
		net_close(s->net, i);
}

int shell_commit_last(struct shell *s)
{
	uint64_t durable;
	int rc = s->journal->ops->wait(s->journal, &durable);

	if (rc < 0 || !wants_commit(s))
		return rc < 0 ? rc : 0;
	commit(s);
	rc = s->journal->ops->wait(s->journal, &durable);
	return rc < 0 ? rc : 0;
}

/* The first batch is durable before anybody can hear of this start's number. */
int shell_ready(struct shell *s, uint64_t durable, uint64_t boot)
{
	s->durable = durable;
	s->open = durable + 1;
	shell_step(s, &(struct event){.kind = EV_READY, .batch = s->open, .boot = boot});
	return shell_commit_last(s);
}

void shell_stop(struct shell *s)
{
	uv_close((uv_handle_t *)&s->work, NULL);
	uv_close((uv_handle_t *)&s->timer, NULL);
}

void shell_close(struct shell *s)
{
	effects_close(&s->fx);
	buf_close(&s->scratch);
	held_close(&s->held[0]);
	held_close(&s->held[1]);
	xfree(s->peers);
	xfree(s->again);
}
