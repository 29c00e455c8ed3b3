#include "conn.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/frame.h"

#include <unistd.h>

size_t conn_unsent(const struct conn *c)
{
	return (c->out ? c->out->bytes.len : 0) + (c->sending ? c->uv.stream.write_queue_size : 0);
}

void conn_touch(struct conn *c)
{
	if (!list_empty(&c->dirty))
		return;
	list_append(&c->net->dirty, &c->dirty);
	c->net->spent += CONN_WRITE_COST;
}

void conn_queue(struct conn *c)
{
	c->flags |= CONN_QUEUED;
	if (!list_empty(&c->ready))
		return;
	list_append(&c->net->ready, &c->ready);
	net_wants_turn(c->net);
}

void conn_cut(struct conn *c)
{
	c->flags |= CONN_CUT | CONN_DEAF;
	conn_touch(c);
}

/* Rare, so it may look at all of them. */
static void cut_the_largest(struct net *net)
{
	struct conn *largest = NULL;

	for (uint32_t i = 0; i < net->conns_used; i++) {
		struct conn *c = net->conns[i];

		if (c && !(c->flags & CONN_CUT) && (!largest || c->bytes > largest->bytes))
			largest = c;
	}
	if (!largest)
		return;
	net->bytes -= largest->bytes;
	largest->bytes = 0;
	conn_cut(largest);
}

void conn_count(struct conn *c)
{
	struct net *net = c->net;
	size_t bytes = c->in.cap;

	if (c->flags & CONN_CUT)
		return;
	bytes += c->out ? c->out->bytes.len : 0;
	bytes += c->sending ? c->sending->bytes.len : 0;
	net->bytes = net->bytes - c->bytes + bytes;
	c->bytes = bytes;
	if (net->bytes > net->options.memory_max)
		cut_the_largest(net);
}

/* Tells the shell of the marks before the first `sent` bytes. */
static void tell_marks(struct conn *c, struct output *o, size_t sent)
{
	struct net *net = c->net;

	while (o->marks_told < o->marks_count && o->marks[o->marks_told].end <= sent)
		net->options.calls.sent(net->options.ctx, c->number,
		                        o->marks[o->marks_told++].number);
}

/* ---- reading ---- */

/* Gives the frames in `in` until one is incomplete, the connection pauses, or the
 * turn's work is done: then it goes on in a later turn, behind all that wait for
 * that already. Answers how many bytes are done with. */
static size_t give_frames(struct conn *c, struct bytes in)
{
	const struct net_options *o = &c->net->options;
	size_t at = 0, used;
	struct bytes message;

	while (at < in.n && !(c->flags & (CONN_PAUSED | CONN_DEAF))) {
		int rc = frame_next((struct bytes){in.p + at, in.n - at}, o->frame_max, &message,
		                    &used);
		enum net_verdict verdict;

		if (rc == 0) {
			c->need = used;
			break;
		}
		if (c->net->spent >= CONN_TURN_COST) {
			conn_queue(c);
			break;
		}
		verdict = rc < 0 ? o->calls.bad(o->ctx, c->number, rc)
		                 : o->calls.frame(o->ctx, c->number, message);
		if (verdict == NET_HOLD) {
			c->flags |= CONN_HELD;
			break;
		}
		if (verdict == NET_DEAF || rc < 0) {
			c->flags |= CONN_DEAF;
			break;
		}
		at += used;
		c->net->frames++;
		c->net->spent += used + CONN_FRAME_COST;
		if (conn_unsent(c) > o->output_soft)
			c->flags |= CONN_FULL;
	}
	return c->flags & CONN_DEAF ? in.n : at;
}

/* A frame that fits is completed in the shared buffer, behind what was kept of
 * it; a larger one in its own, which grows with what really comes. */
