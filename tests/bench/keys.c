/* Takes by key from a space of many distinct tuples, each put back at once.
 *
 *   keys ADDRESS SPACE COUNT fill
 *   keys ADDRESS SPACE COUNT first|last|middle|least DEPTH SECONDS
 *
 * Tuple i is [i, i / 1000, i % 1000, 41 bytes, COUNT - 1 - i], 64 bytes of CBOR (the
 * integers stand above 2^24, so that all have one length). `fill` puts all COUNT of
 * them. The others take one at random by its first field, by its last, or by its second
 * and third, or the one whose first field is the least from a random one on, and put it
 * back, with DEPTH of that on the way in one connection.
 * Prints {"requests": N, "seconds": N}: a pair is two requests. */
#include "../../libclient/item.h"
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAD 41
#define LIST 1000u    /* of an `outs` */
#define WINDOW 4      /* of them on their way */
#define LANES 4096u   /* more than ever are in flight */

static uint32_t count;
static struct form put, take;
static enum { FIRST_FIELD, LAST_FIELD, MIDDLE_FIELDS, LEAST_FIRST } bound;

/* What was asked under a number, until it is answered. */
static struct lane {
	uint32_t i;
	bool takes;
} lanes[LANES];
static uint64_t answered, seed = 88172645463325252u;

static uint32_t random_key(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % count);
}

static void put_pad(struct buf *b)
{
	uint8_t pad[PAD];

	memset(pad, 'p', sizeof pad);
	item_put_bytes(b, (struct bytes){pad, sizeof pad});
}

static void any(struct form *f)
{
	item_put_head(&f->bytes, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_null(&f->bytes);
}

static void field(struct form *f, bool is_bound)
{
	if (is_bound)
		form_blank(f);
	else
		any(f);
}

/* ?int>=BLANK min */
static void least(struct form *f)
{
	item_put_head(&f->bytes, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_head(&f->bytes, ITEM_MAP, 3);
	item_put_text(&f->bytes, "ge");
	form_blank(f);
	item_put_text(&f->bytes, "type");
	item_put_text(&f->bytes, "int");
	item_put_text(&f->bytes, "order");
	item_put_text(&f->bytes, "min");
}

static void build(const char *space)
{
	form_begin(&put, "out", space);
	item_put_head(&put.bytes, ITEM_ARRAY, 5);
	for (int i = 0; i < 3; i++)
		form_blank(&put);
	put_pad(&put.bytes);
	form_blank(&put);
	form_end(&put);
	form_begin(&take, "in", space);
	item_put_head(&take.bytes, ITEM_ARRAY, 5);
	if (bound == LEAST_FIRST)
		least(&take);
	else
		field(&take, bound == FIRST_FIELD);
	field(&take, bound == MIDDLE_FIELDS);
	field(&take, bound == MIDDLE_FIELDS);
	any(&take);
	field(&take, bound == LAST_FIELD);
	form_end(&take);
}

static uint32_t last_of(uint32_t i)
{
	return count - 1 - i;
}

static void ask_put(struct client *c, uint32_t i)
{
	uint32_t n = client_ask(c, &put, (uint32_t[]){i, i / 1000, i % 1000, last_of(i)});

	lanes[n % LANES] = (struct lane){i, false};
}

static void ask_take(struct client *c)
{
	uint32_t i = random_key(), n, value[2] = {i, i % 1000};

	if (bound == LAST_FIELD)
		value[0] = last_of(i);
	else if (bound == MIDDLE_FIELDS)
		value[0] = i / 1000;
	n = client_ask(c, &take, value);
	lanes[n % LANES] = (struct lane){i, true};
}

/* Which tuple was taken for tuple i, or for one from there on. */
static uint32_t taken(uint32_t i, struct bytes m)
{
	const uint8_t *p = m.p + m.n - 4; /* what the reply ends with: the tuple's last field */
	uint32_t v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	uint32_t got = last_of(v - form_value(0));

	if (p[-1] != 0x1a || (bound == LEAST_FIRST ? got < i || got >= count : got != i)) {
		errno = EPROTO;
		client_die("another tuple than was asked for");
	}
	return got;
}

static void on_reply(struct client *c, uint32_t n, struct bytes message, void *ctx)
{
	struct lane lane = lanes[n % LANES];

	(void)ctx;
	answered++;
	if (lane.takes) {
		ask_put(c, taken(lane.i, message));
	} else {
		ask_take(c);
	}
}

/* One frame of LIST tuples (fewer at the end) from `from` on. */
static uint32_t ask_list(struct client *c, const char *space, uint32_t from)
{
	uint32_t n = count - from < LIST ? count - from : LIST;
	struct form f;

	form_begin(&f, "outs", space);
	item_put_head(&f.bytes, ITEM_ARRAY, n);
	for (uint32_t i = from; i < from + n; i++) {
		item_put_head(&f.bytes, ITEM_ARRAY, 5);
		item_put_uint(&f.bytes, form_value(i));
		item_put_uint(&f.bytes, form_value(i / 1000));
		item_put_uint(&f.bytes, form_value(i % 1000));
		put_pad(&f.bytes);
		item_put_uint(&f.bytes, form_value(last_of(i)));
	}
	form_end(&f);
	client_ask(c, &f, NULL);
	buf_close(&f.bytes);
	return from + n;
}

static void on_filled(struct client *c, uint32_t n, struct bytes message, void *ctx)
{
	(void)c;
	(void)n;
	(void)message;
	++*(uint32_t *)ctx;
}

static void fill(struct client *c, const char *space)
{
	uint32_t from = 0, asked = 0, done = 0;

	while (from < count || done < asked) {
		for (; from < count && asked - done < WINDOW; asked++)
			from = ask_list(c, space, from);
		client_flush(c);
		if (c->out.len == 0 || done < asked)
			client_receive(c, on_filled, &done);
	}
	answered = asked;
}

static void run(struct client *c, unsigned depth, double seconds)
{
	double end = client_now() + seconds;

	while (depth--)
		ask_take(c);
	while (client_now() < end) {
		client_flush(c);
		client_receive(c, on_reply, NULL);
	}
}

/* What is still on its way when the time is over is put back. */
static void on_rest(struct client *c, uint32_t n, struct bytes message, void *ctx)
{
	uint32_t *open = ctx;

	if (lanes[n % LANES].takes)
		on_reply(c, n, message, NULL);
	else
		--*open;
}

static void finish(struct client *c, unsigned open)
{
	while (open > 0) {
		client_flush(c);
		client_receive(c, on_rest, &open);
	}
}

static int usage(void)
{
	fprintf(stderr,
	        "usage: keys ADDRESS SPACE COUNT fill|first|last|middle|least [DEPTH SECONDS]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct client c;
	double start, took;

	if (argc != 5 && argc != 7)
		return usage();
	count = (uint32_t)atoi(argv[3]);
	bound = strcmp(argv[4], "last") == 0     ? LAST_FIELD
	        : strcmp(argv[4], "middle") == 0 ? MIDDLE_FIELDS
	        : strcmp(argv[4], "least") == 0  ? LEAST_FIRST
	                                         : FIRST_FIELD;
	build(argv[2]);
	client_open(&c, argv[1]);
	start = client_now();
	if (argc == 5)
		fill(&c, argv[2]);
	else
		run(&c, (unsigned)atoi(argv[5]), atof(argv[6]));
	took = client_now() - start;
	printf("{\"requests\": %llu, \"seconds\": %.6f}\n", (unsigned long long)answered, took);
	if (argc == 7)
		finish(&c, (unsigned)atoi(argv[5]));
	return 0;
}
