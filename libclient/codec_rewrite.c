/* One walk over the input, an item head at a time, that appends to the output.
 * Maps are sorted, and heads of counts that were not known put in, where they
 * end. */
#include "codec.h"
#include "codec_head.h"
#include "error.h"
#include "item.h"
#include "utf8.h"

#include <assert.h>
#include <stdlib.h>

#define HEAD_MAX 9

/* An array, map or tag whose items are being read. Sizes are offsets in the
 * output. */
struct level {
	uint8_t major;
	bool indefinite;
	uint64_t left;  /* items still to come */
	uint64_t count; /* items seen */
	size_t start;   /* of the whole item */
	size_t content; /* of its first item */
	size_t child;   /* of the item being read */
	const uint8_t *child_in;
	size_t pairs; /* bytes of walk.pairs that are of outer maps */
};

/* An entry of a map in the output. */
struct pair {
	size_t key, value, end;
	const uint8_t *in; /* the key in the input */
};

struct walk {
	const uint8_t *start, *p, *end;
	const uint8_t *item; /* the head being looked at */
	struct buf *out;
	struct buf pairs; /* struct pair; of all open maps */
	const struct codec_limits *limits;
	struct codec_info info;
	struct codec_error err;
	unsigned depth;
	size_t moved; /* bytes, where arrays and maps ended */
	bool whole;   /* the outermost item is complete */
	struct level levels[CODEC_DEPTH_MAX];
};

static int fail_at(struct walk *w, int code, const uint8_t *at, const char *why)
{
	w->err.code = code;
	w->err.offset = (size_t)(at - w->start);
	w->err.why = why;
	return code;
}

static int fail(struct walk *w, int code, const char *why)
{
	return fail_at(w, code, w->item, why);
}

/* Reads the next head and counts it. */
static int head_take(struct walk *w, struct codec_head *h)
{
	const char *why;

	w->item = w->p;
	if (w->p == w->end)
		return fail(w, ERROR_MALFORMED, "bytes are missing");
	if (codec_head(&w->p, w->end, h, &why) != 0)
		return fail(w, ERROR_MALFORMED, why);
	if (h->kind == CODEC_BREAK)
		return 0;
	if (w->info.heads == w->limits->heads)
		return fail(w, ERROR_LIMIT, "too many items");
	w->info.heads++;
	return 0;
}

/* Puts the head that belongs before the bytes from `at` on, for which HEAD_MAX
 * bytes of room were left. */
static void close_gap(struct buf *out, size_t at, uint8_t major, uint64_t arg)
{
	size_t end = out->len, size;

	item_put_head(out, major, arg);
	if (out->failed)
		return;
	size = out->len - end;
	memcpy(out->data + at, out->data + end, size);
	memmove(out->data + at + size, out->data + at + HEAD_MAX, end - at - HEAD_MAX);
	out->len = end - HEAD_MAX + size;
}

static void leave_gap(struct buf *out)
{
	static const uint8_t gap[HEAD_MAX];

	buf_append(out, gap, sizeof gap);
}

static int put_string(struct walk *w, const struct codec_head *h)
{
	if (h->major == ITEM_TEXT && !utf8_valid((struct bytes){h->content, h->arg}))
		return fail(w, ERROR_VALUE, "invalid UTF-8");
	item_put_head(w->out, h->major, h->arg);
	buf_append(w->out, h->content, h->arg);
	return 0;
}

/* The chunks of a string of indefinite length, to the end of the output. */
static int put_chunks(struct walk *w, uint8_t major)
{
	struct codec_head h;
	int rc;

	for (;;) {
		rc = head_take(w, &h);
		if (rc != 0)
			return rc;
		if (h.kind == CODEC_BREAK)
			return 0;
		if (h.kind != CODEC_STRING || h.major != major)
			return fail(w, ERROR_MALFORMED, "a chunk of another kind");
		if (major == ITEM_TEXT && !utf8_valid((struct bytes){h.content, h.arg}))
			return fail(w, ERROR_VALUE, "invalid UTF-8");
		buf_append(w->out, h.content, h.arg);
	}
}

static int put_joined(struct walk *w, const struct codec_head *h)
{
	size_t at = w->out->len;
	int rc;

	leave_gap(w->out);
	rc = put_chunks(w, h->major);
	if (rc == 0)
		close_gap(w->out, at, h->major, w->out->len - at - HEAD_MAX);
	return rc;
}

/* Rewrites the bytes from `at` on, the magnitude of a bignum, as what it is. */
static void bignum_write(struct buf *out, size_t at, uint8_t tag)
{
	size_t n = out->len - at - HEAD_MAX, zeros = 0;
	uint8_t *p = out->data + at + HEAD_MAX;
	uint64_t small = 0;

	while (zeros < n && p[zeros] == 0)
		zeros++;
	if (n - zeros > 8) {
		memmove(p, p + zeros, n - zeros);
		out->len -= zeros;
		close_gap(out, at, ITEM_BYTES, n - zeros);
		return;
	}
	for (size_t i = zeros; i < n; i++)
		small = small << 8 | p[i];
	out->len = at - 1; /* the tag goes too */
	item_put_head(out, tag == 2 ? ITEM_UINT : ITEM_NINT, small);
}

