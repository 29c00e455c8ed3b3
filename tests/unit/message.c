#include "../../libclient/message.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "../lib/harness.h"

static struct buf scratch;
static struct request r;
static struct message_error err;

/* Decodes a message given in hex. */
static int decode(const char *hex)
{
	static uint8_t in[8192];

	memset(&err, 0, sizeof err);
	buf_close(&scratch);
	return message_decode((struct bytes){in, test_unhex(hex, in, sizeof in)}, &scratch, &r,
	                      &err);
}

static void expect(const char *hex, int code, uint64_t n, bool fatal, const char *text)
{
	int rc = decode(hex);

	buf_close(&scratch);
	CHECK_STR(err.text, text);
	CHECK_INT(rc, code);
	CHECK_INT(err.code, code);
	CHECK_INT(err.n, n);
	CHECK_INT(err.fatal, fatal);
}

static bool is(struct bytes b, const char *s)
{
	return bytes_equal(b, bytes_of(s));
}

static bool is_hex(struct bytes b, const char *hex)
{
	uint8_t want[64];

	return bytes_equal(b, (struct bytes){want, test_unhex(hex, want, sizeof want)});
}

TEST(every_request_is_read_into_its_places)
{
	CHECK_INT(decode("84 01 63 6f7574 64 6d61696e 82 01 6161"), 0);
	CHECK(r.n == 1 && r.op == MESSAGE_OUT && is(r.space, "main") &&
	      is_hex(r.value, "82016161"));
	CHECK_INT(decode("85 02 62 696e 61 73 f6 a1 67 74696d656f7574 00"), 0);
	CHECK(r.n == 2 && r.op == MESSAGE_IN && is(r.space, "s") && is_hex(r.value, "f6"));
	CHECK(request_has(&r, OPTION_TIMEOUT) && !request_has(&r, OPTION_MAX));
	CHECK_INT(r.option[OPTION_TIMEOUT].u, 0);
	CHECK_INT(decode("83 03 66 63616e63656c 02"), 0);
	CHECK(r.op == MESSAGE_CANCEL && r.number == 2);
	CHECK_INT(decode("84 00 63 61636b 02 82 04 09"), 0);
	CHECK(r.op == MESSAGE_ACK && r.n == 0 && is_hex(r.value, "02 820409"));
	CHECK_INT(decode("85 04 65 7370616365 66 637265617465 61 77 a1 68 766f6c6174696c65 f5"), 0);
	CHECK(r.op == MESSAGE_SPACE && is(r.verb, "create") && is(r.space, "w"));
	CHECK_INT(r.option[OPTION_VOLATILE].u, 1);
	CHECK_INT(decode("83 04 65 7370616365 64 6c697374"), 0);
	CHECK(is(r.verb, "list") && r.space.p == NULL);
	CHECK_INT(decode("84 04 65 7370616365 64 6c697374 a0"), 0);
	CHECK_INT(decode("82 05 65 7374617473"), 0);
	CHECK(r.op == MESSAGE_STATS && r.verb.p == NULL);
	CHECK_INT(decode("83 05 65 7374617473 66 737061636573"), 0);
	CHECK(is(r.verb, "spaces"));
	CHECK_INT(decode("82 06 64 70696e67"), 0);
	CHECK_INT(decode("83 06 63 627965 a0"), 0);
	CHECK(r.op == MESSAGE_BYE);
	CHECK_INT(scratch.cap, 0); /* all of these were canonical: nothing was copied */
}

TEST(the_options_of_hello)
{
	CHECK_INT(decode("83 01 65 68656c6c6f a3 61 76 01 64 68617665 82 02 820409"
	                 "67 73657373696f6e 50 000102030405060708090a0b0c0d0e0f"), 0);
	CHECK(r.op == MESSAGE_HELLO && r.option[OPTION_V].u == 1 && !r.session_text);
	CHECK_INT(r.option[OPTION_SESSION].s.n, 16);
	CHECK(is_hex(r.option[OPTION_HAVE].s, "8202820409"));
	CHECK(is_hex(message_list_items(r.option[OPTION_HAVE].s), "02820409"));
	CHECK_INT(decode("83 01 65 68656c6c6f a1 67 73657373696f6e 63 6e6577"), 0);
	CHECK(r.session_text && is(r.option[OPTION_SESSION].s, "new"));
	CHECK_INT(decode("82 01 65 68656c6c6f"), 0);
	CHECK_INT(r.have, 0);
	CHECK_INT(decode("83 01 65 68656c6c6f a1 63 6d6179 a1 61 2a 81 62 7264"), 0);
	CHECK(is_hex(r.option[OPTION_MAY].s, "a1612a81627264"));
}

