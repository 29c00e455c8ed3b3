/* net against real sockets, with a shell that only writes down what it is told. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/frame.h"
#include "../../server/net/net.h"
#include "../lib/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct shell {
	uv_loop_t loop;
	struct net *net;
	struct net_options options;
	struct buf told; /* a line for each call */
	unsigned opened, frames, bads, closed, refused, sents;
	uint64_t last_sent;
	size_t frame_bytes;
	unsigned hold;       /* answers NET_HOLD that many times */
	struct bytes answer; /* written for each frame, when not empty */
	bool quiet;          /* frames are only counted */
	char path[100];
};

static void told_open(void *ctx, uint32_t conn, struct bytes principal)
{
	struct shell *s = ctx;

	s->opened++;
	if (!s->quiet)
		buf_printf(&s->told, "open %u %.*s\n", conn, (int)principal.n, principal.p);
}

static enum net_verdict told_frame(void *ctx, uint32_t conn, struct bytes message)
{
	struct shell *s = ctx;

	if (s->hold) {
		s->hold--;
		return NET_HOLD;
	}
	s->frames++;
	s->frame_bytes += message.n;
	if (!s->quiet)
		buf_printf(&s->told, "frame %u %.*s\n", conn, (int)message.n, message.p);
	if (s->answer.n) {
		net_write(s->net, conn, s->answer);
		net_mark(s->net, conn, s->frames);
	}
	if (message.n == 3 && memcmp(message.p, "bye", 3) == 0)
		net_close(s->net, conn);
	return message.n == 4 && memcmp(message.p, "deaf", 4) == 0 ? NET_DEAF : NET_TAKEN;
}

static enum net_verdict told_bad(void *ctx, uint32_t conn, int code)
{
	struct shell *s = ctx;

	if (s->hold) {
		s->hold--;
		return NET_HOLD;
	}
	s->bads++;
	buf_printf(&s->told, "bad %u %s\n", conn, error_word(code));
	return NET_TAKEN;
}

static void told_sent(void *ctx, uint32_t conn, uint64_t number)
{
	struct shell *s = ctx;

	(void)conn;
	CHECK(number > s->last_sent);
	s->sents++;
	s->last_sent = number;
}

static void told_closed(void *ctx, uint32_t conn, const char *why)
{
	struct shell *s = ctx;

	s->closed++;
	if (!s->quiet)
		buf_printf(&s->told, "closed %u%s%s\n", conn, why ? ": " : "", why ? why : "");
}

static void told_refused(void *ctx, const char *why)
{
	struct shell *s = ctx;

	s->refused++;
	buf_printf(&s->told, "refused: %s\n", why);
}

static struct net_options options(struct shell *s)
{
	struct net_options o;

	net_options_default(&o);
	o.calls = (struct net_calls){told_open, told_frame,  told_bad,
	                             told_sent, told_closed, told_refused};
	o.ctx = s;
	return o;
}

/* A net that listens on a Unix socket; `o` may be NULL. */
static void begin(struct shell *s, void (*change)(struct net_options *o))
{
	char why[ADDRESS_WHY], text[128];
	struct address a;
	static int count;

	*s = (struct shell){0};
	s->options = options(s);
	if (change)
		change(&s->options);
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&s->loop);
	s->net = net_create(&s->loop, &s->options);
	snprintf(s->path, sizeof s->path, "%s/%d.sock", test_folder(), count++);
	snprintf(text, sizeof text, "unix:%s", s->path);
	CHECK_INT(address_parse(bytes_of(text), &a, why), 0);
	CHECK_INT(net_listen(s->net, &a, why), 0);
	address_close(&a);
	CHECK_INT(net_ready(s->net, why), 0);
}

static void finish(struct shell *s)
{
	net_shut(s->net);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&s->loop), 0);
	CHECK_INT(net_count(s->net), 0);
	net_destroy(s->net);
	buf_close(&s->told);
	CHECK_INT(s->opened, s->closed);
}

