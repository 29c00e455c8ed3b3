#include "../../libclient/formal.h"
#include "../../libclient/codec.h"
#include "../../libclient/diag.h"
#include "../../libclient/error.h"
#include "../lib/harness.h"

#define UNTYPED "a range needs a type (int float number text bytes)"
#define NO_RANGE "only int float number text bytes have ranges"
#define OTHER_TYPE "the bound is not of the formal's type"
#define NO_CONTENT "a formal is null, the name of a type, or a map"
#define OTHER_PREFIX "the prefix is not of the formal's type"
#define NO_FORMAL "a formal where only a value may stand"

static uint8_t bytes[2][4096];

static const uint8_t *item(int which, const char *hex)
{
	test_unhex(hex, bytes[which], sizeof bytes[which]);
	return bytes[which];
}

static bool match(const char *t, const char *v)
{
	return formal_match(item(0, t), item(1, v));
}

static void expect_template(const char *hex, int rc, int field, const char *why, const char *detail)
{
	struct bytes d = {NULL, 0};
	const char *w = "";
	int f = -2, got;

	got = formal_check_template(item_bytes(item(0, hex)), &w, &f, &d);
	CHECK_INT(got, rc);
	CHECK_INT(f, field);
	CHECK_STR(w, why);
	CHECK(bytes_equal(d, bytes_of(detail)));
}

static void expect_tuple(struct bytes b, bool tags, int rc, int field, const char *why)
{
	struct bytes d;
	const char *w = "";
	int f = -2;

	CHECK_INT(formal_check_tuple(b, tags, &w, &f, &d), rc);
	CHECK_INT(f, field);
	CHECK_STR(w, why);
}

TEST(every_type_is_written_and_read)
{
	for (int t = 0; t < ITEM_TYPES; t++) {
		struct buf b = BUF_INIT;
		struct formal f;
		struct bytes detail;
		const char *why;

		formal_put(&b, (enum item_type)t);
		CHECK(formal_is(b.data));
		CHECK_INT(formal_read(b.data, &f, &why, &detail), 0);
		CHECK_INT(f.type, t);
		CHECK_INT(item_skip(b.data) - b.data, b.len);
		buf_close(&b);
	}
}

TEST(other_tags_are_no_formals)
{
	CHECK(formal_is(item(0, "d9544cf6")));
	CHECK(!formal_is(item(0, "d9544df6")));
	CHECK(!formal_is(item(0, "c1f6")));
	CHECK(!formal_is(item(0, "19544c")));
	CHECK(!formal_is(item(0, "f6")));
}

TEST(what_is_wrong_with_a_formal_is_named)
{
	static const char none[] = "no such constraint";

	expect_template("82 01 d9544c 6361 6e79", ERROR_VALUE, 1, "no such type", "any");
	expect_template("81 d9544c 67 696e7465676572", ERROR_VALUE, 0, "no such type", "integer");
	expect_template("81 d9544c 60", ERROR_VALUE, 0, "no such type", "");
	expect_template("81 d9544c 01", ERROR_VALUE, 0, NO_CONTENT, "");
	expect_template("81 d9544c d9544cf6", ERROR_VALUE, 0, NO_CONTENT, "");
	expect_template("81 d9544c a1 01 01", ERROR_VALUE, 0, none, "");
	expect_template("81 d9544c a1 42 6765 01", ERROR_VALUE, 0, none, "ge");
	expect_template("81 d9544c a1 62 6571 01", ERROR_VALUE, 0, none, "eq");
	expect_template("81 d9544c a1 60 01", ERROR_VALUE, 0, none, "");
}