static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct conn *c = h->data;
	size_t have = c->flags & CONN_DEAF ? 0 : c->in.len, want;

	(void)suggested;
	if (have == 0 || c->need <= CONN_READ_BYTES) {
		if (have)
			memcpy(c->net->shared, c->in.data, have);
		want = CONN_READ_BYTES - have;
		if (c->net->spent >= CONN_TURN_COST && want > CONN_READ_LATE)
			want = CONN_READ_LATE;
		*buf = uv_buf_init((char *)c->net->shared + have, (unsigned)want);
		return;
	}
	want = c->need - have;
	if (want > have && have >= CONN_READ_BYTES)
		want = have;
	else if (want > CONN_READ_BYTES)
		want = CONN_READ_BYTES;
	*buf = uv_buf_init((char *)buf_reserve(&c->in, want), (unsigned)want);
	if (!buf->base)
		buf->len = 0; /* the loop answers UV_ENOBUFS and the connection ends */
	conn_count(c);
}

static void on_data(struct conn *c, struct bytes read)
{
	bool shared = read.p >= c->net->shared && read.p <= c->net->shared + CONN_READ_BYTES;
	struct bytes in;
	size_t done;

	if (!shared)
		c->in.len += read.n;
	in = shared ? (struct bytes){c->net->shared, c->in.len + read.n} : buf_bytes(&c->in);
	done = give_frames(c, in);
	if (!shared) {
		buf_shift(&c->in, done);
	} else {
		buf_clear(&c->in, CONN_READ_BYTES);
		buf_append(&c->in, in.p + done, in.n - done);
	}
	if (c->in.len == 0)
		buf_close(&c->in);
	conn_count(c);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = s->data;

	/* In a turn with many readers the first need not wait for the last. */
	if (c->net->frames >= CONN_FLUSH_FRAMES)
		net_flush_dirty(c->net);
	if (n == 0 || c->flags & CONN_ENDED)
		return;
	if (n < 0) {
		uv_read_stop(s);
		c->flags |= CONN_GONE | CONN_DEAF;
		conn_touch(c);
		return;
	}
	if (!(c->flags & CONN_DEAF))
		on_data(c, (struct bytes){(uint8_t *)buf->base, (size_t)n});
	if (c->in.failed) {
		conn_end(c, "out of memory");
		return;
	}
	/* A full read ends this connection's part of the turn: others wait too. */
	if ((size_t)n == buf->len && !(c->flags & CONN_PAUSED))
		conn_queue(c);
	if (c->flags & CONN_PAUSED)
		uv_read_stop(s);
}

void conn_continue(struct conn *c)
{
	size_t done;

	c->flags &= ~(uint32_t)CONN_QUEUED;
	if (c->flags & (CONN_PAUSED | CONN_CLOSING | CONN_GONE | CONN_ENDED))
		return;
	if (c->in.len) {
		done = give_frames(c, buf_bytes(&c->in));
		buf_shift(&c->in, done);
		if (c->in.len == 0)
			buf_close(&c->in);
		conn_count(c);
	}
	if (!(c->flags & CONN_PAUSED))
		uv_read_start(&c->uv.stream, on_alloc, on_read);
}

/* ---- writing ---- */

/* A peer that goes without reading everything is an ordinary end. */
static const char *why_of(int uv_code)
{
	return uv_code == UV_EPIPE || uv_code == UV_ECONNRESET ? NULL : "the socket failed";
}

static void on_written(uv_write_t *w, int status)
{
	struct conn *c = w->data;
	struct output *o = c->sending;

	c->sending = NULL;
	list_remove(&c->blocked);
	if (status == 0 && !(c->flags & CONN_ENDED))
		tell_marks(c, o, o->bytes.len);
	output_give(&c->net->pool, o);
	if (c->flags & CONN_ENDED)
		return;
	conn_count(c);
	if (status != 0)
		conn_end(c, why_of(status));
	else
		conn_touch(c);
}

/* The rest of an output that the kernel did not take at once. */
static void send_rest(struct conn *c, struct output *o, size_t sent)
{
	uv_buf_t rest = uv_buf_init((char *)o->bytes.data + sent, (unsigned)(o->bytes.len - sent));
	struct net *net = c->net;
	int rc;

	c->sending = o;
	o->write.data = c;
	c->moved_ms = uv_now(net->loop);
	list_append(&net->blocked, &c->blocked);
	net_watches(net);
	rc = uv_write(&o->write, &c->uv.stream, &rest, 1, on_written);
	if (rc != 0) {
		c->sending = NULL;
		list_remove(&c->blocked);
		output_give(&net->pool, o);
		conn_end(c, why_of(rc));
		return;
	}
	c->left = c->uv.stream.write_queue_size;
	tell_marks(c, o, sent);
}