/* Tag 2 or 3, whose head was read. */
static int put_bignum(struct walk *w, uint8_t tag)
{
	struct codec_head h;
	size_t at;
	int rc = head_take(w, &h);

	if (rc != 0)
		return rc;
	if (h.kind == CODEC_BREAK)
		return fail(w, ERROR_MALFORMED, "a break outside of an indefinite length");
	if ((h.kind != CODEC_STRING && h.kind != CODEC_CHUNKS) || h.major != ITEM_BYTES)
		return fail(w, ERROR_VALUE, "a bignum that is not a byte string");
	item_put_head(w->out, ITEM_TAG, tag);
	at = w->out->len;
	leave_gap(w->out);
	if (h.kind == CODEC_STRING)
		buf_append(w->out, h.content, h.arg);
	else
		rc = put_chunks(w, ITEM_BYTES);
	if (rc == 0 && !w->out->failed)
		bignum_write(w->out, at, tag);
	return rc;
}

/* Room for one more level, and its depth noted. */
static int deeper(struct walk *w)
{
	if (w->depth >= w->limits->depth)
		return fail(w, ERROR_LIMIT, "nested too deeply");
	if (w->depth + 1 > w->info.depth)
		w->info.depth = w->depth + 1;
	return 0;
}

static int level_open(struct walk *w, const struct codec_head *h, uint64_t items)
{
	struct level *l = &w->levels[w->depth];
	size_t start = w->out->len;

	if ((uint64_t)(w->end - w->p) < items)
		return fail(w, ERROR_MALFORMED, "bytes are missing");
	if (h->kind == CODEC_OPEN)
		leave_gap(w->out);
	else
		item_put_head(w->out, h->major, h->arg);
	*l = (struct level){
	    .major = h->major,
	    .indefinite = h->kind == CODEC_OPEN,
	    .left = items,
	    .start = start,
	    .content = w->out->len,
	    .pairs = w->pairs.len,
	};
	w->depth++;
	return 0;
}

static int pair_order(const void *a, const void *b, void *ctx)
{
	const struct pair *x = a, *y = b;
	const uint8_t *out = ctx;
	size_t n = x->value - x->key, m = y->value - y->key;
	int c = memcmp(out + x->key, out + y->key, n < m ? n : m);

	/* Of two items neither begins the other, so the bytes decide. */
	return c != 0 ? c : (x->in > y->in) - (x->in < y->in);
}

static bool pair_same_key(const struct pair *x, const struct pair *y, const uint8_t *out)
{
	return x->value - x->key == y->value - y->key &&
	       memcmp(out + x->key, out + y->key, x->value - x->key) == 0;
}

/* Bytes in nested levels are moved once a level: this bounds the time. */
static int move(struct walk *w, const struct level *l)
{
	w->moved += w->out->len - l->content;
	return w->moved > CODEC_MOVED ? fail(w, ERROR_LIMIT, "too many bytes to bring into order")
				      : 0;
}

/* Brings the pairs of the map that ends into the order of their keys. */
static int map_sort(struct walk *w, const struct level *l)
{
	struct buf *out = w->out;
	size_t count = (size_t)l->count / 2, end = out->len;
	struct pair *pair;
	bool sorted = true;

	if (count == 0)
		return 0;
	w->pairs.len = l->pairs;
	pair = (struct pair *)(void *)(w->pairs.data + l->pairs);
	for (size_t i = 1; i < count && sorted; i++)
		sorted = pair_order(&pair[i - 1], &pair[i], out->data) < 0 &&
			 !pair_same_key(&pair[i - 1], &pair[i], out->data);
	if (sorted)
		return 0;
	qsort_r(pair, count, sizeof *pair, pair_order, out->data);
	for (size_t i = 1; i < count; i++)
		if (pair_same_key(&pair[i - 1], &pair[i], out->data))
			return fail_at(w, ERROR_VALUE, pair[i].in, "duplicate map key");
	if (move(w, l) != 0)
		return ERROR_LIMIT;
	if (buf_reserve(out, end - l->content) == NULL)
		return 0;
	for (size_t i = 0; i < count; i++)
		buf_append(out, out->data + pair[i].key, pair[i].end - pair[i].key);
	memcpy(out->data + l->content, out->data + end, end - l->content);
	out->len = end;
	return 0;
}

static int level_close(struct walk *w)
{
	struct level *l = &w->levels[--w->depth];
	int rc = 0;

	if (w->out->failed || w->pairs.failed)
		return fail(w, ERROR_NOMEM, "out of memory");
	if (l->major == ITEM_MAP)
		rc = map_sort(w, l);
	if (rc == 0 && l->indefinite) {
		rc = move(w, l);
		close_gap(w->out, l->start, l->major,
			  l->major == ITEM_MAP ? l->count / 2 : l->count);
	}
	return rc;
}

