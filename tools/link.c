#include "link.h"

#include "tilia.h"
#include "why.h"

#include "../libclient/address.h"
#include "../libclient/item.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINK_QUIET_MS 2000 /* of waiting, before a terminal is told */

static volatile sig_atomic_t interrupted;

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define END_SIGNALS (sizeof end_signals / sizeof *end_signals)

static struct tilia *volatile waiting_on; /* its wait ends with a signal */

static void on_signal(int number)
{
	interrupted = number;
	if (waiting_on)
		tilia_interrupt(waiting_on);
}

/* The handler goes with its first use: the second signal ends the program. */
static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;

	for (size_t i = 0; i < END_SIGNALS; i++) {
		sigaction(end_signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(end_signals[i], &sa, NULL);
	}
}

void link_hold_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < END_SIGNALS; i++)
		sigaddset(&set, end_signals[i]);
	sigprocmask(SIG_BLOCK, &set, before);
}

bool link_interrupted(void)
{
	return interrupted != 0;
}

/* 'word' as a shell reads it. */
static void put_quoted(struct buf *b, struct bytes word)
{
	bool plain = word.n > 0;

	for (size_t i = 0; i < word.n && plain; i++)
		plain = word.p[i] >= 128 || strchr("/._-:+=@,", word.p[i]) ||
		        (word.p[i] >= '0' && word.p[i] <= '9') ||
		        ((word.p[i] | 32) >= 'a' && (word.p[i] | 32) <= 'z');
	if (plain) {
		buf_append(b, word.p, word.n);
		return;
	}
	buf_byte(b, '\'');
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] == '\'')
			buf_text(b, "'\\''");
		else
			buf_byte(b, word.p[i]);
	buf_byte(b, '\'');
}

/* The command that would start the server that was looked for. */
static void hint(const struct link *l, struct buf *b)
{
	struct address_list list;
	struct buf name = BUF_INIT;
	char why[ADDRESS_WHY];
	bool named = l->address || getenv("TILIA");
	int code = l->address ? address_list_parse(bytes_of(l->address), &list, why)
	                      : address_list_default(&list, why);

	if (code != 0)
		return;
	for (unsigned i = 0; i < list.count && name.len == 0; i++)
		if (list.at[i].kind == ADDRESS_UNIX || list.at[i].kind == ADDRESS_TCP)
			address_print(&name, &list.at[i]);
	if (name.len > 0) {
		buf_text(b, "start one with: tiliad ");
		if (named) {
			buf_text(b, "--listen ");
			put_quoted(b, buf_bytes(&name));
			buf_byte(b, ' ');
		}
		buf_text(b, "&\n");
	}
	buf_close(&name);
	address_list_close(&list);
}

static int exit_status(int code)
{
	switch (code) {
	case TILIA_OK:
		return EXIT_DONE;
	case TILIA_NONE:
		return EXIT_NONE;
	case TILIA_E_CONNECT:
	case TILIA_E_CLOSED:
	case TILIA_E_TIMEOUT:
	case TILIA_E_UNKNOWN:
		return EXIT_NO_SERVER;
	case TILIA_E_USAGE:
	case TILIA_E_SYNTAX:
		return EXIT_USAGE;
	case TILIA_E_NOMEM:
	case TILIA_E_SYSTEM:
		return EXIT_LOCAL;
	case TILIA_E_INTERRUPTED:
		return EXIT_INTERRUPTED;
	}
	return EXIT_REFUSED;
}

int link_failed(const struct link *l, int code, const char *text)
{
	struct buf b = BUF_INIT;

	if (code == TILIA_NONE)
		return EXIT_NONE;
	if (!text || !*text)
		text = tilia_error(l->t);
	tool_complain(l->command, code == TILIA_E_CONNECT ? "no server answers: %s" : "%s",
	              *text ? text : tilia_strerror(code));
	if (code == TILIA_E_CONNECT) {
		hint(l, &b);
		fwrite(b.data, 1, b.len, stderr);
		buf_close(&b);
	}
	return exit_status(code);
}

int link_open(struct link *l)
{
	struct tilia_options options = {
		.address = l->address,
		.client = "tilia",
		.grace_ms = l->grace_ms,
		.resume_ms = l->resume_ms,
		.session = l->session.p,
		.session_size = l->session.n,
		.session_number = l->number,
	};
	int code = tilia_open(&l->t, &options);

	if (code != 0) {
		int status = link_failed(l, code, NULL);

		link_drop(l);
		return status;
	}
	if (!l->calm)
		catch_signals();
	return 0;
}

int link_close(struct link *l)
{
	int code = tilia_close(l->t);

	l->t = NULL;
	buf_close(&l->known);
	if (code == 0)
		return 0;
	tool_complain(l->command, "taking leave of the server: %s", tilia_strerror(code));
	return exit_status(code);
}

void link_drop(struct link *l)
{
	tilia_abandon(l->t);
	l->t = NULL;
	buf_close(&l->known);
}

int link_undo(struct link *l, int status)
{
	if (tilia_undo(l->t, 0) == 0) {
		tool_complain(l->command, "what was taken is back in the space");
		link_close(l);
	} else {
		tool_complain(l->command, "what was taken returns when the session is over");
		link_drop(l);
	}
	return status;
}

void link_result_init(struct link_result *r)
{
	*r = (struct link_result){0};
}

void link_result_close(struct link_result *r)
{
	tilia_tuple_free(r->tuples);
	buf_close(&r->cbor);
	buf_close(&r->error);
}

