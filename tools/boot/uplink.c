#include "uplink.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "../../libclient/message.h"
#include "../../libclient/session.h"
#include "../../libclient/transport.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define RETRY_FIRST_MS 20
#define RETRY_MOST_MS 1000
#define GIVE_UP_MS 60000 /* without a server: the default grace */
#define END_MS 5000
#define PROBE_MS 10000

/* Numbers of requests that may have changed something and are not acknowledged. */
struct open_numbers {
	uint64_t *at;
	size_t count, cap;
};

struct uplink {
	uv_loop_t *loop;
	const struct uplink_events *events;
	void *ctx;
	struct session *session;
	struct transport transport;
	uv_poll_t *poll; /* of the stream; NULL: there is none */
	uv_timer_t retry, end;
	uint64_t wait_ms, alone_since_ms;
	bool paused, dead, ending, freed, told;
	unsigned timers; /* that uv_close() has yet to finish */
	size_t unsent; /* bytes passed while there was no connection */
	struct open_numbers open;
};

static void uplink_connect(struct uplink *l);
static void on_poll(uv_poll_t *poll, int status, int events);

int uplink_probe(const char *addresses, char *why)
{
	struct transport t;
	int e = transport_init(&t, addresses);

	while (e == 0) {
		e = transport_connect(&t);
		if (e == 0 && t.connecting) {
			struct pollfd p = {t.fd, POLLOUT, 0};

			e = poll(&p, 1, PROBE_MS) == 1 ? transport_finish(&t) : ERROR_TIMEOUT;
		}
		if (e == 0 || transport_is_round(&t))
			break;
		transport_hang_up(&t);
		e = 0;
	}
	snprintf(why, ADDRESS_WHY, "%s", e == ERROR_TIMEOUT ? error_text(e) : t.why);
	transport_close(&t, false);
	return e;
}

/* --- the session's replies ------------------------------------------------- */

static void lost(struct uplink *l, int code, const char *text)
{
	if (!l->dead) {
		l->dead = true;
		l->events->lost(l->ctx, code, text);
	}
}

static void tell_ended(struct uplink *l)
{
	if (l->ending && !l->told) {
		l->told = true;
		l->events->ended(l->ctx);
	}
}

/* Reads what there is. A negative code: the stream must end. */
static int take_replies(struct uplink *l)
{
	struct session_reply r;
	int e;

	while ((e = session_next(l->session, &r)) == 1) {
		if (l->ending) {
			if (session_is_ended(l->session))
				tell_ended(l);
		} else if (!l->dead)
			l->events->reply(l->ctx, r.message);
		if (l->freed)
			return 0;
	}
	if (e < 0 && e != ERROR_SESSION_OVER && e != ERROR_STOPPING && e != ERROR_SLOW &&
	    e != ERROR_NOMEM && e != ERROR_MALFORMED && e != ERROR_LIMIT) {
		char text[256];

		snprintf(text, sizeof text, "%.*s", (int)(r.text.n < 200 ? r.text.n : 200),
		         (const char *)r.text.p);
		session_disconnected(l->session);
		session_abandon(l->session, e);
		lost(l, e, text);
		tell_ended(l);
	}
	return e;
}

/* --- the stream ------------------------------------------------------------ */

static void poll_closed(uv_handle_t *h)
{
	xfree(h);
}

static void poll_close(struct uplink *l)
{
	if (l->poll == NULL)
		return;
	uv_poll_stop(l->poll);
	uv_close((uv_handle_t *)l->poll, poll_closed);
	l->poll = NULL;
}

/* Waits for what can happen now. */
static void watch(struct uplink *l)
{
	int events = 0;

	if (l->poll == NULL)
		return;
	if (l->transport.connecting || session_output(l->session).n > 0)
		events |= UV_WRITABLE;
	if (!l->transport.connecting && !l->paused)
		events |= UV_READABLE;
	uv_poll_start(l->poll, events, on_poll);
}