TEST(another_encoding_of_a_request_is_rewritten)
{
	CHECK_INT(
		decode("9f 1801 7f 61 6f 62 7574 ff 64 6d61696e 9f 190001 fb3ff0000000000000 ffff"),
		0);
	CHECK(r.n == 1 && r.op == MESSAGE_OUT && is_hex(r.value, "8201f93c00"));
	CHECK(r.value.p >= scratch.data && r.value.p < scratch.data + scratch.len);
	buf_close(&scratch);
}

TEST(what_is_wrong_is_named)
{
	expect("82 02 68 6e6f6e73656e7365", ERROR_REQUEST, 2, false, "no such request: nonsense");
	expect("82 02 63 610a62", ERROR_REQUEST, 2, false, "no such request: a?b");
	expect("81 02", ERROR_REQUEST, 2, false, "the request's name is missing");
	expect("82 02 63 6f7574", ERROR_REQUEST, 2, false, "out: the space is missing");
	expect("83 02 63 6f7574 61 73", ERROR_REQUEST, 2, false, "out: the tuple is missing");
	expect("84 02 63 6f7574 01 80", ERROR_REQUEST, 2, false, "out: the space is not a text");
	expect("84 02 63 6f7574 61 73 f6", ERROR_VALUE, 2, false, "out: tuple: not an array");
	expect("84 02 63 6f7574 61 73 83 01 02 d9544cf6", ERROR_VALUE, 2, false,
	       "out: tuple, field 2: a formal in a tuple");
	expect("84 02 64 6f757473 61 73 82 8101 82 01 d9544cf6", ERROR_VALUE, 2, false,
	       "outs: tuple 1, field 1: a formal in a tuple");
	expect("84 02 64 6f757473 61 73 01", ERROR_VALUE, 2, false, "outs: not an array of tuples");
	expect("84 02 62 696e 61 73 82 01 d9544c 63 6e7562", ERROR_VALUE, 2, false,
	       "in: template, field 1: no such type: nub");
	expect("84 02 62 7264 61 73 81 d9544c a1 62 6765 01", ERROR_VALUE, 2, false,
	       "rd: template, field 0: a range needs a type (int float number text bytes): ge");
	expect("84 02 65 636f756e74 61 73 01", ERROR_VALUE, 2, false,
	       "count: template: neither an array nor null");
	expect("85 02 62 696e 61 73 f6 a1 63 74746c 01", ERROR_REQUEST, 2, false,
	       "in: no such option: ttl");
	expect("850262696e6173f6a1656c6561736500", ERROR_LIMIT, 2, false,
	       "in: option lease: not 1 to 86400000");
	expect("830266636f6d6d6974a164646f6e6582016178", ERROR_REQUEST, 2, false,
	       "commit: done 1: not a token");
	expect("830266636f6d6d6974a1646261636b828201008102", ERROR_REQUEST, 2, false,
	       "commit: back 1: not [token, delay]");
	expect("830266636f6d6d6974a1646261636b81820120", ERROR_REQUEST, 2, false,
	       "commit: back 0: not [token, delay]");
	expect("830266636f6d6d6974a1636f7574828261738101816173", ERROR_REQUEST, 2, false,
	       "commit: out 1: not [space, tuple] or [space, tuple, {options}]");
	expect("830266636f6d6d6974a1636f7574818261738201d9544cf6", ERROR_VALUE, 2, false,
	       "commit: out 0, field 1: a formal in a tuple");
	expect("830266636f6d6d6974a1636f757481836173810101", ERROR_REQUEST, 2, false,
	       "commit: out 0: the options are not a map");
	expect("84026572656e657781016178", ERROR_REQUEST, 2, false,
	       "renew: not a number");
	expect("84026572656e657781617801", ERROR_REQUEST, 2, false,
	       "renew: token 0: not a token");
	expect("82026572656e6577", ERROR_REQUEST, 2, false,
	       "renew: the array of tokens is missing");
	expect("85 02 62 696e 61 73 f6 a1 67 74696d656f7574 61 31", ERROR_REQUEST, 2, false,
	       "in: option timeout: not an unsigned integer");
	expect("85 02 62 696e 61 73 f6 a1 67 74696d656f7574 1b0020000000000000", ERROR_REQUEST, 2,
	       false, "in: option timeout: not below 2^53");
	expect("85 02 65 636f756e74 61 73 80 a1 67 74696d656f7574 01", ERROR_REQUEST, 2, false,
	       "count: no such option: timeout");
	expect("830266636f6d6d6974a1636f7574818361738101a1646e6f706501", ERROR_REQUEST, 2, false,
	       "commit: out 0: no such option: nope");
	expect("830266636f6d6d6974a1636f7574818361738101a16374746c00", ERROR_LIMIT, 2, false,
	       "commit: out 0: option ttl: not above 0");
	expect("830266636f6d6d6974a1636f7574818361738101a165626f756e6401", ERROR_REQUEST, 2, false,
	       "commit: out 0: option bound: not a bool");
	expect("8502636f757461738101a16374746c00", ERROR_LIMIT, 2, false,
	       "out: option ttl: not above 0");
	expect("8502636f757461738101a166756e6c65737301", ERROR_VALUE, 2, false,
	       "out: unless: neither an array nor null");
	expect("840264776169746173f6", ERROR_REQUEST, 2, false,
	       "wait: the condition is missing");
	expect("850264776169746173f68262677401", ERROR_REQUEST, 2, false,
	       "wait: no such condition: gt (ge, eq)");
	expect("850264776169746173f68262657101", ERROR_REQUEST, 2, false,
	       "wait: eq is for 0 alone");
	expect("850264776169746173f681626765", ERROR_REQUEST, 2, false,
	       "wait: the condition is not [text, number]");
	expect("83026661746f6d696380", ERROR_REQUEST, 2, false,
	       "atomic: no step");
	expect("83026661746f6d6963818363696e706173f6", ERROR_REQUEST, 2, false,
	       "atomic: step 0: not [\"in\", \"rd\", \"no\" or \"out\", space, value]");
	expect("83026661746f6d69638283636f7574617381018362696e6173f6", ERROR_REQUEST, 2, false,
	       "atomic: step 1: guards stand in front of what is put");
	expect("83026661746f6d696391836272646173f6836272646173f6836272646173f6836272646173f6"
	       "836272646173f6836272646173f6836272646173f6836272646173f6836272646173f6836272"
	       "646173f6836272646173f6836272646173f6836272646173f6836272646173f6836272646173"
	       "f6836272646173f6836272646173f6", ERROR_LIMIT, 2, false,
	       "atomic: more than 16 guards");
	expect("83026661746f6d6963984183636f75746173810183636f75746173810183636f757461738101"
	       "83636f75746173810183636f75746173810183636f75746173810183636f7574617381018363"
	       "6f75746173810183636f75746173810183636f75746173810183636f75746173810183636f75"
	       "746173810183636f75746173810183636f75746173810183636f75746173810183636f757461"
	       "73810183636f75746173810183636f75746173810183636f75746173810183636f7574617381"
	       "0183636f75746173810183636f75746173810183636f75746173810183636f75746173810183"
	       "636f75746173810183636f75746173810183636f75746173810183636f75746173810183636f"
	       "75746173810183636f75746173810183636f75746173810183636f75746173810183636f7574"
	       "6173810183636f75746173810183636f75746173810183636f75746173810183636f75746173"
	       "810183636f75746173810183636f75746173810183636f75746173810183636f757461738101"
	       "83636f75746173810183636f75746173810183636f75746173810183636f7574617381018363"
	       "6f75746173810183636f75746173810183636f75746173810183636f75746173810183636f75"
	       "746173810183636f75746173810183636f75746173810183636f75746173810183636f757461"
	       "73810183636f75746173810183636f75746173810183636f75746173810183636f7574617381"
	       "0183636f75746173810183636f75746173810183636f75746173810183636f75746173810183"
	       "636f75746173810183636f75746173810183636f757461738101", ERROR_LIMIT, 2, false,
	       "atomic: more than 64 outs");
	expect("83026661746f6d6963818462696e6173f6a0", ERROR_REQUEST, 2, false,
	       "atomic: step 0: in and rd have no options here");
	expect("83026661746f6d69638283626e6f6173f683636f7574617381d9544d820000",
	       ERROR_VALUE, 2, false,
	       "atomic: step 1, field 0: a reference to no in or rd guard");
	expect("83026661746f6d6963828362696e6173f683636f75746173820181d9544d8100",
	       ERROR_VALUE, 2, false,
	       "atomic: step 1, field 1: a reference is [guard, field] or [guard, field, add]");
	expect("83026661746f6d6963828362696e6173f683636f7574617381d9544d830000f93e00",
	       ERROR_VALUE, 2, false,
	       "atomic: step 1, field 0: a reference adds an integer");
	expect("83026661746f6d6963818362696e617381d9544d820000", ERROR_VALUE, 2, false,
	       "atomic: step 0, field 0: tag 21581 has no meaning here");
	expect("83026661746f6d69638184626e6f6173f6a16668696464656e00", ERROR_REQUEST, 2, false,
	       "atomic: step 0: option hidden: not a bool");
	expect("85 02 62 696e 61 73 f6 a1 01 01", ERROR_REQUEST, 2, false,
	       "in: an option's name is not a text");
	expect("85 02 62 696e 61 73 f6 01", ERROR_REQUEST, 2, false,
	       "in: the options are not a map");
	expect("86 02 62 696e 61 73 f6 a0 a0", ERROR_REQUEST, 2, false, "in: too many arguments");
	expect("83 02 66 63616e63656c 20", ERROR_REQUEST, 2, false, "cancel: not a number");
	expect("83 02 65 7374617473 01", ERROR_REQUEST, 2, false, "stats: the what is not a text");
	expect("82 02 63 61636b", ERROR_REQUEST, 2, false, "ack: its number is 0");
	expect("85 02 65 7370616365 61 63 61 77 a1 68 766f6c6174696c65 01", ERROR_REQUEST, 2, false,
	       "space: option volatile: not a bool");
	expect("83 02 65 68656c6c6f a1 67 73657373696f6e 63 6f6c64", ERROR_REQUEST, 2, true,
	       "hello: option session: neither \"new\" nor \"none\" nor an id");
	expect("83 02 65 68656c6c6f a1 64 61757468 41 00", ERROR_REQUEST, 2, true,
	       "hello: option auth: not a text");
	expect("83 02 65 68656c6c6f a1 63 6d6179 a1 61 2a 62 7264", ERROR_REQUEST, 2, true,
	       "hello: option may: not a map of spaces to arrays of requests");
	expect("83 02 65 68656c6c6f a1 63 6d6179 a1 01 80", ERROR_REQUEST, 2, true,
	       "hello: option may: not a map of spaces to arrays of requests");
	expect("83 02 65 68656c6c6f a1 63 6d6179 a1 61 2a 81 01", ERROR_REQUEST, 2, true,
	       "hello: option may: not a map of spaces to arrays of requests");
	expect("83 02 65 68656c6c6f a1 64 68617665 81 820902", ERROR_REQUEST, 2, true,
	       "hello: option have: not an array of n and [from, to]");
}

