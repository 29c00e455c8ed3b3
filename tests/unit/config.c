/* tiliad's options, from the command line and from a file. */
#include "../../libclient/error.h"
#include "../../server/config.h"
#include "../lib/harness.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char why[CONFIG_WHY];

/* Reads words separated by blanks. */
static int read_words(struct config *c, const char *line)
{
	static char copy[1024];
	char name[] = "tiliad", *argv[32] = {name};
	int argc = 1;

	snprintf(copy, sizeof copy, "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return config_read(c, argc, argv, why);
}

static const char *write_file(const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/conf", test_folder());
	f = fopen(path, "w");
	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
	return path;
}

static void refused(const char *line, const char *reason)
{
	struct config c;

	why[0] = '\0';
	CHECK_INT(read_words(&c, line), ERROR_USAGE);
	config_close(&c);
	if (!strstr(why, reason))
		test_fail(__FILE__, __LINE__, "%s: '%s' does not say '%s'", line, why, reason);
}

TEST(options_are_read)
{
	struct config c;

	CHECK_INT(read_words(&c, "--listen unix:/a --listen=tcp:127.0.0.1:1 --store /s --sync off "
	                         "--log debug --max-connections 7 --max-bytes 2G --grace 5m "
	                         "--slow-reader 250ms"), 0);
	CHECK_INT(c.listen.count, 2);
	CHECK(!c.listen_default && !c.store_default && !c.is_volatile);
	CHECK_STR(c.listen.at[1].name, "127.0.0.1");
	CHECK_STR(c.store, "/s");
	CHECK_INT(c.sync, JOURNAL_SYNC_OFF);
	CHECK_INT(c.level, LOG_DEBUG);
	CHECK_INT(c.connections, 7);
	CHECK_INT(c.bytes, (uint64_t)2 << 30);
	CHECK_INT(c.grace_ms, 300000);
	CHECK_INT(c.slow_ms, 250);
	config_close(&c);
}

TEST(without_options_the_defaults)
{
	struct config c;

	setenv("XDG_RUNTIME_DIR", "/run/x", 1);
	setenv("XDG_STATE_HOME", "/state", 1);
	CHECK_INT(read_words(&c, ""), 0);
	CHECK_INT(c.listen.count, 1);
	CHECK_STR(c.listen.at[0].name, "/run/x/tilia.sock");
	CHECK_STR(c.store, "/state/tilia/main.db");
	CHECK_INT(c.sync, JOURNAL_SYNC_FULL);
	CHECK(c.bytes > 1 << 20);
	config_close(&c);
	CHECK_INT(read_words(&c, "--volatile"), 0);
	CHECK(c.is_volatile && !c.store);
	config_close(&c);
}

TEST(a_file_says_the_same_and_the_command_line_wins)
{
	struct config c;
	char line[256];

	snprintf(
		line, sizeof line, "--grace 1s --config %s --sync normal",
		write_file("# comment\n\n  listen unix:/one\nlisten\tunix:/two words \r\nsync off\n"
	                   "grace 9s\nvolatile\nmax-connections 3"));
	CHECK_INT(read_words(&c, line), 0);
	CHECK_INT(c.listen.count, 2);
	CHECK_STR(c.listen.at[1].name, "/two words");
	CHECK_INT(c.sync, JOURNAL_SYNC_NORMAL);
	CHECK_INT(c.grace_ms, 1000);
	CHECK_INT(c.connections, 3);
	CHECK(c.is_volatile);
	config_close(&c);
	strcat(line, " --listen unix:/three");
	CHECK_INT(read_words(&c, line), 0);
	CHECK_INT(c.listen.count, 1);
	CHECK_STR(c.listen.at[0].name, "/three");
	config_close(&c);
}

TEST(a_wrong_option_is_named)
{
	refused("--nope", "no such option: --nope");
	refused("word", "no such option: word");
	refused("--volatile=yes", "--volatile has no value");
	refused("--store", "--store needs FILE");
	refused("--store=", "empty");
	refused("--sync some", "--sync: 'some' is not full, normal or off");
	refused("--log loud", "'loud'");
	refused("--listen nowhere", "--listen: 'nowhere' is not an address");
	refused("--volatile --store x", "one of them");
	refused("--config /does/not/exist", "/does/not/exist: No such file");
}

TEST(numbers_have_bounds_and_units)
{
	struct config c;

	refused("--max-connections 0", "1 to 10000000");
	refused("--max-connections 10000001", "1 to 10000000");
	refused("--max-connections -1", "1 to 10000000");
	refused("--max-bytes 1048575", "1M");
	refused("--max-bytes 99999999999G", "1M");
	refused("--max-bytes 1Q", "1M");
	refused("--max-log 1048575", "1M");
	refused("--grace 5", "duration");
	refused("--grace 0ms", "duration");
	refused("--grace 86400001ms", "duration");
	refused("--slow-reader 9ms", "10ms");
	CHECK_INT(read_words(&c, "--max-bytes 1M --grace 1d --slow-reader 10ms"), 0);
	CHECK_INT(c.bytes, 1 << 20);
	CHECK_INT(c.grace_ms, 86400000);
	config_close(&c);
}

TEST(a_wrong_line_is_named_by_file_and_line)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"sync full\nfnord 1\n", "conf:2: no such option: 'fnord'"},
		{"\n\nsync\n", "conf:3: sync needs full|normal|off"},
		{"volatile yes\n", "conf:1: volatile has no value"},
		{"config other\n", "conf:1: no such option: 'config'"},
		{"help\n", "conf:1: no such option"},
		{"sync full\nsync half", "conf:2: 'half' is not"},
	};
	char line[256];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(line, sizeof line, "--config %s", write_file(cases[i].text));
		refused(line, cases[i].reason);
	}
}

TEST(folders_of_the_defaults_are_ours_alone)
{
	struct config c;
	struct stat st;
	char path[256], state[128];

	snprintf(state, sizeof state, "%s/state/deep", test_folder());
	setenv("XDG_STATE_HOME", state, 1);
	setenv("XDG_RUNTIME_DIR", test_folder(), 1);
	CHECK_INT(read_words(&c, ""), 0);
	CHECK_INT(config_folders(&c, why), 0);
	snprintf(path, sizeof path, "%s/tilia", state);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0700);
	CHECK_INT(chmod(path, 0755), 0);
	CHECK_INT(config_folders(&c, why), 0);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0700);
	CHECK_INT(rmdir(path), 0);
	CHECK_INT(symlink("/", path), 0); /* somebody else's trick */
	CHECK_INT(config_folders(&c, why), ERROR_USAGE);
	CHECK(strstr(why, "not a folder of your own"));
	config_close(&c);
}

TEST(help_shows_every_option)
{
	struct buf b = BUF_INIT;

	config_help(&b);
	buf_byte(&b, '\0');
	CHECK(strstr((char *)b.data, "--listen ADDR"));
	CHECK(strstr((char *)b.data, "--version"));
	buf_close(&b);
}
