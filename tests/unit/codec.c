/* The edge: what is accepted, rewritten and refused. Values are in
 * tests/vectors, run by tests/unit/vectors.c; here are limits, offsets, memory
 * and random items. */
#include "../../libclient/codec.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "../lib/harness.h"
#include "../lib/random_item.h"

#include <math.h>

static const struct codec_limits usual = {CODEC_HEADS_FRAME, CODEC_DEPTH};

static int canonical(struct bytes in, const struct codec_limits *limits, struct buf *scratch,
		     struct bytes *out, struct codec_error *err)
{
	struct codec_info info;

	return codec_canonical(in, out, scratch, limits, &info, err);
}

static void refused(const char *hex, int code, size_t offset, const char *why)
{
	uint8_t in[256];
	size_t n = test_unhex(hex, in, sizeof in);
	struct buf scratch = BUF_INIT;
	struct bytes out;
	struct codec_error err = {0};

	CHECK_INT(canonical((struct bytes){in, n}, &usual, &scratch, &out, &err), code);
	CHECK_STR(err.why, why);
	CHECK_INT(err.offset, offset);
	CHECK_INT(err.code, code);
	buf_close(&scratch);
}

TEST(errors_name_the_offset_of_the_item)
{
	refused("", ERROR_MALFORMED, 0, "bytes are missing");
	refused("8201", ERROR_MALFORMED, 0, "bytes are missing");
	refused("9f8102", ERROR_MALFORMED, 3, "bytes are missing");
	refused("820119ff", ERROR_MALFORMED, 2, "bytes are missing");
	refused("8101ff", ERROR_MALFORMED, 2, "bytes are left over");
	refused("82011c", ERROR_MALFORMED, 2, "reserved head");
	refused("8201f81f", ERROR_MALFORMED, 2, "reserved head");
	refused("8201f8", ERROR_MALFORMED, 2, "bytes are missing");
	refused("f8", ERROR_MALFORMED, 0, "bytes are missing");
	refused("820161ff", ERROR_VALUE, 2, "invalid UTF-8");
	refused("7f61c361a9ff", ERROR_VALUE, 1, "invalid UTF-8");
	refused("7f4161ff", ERROR_MALFORMED, 1, "a chunk of another kind");
	refused("7f7f6161ffff", ERROR_MALFORMED, 1, "a chunk of another kind");
	refused("ff", ERROR_MALFORMED, 0, "a break outside of an indefinite length");
	refused("81ff", ERROR_MALFORMED, 1, "a break outside of an indefinite length");
	refused("9fc1ff", ERROR_MALFORMED, 2, "a break outside of an indefinite length");
	refused("bf01ff", ERROR_MALFORMED, 2, "a map's key without a value");
	refused("c201", ERROR_VALUE, 1, "a bignum that is not a byte string");
	refused("c36161", ERROR_VALUE, 1, "a bignum that is not a byte string");
	refused("c2", ERROR_MALFORMED, 1, "bytes are missing");
}

TEST(duplicate_keys_are_found_in_any_encoding)
{
	refused("a201010102", ERROR_VALUE, 3, "duplicate map key");
	refused("a20101180102", ERROR_VALUE, 3, "duplicate map key");
	refused("a2f93c0001fa3f80000002", ERROR_VALUE, 5, "duplicate map key");
	refused("a2616101 7f6161ff02", ERROR_VALUE, 4, "duplicate map key");
	refused("a20100c2410100", ERROR_VALUE, 3, "duplicate map key");
	refused("81a3020001000200", ERROR_VALUE, 6, "duplicate map key");
	refused("a2a20100020001a20200010002", ERROR_VALUE, 7, "duplicate map key");
}

TEST(a_count_is_not_believed_before_its_bytes_are_there)
{
	refused("9bffffffffffffffff01", ERROR_MALFORMED, 0, "bytes are missing");
	refused("bbffffffffffffffff0101", ERROR_MALFORMED, 0, "bytes are missing");
	refused("bb80000000000000000101", ERROR_MALFORMED, 0, "bytes are missing");
	refused("5bffffffffffffffff01", ERROR_MALFORMED, 0, "bytes are missing");
	refused("7bfffffffffffffff801", ERROR_MALFORMED, 0, "bytes are missing");
	refused("9f5b000000ffffffffffff", ERROR_MALFORMED, 1, "bytes are missing");
}

