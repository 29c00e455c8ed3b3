/* Diagnostic notation in and out; JSON; the caret. Every value of the protocol
 * goes both ways in tests/unit/vectors.c. */
#include "../../libclient/diag.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/codec.h"
#include "../../libclient/decimal.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "../lib/harness.h"
#include "../lib/random_item.h"

static const char *hex(struct bytes b)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; i < b.n && i < sizeof text / 2 - 1; i++)
		snprintf(text + 2 * i, 3, "%02x", b.p[i]);
	return text;
}

static void parses(const char *text, const char *want)
{
	struct buf out = BUF_INIT;
	struct diag_error err = {0};

	if (diag_parse(bytes_of(text), DIAG_FORMALS, &out, NULL, NULL, &err) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s at %zu", text, err.why, err.offset);
	if (strcmp(hex(buf_bytes(&out)), want) != 0)
		test_fail(__FILE__, __LINE__, "%s is %s, not %s", text, hex(buf_bytes(&out)), want);
	buf_close(&out);
}

/* A text with references, what it is, and how it is printed (NULL: as it was). */
static void refers(const char *text, const char *want, const char *back)
{
	struct buf out = BUF_INIT, again = BUF_INIT;
	struct diag_error err = {0};

	if (diag_parse(bytes_of(text), DIAG_REFS, &out, NULL, NULL, &err) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s at %zu", text, err.why, err.offset);
	CHECK_STR(hex(buf_bytes(&out)), want);
	diag_print(&again, out.data);
	buf_byte(&again, 0);
	CHECK_STR((const char *)again.data, back ? back : text);
	buf_close(&again);
	buf_close(&out);
}

static void refused_with(const char *text, unsigned flags, int code, size_t offset, const char *why)
{
	struct buf out = BUF_INIT;
	struct diag_error err = {0};
	int rc;

	buf_text(&out, "kept");
	rc = diag_parse(bytes_of(text), flags, &out, NULL, NULL, &err);
	if (rc != code || err.code != code || err.offset != offset || strcmp(err.why, why) != 0)
		test_fail(__FILE__, __LINE__, "%s: %d at %zu: %s, not %d at %zu: %s", text, rc,
			  err.offset, err.why, code, offset, why);
	CHECK_INT(out.len, 4);
	CHECK(!out.failed);
	buf_close(&out);
}

static void refused(const char *text, size_t offset, const char *why)
{
	refused_with(text, DIAG_FORMALS, ERROR_SYNTAX, offset, why);
}

TEST(numbers)
{
	parses("0", "00");
	parses("-0", "00");
	parses("-1", "20");
	parses(" 17 ", "11");
	parses("9999999999999999999", "1b8ac7230489e7ffff");
	parses("10000000000000000000", "1b8ac7230489e80000");
	parses("18446744073709551615", "1bffffffffffffffff");
	parses("18446744073709551616", "c249010000000000000000");
	parses("-18446744073709551616", "3bffffffffffffffff");
	parses("-18446744073709551617", "c349010000000000000000");
	parses("1.0", "f93c00");
	parses("1e0", "f93c00");
	parses("1E+2", "f95640");
	parses("-0.0", "f98000");
	parses("1e-999", "f90000");
	parses("NaN", "f97e00");
	parses("Infinity", "f97c00");
	parses("-Infinity", "f9fc00");
	refused("01", 0, "a number with a leading 0");
	refused("-01", 0, "a number with a leading 0");
	refused("1.", 1, "expected the end, found .");
	refused("1e", 1, "expected the end, found e");
	refused(".5", 0, "expected a value, found .");
	refused("-", 1, "expected a digit, found the end");
	refused("-x", 1, "expected a digit, found x");
	refused("+1", 0, "expected a value, found +");
	refused_with("[1e999]", 0, ERROR_LIMIT, 1, "beyond the greatest float");
}

TEST(the_number_of_digits_is_limited)
{
	for (unsigned n = DECIMAL_DIGITS - 1; n <= DECIMAL_DIGITS + 1; n++) {
		char *text = xmalloc(n + 1);

		memset(text, '9', n);
		text[n] = '\0';
		for (int is_float = 0; is_float < 2; is_float++) {
			struct buf out = BUF_INIT;
			struct diag_error err;
			int rc;

			if (is_float) {
				memset(text, '1', n);
				text[1] = '.';
			}
			rc = diag_parse(bytes_of(text), 0, &out, NULL, NULL, &err);
			CHECK_INT(rc, n <= DECIMAL_DIGITS ? 0 : ERROR_LIMIT);
			buf_close(&out);
		}
		xfree(text);
	}
}

/* A bignum of `n` bytes goes out as digits up to a limit, and always comes back. */
TEST(bignums_of_any_size_come_back)
{
	static const size_t sizes[] = {
	    9, 10, 16, 100, DECIMAL_BYTES - 1, DECIMAL_BYTES, DECIMAL_BYTES + 1, 5000};

	for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i / 2];
		struct buf item = BUF_INIT, text = BUF_INIT, back = BUF_INIT;
		struct diag_error err;

		item_put_head(&item, ITEM_TAG, 2 + i % 2);
		item_put_head(&item, ITEM_BYTES, n);
		for (size_t k = 0; k < n; k++)
			buf_byte(&item, k == 0 ? 0xff : i % 4 < 2 ? 0xff : (uint8_t)test_random());
		diag_print(&text, item.data);
		CHECK((memchr(text.data, '(', text.len) != NULL) == (n > DECIMAL_BYTES));
		CHECK_INT(diag_parse(buf_bytes(&text), 0, &back, NULL, NULL, &err), 0);
		CHECK(bytes_equal(buf_bytes(&item), buf_bytes(&back)));
		buf_close(&item);
		buf_close(&text);
		buf_close(&back);
	}
}

