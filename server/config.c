#include "config.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/error.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CONFIG_WHY, fmt, ap);
	va_end(ap);
	return ERROR_USAGE;
}

/* ---- values ---- */

struct unit {
	const char *name;
	uint64_t times;
};

static const struct unit durations[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},        {"K", 1 << 10},           {"M", 1 << 20},
                                    {"G", 1 << 30}, {"T", (uint64_t)1 << 40}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

/* A number and one of the units, within [least, most]. */
static int read_number(const char *s, const struct unit *units, uint64_t least, uint64_t most,
                       uint64_t *v)
{
	char *end;
	uint64_t n;

	if (!isdigit((unsigned char)*s))
		return ERROR_USAGE;
	errno = 0;
	n = strtoull(s, &end, 10);
	for (; units->name && strcmp(units->name, end) != 0; units++)
		;
	if (errno || !units->name || n > UINT64_MAX / units->times)
		return ERROR_USAGE;
	n *= units->times;
	if (n < least || n > most)
		return ERROR_LIMIT;
	*v = n;
	return 0;
}

static char *copy(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

/* ---- one function an option: 0 or a negative code with why ---- */

static int set_listen(struct config *c, const char *value, char *why)
{
	struct address a;
	int rc;

	if (c->listen.count == ADDRESS_LIST_MAX)
		return refuse(why, "more than %d addresses", ADDRESS_LIST_MAX);
	rc = address_parse(bytes_of(value), &a, why);
	if (!rc)
		c->listen.at[c->listen.count++] = a;
	return rc;
}

static int set_store(struct config *c, const char *value, char *why)
{
	if (!*value)
		return refuse(why, "the name of the file is empty");
	xfree(c->store);
	c->store = copy(value);
	return 0;
}

static int set_volatile(struct config *c, const char *value, char *why)
{
	(void)value, (void)why;
	c->is_volatile = true;
	return 0;
}

static int set_sync(struct config *c, const char *value, char *why)
{
	static const char *const words[] = {"full", "normal", "off"};

	for (int i = 0; i < 3; i++) {
		if (strcmp(words[i], value) == 0) {
			c->sync = (enum journal_sync)i;
			return 0;
		}
	}
	return refuse(why, "'%s' is not full, normal or off", value);
}

static int set_log(struct config *c, const char *value, char *why)
{
	int level = log_level_named(value);

	if (level < 0)
		return refuse(why, "'%s' is not fatal, error, warn, notice, info or debug", value);
	c->level = (enum log_level)level;
	return 0;
}

static int set_connections(struct config *c, const char *value, char *why)
{
	uint64_t n;

	if (read_number(value, plain, 1, 10000000, &n))
		return refuse(why, "'%s' is not a number from 1 to 10000000", value);
	c->connections = (uint32_t)n;
	return 0;
}

static int set_bytes(struct config *c, const char *value, char *why)
{
	if (read_number(value, sizes, 1 << 20, INT64_MAX, &c->bytes))
		return refuse(why, "'%s' is not a size of 1M or more, like 512M or 4G", value);
	return 0;
}

static int set_log_most(struct config *c, const char *value, char *why)
{
	if (read_number(value, sizes, 1 << 20, INT64_MAX, &c->log_most))
		return refuse(why, "'%s' is not a size of 1M or more, like 64M or 1G", value);
	return 0;
}

static int set_grace(struct config *c, const char *value, char *why)
{
	if (read_number(value, durations, 1, 86400000, &c->grace_ms))
		return refuse(why, "'%s' is not a duration up to a day, like 500ms, 60s, 5m or 1h",
		              value);
	return 0;
}

static int set_slow(struct config *c, const char *value, char *why)
{
	uint64_t n;

	if (read_number(value, durations, 10, 86400000, &n))
		return refuse(why, "'%s' is not a duration from 10ms to a day, like 30s", value);
	c->slow_ms = (uint32_t)n;
	return 0;
}

static int set_help(struct config *c, const char *value, char *why)
{
	(void)value, (void)why;
	c->help = true;
	return 0;
}

static int set_version(struct config *c, const char *value, char *why)
{
	(void)value, (void)why;
	c->version = true;
	return 0;
}

static int read_file(struct config *c, const char *path, char *why);

/* ---- the table ---- */

static const struct option {
	const char *name;
	const char *argument; /* NULL: it has none */
	bool line_only;       /* of the command line, not of the file */
	int (*set)(struct config *c, const char *value, char *why);
	const char *help;
} options[] = {
	{"listen", "ADDR", false, set_listen,
	 "listen there: unix:/path or tcp:host:port (loopback); may be repeated.\n"
	 "Default: unix:$XDG_RUNTIME_DIR/tilia.sock, else unix:/tmp/tilia-UID/tilia.sock"},
	{"store", "FILE", false, set_store,
	 "keep tuples in this SQLite file.\n"
	 "Default: $XDG_STATE_HOME (else ~/.local/state) /tilia/main.db"},
	{"volatile", NULL, false, set_volatile, "keep nothing on disk"},
	{"sync", "full|normal|off", false, set_sync,
	 "what a power loss may take: nothing (default), the last batches, the file"},
	{"max-bytes", "SIZE", false, set_bytes,
	 "of all tuples and indexes; more is refused. Default: half of the memory"},
	{"max-log", "SIZE", false, set_log_most,
	 "of the store's log while another program reads in it; then puts are refused. Default: 256M"},
	{"max-connections", "N", false, set_connections,
	 "at once; more are answered and closed. Default: what descriptors allow"},
	{"grace", "DURATION", false, set_grace,
	 "how long a broken connection's session is kept. Default: 60s"},
	{"slow-reader", "DURATION", false, set_slow,
	 "a connection that reads nothing for that long is cut. Default: 30s"},
	{"log", "LEVEL", false, set_log, "fatal, error, warn, notice, info (default) or debug"},
	{"config", "FILE", true, read_file,
	 "read options from FILE, one a line, without the dashes"},
	{"help", NULL, true, set_help, "print this"},
	{"version", NULL, true, set_version, "print the version"},
};

#define OPTIONS_COUNT (sizeof options / sizeof *options)

static const struct option *find(const char *name, size_t n)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		if (strlen(options[i].name) == n && memcmp(options[i].name, name, n) == 0)
			return &options[i];
	return NULL;
}

