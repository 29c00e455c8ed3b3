/* What an operation costs in a space of many tuples, claims or waiters.
 *
 *   scale ADDRESS SPACE COUNT MODE DEPTH SECONDS
 *
 * The space has been filled by `keys` with COUNT tuples. One operation is a pair of
 * requests that leaves the space as large as it was, with DEPTH of them on the way:
 *
 *   claim   claims a tuple at random by its first field; one commit ends that and puts it again
 *   min     takes the tuple with the least first field, and puts one with a random one
 *   oldest  takes the oldest tuple of five fields, and puts it again
 *   held    the same, while another connection holds claims of HELD older ones
 *   others  takes a tuple by its first field and puts it again, while WAITERS requests
 *           of 200 other shapes wait
 *   same    puts a tuple for one of WAITERS waiting requests of one shape, which waits again
 *
 * Prints {"operations": N, "seconds": N}. */
#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAD 41
#define HELD 100000u
#define WAITERS 100000u
#define BESIDE 8       /* connections that wait */
#define SHAPES 200u
#define LIST 1000u
#define LANES 4096u    /* more than ever are on the way in one connection */
#define LEASE_MS 86400000u
#define ABOVE (1u << 30)  /* keys of what `held` puts */
#define WANTED (3u << 29) /* keys of what the waiters of `same` want */

enum step { TAKE, PUT, COMMIT };

static struct lane {
	enum step step;
	uint32_t key;
} lanes[LANES];

static enum mode { CLAIM, MIN, OLDEST, HELD_BACK, OTHERS, SAME } mode;
static const char *space;
static uint32_t count;
static struct client beside[BESIDE];
static uint64_t operations, seed = 88172645463325252u;
static struct buf message;

static uint32_t random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % n);
}

/* ---- requests ---- */

static void begin(struct client *c, unsigned items, const char *op)
{
	message.len = 0;
	item_put_head(&message, ITEM_ARRAY, items);
	item_put_uint(&message, c->next);
	item_put_text(&message, op);
}

static uint32_t end(struct client *c)
{
	frame_put_head(&c->out, message.len);
	buf_append(&c->out, message.data, message.len);
	return c->next++;
}

static void put_tuple(uint32_t key)
{
	uint8_t pad[PAD];

	memset(pad, 'p', sizeof pad);
	item_put_head(&message, ITEM_ARRAY, 5);
	item_put_uint(&message, form_value(key));
	item_put_uint(&message, form_value(key / 1000));
	item_put_uint(&message, form_value(key % 1000));
	item_put_bytes(&message, (struct bytes){pad, sizeof pad});
	item_put_uint(&message, form_value(count - 1 - key));
}

static void put_formal(const char *type)
{
	item_put_head(&message, ITEM_TAG, ITEM_TAG_FORMAL);
	if (type)
		item_put_text(&message, type);
	else
		item_put_null(&message);
}

/* ["in", space, [first, ?, ?, ?, ?]]: the caller puts `first` and calls rest(). */
static void begin_take(struct client *c, unsigned items)
{
	begin(c, items, "in");
	item_put_text(&message, space);
	item_put_head(&message, ITEM_ARRAY, 5);
}

static void rest(void)
{
	for (int i = 0; i < 4; i++)
		put_formal(NULL);
}

static void put_first(uint32_t key)
{
	if (mode == MIN) {
		item_put_head(&message, ITEM_TAG, ITEM_TAG_FORMAL);
		item_put_head(&message, ITEM_MAP, 2);
		item_put_text(&message, "type");
		item_put_text(&message, "int");
		item_put_text(&message, "order");
		item_put_text(&message, "min");
	} else if (mode == OLDEST || mode == HELD_BACK) {
		put_formal(NULL);
	} else {
		item_put_uint(&message, form_value(key));
	}
}

static void ask_take(struct client *c)
{
	uint32_t key = random_below(count);

	begin_take(c, mode == CLAIM ? 5 : 4);
	put_first(key);
	rest();
	if (mode == CLAIM) {
		item_put_head(&message, ITEM_MAP, 1);
		item_put_text(&message, "lease");
		item_put_uint(&message, LEASE_MS);
	}
	lanes[end(c) % LANES] = (struct lane){TAKE, key};
}