static void turn(struct shell *s)
{
	uv_run(&s->loop, UV_RUN_NOWAIT);
	net_flush(s->net);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Runs the loop until the condition holds. */
#define UNTIL(s, cond)                                                                             \
	do {                                                                                       \
		double end_ = seconds() + 20;                                                      \
		while (!(cond)) {                                                                  \
			if (seconds() > end_)                                                      \
				test_fail(__FILE__, __LINE__, "never: %s\n%.*s", #cond,            \
				          (int)(s)->told.len, (char *)(s)->told.data);             \
			turn(s);                                                                   \
		}                                                                                  \
	} while (0)

static int dial(const struct shell *s)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(name.sun_path, s->path, strlen(s->path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) != 0)
		test_fail(__FILE__, __LINE__, "connect: %s", strerror(errno));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void put_frame(struct buf *b, const char *text, size_t n)
{
	frame_put_head(b, n);
	buf_append(b, text, n);
}

/* Sends all, with turns of the loop between when the socket is full. */
static void send_all(struct shell *s, int fd, const void *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = send(fd, (const char *)p + at, n - at, MSG_NOSIGNAL);

		if (k < 0 && errno != EAGAIN)
			test_fail(__FILE__, __LINE__, "send: %s", strerror(errno));
		if (k > 0)
			at += (size_t)k;
		else
			turn(s);
	}
}

static void send_text(struct shell *s, int fd, const char *text)
{
	struct buf b = BUF_INIT;

	put_frame(&b, text, strlen(text));
	send_all(s, fd, b.data, b.len);
	buf_close(&b);
}

/* Reads until the peer closes; answers how many bytes. */
static size_t read_to_end(struct shell *s, int fd)
{
	char bytes[65536];
	size_t n = 0;
	double end = seconds() + 20;

	for (;;) {
		ssize_t k = read(fd, bytes, sizeof bytes);

		if (k == 0 || (k < 0 && errno == ECONNRESET))
			return n;
		if (k > 0)
			n += (size_t)k;
		else if (seconds() > end)
			test_fail(__FILE__, __LINE__, "no end of input");
		else
			turn(s);
	}
}

static void told_is(struct shell *s, const char *want)
{
	buf_byte(&s->told, '\0');
	CHECK_STR((char *)s->told.data, want);
	s->told.len = 0;
}

TEST(frames_arrive_whole_however_they_are_cut)
{
	struct shell s;
	struct buf stream = BUF_INIT;
	char big[700];

	memset(big, 'x', sizeof big);
	put_frame(&stream, "", 0);
	put_frame(&stream, "hello", 5);
	put_frame(&stream, big, 300);
	put_frame(&stream, big, 24);
	begin(&s, NULL);
	s.quiet = true;
	for (size_t cut = 0; cut <= stream.len; cut++) {
		int fd = dial(&s);

		s.frames = 0;
		s.frame_bytes = 0;
		send_all(&s, fd, stream.data, cut);
		if (cut)
			UNTIL(&s, s.opened == cut + 1);
		for (int i = 0; i < 3; i++)
			turn(&s);
		send_all(&s, fd, stream.data + cut, stream.len - cut);
		UNTIL(&s, s.frames == 4);
		CHECK_INT(s.frame_bytes, 329);
		close(fd);
		UNTIL(&s, s.closed == cut + 1);
	}
	CHECK_INT(s.bads, 0);
	buf_close(&stream);
	finish(&s);
}

TEST(one_byte_at_a_time)
{
	struct shell s;
	struct buf stream = BUF_INIT;
	int fd;

	put_frame(&stream, "one", 3);
	put_frame(&stream, "a longer one, with a head of two bytes", 38);
	begin(&s, NULL);
	fd = dial(&s);
	for (size_t i = 0; i < stream.len; i++) {
		send_all(&s, fd, stream.data + i, 1);
		turn(&s);
		turn(&s);
	}
	UNTIL(&s, s.frames == 2);
	buf_close(&stream);
	close(fd);
	finish(&s);
}

