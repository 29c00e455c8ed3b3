/* How much goes through: CONNECTIONS with DEPTH requests in flight each put (`put`),
 * or put and take in turn (`pair`), tuples ["job", 17, 64 bytes], for SECONDS.
 *
 *   load ADDRESS put|pair CONNECTIONS DEPTH SECONDS [SPACE]
 *
 * Prints {"requests": N, "seconds": N}. */
#include "../../libclient/item.h"
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static struct form put, take;
static bool pairs;
static uint64_t answered;

static void build(const char *space)
{
	uint8_t payload[64];

	memset(payload, 'p', sizeof payload);
	form_begin(&put, "out", space);
	item_put_head(&put.bytes, ITEM_ARRAY, 3);
	item_put_text(&put.bytes, "job");
	item_put_uint(&put.bytes, 17);
	item_put_bytes(&put.bytes, (struct bytes){payload, sizeof payload});
	form_end(&put);
	form_begin(&take, "in", space);
	item_put_head(&take.bytes, ITEM_ARRAY, 3);
	item_put_text(&take.bytes, "job");
	item_put_head(&take.bytes, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_text(&take.bytes, "int");
	item_put_head(&take.bytes, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_text(&take.bytes, "bytes");
	form_end(&take);
}

static void ask(struct client *c)
{
	client_ask(c, pairs && (c->next & 1) ? &take : &put, NULL);
}

static void on_reply(struct client *c, uint32_t n, struct bytes message, void *ctx)
{
	(void)n;
	(void)message;
	(void)ctx;
	answered++;
	ask(c);
}

static void watch(int poll, int how, struct client *c)
{
	struct epoll_event e = {.events = EPOLLIN | (c->out.len ? EPOLLOUT : 0), .data.ptr = c};

	if (epoll_ctl(poll, how, c->fd, &e) != 0)
		client_die("epoll");
}

static void serve(int poll, const struct epoll_event *e)
{
	struct client *c = e->data.ptr;
	bool stuck = c->out.len > 0;

	if (e->events & ~(uint32_t)EPOLLOUT)
		client_receive(c, on_reply, NULL);
	client_flush(c);
	if (stuck != (c->out.len > 0))
		watch(poll, EPOLL_CTL_MOD, c);
}

/* Runs for that long and answers how long it was. */
static double run(int poll, double seconds)
{
	struct epoll_event events[256];
	double start = client_now(), t = start;

	while (t < start + seconds) {
		int n = epoll_wait(poll, events, 256, 1000);

		for (int i = 0; i < n; i++)
			serve(poll, &events[i]);
		t = client_now();
	}
	return t - start;
}

int main(int argc, char **argv)
{
	unsigned connections, depth;
	double took;
	int poll = epoll_create1(0);

	if (argc < 6) {
		fprintf(stderr, "usage: load ADDRESS put|pair CONNECTIONS DEPTH SECONDS [SPACE]\n");
		return 2;
	}
	client_many();
	pairs = strcmp(argv[2], "pair") == 0;
	connections = (unsigned)atoi(argv[3]);
	depth = (unsigned)atoi(argv[4]);
	build(argc > 6 ? argv[6] : "main");
	for (unsigned i = 0; i < connections; i++) {
		struct client *c = calloc(1, sizeof *c);

		client_open(c, argv[1]);
		for (unsigned k = 0; k < depth; k++)
			ask(c);
		client_flush(c);
		watch(poll, EPOLL_CTL_ADD, c);
	}
	took = run(poll, atof(argv[5]));
	printf("{\"requests\": %llu, \"seconds\": %.6f}\n", (unsigned long long)answered, took);
	return 0;
}
