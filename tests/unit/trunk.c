/* The launcher's end of a trunk: noise, frames cut anywhere, credit, turns. */
#include "../lib/harness.h"

#include "../../tools/boot/trunk.c"

#include "../../libclient/base/buf.h"

/* A frame as the hub writes it. */
static void frame(struct buf *b, unsigned channel, unsigned kind, const void *p, size_t n)
{
	put_frame(b, channel, (enum trunk_kind)kind, (struct bytes){p, n});
}

static struct trunk *opened(unsigned channels)
{
	struct trunk *t = trunk_create(channels, "MARK");

	trunk_feed(t, "MARK\n", 5);
	return t;
}

TEST(what_comes_before_the_mark_is_noise)
{
	struct trunk *t = trunk_create(1, "MARK");
	struct trunk_frame f;
	struct buf b = BUF_INIT;

	trunk_feed(t, "Welcome\nMAR", 11);
	CHECK_INT(trunk_next(t, &f), 0);
	CHECK(!trunk_is_open(t));
	CHECK_INT(trunk_noise(t).n, 11);
	buf_text(&b, "K\n");
	frame(&b, 1, TRUNK_OUT, "hello", 5);
	trunk_feed(t, b.data, b.len);
	CHECK(trunk_is_open(t));
	CHECK_INT(trunk_next(t, &f), 1);
	CHECK_INT(f.channel, 1);
	CHECK_INT(f.kind, TRUNK_OUT);
	CHECK(bytes_equal(f.bytes, bytes_of("hello")));
	CHECK_INT(trunk_next(t, &f), 0);
	buf_close(&b);
	trunk_destroy(t);
}

TEST(much_noise_is_not_kept)
{
	struct trunk *t = trunk_create(1, "MARK");
	char text[1000];

	memset(text, 'x', sizeof text);
	for (int i = 0; i < 1000; i++)
		trunk_feed(t, text, sizeof text);
	CHECK_INT(trunk_noise(t).n, TRUNK_NOISE);
	CHECK(t->in.len <= 3 * TRUNK_NOISE);
	trunk_feed(t, "MARK\n", 5);
	CHECK(trunk_is_open(t));
	trunk_destroy(t);
}

TEST(frames_cut_at_every_byte)
{
	struct buf b = BUF_INIT;
	struct trunk_frame f;

	for (int i = 0; i < 3; i++)
		frame(&b, (unsigned)i % 2 + 1, TRUNK_OP, "some bytes of a request", 23);
	for (size_t cut = 0; cut <= b.len; cut++) {
		struct trunk *t = opened(2);
		unsigned n = 0;

		trunk_feed(t, b.data, cut);
		while (trunk_next(t, &f) == 1)
			n++;
		trunk_feed(t, b.data + cut, b.len - cut);
		while (trunk_next(t, &f) == 1)
			n++;
		CHECK_INT(n, 3);
		trunk_destroy(t);
	}
	buf_close(&b);
}

static int next_of(const char *hex)
{
	uint8_t bytes[256];
	size_t n = test_unhex(hex, bytes, sizeof bytes);
	struct trunk *t = opened(2);
	struct trunk_frame f;
	int e;

	trunk_feed(t, bytes, n);
	e = trunk_next(t, &f);
	trunk_destroy(t);
	return e;
}

TEST(what_is_no_frame_is_refused)
{
	CHECK_INT(next_of("44 83 02 01 40"), 1);
	CHECK_INT(next_of("44 83 03 01 40"), ERROR_MALFORMED);          /* no such channel */
	CHECK_INT(next_of("44 83 01 09 40"), ERROR_MALFORMED);          /* no such kind */
	CHECK_INT(next_of("44 83 01 01 60"), ERROR_MALFORMED);          /* text */
	CHECK_INT(next_of("43 82 01 01"), ERROR_MALFORMED);             /* two items */
	CHECK_INT(next_of("45 84 01 01 40 00"), ERROR_MALFORMED);       /* four */
	CHECK_INT(next_of("44 83 20 01 40"), ERROR_MALFORMED);          /* a negative channel */
	CHECK_INT(next_of("64 83 01 01 40"), ERROR_MALFORMED);          /* a text frame */
	CHECK_INT(next_of("5f 41 00 ff"), ERROR_MALFORMED);             /* of indefinite length */
	CHECK_INT(next_of("5b 00 00 00 00 10 00 00 00"), ERROR_LIMIT);  /* too long */
	CHECK_INT(next_of("44 83 01 04 40"), ERROR_MALFORMED);          /* exit without an item */
	CHECK_INT(next_of("46 83 01 04 42 00 00"), ERROR_MALFORMED);    /* and with two */
	CHECK_INT(next_of("45 83 01 04 41 07"), 1);
	CHECK_INT(next_of("46 83 01 04 42 18 07"), ERROR_MALFORMED);    /* not canonical */
	CHECK_INT(next_of("47 83 01 08 43 82 00 05"), 0);               /* credit stays inside */
	CHECK_INT(next_of("47 83 00 08 43 82 00 05"), ERROR_MALFORMED); /* of no worker */
	CHECK_INT(next_of("47 83 01 08 43 82 01 05"), ERROR_MALFORMED); /* of text */
	CHECK_INT(next_of("4b 83 01 08 47 82 00 1a 7f ff ff ff"), ERROR_MALFORMED); /* too much */
}