TEST(large_frames_and_small_ones_behind_them)
{
	static const size_t sizes[] = {65527, 65528, 65535, 65536, 65537, 200000, 3 << 20, 10};
	struct shell s;
	struct buf stream = BUF_INIT;
	char *big = xmalloc(3 << 20);
	size_t sum = 0;
	int fd;

	memset(big, 'y', 3 << 20);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		put_frame(&stream, big, sizes[i]);
		put_frame(&stream, big, 10);
		sum += sizes[i] + 10;
	}
	begin(&s, NULL);
	s.quiet = true;
	fd = dial(&s);
	send_all(&s, fd, stream.data, stream.len);
	UNTIL(&s, s.frames == 16);
	CHECK_INT(s.frame_bytes, sum);
	buf_close(&stream);
	xfree(big);
	close(fd);
	finish(&s);
}

static void frame_of_1000(struct net_options *o)
{
	o->frame_max = 1000;
}

TEST(a_frame_beyond_the_limit_is_bad_and_others_go_on)
{
	struct shell s;
	struct buf b = BUF_INIT;
	char big[1001] = "";
	int a, other;

	begin(&s, frame_of_1000);
	s.quiet = true;
	a = dial(&s);
	other = dial(&s);
	put_frame(&b, big, 999);
	put_frame(&b, big, 1000);
	send_all(&s, a, b.data, b.len);
	UNTIL(&s, s.frames == 2);
	buf_clear(&b, 4096);
	put_frame(&b, big, 1001);
	put_frame(&b, big, 1);
	send_all(&s, a, b.data, b.len);
	UNTIL(&s, s.bads == 1);
	told_is(&s, "bad 0 limit\n");
	send_text(&s, other, "still there");
	UNTIL(&s, s.frames == 3);
	CHECK_INT(net_count(s.net), 2); /* the shell decides when it closes */
	net_close(s.net, 0);
	UNTIL(&s, s.closed == 1);
	buf_close(&b);
	close(a);
	close(other);
	finish(&s);
}

TEST(what_is_no_byte_string_is_bad)
{
	static const char *const bytes[] = {"\x83\x01", "\x5f\x41", "hello", "\x5c"};
	struct shell s;

	begin(&s, NULL);
	s.quiet = true;
	for (unsigned i = 0; i < 4; i++) {
		int fd = dial(&s);

		send_all(&s, fd, bytes[i], strlen(bytes[i]));
		UNTIL(&s, s.bads == i + 1);
		told_is(&s, "bad 0 malformed\n");
		close(fd);
		UNTIL(&s, s.closed == i + 1);
	}
	finish(&s);
}

TEST(the_end_in_the_middle_of_a_frame)
{
	struct shell s;
	struct buf b = BUF_INIT;
	int fd;

	begin(&s, NULL);
	s.quiet = true;
	fd = dial(&s);
	put_frame(&b, "whole", 5);
	put_frame(&b, "only half of it comes", 21);
	send_all(&s, fd, b.data, b.len - 10);
	UNTIL(&s, s.frames == 1);
	close(fd);
	UNTIL(&s, s.closed == 1);
	CHECK_INT(s.frames, 1);
	CHECK_INT(s.bads, 0);
	buf_close(&b);
	finish(&s);
}

TEST(a_held_frame_comes_again_and_nothing_overtakes_it)
{
	struct shell s;
	int fd;

	begin(&s, NULL);
	fd = dial(&s);
	UNTIL(&s, s.opened == 1);
	s.told.len = 0;
	s.hold = 3;
	send_text(&s, fd, "first");
	send_text(&s, fd, "second");
	for (int left = 2; left >= 0; left--) {
		UNTIL(&s, (int)s.hold == left);
		send_text(&s, fd, "more");
		for (int i = 0; i < 5; i++)
			turn(&s);
		CHECK_INT(s.frames, 0);
		CHECK_INT(s.hold, left);
		net_resume(s.net, 0);
	}
	UNTIL(&s, s.frames == 5);
	told_is(&s, "frame 0 first\nframe 0 second\nframe 0 more\nframe 0 more\nframe 0 more\n");
	close(fd);
	finish(&s);
}

