/* net with a socket that fails: each write and read of an echo server's is cut short,
 * or finds the stream broken. What is told is true, and the loop ends empty. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/frame.h"
#include "../../server/net/net.h"
#include "../lib/cut.h"
#include "../lib/tiliad.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAMES 4

struct echo {
	uv_loop_t loop;
	struct net *net;
	char path[100];
	unsigned opened, closed;
	uint64_t frames, sent; /* answered; told to be the kernel's */
};

static void on_open(void *ctx, uint32_t conn, struct bytes principal)
{
	(void)conn, (void)principal;
	((struct echo *)ctx)->opened++;
}

static enum net_verdict on_frame(void *ctx, uint32_t conn, struct bytes message)
{
	struct echo *e = ctx;
	struct buf b = BUF_INIT;

	frame_put_head(&b, message.n);
	buf_append(&b, message.p, message.n);
	net_write(e->net, conn, buf_bytes(&b));
	net_mark(e->net, conn, ++e->frames);
	buf_close(&b);
	return NET_TAKEN;
}

static enum net_verdict on_bad(void *ctx, uint32_t conn, int code)
{
	(void)ctx, (void)conn;
	test_fail(__FILE__, __LINE__, "bad input: %d", code);
}

static void on_sent(void *ctx, uint32_t conn, uint64_t number)
{
	(void)conn;
	((struct echo *)ctx)->sent = number;
}

static void on_closed(void *ctx, uint32_t conn, const char *why)
{
	(void)conn, (void)why;
	((struct echo *)ctx)->closed++;
}

static void on_refused(void *ctx, const char *why)
{
	(void)ctx;
	test_fail(__FILE__, __LINE__, "refused: %s", why);
}

static void begin(struct echo *e)
{
	static unsigned count;
	struct net_options o;
	struct address a;
	char why[ADDRESS_WHY], text[128];

	*e = (struct echo){0};
	net_options_default(&o);
	o.calls = (struct net_calls){on_open, on_frame, on_bad, on_sent, on_closed, on_refused};
	o.ctx = e;
	uv_loop_init(&e->loop);
	e->net = net_create(&e->loop, &o);
	snprintf(e->path, sizeof e->path, "%s/%u", test_folder(), count++);
	snprintf(text, sizeof text, "unix:%s", e->path);
	CHECK_INT(address_parse(bytes_of(text), &a, why), 0);
	CHECK_INT(net_listen(e->net, &a, why), 0);
	address_close(&a);
	CHECK_INT(net_ready(e->net, why), 0);
}

static void finish(struct echo *e)
{
	net_shut(e->net);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&e->loop), 0);
	CHECK_INT(net_count(e->net), 0);
	net_destroy(e->net);
	CHECK_INT(e->opened, e->closed);
}

static int dial(const struct echo *e)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(name.sun_path, e->path, strlen(e->path));
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
	return fd;
}

/* One frame is more than the kernel takes at once. */
static void put_frames(struct buf *b)
{
	static const size_t sizes[FRAMES] = {1, 3, 600000, 40};

	for (int i = 0; i < FRAMES; i++) {
		frame_put_head(b, sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			buf_byte(b, (uint8_t)(k * 7 + (size_t)i));
	}
}

/* Sends all and reads as much, or to the end. True: all came back. */
static bool converse(struct echo *e, int fd, struct bytes all, struct buf *back)
{
	static uint8_t chunk[65536];
	size_t sent = 0;
	int64_t end = now_ms() + 20000;

	while (back->len < all.n) {
		ssize_t n = sent < all.n ? send(fd, all.p + sent, all.n - sent, MSG_NOSIGNAL) : 0;

		CHECK(now_ms() < end);
		sent += n > 0 ? (size_t)n : 0;
		uv_run(&e->loop, UV_RUN_NOWAIT);
		net_flush(e->net);
		n = recv(fd, chunk, sizeof chunk, 0);
		if (n > 0)
			buf_append(back, chunk, (size_t)n);
		else if (n == 0 || errno != EAGAIN)
			return false;
	}
	return true;
}

static uint64_t whole_frames(struct bytes b)
{
	struct bytes message;
	uint64_t n = 0;
	size_t used;

	for (; frame_next(b, FRAME_MAX, &message, &used) == 1; n++)
		b = (struct bytes){b.p + used, b.n - used};
	return n;
}

/* True: the call that was to fail never came. */
static bool fail_at(enum cut_calls which, unsigned long n, enum cut_how how, struct bytes all)
{
	struct buf back = BUF_INIT;
	struct echo e;
	unsigned long made;
	bool whole;
	int fd;

	begin(&e);
	fd = dial(&e);
	cut_at(which, n, how);
	whole = converse(&e, fd, all, &back);
	made = cut_at(which, 0, how);
	CHECK(back.len <= all.n && memcmp(back.data ? back.data : all.p, all.p, back.len) == 0);
	CHECK(whole || (how >= CUT_HALF && made >= n));
	CHECK(e.sent <= whole_frames(buf_bytes(&back)));
	CHECK(!whole || e.frames == FRAMES);
	close(fd);
	finish(&e);
	buf_close(&back);
	return made < n;
}

static void each(enum cut_calls which)
{
	struct buf all = BUF_INIT;

	signal(SIGPIPE, SIG_IGN);
	put_frames(&all);
	for (int how = 0; how < CUT_HOWS; how++)
		for (unsigned long n = 1; !fail_at(which, n, (enum cut_how)how, buf_bytes(&all));)
			n++;
	buf_close(&all);
}

TEST(each_write_of_the_server_fails)
{
	each(CUT_WRITE);
}

TEST(each_read_of_the_server_fails)
{
	each(CUT_READ);
}
