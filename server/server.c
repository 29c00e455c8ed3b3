#include "server.h"

#include "../libclient/error.h"
#include "shell.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define STOP_MS 5000 /* for readers to take their last replies */

struct server {
	const struct config *config;
	uv_loop_t loop;
	struct shell shell;
	uv_prepare_t prepare; /* the end of a turn, before the loop may block */
	uv_check_t check;     /* and after the sockets were read */
	uv_async_t wake;      /* of the journal's writer */
	uv_signal_t term, intr, usr1;
	uv_timer_t patience; /* of stopping */
	uint64_t turn_us, longest_us, longest_ever_us;
	int signals; /* TERM and INT received */
	bool stopping, closing_all, ended;
	uint64_t progress_ms;
};

/* ---- the turn ---- */

static void end(struct server *s)
{
	uv_handle_t *handles[] = {
		(uv_handle_t *)&s->prepare, (uv_handle_t *)&s->check, (uv_handle_t *)&s->term,
		(uv_handle_t *)&s->intr,    (uv_handle_t *)&s->usr1,  (uv_handle_t *)&s->patience,
	};

	if (s->ended)
		return;
	s->ended = true;
	if (s->shell.net)
		net_shut(s->shell.net);
	shell_stop(&s->shell);
	for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
		uv_close(handles[i], NULL);
	uv_unref((uv_handle_t *)&s->wake); /* the writer's until the journal is closed */
}

/* Stopping: once answers are out and everything is committed the connections go;
 * what their end changed is committed too. */
static void go_on_stopping(struct server *s)
{
	if (!shell_is_quiet(&s->shell))
		return;
	if (!s->closing_all) {
		s->closing_all = true;
		shell_close_all(&s->shell);
		shell_turn(&s->shell);
	}
	if (net_count(s->shell.net) == 0 && shell_is_quiet(&s->shell))
		end(s);
}

static void end_turn(struct server *s)
{
	shell_turn(&s->shell);
	if (s->stopping && !s->shell.failed)
		go_on_stopping(s);
	if (s->shell.failed)
		end(s);
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
	now = shell_cpu_us();
	took = now - s->turn_us;
	s->turn_us = now;
	if (took > s->longest_us)
		s->longest_us = took;
	if (took > s->longest_ever_us)
		s->longest_ever_us = took;
}

/* The turn that follows looks at the journal. */
static void on_wake(uv_async_t *h)
{
	(void)h;
}

/* ---- stopping ---- */

static void on_patience(uv_timer_t *timer)
{
	struct server *s = timer->data;

	log_line(LOG_WARN, "stopping without the readers' last replies",
	         log_number("unsent", net_unsent(s->shell.net)));
	end(s);
}

/* TERM and INT: answer, commit, write out, end. Twice: commit and end. */
static void on_stop(uv_signal_t *h, int signum)
{
	struct server *s = h->data;

	log_line(LOG_NOTICE, "stopping", log_text("signal", signum == SIGINT ? "INT" : "TERM"),
	         log_number("connections", net_count(s->shell.net)));
	if (s->signals++) {
		end(s);
		return;
	}
	net_stop_listening(s->shell.net);
	shell_step(&s->shell, &(struct event){.kind = EV_STOP});
	s->stopping = true;
	uv_timer_start(&s->patience, on_patience, STOP_MS, 0);
}

static void on_status(uv_signal_t *h, int signum)
{
	struct server *s = h->data;

	(void)signum;
	log_line(LOG_NOTICE, "status", log_number("connections", net_count(s->shell.net)),
	         log_number("unsent", net_unsent(s->shell.net)),
	         log_number("requests", s->shell.requests), log_number("batch", s->shell.open),
	         log_number("durable", s->shell.durable),
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
	struct server *s = ctx;

	shell_step(&s->shell, &(struct event){.kind = EV_RESTORE, .change = c});
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
	                            .log_most = s->config->log_most, .wake = writer_wake,
	                            .wake_ctx = &s->wake};
	char why[256] = "";
	int rc = s->config->is_volatile ? journal_memory_open(&s->shell.journal, &o, false)
	                                : journal_sqlite_open(&s->shell.journal, &o, why);

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
	s->shell.engine = engine_create(&c);
}