TEST(a_held_bad_frame_is_told_again)
{
	struct shell s;
	int fd;

	begin(&s, NULL);
	fd = dial(&s);
	s.hold = 1;
	send_all(&s, fd, "\xff\xff", 2);
	UNTIL(&s, s.hold == 0 && s.opened == 1);
	CHECK_INT(s.bads, 0);
	net_resume(s.net, 0);
	UNTIL(&s, s.bads == 1);
	close(fd);
	UNTIL(&s, s.closed == 1);
	finish(&s);
}

TEST(a_deaf_connection_hears_only_its_end)
{
	struct shell s;
	int fd;

	begin(&s, NULL);
	fd = dial(&s);
	send_text(&s, fd, "deaf");
	send_text(&s, fd, "not heard");
	UNTIL(&s, s.frames == 1);
	send_text(&s, fd, "nor that");
	for (int i = 0; i < 5; i++)
		turn(&s);
	CHECK_INT(s.frames, 1);
	close(fd);
	UNTIL(&s, s.closed == 1);
	finish(&s);
}

TEST(close_writes_everything_first)
{
	static char answer[3 << 20];
	struct shell s;
	int fd;

	begin(&s, NULL);
	s.answer = (struct bytes){(uint8_t *)answer, sizeof answer};
	fd = dial(&s);
	send_text(&s, fd, "bye");
	send_text(&s, fd, "not read");
	UNTIL(&s, s.frames == 1);
	CHECK_INT(s.closed, 0);
	CHECK_INT(s.sents, 0); /* the kernel cannot have it all */
	CHECK_INT(read_to_end(&s, fd), sizeof answer);
	UNTIL(&s, s.closed == 1);
	CHECK_INT(s.frames, 1);
	CHECK_INT(s.sents, 1);
	close(fd);
	finish(&s);
}

static void small_output(struct net_options *o)
{
	o->output_soft = 200000;
	o->output_max = 1 << 20;
	o->slow_ms = 40;
}

static void small_and_patient(struct net_options *o)
{
	small_output(o);
	o->slow_ms = 60000;
}

TEST(who_does_not_read_is_not_read)
{
	static char answer[100000];
	struct shell s;
	size_t want = 50 * sizeof answer, got = 0;
	double end = seconds() + 20;
	int fd;

	begin(&s, small_and_patient);
	s.quiet = true;
	s.answer = (struct bytes){(uint8_t *)answer, sizeof answer};
	fd = dial(&s);
	for (int i = 0; i < 50; i++)
		send_text(&s, fd, "more");
	for (int i = 0; i < 50; i++)
		turn(&s);
	CHECK(s.frames > 2 && s.frames < 30);
	CHECK_INT(s.closed, 0);
	CHECK_INT(net_unsent(s.net), 1);
	CHECK(s.sents < s.frames);
	while (got < want && seconds() < end) {
		ssize_t k = read(fd, answer, sizeof answer);

		if (k > 0)
			got += (size_t)k;
		turn(&s);
	}
	CHECK_INT(got, want);
	CHECK_INT(s.frames, 50);
	UNTIL(&s, s.sents == 50);
	CHECK_INT(s.last_sent, 50);
	CHECK_INT(net_unsent(s.net), 0);
	close(fd);
	finish(&s);
}

TEST(a_reader_that_does_not_move_is_cut)
{
	static char answer[600000];
	struct shell s;
	int fd;

	begin(&s, small_output);
	fd = dial(&s);
	UNTIL(&s, s.opened == 1);
	s.quiet = true;
	s.answer = (struct bytes){(uint8_t *)answer, sizeof answer};
	send_text(&s, fd, "more");
	UNTIL(&s, s.frames == 1);
	s.quiet = false;
	s.told.len = 0;
	UNTIL(&s, s.closed == 1);
	told_is(&s, "closed 0: the reader did not move for too long\n");
	CHECK_INT(s.sents, 0);
	close(fd);
	finish(&s);
}

