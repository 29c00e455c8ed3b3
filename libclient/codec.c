/* One walk over the input, an item head at a time, in one of two ways. Checking
 * writes nothing: it ends at the first head that a deterministic encoder would
 * not have written. Only then the input is walked again from its start, writing.
 * So what is canonical already, which is nearly everything, costs no memory.
 *
 * libcbor (0.8) gives heads. What it calls errors though RFC 8949 does not, the
 * simple values and the tags 6 to 20, is read here. */
#include "codec.h"

#include "error.h"
#include "item.h"
#include "utf8.h"

#include <assert.h>
#include <cbor.h>
#include <math.h>
#include <stdlib.h>

/* The deepest that any limits may ask for. */
#define DEPTH_MAX 256
#define HEAD_MAX 9

/* Not an error: the walk that checks has found something to rewrite. */
#define DEVIATES 1

enum kind {
	KIND_INT,    /* major 0 or 1, arg */
	KIND_STRING, /* major 2 or 3, content */
	KIND_CHUNKS, /* major 2 or 3, of indefinite length */
	KIND_ARRAY,  /* or a map; arg is the count of items, for a map of pairs */
	KIND_OPEN,   /* an array or map of indefinite length */
	KIND_TAG,
	KIND_SIMPLE,
	KIND_FLOAT,
	KIND_BREAK,
};

struct head {
	enum kind kind;
	uint8_t major;
	size_t size;    /* bytes of it in the input, without a string's content */
	uint64_t arg;
	const uint8_t *content;
	double real;
};

/* An array, map or tag whose items are being read. */
struct level {
	uint8_t major;
	bool indefinite;
	uint64_t left;        /* items still to come */
	uint64_t count;       /* items seen */
	const uint8_t *child; /* in the input: where the item being read begins */
	struct bytes key;     /* checking: the key before */
	/* writing: offsets in the output */
	size_t start;         /* of the whole item */
	size_t content;       /* of its first item */
	size_t child_out;
	size_t pairs;         /* bytes of walk.pairs that are of outer maps */
};

/* An entry of a map in the output. */
struct pair {
	size_t key, value, end;
	const uint8_t *in; /* the key in the input */
};

