/* The words form of the command line. */
#include "../../libclient/diag.h"
#include "../../libclient/error.h"
#include "../lib/harness.h"

struct result {
	int rc;
	unsigned word;
	struct diag_error err;
	struct diag_names names;
	char text[1000];
};

static struct result r;

/* Words are separated by blanks here; LITERAL marks the first behind "--". */
static void words(const char *line, unsigned flags)
{
	static char copy[1000];
	char *all[32], *rest = copy;
	unsigned count = 0, literal = 32;
	struct buf out = BUF_INIT, text = BUF_INIT;

	snprintf(copy, sizeof copy, "%s", line);
	while (rest != NULL && *rest != '\0') {
		char *word = strsep(&rest, " ");

		if (strcmp(word, "--") == 0)
			literal = count;
		else
			all[count++] = word;
	}
	memset(&r, 0, sizeof r);
	r.rc = diag_words(all, count, literal < count ? literal : count, flags, &out, &r.names,
			  &r.word, &r.err);
	if (r.rc == 0)
		diag_print(&text, out.data);
	CHECK(r.rc == 0 || out.len == 0);
	snprintf(r.text, sizeof r.text, "%.*s", (int)text.len,
		 text.len > 0 ? (char *)text.data : "");
	buf_close(&out);
	buf_close(&text);
}

static void are(const char *line, unsigned flags, const char *want)
{
	words(line, flags);
	if (r.rc != 0)
		test_fail(__FILE__, __LINE__, "%s: word %u at %zu: %s", line, r.word, r.err.offset,
			  r.err.why);
	CHECK_STR(r.text, want);
}

static void refused(const char *line, unsigned flags, unsigned word, size_t offset, const char *why)
{
	words(line, flags);
	CHECK_INT(r.rc, ERROR_SYNTAX);
	CHECK_INT(r.err.code, ERROR_SYNTAX);
	CHECK_STR(r.err.why, why);
	CHECK_INT(r.word, word);
	CHECK_INT(r.err.offset, offset);
}

TEST(words_are_numbers_words_of_json_and_text)
{
	are("", 0, "[]");
	are("job 17 a.png", 0, "[\"job\", 17, \"a.png\"]");
	are("-5 -5.5 1e3 -0 0", 0, "[-5, -5.5, 1000.0, 0, 0]");
	are("true false null True NULL", 0, "[true, false, null, \"True\", \"NULL\"]");
	are("007 1. .5 +5 1e 0x10 1_1 -", 0,
	    "[\"007\", \"1.\", \".5\", \"+5\", \"1e\", \"0x10\", \"1_1\", \"-\"]");
	are("NaN Infinity -Infinity undefined simple(1) 1(2)", 0,
	    "[\"NaN\", \"Infinity\", \"-Infinity\", \"undefined\", \"simple(1)\", \"1(2)\"]");
	are("18446744073709551616", 0, "[18446744073709551616]");
	are("\"17\" \"a\\nb\"", 0, "[\"17\", \"a\\nb\"]");
	are("x [1,2] {\"a\":1.0}", 0, "[\"x\", [1, 2], {\"a\": 1.0}]");
}

TEST(what_has_the_form_of_a_value_is_one_or_an_error)
{
	refused("x [draft]", 0, 1, 1, "expected a value; text stands in quotes: \"draft\"");
	refused("x y {a}", 0, 2, 1, "expected a value; text stands in quotes: \"a\"");
	refused("\"a\"b\"", 0, 0, 3, "expected the end, found b");
	refused("x {\"a\":1,\"a\":2}", 0, 1, 7, "duplicate map key");
	are("x [draft {draft \"draft ] } \"", 0,
	    "[\"x\", \"[draft\", \"{draft\", \"\\\"draft\", \"]\", \"}\", \"\\\"\"]");
}