static void ask_put(struct client *c, uint32_t key)
{
	begin(c, 4, "out");
	item_put_text(&message, space);
	put_tuple(key);
	lanes[end(c) % LANES] = (struct lane){PUT, key};
}

static void ask_commit(struct client *c, uint64_t token, uint32_t key)
{
	begin(c, 3, "commit");
	item_put_head(&message, ITEM_MAP, 2);
	item_put_text(&message, "out");
	item_put_head(&message, ITEM_ARRAY, 1);
	item_put_head(&message, ITEM_ARRAY, 2);
	item_put_text(&message, space);
	put_tuple(key);
	item_put_text(&message, "done");
	item_put_head(&message, ITEM_ARRAY, 1);
	item_put_uint(&message, token);
	lanes[end(c) % LANES] = (struct lane){COMMIT, key};
}

/* ---- replies ---- */

/* The first match of a take's reply, [id, tuple...]: behind its head. */
static const uint8_t *match_of(struct bytes m)
{
	struct item_head h;
	const uint8_t *p = item_skip(item_skip(item_head(m.p, &h)));

	p = item_head(p, &h);
	if (h.arg != 1) {
		errno = ENOENT;
		client_die("nothing matched");
	}
	return item_head(p, &h);
}

/* The first field of the match at `p`. */
static uint32_t key_of(const uint8_t *p)
{
	struct item_head h;

	item_head(item_head(item_skip(p), &h), &h);
	return (uint32_t)h.arg - form_value(0);
}

static void on_reply(struct client *c, uint32_t n, struct bytes m, void *ctx)
{
	struct lane lane = lanes[n % LANES];
	struct item_head h;

	(void)ctx;
	if (lane.step != TAKE) {
		operations++;
		ask_take(c);
	} else if (mode == CLAIM) {
		item_head(item_skip(item_skip(match_of(m))), &h);
		ask_commit(c, h.arg, lane.key);
	} else if (mode == MIN) {
		match_of(m);
		ask_put(c, random_below(count));
	} else {
		ask_put(c, key_of(match_of(m)));
	}
}

/* ---- those who wait ---- */

static void wait_same(struct client *c, uint32_t key)
{
	begin_take(c, 4);
	item_put_uint(&message, form_value(WANTED + key));
	rest();
	end(c);
}

/* A template whose first field is like no other, of one of SHAPES shapes. */
static void wait_other(struct client *c, uint32_t i)
{
	static const char *const types[] = {NULL, "text", "array", "map"};
	unsigned shape = i % SHAPES;

	begin_take(c, 4);
	item_put_text(&message, "nobody puts this");
	for (int field = 0; field < 4; field++, shape /= 4)
		put_formal(types[shape % 4]);
	end(c);
}

static void on_count(struct client *c, uint32_t n, struct bytes m, void *ctx)
{
	(void)c;
	(void)n;
	(void)m;
	++*(uint32_t *)ctx;
}

/* Asks for something that is answered at once, so that all before it stands. */
static void settle(struct client *c)
{
	uint32_t answered = 0;

	begin(c, 2, "ping");
	end(c);
	while (answered == 0) {
		client_flush(c);
		if (c->out.len == 0)
			client_receive(c, on_count, &answered);
	}
}

static void let_wait(const char *address)
{
	for (unsigned b = 0; b < BESIDE; b++) {
		client_open(&beside[b], address);
		for (uint32_t i = 0; i < WAITERS / BESIDE; i++) {
			if (mode == SAME)
				wait_same(&beside[b], b * (WAITERS / BESIDE) + i);
			else
				wait_other(&beside[b], i);
			if (i % 1000 == 0)
				client_flush(&beside[b]);
		}
		settle(&beside[b]);
	}
}

static void on_held(struct client *c, uint32_t n, struct bytes m, void *ctx)
{
	struct item_head h;

	(void)c;
	(void)n;
	item_head(item_skip(item_skip(item_head(m.p, &h))), &h);
	*(uint32_t *)ctx += (uint32_t)h.arg;
}