static void write_out(struct conn *c)
{
	struct output *o = c->out;
	uv_buf_t all = uv_buf_init((char *)o->bytes.data, (unsigned)o->bytes.len);
	int n = o->bytes.len ? uv_try_write(&c->uv.stream, &all, 1) : 0;

	if (n == UV_EAGAIN)
		n = 0;
	c->out = NULL;
	if (n < 0) {
		output_give(&c->net->pool, o);
		conn_end(c, why_of(n));
	} else if ((size_t)n < o->bytes.len) {
		send_rest(c, o, (size_t)n);
	} else {
		tell_marks(c, o, (size_t)n);
		output_give(&c->net->pool, o);
	}
}

void conn_flush(struct conn *c)
{
	const struct net_options *o = &c->net->options;

	if (c->flags & CONN_ENDED)
		return;
	if (c->flags & CONN_CUT) {
		conn_end(c, "it held too much memory: unread output or unfinished input");
		return;
	}
	if (c->out && !c->sending) {
		write_out(c);
		if (c->flags & CONN_ENDED)
			return;
		conn_count(c);
	}
	if (c->flags & CONN_GONE)
		conn_end(c, NULL);
	else if (c->flags & CONN_CLOSING && !c->out && !c->sending)
		conn_end(c, NULL);
	else if (c->flags & CONN_FULL && conn_unsent(c) <= o->output_soft / 2) {
		c->flags &= ~(uint32_t)CONN_FULL;
		conn_queue(c);
	}
}

/* ---- life ---- */

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	buf_close(&c->in);
	if (c->out)
		output_give(&c->net->pool, c->out);
	xfree(c);
}

/* What the kernel has of an output under way counts as sent. */
void conn_end(struct conn *c, const char *why)
{
	struct net *net = c->net;

	if (c->flags & CONN_ENDED)
		return;
	c->flags |= CONN_ENDED;
	if (c->sending && c->uv.stream.write_queue_size) /* 0 is also what an error leaves */
		tell_marks(c, c->sending, c->sending->bytes.len - c->uv.stream.write_queue_size);
	net->bytes -= c->bytes;
	c->bytes = 0;
	list_remove(&c->dirty);
	list_remove(&c->ready);
	list_remove(&c->blocked);
	net->options.calls.closed(net->options.ctx, c->number, why);
	net->conns[c->number] = NULL;
	net->unused[net->unused_count++] = c->number;
	net->count--;
	uv_close(&c->uv.handle, on_closed);
}

static uint32_t take_number(struct net *net)
{
	if (net->unused_count)
		return net->unused[--net->unused_count];
	if (net->conns_used == net->conns_cap) {
		net->conns_cap = net->conns_cap ? net->conns_cap * 2 : 64;
		net->conns = xrealloc(net->conns, net->conns_cap * sizeof *net->conns);
		net->unused = xrealloc(net->unused, net->conns_cap * sizeof *net->unused);
	}
	return net->conns_used++;
}

bool conn_open(struct net *net, int fd, bool is_unix, struct bytes principal)
{
	struct conn *c = xcalloc(1, sizeof *c);
	int rc = is_unix ? uv_pipe_init(net->loop, &c->uv.pipe, 0)
	                 : uv_tcp_init(net->loop, &c->uv.tcp);

	if (rc == 0) {
		rc = is_unix ? uv_pipe_open(&c->uv.pipe, fd) : uv_tcp_open(&c->uv.tcp, fd);
		c->uv.handle.data = c;
		c->net = net;
		if (rc != 0)
			uv_close(&c->uv.handle, on_closed);
	} else {
		xfree(c);
	}
	if (rc != 0) {
		close(fd);
		return false;
	}
	list_init(&c->dirty);
	list_init(&c->ready);
	list_init(&c->blocked);
	c->number = take_number(net);
	net->conns[c->number] = c;
	net->count++;
	net->options.calls.open(net->options.ctx, c->number, principal);
	conn_continue(c);
	return true;
}