/* Nested `depth` times: arrays, indefinite arrays, tags, map values, map keys. */
static void nest(struct buf *b, unsigned how, unsigned depth)
{
	static const char *const open[] = {"\x81", "\x9f", "\xc1", "\xa1\x01", "\xa1"};
	static const char *const shut[] = {"", "\xff", "", "", "\x01"};

	for (unsigned i = 0; i < depth; i++)
		buf_text(b, open[how]);
	buf_byte(b, 0x00);
	for (unsigned i = 0; i < depth; i++)
		buf_text(b, shut[how]);
}

TEST(depth_is_limited)
{
	for (unsigned how = 0; how < 5; how++)
		for (unsigned depth = 62; depth <= 66; depth++) {
			struct buf b = BUF_INIT, scratch = BUF_INIT;
			struct codec_info info;
			struct codec_error err = {0};
			struct bytes out;
			int rc;

			nest(&b, how, depth);
			rc = codec_canonical(buf_bytes(&b), &out, &scratch, &usual, &info, &err);
			CHECK_INT(rc, depth <= 64 ? 0 : ERROR_LIMIT);
			if (rc == 0)
				CHECK_INT(info.depth, depth);
			else
				CHECK_STR(err.why, "nested too deeply");
			buf_close(&b);
			buf_close(&scratch);
		}
}

TEST(an_empty_array_and_a_bignum_have_depth_1)
{
	static const char *const some[] = {"80", "a0", "9fff", "c249010000000000000000", "c24101"};
	struct codec_limits flat = {10, 0}, one = {10, 1};

	for (unsigned i = 0; i < sizeof some / sizeof *some; i++) {
		uint8_t in[16];
		struct bytes b = {in, test_unhex(some[i], in, sizeof in)}, out;
		struct buf scratch = BUF_INIT;

		CHECK_INT(canonical(b, &flat, &scratch, &out, NULL), ERROR_LIMIT);
		CHECK_INT(canonical(b, &one, &scratch, &out, NULL), 0);
		buf_close(&scratch);
	}
}

TEST(heads_are_limited_chunks_and_tags_included)
{
	/* each is 5 heads */
	static const char *const some[] = {"8401020304", "a201020304", "837f60ffc105c1a0",
					   "5f40404040ff", "9f01020304ff"};

	for (unsigned i = 0; i < sizeof some / sizeof *some; i++)
		for (uint32_t most = 4; most <= 8; most++) {
			uint8_t in[16];
			struct bytes b = {in, test_unhex(some[i], in, sizeof in)}, out;
			struct codec_limits limits = {most, 64};
			struct buf scratch = BUF_INIT;
			struct codec_info info;
			struct codec_error err = {0};
			uint32_t heads = i == 2 ? 7 : 5;
			int rc = codec_canonical(b, &out, &scratch, &limits, &info, &err);

			CHECK_INT(rc, most >= heads ? 0 : ERROR_LIMIT);
			if (rc == 0)
				CHECK_INT(info.heads, heads);
			else
				CHECK_STR(err.why, "too many items");
			buf_close(&scratch);
		}
}

/* An array of indefinite length with a string of that many bytes, or a map of
 * that and another entry that belongs before it; each in another, `levels` deep. */
static int rewrite_large(bool map, size_t bytes, unsigned levels)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	struct codec_error err = {0};
	int rc;

	for (unsigned i = 0; i < levels; i++)
		buf_text(&in, map ? "\xa2\x01" : "\x9f");
	item_put_head(&in, ITEM_BYTES, bytes);
	CHECK(buf_reserve(&in, bytes + 2 * levels) != NULL);
	in.len += bytes;
	for (unsigned i = 0; i < levels; i++)
		buf_append(&in, map ? "\0\0" : "\xff", map ? 2 : 1);
	rc = codec_rewrite(buf_bytes(&in), &out, &usual, NULL, &err);
	if (rc != 0)
		CHECK_STR(err.why, "too many bytes to bring into order");
	buf_close(&in);
	buf_close(&out);
	return rc;
}