TEST(strings)
{
	parses("\"\"", "60");
	parses("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fc\\ud83d\\ude00\"",
	       "6f61225c2f080c0a0d09c3bcf09f9880");
	parses("h''", "40");
	parses("h'01 fF'", "4201ff");
	parses("h'0 1 / one / # two\n02'", "420102");
	parses("b64''", "40");
	parses("b64'AQID'", "43010203");
	parses("b64'AQ=='", "4101");
	parses("b64'AQ'", "4101");
	parses("b64'_-8='", "42ffef");
	parses("b64'/+8'", "42ffef");
	parses("'it\\'s'", "4469742773");
	parses("'\"'", "4122");
	parses("\"'\"", "6127");
	parses("(_ \"a\", \"\", \"bc\")", "63616263");
	parses("(_ h'01', b64'Ag', '3')", "43010233");
	parses("\"\"_", "60");
	refused("\"abc", 0, "a string without its closing \"");
	refused("['abc]", 1, "a string without its closing '");
	refused("\"a\nb\"", 2, "a control character in a string: write \\u000a");
	refused("\"\\x\"", 1,
		"no such escape (there are \\\" \\' \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)");
	refused("\"\\u12g4\"", 5, "expected four hex digits, found g");
	refused("\"\\ud800\"", 1, "half of a surrogate pair");
	refused("\"\\ud800\\u0041\"", 1, "half of a surrogate pair");
	refused("\"\\udc00\"", 1, "half of a surrogate pair");
	refused("\"\\", 2, "expected an escape, found the end");
	refused("\"a\xff\"", 2, "invalid UTF-8");
	refused("\"a\xed\xa0\x80\"", 2, "invalid UTF-8");
	refused("h'0'", 3, "expected the second digit of a byte, found '");
	refused("h'0g'", 3, "expected the second digit of a byte, found g");
	refused("h'x'", 2, "expected hex digits or ', found x");
	refused("h'01", 4, "expected hex digits or ', found the end");
	refused("b64'A'", 5, "the base64 is cut, or its padding is wrong");
	refused("b64'AQ='", 7, "the base64 is cut, or its padding is wrong");
	refused("b64'AR'", 6, "the base64 is cut, or its padding is wrong");
	refused("b64'A!'", 5, "expected base64 digits or ', found !");
	refused("b64'AQ", 4, "a string without its closing '");
	refused("(_ \"a\", h'01')", 8, "chunks of text and of bytes in one string");
	refused("(_ )", 3, "expected a string, found )");
	refused("(_ 1)", 3, "expected a string, found 1");
	refused("(\"a\")", 1, "expected _ (chunks of a string are (_ \"a\", \"b\")), found \"");
	refused("(_ \"a\"", 6, "expected , or ), found the end");
}

TEST(a_string_of_any_length_has_the_shortest_head)
{
	static const size_t lengths[] = {0, 1, 23, 24, 255, 256, 65535, 65536, 70000};

	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct buf text = BUF_INIT, want = BUF_INIT, out = BUF_INIT;
		struct diag_error err;

		buf_byte(&text, '"');
		item_put_head(&want, ITEM_TEXT, lengths[i]);
		for (size_t k = 0; k < lengths[i]; k++) {
			buf_byte(&text, 'x');
			buf_byte(&want, 'x');
		}
		buf_byte(&text, '"');
		CHECK_INT(diag_parse(buf_bytes(&text), 0, &out, NULL, NULL, &err), 0);
		CHECK(bytes_equal(buf_bytes(&out), buf_bytes(&want)));
		buf_close(&text);
		buf_close(&want);
		buf_close(&out);
	}
}