TEST(too_much_unread_output_cuts_at_once)
{
	static char answer[1 << 20];
	struct shell s;
	int fd;

	begin(&s, small_and_patient);
	fd = dial(&s);
	UNTIL(&s, s.opened == 1);
	s.told.len = 0;
	net_write(s.net, 0, (struct bytes){(uint8_t *)answer, (1 << 20) - 1});
	net_write(s.net, 0, (struct bytes){(uint8_t *)answer, 1});
	turn(&s);
	CHECK_INT(s.closed, 0); /* the limit itself is allowed */
	for (int i = 0; i < 2; i++)
		net_write(s.net, 0, (struct bytes){(uint8_t *)answer, sizeof answer});
	turn(&s);
	told_is(&s, "closed 0: it held too much memory: unread output or unfinished input\n");
	close(fd);
	finish(&s);
}

static void a_little_in_all(struct net_options *o)
{
	o->memory_max = 1600000; /* buffers double: 1 MiB and 256 KiB of input */
}

TEST(with_too_much_in_all_the_largest_goes)
{
	static char part[600000];
	struct shell s;
	struct buf b = BUF_INIT;
	int small, large;

	begin(&s, a_little_in_all);
	small = dial(&s);
	large = dial(&s);
	UNTIL(&s, s.opened == 2);
	s.told.len = 0;
	frame_put_head(&b, 5000000);
	send_all(&s, small, b.data, b.len);
	send_all(&s, large, b.data, b.len);
	send_all(&s, small, part, 100000);
	send_all(&s, large, part, 500000);
	for (int i = 0; i < 20; i++)
		turn(&s);
	CHECK_INT(s.closed, 0);
	net_write(s.net, 0,
	          (struct bytes){(uint8_t *)part, sizeof part}); /* not the one that is cut */
	UNTIL(&s, s.closed == 1);
	told_is(&s, "closed 1: it held too much memory: unread output or unfinished input\n");
	for (int i = 0; i < 20; i++)
		turn(&s);
	CHECK_INT(s.closed, 1);
	close(small);
	close(large);
	buf_close(&b);
	finish(&s);
}

TEST(deaf_in_the_middle_of_a_large_frame)
{
	static char part[300000];
	struct shell s;
	struct buf b = BUF_INIT;
	int fd;

	begin(&s, NULL);
	fd = dial(&s);
	frame_put_head(&b, 5000000);
	send_all(&s, fd, b.data, b.len);
	send_all(&s, fd, part, sizeof part);
	for (int i = 0; i < 5; i++)
		turn(&s);
	net_deafen(s.net, 0);
	send_all(&s, fd, part, sizeof part);
	for (int i = 0; i < 5; i++)
		turn(&s);
	CHECK_INT(s.frames + s.bads, 0);
	close(fd);
	UNTIL(&s, s.closed == 1);
	buf_close(&b);
	finish(&s);
}

/* Checks that each connection's frames, all numbered, came in order, and answers how many
 * frames stood before the one that says "late". */
static size_t before_late(struct shell *s, unsigned conns)
{
	unsigned next[32] = {0}, conn, number;
	size_t lines = 0, late = 0;
	int used;

	buf_byte(&s->told, '\0');
	for (const char *p = (char *)s->told.data; *p; p += strcspn(p, "\n") + 1) {
		if (sscanf(p, "frame %u %u%n", &conn, &number, &used) == 2) {
			CHECK(conn < conns);
			CHECK_INT(number, next[conn]++);
		} else if (strstr(p, "frame") == p) {
			late = lines;
		}
		lines += strncmp(p, "frame", 5) == 0;
	}
	return late;
}

TEST(a_turn_is_short_and_nobody_waits_for_all_of_the_others)
{
	enum { CONNS = 16, EACH = 2000, TURN = (128 << 10) / 64 };
	struct shell s;
	struct buf flood = BUF_INIT;
	int fd[CONNS], late;
	char text[16];

	for (int i = 0; i < EACH; i++)
		put_frame(&flood, text, (size_t)snprintf(text, sizeof text, "%d", i));
	begin(&s, NULL);
	for (int i = 0; i < CONNS; i++)
		fd[i] = dial(&s);
	late = dial(&s);
	UNTIL(&s, s.opened == CONNS + 1);
	for (int i = 0; i < CONNS; i++)
		CHECK_INT(send(fd[i], flood.data, flood.len, MSG_NOSIGNAL), (long)flood.len);
	send_text(&s, late, "late");
	for (double end = seconds() + 20; s.frames < CONNS * EACH + 1;) {
		unsigned before = s.frames;

		turn(&s);
		CHECK(s.frames - before <= TURN);
		CHECK(seconds() < end);
	}
	/* The first have given a turn's work, the others one late read of 4 KiB each. */
	CHECK(before_late(&s, CONNS) <= TURN + CONNS * (4096 / 4));
	for (int i = 0; i < CONNS; i++)
		close(fd[i]);
	close(late);
	buf_close(&flood);
	finish(&s);
}