TEST(bytes_that_are_moved_are_limited)
{
	/* each level moves what is in it: the string, its head, and a map's entries */
	for (size_t extra = 0; extra <= 2; extra++) {
		CHECK_INT(rewrite_large(false, CODEC_MOVED - 5 - 1 + extra, 1),
			  extra <= 1 ? 0 : ERROR_LIMIT);
		CHECK_INT(rewrite_large(true, CODEC_MOVED - 8 - 1 + extra, 1),
			  extra <= 1 ? 0 : ERROR_LIMIT);
	}
	CHECK_INT(rewrite_large(true, CODEC_MOVED / 5, 4), 0);
	CHECK_INT(rewrite_large(true, CODEC_MOVED / 5, 5), ERROR_LIMIT);
	CHECK_INT(rewrite_large(false, CODEC_MOVED / 5, 64), ERROR_LIMIT);
}

TEST(tags_of_templates_are_reported)
{
	static const struct {
		const char *hex;
		bool formals, refs;
	} some[] = {{"81d9544cf6", true, false},
		    {"81d9544d820000", false, true},
		    {"82a1d9544cf601d9544d820000", true, true},
		    {"81d9544bf6", false, false},
		    {"9fd9544c63696e74ff", true, false},
		    {"81da0000544cf6", true, false}};

	for (unsigned i = 0; i < sizeof some / sizeof *some; i++) {
		uint8_t in[32];
		struct bytes b = {in, test_unhex(some[i].hex, in, sizeof in)}, out;
		struct buf scratch = BUF_INIT;
		struct codec_info info;

		CHECK_INT(codec_canonical(b, &out, &scratch, &usual, &info, NULL), 0);
		CHECK(info.formals == some[i].formals);
		CHECK(info.refs == some[i].refs);
		buf_close(&scratch);
	}
}

TEST(canonical_input_is_answered_itself_and_takes_no_memory)
{
	uint8_t in[64];
	struct bytes b = {
	    in, test_unhex("8401636f7574646d61696e83636a6f6218fba2016161a0f5", in, sizeof in)};
	struct bytes out;
	struct buf scratch = BUF_INIT;

	xmalloc_fail_at(1, 1);
	CHECK_INT(canonical(b, &usual, &scratch, &out, NULL), 0);
	xmalloc_fail_at(0, 0);
	CHECK(out.p == in);
	CHECK_INT(out.n, b.n);
	CHECK(scratch.data == NULL);
}

/* Both encodings of the value whose half is `half`. */
static void check_half(unsigned half)
{
	uint8_t narrow[3] = {0xf9, (uint8_t)(half >> 8), (uint8_t)half}, wide[9] = {0xfb};
	int exponent = half >> 10 & 31, mantissa = half & 1023;
	double v = exponent == 0    ? ldexp(mantissa, -24)
		   : exponent == 31 ? (double)(mantissa == 0 ? INFINITY : NAN)
				    : ldexp(mantissa + 1024, exponent - 25);
	struct buf scratch = BUF_INIT;
	struct bytes out;
	uint64_t bits;

	v = half & 0x8000 ? -v : v;
	memcpy(&bits, &v, sizeof v);
	for (unsigned i = 0; i < 8; i++)
		wide[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
	if (isnan(v))
		memcpy(narrow, "\xf9\x7e", 3);
	CHECK_INT(canonical((struct bytes){narrow, 3}, &usual, &scratch, &out, NULL), 0);
	CHECK(out.p == narrow);
	CHECK_INT(canonical((struct bytes){wide, 9}, &usual, &scratch, &out, NULL), 0);
	CHECK(bytes_equal(out, (struct bytes){narrow, 3}));
	buf_close(&scratch);
}

TEST(every_half_is_its_own_shortest_form)
{
	for (unsigned half = 0; half < 65536; half++)
		check_half(half);
}

TEST(random_items_in_any_encoding_become_the_same_bytes)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct buf want = BUF_INIT, sloppy = BUF_INIT, scratch = BUF_INIT;
		struct codec_error err = {0};
		struct bytes out;

		random_item(&want, &sloppy, (unsigned)test_random_below(6));
		scratch.len = 0;
		CHECK_INT(codec_rewrite(buf_bytes(&want), &scratch, &usual, NULL, &err), 0);
		CHECK(bytes_equal(buf_bytes(&scratch), buf_bytes(&want)));
		if (canonical(buf_bytes(&want), &usual, &scratch, &out, &err) != 0)
			test_fail(__FILE__, __LINE__, "item %u: %s at %zu", i, err.why, err.offset);
		CHECK(out.p == want.data);
		if (canonical(buf_bytes(&sloppy), &usual, &scratch, &out, &err) != 0)
			test_fail(__FILE__, __LINE__, "sloppy %u: %s at %zu", i, err.why,
				  err.offset);
		CHECK(bytes_equal(out, buf_bytes(&want)));
		buf_close(&want);
		buf_close(&sloppy);
		buf_close(&scratch);
	}
}