struct walk {
	const uint8_t *start, *p, *end;
	const uint8_t *item; /* the head being looked at */
	struct buf *out;     /* NULL while checking */
	struct buf pairs;    /* struct pair; of all open maps */
	const struct codec_limits *limits;
	struct codec_info info;
	struct codec_error err;
	unsigned depth;
	bool whole; /* the outermost item is complete */
	struct level levels[DEPTH_MAX];
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

/* libcbor's callbacks: each leaves what it is told in the struct head. */

#define ON_INT(name, type, its_major)                                                              \
	static void name(void *ctx, type v)                                                        \
	{                                                                                          \
		struct head *h = ctx;                                                              \
		h->kind = KIND_INT;                                                                \
		h->major = its_major;                                                              \
		h->arg = v;                                                                        \
	}
ON_INT(on_uint8, uint8_t, ITEM_UINT)
ON_INT(on_uint16, uint16_t, ITEM_UINT)
ON_INT(on_uint32, uint32_t, ITEM_UINT)
ON_INT(on_uint64, uint64_t, ITEM_UINT)
ON_INT(on_nint8, uint8_t, ITEM_NINT)
ON_INT(on_nint16, uint16_t, ITEM_NINT)
ON_INT(on_nint32, uint32_t, ITEM_NINT)
ON_INT(on_nint64, uint64_t, ITEM_NINT)
#undef ON_INT

#define ON_COUNT(name, type, its_kind, its_major)                                                  \
	static void name(void *ctx, type n)                                                        \
	{                                                                                          \
		struct head *h = ctx;                                                              \
		h->kind = its_kind;                                                                \
		h->major = its_major;                                                              \
		h->arg = n;                                                                        \
	}
ON_COUNT(on_array, size_t, KIND_ARRAY, ITEM_ARRAY)
ON_COUNT(on_map, size_t, KIND_ARRAY, ITEM_MAP)
ON_COUNT(on_tag, uint64_t, KIND_TAG, ITEM_TAG)
#undef ON_COUNT

#define ON_MARK(name, its_kind, its_major, its_arg)                                                \
	static void name(void *ctx)                                                                \
	{                                                                                          \
		struct head *h = ctx;                                                              \
		h->kind = its_kind;                                                                \
		h->major = its_major;                                                              \
		h->arg = its_arg;                                                                  \
	}
ON_MARK(on_open_bytes, KIND_CHUNKS, ITEM_BYTES, 0)
ON_MARK(on_open_text, KIND_CHUNKS, ITEM_TEXT, 0)
ON_MARK(on_open_array, KIND_OPEN, ITEM_ARRAY, 0)
ON_MARK(on_open_map, KIND_OPEN, ITEM_MAP, 0)
ON_MARK(on_undefined, KIND_SIMPLE, ITEM_SIMPLE, 23)
ON_MARK(on_null, KIND_SIMPLE, ITEM_SIMPLE, 22)
ON_MARK(on_break, KIND_BREAK, ITEM_SIMPLE, 31)
#undef ON_MARK

#define ON_STRING(name, its_major)                                                                 \
	static void name(void *ctx, cbor_data p, size_t n)                                         \
	{                                                                                          \
		struct head *h = ctx;                                                              \
		h->kind = KIND_STRING;                                                             \
		h->major = its_major;                                                              \
		h->content = p;                                                                    \
		h->arg = n;                                                                        \
	}
ON_STRING(on_bytes, ITEM_BYTES)
ON_STRING(on_text, ITEM_TEXT)
#undef ON_STRING

static void on_double(void *ctx, double v)
{
	struct head *h = ctx;

	h->kind = KIND_FLOAT;
	h->major = ITEM_SIMPLE;
	h->real = v;
}

static void on_float(void *ctx, float v)
{
	on_double(ctx, (double)v);
}

static void on_bool(void *ctx, bool v)
{
	struct head *h = ctx;

	h->kind = KIND_SIMPLE;
	h->major = ITEM_SIMPLE;
	h->arg = v ? 21 : 20;
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_nint8,
	.negint16 = on_nint16,
	.negint32 = on_nint32,
	.negint64 = on_nint64,
	.byte_string_start = on_open_bytes,
	.byte_string = on_bytes,
	.string_start = on_open_text,
	.string = on_text,
	.indef_array_start = on_open_array,
	.array_start = on_array,
	.indef_map_start = on_open_map,
	.map_start = on_map,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_undefined,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_break,
};

/* The heads that libcbor refuses though they are well-formed. Answers whether
 * this is one. */
static bool head_refused_by_libcbor(const uint8_t *p, size_t n, struct head *h)
{
	uint8_t info = *p & 31;

	if (*p >> 5 == ITEM_TAG && info < 24) {
		*h = (struct head){.kind = KIND_TAG, .major = ITEM_TAG, .arg = info, .size = 1};
		return true;
	}
	if (*p >> 5 != ITEM_SIMPLE || info > 24 || (info == 24 && (n < 2 || p[1] < 32)))
		return false;
	*h = (struct head){.kind = KIND_SIMPLE, .major = ITEM_SIMPLE, .arg = info, .size = 1};
	if (info == 24) {
		h->arg = p[1];
		h->size = 2;
	}
	return true;
}

/* Reads the next head and, of a string, the content. */
static int head_take(struct walk *w, struct head *h)
{
	struct cbor_decoder_result got;

	w->item = w->p;
	if (w->p == w->end)
		return fail(w, ERROR_MALFORMED, "bytes are missing");
	if (head_refused_by_libcbor(w->p, (size_t)(w->end - w->p), h)) {
		w->p += h->size;
	} else {
		got = cbor_stream_decode(w->p, (size_t)(w->end - w->p), &callbacks, h);
		if (got.status == CBOR_DECODER_NEDATA || (*w->p == 0xf8 && w->end - w->p < 2))
			return fail(w, ERROR_MALFORMED, "bytes are missing");
		if (got.status != CBOR_DECODER_FINISHED)
			return fail(w, ERROR_MALFORMED, "reserved head");
		w->p += got.read;
		h->size = h->kind == KIND_STRING ? got.read - h->arg : got.read;
	}
	if (h->kind == KIND_BREAK)
		return 0;
	if (w->info.heads == w->limits->heads)
		return fail(w, ERROR_LIMIT, "too many items");
	w->info.heads++;
	return 0;
}

static size_t head_size(uint64_t arg)
{
	return arg < 24 ? 1 : arg < 256 ? 2 : arg < 65536 ? 3 : arg >> 32 == 0 ? 5 : 9;
}

/* Whether a float of half precision holds it. */
static bool is_half(float v)
{
	uint32_t bits;
	int exponent;

	memcpy(&bits, &v, sizeof bits);
	exponent = (int)(bits >> 23 & 0xff) - 127;
	if (v == 0 || exponent == 128)
		return true;
	if (exponent >= -14)
		return exponent <= 15 && (bits & 0x1fff) == 0;
	/* subnormal: a multiple of 2^-24 */
	return exponent >= -24 && (bits & ((UINT32_C(1) << (-exponent - 1)) - 1)) == 0;
}

/* The bytes of its shortest head; every NaN becomes one of 3. */
static size_t float_size(double v)
{
	if (isnan(v))
		return 3;
	if ((double)(float)v != v)
		return 9;
	return is_half((float)v) ? 3 : 5;
}

/* Puts the head that belongs before the bytes from `at` on, for which HEAD_MAX
 * bytes of room were left. */
static void close_gap(struct buf *out, size_t at, uint8_t major, uint64_t arg)
{
	size_t end = out->len, size = head_size(arg);

	item_put_head(out, major, arg);
	if (out->failed)
		return;
	memcpy(out->data + at, out->data + end, size);
	memmove(out->data + at + size, out->data + at + HEAD_MAX, end - at - HEAD_MAX);
	out->len = end - HEAD_MAX + size;
}

static void leave_gap(struct buf *out)
{
	static const uint8_t gap[HEAD_MAX];

	buf_append(out, gap, sizeof gap);
}

/* Writes a head, or checks that it is the shortest. */
static int put_head(struct walk *w, const struct head *h)
{
	if (w->out != NULL)
		item_put_head(w->out, h->major, h->arg);
	else if (h->size != head_size(h->arg))
		return DEVIATES;
	return 0;
}

static int put_string(struct walk *w, const struct head *h)
{
	if (h->major == ITEM_TEXT && !utf8_valid((struct bytes){h->content, h->arg}))
		return fail(w, ERROR_VALUE, "invalid UTF-8");
	if (put_head(w, h) != 0)
		return DEVIATES;
	if (w->out != NULL)
		buf_append(w->out, h->content, h->arg);
	return 0;
}

static int put_float(struct walk *w, const struct head *h)
{
	if (w->out != NULL)
		item_put_float(w->out, h->real);
	else if (h->size != float_size(h->real) || (isnan(h->real) && memcmp(w->item, "\xf9\x7e", 3) != 0))
		return DEVIATES;
	return 0;
}

/* The chunks of a string of indefinite length, to the end of the output. */
static int put_chunks(struct walk *w, uint8_t major)
{
	struct head h;
	int rc;

	for (;;) {
		rc = head_take(w, &h);
		if (rc != 0)
			return rc;
		if (h.kind == KIND_BREAK)
			return 0;
		if (h.kind != KIND_STRING || h.major != major)
			return fail(w, ERROR_MALFORMED, "a chunk of another kind");
		if (major == ITEM_TEXT && !utf8_valid((struct bytes){h.content, h.arg}))
			return fail(w, ERROR_VALUE, "invalid UTF-8");
		buf_append(w->out, h.content, h.arg);
	}
}

static int put_joined(struct walk *w, const struct head *h)
{
	size_t at;
	int rc;

	if (w->out == NULL)
		return DEVIATES;
	at = w->out->len;
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
	struct head h;
	size_t at;
	int rc = head_take(w, &h);

	if (rc != 0)
		return rc;
	if (h.kind == KIND_BREAK)
		return fail(w, ERROR_MALFORMED, "a break outside of an indefinite length");
	if ((h.kind != KIND_STRING && h.kind != KIND_CHUNKS) || h.major != ITEM_BYTES)
		return fail(w, ERROR_VALUE, "a bignum that is not a byte string");
	if (w->out == NULL)
		return h.kind != KIND_STRING || h.size != head_size(h.arg) || h.arg <= 8 ||
		       h.content[0] == 0 ? DEVIATES : 0;
	item_put_head(w->out, ITEM_TAG, tag);
	at = w->out->len;
	leave_gap(w->out);
	if (h.kind == KIND_STRING)
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

static int level_open(struct walk *w, const struct head *h, uint64_t items)
{
	struct level *l = &w->levels[w->depth];
	size_t start = w->out != NULL ? w->out->len : 0;

	if (h->kind == KIND_OPEN) {
		if (w->out == NULL)
			return DEVIATES;
		leave_gap(w->out);
	} else {
		if ((uint64_t)(w->end - w->p) < items)
			return fail(w, ERROR_MALFORMED, "bytes are missing");
		if (put_head(w, h) != 0)
			return DEVIATES;
	}
	*l = (struct level){
		.major = h->major,
		.indefinite = h->kind == KIND_OPEN,
		.left = items,
		.start = start,
		.content = w->out != NULL ? w->out->len : 0,
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
	int rc;

	if (w->out == NULL)
		return 0;
	if (w->out->failed || w->pairs.failed)
		return fail(w, ERROR_NOMEM, "out of memory");
	if (l->major == ITEM_MAP) {
		rc = map_sort(w, l);
		if (rc != 0)
			return rc;
	}
	if (l->indefinite)
		close_gap(w->out, l->start, l->major, l->major == ITEM_MAP ? l->count / 2 : l->count);
	return 0;
}

/* A key of the map `l` ended. While checking, it must be greater than the one
 * before. */
static int key_done(struct walk *w, struct level *l)
{
	struct bytes key = {l->child, (size_t)(w->p - l->child)};
	int c;

	if (w->out != NULL) {
		struct pair pair = {.key = l->child_out, .value = w->out->len, .in = l->child};

		buf_append(&w->pairs, &pair, sizeof pair);
		return 0;
	}
	if (l->count > 0) {
		c = memcmp(l->key.p, key.p, l->key.n < key.n ? l->key.n : key.n);
		if (c >= 0)
			return DEVIATES;
	}
	l->key = key;
	return 0;
}

static void value_done(struct walk *w)
{
	if (w->out != NULL && !w->pairs.failed)
		((struct pair *)(void *)(w->pairs.data + w->pairs.len))[-1].end = w->out->len;
}

/* An item ended, and with it perhaps those that it was the last of. */
static int item_done(struct walk *w)
{
	int rc = 0;

	while (rc == 0 && w->depth > 0) {
		struct level *l = &w->levels[w->depth - 1];

		if (l->major == ITEM_MAP && l->count % 2 == 0)
			rc = key_done(w, l);
		else if (l->major == ITEM_MAP)
			value_done(w);
		l->count++;
		if (rc != 0 || l->indefinite || --l->left > 0)
			return rc;
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

static int tag_take(struct walk *w, const struct head *h)
{
	int rc = deeper(w);

	w->info.formals |= h->arg == ITEM_TAG_FORMAL;
	w->info.refs |= h->arg == ITEM_TAG_REF;
	if (rc != 0 || (h->arg != 2 && h->arg != 3))
		return rc != 0 ? rc : level_open(w, h, 1);
	if (w->out == NULL && h->size != 1)
		return DEVIATES;
	rc = put_bignum(w, (uint8_t)h->arg);
	return rc != 0 ? rc : item_done(w);
}

static int array_take(struct walk *w, const struct head *h)
{
	uint64_t items = h->arg;
	int rc = deeper(w);

	if (rc != 0)
		return rc;
	if (h->major == ITEM_MAP) /* saturated: so many bytes are never there */
		items = items > UINT64_MAX / 2 ? UINT64_MAX : items * 2;
	if (h->kind != KIND_OPEN && items == 0) {
		rc = put_head(w, h);
		return rc != 0 ? rc : item_done(w);
	}
	return level_open(w, h, items);
}

/* Reads one head and what goes with it. */
static int item_take(struct walk *w)
{
	struct head h;
	int rc = 0;

	if (w->depth > 0) {
		w->levels[w->depth - 1].child = w->p;
		w->levels[w->depth - 1].child_out = w->out != NULL ? w->out->len : 0;
	}
	rc = head_take(w, &h);
	if (rc != 0)
		return rc;
	switch (h.kind) {
	case KIND_ARRAY:
	case KIND_OPEN:
		return array_take(w, &h);
	case KIND_TAG:
		return tag_take(w, &h);
	case KIND_BREAK:
		return break_take(w);
	case KIND_INT:
	case KIND_SIMPLE:
		rc = put_head(w, &h);
		break;
	case KIND_STRING:
		rc = put_string(w, &h);
		break;
	case KIND_CHUNKS:
		rc = put_joined(w, &h);
		break;
	case KIND_FLOAT:
		rc = put_float(w, &h);
		break;
	}
	return rc != 0 ? rc : item_done(w);
}

static int walk(struct walk *w, struct bytes in, struct buf *out)
{
	int rc = 0;

	w->start = w->p = in.p;
	w->end = in.p + in.n;
	w->out = out;
	w->info = (struct codec_info){0};
	w->depth = 0;
	w->whole = false;
	while (rc == 0 && !w->whole)
		rc = item_take(w);
	if (rc == 0 && w->p != w->end)
		rc = fail_at(w, ERROR_MALFORMED, w->p, "bytes are left over");
	if (rc == 0 && out != NULL && (out->failed || w->pairs.failed))
		rc = fail(w, ERROR_NOMEM, "out of memory");
	return rc;
}

int codec_canonical(struct bytes in, struct bytes *out, struct buf *scratch,
                    const struct codec_limits *limits, struct codec_info *info,
                    struct codec_error *err)
{
	struct walk w; /* the levels are not worth clearing */
	int rc;

	assert(limits->depth <= DEPTH_MAX);
	w.limits = limits;
	w.pairs = BUF_INIT;
	rc = walk(&w, in, NULL);
	if (rc == DEVIATES) {
		buf_clear(scratch, SIZE_MAX);
		rc = walk(&w, in, scratch);
		buf_close(&w.pairs);
		*out = buf_bytes(scratch);
	} else {
		*out = in;
	}
	if (info != NULL)
		*info = w.info;
	if (rc != 0 && err != NULL)
		*err = w.err;
	return rc;
}