void config_help(struct buf *b)
{
	buf_text(
		b,
		"usage: tiliad [option]...\n"
		"The Tilia server: runs in the foreground, logs to stderr, says when it is ready,\n"
		"ends after its last commit on TERM. Options:\n");
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct option *o = &options[i];

		buf_printf(b, "  --%s %s\n      ", o->name, o->argument ? o->argument : "");
		for (const char *s = o->help; *s; s++) {
			buf_byte(b, (uint8_t)*s);
			if (*s == '\n')
				buf_text(b, "      ");
		}
		buf_byte(b, '\n');
	}
}

/* ---- the file ---- */

/* One line: a name, blanks, the rest is the value. '#' begins a comment line. */
static int read_line(struct config *c, char *line, char *why)
{
	const struct option *o;
	char *name = line + strspn(line, " \t\r"), *value, *end = name + strlen(name);

	while (end > name && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	if (!*name || *name == '#')
		return 0;
	value = name + strcspn(name, " \t");
	o = find(name, (size_t)(value - name));
	if (!o || o->line_only)
		return refuse(why, "no such option: '%.*s'", (int)(value - name), name);
	value += strspn(value, " \t");
	if (o->argument && !*value)
		return refuse(why, "%s needs %s", o->name, o->argument);
	if (!o->argument && *value)
		return refuse(why, "%s has no value", o->name);
	return o->set(c, value, why);
}

static int read_file(struct config *c, const char *path, char *why)
{
	char *line = NULL, reason[CONFIG_WHY] = "";
	size_t cap = 0;
	unsigned number = 0;
	ssize_t n;
	int rc = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return refuse(why, "%s: %s", path, strerror(errno));
	while (!rc && (n = getline(&line, &cap, f)) >= 0) {
		number++;
		rc = strlen(line) == (size_t)n ? read_line(c, line, reason)
		                               : refuse(reason, "a NUL byte");
	}
	if (rc)
		refuse(why, "%.400s:%u: %.500s", path, number, reason);
	else if (ferror(f))
		rc = refuse(why, "%s: %s", path, strerror(errno));
	free(line);
	fclose(f);
	return rc;
}

/* ---- the command line ---- */

/* Calls set() for each option but --config (`file`: for that one only, first,
 * so that the command line wins). */
static int read_words(struct config *c, int argc, char *const *argv, bool file, char *why)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *value = "", *equal = strchr(word, '=');
		size_t n = equal ? (size_t)(equal - word) : strlen(word);
		const struct option *o =
			n > 2 && !strncmp(word, "--", 2) ? find(word + 2, n - 2) : NULL;
		char reason[CONFIG_WHY];

		if (strcmp(word, "-h") == 0)
			o = find("help", 4);
		if (!o)
			return refuse(why, "no such option: %s (tiliad --help lists them)", word);
		if (o->argument && !equal && ++i == argc)
			return refuse(why, "--%s needs %s", o->name, o->argument);
		if (!o->argument && equal)
			return refuse(why, "--%s has no value", o->name);
		if (o->argument)
			value = equal ? equal + 1 : argv[i];
		if ((o->set == read_file) == file && o->set(c, value, reason))
			return refuse(why, "--%s: %.900s", o->name, reason);
	}
	return 0;
}

