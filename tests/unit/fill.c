/* Values filled into commands and tuples: whatever they are, they stay values. */
#include "../lib/harness.h"

#include "../../tools/fill.c"
#include "../../tools/fill_shell.c"
#include "../../libclient/error.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char why[FILL_WHY], text[8192];
static struct buf tuple, out;

typedef bool fill_fn(struct buf *b, const char *s, const struct fill *f, char *reason);

/* [<template>]: names; the tuple is `values`, in diagnostic notation (NULL: a check only). */
static bool fill_in(fill_fn *fn, const char *command, const char *template, const char *values)
{
	struct buf blanks = BUF_INIT;
	struct diag_names names;
	struct diag_error err;
	struct fill f = {.names = &names};
	struct item_head h;
	bool ok;

	CHECK_INT(diag_parse(bytes_of(template), DIAG_FORMALS, &blanks, &names, NULL, &err), 0);
	item_head(blanks.data, &h);
	f.arity = (unsigned)h.arg;
	buf_clear(&tuple, 0);
	buf_clear(&out, 0);
	why[0] = '\0';
	if (values != NULL) {
		CHECK_INT(diag_parse(bytes_of(values), 0, &tuple, NULL, NULL, &err), 0);
		f.tuple = tuple.data;
	}
	ok = fn(&out, command, &f, why);
	snprintf(text, sizeof text, "%.*s", (int)out.len, out.len > 0 ? (char *)out.data : "");
	buf_close(&blanks);
	return ok;
}

static void argument(const char *word, const char *values, const char *want)
{
	if (!fill_in(fill_argument, word, "[\"job\", ?n:any, ?file:any]", values))
		test_fail(__FILE__, __LINE__, "%s: %s", word, why);
	CHECK_STR(text, want);
}

TEST(an_argument_stays_one_argument)
{
	argument("{n}", "[\"job\", 17, \"a\"]", "17");
	argument("--in={file}.png", "[\"job\", 17, \"-rf / ; \\\"x\\\" $(id)\\n\"]",
	         "--in=-rf / ; \"x\" $(id)\n.png");
	argument("{0}{1}{2}", "[\"job\", -3, \"a b\"]", "job-3a b");
	argument("{n}", "[\"job\", 1.0, \"\"]", "1.0");
	argument("{n}{file}", "[\"job\", true, \"\"]", "true");
	argument("{n}", "[\"job\", {\"a\": [1, null]}, \"\"]", "{\"a\": [1, null]}");
	argument("{n}", "[\"job\", h'6162', \"\"]", "ab");
	argument("{file}", "[\"job\", 1, \"{n}{0}\"]", "{n}{0}"); /* not filled in twice */
}

TEST(braces_that_are_no_blanks_stay)
{
	const char *job = "[\"job\", 17, \"a\"]";

	argument("{}{ n}{n }{\"n\": 1}{,}{n", job, "{}{ n}{n }{\"n\": 1}{,}{n");
	argument("{\"a\":{\"b\":{n}}}", job, "{\"a\":{\"b\":17}}");
	argument("{{n}} {{print}} {{ n }}", job, "{n} {print} {{ n }}");
	argument("", job, "");
	CHECK(!fill_in(fill_argument, "{print}", "[?n:any]", NULL));
	CHECK_STR(why, "{print}: no blank has this name, no field this number");
	CHECK(!fill_in(fill_argument, "{1}", "[?n:any]", NULL));
	CHECK(!fill_in(fill_argument, "{00000000000000000001}", "[?n:any]", NULL));
	CHECK(fill_in(fill_argument, "{0}{n}", "[?n:any]", NULL));
}

TEST(a_nul_is_refused)
{
	CHECK(!fill_in(fill_argument, "x{n}", "[?n:any]", "[\"a\\u0000b\"]"));
	CHECK_STR(why, "{n}: the value has a NUL, which no command can have");
	CHECK(!fill_in(fill_argument, "{n}", "[?n:any]", "[h'00']"));
	CHECK(!fill_in(fill_shell, "echo {n}", "[?n:any]", "[\"\\u0000\"]"));
	CHECK(fill_in(fill_shell, "echo", "[?n:any]", "[\"\\u0000\"]"));
	CHECK(fill_in(fill_argument, "{n}", "[?n:any]", "[[\"\\u0000\"]]")); /* escaped */
}

/* --- the shell ------------------------------------------------------------- */

static void command(const char *c, const char *want)
{
	if (!fill_in(fill_shell, c, "[?n:any, ?f:any]", "[17, \"it's\"]"))
		test_fail(__FILE__, __LINE__, "%s: %s", c, why);
	CHECK_STR(text, want);
}

static void no_command(const char *c, const char *reason)
{
	if (fill_in(fill_shell, c, "[?n:any, ?f:any]", NULL))
		test_fail(__FILE__, __LINE__, "%s was accepted", c);
	if (strstr(why, reason) == NULL)
		test_fail(__FILE__, __LINE__, "%s: %s", c, why);
}

