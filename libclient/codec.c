/* The one file that includes <cbor.h>: heads by libcbor's streaming decoder. What
 * libcbor 0.8 calls errors though RFC 8949 does not, the simple values and the
 * tags 6 to 20, is read here. */
#include "codec.h"
#include "codec_head.h"
#include "error.h"
#include "item.h"

#include <cbor.h>

/* libcbor's callbacks: each leaves what it is told in the struct codec_head. */

#define ON_INT(name, type, its_major)                                                              \
	static void name(void *ctx, type v)                                                        \
	{                                                                                          \
		struct codec_head *h = ctx;                                                        \
		h->kind = CODEC_INT;                                                               \
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
		struct codec_head *h = ctx;                                                        \
		h->kind = its_kind;                                                                \
		h->major = its_major;                                                              \
		h->arg = n;                                                                        \
	}
ON_COUNT(on_array, size_t, CODEC_ARRAY, ITEM_ARRAY)
ON_COUNT(on_map, size_t, CODEC_ARRAY, ITEM_MAP)
ON_COUNT(on_tag, uint64_t, CODEC_TAG, ITEM_TAG)
#undef ON_COUNT

#define ON_MARK(name, its_kind, its_major, its_arg)                                                \
	static void name(void *ctx)                                                                \
	{                                                                                          \
		struct codec_head *h = ctx;                                                        \
		h->kind = its_kind;                                                                \
		h->major = its_major;                                                              \
		h->arg = its_arg;                                                                  \
	}
ON_MARK(on_open_bytes, CODEC_CHUNKS, ITEM_BYTES, 0)
ON_MARK(on_open_text, CODEC_CHUNKS, ITEM_TEXT, 0)
ON_MARK(on_open_array, CODEC_OPEN, ITEM_ARRAY, 0)
ON_MARK(on_open_map, CODEC_OPEN, ITEM_MAP, 0)
ON_MARK(on_undefined, CODEC_SIMPLE, ITEM_SIMPLE, 23)
ON_MARK(on_null, CODEC_SIMPLE, ITEM_SIMPLE, 22)
ON_MARK(on_break, CODEC_BREAK, ITEM_SIMPLE, 31)
#undef ON_MARK

#define ON_STRING(name, its_major)                                                                 \
	static void name(void *ctx, cbor_data p, size_t n)                                         \
	{                                                                                          \
		struct codec_head *h = ctx;                                                        \
		h->kind = CODEC_STRING;                                                            \
		h->major = its_major;                                                              \
		h->content = p;                                                                    \
		h->arg = n;                                                                        \
	}
ON_STRING(on_bytes, ITEM_BYTES)
ON_STRING(on_text, ITEM_TEXT)
#undef ON_STRING

static void on_double(void *ctx, double v)
{
	struct codec_head *h = ctx;

	h->kind = CODEC_FLOAT;
	h->major = ITEM_SIMPLE;
	h->real = v;
}

static void on_float(void *ctx, float v)
{
	on_double(ctx, (double)v);
}

static void on_bool(void *ctx, bool v)
{
	struct codec_head *h = ctx;

	h->kind = CODEC_SIMPLE;
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

/* The heads that libcbor refuses though they are well-formed. Answers how many
 * bytes this one has, or 0 when it is none of them. */
static size_t refused_by_libcbor(const uint8_t *p, size_t n, struct codec_head *h)
{
	uint8_t info = *p & 31;

	if (*p >> 5 == ITEM_TAG && info < 24) {
		*h = (struct codec_head){.kind = CODEC_TAG, .major = ITEM_TAG, .arg = info};
		return 1;
	}
	if (*p >> 5 != ITEM_SIMPLE || info > 24 || (info == 24 && (n < 2 || p[1] < 32)))
		return 0;
	*h = (struct codec_head){
	    .kind = CODEC_SIMPLE, .major = ITEM_SIMPLE, .arg = info == 24 ? p[1] : info};
	return info == 24 ? 2 : 1;
}

int codec_head(const uint8_t **p, const uint8_t *end, struct codec_head *h, const char **why)
{
	struct cbor_decoder_result got;
	size_t size = refused_by_libcbor(*p, (size_t)(end - *p), h);

	if (size == 0) {
		got = cbor_stream_decode(*p, (size_t)(end - *p), &callbacks, h);
		if (got.status != CBOR_DECODER_FINISHED) {
			*why = got.status == CBOR_DECODER_NEDATA || (**p == 0xf8 && end - *p < 2)
				   ? "bytes are missing"
				   : "reserved head";
			return ERROR_MALFORMED;
		}
		size = got.read;
	}
	*p += size;
	return 0;
}

int codec_canonical(struct bytes in, struct bytes *out, struct buf *scratch,
		    const struct codec_limits *limits, struct codec_info *info,
		    struct codec_error *err)
{
	int rc;

	if (codec_check(in, limits, info)) {
		*out = in;
		return 0;
	}
	buf_clear(scratch, SIZE_MAX);
	rc = codec_rewrite(in, scratch, limits, info, err);
	*out = buf_bytes(scratch);
	return rc;
}