TEST(a_turn_is_one_write_and_marks_come_in_order)
{
	struct shell s;
	char bytes[64];
	int fd;

	begin(&s, NULL);
	fd = dial(&s);
	UNTIL(&s, s.opened == 1);
	net_mark(s.net, 0, 1); /* nothing before it: at the next flush */
	net_write(s.net, 0, bytes_of("abc"));
	net_mark(s.net, 0, 2);
	net_write(s.net, 0, bytes_of("def"));
	CHECK(read(fd, bytes, sizeof bytes) < 0 && errno == EAGAIN);
	CHECK_INT(s.sents, 0);
	net_flush(s.net);
	CHECK_INT(s.last_sent, 2);
	CHECK_INT(read(fd, bytes, sizeof bytes), 6);
	net_mark(s.net, 0, 3);
	net_flush(s.net);
	CHECK_INT(s.last_sent, 3);
	close(fd);
	finish(&s);
}

TEST(what_the_kernel_never_got_is_not_sent)
{
	struct shell s;
	int fd;

	begin(&s, NULL);
	fd = dial(&s);
	UNTIL(&s, s.opened == 1);
	close(fd);
	net_write(s.net, 0, bytes_of("abc"));
	net_mark(s.net, 0, 1);
	net_flush(s.net);
	UNTIL(&s, s.closed == 1);
	CHECK_INT(s.sents, 0);
	net_write(s.net, 0, bytes_of("to nobody"));
	net_mark(s.net, 0, 2);
	net_close(s.net, 0);
	net_resume(s.net, 7);
	net_flush(s.net);
	finish(&s);
}

static void two_connections(struct net_options *o)
{
	o->connections = 2;
}

TEST(one_connection_too_many_is_answered)
{
	struct shell s;
	uint8_t got[256];
	ssize_t n = -1;
	int a, b, c;

	begin(&s, two_connections);
	s.quiet = true;
	a = dial(&s);
	b = dial(&s);
	UNTIL(&s, s.opened == 2);
	c = dial(&s);
	UNTIL(&s, s.refused == 1);
	UNTIL(&s, (n = read(c, got, sizeof got)) > 0);
	CHECK(n > 20 && memcmp(got + n - 20, "too many connections", 20) == 0);
	CHECK_INT(read(c, got, sizeof got), 0);
	close(a);
	UNTIL(&s, s.closed == 1);
	close(c);
	c = dial(&s);
	UNTIL(&s, s.opened == 3);
	CHECK_INT(net_count(s.net), 2);
	close(b);
	close(c);
	finish(&s);
}

TEST(without_descriptors_the_answer_comes_from_the_reserve)
{
	struct rlimit saved, low;
	struct shell s;
	char got[256];
	ssize_t n = -1;
	int fd, next;

	begin(&s, NULL);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &saved), 0);
	fd = dial(&s); /* waits in the backlog: no turn yet */
	next = dup(fd);
	close(next);
	low = saved;
	low.rlim_cur = (rlim_t)next; /* none above the lowest free one */
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &low), 0);
	turn(&s);
	setrlimit(RLIMIT_NOFILE, &saved);
	CHECK_INT(s.refused, 1);
	CHECK_INT(s.opened, 0);
	UNTIL(&s, (n = read(fd, got, sizeof got)) > 0);
	CHECK(memmem(got, (size_t)n, "no descriptors left", 19));
	close(fd);
	fd = dial(&s);
	UNTIL(&s, s.opened == 1);
	close(fd);
	finish(&s);
}

