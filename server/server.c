#include "server.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/error.h"
#include "../libclient/frame.h"
#include "../libclient/message.h"
#include "engine/engine.h"
#include "held.h"
#include "journal/journal.h"
#include "net/net.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX ((size_t)64 << 20) /* held replies of a batch; then requests wait */
#define WORK_US 1000                /* background work a turn, of thread CPU time */
#define WORK_UNITS_LEAST 16u
#define WORK_UNITS_MOST 65536u
#define STOP_MS 5000 /* for readers to take their last replies */
#define ROUNDS 8     /* of commit and flush in a turn */
#define SCRATCH_KEPT ((size_t)256 << 10)

/* What the shell knows of a connection number. */
struct peer {
	uint32_t life; /* counts the connections that had it: late replies are not for the next */
	bool closing;  /* closes when the held replies are out: no more requests */
	uint64_t held; /* the last batch that holds something for it */
};

struct server {
	const struct config *config;
	uv_loop_t loop;
	struct net *net;
	struct engine *engine;
	struct journal *journal;
	struct effects fx;
	struct buf scratch;

	uint64_t open, durable; /* batches */
	struct held held[2];    /* of batch b: held[b & 1]; at most the open one and one under way */
	struct peer *peers;
	uint32_t peers_count;
	uint32_t *again; /* connections whose request waits for EV_SEAL */
	size_t again_count, again_cap;

	uv_prepare_t prepare; /* the end of a turn, before the loop may block */
	uv_check_t check;     /* and after the sockets were read */
	uv_idle_t work;       /* while there is background work */
	uv_timer_t timer;     /* engine_deadline() */
	uint64_t timer_at;
	uv_async_t wake; /* of the journal's writer */
	uv_signal_t term, intr, usr1;
	uv_timer_t patience; /* of stopping */

	uint64_t now_ms, wall_ms; /* of the last step: the clocks stand still within a turn */
	uint32_t units;           /* of EV_WORK, adapted */
	uint64_t turn_us, longest_us, longest_ever_us;
	uint64_t requests, refused, refused_logged_ms;
	int signals; /* TERM and INT received */
	bool stopping, closing_all, ended, failed;
	uint64_t progress_ms;
};

static uint64_t cpu_us(void)
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

