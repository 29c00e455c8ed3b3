/* A load generator: CONNECTIONS with DEPTH requests in flight each put (`put`), or
 * put and take in turn (`pair`), tuples ["job", k, 64 bytes], for SECONDS.
 *
 *   load ADDRESS put|pair CONNECTIONS DEPTH SECONDS [SPACE]
 *
 * Prints requests a second, and pairs a second. Frames are built once and only
 * their numbers are patched, so that it costs less than the server it measures. */
#include "../../libclient/address.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "../../libclient/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST 65536u /* request numbers of this size keep their head's length */
#define ROOM ((size_t)256 << 10)

struct client {
	int fd;
	uint32_t next;   /* number of the next request */
	uint32_t due;    /* requests to send */
	size_t have;     /* of an incomplete reply */
	uint8_t part[256];
	struct buf out;  /* not taken by the kernel yet */
};

static struct buf put, take;
static size_t put_at, take_at; /* where the number's four bytes are */
static bool pairs;
static uint64_t answered;

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put_formal(struct buf *b, const char *type)
{
	item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_text(b, type);
}

/* One frame with its number left open. */
static size_t build(struct buf *b, const char *op, const char *space)
{
	uint8_t payload[64];
	struct buf m = BUF_INIT;
	size_t at;

	memset(payload, 'p', sizeof payload);
	item_put_head(&m, ITEM_ARRAY, 4);
	item_put_uint(&m, FIRST);
	at = m.len - 4;
	item_put_text(&m, op);
	item_put_text(&m, space);
	item_put_head(&m, ITEM_ARRAY, 3);
	item_put_text(&m, "job");
	if (strcmp(op, "out") == 0) {
		item_put_uint(&m, 17);
		item_put_bytes(&m, (struct bytes){payload, sizeof payload});
	} else {
		put_formal(&m, "int");
		put_formal(&m, "bytes");
	}
	frame_put_head(b, m.len);
	at += b->len;
	buf_append(b, m.data, m.len);
	buf_close(&m);
	return at;
}

static void append_request(struct client *c)
{
	bool is_take = pairs && (c->next & 1);
	const struct buf *b = is_take ? &take : &put;
	size_t at = c->out.len + (is_take ? take_at : put_at);
	uint32_t n = htonl(c->next++);

	buf_append(&c->out, b->data, b->len);
	memcpy(c->out.data + at, &n, sizeof n);
}

static void flush(struct client *c)
{
	ssize_t n;

	for (; c->due; c->due--)
		append_request(c);
	if (c->out.len == 0)
		return;
	n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		die("send");
	if (n > 0)
		buf_shift(&c->out, (size_t)n);
}

/* Counts whole replies; one that is not "done" ends everything. */
static size_t count_replies(struct client *c, struct bytes in)
{
	size_t at = 0, used;
	struct bytes m;

	while (at < in.n && frame_next((struct bytes){in.p + at, in.n - at}, FRAME_MAX, &m, &used) == 1) {
		if (m.n < 8 || m.p[6] != 0) {
			fprintf(stderr, "load: refused: %.*s\n", (int)m.n, (const char *)m.p);
			exit(1);
		}
		answered++;
		c->due++;
		at += used;
	}
	return at;
}

static void receive(struct client *c)
{
	static uint8_t room[ROOM];
	ssize_t n;
	size_t all, used;

	memcpy(room, c->part, c->have);
	n = recv(c->fd, room + c->have, sizeof room - c->have, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("the server closed the connection");
	all = c->have + (size_t)n;
	used = count_replies(c, (struct bytes){room, all});
	c->have = all - used;
	if (c->have > sizeof c->part)
		die("a reply is too long");
	memcpy(c->part, room + used, c->have);
}

static int dial(const struct address *a)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	int one = 1, fd = socket(a->kind == ADDRESS_UNIX ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

	in.sin_port = htons(a->port);
	inet_pton(AF_INET, a->name, &in.sin_addr);
	memcpy(un.sun_path, a->name, strnlen(a->name, sizeof un.sun_path - 1));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, a->kind == ADDRESS_UNIX ? (struct sockaddr *)&un : (struct sockaddr *)&in,
	            a->kind == ADDRESS_UNIX ? sizeof un : sizeof in) != 0)
		die(a->name);
	return fd;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Runs for that long and answers how long it was. */
static double run(int poll, double seconds)
{
	struct epoll_event events[256];
	double start = now(), end = start + seconds, t = start;

	while (t < end) {
		int n = epoll_wait(poll, events, 256, 1000);

		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			receive(c);
			flush(c);
			if (c->out.len) { /* rare: the socket is full */
				usleep(100);
				flush(c);
			}
		}
		t = now();
	}
	return t - start;
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	struct address a;
	char why[ADDRESS_WHY];
	unsigned connections, depth;
	double took;
	int poll = epoll_create1(0);

	if (argc < 6 || address_parse(bytes_of(argv[1]), &a, why) != 0) {
		fprintf(stderr, "usage: load ADDRESS put|pair CONNECTIONS DEPTH SECONDS [SPACE]\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	pairs = strcmp(argv[2], "pair") == 0;
	connections = (unsigned)atoi(argv[3]);
	depth = (unsigned)atoi(argv[4]);
	put_at = build(&put, "out", argc > 6 ? argv[6] : "main");
	take_at = build(&take, "in", argc > 6 ? argv[6] : "main");
	for (unsigned i = 0; i < connections; i++) {
		struct client *c = calloc(1, sizeof *c);

		*c = (struct client){.fd = dial(&a), .next = FIRST, .due = depth};
		if (epoll_ctl(poll, EPOLL_CTL_ADD, c->fd,
		              &(struct epoll_event){.events = EPOLLIN, .data.ptr = c}) != 0)
			die("epoll");
		flush(c);
	}
	took = run(poll, atof(argv[5]));
	printf("%s (%u,%u): %.0f requests/s", argv[2], connections, depth, (double)answered / took);
	if (pairs)
		printf(", %.0f pairs/s", (double)answered / 2 / took);
	printf("\n");
	return 0;
}
