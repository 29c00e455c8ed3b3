/* The log's lines are logfmt, whatever the values hold. */
#include "../../server/log.h"
#include "../lib/harness.h"

#include <fcntl.h>
#include <unistd.h>

/* What log_write() puts on stderr. */
static const char *written(enum log_level level, const char *msg, const struct log_field *fields)
{
	static char text[4096];
	char path[128];
	int saved = dup(STDERR_FILENO), fd;
	ssize_t n;

	snprintf(path, sizeof path, "%s/log", test_folder());
	fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
	dup2(fd, STDERR_FILENO);
	log_write(level, msg, fields);
	dup2(saved, STDERR_FILENO);
	n = pread(fd, text, sizeof text - 1, 0);
	close(fd);
	close(saved);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

TEST(values_are_quoted_where_they_must_be)
{
	struct log_field fields[] = {log_text("plain", "unix:/a,tcp:b:1"),
	                             log_text("empty", ""),
	                             log_text("blank", "a b"),
	                             log_text("quote", "a\"b\\c"),
	                             log_text("odd", "a=\n\x01"),
	                             log_number("n", UINT64_MAX),
	                             {NULL, NULL, 0}};

	CHECK_STR(written(LOG_NOTICE, "so it is", fields),
	          "level=notice msg=\"so it is\" plain=unix:/a,tcp:b:1 empty=\"\" blank=\"a b\" "
	          "quote=\"a\\\"b\\\\c\" odd=\"a=\\n\\x01\" n=18446744073709551615\n");
}

TEST(six_levels_and_what_is_above_is_not_written)
{
	static const char *const words[] = {"fatal", "error", "warn", "notice", "info", "debug"};
	const struct log_field none = {NULL, NULL, 0};
	char want[64];

	for (int set = LOG_FATAL; set <= LOG_DEBUG; set++) {
		CHECK_INT(log_level_named(words[set]), set);
		log_set_level((enum log_level)set);
		for (int level = LOG_FATAL; level <= LOG_DEBUG; level++) {
			snprintf(want, sizeof want, "level=%s msg=x\n", words[level]);
			if (level > set)
				want[0] = '\0';
			CHECK_STR(written((enum log_level)level, "x", &none), want);
		}
	}
	CHECK_INT(log_level_named("warning"), -1);
}
