/* C-Linda formats: values to bytes, bytes to variables, errors that name the field. */
#include "../lib/harness.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/linda.h"
#include "../../libclient/tilia.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

static struct linda l;

static int build(bool formals, const char *format, ...)
{
	va_list args;
	int code;

	va_start(args, format);
	code = linda_build(&l, formals, format, args);
	va_end(args);
	return code;
}

/* What was built is these bytes. */
static void built(const char *hex)
{
	uint8_t want[512];
	size_t n = test_unhex(hex, want, sizeof(want));

	for (size_t i = 0;
	     !bytes_equal(buf_bytes(&l.item), (struct bytes){want, n}) && i < l.item.len; i++)
		fprintf(stderr, "%02x ", l.item.data[i]);
	CHECK(bytes_equal(buf_bytes(&l.item), (struct bytes){want, n}));
	linda_close(&l);
}

#define BUILT(hex, ...)                                                                            \
	do {                                                                                       \
		CHECK_INT(build(false, __VA_ARGS__), 0);                                           \
		built(hex);                                                                        \
	} while (0)

#define TEMPLATE(hex, ...)                                                                         \
	do {                                                                                       \
		CHECK_INT(build(true, __VA_ARGS__), 0);                                            \
		built(hex);                                                                        \
	} while (0)

#define REFUSED(code, text, formals, ...)                                                          \
	do {                                                                                       \
		CHECK_INT(build(formals, __VA_ARGS__), code);                                      \
		CHECK_STR(l.why, text);                                                            \
		linda_close(&l);                                                                   \
	} while (0)

TEST(every_letter_has_its_bytes)
{
	BUILT("80", "");
	BUILT("83 636a6f62 11 65612e706e67", "sis", "job", 17, "a.png");
	BUILT("82 20 3a7fffffff", "ii", -1, INT_MIN);
	BUILT("81 1affffffff", "u", UINT_MAX);
	BUILT("82 3b7fffffffffffffff 1b7fffffffffffffff", "ll", INT64_MIN, INT64_MAX);
	BUILT("81 1bffffffffffffffff", "L", UINT64_MAX);
	BUILT("83 f93c00 fb3fb999999999999a f97e00", "ddd", 1.0, 0.1, (double)NAN);
	BUILT("82 f5 f4", "bb", 7, 0);
	BUILT("82 60 63610062", "sS", "", "a\0b", (size_t)3);
	BUILT("82 40 420001", "yy", NULL, (size_t)0, "\0\1", (size_t)2);
	BUILT("84 f6 f7 e0 f820", "n U, v v", 0, 32);
	BUILT("81 d81e820102", "t[ii]", (uint64_t)30, 1, 2);
	BUILT("82 c249010000000000000000 02", "tyi", (uint64_t)2, "\1\0\0\0\0\0\0\0\0", (size_t)9,
	      2);
	BUILT("81 1901f4", "ty", (uint64_t)2, "\x01\xf4", (size_t)2); /* a bignum that fits */
	BUILT("83 8101 820203 80", "[i][ii][]", 1, 2, 3);
	BUILT("81 a20102616103", "{siii}", "a", 3, 1, 2);
	BUILT("81 82 01 a161788102", "[i{s[i]}]", 1, "x", 2);
	BUILT("82 a0 83010203", "{}c", "\x9f\x01\x18\x02\x03\xff", (size_t)6);
}

TEST(formals_have_their_class)
{
	TEMPLATE("84 d9544c63696e74 d9544c65666c6f6174 d9544c6474657874 d9544c656279746573",
	         "?i?d?s?y", NULL, NULL, NULL, NULL, NULL);
	TEMPLATE("83 d9544cf6 d9544cf6 d9544c666e756d626572", "_?c?N", NULL, NULL, NULL);
	TEMPLATE(
		"84 d9544c64626f6f6c d9544c646e756c6c d9544c69756e646566696e6564 d9544c6673696d706c65",
		"?b?n?U?v", NULL, NULL);
	TEMPLATE("83 d9544c656172726179 d9544c636d6170 d9544c63746167", "?[?{?t", NULL, NULL, NULL,
	         NULL, NULL, NULL);
	TEMPLATE("82 01 82 02 d9544c63696e74", "i[i?i]", 1, 2, NULL);
}