TEST(a_long_strange_name_is_cut_between_characters)
{
	for (int shift = 0; shift < 3; shift++) {
		struct buf b = BUF_INIT;

		item_put_head(&b, ITEM_ARRAY, 2);
		item_put_uint(&b, 7);
		item_put_head(&b, ITEM_TEXT, 300 + (uint64_t)shift);
		for (int i = 0; i < shift; i++)
			buf_byte(&b, 'x');
		for (int i = 0; i < 100; i++)
			buf_text(&b, "\xe2\x82\xac");
		CHECK_INT(message_decode(buf_bytes(&b), &scratch, &r, &err), ERROR_REQUEST);
		CHECK(strlen(err.text) < 80 && strcmp(err.text + strlen(err.text) - 3, "...") == 0);
		CHECK_INT((strlen(err.text) - strlen("no such request: ...") - (size_t)shift) % 3,
		          0);
		buf_close(&b);
	}
}

TEST(a_message_without_a_number_is_fatal)
{
	static const char begin[] = "the message does not begin with a number below 2^53";
	static const char array[] = "not an array that begins with a number";

	expect("01", ERROR_MALFORMED, 0, true, array);
	expect("80", ERROR_MALFORMED, 0, true, array);
	expect("a0", ERROR_MALFORMED, 0, true, array);
	expect("81 6131", ERROR_MALFORMED, 0, true, begin);
	expect("82 20 64 70696e67", ERROR_MALFORMED, 0, true, begin);
	expect("82 1b0020000000000000 64 70696e67", ERROR_MALFORMED, 0, true, begin);
	CHECK_INT(decode("82 1b001fffffffffffff 64 70696e67"), 0);
	expect("", ERROR_MALFORMED, 0, true, "bytes are missing at byte 0 of the message");
	expect("82 05 18", ERROR_MALFORMED, 5, false, "bytes are missing at byte 2 of the message");
	expect("82 1905", ERROR_MALFORMED, 0, true, "bytes are missing at byte 1 of the message");
	expect("9f 1a00000505 ff ff", ERROR_MALFORMED, 1285, false,
	       "bytes are left over at byte 7 of the message");
	expect("84 05 63 6f7574 61 73 81 61 ff", ERROR_VALUE, 5, false,
	       "invalid UTF-8 at byte 9 of the message");
	expect("84 05 63 6f7574 61 73 81 a2 01 02 01 02", ERROR_VALUE, 5, false,
	       "duplicate map key at byte 12 of the message");
	expect("83 00 63 61636b 61 ff", ERROR_VALUE, 0, true,
	       "invalid UTF-8 at byte 6 of the message");
}