/* The quick check says yes exactly where libcbor's heads give the same bytes. */
static void check_against_rewrite(struct bytes in)
{
	struct buf out = BUF_INIT;
	struct codec_info quick = {0}, slow = {0};
	struct codec_error err = {0};
	bool yes = codec_check(in, &usual, &quick);
	int rc = codec_rewrite(in, &out, &usual, &slow, &err);

	CHECK(yes == (rc == 0 && bytes_equal(buf_bytes(&out), in)));
	CHECK(rc == 0 || (err.offset <= in.n && err.code == rc));
	if (yes)
		CHECK(quick.heads == slow.heads && quick.depth == slow.depth &&
		      quick.formals == slow.formals && quick.refs == slow.refs);
	buf_close(&out);
}

TEST(every_head_is_checked_as_libcbor_reads_it)
{
	static const uint8_t some[] = {0, 1, 23, 24, 31, 32, 0x7e, 0x7f, 0x80, 0xff};
	uint8_t in[12];

	for (unsigned first = 0; first < 256; first++)
		for (unsigned i = 0; i < 10000; i++) {
			size_t n = 1 + i % 12;

			in[0] = (uint8_t)first;
			for (size_t k = 1; k < n; k++)
				in[k] = some[test_random_below(sizeof some)];
			check_against_rewrite((struct bytes){in, n});
		}
}

TEST(damaged_items_are_checked_as_libcbor_reads_them)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct buf b = BUF_INIT, sloppy = BUF_INIT, *which = i % 2 == 0 ? &b : &sloppy;

		random_item(&b, &sloppy, 4);
		for (uint64_t flips = test_random_below(4); flips > 0; flips--)
			which->data[test_random_below(which->len)] ^=
			    (uint8_t)(1u << test_random_below(8));
		check_against_rewrite(buf_bytes(which));
		buf_close(&b);
		buf_close(&sloppy);
	}
}

TEST(every_cut_of_an_item_is_refused)
{
	for (unsigned i = 0; i < 300; i++) {
		struct buf want = BUF_INIT, sloppy = BUF_INIT, scratch = BUF_INIT;
		struct bytes out;

		random_item(&want, &sloppy, 4);
		for (size_t n = 0; n < sloppy.len && n < 2000; n++) {
			uint8_t *cut = xmalloc(n); /* its end is seen by the sanitizer */

			memcpy(cut, sloppy.data, n);
			CHECK_INT(canonical((struct bytes){cut, n}, &usual, &scratch, &out, NULL),
				  ERROR_MALFORMED);
			xfree(cut);
		}
		buf_close(&want);
		buf_close(&sloppy);
		buf_close(&scratch);
	}
}

TEST(out_of_memory_is_an_error_at_every_allocation)
{
	struct buf want = BUF_INIT, sloppy = BUF_INIT;
	struct codec_error err = {0};
	struct bytes out;
	int rc = ERROR_NOMEM;

	while (want.len < 3000) {
		want.len = sloppy.len = 0;
		random_item(&want, &sloppy, 5);
	}
	for (unsigned long n = 1; rc != 0; n++) {
		struct buf scratch = BUF_INIT;

		CHECK(n < 1000);
		xmalloc_fail_at(n, 0);
		rc = canonical(buf_bytes(&sloppy), &usual, &scratch, &out, &err);
		xmalloc_fail_at(0, 0);
		CHECK(rc == 0 ? n > 1 : rc == ERROR_NOMEM);
		if (rc != 0)
			CHECK_STR(err.why, "out of memory");
		buf_close(&scratch);
	}
	buf_close(&want);
	buf_close(&sloppy);
}

TEST(a_used_scratch_is_cleared)
{
	uint8_t in[] = {0x18, 0x01};
	struct buf scratch = BUF_INIT;
	struct bytes out;

	for (unsigned i = 0; i < 3; i++) {
		CHECK_INT(canonical((struct bytes){in, 2}, &usual, &scratch, &out, NULL), 0);
		CHECK_INT(out.n, 1);
		CHECK_INT(out.p[0], 1);
	}
	buf_close(&scratch);
}