TEST(a_value_is_one_quoted_word_of_a_shell)
{
	command("convert {n} {f}.png", "convert '17' 'it'\\''s'.png");
	command("a{n}b;{n}|{n}&&({n})", "a'17'b;'17'|'17'&&('17')");
	command("x=$(echo {n} \"$x\"); echo 'a' \"b\" {n}",
	        "x=$(echo '17' \"$x\"); echo 'a' \"b\" '17'");
	command("echo \\{n} {n} \\' {n}", "echo \\{n} '17' \\' '17'");
	command("echo ${x%.png} \"${x#*.}\" {n} $# a#b",
	        "echo ${x%.png} \"${x#*.}\" '17' $# a#b");
	command("awk '{print}' {n}; echo \"{x}\"", "awk '{print}' '17'; echo \"{x}\"");
	command("[ {n} = {f} ] && ls x[0-9] {n}", "[ '17' = 'it'\\''s' ] && ls x[0-9] '17'");
	command("echo \"a\\\"b\" {n}", "echo \"a\\\"b\" '17'");
	command("cat <<E\n`x` $((1))\nE\n# it's", "cat <<E\n`x` $((1))\nE\n# it's"); /* no blanks */
}

TEST(a_blank_in_quotes_is_refused)
{
	no_command("echo \"{n}\"", "outside of quotes");
	no_command("echo '{n}'", "outside of quotes");
	no_command("echo \"a\\\"{n}\"", "outside of quotes");
	no_command("echo 'a\\'{n}'", "not closed");
	no_command("echo \"x {n}", "outside of quotes");
	no_command("echo {n} 'x", "not closed");
	no_command("echo {m}", "no blank");
	no_command("echo {2}", "no field");
}

TEST(what_hides_the_quotes_is_refused)
{
	no_command("echo `echo {n}`", "`...`");
	no_command("echo \"`x`\" {n}", "`...`");
	no_command("echo \"$(echo \"{n}\")\"", "within quotes");
	no_command("echo \"$(x)\" {n}", "$( ) within quotes");
	no_command("echo \"${x:-\"a\"}\" {n}", "${ }");
	no_command("echo ${x:-{n}}", "${ }");
	no_command("echo $(( {n} ))", "arithmetic");
	no_command("(( x = {n} ))", "arithmetic");
	no_command("echo $[ {n} ]", "behind x[");
	no_command("echo $[ 1 ] {n}", "arithmetic");
	no_command("cat <<E\n{n}\nE\n", "a here-document");
	no_command("echo {n} # it's", "a comment");
	no_command("# don't\necho {n}", "a comment");
	no_command("x \\\n# '\n {n}", "a comment");
	no_command("echo $'a' {n}", "$'...'");
	no_command("echo $\"a\" {n}", "$'...'");
	no_command("echo ${n}", "no $ in front");
	no_command("echo \"${n}\"", "no $ in front");
	no_command("x[{n}]=1", "behind x[");
	no_command("x[ {n} ]=1", "behind x[");
}