TEST(number_0_is_for_ack_alone_and_has_no_reply)
{
	static const char alone[] = "the number 0 is for ack alone";

	expect("82 00 64 70696e67", ERROR_MALFORMED, 0, true, alone);
	expect("82 00 68 6e6f6e73656e7365", ERROR_MALFORMED, 0, true, alone);
	expect("81 00", ERROR_REQUEST, 0, true, "the request's name is missing");
	expect("82 00 63 61636b", ERROR_REQUEST, 0, true, "ack: the number is missing");
	expect("83 00 63 61636b 61 31", ERROR_REQUEST, 0, true,
	       "ack: neither a number nor [from, to]");
	expect("83 00 63 61636b 82 05 04", ERROR_REQUEST, 0, true,
	       "ack: neither a number nor [from, to]");
	expect("83 00 63 61636b a0", ERROR_REQUEST, 0, true,
	       "ack: neither a number nor [from, to]");
	CHECK_INT(decode("83 00 63 61636b 82 05 05"), 0);
}

/* [n, op, "s", LIST of `count` items] or, for ack, [0, "ack", items...]. */
static int decode_many(enum message_op op, uint64_t count, uint8_t one)
{
	struct buf b = BUF_INIT;
	int rc;

	item_put_head(&b, ITEM_ARRAY, op == MESSAGE_ACK ? 2 + count : 4);
	item_put_uint(&b, op == MESSAGE_ACK ? 0 : 1);
	message_request_begin(&b, op);
	if (op != MESSAGE_ACK) {
		item_put_text(&b, "s");
		item_put_head(&b, ITEM_ARRAY, count);
	}
	for (uint64_t i = 0; i < count; i++)
		buf_byte(&b, one);
	rc = message_decode(buf_bytes(&b), &scratch, &r, &err);
	buf_close(&b);
	return rc;
}

