#include "trunk.h"

#include "must.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/codec.h"
#include "../../libclient/error.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"

#include <string.h>

#define BURST (4 * TRUNK_PIECE) /* bytes made at once for a write */

struct channel {
	struct buf op;  /* what waits; the first `done` bytes were sent */
	size_t done;
	int64_t credit; /* of op, downward */
	int64_t up[2];  /* of op and of text, upward: what may still come */
};

struct trunk {
	char *mark;
	bool open;
	struct buf in;      /* noise until the mark, then frames; `used` bytes are done with */
	size_t used;
	struct buf scratch; /* of codec_canonical() */
	struct buf urgent, out;
	unsigned channels, turn;
	struct channel *channel; /* [1 .. channels] */
};

struct trunk *trunk_create(unsigned channels, const char *mark)
{
	struct trunk *t = xcalloc(1, sizeof *t);

	t->mark = xmalloc(strlen(mark) + 2);
	strcpy(t->mark, mark);
	strcat(t->mark, "\n");
	t->channels = channels;
	t->channel = xcalloc(channels + 1, sizeof *t->channel);
	for (unsigned i = 1; i <= channels; i++)
		t->channel[i].credit = t->channel[i].up[0] = t->channel[i].up[1] = TRUNK_WINDOW;
	return t;
}

void trunk_destroy(struct trunk *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 1; i <= t->channels; i++)
		buf_close(&t->channel[i].op);
	buf_close(&t->in);
	buf_close(&t->scratch);
	buf_close(&t->urgent);
	buf_close(&t->out);
	xfree(t->channel);
	xfree(t->mark);
	xfree(t);
}

/* --- upward ---------------------------------------------------------------- */

/* Looks for the mark; keeps the end of the noise. */
static void look_for_mark(struct trunk *t)
{
	size_t n = strlen(t->mark);
	uint8_t *at = t->in.len >= n ? memmem(t->in.data, t->in.len, t->mark, n) : NULL;

	if (at != NULL) {
		t->open = true;
		t->used = (size_t)(at - t->in.data) + n;
	} else if (t->in.len > 2 * TRUNK_NOISE)
		buf_shift(&t->in, t->in.len - TRUNK_NOISE);
}

void trunk_feed(struct trunk *t, const void *p, size_t n)
{
	if (t->open && t->used > 0) {
		buf_shift(&t->in, t->used);
		t->used = 0;
	}
	buf_append(&t->in, p, n);
	must(&t->in);
	if (!t->open)
		look_for_mark(t);
}

bool trunk_is_open(const struct trunk *t)
{
	return t->open;
}

struct bytes trunk_noise(const struct trunk *t)
{
	struct bytes b = buf_bytes(&t->in);

	if (t->open)
		return (struct bytes){NULL, 0};
	if (b.n > TRUNK_NOISE) {
		b.p += b.n - TRUNK_NOISE;
		b.n = TRUNK_NOISE;
	}
	return b;
}

/* [channel, kind, bytes], canonical, into *f. */
static int frame_read(struct trunk *t, const uint8_t *p, struct trunk_frame *f)
{
	struct item_head array, channel, kind;
	const uint8_t *bytes;

	p = item_head(p, &array);
	if (array.major != ITEM_ARRAY || array.arg != 3)
		return ERROR_MALFORMED;
	p = item_head(p, &channel);
	if (channel.major != ITEM_UINT || channel.arg > t->channels)
		return ERROR_MALFORMED;
	bytes = item_head(p, &kind);
	if (kind.major != ITEM_UINT || kind.arg >= TRUNK_KINDS ||
	    item_type(bytes) != ITEM_TYPE_BYTES)
		return ERROR_MALFORMED;
	f->channel = (unsigned)channel.arg;
	f->kind = (enum trunk_kind)kind.arg;
	f->bytes = item_string(bytes);
	return 0;
}

/* Credit for op given by the hub: [0, n]. */
static int credit_read(struct trunk *t, const struct trunk_frame *f)
{
	struct item_head array, kind, n;
	const uint8_t *p = item_head(f->bytes.p, &array);

	if (f->channel == 0 || array.major != ITEM_ARRAY || array.arg != 2)
		return ERROR_MALFORMED;
	p = item_head(p, &kind);
	if (kind.major != ITEM_UINT || kind.arg != TRUNK_OP)
		return ERROR_MALFORMED;
	item_head(p, &n);
	if (n.major != ITEM_UINT || n.arg > TRUNK_WINDOW * 2u)
		return ERROR_MALFORMED;
	t->channel[f->channel].credit += (int64_t)n.arg;
	if (t->channel[f->channel].credit > TRUNK_WINDOW * 2)
		return ERROR_MALFORMED;
	return 0;
}

