/* What tilia dump wrote goes in through the server. Tuples of one space go in batches, a
 * commit each, because a commit has times for each of its tuples. */
#include "fields.h"
#include "lines.h"
#include "link.h"
#include "space.h"
#include "tilia.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/item.h"
#include "../libclient/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOAD_BATCH_BYTES ((size_t)256 << 10)
#define LOAD_IN_FLIGHT 8

const struct option_row load_options[] = {
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

/* A tuple of the batch. */
struct load_put {
	size_t at, size;
	int64_t ttl_ms, delay_ms;
};

struct load {
	struct link link;
	struct lines input;
	struct buf space, options, batch; /* batch: tuples, one after the other */
	struct load_put puts[MESSAGE_LIST_MAX];
	size_t count;
	uint64_t first, last; /* lines of the batch */
	uint64_t done, made, expired, bound;
	int status;
};

/* What one commit was about, for the message when it fails. */
struct load_sent {
	struct load *load;
	uint64_t first, last, count;
};

/* ---- batches ------------------------------------------------------------------------ */

static void on_put(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct load_sent *sent = arg;
	struct load *load = sent->load;

	(void)t;
	if (d->code == 0) {
		load->done += sent->count;
	} else if (load->status == 0) {
		load->status = link_failed(&load->link, d->code, d->error);
		tool_complain(load->link.command, "lines %llu to %llu were not put",
		              (unsigned long long)sent->first, (unsigned long long)sent->last);
	}
	xfree(sent);
}

static int64_t submit(struct load *load, struct load_sent *sent)
{
	struct tilia_put out[MESSAGE_LIST_MAX];
	struct tilia_commit commit = {.out = out, .out_count = load->count};

	for (size_t i = 0; i < load->count; i++) {
		const struct load_put *p = &load->puts[i];

		out[i] = (struct tilia_put){
			.space = (const char *)load->space.data,
			.cbor = load->batch.data + p->at,
			.size = p->size,
			.ttl_ms = p->ttl_ms,
			.delay_ms = p->delay_ms,
		};
	}
	return tilia_submit_commit(load->link.t, &commit, on_put, sent);
}

/* Sends the batch, and waits while too many are on their way. */
static int send_batch(struct load *load, size_t in_flight)
{
	int status = 0;

	if (load->count > 0) {
		struct load_sent *sent = xmalloc(sizeof *sent);
		int64_t request;

		*sent = (struct load_sent){load, load->first, load->last, load->count};
		request = submit(load, sent);
		if (request < 0) {
			xfree(sent);
			status = link_failed(&load->link, (int)request, NULL);
		}
	}
	buf_clear(&load->batch, LOAD_BATCH_BYTES * 2);
	load->count = 0;
	if (status == 0)
		status = link_flush(&load->link, in_flight);
	return load->status ? load->status : status;
}

/* ---- lines -------------------------------------------------------------------------- */

static int wrong(const struct load *load, const char *what)
{
	return tool_usage(load->link.command, "line %llu: %s",
	                  (unsigned long long)load->input.count, what);
}

/* Cuts the first column off. */
static bool column(struct bytes *line, struct bytes *cut)
{
	const uint8_t *tab = line->n ? memchr(line->p, '\t', line->n) : NULL;

	if (!tab)
		return false;
	*cut = (struct bytes){line->p, (size_t)(tab - line->p)};
	*line = (struct bytes){tab + 1, line->n - cut->n - 1};
	return true;
}

static bool is_number(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.n > 0 && text.n <= 20;
}

/* Reads a map whose keys are all among `keys`, which ends with NULL. */
static int read_options(struct load *load, struct bytes text, const char *const *keys)
{
	struct diag_error err;
	struct item_head h;
	const uint8_t *p;

	buf_clear(&load->options, (size_t)1 << 16);
	if (diag_parse(text, 0, &load->options, NULL, NULL, &err) != 0) {
		wrong(load, "the options cannot be read");
		fields_show(load->link.command, text, &err);
		return EXIT_USAGE;
	}
	p = item_head(load->options.data, &h);
	if (h.major != ITEM_MAP)
		return wrong(load, "the options are not a map");
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(item_skip(p))) {
		const char *const *key = keys;

		while (*key && !bytes_equal(item_string(p), bytes_of(*key)))
			key++;
		if (!*key)
			return wrong(load, "an option that is not known");
	}
	return 0;
}