static void reply(struct server *s, const struct effect *e)
{
	struct bytes frame = effect_frame(&s->fx, e);
	struct peer *p = &s->peers[e->conn];

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
static void close_conn(struct server *s, const struct effect *e)
{
	struct peer *p = &s->peers[e->conn];

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
static void apply(struct server *s)
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

static int step(struct server *s, struct event *ev)
{
	int rc;

	ev->now_ms = uv_now(&s->loop);
	if (ev->now_ms != s->now_ms || !s->wall_ms) {
		s->now_ms = ev->now_ms;
		s->wall_ms = wall_ms();
	}
	ev->wall_ms = s->wall_ms;
	rc = engine_step(s->engine, ev, &s->fx);
	if (rc == 0)
		apply(s);
	return rc;
}

/* ---- what net tells ---- */

static bool batch_full(const struct server *s)
{
	return s->journal->ops->bytes(s->journal) >= JOURNAL_BATCH_BYTES ||
	       s->journal->ops->changes(s->journal) >= JOURNAL_BATCH_CHANGES;
}

static void on_open(void *ctx, uint32_t conn, struct bytes principal)
{
	struct server *s = ctx;

	if (conn >= s->peers_count) {
		uint32_t n = s->peers_count ? s->peers_count * 2 : 64;

		s->peers = xrealloc(s->peers, n * sizeof *s->peers);
		memset(s->peers + s->peers_count, 0, (n - s->peers_count) * sizeof *s->peers);
		s->peers_count = n;
	}
	step(s, &(struct event){.kind = EV_OPEN, .conn = conn, .principal = principal});
}

static enum net_verdict hold(struct server *s, uint32_t conn, bool until_seal)
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

static enum net_verdict bad(struct server *s, uint32_t conn, const struct message_error *err)
{
	struct event ev = {.kind = EV_BAD, .conn = conn, .bad = err, .batch_full = batch_full(s)};

	if (step(s, &ev) == ENGINE_AGAIN)
		return hold(s, conn, ev.batch_full);
	return err->fatal ? NET_DEAF : NET_TAKEN;
}

static enum net_verdict on_frame(void *ctx, uint32_t conn, struct bytes message)
{
	struct server *s = ctx;
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
	if (step(s, &ev) == ENGINE_AGAIN)
		return hold(s, conn, ev.batch_full);
	s->requests++;
	return NET_TAKEN;
}

static enum net_verdict on_bad(void *ctx, uint32_t conn, int code)
{
	struct message_error err = {.code = code, .fatal = true};

	if (code == ERROR_LIMIT)
		snprintf(err.text, sizeof err.text, "the frame is longer than %zu bytes", FRAME_MAX);
	else
		snprintf(err.text, sizeof err.text,
		         "the bytes are not a frame: a CBOR byte string of definite length");
	return bad(ctx, conn, &err);
}

static void on_sent(void *ctx, uint32_t conn, uint64_t number)
{
	step(ctx, &(struct event){.kind = EV_SENT, .conn = conn, .number = number});
}

static void on_closed(void *ctx, uint32_t conn, const char *why)
{
	struct server *s = ctx;
	struct peer *p = &s->peers[conn];

	p->life++;
	p->held = 0;
	p->closing = false;
	if (why)
		log_line(LOG_INFO, "connection cut", log_number("conn", conn), log_text("why", why));
	step(s, &(struct event){.kind = EV_CLOSE, .conn = conn});
}

/* Once a second at most: a flood of connections is not to become one of lines. */
static void on_refused(void *ctx, const char *why)
{
	struct server *s = ctx;
	uint64_t now = uv_now(&s->loop);

	s->refused++;
	if (s->refused_logged_ms && now - s->refused_logged_ms < 1000)
		return;
	s->refused_logged_ms = now;
	log_line(LOG_WARN, "connection refused", log_text("why", why),
	         log_number("connections", net_count(s->net)), log_number("refused", s->refused));
}

/* ---- the end of a turn ---- */

static void release(struct server *s, uint64_t batch)
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

static void end(struct server *s);

/* Nothing more becomes durable, so nothing more is answered as if it were. */
static void journal_failed(struct server *s)
{
	if (!s->failed)
		log_line(LOG_FATAL, "the journal failed",
		         log_text("error", s->journal->ops->error(s->journal)));
	s->failed = true;
	end(s);
}

static void look_at_journal(struct server *s)
{
	uint64_t durable = s->durable;

	if (s->journal->ops->poll(s->journal, &durable) < 0) {
		journal_failed(s);
		return;
	}
	while (s->durable < durable)
		release(s, ++s->durable);
}

static bool wants_commit(const struct server *s)
{
	return s->journal->ops->changes(s->journal) || s->held[s->open & 1].count;
}

static void commit(struct server *s)
{
	step(s, &(struct event){.kind = EV_SEAL});
	s->journal->ops->commit(s->journal);
	s->open++;
	for (size_t i = 0; i < s->again_count; i++)
		net_resume(s->net, s->again[i]);
	s->again_count = 0;
}

static void close_all(struct server *s)
{
	if (!s->closing_all)
		for (uint32_t i = 0; i < s->peers_count; i++)
			net_close(s->net, i);
	s->closing_all = true;
}

/* Stopping: answers are out and everything is committed; then the connections
 * go; what their end changed is committed too. */
static void go_on_stopping(struct server *s)
{
	if (s->ended || wants_commit(s) || s->journal->ops->busy(s->journal))
		return;
	close_all(s);
	net_flush(s->net);
	if (net_count(s->net) == 0 && !wants_commit(s))
		end(s);
}

static void on_work(uv_idle_t *idle);
static void on_timer(uv_timer_t *timer);

/* Sets the idle handle and the timer to what the engine waits for. */
static void schedule(struct server *s, bool more)
{
	uint64_t at = engine_deadline(s->engine), now = uv_now(&s->loop);

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

/* Durable before visible: a batch is sealed as soon as the writer is free, and
 * its replies leave when it is done. EV_SENT may make new changes. */
static void end_turn(struct server *s)
{
	bool more = true;

	for (int round = 0; more && round < ROUNDS && !s->ended; round++) {
		look_at_journal(s);
		if (!s->ended && wants_commit(s) && !s->journal->ops->busy(s->journal)) {
			commit(s);
			look_at_journal(s);
		}
		if (!s->ended)
			net_flush(s->net);
		more = !s->ended && wants_commit(s) && !s->journal->ops->busy(s->journal);
	}
	if (!s->ended && s->stopping)
		go_on_stopping(s);
	if (!s->ended)
		schedule(s, more);
}

static void on_prepare(uv_prepare_t *h)
{
	end_turn(h->data);
}

static void on_check(uv_check_t *h)
{
	struct server *s = h->data;
	uint64_t now, took;

	end_turn(s);
	now = cpu_us();
	took = now - s->turn_us;
	s->turn_us = now;
	if (took > s->longest_us)
		s->longest_us = took;
	if (took > s->longest_ever_us)
		s->longest_ever_us = took;
}

/* About a millisecond of background work; its steps are kept near a fifth of
 * that, so that the clock is looked at often enough. */
static void on_work(uv_idle_t *idle)
{
	struct server *s = idle->data;
	uint64_t start = cpu_us(), last = start, now = start;

	while (engine_working(s->engine) && now - start < WORK_US && !batch_full(s)) {
		step(s, &(struct event){.kind = EV_WORK, .units = s->units});
		now = cpu_us();
		if (now - last > WORK_US / 4 && s->units > WORK_UNITS_LEAST)
			s->units /= 2;
		else if (now - last < WORK_US / 10 && s->units < WORK_UNITS_MOST)
			s->units *= 2;
		last = now;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct server *s = timer->data;

	s->timer_at = ENGINE_NEVER;
	step(s, &(struct event){.kind = EV_TIME});
}

/* The turn that follows looks at the journal. */
static void on_wake(uv_async_t *h)
{
	(void)h;
}

/* ---- stopping ---- */

static void end(struct server *s)
{
	uv_handle_t *handles[] = {
		(uv_handle_t *)&s->prepare, (uv_handle_t *)&s->check, (uv_handle_t *)&s->work,
		(uv_handle_t *)&s->timer,   (uv_handle_t *)&s->term,  (uv_handle_t *)&s->intr,
		(uv_handle_t *)&s->usr1,    (uv_handle_t *)&s->patience,
	};

	if (s->ended)
		return;
	s->ended = true;
	if (s->net)
		net_shut(s->net);
	for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
		uv_close(handles[i], NULL);
	uv_unref((uv_handle_t *)&s->wake); /* the writer's until the journal is closed */
}

static void on_patience(uv_timer_t *timer)
{
	struct server *s = timer->data;

	log_line(LOG_WARN, "stopping without the readers' last replies",
	         log_number("unsent", net_unsent(s->net)));
	end(s);
}

/* TERM and INT: answer, commit, write out, end. Twice: commit and end. */
static void on_stop(uv_signal_t *h, int signum)
{
	struct server *s = h->data;

	log_line(LOG_NOTICE, "stopping", log_text("signal", signum == SIGINT ? "INT" : "TERM"),
	         log_number("connections", net_count(s->net)));
	if (s->signals++) {
		end(s);
		return;
	}
	net_stop_listening(s->net);
	step(s, &(struct event){.kind = EV_STOP});
	s->stopping = true;
	uv_timer_start(&s->patience, on_patience, STOP_MS, 0);
}

static void on_status(uv_signal_t *h, int signum)
{
	struct server *s = h->data;

	(void)signum;
	log_line(LOG_NOTICE, "status", log_number("connections", net_count(s->net)),
	         log_number("unsent", net_unsent(s->net)), log_number("requests", s->requests),
	         log_number("batch", s->open), log_number("durable", s->durable),
	         log_number("longest_turn_us", s->longest_us));
	s->longest_us = 0;
}

/* ---- starting ---- */

static void writer_wake(void *ctx)
{
	uv_async_send(ctx);
}

static void restore(const struct change *c, void *ctx)
{
	step(ctx, &(struct event){.kind = EV_RESTORE, .change = c});
}

static void show_progress(uint64_t done, uint64_t all, void *ctx)
{
	struct server *s = ctx;

	uv_update_time(&s->loop);
	if (uv_now(&s->loop) - s->progress_ms < 1000)
		return;
	s->progress_ms = uv_now(&s->loop);
	log_line(LOG_INFO, "recovering", log_number("done", done), log_number("all", all));
}

static int open_journal(struct server *s)
{
	struct journal_options o = {.path = s->config->store, .sync = s->config->sync,
	                            .wake = writer_wake, .wake_ctx = &s->wake};
	char why[256] = "";
	int rc = s->config->is_volatile ? journal_memory_open(&s->journal, &o, false)
	                                : journal_sqlite_open(&s->journal, &o, why);

	if (rc)
		log_line(LOG_FATAL, error_text(rc), log_text("store", s->config->store),
		         log_text("error", why));
	return rc;
}

static void create_engine(struct server *s)
{
	struct engine_config c = {.all_volatile = s->config->is_volatile};

	engine_limits_default(&c.limits);
	c.limits.bytes = s->config->bytes;
	if (s->config->grace_ms)
		c.limits.grace_default_ms = s->config->grace_ms;
	if (getrandom(&c.hash_seed, sizeof c.hash_seed, 0) != sizeof c.hash_seed)
		abort(); /* cannot be: 8 bytes come whole */
	s->engine = engine_create(&c);
}

static int recover(struct server *s)
{
	struct journal_start start = {0};
	int rc;

	s->progress_ms = uv_now(&s->loop);
	rc = s->journal->ops->recover(s->journal, restore, s, show_progress, &start);
	if (rc) {
		log_line(LOG_FATAL, error_text(rc), log_text("store", s->config->store),
		         log_text("error", s->journal->ops->error(s->journal)));
		return rc;
	}
	s->durable = start.batch;
	s->open = start.batch + 1;
	uv_update_time(&s->loop);
	step(s, &(struct event){.kind = EV_READY, .batch = s->open, .boot = start.boot});
	if (!s->config->is_volatile)
		log_line(LOG_INFO, "recovered", log_number("tuples", start.tuples),
		         log_number("spaces", start.spaces), log_number("sessions", start.sessions),
		         log_number("boot", start.boot));
	return 0;
}

static void init_handles(struct server *s)
{
	uv_prepare_init(&s->loop, &s->prepare);
	uv_check_init(&s->loop, &s->check);
	uv_idle_init(&s->loop, &s->work);
	uv_timer_init(&s->loop, &s->timer);
	uv_timer_init(&s->loop, &s->patience);
	uv_signal_init(&s->loop, &s->term);
	uv_signal_init(&s->loop, &s->intr);
	uv_signal_init(&s->loop, &s->usr1);
	uv_async_init(&s->loop, &s->wake, on_wake);
	s->prepare.data = s->check.data = s->work.data = s->timer.data = s->patience.data = s;
	s->term.data = s->intr.data = s->usr1.data = s;
	s->timer_at = ENGINE_NEVER;
	s->units = 256;
}

static int listen_all(struct server *s)
{
	char why[ADDRESS_WHY] = "";
	int rc = 0;

	for (unsigned i = 0; !rc && i < s->config->listen.count; i++)
		rc = net_listen(s->net, &s->config->listen.at[i], why);
	if (rc)
		log_line(LOG_FATAL, "cannot listen", log_text("error", why));
	return rc;
}

static int create_net(struct server *s)
{
	struct net_options o = {
		.calls = {on_open, on_frame, on_bad, on_sent, on_closed, on_refused}, .ctx = s};

	net_options_default(&o);
	if (s->config->connections && s->config->connections < o.connections)
		o.connections = s->config->connections;
	o.memory_max = s->config->bytes / 2;
	if (s->config->slow_ms)
		o.slow_ms = s->config->slow_ms;
	s->net = net_create(&s->loop, &o);
	return listen_all(s);
}

static int become_ready(struct server *s)
{
	char why[ADDRESS_WHY] = "";
	struct buf listen = BUF_INIT;

	if (net_ready(s->net, why) != 0) {
		log_line(LOG_FATAL, "cannot listen", log_text("error", why));
		return ERROR_SYSTEM;
	}
	net_listening(s->net, &listen);
	buf_byte(&listen, '\0');
	log_line(LOG_NOTICE, "ready", log_text("listen", (const char *)listen.data),
	         log_text("store", s->config->is_volatile ? "volatile" : s->config->store));
	buf_close(&listen);
	return 0;
}

/* Until the loop runs there is nothing to finish: TERM and INT end it at once. */
static void leave(int signum)
{
	(void)signum;
	_exit(0);
}

static int start(struct server *s)
{
	char why[CONFIG_WHY];

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* there is nothing to read again; a lost terminal is no reason to end */
	signal(SIGTERM, leave);
	signal(SIGINT, leave);
	if (config_folders(s->config, why) != 0) {
		log_line(LOG_FATAL, "cannot start", log_text("error", why));
		return ERROR_USAGE;
	}
	if (create_net(s) || open_journal(s))
		return ERROR_SYSTEM;
	create_engine(s);
	if (recover(s))
		return ERROR_SYSTEM;
	uv_signal_start(&s->term, on_stop, SIGTERM);
	uv_signal_start(&s->intr, on_stop, SIGINT);
	uv_signal_start(&s->usr1, on_status, SIGUSR1);
	uv_prepare_start(&s->prepare, on_prepare);
	uv_check_start(&s->check, on_check);
	s->turn_us = cpu_us();
	return become_ready(s);
}

/* What the connections' end changed is the last batch. */
static void last_commit(struct server *s)
{
	uint64_t durable;

	if (s->failed || s->journal->ops->wait(s->journal, &durable) < 0)
		return;
	if (wants_commit(s)) {
		commit(s);
		if (s->journal->ops->wait(s->journal, &durable) < 0)
			log_line(LOG_ERROR, "the last commit failed",
			         log_text("error", s->journal->ops->error(s->journal)));
	}
}

static void destroy(struct server *s)
{
	if (s->journal)
		s->journal->ops->close(s->journal);
	uv_close((uv_handle_t *)&s->wake, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	if (s->net)
		net_destroy(s->net);
	if (s->engine)
		engine_destroy(s->engine);
	effects_close(&s->fx);
	buf_close(&s->scratch);
	held_close(&s->held[0]);
	held_close(&s->held[1]);
	xfree(s->peers);
	xfree(s->again);
	uv_loop_close(&s->loop);
}

int server_run(const struct config *c)
{
	struct server s = {.config = c};
	bool started;

	uv_loop_init(&s.loop);
	effects_init(&s.fx);
	init_handles(&s);
	started = start(&s) == 0;
	if (started) {
		uv_run(&s.loop, UV_RUN_DEFAULT);
		last_commit(&s);
	} else {
		end(&s);
	}
	destroy(&s);
	if (started)
		log_line(LOG_INFO, "stopped", log_number("longest_turn_us", s.longest_ever_us),
		         log_number("requests", s.requests));
	return started && !s.failed ? 0 : 1;
}