TEST(simple_values_and_tags)
{
	parses("[true, false, null, undefined]", "84f5f4f6f7");
	parses("simple(0)", "e0");
	parses("simple( 255 )", "f8ff");
	parses("simple(22)", "f6");
	parses("1(2)", "c102");
	parses("1 ", "01");
	parses("32(\"a\")", "d8206161");
	parses("18446744073709551615(0)", "dbffffffffffffffff00");
	parses("2(h'00ff')", "18ff");
	refused("simple(24)", 7, "simple values are 0 to 23 and 32 to 255");
	refused("simple(31)", 7, "simple values are 0 to 23 and 32 to 255");
	refused("simple(256)", 7, "simple values are 0 to 23 and 32 to 255");
	refused("simple()", 7, "expected a number, found )");
	refused("simple(1", 8, "expected ), found the end");
	refused("18446744073709551616(0)", 0, "tags are 0 to 18446744073709551615");
	refused("-1(0)", 0, "tags are 0 to 18446744073709551615");
	refused("1.5(0)", 0, "tags are 0 to 18446744073709551615");
	refused("1(2", 3, "expected ), found the end");
	refused("1()", 2, "expected a value, found )");
	refused("[2(1)]", 3, "a bignum that is not a byte string");
	refused("True", 0, "expected a value; text stands in quotes: \"True\"");
	refused("[job]", 1, "expected a value; text stands in quotes: \"job\"");
	refused("[a.png]", 1, "expected a value; text stands in quotes: \"a\"");
}

TEST(arrays_and_maps)
{
	parses("[]", "80");
	parses("[ ]", "80");
	parses("[1,[2,3]]", "8201820203");
	parses("{}", "a0");
	parses("{\"b\": 1, \"a\": 2}", "a2616102616201");
	parses("{1: 2, [1]: 3, {}: 4}", "a30102810103a004");
	parses("[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22]",
	       "97000102030405060708090a0b0c0d0e0f10111213141516");
	parses("[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23]",
	       "9818000102030405060708090a0b0c0d0e0f1011121314151617");
	refused("[", 1, "expected a value, found the end");
	refused("[1", 2, "expected , or ], found the end");
	refused("[1 2]", 3, "expected , or ], found 2");
	refused("[1,]", 3, "expected a value, found ]");
	refused("[,1]", 1, "expected a value, found ,");
	refused("[1}", 2, "expected , or ], found }");
	refused("{1}", 2, "expected :, found }");
	refused("{1:}", 3, "expected a value, found }");
	refused("{1:2", 4, "expected , or }, found the end");
	refused("{\"a\": 1, \"b\": 2, \"a\": 3}", 17, "duplicate map key");
	refused("[0, {\"k\": [{1: 0, 0x: 0}]}]", 19, "expected :, found x");
	refused("[0, {\"k\": [{1: 0, 2: 0, 2(h'01'): 0}]}]", 24, "duplicate map key");
	refused("", 0, "expected a value, found the end");
	refused("  ", 2, "expected a value, found the end");
	refused("[1] 2", 4, "expected the end, found 2");
	refused("[é, ü]", 1, "expected a value, found é");
	refused("[\x01]", 1, "expected a value, found byte 1");
	refused("[\xff]", 1, "expected a value, found byte 255");
}

TEST(comments_and_encoding_indicators_say_nothing)
{
	parses("/ a / [1, / b / 2 // ] # c\n# d", "820102");
	parses("[_ 1, 2]", "820102");
	parses("[_0 1, 2_3]", "820102");
	parses("{_ \"a\": 1}", "a1616101");
	parses("[_ ]", "80");
	parses("1_1(4711_2)", "c1191267");
	parses("1.5_3", "f93e00");
	parses("[\"a\"_1, h'01'_0]", "8261614101");
	parses("(_ \"a\"_0, \"b\")", "626162");
	parses("NaN_1", "f97e00");
	refused("[1 / one]", 3, "a comment without its second /");
}

TEST(formals)
{
	parses("[?]", "81d9544cf6");
	parses("[?any]", "81d9544cf6");
	parses("[?int, ?text]", "82d9544c63696e74d9544c6474657874");
	parses("[?n:int]", "81d9544c63696e74");
	parses("[ ?n:any , ?m-1:text ]", "82d9544cf6d9544c6474657874");
	parses("[[?int], {\"k\": ?}]", "8281d9544c63696e74a1616bd9544cf6");
	parses("{21580(\"int\"): ?int}", "a1d9544c63696e74d9544c63696e74");
	parses("21580(\"int\")", "d9544c63696e74");
	parses("[? / anything /]", "81d9544cf6");
	refused(
	    "[?foo]", 2,
	    "no such type; there are null bool int float number text bytes array map tag simple "
	    "undefined, and ? or any");
	refused(
	    "[?n:foo]", 4,
	    "no such type; there are null bool int float number text bytes array map tag simple "
	    "undefined, and ? or any");
	refused("[[?n:int]]", 3, "only a field of the template itself has a name");
	refused("{\"a\": ?n:int}", 7, "only a field of the template itself has a name");
	refused("?n:int", 1, "only a field of the template itself has a name");
	refused_with("[1, ?int]", 0, ERROR_SYNTAX, 4,
		     "a formal (?) stands in templates only; as text: \"?\"");
}