static uint64_t option_number(const struct load *load, const char *key)
{
	const uint8_t *v = space_value(load->options.data, key);
	struct item_head h = {0};

	if (v)
		item_head(v, &h);
	return h.major == ITEM_UINT ? h.arg : 0;
}

static bool option_true(const struct load *load, const char *key)
{
	const uint8_t *v = space_value(load->options.data, key);

	return v && item_type(v) == ITEM_TYPE_BOOL && (*v & 1);
}

/* As a string of its own for xfree(), or NULL. */
static char *option_text(const struct load *load, const char *key)
{
	const uint8_t *v = space_value(load->options.data, key);
	struct bytes text = v ? item_string(v) : (struct bytes){0};
	char *s;

	if (!text.n)
		return NULL;
	s = xmalloc(text.n + 1);
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	return s;
}

/* Makes it where it is missing. `main` is there always: it gets what the line names. */
static int make_space(struct load *load, const char *name, const struct tilia_space *space)
{
	int code = tilia_space_create(load->link.t, name, space);

	if (code == TILIA_E_SPACE_EXISTS && strcmp(name, "main") == 0 && space->set)
		code = tilia_space_alter(load->link.t, name, space);
	else if (code == 0)
		load->made++;
	if (code == 0 || code == TILIA_E_SPACE_EXISTS)
		return 0;
	return link_failed(&load->link, code, NULL);
}

static int take_space(struct load *load, struct bytes name, struct bytes options)
{
	static const char *const keys[] = {"bytes", "dead",     "shape", "tries",
	                                   "tuples", "volatile", NULL};
	char *dead, *shape;
	struct tilia_space space = {0};
	int status = send_batch(load, LOAD_IN_FLIGHT);

	if (status || (status = read_options(load, options, keys)))
		return status;
	space.is_volatile = option_true(load, "volatile");
	space.tries = (uint32_t)option_number(load, "tries");
	space.dead = dead = option_text(load, "dead");
	space.shape = shape = option_text(load, "shape");
	space.tuples = option_number(load, "tuples");
	space.bytes = option_number(load, "bytes");
	space.set = (space.tries ? TILIA_SPACE_TRIES : 0) | (dead ? TILIA_SPACE_DEAD : 0) |
	            (shape ? TILIA_SPACE_SHAPE : 0) | (space.tuples ? TILIA_SPACE_TUPLES : 0) |
	            (space.bytes ? TILIA_SPACE_BYTES : 0);
	buf_clear(&load->space, 512);
	buf_append(&load->space, name.p, name.n);
	buf_byte(&load->space, '\0');
	status = make_space(load, (const char *)load->space.data, &space);
	xfree(dead);
	xfree(shape);
	return status;
}

static uint64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Whether the tuple still is one, and what is left of its times. */
static bool read_times(struct load *load, struct load_put *put)
{
	uint64_t now = wall_ms(), due = option_number(load, "due");
	uint64_t expires = option_number(load, "expires");

	put->delay_ms = due > now ? (int64_t)(due - now) : 0;
	put->ttl_ms = expires > now ? (int64_t)(expires - now) : 0;
	load->bound += option_true(load, "bound");
	if (option_true(load, "bound"))
		return false;
	load->expired += expires && expires <= now;
	return !expires || expires > now;
}

/* The batch is of one space. */
static int enter_space(struct load *load, struct bytes name)
{
	int status = 0;

	if (load->space.len == name.n + 1 && memcmp(load->space.data, name.p, name.n) == 0)
		return 0;
	status = send_batch(load, LOAD_IN_FLIGHT);
	buf_clear(&load->space, 512);
	buf_append(&load->space, name.p, name.n);
	buf_byte(&load->space, '\0');
	return status;
}

static int take_tuple(struct load *load, struct bytes space, struct bytes options,
                      struct bytes tuple)
{
	static const char *const keys[] = {"bound", "due", "expires", "held", "tries", NULL};
	struct load_put put = {0};
	int status = enter_space(load, space);

