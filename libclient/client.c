/* How a connection is made and kept:
 *
 *	OFF --retry_ms--> CONNECTING --writable--> GREETING --hello's reply--> OPEN
 *	 ^                    |                       |                         |
 *	 +--- the next address, or after all of them a pause --------- broken --+
 *
 * The pause is 10 ms doubled up to 1 s, half of it by chance. While one is
 * wanted (`trying`) this goes on until give_up_ms; then every unanswered request
 * is answered, and the next request begins anew. */
#include "client.h"

#include "base/xmalloc.h"
#include "call.h"
#include "error.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 60000 /* of a server that does not say */
#define PAUSE_MS 10
#define PAUSE_MAX_MS 1000
#define READ_BYTES 65536
#define READS 16 /* of one stream in a step */

/* --- texts and times ------------------------------------------------------- */

int client_fail(struct tilia *t, int code, const char *text)
{
	if (text == NULL)
		text = tilia_strerror(code);
	return client_failf(t, code, "%s", text);
}

int client_failf(struct tilia *t, int code, const char *format, ...)
{
	struct buf b = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	buf_byte(&b, '\0');
	if (b.failed) {
		buf_close(&b);
		return code;
	}
	xfree(t->error);
	t->error = (char *)b.data;
	return code;
}

int64_t client_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t client_after_ms(int64_t now, int64_t ms)
{
	return ms > INT64_MAX - now ? INT64_MAX : now + ms;
}

static uint64_t chance(struct tilia *t, uint64_t below)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random % below;
}

static int64_t pause_ms(struct tilia *t)
{
	int64_t ms = t->failures > 8 ? PAUSE_MAX_MS : (int64_t)PAUSE_MS << (t->failures - 1);

	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	return ms / 2 + (int64_t)chance(t, (uint64_t)ms);
}

static int64_t resume_window_ms(const struct tilia *t)
{
	uint64_t grace = session_grace_ms(t->session);

	if (t->resume_ms < 0)
		return 0;
	if (t->resume_ms > 0)
		return t->resume_ms;
	return grace == 0 || grace > INT64_MAX / 2 ? GRACE_MS : (int64_t)grace;
}

/* --- connecting ------------------------------------------------------------ */

void client_want(struct tilia *t)
{
	if (t->phase != CLIENT_OFF || t->trying || t->fatal != 0)
		return;
	t->trying = t->once = true;
	t->failures = 0;
	t->retry_ms = client_now_ms();
	t->give_up_ms = client_after_ms(t->retry_ms, t->connect_ms);
}

/* Reads what the session has, and answers calls. 0, or the code with which the
 * stream must end. */
static int drain(struct tilia *t)
{
	struct session_reply r;
	int code;

	while ((code = session_next(t->session, &r)) == 1)
		call_answer(t, &r);
	if (code < 0)
		client_failf(t, code, "%.*s", (int)(r.text.n < 300 ? r.text.n : 300),
		             r.text.n == 0 ? "" : (const char *)r.text.p);
	return t->drained = code;
}

static void hang_up(struct tilia *t)
{
	session_disconnected(t->session);
	transport_hang_up(&t->transport);
	t->phase = CLIENT_OFF;
	while (drain(t) < 0 && t->drained != ERROR_NOMEM)
		continue;
}

void client_give_up(struct tilia *t, int code)
{
	hang_up(t);
	t->trying = false;
	session_abandon(t->session, code);
	drain(t);
}

/* An attempt failed: the next address, or after the last one a pause. t->error
 * has the reason. Who is refused at first is told at once. */
static void try_later(struct tilia *t)
{
	t->retry_ms = client_now_ms();
	if (!transport_is_round(&t->transport))
		return;
	if (t->once && !t->transport.busy)
		t->give_up_ms = t->retry_ms;
	t->failures++;
	t->retry_ms += pause_ms(t);
}

/* The server is of no use: what it said is in t->error. */
static void die(struct tilia *t, int code)
{
	t->fatal = code;
	client_give_up(t, code);
}