/* Both texts are the same formal, which is printed as the second. */
static void prints(const char *text, const char *want)
{
	struct buf item = BUF_INIT, out = BUF_INIT, back = BUF_INIT;
	struct diag_error err;

	if (diag_parse(bytes_of(text), DIAG_FORMALS, &item, NULL, NULL, &err) != 0)
		test_fail(__FILE__, __LINE__, "%s: at %zu: %s", text, err.offset, err.why);
	diag_print(&out, item.data);
	CHECK_INT(diag_parse(buf_bytes(&out), DIAG_FORMALS, &back, NULL, NULL, &err), 0);
	CHECK(bytes_equal(buf_bytes(&item), buf_bytes(&back)));
	buf_byte(&out, 0);
	CHECK_STR((char *)out.data, want);
	buf_close(&item);
	buf_close(&out);
	buf_close(&back);
}

TEST(constraints_of_formals)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{"?int 1..9", NULL},
		{"[?int 1.. , 2]", "[?int>=1, 2]"},
		{"?int ..9", "?int<=9"},
		{"?int 1 .. 9", "?int 1..9"},
		{"?int -9..-1", NULL},
		{"?int>=3", NULL},
		{"?int > 3", "?int>3"},
		{"?int<=3", NULL},
		{"?int<3", NULL},
		{"?int!=3", NULL},
		{"?int>3<9", NULL},
		{"?int<9>3", "?int>3<9"},
		{"?int>=3>4<=9<8", "?int 3..9>4<8"},
		{"?int 1..18446744073709551616", NULL},
		{"?float 0.5..1e3", "?float 0.5..1000.0"},
		{"?float -Infinity..Infinity", NULL},
		{"?number 1..2.5", NULL},
		{"?number>=1.0<2", NULL},
		{"?text \"a\"..\"b\"", NULL},
		{"?bytes h'00'..'a'", "?bytes h'00'..h'61'"},
		{"?bytes b64'AA=='..", "?bytes>=h'00'"},
		{"?text^\"img/\"", NULL},
		{"?^\"img/\"", NULL},
		{"?text ^ \"img/\" != \"img/x\"", "?text^\"img/\"!=\"img/x\""},
		{"?bytes^h'ff'", NULL},
		{"?(\"a\"|\"b\")", NULL},
		{"?( 1 | [1, 2] |{1: 2})", "?(1|[1, 2]|{1: 2})"},
		{"?(1)", NULL},
		{"?int(1|2)", NULL},
		{"?int(1|2)1..", "?int>=1 (1|2)"},
		{"?int!=5 (1|5)", "?int(1|5)!=5"},
		{"?!=null", NULL},
		{"?!=[1, {2: 3}]", NULL},
		{"?any!=1", "?!=1"},
		{"?has{\"k\": 1}", NULL},
		{"?has{}", NULL},
		{"? has {}", "?has{}"},
		{"?map has{}", NULL},
		{"?has{\"k\": ?int 1..2, \"l\": [?has{1: ?}]}", NULL},
		{"?has{2: 0, 1: 0}", "?has{1: 0, 2: 0}"},
		{"?has{1: 2}!={1: 2}", NULL},
		{"?({}|{1: 2})has{1: ?}", "?({}|{1: 2}) has{1: ?}"},
		{"?int / from / 1 # and\n..9", "?int 1..9"},
		{"1(?int>0)", NULL},
		{"?float>=-0.0", NULL},
		{"?int>=2(h'05')", "?int>=5"},
		{"?int 1..2 # end", "?int 1..2"},
		/* what the text does not say so is shown as the tag it is */
		{"21580({\"ge\": 1, \"type\": \"int\"})", "?int>=1"},
		{"21580({\"type\": \"int\"})", NULL},
		{"21580({\"type\": null, \"ne\": 1})", "21580({\"ne\": 1, \"type\": null})"},
		{"21580({\"ge\": 1})", NULL},
		{"21580({\"ge\": ?int})", NULL},
		{"21580({})", NULL},
		{"{21580({\"ge\": 1, \"type\": \"int\"}): ?int>=1}", NULL},
		{"{[21580(null)]: 21580(null)}", "{[21580(null)]: ?}"},
		{"21580({\"order\": \"min\"})", NULL},
		{"21580({\"type\": \"int\", \"order\": \"min\"})", "?int min"},
		{"[?int min]", NULL},
		{"[?text^\"img/\" max]", NULL},
		{"[?int max 1..9]", "[?int 1..9 max]"},
		{"[?float>=0.5 max]", NULL},
		{"[?int 1.. min]", "[?int>=1 min]"},
		{"[?int(1|2) min !=3]", "[?int(1|2)!=3 min]"},
		{"[?n:number min # as a field's name stays here\n]", "[?number min]"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		prints(rows[i].text, rows[i].printed ? rows[i].printed : rows[i].text);
}