/* A template of one formal, which is text in diagnostic notation. */
static void expect_formal(const char *text, int rc, const char *why, const char *detail)
{
	struct buf b = BUF_INIT;
	struct diag_error err;
	struct bytes d = {NULL, 0};
	const char *w = "";
	int f, got;

	if (diag_parse(bytes_of(text), DIAG_FORMALS, &b, NULL, NULL, &err) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s", text, err.why);
	got = formal_check_template(buf_bytes(&b), &w, &f, &d);
	if (got != rc || strcmp(w, why) != 0 || !bytes_equal(d, bytes_of(detail)))
		test_fail(__FILE__, __LINE__, "%s: %d, %s, %.*s", text, got, w, (int)d.n,
		          (const char *)d.p);
	buf_close(&b);
}

TEST(what_is_wrong_with_a_constraint_is_named)
{
	static const struct {
		const char *content, *why, *detail;
	} rows[] = {
		{"{\"order\": \"min\"}",
		 "min and max need a type (int float number text bytes)", "order"},
		{"{\"has\": {}, \"order\": \"min\"}",
		 "min and max need a type (int float number text bytes)", "order"},
		{"{\"order\": \"max\", \"type\": \"bool\"}",
		 "only int float number text bytes have min and max", "order"},
		{"{\"order\": \"least\", \"type\": \"int\"}", "neither min nor max", "order"},
		{"{\"order\": h'6d696e', \"type\": \"int\"}", "neither min nor max", "order"},
		{"{\"order\": 1, \"type\": \"int\"}", "neither min nor max", "order"},
		{"{\"type\": \"any\"}", "no such type", "any"},
		{"{\"type\": 1}", "no such type", ""},
		{"{\"ge\": 1}", UNTYPED, "ge"},
		{"{\"lt\": 1, \"type\": null}", UNTYPED, "lt"},
		{"{\"gt\": true, \"type\": \"bool\"}", NO_RANGE, "gt"},
		{"{\"le\": [], \"type\": \"array\"}", NO_RANGE, "le"},
		{"{\"ge\": 1.0, \"type\": \"int\"}", OTHER_TYPE, "ge"},
		{"{\"ge\": 1, \"le\": 9.5, \"type\": \"int\"}", OTHER_TYPE, "le"},
		{"{\"gt\": 1, \"type\": \"float\"}", OTHER_TYPE, "gt"},
		{"{\"gt\": \"1\", \"type\": \"number\"}", OTHER_TYPE, "gt"},
		{"{\"lt\": h'61', \"type\": \"text\"}", OTHER_TYPE, "lt"},
		{"{\"lt\": \"a\", \"type\": \"bytes\"}", OTHER_TYPE, "lt"},
		{"{\"ge\": 21580(\"int\"), \"type\": \"int\"}", OTHER_TYPE, "ge"},
		{"{\"ge\": NaN, \"type\": \"float\"}", "NaN is no bound", "ge"},
		{"{\"lt\": NaN, \"type\": \"number\"}", "NaN is no bound", "lt"},
		{"{\"ne\": 21580(null)}", NO_FORMAL, "ne"},
		{"{\"ne\": [1, {2: 21580(\"int\")}]}", NO_FORMAL, "ne"},
		{"{\"oneof\": [1, 21580(\"int\")]}", NO_FORMAL, "oneof"},
		{"{\"oneof\": []}", "not an array of 1 to 1024 values", "oneof"},
		{"{\"oneof\": {1: 2}}", "not an array of 1 to 1024 values", "oneof"},
		{"{\"prefix\": 1}", "a prefix is a text or bytes", "prefix"},
		{"{\"prefix\": \"a\", \"type\": \"bytes\"}", OTHER_PREFIX, "prefix"},
		{"{\"prefix\": \"a\", \"type\": \"int\"}", OTHER_PREFIX, "prefix"},
		{"{\"has\": [1]}", "not a map", "has"},
		{"{\"has\": {}, \"type\": \"array\"}", "only maps have entries", "has"},
		{"{\"has\": {1: 21580({\"ge\": 1})}}", UNTYPED, "ge"},
		{"{\"has\": {21580(null): 1}}", "a formal in the key of a map", ""},
		{"{\"ne\": 21581([0, 1])}", "tag 21581 has no meaning here", ""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[200];

		snprintf(text, sizeof text, "[0, 21580(%s)]", rows[i].content);
		expect_formal(text, ERROR_VALUE, rows[i].why, rows[i].detail);
	}
	expect_formal("[21580({})]", 0, "", "");
	expect_formal("[21580({\"type\": \"int\"})]", 0, "", "");
	expect_formal("[21580({\"type\": null})]", 0, "", "");
	expect_formal("[21580({\"ne\": 21579(1), \"type\": null})]", 0, "", "");
	expect_formal("[21580({\"ge\": 2, \"lt\": 1, \"type\": \"int\"})]", 0, "", "");
}

TEST(oneof_at_the_limit)
{
	for (unsigned n = 1023; n <= 1025; n++) {
		struct buf b = BUF_INIT;
		struct bytes d;
		const char *why = "";
		int field = -1, rc = n > 1024 ? ERROR_LIMIT : 0;

		buf_append(&b, "\x81\xd9\x54\x4c\xa1\x65oneof", 11);
		item_put_head(&b, ITEM_ARRAY, n);
		for (unsigned i = 0; i < n; i++)
			item_put_uint(&b, i);
		CHECK_INT(formal_check_template(buf_bytes(&b), &why, &field, &d), rc);
		CHECK_STR(why, rc ? "more than 1024 values" : "");
		if (rc == 0) {
			CHECK(formal_match(b.data + 1, item(1, "1903fe")));
			CHECK(!formal_match(b.data + 1, item(1, "190400")));
		}
		buf_close(&b);
	}
}

TEST(a_class_is_what_the_constraints_imply)
{
	static const struct {
		const char *formal;
		enum item_type type;
		bool constrained;
	} rows[] = {
		{"?", ITEM_TYPE_ANY, false},       {"?int", ITEM_TYPE_INT, false},
		{"?!=1", ITEM_TYPE_ANY, true},     {"?int!=1", ITEM_TYPE_INT, true},
		{"?(1|\"a\")", ITEM_TYPE_ANY, true}, {"?number 1..2", ITEM_TYPE_NUMBER, true},
		{"?^\"a\"", ITEM_TYPE_TEXT, true}, {"?^h''", ITEM_TYPE_BYTES, true},
		{"?has{}", ITEM_TYPE_MAP, true},   {"?map!=1", ITEM_TYPE_MAP, true},
		{"21580({})", ITEM_TYPE_ANY, false},
		{"21580({\"type\": \"tag\"})", ITEM_TYPE_TAG, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b = BUF_INIT;
		struct diag_error err;
		struct formal f, g;
		struct bytes d;
		const char *why;

		CHECK_INT(diag_parse(bytes_of(rows[i].formal), DIAG_FORMALS, &b, NULL, NULL, &err),
		          0);
		CHECK_INT(formal_read(b.data, &f, &why, &d), 0);
		formal_open(b.data, &g);
		CHECK_INT(f.type, rows[i].type);
		CHECK_INT(f.constrained, rows[i].constrained);
		CHECK(memcmp(f.at, g.at, sizeof f.at) == 0 && f.type == g.type);
		CHECK_INT(g.constrained, f.constrained);
		buf_close(&b);
	}
}

TEST(templates)
{
	expect_template("f6", 0, -1, "", "");
	expect_template("80", 0, -1, "", "");
	expect_template("83 6161 d9544cf6 82 01 d9544c 63696e74", 0, -1, "", "");
	expect_template("81 a1 6161 d9544cf6", 0, -1, "", "");
	expect_template("81 c1 d9544cf6", 0, -1, "", "");
	expect_template("a0", ERROR_VALUE, -1, "neither an array nor null", "");
	expect_template("01", ERROR_VALUE, -1, "neither an array nor null", "");
	expect_template("d9544cf6", ERROR_VALUE, -1, "neither an array nor null", "");
	expect_template("82 01 82 01 d9544c 6161", ERROR_VALUE, 1, "no such type", "a");
	expect_template("82 01 d9544d 820000", ERROR_VALUE, 1, "tag 21581 has no meaning here", "");
}

TEST(a_formal_in_the_key_of_a_map_is_refused_and_after_it_is_not)
{
	static const char why[] = "a formal in the key of a map";

	expect_template("81 a1 d9544cf6 01", ERROR_VALUE, 0, why, "");
	expect_template("81 a1 81 d9544cf6 01", ERROR_VALUE, 0, why, "");
	expect_template("81 a1 a1 01 d9544cf6 01", ERROR_VALUE, 0, why, "");
	expect_template("81 a1 01 a1 d9544cf6 02", ERROR_VALUE, 0, why, "");
	expect_template("81 a2 01 d9544cf6 d9544cf6 02", ERROR_VALUE, 0, why, "");
	expect_template("81 a1 a1 0102 d9544cf6", 0, -1, "", "");
	expect_template("81 a1 81 80 81 d9544cf6", 0, -1, "", "");
	expect_template("82 a1 81 a0 01 81 d9544cf6", 0, -1, "", "");
	expect_template("81 a2 01 a1 02 d9544cf6 03 d9544cf6", 0, -1, "", "");
}

TEST(tuples)
{
	expect_tuple(item_bytes(item(0, "80")), false, 0, -1, "");
	expect_tuple(item_bytes(item(0, "82 01 82 6161 f6")), false, 0, -1, "");
	expect_tuple(item_bytes(item(0, "82 01 82 6161 f6")), true, 0, -1, "");
	expect_tuple(item_bytes(item(0, "f6")), false, ERROR_VALUE, -1, "not an array");
	expect_tuple(item_bytes(item(0, "a0")), true, ERROR_VALUE, -1, "not an array");
	expect_tuple(item_bytes(item(0, "82 01 d9544cf6")), true, ERROR_VALUE, 1,
	             "a formal in a tuple");
	expect_tuple(item_bytes(item(0, "82 81 a1 01 d9544cf6 01")), true, ERROR_VALUE, 0,
	             "a formal in a tuple");
	expect_tuple(item_bytes(item(0, "81 a1 d9544d 820000 01")), true, ERROR_VALUE, 0,
	             "tag 21581 has no meaning here");
	expect_tuple(item_bytes(item(0, "82 d9544b f6 d9544e f6")), true, 0, -1, "");
}

TEST(fields_at_the_limit)
{
	for (uint64_t n = 254; n <= 256; n++)
		for (int tags = 0; tags < 2; tags++) {
			struct buf b = BUF_INIT;
			struct bytes d;
			const char *why = "";
			int field, rc = n > 255 ? ERROR_LIMIT : 0;

			item_put_head(&b, ITEM_ARRAY, n);
			for (uint64_t i = 0; i < n; i++)
				item_put_uint(&b, 0);
			expect_tuple(buf_bytes(&b), tags, rc, -1, rc ? "more than 255 fields" : "");
			CHECK_INT(formal_check_template(buf_bytes(&b), &why, &field, &d), rc);
			buf_close(&b);
		}
}

/* A tuple nested `depth` deep in all, of arrays, or of maps and tags. */
static void put_deep(struct buf *b, unsigned depth, int kind)
{
	item_put_head(b, ITEM_ARRAY, 1);
	for (unsigned d = 1; d < depth; d++)
		if (kind == 0) {
			item_put_head(b, ITEM_ARRAY, 1);
		} else if (d % 2) {
			item_put_head(b, ITEM_MAP, 1);
			item_put_text(b, "key");
		} else {
			item_put_head(b, ITEM_TAG, 1000);
		}
	item_put_text(b,
	              "and enough bytes at the bottom that the walk is not left out, more of them");
}

TEST(depth_at_the_limit)
{
	for (unsigned depth = 63; depth <= 65; depth++)
		for (int kind = 0; kind < 2; kind++) {
			struct buf b = BUF_INIT;
			bool deep = depth > CODEC_DEPTH;

			put_deep(&b, depth, kind);
			expect_tuple(buf_bytes(&b), false, deep ? ERROR_LIMIT : 0, deep ? 0 : -1,
			             deep ? "nested too deeply" : "");
			expect_tuple(buf_bytes(&b), true, deep ? ERROR_LIMIT : 0, deep ? 0 : -1,
			             deep ? "nested too deeply" : "");
			buf_close(&b);
		}
	for (unsigned n = 63; n <= 65; n++) { /* empty at the bottom: as few bytes as can be */
		struct buf b = BUF_INIT;

		for (unsigned d = 0; d < n; d++)
			buf_byte(&b, d + 1 < n ? 0x81 : 0x80);
		expect_tuple(buf_bytes(&b), false, n > 64 ? ERROR_LIMIT : 0, n > 64 ? 0 : -1,
		             n > 64 ? "nested too deeply" : "");
		buf_close(&b);
	}
}

TEST(heads_at_the_limit)
{
	for (uint64_t heads = 16383; heads <= 16385; heads++) {
		struct buf b = BUF_INIT;
		bool many = heads > CODEC_HEADS_TUPLE;

		item_put_head(&b, ITEM_ARRAY, 2);
		item_put_uint(&b, 1);
		item_put_head(&b, ITEM_ARRAY, heads - 3);
		for (uint64_t i = 0; i < heads - 3; i++)
			item_put_uint(&b, 0);
		expect_tuple(buf_bytes(&b), false, many ? ERROR_LIMIT : 0, many ? 1 : -1,
		             many ? "more than 16384 items" : "");
		buf_close(&b);
	}
}

TEST(bytes_at_the_limit)
{
	for (size_t n = FORMAL_TUPLE_BYTES - 1; n <= FORMAL_TUPLE_BYTES + 1; n++) {
		struct buf b = BUF_INIT;
		bool much = n > FORMAL_TUPLE_BYTES;
		size_t fill = n - 6;

		item_put_head(&b, ITEM_ARRAY, 1);
		item_put_head(&b, ITEM_BYTES, fill);
		memset(buf_reserve(&b, fill), 0, fill);
		b.len += fill;
		CHECK_INT(b.len, n);
		expect_tuple(buf_bytes(&b), false, much ? ERROR_LIMIT : 0, -1,
		             much ? "more than 1 MiB" : "");
		buf_close(&b);
	}
}

TEST(values_match_themselves_only)
{
	static const char *const values[] = {
		"00", "01", "20", "1818", "f90000", "f93c00", "f97e00", "f98000", "f4", "f5", "f6",
		"f7", "e0", "60", "6161", "6162", "626161", "40", "4161", "80", "8101", "8102", "820101",
		"a0", "a10101", "a10102", "a10201", "c101", "c201", "c10a", "c249010000000000000000",
		"fa47c35000", "fb3ff199999999999a",
		"7818616161616161616161616161616161616161616161616161",
	};
	size_t n = sizeof values / sizeof values[0];

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			CHECK(match(values[i], values[k]) == (i == k));
}

TEST(formals_inside_arrays_maps_and_tags)
{
	CHECK(match("82 d9544c63696e74 02", "82 01 02"));
	CHECK(!match("82 d9544c63696e74 02", "82 01 03"));
	CHECK(!match("82 d9544c63696e74 02", "83 01 02 03"));
	CHECK(match("81 82 d9544cf6 02", "81 82 83010203 02"));
	CHECK(match("a2 6161 d9544c63696e74 6162 02", "a2 6161 01 6162 02"));
	CHECK(!match("a2 6161 d9544c63696e74 6162 02", "a2 6161 6131 6162 02"));
	CHECK(!match("a1 6161 d9544cf6", "a1 6162 01"));
	CHECK(!match("a1 6161 d9544cf6", "a2 6161 01 6162 02"));
	CHECK(match("c1 d9544cf6", "c1 80"));
	CHECK(!match("c1 d9544cf6", "c0 80"));
	CHECK(!match("81 d9544cf6", "01"));
	CHECK(match("d9544cf6", "83 01 8102 a10304"));
	CHECK(match("d9544c666e756d626572", "f93c00"));
	CHECK(match("d9544c666e756d626572", "c249010000000000000000"));
	CHECK(!match("d9544c666e756d626572", "6131"));
}

TEST(a_longer_text_is_not_read_beyond_a_shorter_value)
{
	/* The value's last byte is the last that may be read. */
	struct buf v = BUF_INIT;
	uint8_t *end;

	item_put_text(&v, "ab");
	end = v.data + v.len;
	CHECK(!formal_match(item(0, "6a 61626364656667686970"), end - 3));
	CHECK(!formal_match(item(0, "78ff 6162"), end - 3));
	buf_close(&v);
}
