#include "net.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/frame.h"
#include "conn.h"
#include "listener.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 64 /* for the store, the loop, listeners and logs */

void net_options_default(struct net_options *o)
{
	struct rlimit limit = {1024, 1024};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur > UINT32_MAX)
		limit.rlim_cur = UINT32_MAX;
	o->connections = limit.rlim_cur > 2 * DESCRIPTORS_KEPT
	                         ? (uint32_t)limit.rlim_cur - DESCRIPTORS_KEPT
	                         : DESCRIPTORS_KEPT;
	o->frame_max = FRAME_MAX;
	o->output_soft = (size_t)1 << 20;
	o->output_max = (size_t)64 << 20;
	o->memory_max = (size_t)1 << 30;
	o->slow_ms = 30000;
}

/* ---- the lists ---- */

static void on_ready(uv_idle_t *idle)
{
	struct net *net = idle->data;
	struct list now;

	list_init(&now);
	while (!list_empty(&net->ready)) {
		struct list *l = list_first(&net->ready);

		list_remove(l);
		list_append(&now, l);
	}
	uv_idle_stop(idle); /* whoever queues itself again starts it */
	while (!list_empty(&now)) {
		struct conn *c = list_entry(list_first(&now), struct conn, ready);

		list_remove(&c->ready);
		conn_continue(c);
	}
}

/* Looks whether the outputs under way move at all. */
static void on_timer(uv_timer_t *timer)
{
	struct net *net = timer->data;
	uint64_t now = uv_now(net->loop);

	list_each(l, &net->blocked) {
		struct conn *c = list_entry(l, struct conn, blocked);
		size_t left = c->uv.stream.write_queue_size;

		if (left != c->left) {
			c->left = left;
			c->moved_ms = now;
		} else if (now - c->moved_ms >= net->options.slow_ms) {
			conn_end(c, error_text(ERROR_SLOW));
		}
	}
	if (list_empty(&net->blocked))
		uv_timer_stop(timer);
}

void net_wants_turn(struct net *net)
{
	uv_idle_start(&net->idle, on_ready); /* nothing when it runs already */
}

void net_watches(struct net *net)
{
	uint64_t every = net->options.slow_ms / 4 + 1;

	if (!uv_is_active((uv_handle_t *)&net->timer))
		uv_timer_start(&net->timer, on_timer, every, every);
}

void net_flush_dirty(struct net *net)
{
	struct list *l;

	net->frames = 0;
	while ((l = list_first(&net->dirty))) {
		list_remove(l);
		conn_flush(list_entry(l, struct conn, dirty));
	}
}

void net_flush(struct net *net)
{
	net_flush_dirty(net);
	net->spent = 0;
}

/* ---- what the shell asks for ---- */

static struct conn *find(const struct net *net, uint32_t number)
{
	struct conn *c = number < net->conns_used ? net->conns[number] : NULL;

	return c && !(c->flags & CONN_ENDED) ? c : NULL;
}

static struct output *output_of(struct conn *c)
{
	if (!c->out)
		c->out = output_take(&c->net->pool);
	conn_touch(c);
	return c->out;
}

void net_write(struct net *net, uint32_t conn, struct bytes bytes)
{
	struct conn *c = find(net, conn);
	struct output *o;

	if (!c || c->flags & (CONN_CUT | CONN_CLOSING))
		return;
	o = output_of(c);
	buf_append(&o->bytes, bytes.p, bytes.n);
	if (o->bytes.failed || conn_unsent(c) > net->options.output_max)
		conn_cut(c);
	conn_count(c);
}

void net_mark(struct net *net, uint32_t conn, uint64_t number)
{
	struct conn *c = find(net, conn);

	if (c && !(c->flags & (CONN_CUT | CONN_CLOSING)))
		output_mark(output_of(c), number);
}

void net_close(struct net *net, uint32_t conn)
{
	struct conn *c = find(net, conn);

	if (!c)
		return;
	c->flags |= CONN_CLOSING | CONN_DEAF;
	conn_touch(c);
}

void net_deafen(struct net *net, uint32_t conn)
{
	struct conn *c = find(net, conn);

	if (c)
		c->flags |= CONN_DEAF;
}

void net_resume(struct net *net, uint32_t conn)
{
	struct conn *c = find(net, conn);

	if (!c || !(c->flags & CONN_HELD))
		return;
	c->flags &= ~(uint32_t)CONN_HELD;
	conn_queue(c);
}

uint32_t net_count(const struct net *net)
{
	return net->count;
}

uint32_t net_unsent(const struct net *net)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->conns_used; i++)
		n += find(net, i) && conn_unsent(net->conns[i]) > 0;
	return n;
}

/* ---- life ---- */

struct net *net_create(uv_loop_t *loop, const struct net_options *o)
{
	struct net *net = xcalloc(1, sizeof *net);

	net->loop = loop;
	net->options = *o;
	net->shared = xmalloc(CONN_READ_BYTES);
	list_init(&net->dirty);
	list_init(&net->ready);
	list_init(&net->blocked);
	uv_idle_init(loop, &net->idle);
	net->idle.data = net;
	uv_timer_init(loop, &net->timer);
	net->timer.data = net;
	net->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return net;
}

int net_listen(struct net *net, const struct address *a, char *why)
{
	return listener_bind(net, a, why);
}

int net_ready(struct net *net, char *why)
{
	for (struct listener *l = net->listeners; l; l = l->next) {
		int rc = listener_start(l, why);

		if (rc)
			return rc;
	}
	return 0;
}

void net_listening(const struct net *net, struct buf *b)
{
	for (const struct listener *l = net->listeners; l; l = l->next) {
		if (l != net->listeners)
			buf_byte(b, ',');
		address_print(b, &l->shown);
	}
}

void net_stop_listening(struct net *net)
{
	while (net->listeners) {
		struct listener *l = net->listeners;

		net->listeners = l->next;
		listener_stop(l);
	}
}

void net_shut(struct net *net)
{
	net_stop_listening(net);
	for (uint32_t i = 0; i < net->conns_used; i++)
		if (net->conns[i])
			conn_end(net->conns[i], NULL);
	uv_close((uv_handle_t *)&net->idle, NULL);
	uv_close((uv_handle_t *)&net->timer, NULL);
}

void net_destroy(struct net *net)
{
	if (net->reserve >= 0)
		close(net->reserve);
	output_pool_close(&net->pool);
	xfree(net->conns);
	xfree(net->unused);
	xfree(net->shared);
	xfree(net);
}