static int recover(struct server *s)
{
	struct journal_start start = {0};
	int rc;

	s->progress_ms = uv_now(&s->loop);
	rc = s->shell.journal->ops->recover(s->shell.journal, restore, s, show_progress, &start);
	uv_update_time(&s->loop);
	if (!rc)
		rc = shell_ready(&s->shell, start.batch, start.boot);
	if (rc) {
		log_line(LOG_FATAL, error_text(rc), log_text("store", s->config->store),
		         log_text("error", s->shell.journal->ops->error(s->shell.journal)));
		return rc;
	}
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
	uv_timer_init(&s->loop, &s->patience);
	uv_signal_init(&s->loop, &s->term);
	uv_signal_init(&s->loop, &s->intr);
	uv_signal_init(&s->loop, &s->usr1);
	uv_async_init(&s->loop, &s->wake, on_wake);
	s->prepare.data = s->check.data = s->patience.data = s;
	s->term.data = s->intr.data = s->usr1.data = s;
}

static int listen_all(struct server *s)
{
	char why[ADDRESS_WHY] = "";
	int rc = 0;

	for (unsigned i = 0; !rc && i < s->config->listen.count; i++)
		rc = net_listen(s->shell.net, &s->config->listen.at[i], why);
	if (rc)
		log_line(LOG_FATAL, "cannot listen", log_text("error", why));
	return rc;
}

static int create_net(struct server *s)
{
	struct net_options o;

	net_options_default(&o);
	shell_calls(&s->shell, &o);
	if (s->config->connections && s->config->connections < o.connections)
		o.connections = s->config->connections;
	o.memory_max = s->config->bytes / 2;
	if (s->config->slow_ms)
		o.slow_ms = s->config->slow_ms;
	s->shell.net = net_create(&s->loop, &o);
	return listen_all(s);
}

static int become_ready(struct server *s)
{
	char why[ADDRESS_WHY] = "";
	struct buf listen = BUF_INIT;

	if (net_ready(s->shell.net, why) != 0) {
		log_line(LOG_FATAL, "cannot listen", log_text("error", why));
		return ERROR_SYSTEM;
	}
	net_listening(s->shell.net, &listen);
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
	signal(SIGHUP,
	       SIG_IGN); /* there is nothing to read again; a lost terminal is no reason to end */
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
	s->turn_us = shell_cpu_us();
	return become_ready(s);
}

/* What the connections' end changed is the last batch. */
static void last_commit(struct server *s)
{
	if (s->shell.failed || shell_commit_last(&s->shell) == 0)
		return;
	s->shell.failed = true;
	log_line(LOG_FATAL, "the last commit failed",
	         log_text("error", s->shell.journal->ops->error(s->shell.journal)));
}

static void destroy(struct server *s)
{
	if (s->shell.journal)
		s->shell.journal->ops->close(s->shell.journal);
	uv_close((uv_handle_t *)&s->wake, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	if (s->shell.net)
		net_destroy(s->shell.net);
	if (s->shell.engine)
		engine_destroy(s->shell.engine);
	shell_close(&s->shell);
	uv_loop_close(&s->loop);
}

int server_run(const struct config *c)
{
	struct server s = {.config = c};
	bool started;

	/* Small blocks are merged when they are freed. Else malloc() merges them all at
	 * once some day: 15 ms after a million tuples. */
	mallopt(M_MXFAST, 0);
	uv_loop_init(&s.loop);
	shell_init(&s.shell, &s.loop);
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
		         log_number("requests", s.shell.requests));
	return started && !s.shell.failed ? 0 : 1;
}
