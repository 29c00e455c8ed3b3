/* Places as --on says them, and the command lines they become. */
#include "../lib/harness.h"

#include "../../tools/boot/place.c"
#include "../../tools/boot/stage.c"

static struct place_list list;
static char why[PLACE_WHY];

static void add(const char *text)
{
	place_list_close(&list);
	why[0] = '\0';
	if (place_list_add(&list, text, why) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s", text, why);
}

static void refused(const char *text, const char *word)
{
	int e = place_list_add(&list, text, why);

	if (e == 0)
		test_fail(__FILE__, __LINE__, "%s was taken", text);
	if (strstr(why, word) == NULL)
		test_fail(__FILE__, __LINE__, "%s: \"%s\" does not say \"%s\"", text, why, word);
}

static void hop_is(unsigned i, unsigned k, const char *host, const char *user, const char *port)
{
	struct place_hop *h = &list.at[i].hop[k];

	CHECK_STR(h->host, host);
	CHECK_STR(h->user != NULL ? h->user : "", user);
	CHECK_STR(h->port != NULL ? h->port : "", port);
}

TEST(blanks_separate_places_and_numbers_are_slots)
{
	add(" 4/local  8/web1\tnode*3\nssh:bob@node1:2222 ");
	CHECK_INT(list.count, 4);
	CHECK_INT(list.at[0].slots, 4);
	CHECK_INT(list.at[0].hops, 0);
	CHECK_STR(list.at[0].spec, "local");
	CHECK_STR(place_name(&list.at[0]), "local");
	CHECK_INT(list.at[1].slots, 8);
	hop_is(1, 0, "web1", "", "");
	CHECK_INT(list.at[2].slots, 3);
	CHECK_STR(list.at[2].spec, "node");
	CHECK_INT(list.at[3].slots, 1);
	CHECK_STR(list.at[3].spec, "ssh:bob@node1:2222");
	hop_is(3, 0, "node1", "bob", "2222");
	place_list_close(&list);
}

TEST(slashes_separate_hops_and_commas_options)
{
	add("2/ssh:gate,port=22,user=x/al@web1,python=\"/opt/my,py/python3\",identity=\"/k/a b\"");
	CHECK_INT(list.count, 1);
	CHECK_INT(list.at[0].slots, 2);
	CHECK_INT(list.at[0].hops, 2);
	hop_is(0, 0, "gate", "x", "22");
	hop_is(0, 1, "web1", "al", "");
	CHECK_STR(list.at[0].hop[1].identity, "/k/a b");
	CHECK_STR(list.at[0].python, "/opt/my,py/python3");
	CHECK_STR(place_name(&list.at[0]), "web1");
	place_list_close(&list);
}

TEST(version_six_addresses_are_hosts)
{
	add("ssh:[::1]:2222 fe80::1 [::1]");
	hop_is(0, 0, "::1", "", "2222");
	hop_is(1, 0, "fe80::1", "", "");
	hop_is(2, 0, "::1", "", "");
	place_list_close(&list);
}

TEST(ranges_keep_their_width)
{
	add("node[08-11]");
	CHECK_INT(list.count, 4);
	CHECK_STR(place_name(&list.at[0]), "node08");
	CHECK_STR(place_name(&list.at[2]), "node10");
	CHECK_INT(place_list_except(&list, "node[09-10]"), 2);
	CHECK_INT(list.count, 2);
	CHECK_STR(place_name(&list.at[1]), "node11");
	CHECK_INT(place_list_except(&list, "node8"), 0);
	CHECK_INT(place_list_except(&list, "node[5-4]"), -1);
	CHECK_INT(place_list_except(&list, "node08"), 1);
	refused("node[3-1]", "range");
	refused("node[0-4096]", "range");
	place_list_close(&list);
}

TEST(execnets_form_is_known_by_its_slashes)
{
	add("popen//python=/opt/python3 2/ssh=bob@web1//id=a//python=python3.9");
	CHECK_INT(list.at[0].hops, 0);
	CHECK_STR(list.at[0].python, "/opt/python3");
	CHECK_INT(list.at[1].slots, 2);
	hop_is(1, 0, "web1", "bob", "");
	CHECK_STR(list.at[1].python, "python3.9");
	refused("popen//chdir=/tmp", "chdir");
	place_list_close(&list);
}

TEST(limits_of_slots_and_hops)
{
	add("1/local 4096/local");
	CHECK_INT(list.at[1].slots, 4096);
	refused("0/local", "1 to 4096");
	refused("4097/local", "1 to 4096");
	add("a/b/c/d/e/f/g/h");
	CHECK_INT(list.at[0].hops, 8);
	refused("a/b/c/d/e/f/g/h/i", "more than 8");
	place_list_close(&list);
}

TEST(what_is_wrong_is_refused_by_name_and_nothing_is_added)
{
	add("local");
	refused("", "no place");
	refused("web1 -oProxyCommand=x", "not a host");
	refused("web1,user=-x", "user=");
	refused("web1,port=65536", "port=");
	refused("web1,port=0", "port=");
	refused("web1,port=22,port=23", "twice");
	refused("web1,nonsense=1", "no such option");
	refused("web1,port", "KEY=VALUE");
	refused("local,port=1", "no such option");
	refused("sudo:app", "sudo");
	refused("ssh:node1/sudo:app", "sudo");
	refused("docker:x", "docker");
	refused("ssh:a/ssh:b,from=there", "from=there");
	refused("a/local", "local");
	refused("local/local", "local");
	refused("a;b", "not a host");
	refused("a$b", "not a host");
	refused("a,python=\"x;y\"", "python=");
	refused("a,python=\"x\"/b", "last hop");
	refused("a,identity=x/b", "ssh/config");
	refused("4/", "missing");
	refused("a//b/c", "");
	refused("a/", "not a host");
	CHECK_INT(list.count, 1);
	place_list_close(&list);
}

TEST(random_words_are_taken_or_refused_with_a_reason)
{
	static const char *const parts[] = {
		"local", "ssh", ":", "/", "//", ",", "=", "\"", "[", "]", "-", "1", "23",
		"web", "@", "*", " ", "python", "port", "user", "popen", "id", "::1", "[1-3]", "\t", "\xff",
	};
	char text[256];

	for (int i = 0; i < 30000; i++) {
		unsigned count = list.count;

		text[0] = '\0';
		for (uint64_t n = test_random_below(12); n > 0; n--)
			strcat(text, parts[test_random_below(sizeof parts / sizeof *parts)]);
		why[0] = '\0';
		if (place_list_add(&list, text, why) != 0) {
			CHECK(why[0] != '\0');
			CHECK_INT(list.count, count);
		} else {
			CHECK(list.count > count);
			stage_argv_free(stage_argv(&list.at[count], "x"));
		}
		if (list.count > 1000)
			place_list_close(&list);
	}
	place_list_close(&list);
}

static void command_of(struct buf *b, const char *python)
{
	buf_clear(b, 4096);
	stage_command(b, "0123456789abcdef.4095", "abcdefghijklmnop", 8192, 4294967295u, python);
}

TEST(the_first_stage_is_short_and_the_same_for_every_shell)
{
	struct buf b = BUF_INIT;
	uint8_t *open, *close;

	command_of(&b, "/usr/local/very/long/path/of/an/interpreter/bin/python3.11");
	CHECK(b.len < 1000);
	open = memchr(b.data, '\'', b.len);
	close = memrchr(b.data, '\'', b.len);
	CHECK(open != NULL && close > open);
	for (uint8_t *p = open + 1; p < close; p++)
		CHECK(*p != '\'' && *p != '!' && *p != '\\' && *p != '\n' && *p >= ' ' && *p < 127);
	/* nothing outside the quotes means anything to a shell either */
	for (uint8_t *p = b.data; p < b.data + b.len; p++)
		if (p < open || p > close)
			CHECK(strchr("$`\"!\\*?[]{}();&|<>#~\n", *p) == NULL);
	buf_close(&b);
}

TEST(a_local_place_goes_the_same_way)
{
	char **v;

	add("local");
	v = stage_argv(&list.at[0], "command");
	CHECK_STR(v[4], "/bin/sh");
	CHECK_STR(v[5], "-c");
	CHECK_STR(v[6], "command");
	CHECK(v[7] == NULL);
	stage_argv_free(v);
	place_list_close(&list);
}