TEST(wrong_constraints_are_named_where_they_stand)
{
	static const char only[] = "only int float number text bytes have ranges: ge",
			  value[] = "a formal where only a value may stand",
			  range[] = "expected .. (a range is 1..9, 1.. or ..9), found ]";
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} rows[] = {
		{"[?min]", 2, "min and max need a type (int float number text bytes): order"},
		{"[? max]", 3, "min and max need a type (int float number text bytes): order"},
		{"[?n:array max]", 10, "only int float number text bytes have min and max: order"},
		{"[?int min max]", 10, "a constraint that is there already: order"},
		{"[?int minimum]", 6, "expected a value; text stands in quotes: \"minimum\""},
		{"[? 1..9]", 3, "a range needs a type (int float number text bytes): ge"},
		{"[?>=1]", 4, "a range needs a type (int float number text bytes): ge"},
		{"[?any ..9]", 8, "a range needs a type (int float number text bytes): le"},
		{"[?bool >= true]", 10, only},
		{"[?array >=[1]]", 10, only},
		{"[?int 1.0..2]", 6, "the bound is not of the formal's type: ge"},
		{"[?int 1..2.0]", 9, "the bound is not of the formal's type: le"},
		{"[?text>5]", 7, "the bound is not of the formal's type: gt"},
		{"[?float<NaN]", 8, "NaN is no bound: lt"},
		{"[?int 1]", 7, range},
		{"[?text \"a\"]", 10, range},
		{"[?int ..]", 8, "expected a bound, found ]"},
		{"[?int .9]", 6, "expected .. (a range is 1..9, 1.. or ..9), found ."},
		{"[?int >]", 7, "expected a value, found ]"},
		{"[?int !5]", 7, "expected = (another value is !=5), found 5"},
		{"[?int=5]", 5, "expected , or ], found ="},
		{"[?int>1>2]", 7, "a constraint that is there already: gt"},
		{"[?int 1..9<=8]", 10, "a constraint that is there already: le"},
		{"[?int>=1 1..9]", 9, "a constraint that is there already: ge"},
		{"[?(1)(2)]", 5, "a constraint that is there already: oneof"},
		{"[?^1]", 3, "a prefix is a text or bytes: prefix"},
		{"[?text^h'61']", 7, "the prefix is not of the formal's type: prefix"},
		{"[?()]", 3, "expected a value, found )"},
		{"[?(1,2)]", 4, "expected | or ), found ,"},
		{"[?(1|?int)]", 5, value},
		{"[?(1|[?])]", 6, value},
		{"[?!=?]", 4, value},
		{"[?int>=?int]", 7, value},
		{"[?has]", 5, "expected { (has is followed by a map), found ]"},
		{"[?has[1]]", 5, "expected { (has is followed by a map), found ["},
		{"[?int has{}]", 9, "only maps have entries: has"},
		{"[?has{?: 1}]", 6, "a formal in the key of a map"},
		{"[{?int: 1}]", 2, "a formal in the key of a map"},
		{"[?has{1: ?n:int}]", 10, "only a field of the template itself has a name"},
		{"[?has{1: 2, 1: 3}]", 12, "duplicate map key"},
		{"[?!={1: 2, 1: 3}]", 11, "duplicate map key"},
		{"[?n:]", 4, "expected a type, found ]"},
		{"[?int foo]", 6, "expected a value; text stands in quotes: \"foo\""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = BUF_INIT;
		struct diag_error err = {0};
		int rc = diag_parse(bytes_of(rows[i].text), DIAG_FORMALS, &out, NULL, NULL, &err);

		if (rc != ERROR_SYNTAX || err.offset != rows[i].at ||
		    strcmp(err.why, rows[i].why) != 0)
			test_fail(__FILE__, __LINE__, "%s: %d at %zu: %s", rows[i].text, rc,
				  err.offset, err.why);
		CHECK_INT(out.len, 0);
		buf_close(&out);
	}
}