TEST(lists_at_the_limit)
{
	for (uint64_t n = 1023; n <= 1025; n++) {
		int rc = n > 1024 ? ERROR_LIMIT : 0;
		struct buf b = BUF_INIT;

		CHECK_INT(decode_many(MESSAGE_OUTS, n, 0x80), rc);
		CHECK_INT(decode_many(MESSAGE_ACK, n, 7), rc);
		item_put_head(&b, ITEM_ARRAY, 3);
		item_put_uint(&b, 1);
		message_request_begin(&b, MESSAGE_HELLO);
		item_put_head(&b, ITEM_MAP, 1);
		item_put_text(&b, "have");
		item_put_head(&b, ITEM_ARRAY, n);
		for (uint64_t i = 0; i < n; i++)
			item_put_uint(&b, i);
		CHECK_INT(message_decode(buf_bytes(&b), &scratch, &r, &err), rc);
		buf_close(&b);
	}
	CHECK_INT(decode_many(MESSAGE_OUTS, 0, 0), 0);
}

TEST(max_at_the_limit)
{
	static const struct {
		uint64_t max;
		int rc;
	} rows[] = {{0, ERROR_LIMIT}, {1, 0}, {1023, 0}, {1024, 0}, {1025, ERROR_LIMIT}};

	for (int i = 0; i < 5; i++) {
		struct message_options o = {0};
		struct buf b = BUF_INIT;

		message_option_number(&o, OPTION_MAX, rows[i].max);
		item_put_head(&b, ITEM_ARRAY, 5);
		item_put_uint(&b, 1);
		message_request_begin(&b, MESSAGE_RD);
		item_put_text(&b, "s");
		item_put_null(&b);
		CHECK_INT(message_options_put(&b, &o), 1);
		CHECK_INT(message_decode(buf_bytes(&b), &scratch, &r, &err), rows[i].rc);
		buf_close(&b);
	}
}