/* A stream that worked, or was about to, is gone. */
static void broken(struct tilia *t)
{
	bool was_open = t->phase == CLIENT_OPEN;

	hang_up(t);
	if (!was_open) {
		try_later(t);
		return;
	}
	t->failures = 0;
	t->once = false;
	t->trying = t->resumable ? t->resume_ms >= 0 : session_unanswered(t->session) > 0;
	t->retry_ms = client_now_ms();
	t->give_up_ms = client_after_ms(t->retry_ms, resume_window_ms(t));
	if (!t->trying)
		client_give_up(t, ERROR_CLOSED);
}

/* What session_next() said about the stream. */
static void judge(struct tilia *t, int code)
{
	switch (code) {
	case ERROR_SESSION_OVER: /* a new one begins at once */
		hang_up(t);
		transport_rewind(&t->transport);
		t->retry_ms = client_now_ms();
		break;
	case ERROR_NOMEM:
		client_fail(t, code, NULL);
		broken(t);
		break;
	case ERROR_STOPPING:
	case ERROR_SLOW:
	case ERROR_MALFORMED:
	case ERROR_LIMIT:
		broken(t);
		break;
	default:
		die(t, code);
		break;
	}
}

static void greet(struct tilia *t)
{
	if (session_connected(t->session) != 0) {
		client_fail(t, ERROR_NOMEM, NULL);
		broken(t);
		return;
	}
	t->phase = CLIENT_GREETING;
	t->hello_ms = client_after_ms(client_now_ms(), t->connect_ms);
}

static void dial(struct tilia *t)
{
	if (transport_connect(&t->transport) != 0) {
		client_fail(t, ERROR_CONNECT, t->transport.why);
		try_later(t);
		return;
	}
	t->phase = CLIENT_CONNECTING;
	t->hello_ms = client_after_ms(client_now_ms(), t->connect_ms);
	if (!t->transport.connecting)
		greet(t);
}

static void finish_dialling(struct tilia *t)
{
	struct pollfd p = {.fd = t->transport.fd, .events = POLLOUT};

	if (poll(&p, 1, 0) <= 0)
		return;
	if (transport_finish(&t->transport) != 0) {
		client_fail(t, ERROR_CONNECT, t->transport.why);
		t->phase = CLIENT_OFF;
		try_later(t);
		return;
	}
	greet(t);
}

/* --- bytes ----------------------------------------------------------------- */

/* 0, or ERROR_CLOSED. */
static int write_all(struct tilia *t)
{
	struct bytes out;

	while ((out = session_output(t->session)).n != 0) {
		ssize_t n = transport_write(&t->transport, out.p, out.n);

		if (n <= 0)
			return (int)n;
		session_written(t->session, (size_t)n);
	}
	return 0;
}

/* 0, ERROR_CLOSED, or what ends the stream. */
static int read_some(struct tilia *t)
{
	static const size_t size = READ_BYTES;
	uint8_t bytes[READ_BYTES];

	for (int i = 0; i < READS; i++) {
		ssize_t n = transport_read(&t->transport, bytes, size);
		int code;

		if (n <= 0)
			return (int)n;
		code = session_feed(t->session, bytes, (size_t)n);
		if (code == 0)
			code = drain(t);
		if (code != 0)
			return code;
		if ((size_t)n < size)
			return 0;
	}
	t->dirty = true;
	return 0;
}

static void opened(struct tilia *t)
{
	t->phase = CLIENT_OPEN;
	t->trying = false;
	t->failures = 0;
	transport_rewind(&t->transport);
}

static void move_bytes(struct tilia *t)
{
	int code = drain(t), wrote = 0;

	if (code == 0)
		wrote = write_all(t);
	if (code == 0)
		code = read_some(t);
	if (code == 0)
		code = wrote != 0 ? wrote
		                  : write_all(t); /* acknowledgements, what callbacks asked */
	if (t->phase == CLIENT_GREETING && session_is_open(t->session))
		opened(t);
	if (code == ERROR_CLOSED) {
		client_fail(t, code, t->transport.why);
		/* What was read before the end may say why. */
		code = drain(t);
		if (code == 0)
			broken(t);
	}
	if (code != 0)
		judge(t, code);
}