TEST(errors_name_the_field)
{
	char *none = NULL;

	REFUSED(ERROR_USAGE, "field 1: no such letter in the format", false, "ix", 1);
	REFUSED(ERROR_USAGE, "field 0: `?` and `_` are for templates", false, "?i", NULL);
	REFUSED(ERROR_USAGE, "field 1: `?` and `_` are for templates", false, "i_", 1);
	REFUSED(ERROR_USAGE, "field 1: no such letter after `?`", true, "i?", 1);
	REFUSED(ERROR_USAGE, "field 0: a bracket of the format is not closed", false, "[i", 1);
	REFUSED(ERROR_USAGE, "field 1: no such letter in the format", false, "i]", 1);
	REFUSED(ERROR_USAGE, "field 0: a map with a key and no value", false, "{i}", 1);
	REFUSED(ERROR_USAGE, "field 0: no `?` within a map or a tag", true, "{i?i}", 1, NULL);
	REFUSED(ERROR_USAGE, "field 0: no `?` within a map or a tag", true, "t?i", (uint64_t)9,
	        NULL);
	REFUSED(ERROR_USAGE, "field 0: a tag without content, or nested too deep", false, "t",
	        (uint64_t)9);
	REFUSED(ERROR_USAGE, "field 1: a NULL pointer", false, "is", 1, none);
	REFUSED(ERROR_VALUE, "field 0: the text is not UTF-8", false, "s", "\xff");
	REFUSED(ERROR_VALUE, "field 0: no such simple value", false, "v", 20);
	REFUSED(ERROR_VALUE, "field 0: no such simple value", false, "v", 31);
	REFUSED(ERROR_VALUE, "field 0: no such simple value", false, "v", 256);
	REFUSED(ERROR_VALUE, "field 0: tags 21580 and 21581 are the protocol's", true, "ts",
	        (uint64_t)21580, "int");
	REFUSED(ERROR_VALUE, "field 0: a formal where there can be none", false, "c",
	        "\xd9\x54\x4c\xf6", (size_t)4);
	CHECK(build(false, "ic", 1, "\x61", (size_t)1) == ERROR_VALUE);
	CHECK(strncmp(l.why, "field 1: ", 9) == 0);
	linda_close(&l);
	CHECK(build(false, "{iiii}", 1, 2, 1, 3) == ERROR_VALUE);
	linda_close(&l);
}

TEST(limits_of_a_format)
{
	char format[2 * LINDA_DEPTH + 8], fields[LINDA_SLOTS + 2];

	for (int depth = LINDA_DEPTH - 1; depth <= LINDA_DEPTH + 1; depth++) {
		memset(format, '[', (size_t)depth);
		memset(format + depth, ']', (size_t)depth);
		format[2 * depth] = '\0';
		CHECK_INT(build(false, format), depth <= LINDA_DEPTH ? 0 : ERROR_LIMIT);
		linda_close(&l);
	}
	for (int n = LINDA_SLOTS - 1; n <= LINDA_SLOTS + 1; n++) {
		memset(fields, '_', (size_t)n);
		fields[n] = '\0';
		CHECK_INT(build(true, fields), n <= LINDA_SLOTS ? 0 : ERROR_LIMIT);
		linda_close(&l);
	}
}

static int store(const char *hex)
{
	uint8_t tuple[512];
	struct bytes b = {tuple, test_unhex(hex, tuple, sizeof(tuple))};

	CHECK(linda_matches(&l, b));
	return linda_store(&l, b);
}

TEST(values_come_back_through_the_pointers)
{
	int i, v;
	unsigned u;
	int64_t i64;
	uint64_t u64;
	double d, n;
	bool b;
	char *s, *S;
	void *y, *c;
	size_t S_size, y_size, c_size;

	CHECK_INT(build(true, "?i?u?l?L?d?b?v?N", &i, &u, &i64, &u64, &d, &b, &v, &n), 0);
	CHECK_INT(store("88 20 1affffffff 3b7fffffffffffffff 1bffffffffffffffff f93c00 f5 f820 03"),
	          0);
	CHECK(i == -1 && u == UINT_MAX && i64 == INT64_MIN && u64 == UINT64_MAX);
	CHECK(d == 1.0 && b && v == 32 && n == 3.0);
	linda_close(&l);
	CHECK_INT(
		build(true, "i?s _?S ?y[i[?c]]?n", 1, &s, &S, &S_size, &y, &y_size, 7, &c, &c_size),
		0);
	CHECK_INT(store("87 01 6161 02 63610062 4101 82 07 81 83010203 f6"), 0);
	CHECK_STR(s, "a");
	CHECK(S_size == 3 && memcmp(S, "a\0b", 4) == 0);
	CHECK(y_size == 1 && memcmp(y, "\1", 2) == 0);
	CHECK(c_size == 4 && memcmp(c, "\x83\1\2\3", 4) == 0);
	linda_close(&l);
	tilia_free(s);
	tilia_free(S);
	tilia_free(y);
	tilia_free(c);
	CHECK_INT(build(true, "?N", &n), 0);
	CHECK_INT(store("81 c249010000000000000000"), 0);
	CHECK(n == 18446744073709551616.0);
	linda_close(&l);
}