/* Bytes of op in what the trunk wants to write; all of it is written. */
static size_t drained(struct trunk *t, unsigned channel)
{
	struct trunk *other = opened(t->channels);
	struct trunk_frame f;
	struct bytes out;
	size_t n = 0;

	while ((out = trunk_output(t)).n > 0) {
		trunk_feed(other, out.p, out.n);
		trunk_written(t);
		while (trunk_next(other, &f) == 1) {
			CHECK(f.bytes.n <= TRUNK_PIECE);
			if (f.kind == TRUNK_OP && f.channel == channel)
				n += f.bytes.n;
		}
	}
	trunk_destroy(other);
	return n;
}

TEST(operations_stop_without_credit_and_go_on_with_it)
{
	struct trunk *t = opened(2);
	struct trunk_frame f;
	struct buf big = BUF_INIT, b = BUF_INIT;
	size_t first;

	memset(buf_reserve(&big, 3u << 20), 7, 3u << 20);
	big.len = 3u << 20;
	trunk_op(t, 1, buf_bytes(&big));
	first = drained(t, 1);
	CHECK_INT(first, TRUNK_WINDOW);
	CHECK_INT(trunk_queued(t, 1), (3 << 20) - TRUNK_WINDOW);
	trunk_op(t, 2, (struct bytes){big.data, 10}); /* another one's credit is its own */
	CHECK_INT(drained(t, 2), 10);
	frame(&b, 1, TRUNK_CREDIT, "\x82\x00\x01", 3); /* one byte: a piece may start */
	trunk_feed(t, b.data, b.len);
	CHECK_INT(trunk_next(t, &f), 0);
	CHECK_INT(drained(t, 1), TRUNK_PIECE);
	CHECK_INT(drained(t, 1), 0);
	buf_close(&b);
	buf_close(&big);
	trunk_destroy(t);
}

TEST(more_than_there_is_credit_for_is_refused)
{
	static char piece[TRUNK_PIECE + 1];
	struct trunk_frame f;
	struct buf b = BUF_INIT;

	for (unsigned kind = TRUNK_OP; kind <= TRUNK_ERR; kind++) {
		struct trunk *t = opened(1);

		buf_clear(&b, 0);
		frame(&b, 1, kind, piece, TRUNK_PIECE);
		for (int i = 0; i < TRUNK_WINDOW / TRUNK_PIECE; i++) {
			trunk_feed(t, b.data, b.len);
			CHECK_INT(trunk_next(t, &f), 1);
		}
		trunk_feed(t, b.data, b.len);
		CHECK_INT(trunk_next(t, &f), ERROR_LIMIT);
		trunk_destroy(t);

		t = opened(1); /* one byte of credit: a piece may start */
		for (int i = 0; i < TRUNK_WINDOW / TRUNK_PIECE; i++) {
			trunk_feed(t, b.data, b.len);
			CHECK_INT(trunk_next(t, &f), 1);
		}
		trunk_credit(t, 1, (enum trunk_kind)kind, 1);
		trunk_feed(t, b.data, b.len);
		CHECK_INT(trunk_next(t, &f), 1);
		trunk_feed(t, b.data, b.len);
		CHECK_INT(trunk_next(t, &f), ERROR_LIMIT);
		trunk_destroy(t);

		t = opened(1);
		buf_clear(&b, 0);
		frame(&b, 1, kind, piece, TRUNK_PIECE + 1);
		trunk_feed(t, b.data, b.len);
		CHECK_INT(trunk_next(t, &f), ERROR_MALFORMED);
		trunk_destroy(t);
	}
	buf_close(&b);
}

TEST(channels_take_turns_and_control_goes_first)
{
	struct trunk *t = opened(3), *other = opened(3);
	struct trunk_frame f;
	struct buf big = BUF_INIT;
	unsigned seen[8], n = 0;
	struct bytes out;

	memset(buf_reserve(&big, 100000), 7, 100000);
	big.len = 100000;
	for (unsigned c = 1; c <= 3; c++)
		trunk_op(t, c, buf_bytes(&big));
	trunk_send(t, 0, TRUNK_CONTROL, (struct bytes){(const uint8_t *)"\x80", 1});
	while ((out = trunk_output(t)).n > 0) {
		trunk_feed(other, out.p, out.n);
		trunk_written(t);
		while (trunk_next(other, &f) == 1 && n < 8)
			seen[n++] = f.channel;
	}
	CHECK_INT(n, 7);
	CHECK_INT(seen[0], 0);
	for (unsigned i = 1; i < 7; i++)
		CHECK_INT(seen[i], (i - 1) % 3 + 1);
	buf_close(&big);
	trunk_destroy(t);
	trunk_destroy(other);
}