	if (status || (status = read_options(load, options, keys)))
		return status;
	if (!read_times(load, &put))
		return 0;
	put.at = load->batch.len;
	if (!fields_line(&load->batch, load->link.command, tuple, load->input.count))
		return EXIT_USAGE;
	put.size = load->batch.len - put.at;
	if (load->count == 0)
		load->first = load->input.count;
	load->last = load->input.count;
	load->puts[load->count++] = put;
	if (load->count < MESSAGE_LIST_MAX && load->batch.len < LOAD_BATCH_BYTES)
		return 0;
	return send_batch(load, LOAD_IN_FLIGHT);
}

static int take_line(struct load *load, struct bytes line)
{
	struct bytes space, what, options;

	if (!column(&line, &space) || !column(&line, &what))
		return wrong(load, "not a line of tilia dump: SPACE, id, {options}, [tuple]");
	if (space.n == 0 || space.n > 255)
		return wrong(load, "the name of the space has 1 to 255 bytes");
	if (bytes_equal(what, bytes_of("space")))
		return take_space(load, space, line);
	if (!is_number(what) || !column(&line, &options))
		return wrong(load, "behind the space stands the word space, or an id");
	return take_tuple(load, space, options, line);
}

static int read_on(struct load *load)
{
	sigset_t open;
	int code;

	link_hold_signals(&open);
	code = link_interrupted() ? EINTR : lines_read(&load->input, &open);
	sigprocmask(SIG_SETMASK, &open, NULL);
	if (link_interrupted())
		return EXIT_INTERRUPTED;
	if (code == 0 || code == EINTR)
		return 0;
	tool_complain(load->link.command, "the input: %s", strerror(code));
	return EXIT_LOCAL;
}

static int each_line(struct load *load)
{
	struct bytes line;
	int status = 0;

	while (status == 0) {
		switch (lines_next(&load->input, &line)) {
		case LINES_ONE:
			status = take_line(load, line);
			break;
		case LINES_WAIT:
			status = read_on(load);
			break;
		case LINES_OVER:
			return 0;
		case LINES_LONG:
			load->input.count++;
			return wrong(load, "it is too long");
		}
	}
	return status;
}

/* ---- the command -------------------------------------------------------------------- */

static void report(const struct load *load, FILE *to)
{
	fprintf(to, "%llu tuples put, %llu spaces made", (unsigned long long)load->done,
	        (unsigned long long)load->made);
	if (load->expired)
		fprintf(to, ", %llu had expired", (unsigned long long)load->expired);
	if (load->bound)
		fprintf(to, ", %llu were bound to a session and are left out",
		        (unsigned long long)load->bound);
	fputc('\n', to);
}

/* Lines before a wrong one are put; it and those after it are not. */
static int load_all(struct load *load)
{
	int status, last;

	lines_init(&load->input, '\n');
	status = each_line(load);
	last = send_batch(load, 0);
	lines_close(&load->input);
	status = status ? status : last;
	report(load, status ? stderr : stdout);
	return status ? status : tool_flush(load->link.command);
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct load *load = ctx;

	if (id == OPT_CONNECT)
		load->link.address = s->value;
	return id == OPT_CONNECT;
}

/* The file takes the place of standard input. */
static int open_input(const char *command, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && dup2(fd, STDIN_FILENO) >= 0) {
		close(fd);
		return 0;
	}
	tool_complain(command, "%s: %s", path, strerror(errno));
	return EXIT_LOCAL;
}

static int run(struct load *load, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int left, status;

	if (!tool_options(&s, c, argc, argv, set_option, load, &status))
		return status;
	if (s.argc - s.at > 1)
		return tool_usage(c->name, "one file, or - for standard input");
	if (s.at < s.argc && strcmp(s.argv[s.at], "-") != 0)
		status = open_input(c->name, s.argv[s.at]);
	else
		status = 0;
	if (status == 0)
		status = link_open(&load->link);
	if (status != 0)
		return status;
	status = load_all(load);
	left = link_close(&load->link);
	return status ? status : left;
}

int load_main(const struct command *c, int argc, char **argv)
{
	struct load load = {.link = {.command = c->name}};
	int status = run(&load, c, argc, argv);

	buf_close(&load.space);
	buf_close(&load.options);
	buf_close(&load.batch);
	return status;
}