TEST(a_choice_and_its_depth_at_the_limit)
{
	for (unsigned n = 1023; n <= 1025; n++) {
		struct buf text = BUF_INIT, out = BUF_INIT;
		struct diag_error err;

		for (unsigned i = 0; i < n; i++)
			buf_printf(&text, "%s%u", i == 0 ? "[?(" : "|", i);
		buf_text(&text, ")]");
		CHECK_INT(diag_parse(buf_bytes(&text), DIAG_FORMALS, &out, NULL, NULL, &err),
			  n > 1024 ? ERROR_LIMIT : 0);
		if (n > 1024) {
			CHECK_STR(err.why, "more than 1024 values: oneof");
			CHECK_INT(err.offset, 2);
		}
		buf_close(&text);
		buf_close(&out);
	}
	for (unsigned n = 19; n <= 22; n++) { /* each is a tag and two maps deep */
		struct buf text = BUF_INIT, out = BUF_INIT;
		struct diag_error err;

		for (unsigned i = 0; i < n; i++)
			buf_text(&text, i == 0 ? "[?has{1:" : "?has{1:");
		buf_text(&text, "1");
		for (unsigned i = 0; i < n; i++)
			buf_text(&text, "}");
		buf_text(&text, "]");
		CHECK_INT(diag_parse(buf_bytes(&text), DIAG_FORMALS, &out, NULL, NULL, &err),
			  n > 21 ? ERROR_LIMIT : 0);
		buf_close(&text);
		buf_close(&out);
	}
}

TEST(references_come_and_go_as_text)
{
	refers("@0.1", "d9544d820001", NULL);
	refers("[\"n\", @15.254]", "82616ed9544d820f18fe", NULL);
	refers("[@0.1+1, [@1.0-1]]", "82d9544d8300010181d9544d83010020", NULL);
	refers("{\"k\": @0.0+18446744073709551616}", "a1616bd9544d830000c249010000000000000000",
	       NULL);
	refers("@0.0-18446744073709551617", "d9544d830000c349010000000000000000", NULL);
	refers("@0.0+0", "d9544d83000000", NULL);
	refers("@0.0-0", "d9544d83000000", "@0.0+0");
	refers("21581([0, 1])", "d9544d820001", "@0.1");
	refers("21581([16, 1])", "d9544d821001", NULL);
	refers("21581([0, 255])", "d9544d820018ff", NULL);
	refers("21581([0, 1, 1.5])", "d9544d830001f93e00", NULL);
	refers("21581(0)", "d9544d00", NULL);
	refers("{21581([0, 1]): 1}", "a1d9544d82000101", NULL);
}