TEST(heads_and_depth_of_a_message_at_the_limit)
{
	for (uint64_t heads = 65535; heads <= 65537; heads++) {
		struct buf b = BUF_INIT;

		item_put_head(&b, ITEM_ARRAY, heads - 1);
		item_put_uint(&b, 9);
		for (uint64_t i = 2; i < heads; i++)
			item_put_uint(&b, 0);
		CHECK_INT(message_decode(buf_bytes(&b), &scratch, &r, &err),
		          heads > 65536 ? ERROR_LIMIT : ERROR_REQUEST);
		CHECK(err.n == 9 && !err.fatal);
		buf_close(&b);
	}
	for (unsigned depth = 63; depth <= 66;
	     depth++) { /* of the tuple; 66 is beyond the codec's */
		struct buf b = BUF_INIT;

		item_put_head(&b, ITEM_ARRAY, 4);
		item_put_uint(&b, 1);
		message_request_begin(&b, MESSAGE_OUTS);
		item_put_text(&b, "s");
		for (unsigned d = 0; d < depth + 1; d++)
			item_put_head(&b, ITEM_ARRAY, 1);
		item_put_text(&b, "text");
		CHECK_INT(message_decode(buf_bytes(&b), &scratch, &r, &err),
		          depth > 64 ? ERROR_LIMIT : 0);
		buf_close(&b);
	}
	buf_close(&scratch);
}

TEST(names_are_found_for_the_ops_that_have_them)
{
	for (int op = 0; op < MESSAGE_OPS; op++)
		CHECK_INT(message_op_named(bytes_of(message_rows[op].name)), op);
	CHECK_INT(message_op_named(bytes_of("")), -1);
	CHECK_INT(message_op_named(bytes_of("inp")), -1);
	CHECK_INT(message_option_named(bytes_of("after"), MESSAGE_RD), OPTION_AFTER);
	CHECK_INT(message_option_named(bytes_of("after"), MESSAGE_IN), -1);
	CHECK_INT(message_option_named(bytes_of("v"), MESSAGE_HELLO), OPTION_V);
}

static bool may(const char *map, const char *space, enum message_op op)
{
	uint8_t p[64];

	return message_may((struct bytes){p, test_unhex(map, p, sizeof p)}, bytes_of(space), op);
}

