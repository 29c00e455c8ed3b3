#include "log.h"

#include "../libclient/base/buf.h"

#include <inttypes.h>
#include <unistd.h>

static const char *const words[] = {"fatal", "error", "warn", "notice", "info", "debug"};
static enum log_level highest = LOG_INFO;

void log_set_level(enum log_level level)
{
	highest = level;
}

int log_level_named(const char *word)
{
	for (int i = 0; i <= LOG_DEBUG; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' || *s == 0x7f)
			return false;
	return true;
}

static void put_value(struct buf *b, const char *s)
{
	if (is_plain(s)) {
		buf_text(b, s);
		return;
	}
	buf_byte(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_printf(b, "\\%c", *s);
		else if (*s == '\n')
			buf_text(b, "\\n");
		else if ((unsigned char)*s < ' ' || *s == 0x7f)
			buf_printf(b, "\\x%02x", (unsigned char)*s);
		else
			buf_byte(b, (uint8_t)*s);
	}
	buf_byte(b, '"');
}

/* One write a line, so that lines of several processes do not mix. */
void log_write(enum log_level level, const char *msg, const struct log_field *fields)
{
	struct buf b = BUF_INIT;
	ssize_t n;

	if (level > highest)
		return;
	buf_printf(&b, "level=%s msg=", words[level]);
	put_value(&b, msg);
	for (; fields->key; fields++) {
		buf_printf(&b, " %s=", fields->key);
		if (fields->text)
			put_value(&b, fields->text);
		else
			buf_printf(&b, "%" PRIu64, fields->number);
	}
	buf_byte(&b, '\n');
	n = b.failed ? 0 : write(STDERR_FILENO, b.data, b.len);
	(void)n; /* there is nobody left to tell */
	buf_close(&b);
}