static uint64_t half_of_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : (uint64_t)1 << 30;
}

/* What nobody named. */
static int set_defaults(struct config *c, char *why)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	if (c->listen.count == 0) {
		c->listen_default = true;
		rc = address_default(&c->listen.at[0], NULL, why);
		c->listen.count = rc ? 0 : 1;
	}
	if (!rc && !c->store && !c->is_volatile) {
		c->store_default = true;
		rc = address_default_store(&path, why);
		buf_byte(&path, '\0');
		if (!rc && !path.failed)
			c->store = copy((const char *)path.data);
		buf_close(&path);
	}
	return rc;
}

int config_read(struct config *c, int argc, char *const *argv, char *why)
{
	struct address_list from_file;
	int rc;

	*c = (struct config){.level = LOG_INFO, .bytes = half_of_memory()};
	rc = read_words(c, argc, argv, true, why);
	if (rc)
		return rc;
	from_file = c->listen;
	c->listen.count = 0;
	rc = read_words(c, argc, argv, false, why);
	if (c->listen.count)
		address_list_close(&from_file);
	else
		c->listen = from_file;
	if (rc || c->help || c->version)
		return rc;
	if (c->store && c->is_volatile)
		return refuse(why, "a store and volatile: one of them");
	return set_defaults(c, why);
}

void config_close(struct config *c)
{
	address_list_close(&c->listen);
	xfree(c->store);
	c->store = NULL;
}

/* ---- folders ---- */

static int make_folder(const char *path, bool ours, char *why)
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return refuse(why, "%s: %s", path, strerror(errno));
	if (!ours)
		return 0;
	if (lstat(path, &st) != 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != getuid())
		return refuse(why, "%s is not a folder of your own; it is not used", path);
	if (st.st_mode & 077 && chmod(path, 0700) != 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	return 0;
}

/* Makes the folders above a file; only the last one must be ours alone. */
static int make_folders(const char *file, char *why)
{
	char *path = copy(file), *last = strrchr(path, '/');
	int rc = 0;

	*last = '\0';
	for (char *slash = path + 1; !rc && (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		rc = make_folder(path, false, why);
	}
	if (!rc)
		rc = make_folder(path, true, why);
	xfree(path);
	return rc;
}

int config_folders(const struct config *c, char *why)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	int rc = 0;

	/* $XDG_RUNTIME_DIR is made by the system. */
	if (c->listen_default && !(run && *run == '/'))
		rc = make_folders(c->listen.at[0].name, why);
	if (!rc && c->store_default)
		rc = make_folders(c->store, why);
	return rc;
}