TEST(may_allows_what_it_names)
{
	/* {"a": ["in", "rd"], "b": ["*"]} */
	static const char some[] = "a2 61 61 82 62 696e 62 7264 61 62 81 61 2a";
	/* {"*": ["count"], "a": ["in"]} */
	static const char star[] = "a2 61 2a 81 65 636f756e74 61 61 81 62 696e";

	CHECK(may(some, "a", MESSAGE_IN) && may(some, "a", MESSAGE_RD));
	CHECK(!may(some, "a", MESSAGE_OUT) && !may(some, "c", MESSAGE_IN));
	CHECK(may(some, "b", MESSAGE_OUT) && may(some, "b", MESSAGE_SPACE));
	CHECK(may(star, "zzz", MESSAGE_COUNT) && may(star, "a", MESSAGE_COUNT));
	CHECK(may(star, "a", MESSAGE_IN) && !may(star, "b", MESSAGE_IN));
	CHECK(!may("a0", "a", MESSAGE_IN));
	CHECK(!may("a1 61 61 80", "a", MESSAGE_IN));
}

static void sum(uint64_t from, uint64_t to, void *ctx)
{
	*(uint64_t *)ctx = *(uint64_t *)ctx * 100 + from * 10 + to;
}

TEST(ranges_are_given_one_by_one)
{
	uint8_t p[64];
	uint64_t got = 0;

	CHECK(message_ranges((struct bytes){p, test_unhex("02 820409 05", p, sizeof p)}, sum,
	                     &got));
	CHECK_INT(got, 224955);
	CHECK(message_ranges((struct bytes){NULL, 0}, sum, &got));
	CHECK(!message_ranges((struct bytes){p, test_unhex("820904", p, sizeof p)}, NULL, NULL));
	CHECK(!message_ranges((struct bytes){p, test_unhex("83010203", p, sizeof p)}, NULL, NULL));
	CHECK(!message_ranges((struct bytes){p, test_unhex("20", p, sizeof p)}, NULL, NULL));
	CHECK(!message_ranges((struct bytes){p, test_unhex("1b0020000000000000", p, 64)}, NULL,
	                      NULL));
}

static struct reply reply_of(struct buf *b)
{
	struct bytes message;
	struct reply got;
	size_t used;

	buf_close(&scratch);
	CHECK_INT(frame_next(buf_bytes(b), FRAME_MAX, &message, &used), 1);
	CHECK_INT(used, b->len);
	CHECK_INT(message_decode_reply(message, &scratch, &got, NULL), 0);
	CHECK_INT(scratch.cap, 0);
	return got;
}

TEST(replies_are_read_as_they_were_written)
{
	static const uint8_t result[] = {0x82, 0x01, 0x02};
	struct buf b = BUF_INIT;
	struct reply got;

	message_reply(&b, 77, (struct bytes){result, 3});
	got = reply_of(&b);
	CHECK(got.n == 77 && got.kind == 0 && is_hex(got.body, "820102"));
	buf_clear(&b, 64);
	message_part(&b, 1, (struct bytes){result, 3});
	got = reply_of(&b);
	CHECK(got.n == 1 && got.kind == 1 && is_hex(got.body, "820102"));
	buf_clear(&b, 64);
	message_error_reply(&b, 300, ERROR_NO_SPACE, "rd: no space \"x\"");
	got = reply_of(&b);
	CHECK(got.n == 300 && got.kind == ERROR_NO_SPACE && is(got.text, "rd: no space \"x\""));
	CHECK_INT(got.body.n, 0);
	buf_clear(&b, 64);
	message_error_reply(&b, 0, ERROR_VALUE, "cut: \xe2\x82");
	got = reply_of(&b);
	CHECK(is(got.text, "cut: "));
	buf_close(&b);
}

static int decode_reply(const char *hex, struct reply *got)
{
	uint8_t p[64];

	return message_decode_reply((struct bytes){p, test_unhex(hex, p, sizeof p)}, &scratch, got,
	                            NULL);
}