TEST(formals_keep_their_place_beside_maps_tags_and_raw_items)
{
	int last = 0, inner = 0;
	static const uint8_t raw[] = {0x82, 0xd9, 0x54, 0x4c, 0xf6, 0x01}; /* [?, 1] */

	CHECK_INT(build(true, "{iisi} t[i] c [n?i] ?i", 1, 2, "a", 3, (uint64_t)40, 1, raw,
	                sizeof(raw), &inner, &last),
	          0);
	CHECK_INT(store("85 a20102616103 d8288101 826178 01 82 f6 08 09"), 0);
	CHECK_INT(inner, 8);
	CHECK_INT(last, 9);
	linda_close(&l);
}

TEST(what_does_not_fit_stores_nothing)
{
	int first = 5, i = 6;
	unsigned u;
	int64_t i64;
	char *text = NULL, *s = NULL;

	CHECK_INT(build(true, "?i?s?i", &first, &text, &i), 0);
	CHECK_INT(store("83 01 6161 1a80000000"), ERROR_VALUE);
	CHECK_STR(l.why, "field 2: the integer does not fit an int");
	CHECK(first == 5 && text == NULL && i == 6);
	linda_close(&l);
	CHECK_INT(build(true, "?i", &i), 0);
	CHECK_INT(store("81 1a7fffffff"), 0);
	CHECK_INT(store("81 3a7fffffff"), 0);
	CHECK_INT(i, INT_MIN);
	CHECK_INT(store("81 3a80000000"), ERROR_VALUE);
	CHECK_INT(store("81 c249010000000000000000"), ERROR_VALUE);
	linda_close(&l);
	CHECK_INT(build(true, "?u?l", &u, &i64), 0);
	CHECK_INT(store("82 20 01"), ERROR_VALUE);
	CHECK_STR(l.why, "field 0: the integer does not fit an unsigned");
	CHECK_INT(store("82 1b0000000100000000 01"), ERROR_VALUE);
	CHECK_INT(store("82 01 1b8000000000000000"), ERROR_VALUE);
	CHECK_INT(store("82 01 3b8000000000000000"), ERROR_VALUE);
	linda_close(&l);
	CHECK_INT(build(true, "?s", &s), 0);
	CHECK_INT(store("81 63610062"), ERROR_VALUE);
	CHECK_STR(l.why, "field 0: the text has a NUL in it (use ?S)");
	CHECK(s == NULL);
	linda_close(&l);
}

TEST(a_failed_allocation_is_answered)
{
	char *s, *more;
	unsigned long n;

	for (n = 1;; n++) {
		int code;
		unsigned long used;

		s = more = NULL;
		xmalloc_fail_at(n, 0);
		code = build(true, "?s?s{iiii}", &s, &more, 1, 2, 0, 4);
		if (code == 0)
			code = store("83 6161 6162 a200040102");
		used = xmalloc_fail_at(0, 0);
		CHECK(code == 0 || code == ERROR_NOMEM);
		CHECK((s != NULL) == (code == 0));
		linda_close(&l);
		tilia_free(s);
		tilia_free(more);
		if (used < n)
			break;
	}
	CHECK(n > 4);
}

TEST(the_public_codes_are_those_of_the_table)
{
#define X(name, code, word, text) CHECK_INT(TILIA_E_##name, ERROR_##name);
	ERROR_TABLE(X)
#undef X
	CHECK_STR(tilia_strerror(TILIA_E_FULL), error_text(ERROR_FULL));
	CHECK_STR(tilia_strword(TILIA_E_FULL), "full");
}