static void on_retry(uv_timer_t *t)
{
	uplink_connect(t->data);
}

static void give_up(struct uplink *l)
{
	session_abandon(l->session, ERROR_CONNECT);
	take_replies(l);
	if (l->freed)
		return;
	lost(l, ERROR_CONNECT, l->transport.why);
	tell_ended(l);
}

/* The stream is gone: another one, after a pause when all addresses were tried. */
static void uplink_drop(struct uplink *l)
{
	uint64_t now = uv_now(l->loop);

	if (l->freed)
		return;
	poll_close(l);
	transport_hang_up(&l->transport);
	session_disconnected(l->session);
	take_replies(l);
	if (l->freed || l->dead || l->told)
		return;
	if (l->alone_since_ms == 0)
		l->alone_since_ms = now;
	if (now - l->alone_since_ms > GIVE_UP_MS) {
		give_up(l);
		return;
	}
	uv_timer_start(&l->retry, on_retry, transport_is_round(&l->transport) ? l->wait_ms : 0, 0);
	if (transport_is_round(&l->transport))
		l->wait_ms = l->wait_ms * 2 < RETRY_MOST_MS ? l->wait_ms * 2 : RETRY_MOST_MS;
}

static void connected(struct uplink *l)
{
	l->alone_since_ms = 0;
	l->unsent = 0;
	l->wait_ms = RETRY_FIRST_MS;
	transport_rewind(&l->transport);
	if (session_connected(l->session) != 0)
		uplink_drop(l);
}

static void uplink_connect(struct uplink *l)
{
	if (transport_connect(&l->transport) != 0) {
		uplink_drop(l);
		return;
	}
	l->poll = xmalloc(sizeof *l->poll);
	l->poll->data = l;
	if (uv_poll_init(l->loop, l->poll, l->transport.fd) != 0) {
		xfree(l->poll);
		l->poll = NULL;
		uplink_drop(l);
		return;
	}
	if (!l->transport.connecting)
		connected(l);
	watch(l);
}

/* Writes what there is. false: the stream is gone. */
static bool flush(struct uplink *l)
{
	struct bytes out;

	while (l->poll != NULL && !l->transport.connecting &&
	       (out = session_output(l->session)).n > 0) {
		ssize_t n = transport_write(&l->transport, out.p, out.n);

		if (n < 0) {
			uplink_drop(l);
			return false;
		}
		if (n == 0)
			break;
		session_written(l->session, (size_t)n);
	}
	watch(l);
	return true;
}

/* Reads once. false: the stream, or the link, is gone. */
static bool receive(struct uplink *l)
{
	uint8_t data[65536];
	ssize_t n = transport_read(&l->transport, data, sizeof data);

	if (n == 0)
		return true;
	if (n < 0 || session_feed(l->session, data, (size_t)n) != 0 || take_replies(l) < 0) {
		uplink_drop(l);
		return false;
	}
	return !l->freed;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct uplink *l = poll->data;

	if (l->transport.connecting) {
		if (transport_finish(&l->transport) != 0) {
			uplink_drop(l);
			return;
		}
		connected(l);
		if (l->poll == NULL)
			return;
	} else if ((events & UV_READABLE || status != 0) && !receive(l))
		return;
	if (flush(l))
		l->events->moved(l->ctx);
}

struct uplink *uplink_create(uv_loop_t *loop, const char *addresses, struct bytes may,
                         const char *client, const struct uplink_events *events, void *ctx)
{
	struct session_options o = {.resumable = true, .passthrough = true,
	                            .grace_ms = SESSION_DEFAULT,
	                            .client = client, .may = may};
	struct uplink *l = xcalloc(1, sizeof *l);

	l->loop = loop;
	l->events = events;
	l->ctx = ctx;
	l->wait_ms = RETRY_FIRST_MS;
	l->session = session_create(&o);
	uv_timer_init(loop, &l->retry);
	uv_timer_init(loop, &l->end);
	l->retry.data = l->end.data = l;
	if (l->session == NULL)
		abort();
	if (transport_init(&l->transport, addresses) != 0)
		lost(l, ERROR_CONNECT, l->transport.why);
	else
		uv_timer_start(&l->retry, on_retry, 0, 0);
	return l;
}

