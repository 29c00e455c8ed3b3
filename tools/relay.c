/* relay: the protocol over stdin and stdout. For a program that says no hello
 * it keeps a session, which it resumes when the connection to the server breaks;
 * acknowledging, cancelling and bye are the program's. A program that does say
 * hello keeps its own session: then bytes are passed on as they are, and the end
 * of the connection is the end of the relay. */
#include "link.h"
#include "tilia.h"

#include "../libclient/error.h"
#include "../libclient/frame.h"
#include "../libclient/session.h"
#include "../libclient/transport.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RELAY_READ ((size_t)64 << 10)
#define RELAY_QUEUE ((size_t)4 << 20) /* bytes that wait for one side, then the other is not read */
#define RELAY_CONNECT_MS 10000        /* for the first connection */
#define RELAY_PAUSE_MS 200            /* between two rounds of addresses */

const struct option_row relay_options[] = {OPT_ROW_CONNECT, OPT_ROWS_END};

enum relay_mode {
	RELAY_LISTENING, /* for the first message */
	RELAY_SESSION,
	RELAY_PLAIN,
};

struct relay {
	const char *command, *address;
	enum relay_mode mode;
	struct transport net;
	struct session *session;
	struct buf in;   /* from the program */
	struct buf out;  /* for the program */
	bool in_over;    /* the program says no more */
	bool once;       /* a connection was there */
	int64_t retry_ms, give_up_ms;
	int status;      /* how it ends; -1: not yet */
};

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void leave(struct relay *r, int status)
{
	if (r->status < 0)
		r->status = status;
}

/* --- the server's side ------------------------------------------------------ */

static void lost(struct relay *r)
{
	int64_t now = clock_ms();

	transport_hang_up(&r->net);
	transport_rewind(&r->net);
	if (r->mode != RELAY_SESSION) {
		leave(r, r->once ? EXIT_DONE : EXIT_NO_SERVER);
		return;
	}
	session_disconnected(r->session);
	r->retry_ms = now;
	r->give_up_ms = now + (int64_t)session_grace_ms(r->session);
}

static void no_server(struct relay *r)
{
	struct link l = {.command = r->command, .address = r->address};

	leave(r, link_failed(&l, TILIA_E_CONNECT, r->net.why));
}

static void connected(struct relay *r)
{
	r->once = true;
	transport_rewind(&r->net);
	if (r->mode == RELAY_SESSION && session_connected(r->session) != 0)
		leave(r, EXIT_LOCAL);
}

/* Tries addresses until one answers or all were tried. */
static void dial(struct relay *r)
{
	bool round = false;

	while (r->net.fd < 0 && !round) {
		if (transport_connect(&r->net) == 0 && !r->net.connecting)
			connected(r);
		round = transport_is_round(&r->net);
	}
	if (r->net.fd >= 0)
		return;
	r->retry_ms = clock_ms() + RELAY_PAUSE_MS;
	if (!r->once || r->retry_ms > r->give_up_ms)
		no_server(r);
}

static void finish(struct relay *r)
{
	if (transport_finish(&r->net) == 0)
		connected(r);
	else if (!r->once && transport_is_round(&r->net))
		no_server(r);
	else
		r->retry_ms = clock_ms() + (r->once ? RELAY_PAUSE_MS : 0);
	if (r->net.fd < 0 && r->once && r->retry_ms > r->give_up_ms)
		no_server(r);
}

/* What the session has for the program. */
static void replies(struct relay *r)
{
	struct session_reply reply;
	int code;

	while ((code = session_next(r->session, &reply)) > 0) {
		if (reply.message.n == 0)
			continue;
		frame_put_head(&r->out, reply.message.n);
		buf_append(&r->out, reply.message.p, reply.message.n);
	}
	if (code == 0)
		return;
	if (code == ERROR_SESSION_OVER || code == ERROR_STOPPING || code == ERROR_SLOW ||
	    code == ERROR_NOMEM || code == ERROR_MALFORMED || code == ERROR_LIMIT) {
		lost(r);
		r->retry_ms += code == ERROR_SESSION_OVER ? 0 : RELAY_PAUSE_MS;
		return;
	}
	tool_complain(r->command, "%.*s", (int)reply.text.n, (const char *)reply.text.p);
	leave(r, EXIT_REFUSED);
}

static void from_server(struct relay *r)
{
	uint8_t bytes[RELAY_READ];
	ssize_t n = transport_read(&r->net, bytes, sizeof bytes);

	if (n == 0)
		return;
	if (n < 0)
		lost(r);
	else if (r->mode == RELAY_PLAIN)
		buf_append(&r->out, bytes, (size_t)n);
	else if (session_feed(r->session, bytes, (size_t)n) != 0)
		lost(r);
	if (r->mode == RELAY_SESSION)
		replies(r);
}

static struct bytes for_server(const struct relay *r)
{
	if (r->net.fd < 0 || r->net.connecting || r->mode == RELAY_LISTENING)
		return (struct bytes){0};
	return r->mode == RELAY_PLAIN ? buf_bytes(&r->in) : session_output(r->session);
}

static void to_server(struct relay *r)
{
	struct bytes b = for_server(r);
	ssize_t n = b.n ? transport_write(&r->net, b.p, b.n) : 0;

	if (n < 0)
		lost(r);
	else if (n > 0 && r->mode == RELAY_PLAIN)
		buf_shift(&r->in, (size_t)n);
	else if (n > 0)
		session_written(r->session, (size_t)n);
}

/* --- the program's side ------------------------------------------------------ */