/* HELD more tuples are put, and the HELD oldest claimed. */
static void hold(const char *address)
{
	struct client *c = &beside[0];
	uint32_t done = 0, held = 0;

	client_open(c, address);
	for (uint32_t from = 0; from < HELD; from += LIST) {
		begin(c, 4, "outs");
		item_put_text(&message, space);
		item_put_head(&message, ITEM_ARRAY, LIST);
		for (uint32_t i = 0; i < LIST; i++)
			put_tuple(ABOVE + from + i);
		end(c);
		for (uint32_t had = done; done == had;) {
			client_flush(c);
			client_receive(c, on_count, &done);
		}
	}
	while (held < HELD) {
		begin_take(c, 5);
		put_formal(NULL);
		rest();
		item_put_head(&message, ITEM_MAP, 2);
		item_put_text(&message, "max");
		item_put_uint(&message, LIST);
		item_put_text(&message, "lease");
		item_put_uint(&message, LEASE_MS);
		end(c);
		for (uint32_t had = held; held == had;) {
			client_flush(c);
			client_receive(c, on_held, &held);
		}
	}
}

/* ---- `same`: two connections play each operation ---- */

static void put_for_one(struct client *c)
{
	begin(c, 4, "out");
	item_put_text(&message, space);
	put_tuple(WANTED + random_below(WAITERS));
	end(c);
}

static void on_put(struct client *c, uint32_t n, struct bytes m, void *ctx)
{
	(void)n;
	(void)m;
	(void)ctx;
	operations++;
	put_for_one(c);
}

/* Its key is the tuple's first field. */
static void on_served(struct client *c, uint32_t n, struct bytes m, void *ctx)
{
	(void)n;
	(void)ctx;
	wait_same(c, key_of(match_of(m)) - WANTED);
}

static void run_same(struct client *c, double until)
{
	struct pollfd fds[1 + BESIDE];

	for (unsigned i = 0; i <= BESIDE; i++)
		fds[i] = (struct pollfd){.fd = i ? beside[i - 1].fd : c->fd, .events = POLLIN};
	while (client_now() < until) {
		client_flush(c);
		poll(fds, 1 + BESIDE, 100);
		for (unsigned i = 0; i < BESIDE; i++) {
			if (fds[i + 1].revents)
				client_receive(&beside[i], on_served, NULL);
			client_flush(&beside[i]);
		}
		if (fds[0].revents)
			client_receive(c, on_put, NULL);
	}
}

/* ---- */

static void run(struct client *c, unsigned depth, double seconds)
{
	double until = client_now() + seconds;

	while (depth--) {
		if (mode == SAME)
			put_for_one(c);
		else
			ask_take(c);
	}
	if (mode == SAME) {
		run_same(c, until);
		return;
	}
	while (client_now() < until) {
		client_flush(c);
		client_receive(c, on_reply, NULL);
	}
}

/* What is still on its way when the time is over: what was taken is put again. */
static void on_rest(struct client *c, uint32_t n, struct bytes m, void *ctx)
{
	uint32_t *open = ctx;

	if (lanes[n % LANES].step == TAKE)
		on_reply(c, n, m, NULL);
	else
		--*open;
}

static int mode_named(const char *name)
{
	static const char *const names[] = {"claim", "min", "oldest", "held", "others", "same"};

	for (int i = 0; i < 6; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	fprintf(stderr, "scale: no such mode: %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	uint32_t open;
	struct client c;
	double start;

	if (argc != 7) {
		fprintf(stderr, "usage: scale ADDRESS SPACE COUNT MODE DEPTH SECONDS\n");
		return 2;
	}
	space = argv[2];
	count = (uint32_t)atoi(argv[3]);
	mode = (enum mode)mode_named(argv[4]);
	open = (uint32_t)atoi(argv[5]);
	client_open(&c, argv[1]);
	if (mode == HELD_BACK)
		hold(argv[1]);
	if (mode == OTHERS || mode == SAME)
		let_wait(argv[1]);
	run(&c, open, 0.05); /* the first use of a shape is not what is measured */
	operations = 0;
	start = client_now();
	run(&c, 0, atof(argv[6]));
	printf("{\"operations\": %llu, \"seconds\": %.6f}\n", (unsigned long long)operations,
	       client_now() - start);
	while (mode != SAME && open > 0) {
		client_flush(&c);
		client_receive(&c, on_rest, &open);
	}
	return 0;
}