/* --- requests -------------------------------------------------------------- */

static void number_open(struct open_numbers *o, uint64_t n)
{
	if (o->count == o->cap) {
		o->cap = o->cap == 0 ? 16 : o->cap * 2;
		o->at = xrealloc(o->at, o->cap * sizeof *o->at);
	}
	o->at[o->count++] = n;
}

static void numbers_close(uint64_t from, uint64_t to, void *ctx)
{
	struct open_numbers *o = ctx;
	size_t kept = 0;

	for (size_t i = 0; i < o->count; i++)
		if (o->at[i] < from || o->at[i] > to)
			o->at[kept++] = o->at[i];
	o->count = kept;
}

/* Notes what a message opens or closes. Only what the session accepted comes
 * here; what it is beyond that is the server's to judge. */
static void note(struct uplink *l, struct bytes message)
{
	struct buf scratch = BUF_INIT;
	struct request r;
	struct message_error e;

	if (message_decode(message, &scratch, &r, &e) == 0) {
		if (r.op == MESSAGE_ACK)
			message_ranges(r.value, numbers_close, &l->open);
		else if (r.n != 0 && message_rows[r.op].changes)
			number_open(&l->open, r.n);
	}
	buf_close(&scratch);
}

int uplink_pass(struct uplink *l, struct bytes message)
{
	int e;

	if (l->dead || l->ending)
		return 0;
	e = session_pass(l->session, message);
	if (e == 0) {
		if (!session_is_connected(l->session))
			l->unsent += message.n;
		note(l, message);
		flush(l);
	}
	return e;
}

bool uplink_is_full(const struct uplink *l)
{
	return session_output(l->session).n > UPLINK_FULL || l->unsent > UPLINK_FULL;
}

void uplink_pause(struct uplink *l, bool pause)
{
	if (l->paused != pause) {
		l->paused = pause;
		watch(l);
	}
}

/* --- the end --------------------------------------------------------------- */

static void on_end_timeout(uv_timer_t *t)
{
	tell_ended(t->data);
}

/* `cancel` of everything the worker may not have used, as if it had said so. */
static void undo_all(struct uplink *l)
{
	uint64_t n = session_number(l->session);
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->open.count; i++) {
		buf_clear(&b, 64);
		item_put_head(&b, ITEM_ARRAY, 3);
		item_put_uint(&b, ++n);
		item_put_text(&b, "cancel");
		item_put_uint(&b, l->open.at[i]);
		session_pass(l->session, buf_bytes(&b));
	}
	buf_close(&b);
}

void uplink_end(struct uplink *l, bool clean)
{
	if (l->ending)
		return;
	l->ending = true;
	uv_timer_start(&l->end, on_end_timeout, END_MS, 0);
	if (l->dead || session_is_ended(l->session)) {
		uv_timer_start(&l->end, on_end_timeout, 0, 0);
		return;
	}
	if (!clean)
		undo_all(l);
	session_bye(l->session);
	uplink_pause(l, false);
	flush(l);
}

static void timer_closed(uv_handle_t *h)
{
	struct uplink *l = h->data;

	if (--l->timers == 0)
		xfree(l);
}

void uplink_destroy(struct uplink *l)
{
	if (l->freed)
		return;
	l->freed = true;
	poll_close(l);
	transport_close(&l->transport, false);
	session_destroy(l->session);
	xfree(l->open.at);
	l->timers = 2;
	uv_close((uv_handle_t *)&l->retry, timer_closed);
	uv_close((uv_handle_t *)&l->end, timer_closed);
}
