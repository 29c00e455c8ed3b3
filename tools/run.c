/* run: one script on every place, each worker connected to the space. */
#include "boot/launcher.h"
#include "boot/private.h"
#include "boot/uplink.h"
#include "tilia.h"
#include "words.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/error.h"
#include "../libclient/item.h"
#include "../libclient/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_MAX ((size_t)8 << 20) /* bytes of a script */
#define CONNECT_TIMEOUT_MS 30000

enum { OPT_ON = OPT_OWN, OPT_EXCEPT, OPT_HOSTS, OPT_PATH, OPT_ENV, OPT_MAY, OPT_CONNECT_TIMEOUT };

const struct option_row run_options[] = {
	{OPT_ON, 0, "on", OPT_VALUE, "PLACES",
	 "where: '4/local 8/web1 ssh:a/ssh:b,port=2222' (a worker per core here)"},
	{OPT_EXCEPT, 0, "except", OPT_VALUE, "HOST", "not there: node7, node[3-5]"},
	{OPT_HOSTS, 0, "hosts", OPT_VALUE, "FILE", "places from a file, # begins a comment"},
	{OPT_PATH, 0, "path", OPT_VALUE, "DIR",
	 "a folder whose modules the script may import, beside its own"},
	{OPT_ENV, 'e', "env", OPT_VALUE, "NAME=VALUE", "set there; NAME alone: as it is here"},
	{OPT_MAY, 0, "may", OPT_VALUE, "SPACE:OP,...", "workers may do these only: main:in,rd,out"},
	{OPT_CONNECT_TIMEOUT, 0, "connect-timeout", OPT_VALUE, "TIME",
	 "for a place to answer (30s)"},
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

_Static_assert((int)LAUNCHER_NO_SERVER == EXIT_NO_SERVER && (int)LAUNCHER_REFUSED == EXIT_REFUSED &&
               (int)LAUNCHER_SOME == EXIT_SOME && (int)LAUNCHER_BOOTSTRAP == EXIT_BOOTSTRAP &&
               (int)LAUNCHER_LOCAL == EXIT_LOCAL && (int)LAUNCHER_INTERRUPTED == EXIT_INTERRUPTED,
               "one table of exit statuses");

struct run {
	struct place_list places;
	struct roots roots;
	struct words except, env, may;
	struct buf source, rights;
	const char *address;
	struct private_server server;
	uint64_t patience_ms;
};

/* --- files ----------------------------------------------------------------- */

/* Reads a whole file ("-": standard input). false: said why not. */
static bool read_file(const char *path, struct buf *out)
{
	int fd = strcmp(path, "-") == 0 ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0) {
		uint8_t *p = buf_reserve(out, 65536);

		n = p != NULL ? read(fd, p, 65536) : -1;
		if (n <= 0 || out->len > SOURCE_MAX)
			break;
		out->len += (size_t)n;
	}
	if (n < 0)
		tool_complain("run", "%s: %s", path, strerror(errno));
	else if (n > 0)
		tool_complain("run", "%s: longer than %zu bytes", path, SOURCE_MAX);
	if (fd > 0)
		close(fd);
	return n == 0;
}

static bool add_places(struct run *run, const char *text, const char *from)
{
	char why[PLACE_WHY];

	if (place_list_add(&run->places, text, why) == 0)
		return true;
	tool_usage("run", "%s: %s", from, why);
	return false;
}

/* Lines of places; # to the end of a line is a comment. */
static bool add_hosts(struct run *run, const char *path)
{
	struct buf text = BUF_INIT;
	bool ok = read_file(path, &text), comment = false;

	for (size_t i = 0; i < text.len; i++) {
		comment = text.data[i] == '#' || (comment && text.data[i] != '\n');
		if (comment || text.data[i] == '\0')
			text.data[i] = ' ';
	}
	buf_byte(&text, 0);
	ok = ok && add_places(run, (char *)text.data, path);
	buf_close(&text);
	return ok;
}

static bool add_path(struct run *run, const char *folder)
{
	if (roots_add(&run->roots, folder) == 0)
		return true;
	tool_complain("run", "%s is not a folder", folder);
	return false;
}

/* --- options --------------------------------------------------------------- */

static bool add_env(struct run *run, const char *text)
{
	const char *here = getenv(text);
	struct buf b = BUF_INIT;

	if (strchr(text, '=') == NULL && here != NULL)
		buf_printf(&b, "%s=%s", text, here);
	else if (strchr(text, '=') != NULL)
		buf_text(&b, text);
	if (b.len == 0 || b.data[0] == '=' || !utf8_valid(buf_bytes(&b))) {
		tool_usage("run", "--env wants NAME=VALUE, or the name of a variable, not \"%s\"",
		           text);
		buf_close(&b);
		return false;
	}
	buf_byte(&b, 0);
	words_add(&run->env, (char *)b.data);
	buf_close(&b);
	return true;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct run *run = ctx;

	switch (id) {
	case OPT_ON:
		return add_places(run, s->value, "--on");
	case OPT_HOSTS:
		return add_hosts(run, s->value);
	case OPT_PATH:
		return add_path(run, s->value);
	case OPT_ENV:
		return add_env(run, s->value);
	case OPT_EXCEPT:
		words_add(&run->except, s->value);
		return true;
	case OPT_MAY:
		words_add(&run->may, s->value);
		return true;
	case OPT_CONNECT_TIMEOUT:
		return option_duration(s, &run->patience_ms);
	default:
		run->address = s->value;
		return true;
	}
}