static void on_done(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct link_result *r = arg;

	(void)t;
	r->done = true;
	r->code = d->code;
	r->tuples = d->tuples;
	d->tuples = NULL;
	r->number = d->number;
	buf_append(&r->cbor, d->cbor, d->size);
	buf_append(&r->error, d->error, strlen(d->error) + 1);
	if (r->cbor.failed)
		r->code = TILIA_E_NOMEM;
}

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t link_poll(const struct link *l, struct pollfd *p)
{
	int events = tilia_events(l->t);

	*p = (struct pollfd){.fd = tilia_fd(l->t)};
	p->events =
		(short)((events & TILIA_READ ? POLLIN : 0) | (events & TILIA_WRITE ? POLLOUT : 0));
	return tilia_deadline_ms(l->t);
}

int link_process(struct link *l, const struct pollfd *p)
{
	int events = p->revents & (POLLIN | POLLHUP | POLLERR) ? TILIA_READ : 0;

	return tilia_process(l->t, events | (p->revents & POLLOUT ? TILIA_WRITE : 0));
}

bool link_is_new_session(struct link *l)
{
	struct bytes id = {NULL, 0};
	bool first = l->known.len == 0;

	id.p = tilia_session(l->t, &id.n);
	if (id.p == NULL || bytes_equal(id, buf_bytes(&l->known)))
		return false;
	l->known.len = 0;
	buf_append(&l->known, id.p, id.n);
	return !first;
}

/* Waits until the handle wants to be called, a signal comes, or `until` (-1:
 * never); moves what is there. Signals are held but in this wait, so that none is
 * missed between a look at `interrupted` and it. */
static int turn(struct link *l, int64_t until, const sigset_t *open)
{
	struct pollfd p;
	int64_t wait = link_poll(l, &p);
	struct timespec ts;

	if (until >= 0) {
		int64_t left = until - clock_ms();

		left = left < 0 ? 0 : left;
		wait = wait < 0 || left < wait ? left : wait;
	}
	ts = (struct timespec){.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
	if (ppoll(&p, 1, wait < 0 ? NULL : &ts, open) <= 0)
		p.revents = 0;
	return link_process(l, &p);
}

/* What a request that is not answered waits for. */
static const char *waits_for(enum tilia_request what)
{
	if (what == TILIA_IN || what == TILIA_RD)
		return "nothing matches yet";
	return what == TILIA_OUT || what == TILIA_OUTS ? "there is no room yet"
	                                               : "it is not so yet";
}

/* The tuples that come nearest, if the wait is not over yet. */
static void on_why(struct tilia *t, struct tilia_done *d, void *arg)
{
	const struct link *l = arg;
	struct buf b = BUF_INIT;

	(void)t;
	if (d->code == 0 && l->waiting)
		why_print_mine(&b, d->cbor);
	if (b.len > 0 && !b.failed)
		fwrite(b.data, 1, b.len, stderr);
	buf_close(&b);
}

static void ask_why(struct link *l)
{
	struct buf what = BUF_INIT;

	item_put_text(&what, "waiting");
	if (tilia_fd(l->t) >= 0)
		tilia_submit(l->t, TILIA_STATS, NULL, what.data, what.len, on_why, l);
	buf_close(&what);
}

/* Waits for the answer to `request`, and says once what it waits for, and
 * what comes nearest to it. */
static void await(struct link *l, int64_t request, const char *what, struct link_result *r,
                  const sigset_t *open)
{
	bool told = !isatty(STDERR_FILENO), cancelled = false;
	int64_t tell = clock_ms() + LINK_QUIET_MS;

	l->waiting = true;
	while (!r->done) {
		if (interrupted && !cancelled) {
			cancelled = true;
			tilia_cancel(l->t, request);
		}
		turn(l, told ? -1 : tell, open);
		if (!told && clock_ms() >= tell && !r->done) {
			told = true;
			tool_complain(l->command, "%s; waiting (Ctrl-C to leave)",
			              tilia_fd(l->t) < 0 ? "the connection is broken" : what);
			ask_why(l);
		}
	}
	l->waiting = false;
}

void link_try(struct link *l, enum tilia_request what, const struct tilia_op *op,
              struct bytes cbor, struct link_result *r)
{
	int64_t request;
	sigset_t open;

	link_result_close(r);
	link_result_init(r);
	request = tilia_submit(l->t, what, op, cbor.p, cbor.n, on_done, r);
	if (request < 0) {
		r->code = (int)request;
		buf_append(&r->error, tilia_error(l->t), strlen(tilia_error(l->t)) + 1);
		return;
	}
	link_hold_signals(&open);
	await(l, request, waits_for(what), r, &open);
	sigprocmask(SIG_SETMASK, &open, NULL);
}

int link_ask(struct link *l, enum tilia_request what, const struct tilia_op *op, struct bytes cbor,
             struct link_result *r)
{
	link_try(l, what, op, cbor, r);
	if (r->code == TILIA_E_CANCELLED && interrupted)
		return EXIT_INTERRUPTED;
	return r->code == 0 ? 0 : link_failed(l, r->code, (const char *)r->error.data);
}

int link_next(struct link *l, struct tilia_watch *w, int64_t timeout_ms, struct tilia_event *event)
{
	int code;

	*event = (struct tilia_event){0};
	waiting_on = l->t;
	code = interrupted ? TILIA_E_INTERRUPTED : tilia_watch_next(w, timeout_ms, event);
	waiting_on = NULL;
	return code;
}

int link_flush(struct link *l, size_t most)
{
	int code;

	waiting_on = l->t;
	code = interrupted ? TILIA_E_INTERRUPTED : tilia_flush(l->t, most);
	waiting_on = NULL;
	return code == 0 ? 0 : link_failed(l, code, NULL);
}