TEST(numbers_are_dense_and_used_again)
{
	struct shell s;
	int fd[10];

	begin(&s, NULL);
	s.quiet = true;
	for (int round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < 10; i++)
			fd[i] = dial(&s);
		UNTIL(&s, net_count(s.net) == 10);
		for (uint32_t i = 0; i < 10; i++)
			net_write(s.net, i, bytes_of("x"));
		net_flush(s.net);
		for (unsigned i = 0; i < 10; i++) {
			char c;

			CHECK_INT(read(fd[i], &c, 1), 1);
			close(fd[i]);
		}
		UNTIL(&s, net_count(s.net) == 0);
	}
	finish(&s);
}

static int try_listen(const char *text, char *why)
{
	struct shell s = {.quiet = true};
	struct net_options o = options(&s);
	struct address a;
	int rc;

	CHECK_INT(address_parse(bytes_of(text), &a, why), 0);
	uv_loop_init(&s.loop);
	s.net = net_create(&s.loop, &o);
	rc = net_listen(s.net, &a, why);
	if (!rc)
		rc = net_ready(s.net, why);
	address_close(&a);
	net_shut(s.net);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&s.loop), 0);
	net_destroy(s.net);
	return rc;
}

TEST(a_socket_is_the_owners_alone_and_goes_with_its_server)
{
	struct shell s;
	struct stat st;
	char text[128], why[ADDRESS_WHY];

	begin(&s, NULL);
	CHECK_INT(stat(s.path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	snprintf(text, sizeof text, "unix:%s", s.path);
	CHECK_INT(try_listen(text, why), ERROR_SYSTEM);
	CHECK(strstr(why, "another server answers"));
	CHECK_INT(stat(s.path, &st), 0);
	finish(&s);
	CHECK(stat(s.path, &st) != 0);
}

TEST(a_dead_servers_socket_is_replaced_and_a_file_is_not)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char text[128], why[ADDRESS_WHY];
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(name.sun_path, sizeof name.sun_path, "%s/dead", test_folder());
	CHECK_INT(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	close(fd);
	snprintf(text, sizeof text, "unix:%s", name.sun_path);
	CHECK_INT(try_listen(text, why), 0);
	CHECK(stat(name.sun_path, &st) != 0);
	close(open(name.sun_path, O_CREAT | O_WRONLY, 0600));
	CHECK_INT(try_listen(text, why), ERROR_SYSTEM);
	CHECK(strstr(why, "not a socket"));
	CHECK_INT(unlink(name.sun_path), 0);
}

TEST(tcp_is_for_loopback)
{
	char why[ADDRESS_WHY];

	CHECK_INT(try_listen("tcp:0.0.0.0:0", why), ERROR_DENIED);
	CHECK(strstr(why, "TLS"));
	CHECK_INT(try_listen("tcp:[::]:0", why), ERROR_DENIED);
	CHECK_INT(try_listen("tcp:192.0.2.1:0", why), ERROR_DENIED);
	CHECK_INT(try_listen("tcp:127.0.0.1:0", why), 0);
	CHECK_INT(try_listen("tcp:127.1.2.3:0", why), 0);
}

TEST(loopback_tcp_is_one_principal)
{
	struct shell s = {0};
	struct net_options o = options(&s);
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct address a;
	struct buf text = BUF_INIT;
	char why[ADDRESS_WHY];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	uv_loop_init(&s.loop);
	s.net = net_create(&s.loop, &o);
	CHECK_INT(address_parse(bytes_of("tcp:127.0.0.1:0"), &a, why), 0);
	CHECK_INT(net_listen(s.net, &a, why), 0);
	CHECK_INT(net_ready(s.net, why), 0);
	address_close(&a);
	net_listening(s.net, &text);
	CHECK_INT(address_parse(buf_bytes(&text), &a, why), 0);
	CHECK(a.port != 0);
	name.sin_port = htons(a.port);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_INT(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
	send_text(&s, fd, "hello");
	UNTIL(&s, s.frames == 1);
	told_is(&s, "open 0 tcp\nframe 0 hello\n");
	address_close(&a);
	buf_close(&text);
	close(fd);
	finish(&s);
}