/* Whether the first message is hello, or nothing that a session could carry. */
static bool is_plain(struct bytes message)
{
	struct buf scratch = BUF_INIT;
	struct message_error err = {0};
	struct request q;
	int code = message_decode(message, &scratch, &q, &err);

	buf_close(&scratch);
	return code == 0 ? q.op == MESSAGE_HELLO : err.fatal;
}

static void choose(struct relay *r, struct bytes message)
{
	struct session_options options = {.resumable = true, .passthrough = true,
	                                  .grace_ms = SESSION_DEFAULT, .client = "tilia relay"};

	r->mode = is_plain(message) ? RELAY_PLAIN : RELAY_SESSION;
	if (r->mode == RELAY_PLAIN)
		return;
	r->session = session_create(&options);
	if (!r->session ||
	    (r->net.fd >= 0 && !r->net.connecting && session_connected(r->session) != 0))
		leave(r, EXIT_LOCAL);
}

/* Whole frames of the program go into the session. */
static void requests(struct relay *r)
{
	struct bytes message;
	size_t used;
	int code = 0;

	while (r->status < 0 && r->mode != RELAY_PLAIN && r->in.len > 0) {
		code = frame_next(buf_bytes(&r->in), FRAME_MAX, &message, &used);
		if (code <= 0)
			break;
		if (r->mode == RELAY_LISTENING)
			choose(r, message);
		if (r->mode == RELAY_PLAIN || r->status >= 0)
			return;
		code = session_pass(r->session, message);
		if (code != 0)
			break;
		buf_shift(&r->in, used);
	}
	if (code < 0) {
		tool_complain(r->command, "standard input: %s", error_text(code));
		leave(r, EXIT_USAGE);
	}
}

static void from_program(struct relay *r)
{
	uint8_t *to = buf_reserve(&r->in, RELAY_READ);
	ssize_t n = to ? read(STDIN_FILENO, to, RELAY_READ) : -1;

	if (n > 0) {
		r->in.len += (size_t)n;
		requests(r);
	} else if (n == 0 || errno != EINTR) {
		r->in_over = true;
	}
}

/* A write of this size to a pipe that is writable does not block. */
static void to_program(struct relay *r)
{
	ssize_t n = send(STDOUT_FILENO, r->out.data, r->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(STDOUT_FILENO, r->out.data,
		          r->out.len < PIPE_BUF ? r->out.len : PIPE_BUF);
	if (n > 0)
		buf_shift(&r->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		leave(r, EXIT_LOCAL);
}

/* --- both --------------------------------------------------------------------- */

/* Whether nothing is left to be done. */
static bool is_over(const struct relay *r)
{
	if (r->out.len > 0)
		return false;
	if (r->mode == RELAY_SESSION && session_is_ended(r->session))
		return true;
	if (!r->in_over)
		return false;
	if (r->mode == RELAY_SESSION)
		return session_unanswered(r->session) == 0 && for_server(r).n == 0;
	return r->mode == RELAY_LISTENING;
}

static void turn(struct relay *r)
{
	struct pollfd p[3] = {{.fd = r->in_over ? -1 : STDIN_FILENO},
	                      {.fd = STDOUT_FILENO},
	                      {.fd = r->net.fd}};
	int64_t wait = -1;

	if (r->in.len < RELAY_QUEUE && for_server(r).n < RELAY_QUEUE)
		p[0].events = POLLIN;
	if (r->out.len > 0)
		p[1].events = POLLOUT;
	if (!r->net.connecting && r->out.len < RELAY_QUEUE)
		p[2].events = POLLIN;
	if (r->net.connecting || for_server(r).n > 0)
		p[2].events |= POLLOUT;
	if (r->net.fd < 0) {
		wait = r->retry_ms - clock_ms();
		wait = wait < 0 ? 0 : wait;
	}
	if (poll(p, 3, (int)wait) < 0)
		return;
	if (p[0].revents)
		from_program(r);
	if (p[1].revents & POLLOUT)
		to_program(r);
	else if (p[1].revents && !p[0].revents)
		leave(r, EXIT_LOCAL); /* nobody reads any more */
	if (r->net.fd >= 0 && r->net.connecting && p[2].revents)
		finish(r);
	else if (r->net.fd >= 0 && p[2].revents & (POLLIN | POLLHUP | POLLERR))
		from_server(r);
	if (r->net.fd >= 0 && p[2].revents & POLLOUT)
		to_server(r);
	if (r->net.fd < 0 && r->status < 0 && clock_ms() >= r->retry_ms)
		dial(r);
}

/* In plain mode the program's end is passed on once its bytes are. */
static void pass_end(struct relay *r)
{
	if (r->mode == RELAY_PLAIN && r->in_over && r->in.len == 0 && r->net.fd >= 0)
		shutdown(r->net.fd, SHUT_WR);
}

static int run(struct relay *r)
{
	r->give_up_ms = clock_ms() + RELAY_CONNECT_MS;
	if (transport_init(&r->net, r->address) != 0)
		return tool_usage(r->command, "%s", r->net.why);
	dial(r);
	while (r->status < 0 && !is_over(r)) {
		turn(r);
		pass_end(r);
	}
	return r->status < 0 ? EXIT_DONE : r->status;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct relay *r = ctx;

	(void)id;
	r->address = s->value;
	return true;
}

int relay_main(const struct command *c, int argc, char **argv)
{
	struct relay r = {.command = c->name, .status = -1, .net.fd = -1};
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, &r, &status))
		return status;
	if (s.at < argc)
		return tool_usage(c->name, "nothing but options");
	status = run(&r);
	transport_close(&r.net, false);
	session_destroy(r.session);
	buf_close(&r.in);
	buf_close(&r.out);
	return status;
}