TEST(wrong_references_are_named_where_they_stand)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *why;
	} rows[] = {
		{"[@]", 2, "expected a guard's number, found ]"},
		{"[@n]", 2, "expected a guard's number, found n"},
		{"[@16.0]", 2, "expected a guard's number, 0 to 15"},
		{"[@00.0]", 2, "expected a guard's number, 0 to 15"},
		{"[@1]", 3, "expected . (a reference is @guard.field), found ]"},
		{"[@1.]", 4, "expected a field's number, found ]"},
		{"[@1.255]", 4, "expected a field's number, 0 to 254"},
		{"[@1.4294967296]", 4, "expected a field's number, 0 to 254"},
		{"[@0.1+]", 6, "expected digits: @0.1+5, @0.1-1"},
		{"[@0.1+-1]", 6, "expected digits: @0.1+5, @0.1-1"},
		{"[@0.1+1.5]", 6, "a reference adds an integer"},
		{"[@0.1 + 1]", 6, "expected , or ], found +"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		refused_with(rows[i].text, DIAG_REFS, ERROR_SYNTAX, rows[i].offset, rows[i].why);
	refused("[@0.1]", 1, "a reference (@) stands in what an atomic puts; as text: \"@\"");
	refused_with("[@0.1]", 0, ERROR_SYNTAX, 1,
	             "a reference (@) stands in what an atomic puts; as text: \"@\"");
}

TEST(names_stay_with_their_fields)
{
	static const char text[] = "[\"job\", ?n:int, ?, ?path:text]";
	struct buf out = BUF_INIT;
	struct diag_names names;
	struct diag_error err;

	CHECK_INT(diag_parse(bytes_of(text), DIAG_FORMALS, &out, &names, NULL, &err), 0);
	CHECK_INT(names.count, 2);
	CHECK_INT(names.at[0].field, 1);
	CHECK(bytes_equal(names.at[0].name, bytes_of("n")));
	CHECK_INT(names.at[1].field, 3);
	CHECK(bytes_equal(names.at[1].name, bytes_of("path")));
	CHECK(names.at[1].name.p == (const uint8_t *)text + 20);
	CHECK_INT(diag_parse(bytes_of("[?]"), DIAG_FORMALS, &out, &names, NULL, &err), 0);
	CHECK_INT(names.count, 0);
	CHECK_INT(diag_parse(bytes_of("[?n:int, ?n:int]"), DIAG_FORMALS, &out, &names, NULL, &err),
		  ERROR_SYNTAX);
	CHECK_STR(err.why, "this name is there already");
	CHECK_INT(err.offset, 10);
	buf_close(&out);
}

TEST(many_items_are_read_one_by_one)
{
	static const char text[] = "[1] # first\n[2]{}";
	struct bytes rest = bytes_of(text);
	struct buf out = BUF_INIT;
	struct diag_error err;
	size_t used;

	CHECK_INT(diag_parse(rest, DIAG_MANY, &out, NULL, &used, &err), 0);
	CHECK_INT(used, 12);
	rest.p += used;
	rest.n -= used;
	CHECK_INT(diag_parse(rest, DIAG_MANY, &out, NULL, &used, &err), 0);
	CHECK_INT(used, 3);
	rest.p += used;
	rest.n -= used;
	CHECK_INT(diag_parse(rest, DIAG_MANY, &out, NULL, &used, &err), 0);
	CHECK_INT(used, rest.n);
	CHECK_STR(hex(buf_bytes(&out)), "81018102a0");
	buf_close(&out);
}

/* `depth` brackets around a 0. */
static void nest(struct buf *b, const char *open, const char *shut, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_text(b, open);
	buf_byte(b, '0');
	for (unsigned i = 0; i < depth; i++)
		buf_text(b, shut);
}

TEST(depth_is_limited_and_100000_brackets_do_no_harm)
{
	static const char *const open[] = {"[", "{0:", "1(", "{"}, *const shut[] = {"]", "}", ")",
										    ":0}"};
	static const unsigned depths[] = {63, 64, 65, 100000};

	for (unsigned i = 0; i < 16; i++) {
		struct buf text = BUF_INIT, out = BUF_INIT;
		struct diag_error err;
		unsigned depth = depths[i % 4];
		int rc;

		nest(&text, open[i / 4], shut[i / 4], depth);
		rc = diag_parse(buf_bytes(&text), 0, &out, NULL, NULL, &err);
		CHECK_INT(rc, depth <= 64 ? 0 : ERROR_LIMIT);
		if (rc != 0)
			CHECK_STR(err.why, "nested more than 64 deep");
		buf_close(&text);
		buf_close(&out);
	}
}

TEST(heads_are_limited)
{
	for (unsigned items = CODEC_HEADS_FRAME - 2; items <= CODEC_HEADS_FRAME; items++) {
		struct buf text = BUF_INIT, out = BUF_INIT;
		struct diag_error err;
		int rc;

		buf_text(&text, "[0");
		for (unsigned i = 1; i < items; i++)
			buf_text(&text, ",0");
		buf_text(&text, "]");
		rc = diag_parse(buf_bytes(&text), 0, &out, NULL, NULL, &err);
		CHECK_INT(rc, items < CODEC_HEADS_FRAME ? 0 : ERROR_LIMIT);
		if (rc != 0) {
			CHECK_STR(err.why, "too many items");
			CHECK_INT(err.offset, text.len - 2);
		}
		buf_close(&text);
		buf_close(&out);
	}
}

TEST(random_items_come_back_from_their_text)
{
	for (unsigned i = 0; i < 5000; i++) {
		struct buf item = BUF_INIT, text = BUF_INIT, back = BUF_INIT;
		struct diag_error err;

		random_item(&item, NULL, (unsigned)test_random_below(6));
		diag_print(&text, item.data);
		if (diag_parse(buf_bytes(&text), DIAG_FORMALS, &back, NULL, NULL, &err) != 0)
			test_fail(__FILE__, __LINE__, "%.*s: %s at %zu", (int)text.len,
				  (char *)text.data, err.why, err.offset);
		if (!bytes_equal(buf_bytes(&item), buf_bytes(&back)))
			test_fail(__FILE__, __LINE__, "%.*s", (int)text.len, (char *)text.data);
		buf_close(&item);
		buf_close(&text);
		buf_close(&back);
	}
}

TEST(random_doubles_come_back_from_their_text)
{
	for (unsigned i = 0; i < 200000; i++) {
		struct buf text = BUF_INIT, item = BUF_INIT, back = BUF_INIT;
		struct diag_error err;
		uint64_t bits =
		    i % 4 == 0 ? test_random() >> 12 >> test_random_below(52) : test_random();
		double v;

		memcpy(&v, &bits, sizeof v);
		item_put_float(&item, v);
		diag_print(&text, item.data);
		CHECK_INT(diag_parse(buf_bytes(&text), 0, &back, NULL, NULL, &err), 0);
		if (!bytes_equal(buf_bytes(&item), buf_bytes(&back)))
			test_fail(__FILE__, __LINE__, "%.*s is not %a", (int)text.len,
				  (char *)text.data, v);
		buf_close(&item);
		buf_close(&text);
		buf_close(&back);
	}
}

static void json(const char *text, bool lossy, const char *want, const char *want_path)
{
	struct buf item = BUF_INIT, out = BUF_INIT, path = BUF_INIT;
	struct diag_error err;
	int rc;

	CHECK_INT(diag_parse(bytes_of(text), 0, &item, NULL, NULL, &err), 0);
	rc = diag_json(&out, item.data, lossy, &path);
	buf_byte(&out, '\0');
	buf_byte(&path, '\0');
	CHECK_STR((char *)out.data, want);
	CHECK_STR((char *)path.data, want_path);
	CHECK_INT(rc, *want != '\0' ? 0 : ERROR_VALUE);
	buf_close(&item);
	buf_close(&out);
	buf_close(&path);
}

TEST(json_holds_what_it_can)
{
	json("[1, -1, 1.0, 1.5, 1e300, true, false, null]", false,
	     "[1, -1, 1.0, 1.5, 1e+300, true, false, null]", "");
	json("[9007199254740993, 18446744073709551616, -18446744073709551617]", false,
	     "[9007199254740993, 18446744073709551616, -18446744073709551617]", "");
	json("{\"k\\n\": [\"\\u0000\\u0085é\"]}", false, "{\"k\\n\": [\"\\u0000\\u0085é\"]}", "");
	json("[[], {}]", false, "[[], {}]", "");
	json("-18446744073709551616", false, "-18446744073709551616", "");
}

TEST(json_names_the_path_to_what_it_cannot_hold)
{
	json("h''", false, "", "");
	json("[1, h'00']", false, "", "[1]");
	json("[1, {\"a\": 0, \"k\": NaN}]", false, "", "[1].\"k\"");
	json("[[0, [Infinity]]]", false, "", "[0][1][0]");
	json("[0, 1, undefined]", false, "", "[2]");
	json("[simple(0)]", false, "", "[0]");
	json("[{\"a\": [1(0)]}]", false, "", "[0].\"a\"[0]");
	json("[{\"a\": {2: 0}}]", false, "", "[0].\"a\".2");
	json("[{\"a\": {null: 0}}]", false, "", "[0].\"a\".null");
}

TEST(lossy_json_holds_everything)
{
	json("[h'', h'fb', h'fbff', h'fbfffe']", true, "[\"\", \"-w\", \"-_8\", \"-__-\"]", "");
	json("[NaN, Infinity, undefined, simple(0), 1(2), 1([h'00'])]", true,
	     "[null, null, null, null, 2, [\"AA\"]]", "");
	json("{1: 0, h'01': 1, [\"a\"]: 2}", true, "{\"1\": 0, \"h'01'\": 1, \"[\\\"a\\\"]\": 2}",
	     "");
}

static void caret(const char *text, size_t offset, const char *want)
{
	struct buf out = BUF_INIT;
	struct diag_error err = {ERROR_SYNTAX, offset, ""};

	diag_caret(&out, bytes_of(text), &err);
	buf_byte(&out, '\0');
	CHECK_STR((char *)out.data, want);
	buf_close(&out);
}

TEST(the_caret_stands_under_the_place)
{
	caret("[1 2]", 3, "[1 2]\n   ^\n");
	caret("", 0, "\n^\n");
	caret("[1", 2, "[1\n  ^\n");
	caret("[1", 99, "[1\n  ^\n");
	caret("[\"äöü\" 2]", 9, "[\"äöü\" 2]\n      ^\n");
	caret("[1,\n2 3,\n4]", 6, "2 3,\n  ^\n");
	caret("a\tb\x1b"
	      "c\xff"
	      "d",
	      6, "a b?c?d\n      ^\n");
}

TEST(a_wide_line_is_cut_around_the_caret)
{
	char text[201];
	struct buf out = BUF_INIT;

	for (int i = 0; i < 200; i++)
		text[i] = (char)('0' + i % 10);
	text[200] = '\0';
	for (size_t at = 0; at <= 200; at++) {
		struct diag_error err = {ERROR_SYNTAX, at, ""};
		const char *line, *mark;

		out.len = 0;
		diag_caret(&out, bytes_of(text), &err);
		buf_byte(&out, '\0');
		line = (char *)out.data;
		mark = strchr(line, '\n') + 1;
		CHECK(mark - line <= 84);
		if (at < 200)
			CHECK_INT(line[strcspn(mark, "^")], text[at]);
	}
	buf_close(&out);
}

TEST(out_of_memory_is_an_error_at_every_allocation)
{
	static const char text[] =
	    "[{\"b\": [1, 2, \"a text of more than twenty-four characters\"], \"a\": "
	    "18446744073709551616}, 1.5, h'00', [\"more and more, so that it grows\"], "
	    "?int 1..9 (1|2)!=3, ?has{\"k\": ?text^\"a prefix of more than twenty-four "
	    "characters\"}]";
	int rc = ERROR_NOMEM;

	for (unsigned long n = 1; rc != 0; n++) {
		struct buf out = BUF_INIT;
		struct diag_error err = {0};

		CHECK(n < 100);
		xmalloc_fail_at(n, 0);
		rc = diag_parse(bytes_of(text), DIAG_FORMALS, &out, NULL, NULL, &err);
		xmalloc_fail_at(0, 0);
		CHECK(rc == 0 ? n > 1 : rc == ERROR_NOMEM);
		CHECK(rc == 0 || out.len == 0);
		buf_close(&out);
	}
}
