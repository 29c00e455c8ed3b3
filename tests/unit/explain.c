#include "../../libclient/explain.h"
#include "../../libclient/diag.h"
#include "../lib/harness.h"

static struct buf items[2];

static const uint8_t *item(int which, const char *text)
{
	struct diag_error err;

	buf_clear(&items[which], 0);
	CHECK_INT(diag_parse(bytes_of(text), DIAG_FORMALS, &items[which], NULL, NULL, &err), 0);
	return items[which].data;
}

static void expect(const char *template, const char *tuple, int field, unsigned matching,
                   const char *text)
{
	const uint8_t *t = item(0, template), *v = item(1, tuple);
	struct buf out = BUF_INIT;
	unsigned count;

	CHECK_INT(explain_field(t, v, &count), field);
	CHECK_INT(count, matching);
	explain_text(&out, t, v, field, "the template");
	buf_byte(&out, 0);
	CHECK_STR((char *)out.data, text);
	buf_close(&out);
}

static void close_items(void)
{
	buf_close(&items[0]);
	buf_close(&items[1]);
}

TEST(what_matches_needs_no_words)
{
	expect("null", "[1, 2]", EXPLAIN_MATCH, 0, "");
	expect("[1, ?int]", "[1, 2]", EXPLAIN_MATCH, 2, "");
	expect("[]", "[]", EXPLAIN_MATCH, 0, "");
	close_items();
}

TEST(another_length_is_said)
{
	expect("[1, 2]", "[1]", EXPLAIN_LENGTH, 0, "it has 1 field, the template wants 2");
	expect("[]", "[1, 2]", EXPLAIN_LENGTH, 0, "it has 2 fields, the template wants 0");
	close_items();
}

TEST(the_first_field_that_differs_is_named)
{
	expect("[\"job\", ?text, ?int]", "[\"job\", \"a\", 17.0]", 2, 2,
	       "field 2 is 17.0 (float), the template wants int");
	expect("[\"job\", ?int]", "[\"jib\", 1.0]", 0, 0,
	       "field 0 is \"jib\" (text), the template wants \"job\"");
	expect("[1]", "[1.0]", 0, 0, "field 0 is 1.0 (float), the template wants 1");
	expect("[null]", "[false]", 0, 0, "field 0 is false (bool), the template wants null");
	expect("[?bytes]", "[\"x\"]", 0, 0, "field 0 is \"x\" (text), the template wants bytes");
	close_items();
}

TEST(constraints_are_shown_as_text)
{
	expect("[?int 1..9]", "[10]", 0, 0, "field 0 is 10 (int), the template wants int 1..9");
	expect("[?float>0.5]", "[0.5]", 0, 0,
	       "field 0 is 0.5 (float), the template wants float>0.5");
	expect("[?text^\"img/\"]", "[\"doc/a\"]", 0, 0,
	       "field 0 is \"doc/a\" (text), the template wants text^\"img/\"");
	expect("[?(1|2)]", "[3]", 0, 0, "field 0 is 3 (int), the template wants (1|2)");
	expect("[?int!=3]", "[3]", 0, 0, "field 0 is 3 (int), the template wants int!=3");
	expect("[?has{\"k\": 1}]", "[{\"j\": 1}]", 0, 0,
	       "field 0 is {\"j\": 1} (map), the template wants has{\"k\": 1}");
	close_items();
}

TEST(the_place_inside_a_field_is_named)
{
	expect("[[1, [2, ?int]]]", "[[1, [2, \"x\"]]]", 0, 0,
	       "field 0[1][1] is \"x\" (text), the template wants int");
	expect("[{\"a\": 1, \"b\": [?int]}]", "[{\"a\": 1, \"b\": [true]}]", 0, 0,
	       "field 0[\"b\"][0] is true (bool), the template wants int");
	expect("[?has{\"size\": ?int>0}]", "[{\"x\": 1, \"size\": 0}]", 0, 0,
	       "field 0[\"size\"] is 0 (int), the template wants int>0");
	expect("[[1, ?int]]", "[[1]]", 0, 0,
	       "field 0 is [1] (array), the template wants [1, ?int]");
	expect("[{\"a\": 1}]", "[{\"a\": 1, \"b\": 2}]", 0, 0,
	       "field 0 is {\"a\": 1, \"b\": 2} (map), the template wants {\"a\": 1}");
	close_items();
}

TEST(long_values_are_cut)
{
	expect("[?int]", "[\"0123456789012345678901234567890123456789\"]", 0, 0,
	       "field 0 is \"0123456789012345678901234567890123456789\" (text),"
	       " the template wants int");
	expect("[?int]", "[\"01234567890123456789012345678901234567890\"]", 0, 0,
	       "field 0 is \"0123456789012345678901234567890123456789\"... of 41 bytes (text),"
	       " the template wants int");
	expect("[?int]", "[\"012345678901234567890123456789012345678é\"]", 0, 0,
	       "field 0 is \"012345678901234567890123456789012345678\"... of 41 bytes (text),"
	       " the template wants int");
	expect("[?int]", "[[h'00', 1, \"0123456789012345678901234567890123456789\","
	                 " \"0123456789012345678901234567890123456789\"]]", 0, 0,
	       "field 0 is [...] (array), the template wants int");
	expect("[?int]", "[h'0001']", 0, 0, "field 0 is h'0001' (bytes), the template wants int");
	close_items();
}