/* Takes the bytes of op and text from what was allowed. */
static int credit_take(struct trunk *t, const struct trunk_frame *f)
{
	int64_t *left = &t->channel[f->channel].up[f->kind != TRUNK_OP];

	if (f->channel == 0 || f->bytes.n > TRUNK_PIECE)
		return ERROR_MALFORMED;
	if (*left <= 0)
		return ERROR_LIMIT;
	*left -= (int64_t)f->bytes.n;
	return 0;
}

int trunk_next(struct trunk *t, struct trunk_frame *f)
{
	static const struct codec_limits limits = {1024, 16};

	while (t->open) {
		struct bytes in = {t->in.data + t->used, t->in.len - t->used}, message, item;
		size_t used;
		int e = frame_next(in, TRUNK_FRAME, &message, &used);

		if (e != 1)
			return e;
		t->used += used;
		if (codec_canonical(message, &item, &t->scratch, &limits, NULL, NULL) != 0)
			return ERROR_MALFORMED;
		e = frame_read(t, item.p, f);
		if (e == 0 && f->kind < TRUNK_LOG)
			e = credit_take(t, f);
		if (e == 0 && f->kind >= TRUNK_LOG) {
			/* Its own bytes may not be canonical; then they are not ours. */
			struct buf inner = BUF_INIT;
			struct bytes same;

			e = codec_canonical(f->bytes, &same, &inner, &limits, NULL, NULL);
			if (e == 0 && same.p != f->bytes.p)
				e = ERROR_MALFORMED;
			buf_close(&inner);
		}
		if (e != 0)
			return e;
		if (f->kind != TRUNK_CREDIT)
			return 1;
		e = credit_read(t, f);
		if (e != 0)
			return e;
	}
	return 0;
}

/* --- downward -------------------------------------------------------------- */

static size_t uint_size(uint64_t v)
{
	return v < 24 ? 1 : v < 256 ? 2 : v < 65536 ? 3 : 5;
}

static void put_frame(struct buf *b, unsigned channel, enum trunk_kind kind, struct bytes bytes)
{
	frame_put_head(b, 2 + uint_size(channel) + uint_size(bytes.n) + bytes.n);
	item_put_head(b, ITEM_ARRAY, 3);
	item_put_uint(b, channel);
	item_put_uint(b, kind);
	item_put_bytes(b, bytes);
	must(b);
}

void trunk_send(struct trunk *t, unsigned channel, enum trunk_kind kind, struct bytes item)
{
	put_frame(&t->urgent, channel, kind, item);
}

void trunk_credit(struct trunk *t, unsigned channel, enum trunk_kind kind, size_t n)
{
	struct buf b = BUF_INIT;

	t->channel[channel].up[kind != TRUNK_OP] += (int64_t)n;
	item_put_head(&b, ITEM_ARRAY, 2);
	item_put_uint(&b, kind);
	item_put_uint(&b, n);
	trunk_send(t, channel, TRUNK_CREDIT, buf_bytes(&b));
	buf_close(&b);
}

void trunk_op(struct trunk *t, unsigned channel, struct bytes bytes)
{
	buf_append(&t->channel[channel].op, bytes.p, bytes.n);
	must(&t->channel[channel].op);
}

size_t trunk_queued(const struct trunk *t, unsigned channel)
{
	return t->channel[channel].op.len - t->channel[channel].done;
}

bool trunk_is_full(const struct trunk *t)
{
	return t->urgent.len > TRUNK_FULL;
}

/* One piece of the channel's operations; false: nothing may go. */
static bool put_piece(struct trunk *t, unsigned channel)
{
	struct channel *c = &t->channel[channel];
	size_t n = c->op.len - c->done;

	if (n == 0 || c->credit <= 0)
		return false;
	if (n > TRUNK_PIECE)
		n = TRUNK_PIECE;
	put_frame(&t->out, channel, TRUNK_OP, (struct bytes){c->op.data + c->done, n});
	c->done += n;
	c->credit -= (int64_t)n;
	if (c->done == c->op.len) {
		buf_clear(&c->op, TRUNK_PIECE);
		c->done = 0;
	} else if (c->done > TRUNK_WINDOW) {
		buf_shift(&c->op, c->done);
		c->done = 0;
	}
	return true;
}

struct bytes trunk_output(struct trunk *t)
{
	unsigned idle = 0;

	if (t->out.len > 0)
		return buf_bytes(&t->out);
	if (t->urgent.len > 0) { /* nothing is copied: the two change places */
		struct buf b = t->out;

		t->out = t->urgent;
		t->urgent = b;
	}
	while (t->out.len < BURST && idle < t->channels) {
		t->turn = t->turn % t->channels + 1;
		idle = put_piece(t, t->turn) ? 0 : idle + 1;
	}
	return buf_bytes(&t->out);
}

void trunk_written(struct trunk *t)
{
	buf_clear(&t->out, BURST * 2);
}