static void key_done(struct walk *w, const struct level *l)
{
	struct pair pair = {.key = l->child, .value = w->out->len, .in = l->child_in};

	buf_append(&w->pairs, &pair, sizeof pair);
}

static void value_done(struct walk *w)
{
	if (!w->pairs.failed)
		((struct pair *)(void *)(w->pairs.data + w->pairs.len))[-1].end = w->out->len;
}

/* An item ended, and with it perhaps those that it was the last of. */
static int item_done(struct walk *w)
{
	int rc = 0;

	while (rc == 0 && w->depth > 0) {
		struct level *l = &w->levels[w->depth - 1];

		if (l->major == ITEM_MAP && l->count % 2 == 0)
			key_done(w, l);
		else if (l->major == ITEM_MAP)
			value_done(w);
		l->count++;
		if (l->indefinite || --l->left > 0)
			return 0;
		rc = level_close(w);
	}
	w->whole = true;
	return rc;
}

static int break_take(struct walk *w)
{
	struct level *l = w->depth > 0 ? &w->levels[w->depth - 1] : NULL;
	int rc;

	if (l == NULL || !l->indefinite)
		return fail(w, ERROR_MALFORMED, "a break outside of an indefinite length");
	if (l->major == ITEM_MAP && l->count % 2 != 0)
		return fail(w, ERROR_MALFORMED, "a map's key without a value");
	rc = level_close(w);
	return rc != 0 ? rc : item_done(w);
}

static int tag_take(struct walk *w, const struct codec_head *h)
{
	int rc = deeper(w);

	w->info.formals |= h->arg == ITEM_TAG_FORMAL;
	w->info.refs |= h->arg == ITEM_TAG_REF;
	if (rc != 0 || (h->arg != 2 && h->arg != 3))
		return rc != 0 ? rc : level_open(w, h, 1);
	rc = put_bignum(w, (uint8_t)h->arg);
	return rc != 0 ? rc : item_done(w);
}

static int array_take(struct walk *w, const struct codec_head *h)
{
	uint64_t items = h->arg;
	int rc = deeper(w);

	if (rc != 0)
		return rc;
	if (h->major == ITEM_MAP) /* saturated: so many bytes are never there */
		items = items > UINT64_MAX / 2 ? UINT64_MAX : items * 2;
	if (h->kind != CODEC_OPEN && items == 0) {
		item_put_head(w->out, h->major, 0);
		return item_done(w);
	}
	return level_open(w, h, items);
}

/* Reads one head and what goes with it. */
static int item_take(struct walk *w)
{
	struct codec_head h;
	int rc = 0;

	if (w->depth > 0) {
		w->levels[w->depth - 1].child = w->out->len;
		w->levels[w->depth - 1].child_in = w->p;
	}
	rc = head_take(w, &h);
	if (rc != 0)
		return rc;
	switch (h.kind) {
	case CODEC_ARRAY:
	case CODEC_OPEN:
		return array_take(w, &h);
	case CODEC_TAG:
		return tag_take(w, &h);
	case CODEC_BREAK:
		return break_take(w);
	case CODEC_INT:
	case CODEC_SIMPLE:
		item_put_head(w->out, h.major, h.arg);
		break;
	case CODEC_STRING:
		rc = put_string(w, &h);
		break;
	case CODEC_CHUNKS:
		rc = put_joined(w, &h);
		break;
	case CODEC_FLOAT:
		item_put_float(w->out, h.real);
		break;
	}
	return rc != 0 ? rc : item_done(w);
}

int codec_rewrite(struct bytes in, struct buf *out, const struct codec_limits *limits,
		  struct codec_info *info, struct codec_error *err)
{
	struct walk w; /* the levels are not worth clearing */
	size_t before = out->len;
	int rc = 0;

	assert(limits->depth <= CODEC_DEPTH_MAX);
	w.start = w.p = in.p;
	w.end = in.p + in.n;
	w.out = out;
	w.pairs = BUF_INIT;
	w.limits = limits;
	w.info = (struct codec_info){0};
	w.depth = 0;
	w.moved = 0;
	w.whole = false;
	while (rc == 0 && !w.whole)
		rc = item_take(&w);
	if (rc == 0 && w.p != w.end)
		rc = fail_at(&w, ERROR_MALFORMED, w.p, "bytes are left over");
	if (rc == 0 && (out->failed || w.pairs.failed))
		rc = fail(&w, ERROR_NOMEM, "out of memory");
	buf_close(&w.pairs);
	if (rc != 0)
		out->len = before;
	if (info != NULL)
		*info = w.info;
	if (rc != 0 && err != NULL)
		*err = w.err;
	return rc;
}