TEST(the_first_bracket_decides)
{
	are("[\"job\",1]", 0, "[\"job\", 1]");
	are("[]", 0, "[]");
	refused("[1", 0, 0, 2, "expected , or ], found the end");
	refused("[1] [2]", 0, 1, 0,
		"a word that begins with [ is the whole; no other may follow it");
	refused("[draft x", 0, 1, 0,
		"a word that begins with [ is the whole; no other may follow it");
	are("-- [1", 0, "[\"[1\"]");
	are("-- [1] [2]", 0, "[\"[1]\", \"[2]\"]");
}

TEST(behind_two_dashes_every_word_is_text)
{
	are("job -- 17 true null :int n:int \"a\" {}", DIAG_FORMALS,
	    "[\"job\", \"17\", \"true\", \"null\", \":int\", \"n:int\", \"\\\"a\\\"\", \"{}\"]");
	are("job 17 -- 17", 0, "[\"job\", 17, \"17\"]");
	are("job --", 0, "[\"job\"]");
}

TEST(formals_have_a_type_and_perhaps_a_name)
{
	are("job :int path:text :any", DIAG_FORMALS, "[\"job\", ?int, ?text, ?]");
	CHECK_INT(r.names.count, 1);
	CHECK_INT(r.names.at[0].field, 2);
	CHECK(bytes_equal(r.names.at[0].name, bytes_of("path")));
	are("[\"job\",?n:int]", DIAG_FORMALS, "[\"job\", ?int]");
	CHECK_INT(r.names.count, 1);
	CHECK_INT(r.names.at[0].field, 1);
	are(":null :bool :float :number :bytes :array :map :tag :simple :undefined", DIAG_FORMALS,
	    "[?null, ?bool, ?float, ?number, ?bytes, ?array, ?map, ?tag, ?simple, ?undefined]");
	are("x [?int] {\"k\":?}", DIAG_FORMALS, "[\"x\", [?int], {\"k\": ?}]");
	refused("n:int n:text", DIAG_FORMALS, 1, 0, "this name is there already");
	refused("job :strin", DIAG_FORMALS, 1, 1,
		"no such type; there are any null bool int float number text bytes array map tag "
		"simple "
		"undefined (text with a colon stands in quotes or behind --)");
	refused("job localhost:http", DIAG_FORMALS, 1, 10,
		"no such type; there are any null bool int float number text bytes array map tag "
		"simple "
		"undefined (text with a colon stands in quotes or behind --)");
}

TEST(words_with_colons_that_are_no_formals_are_text)
{
	are("http://x:80/ 12:30 a: : a:b:c c:\\x 1:int", DIAG_FORMALS,
	    "[\"http://x:80/\", \"12:30\", \"a:\", \":\", \"a:b:c\", \"c:\\\\x\", \"1:int\"]");
	are("localhost:http", 0, "[\"localhost:http\"]");
}

TEST(a_formal_in_a_tuple_is_an_error)
{
	refused("job :int", 0, 1, 0,
		"a formal stands in templates only (as text: in quotes or behind --)");
	refused("job n:int", 0, 1, 1,
		"a formal stands in templates only (as text: in quotes or behind --)");
	refused("[\"job\",?int]", 0, 0, 7, "a formal (?) stands in templates only; as text: \"?\"");
	are("job ? ?int", 0, "[\"job\", \"?\", \"?int\"]");
}

TEST(words_must_be_utf8)
{
	refused("job a\xff", 0, 1, 1, "not UTF-8; bytes are written [h'..'] in a whole tuple");
	refused("-- job a\xff", 0, 1, 1, "not UTF-8; bytes are written [h'..'] in a whole tuple");
	are("é", 0, "[\"é\"]");
}

TEST(the_whole_is_within_the_depth)
{
	char line[200];

	for (unsigned depth = 62; depth <= 64; depth++) {
		snprintf(line, sizeof line, "x %.*s0%.*s", (int)depth,
			 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			 (int)depth,
			 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
		words(line, 0);
		CHECK_INT(r.rc, depth <= 63 ? 0 : ERROR_LIMIT);
	}
}