/* What `shell` prints for `printf %s {n}`. */
static void run(const char *shell, struct bytes want)
{
	int ends[2];
	uint8_t got[4096];
	size_t n = 0;
	ssize_t some;
	int status;
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		execlp(shell, shell, "-c", text, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	while ((some = read(ends[0], got + n, sizeof got - n)) > 0)
		n += (size_t)some;
	close(ends[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WEXITSTATUS(status) == 127)
		return; /* not here */
	CHECK_INT(status, 0);
	CHECK(bytes_equal((struct bytes){got, n}, want));
}

static void survives(struct bytes value)
{
	static const struct diag_names names = {.at = {{0, {(const uint8_t *)"n", 1}}}, .count = 1};
	struct buf one = BUF_INIT;
	struct fill f = {.names = &names, .arity = 1};

	item_put_head(&one, ITEM_ARRAY, 1);
	item_put_bytes(&one, value);
	f.tuple = one.data;
	buf_clear(&out, 0);
	CHECK(fill_shell(&out, "set -- {n} $(printf %s {n}; echo .); printf %s {n}", &f, why));
	snprintf(text, sizeof text, "%.*s", (int)out.len, (char *)out.data);
	run("sh", value);
	run("bash", value);
	buf_clear(&out, 0);
	CHECK(fill_argument(&out, "{n}", &f, why));
	CHECK(bytes_equal(buf_bytes(&out), value));
	buf_close(&one);
}

TEST(hostile_values_reach_a_shell_unharmed)
{
	static const char *const values[] = {
		"", "'", "''", "\\", "\\'", "'\\''", "\"", "$(exit 9)", "`exit 9`",
		"; exit 9", "\n",
		"a\nexit 9\n", "'; exit 9; '", "' $(exit 9) '", "-n", "--help", "*", "~", "$HOME",
		"!!", "{n}", "%s%n", "\\n", "\x01\x7f\xff\xfe", "\r\n", "a'\nb\"c`d$e\\f",
		"a['$(exit 9)']",
	};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		survives(bytes_of(values[i]));
}

TEST(random_values_reach_a_shell_unharmed)
{
	static const char set[] = "'\"\\`$(){}[];&|<>#*?!~ \n\t-=n0a\xff";

	test_random_seed(test_seed(31));
	for (int i = 0; i < 60; i++) {
		uint8_t value[40];
		size_t n = test_random_below(sizeof value);

		for (size_t k = 0; k < n; k++)
			value[k] = (uint8_t)set[test_random_below(sizeof set - 1)];
		survives((struct bytes){value, n});
	}
}

/* Whatever command is accepted: no value can end the quotes it was put in. */
TEST(random_commands_are_refused_or_safe)
{
	static const char *const parts[] = {
		"{n}", "'", "\"", "\\", "`", "$(", ")", "$((", "))",
		"${x}", "${x:-", "}", "#", "\n", " ",
		"<<E\n", "E\n", "a", "$'", "[", "]", "((", ";", "|", "x[", "$", "{", "echo ",
	};
	static const char *const hostile = "[\"'$(echo PWNED >&3)`echo PWNED >&3`\\n;echo PWNED "
	                                   ">&3\\n\\\";echo PWNED >&3;'\"]";
	unsigned accepted = 0;

	test_random_seed(test_seed(32));
	for (int i = 0; i < 20000; i++) {
		char c[256] = "";
		FILE *said;
		char run_it[9000];

		for (uint64_t k = 1 + test_random_below(9); k > 0; k--)
			strcat(c, parts[test_random_below(sizeof parts / sizeof *parts)]);
		if (strstr(c, "{n}") == NULL || !fill_in(fill_shell, c, "[?n:any]", hostile))
			continue;
		if (++accepted > 150)
			break;
		CHECK(setenv("TEXT", text, 1) == 0);
		for (int bash = 0; bash < 2; bash++) {
			char all[64] = "";

			/* alias-free, nothing on stdin: only what the value adds can print it */
			snprintf(run_it, sizeof run_it,
			         "%s -c \"$TEXT\" 3>&1 >/dev/null 2>&1 </dev/null",
			         bash ? "bash" : "sh");
			said = popen(run_it, "r");
			CHECK(said != NULL);
			CHECK_INT(fread(all, 1, sizeof all - 1, said), 0);
			pclose(said);
		}
	}
	CHECK(accepted > 50);
}

/* --- tuples ---------------------------------------------------------------- */

static void becomes(const char *t, const char *want)
{
	struct buf printed = BUF_INIT;
	struct diag_error err;

	buf_clear(&printed, 0);
	if (!fill_in(fill_tuple, t, "[\"job\", ?n:any, ?f:any]", "[\"job\", 17, \"a\\\", {n}\"]"))
		test_fail(__FILE__, __LINE__, "%s: %s", t, why);
	diag_print(&printed, out.data);
	buf_byte(&printed, 0);
	CHECK_STR((char *)printed.data, want);
	CHECK_INT(diag_parse(bytes_of((char *)printed.data), 0, &tuple, NULL, NULL, &err), 0);
	buf_close(&printed);
}

TEST(tuples_are_filled_in)
{
	becomes("[\"done\", {n}, {f}]", "[\"done\", 17, \"a\\\", {n}\"]");
	becomes("[{0}, [{1}], {\"k\": {n}}, {}, /{n}/ 1] #{n}",
	        "[\"job\", [17], {\"k\": 17}, {}, 1]");
	becomes("['{x}', \"{x}\"]", "[h'7b787d', \"{x}\"]");
	CHECK(!fill_in(fill_tuple, "[\"{n}\"]", "[?n:any]", NULL));
	CHECK_STR(why, "{n}: nothing is filled in within quotes");
	CHECK(!fill_in(fill_tuple, "[{m}]", "[?n:any]", NULL));
	CHECK(!fill_in(fill_tuple, "[1", "[?n:any]", NULL));
	CHECK(!fill_in(fill_tuple, "1", "[?n:any]", NULL));
	CHECK_STR(why, "a tuple is [...]");
	CHECK(!fill_in(fill_tuple, "[?]", "[?n:any]", NULL));
}

TEST(other_values_are_filled_in_too)
{
	static const struct diag_names names = {.count = 0};
	static const struct fill_value values[] = {{"stdout", (const uint8_t *)"\x62ok"},
	                                           {"status", (const uint8_t *)"\x18\x41"}, {0}};
	struct fill f = {.names = &names, .arity = 1, .tuple = (const uint8_t *)"\x81\x01",
	                 .values = values};
	struct buf printed = BUF_INIT;

	buf_clear(&out, 0);
	CHECK(fill_tuple(&out, "[{0}, {stdout}, {status}]", &f, why));
	diag_print(&printed, out.data);
	CHECK(bytes_equal(buf_bytes(&printed), bytes_of("[1, \"ok\", 65]")));
	buf_close(&printed);
	f.tuple = (const uint8_t *)"\x80"; /* a shorter tuple than the check knew */
	f.arity = 0;
	CHECK(!fill_tuple(&out, "[{0}]", &f, why));
	CHECK(!fill_argument(&out, "{0}", &f, why));
}