/* --may SPACE:OP,...: one entry of the map. */
static bool put_right(struct buf *b, char *text)
{
	char *colon = strrchr(text, ':'), *op;
	struct buf ops = BUF_INIT;
	unsigned count = 0;

	if (colon == NULL || colon == text || !utf8_valid(bytes_of(text)))
		return false;
	item_put_text_n(b, (struct bytes){(uint8_t *)text, (size_t)(colon - text)});
	for (op = strtok(colon + 1, ","); op != NULL; op = strtok(NULL, ",")) {
		item_put_text(&ops, op);
		count++;
	}
	item_put_head(b, ITEM_ARRAY, count);
	buf_append(b, ops.data, ops.len);
	buf_close(&ops);
	return true;
}

static bool put_rights(struct run *run)
{
	if (run->may.count == 0)
		return true;
	item_put_head(&run->rights, ITEM_MAP, run->may.count);
	for (unsigned i = 0; i < run->may.count; i++) {
		if (!put_right(&run->rights, run->may.at[i])) {
			tool_usage("run", "--may wants SPACE:OP,... (main:in,rd,out), not \"%s\"",
			           run->may.at[i]);
			return false;
		}
	}
	return true;
}

/* What the options leave open. */
static bool settle_places(struct run *run)
{
	unsigned workers = 0;
	char here[32];

	snprintf(here, sizeof here, "%ld/local", sysconf(_SC_NPROCESSORS_ONLN));
	if (run->places.count == 0 && !add_places(run, here, "--on"))
		return false;
	for (unsigned i = 0; i < run->except.count; i++) {
		int n = place_list_except(&run->places, run->except.at[i]);

		if (n <= 0) {
			tool_usage("run", "--except %s: no such place", run->except.at[i]);
			return false;
		}
	}
	for (unsigned i = 0; i < run->places.count; i++)
		workers += run->places.at[i].slots;
	if (workers > 0 && workers <= PLACE_SLOTS)
		return true;
	tool_usage("run", workers == 0 ? "--except leaves no place" : "more than %d workers",
	           PLACE_SLOTS);
	return false;
}

/* The script's folder comes before those of --path, as in Python. */
static bool read_script(struct run *run, const char *script)
{
	const char *slash = strrchr(script, '/');
	struct roots paths = run->roots;
	char *folder = xmalloc(strlen(script) + 2);
	bool ok;

	run->roots = (struct roots){NULL, 0};
	strcpy(folder, slash != NULL ? script : ".");
	if (slash != NULL)
		folder[slash - script + (slash == script)] = '\0';
	ok = read_file(script, &run->source) && add_path(run, folder);
	for (size_t i = 0; i < paths.count && ok; i++)
		ok = add_path(run, paths.at[i]);
	roots_close(&paths);
	xfree(folder);
	return ok;
}

/* --- the run --------------------------------------------------------------- */

/* A server of our own, when there is none and none was asked for. */
static int find_server(struct run *run)
{
	const char *named = run->address != NULL ? run->address : getenv("TILIA");
	char why[PRIVATE_WHY];
	int code = uplink_probe(run->address, why);

	if (code == 0)
		return 0;
	if (code != ERROR_CONNECT && code != ERROR_CLOSED && code != ERROR_TIMEOUT)
		return tool_usage("run", "%s", why);
	if (named != NULL && *named != '\0') {
		tool_complain("run", "no server answers: %s\nStart one: tiliad --listen %s", why,
		              named);
		return EXIT_NO_SERVER;
	}
	if (private_start(&run->server, why) != 0) {
		tool_complain("run", "no server answers, and %s", why);
		return EXIT_NO_SERVER;
	}
	run->address = run->server.address;
	fprintf(stderr,
	        "tilia run: no server answers; a private one in memory goes with this run\n");
	return 0;
}

static int launch(struct run *run, const char *script, int argc, char **argv)
{
	struct launcher_options o = {
		.places = &run->places, .roots = &run->roots, .script = script,
		.source = buf_bytes(&run->source), .argv = argv, .argc = (unsigned)argc,
		.env = run->env.at, .envc = run->env.count, .may = buf_bytes(&run->rights),
		.patience_ms = run->patience_ms,
	};
	int status = find_server(run);

	if (status != 0)
		return status;
	o.addresses = run->address;
	status = launcher_run(&o);
	private_stop(&run->server);
	return status;
}

static void run_close(struct run *run)
{
	place_list_close(&run->places);
	roots_close(&run->roots);
	words_close(&run->except);
	words_close(&run->env);
	words_close(&run->may);
	buf_close(&run->source);
	buf_close(&run->rights);
}

int run_main(const struct command *c, int argc, char **argv)
{
	struct run run = {.patience_ms = CONNECT_TIMEOUT_MS};
	struct option_scan s;
	int status = EXIT_USAGE;

	if (tool_options(&s, c, argc, argv, set_option, &run, &status)) {
		if (s.at == s.argc)
			status = tool_usage("run", "a script is missing");
		else if (!settle_places(&run) || !put_rights(&run))
			status = EXIT_USAGE;
		else if (!read_script(&run, argv[s.at]))
			status = EXIT_LOCAL;
		else
			status = launch(&run, argv[s.at], argc - s.at - 1, argv + s.at + 1);
	}
	run_close(&run);
	return status;
}
