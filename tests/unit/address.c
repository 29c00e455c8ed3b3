/* Addresses: what is one, what is not and why, and the defaults. */
#include "../../libclient/address.h"
#include "../../libclient/error.h"
#include "../lib/harness.h"

#include <stdlib.h>
#include <unistd.h>

static const char *printed(const struct address *a)
{
	static char text[512];
	struct buf b = BUF_INIT;

	address_print(&b, a);
	snprintf(text, sizeof text, "%.*s", (int)b.len, (char *)b.data);
	buf_close(&b);
	return text;
}

static void is(const char *text, const char *want)
{
	struct address a;
	char why[ADDRESS_WHY] = "";

	if (address_parse(bytes_of(text), &a, why) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s", text, why);
	CHECK_STR(printed(&a), want);
	address_close(&a);
}

static void is_not(const char *text, int code, const char *reason)
{
	struct address a;
	char why[ADDRESS_WHY] = "";

	CHECK_INT(address_parse(bytes_of(text), &a, why), code);
	if (!strstr(why, reason))
		test_fail(__FILE__, __LINE__, "%s: '%s' does not say '%s'", text, why, reason);
	CHECK(!a.name);
}

TEST(addresses_are_read_and_written)
{
	is("unix:/run/x.sock", "unix:/run/x.sock");
	is("unix:/with:colon and blank", "unix:/with:colon and blank");
	is("tcp:localhost", "tcp:localhost:5463");
	is("tcp:127.0.0.1:0", "tcp:127.0.0.1:0");
	is("tcp:127.0.0.1:65535", "tcp:127.0.0.1:65535");
	is("tcp:[::1]", "tcp:[::1]:5463");
	is("tcp:[::1]:80", "tcp:[::1]:80");
	is("ssh:me@node1", "ssh:me@node1");
	is("cmd:tilia relay, with a comma", "cmd:tilia relay, with a comma");
}

TEST(what_is_no_address_says_why)
{
	is_not("", ERROR_USAGE, "not an address");
	is_not("/run/x.sock", ERROR_USAGE, "unix:/path");
	is_not("http://x", ERROR_USAGE, "not an address");
	is_not("unix:x.sock", ERROR_USAGE, "absolute");
	is_not("unix:", ERROR_USAGE, "absolute");
	is_not("tcp:", ERROR_USAGE, "host");
	is_not("tcp::80", ERROR_USAGE, "host");
	is_not("tcp:[]:80", ERROR_USAGE, "host");
	is_not("tcp:[::1", ERROR_USAGE, "[v6");
	is_not("tcp:[::1]80", ERROR_USAGE, "[v6");
	is_not("tcp:::1", ERROR_USAGE, "brackets");
	is_not("tcp:x:", ERROR_USAGE, "missing");
	is_not("tcp:x:65536", ERROR_USAGE, "not a port");
	is_not("tcp:x:-1", ERROR_USAGE, "not a port");
	is_not("tls:x", ERROR_USAGE, "not built");
	is_not("ssh:", ERROR_USAGE, "host");
	is_not("ssh:-oProxyCommand=x", ERROR_USAGE, "'-'");
	is_not("cmd:", ERROR_USAGE, "program");
}

TEST(a_socket_path_has_at_most_107_bytes)
{
	char text[256] = "unix:/";

	memset(text + 6, 'x', 106);
	is(text, text);
	text[6 + 106] = 'x';
	is_not(text, ERROR_LIMIT, "108 bytes");
}

static unsigned list_of(const char *text, struct address_list *l, int code)
{
	char why[ADDRESS_WHY];

	CHECK_INT(address_list_parse(bytes_of(text), l, why), code);
	return l->count;
}

TEST(lists_have_commas_and_cmd_takes_the_rest)
{
	struct address_list l;
	char text[200] = "ssh:a";

	CHECK_INT(list_of("unix:/a,tcp:b:1,cmd:c,d,unix:/e", &l, 0), 3);
	CHECK_STR(l.at[2].name, "c,d,unix:/e");
	address_list_close(&l);
	CHECK_INT(list_of("unix:/a,", &l, ERROR_USAGE), 0);
	CHECK_INT(list_of("", &l, ERROR_USAGE), 0);
	for (int i = 1; i < ADDRESS_LIST_MAX; i++)
		strcat(text, ",ssh:a");
	CHECK_INT(list_of(text, &l, 0), ADDRESS_LIST_MAX);
	address_list_close(&l);
	strcat(text, ",ssh:a");
	CHECK_INT(list_of(text, &l, ERROR_LIMIT), 0);
}

TEST(the_defaults_follow_xdg)
{
	struct address_list l;
	struct address a;
	struct buf store = BUF_INIT;
	char why[ADDRESS_WHY], want[64];
	bool shared;

	unsetenv("TILIA");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	CHECK_INT(address_default(&a, &shared, why), 0);
	CHECK_STR(a.name, "/run/user/7/tilia.sock");
	CHECK(!shared);
	address_close(&a);
	setenv("XDG_RUNTIME_DIR", "not/absolute", 1);
	CHECK_INT(address_default(&a, &shared, why), 0);
	snprintf(want, sizeof want, "/tmp/tilia-%u/tilia.sock", (unsigned)getuid());
	CHECK_STR(a.name, want);
	CHECK(shared);
	address_close(&a);
	setenv("TILIA", "ssh:x,unix:/y", 1);
	CHECK_INT(address_list_default(&l, why), 0);
	CHECK_INT(l.count, 2);
	address_list_close(&l);
	setenv("XDG_STATE_HOME", "/state", 1);
	CHECK_INT(address_default_store(&store, why), 0);
	buf_byte(&store, '\0');
	CHECK_STR((char *)store.data, "/state/tilia/main.db");
	buf_clear(&store, 0);
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/home/x", 1);
	CHECK_INT(address_default_store(&store, why), 0);
	buf_byte(&store, '\0');
	CHECK_STR((char *)store.data, "/home/x/.local/state/tilia/main.db");
	buf_close(&store);
}