static void check_times(struct tilia *t)
{
	int64_t now = client_now_ms();

	if ((t->phase == CLIENT_CONNECTING || t->phase == CLIENT_GREETING) && now >= t->hello_ms) {
		client_fail(t, ERROR_TIMEOUT, "the server does not answer");
		broken(t);
	}
	if (t->phase != CLIENT_OPEN && t->trying && now >= t->give_up_ms) {
		client_give_up(t, session_boot(t->session) == 0 ? ERROR_CONNECT : ERROR_CLOSED);
	} else if (t->phase == CLIENT_OFF && t->trying && now >= t->retry_ms) {
		dial(t);
	}
}

int client_step(struct tilia *t)
{
	t->dirty = false;
	if (t->fatal == 0 && session_unanswered(t->session) > 0 && !session_is_ended(t->session))
		client_want(t);
	check_times(t);
	if (t->phase == CLIENT_CONNECTING)
		finish_dialling(t);
	if (t->phase >= CLIENT_GREETING)
		move_bytes(t);
	else
		drain(t);
	return t->fatal;
}

/* --- waiting --------------------------------------------------------------- */

int tilia_fd(const struct tilia *t)
{
	return t->transport.fd;
}

int tilia_events(const struct tilia *t)
{
	if (t->phase == CLIENT_OFF)
		return 0;
	if (t->phase == CLIENT_CONNECTING)
		return TILIA_WRITE;
	return TILIA_READ | (session_output(t->session).n != 0 ? TILIA_WRITE : 0);
}

static int64_t deadline(const struct tilia *t)
{
	if (t->dirty)
		return 0;
	if (t->phase == CLIENT_OPEN)
		return INT64_MAX;
	if (t->phase != CLIENT_OFF)
		return t->trying && t->give_up_ms < t->hello_ms ? t->give_up_ms : t->hello_ms;
	if (!t->trying)
		return INT64_MAX;
	return t->retry_ms < t->give_up_ms ? t->retry_ms : t->give_up_ms;
}

int64_t tilia_deadline_ms(const struct tilia *t)
{
	int64_t at = deadline(t), now = client_now_ms();

	if (at == INT64_MAX)
		return -1;
	return at > now ? at - now : 0;
}

/* tilia_interrupt() was called: forgets it. */
static bool is_interrupted(struct tilia *t)
{
	uint64_t count;

	if (!t->interrupted)
		return false;
	t->interrupted = 0;
	while (read(t->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		continue;
	return true;
}

static int poll_once(struct tilia *t, int64_t until_ms)
{
	struct pollfd p[2] = {{.fd = t->wake_fd, .events = POLLIN}, {.fd = tilia_fd(t)}};
	int events = tilia_events(t);
	int64_t at = deadline(t), ms, now = client_now_ms();

	if (until_ms < at)
		at = until_ms;
	ms = at == INT64_MAX ? -1 : at > now ? at - now : 0;
	p[1].events =
		(short)((events & TILIA_READ ? POLLIN : 0) | (events & TILIA_WRITE ? POLLOUT : 0));
	return poll(p, 2, ms > 60000 ? 60000 : (int)ms);
}

int client_wait(struct tilia *t, int64_t until_ms)
{
	if (is_interrupted(t))
		return ERROR_INTERRUPTED;
	if (poll_once(t, until_ms) < 0 && errno != EINTR)
		return client_fail(t, ERROR_SYSTEM, strerror(errno));
	if (is_interrupted(t))
		return ERROR_INTERRUPTED;
	return client_step(t);
}

void tilia_interrupt(struct tilia *t)
{
	static const uint64_t one = 1;
	int error = errno;

	t->interrupted = 1;
	if (write(t->wake_fd, &one, sizeof(one)) < 0)
		error = errno; /* full: then it is readable all the same */
	errno = error;
}

int tilia_process(struct tilia *t, int events)
{
	(void)events; /* bytes are moved as they can be */
	if (t->in_callback)
		return client_fail(t, ERROR_USAGE, "tilia_process() within a callback");
	return client_step(t);
}
