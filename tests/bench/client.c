#include "client.h"

#include "../../libclient/address.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST 65536u        /* numbers and values of this size have a head of 5 bytes */
#define BLANK_BASE (1u << 24)
#define ROOM ((size_t)256 << 10)

void client_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

double client_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void client_many(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- forms ---- */

uint32_t form_value(uint32_t value)
{
	return BLANK_BASE + value;
}

void form_begin(struct form *f, const char *op, const char *space)
{
	*f = (struct form){.bytes = BUF_INIT};
	item_put_head(&f->bytes, ITEM_ARRAY, 4);
	item_put_uint(&f->bytes, FIRST);
	f->number = f->bytes.len - 4;
	item_put_text(&f->bytes, op);
	item_put_text(&f->bytes, space);
}

void form_blank(struct form *f)
{
	if (f->blanks == FORM_BLANKS)
		client_die("too many blanks");
	item_put_uint(&f->bytes, form_value(0));
	f->blank[f->blanks++] = f->bytes.len - 4;
}

void form_end(struct form *f)
{
	struct buf message = f->bytes;
	size_t head;

	f->bytes = (struct buf)BUF_INIT;
	frame_put_head(&f->bytes, message.len);
	head = f->bytes.len;
	buf_append(&f->bytes, message.data, message.len);
	buf_close(&message);
	f->number += head;
	for (unsigned i = 0; i < f->blanks; i++)
		f->blank[i] += head;
}

/* ---- connections ---- */

void client_open(struct client *c, const char *address)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	char why[ADDRESS_WHY];
	struct address a;
	int one = 1;
	bool local;

	if (address_parse(bytes_of(address), &a, why) != 0)
		client_die(address);
	local = a.kind == ADDRESS_UNIX;
	*c = (struct client){.fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0),
	                     .next = FIRST};
	in.sin_port = htons(a.port);
	inet_pton(AF_INET, a.name, &in.sin_addr);
	memcpy(un.sun_path, a.name, strnlen(a.name, sizeof un.sun_path - 1));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(c->fd, local ? (struct sockaddr *)&un : (struct sockaddr *)&in,
	            local ? sizeof un : sizeof in) != 0)
		client_die(address);
}

static void patch(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof value);
}

uint32_t client_ask(struct client *c, const struct form *f, const uint32_t *values)
{
	uint8_t *to;

	buf_append(&c->out, f->bytes.data, f->bytes.len);
	to = c->out.data + c->out.len - f->bytes.len;
	patch(to + f->number, c->next);
	for (unsigned i = 0; i < f->blanks; i++)
		patch(to + f->blank[i], form_value(values[i]));
	return c->next++;
}

void client_flush(struct client *c)
{
	ssize_t n;

	if (c->out.len == 0)
		return;
	n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		client_die("send");
	if (n > 0)
		buf_shift(&c->out, (size_t)n);
}

static void refused(struct bytes m)
{
	fprintf(stderr, "bench: refused: %.*s\n", (int)m.n, (const char *)m.p);
	exit(1);
}

void client_receive(struct client *c,
                    void (*done)(struct client *c, uint32_t n, struct bytes message, void *ctx),
                    void *ctx)
{
	size_t at = 0, used;
	struct bytes m;
	uint32_t n;
	ssize_t got;

	got = recv(c->fd, buf_reserve(&c->in, ROOM), ROOM, 0);
	if (got <= 0)
		client_die("the server closed the connection");
	c->in.len += (size_t)got;
	while (at < c->in.len && frame_next((struct bytes){c->in.data + at, c->in.len - at},
	                                    FRAME_MAX, &m, &used) == 1) {
		if (m.n < 8 || m.p[6] != 0) /* [n in 5 bytes, 0 */
			refused(m);
		memcpy(&n, m.p + 2, sizeof n);
		done(c, ntohl(n), m, ctx);
		at += used;
	}
	buf_shift(&c->in, at);
}