TEST(replies_of_other_forms)
{
	struct reply got;

	CHECK_INT(decode_reply("84 05 21 61 78 65 6c65617365", &got), 0);
	CHECK(got.kind == -2 && got.body.n == 6);
	CHECK_INT(decode_reply("84 05 00 f6 01", &got), 0); /* what is not known is ignored */
	CHECK_INT(decode_reply("82 05 00", &got), ERROR_MALFORMED);
	CHECK_INT(decode_reply("83 05 02 f6", &got), ERROR_MALFORMED);
	CHECK_INT(decode_reply("83 05 21 01", &got), ERROR_MALFORMED);
	CHECK_INT(decode_reply("83 05 3bffffffffffffffff 60", &got), ERROR_MALFORMED);
	CHECK_INT(decode_reply("83 20 00 f6", &got), ERROR_MALFORMED);
	CHECK_INT(decode_reply("83 05 00 61 ff", &got), ERROR_MALFORMED);
	CHECK_INT(decode_reply("a0", &got), ERROR_MALFORMED);
	CHECK_INT(decode_reply("", &got), ERROR_MALFORMED);
}

TEST(options_are_written_in_order_and_only_when_given)
{
	static const uint8_t null = ITEM_NULL;
	struct message_options o = {0};
	struct buf b = BUF_INIT;

	CHECK_INT(message_options_put(&b, &o), 0);
	CHECK_INT(b.len, 0);
	message_option_number(&o, OPTION_TIMEOUT, 5000);
	message_option_bytes(&o, OPTION_UNLESS, (struct bytes){&null, 1});
	message_option_bytes(&o, OPTION_DEAD, bytes_of("d"));
	message_option_number(&o, OPTION_HIDDEN, false);
	message_option_number(&o, OPTION_AFTER, 9);
	message_option_number(&o, OPTION_BOUND, 7);
	message_option_number(&o, OPTION_MAX, 7);
	CHECK_INT(message_options_put(&b, &o), 1);
	CHECK(is_hex(buf_bytes(&b), "a7 63 6d6178 07 64 64656164 61 64 65 6166746572 09"
	                            "65 626f756e64 f5 66 68696464656e f4 66 756e6c657373 f6"
	                            "67 74696d656f7574 191388"));
	buf_close(&b);
}

TEST(without_memory_a_request_is_refused_and_a_frame_is_not_written)
{
	struct buf b = BUF_INIT;

	xmalloc_fail_at(1, 1);
	expect("82 1801 64 70696e67", ERROR_NOMEM, 1, false,
	       "out of memory at byte 3 of the message");
	message_reply(&b, 1, (struct bytes){(const uint8_t *)"\xf6", 1});
	xmalloc_fail_at(0, 0);
	CHECK(b.failed && b.len == 0);
	buf_close(&b);
}

static void put_commit(struct buf *b, unsigned tokens, unsigned depth)
{
	item_put_head(b, ITEM_ARRAY, 3);
	item_put_uint(b, 2);
	item_put_text(b, "commit");
	item_put_head(b, ITEM_MAP, 2);
	item_put_text(b, "out");
	item_put_head(b, ITEM_ARRAY, 1);
	item_put_head(b, ITEM_ARRAY, 2);
	item_put_text(b, "main");
	for (unsigned i = 0; i < depth; i++)
		item_put_head(b, ITEM_ARRAY, i + 1 < depth);
	item_put_text(b, "done");
	item_put_head(b, ITEM_ARRAY, tokens);
	for (unsigned i = 0; i < tokens; i++)
		item_put_uint(b, i);
}

static int decode_commit(unsigned tokens, unsigned depth)
{
	struct buf b = BUF_INIT;
	int rc;

	put_commit(&b, tokens, depth);
	rc = message_decode(buf_bytes(&b), &scratch, &r, &err);
	buf_close(&b);
	return rc;
}

TEST(a_commit_has_the_limits_of_its_parts)
{
	CHECK_INT(decode_commit(MESSAGE_LIST_MAX - 1, 1), 0);
	CHECK_INT(decode_commit(MESSAGE_LIST_MAX, 1), 0);
	CHECK_INT(decode_commit(MESSAGE_LIST_MAX + 1, 1), ERROR_LIMIT);
	CHECK_INT(decode_commit(1, CODEC_DEPTH - 1), 0);
	CHECK_INT(decode_commit(1, CODEC_DEPTH), 0);
	CHECK_INT(decode_commit(1, CODEC_DEPTH + 1), ERROR_LIMIT);
}
