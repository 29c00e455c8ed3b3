/* The line door: a request is a line of command-line words, a reply one line.
 *
 *	out FIELD...                     ok
 *	in|inp|rd|rdp [--timeout TIME] [--after ID] TEMPLATE...
 *	                                 ok FIELD...   or   none
 *	count [TEMPLATE...]              ok N
 *	ping                             ok
 *	--space NAME may stand in each   error CODE text
 */
#include "lines.h"
#include "link.h"
#include "output.h"
#include "pipe_words.h"
#include "tilia.h"

#include "../libclient/diag.h"
#include "../libclient/error.h"
#include "../libclient/item.h"
#include "../libclient/message.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct option_row pipe_options[] = {OPT_ROW_SPACE, OPT_ROW_CONNECT, OPT_ROWS_END};

struct pipe {
	struct link link;
	const char *space;
	struct lines input;
	struct pipe_words words;
	struct output output;
	struct buf cbor;
};

/* A request of a line. */
struct pipe_request {
	enum tilia_request what;
	bool fields; /* it has some */
	struct tilia_op op;
	int first; /* word of its fields */
};

static const struct {
	const char *name;
	enum tilia_request what;
	bool waits, fields;
} verbs[] = {
	{"out", TILIA_OUT, false, true},   {"in", TILIA_IN, true, true},
	{"inp", TILIA_IN, false, true},    {"rd", TILIA_RD, true, true},
	{"rdp", TILIA_RD, false, true},    {"count", TILIA_COUNT, false, true},
	{"ping", TILIA_PING, false, false},
};
#define VERBS (sizeof verbs / sizeof *verbs)

static void reply(struct pipe *p, const char *text)
{
	buf_text(&p->output.text, text);
	buf_byte(&p->output.text, '\n');
}

static void reply_error(struct pipe *p, int code, const char *text)
{
	struct buf *b = &p->output.text;

	buf_printf(b, "error %s ", error_word(code));
	for (const char *c = text && *text ? text : error_text(code); *c; c++)
		buf_byte(b, *c == '\n' || *c == '\r' ? ' ' : (uint8_t)*c);
	buf_byte(b, '\n');
}

/* An option of a line. Answers the index behind it, or -1: wrong. */
static int line_option(const struct pipe_words *w, struct pipe_request *q, int i)
{
	const char *name = w->at[i], *value = w->at[i + 1];
	uint64_t ms;

	if (!value)
		return -1;
	if (strcmp(name, "--space") == 0) {
		q->op.space = value;
	} else if (strcmp(name, "--timeout") == 0) {
		if (!option_read_duration(value, &ms))
			return -1;
		q->op.timeout_ms = ms ? (int64_t)ms : TILIA_NOWAIT;
	} else if (strcmp(name, "--after") == 0) {
		if (!option_read_count(value, MESSAGE_NUMBER_MAX - 1, &q->op.after))
			return -1;
	} else {
		return -1;
	}
	return i + 2;
}

/* Understands the words before the fields. */
static bool read_request(struct pipe *p, struct pipe_request *q)
{
	const struct pipe_words *w = &p->words;
	size_t v = 0;
	int i = 1;

	while (v < VERBS && (w->count == 0 || strcmp(verbs[v].name, w->at[0]) != 0))
		v++;
	if (v == VERBS) {
		reply_error(p, ERROR_USAGE,
		            "a line begins with out, in, inp, rd, rdp, count or ping");
		return false;
	}
	*q = (struct pipe_request){.what = verbs[v].what, .fields = verbs[v].fields};
	q->op.space = p->space;
	if (q->what == TILIA_IN || q->what == TILIA_RD)
		q->op.timeout_ms = verbs[v].waits ? 0 : TILIA_NOWAIT;
	while (i > 0 && i < w->count && strncmp(w->at[i], "--", 2) == 0 && w->at[i][2])
		i = line_option(w, q, i);
	if (i < 0) {
		reply_error(p, ERROR_USAGE, "no such option, or its value is wrong");
		return false;
	}
	q->first = i;
	return true;
}

/* The words from the first field on as CBOR. */
static bool read_fields(struct pipe *p, const struct pipe_request *q)
{
	char **words = p->words.at + q->first;
	unsigned count = (unsigned)(p->words.count - q->first), literal = 0, word;
	struct diag_error err;
	char text[256];

	buf_clear(&p->cbor, 1 << 16);
	if (!q->fields)
		return true;
	if (count == 0 && q->what == TILIA_COUNT) {
		item_put_null(&p->cbor);
		return true;
	}
	if (count == 0) {
		reply_error(p, ERROR_USAGE, "fields are missing");
		return false;
	}
	while (literal < count && strcmp(words[literal], "--") != 0)
		literal++;
	if (literal < count)
		memmove(words + literal, words + literal + 1, (--count - literal) * sizeof *words);
	if (diag_words(words, count, literal, q->what == TILIA_OUT ? 0 : DIAG_FORMALS, &p->cbor,
	               NULL, &word, &err) == 0)
		return true;
	snprintf(text, sizeof text, "field %u: %s", word, err.why);
	reply_error(p, err.code, text);
	return false;
}

static void reply_result(struct pipe *p, const struct pipe_request *q,
                         const struct link_result *r)
{
	struct buf *b = &p->output.text;
	size_t size;

	if (r->code == TILIA_NONE) {
		reply(p, "none");
		return;
	}
	if (r->code != 0) {
		reply_error(p, r->code, (const char *)r->error.data);
		return;
	}
	buf_text(b, "ok");
	if (q->what == TILIA_COUNT)
		buf_printf(b, " %llu", (unsigned long long)r->number);
	if (r->tuples)
		pipe_words_put(b, tilia_tuple_cbor(r->tuples, &size));
	buf_byte(b, '\n');
}

/* One line, one reply. */
static int serve(struct pipe *p, struct bytes line)
{
	struct pipe_request q;
	struct link_result r;
	const char *why;
	int status;

	link_result_init(&r);
	if (!pipe_words_cut(&p->words, line, &why)) {
		reply_error(p, ERROR_USAGE, why);
	} else if (read_request(p, &q) && read_fields(p, &q)) {
		link_try(&p->link, q.what, &q.op, buf_bytes(&p->cbor), &r);
		if (r.code == TILIA_E_CANCELLED && link_interrupted()) {
			link_result_close(&r);
			return EXIT_INTERRUPTED;
		}
		reply_result(p, &q, &r);
	}
	status = output_write(&p->output);
	if (status != 0 && r.tuples && q.what == TILIA_IN)
		status = link_undo(&p->link, status);
	link_result_close(&r);
	return status;
}

static int read_on(struct pipe *p)
{
	sigset_t open;
	int code;

	link_hold_signals(&open);
	code = link_interrupted() ? EINTR : lines_read(&p->input, &open);
	sigprocmask(SIG_SETMASK, &open, NULL);
	if (link_interrupted())
		return EXIT_INTERRUPTED;
	if (code == 0 || code == EINTR)
		return 0;
	tool_complain(p->link.command, "standard input: %s", strerror(code));
	return EXIT_LOCAL;
}

static int each_line(struct pipe *p)
{
	struct bytes line;
	int status = 0;

	while (status == 0)
		switch (lines_next(&p->input, &line)) {
		case LINES_ONE:
			status = serve(p, line);
			break;
		case LINES_WAIT:
			status = read_on(p);
			break;
		case LINES_OVER:
			return 0;
		case LINES_LONG:
			tool_complain(p->link.command, "a line is too long");
			return EXIT_USAGE;
		}
	return status;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct pipe *p = ctx;

	*(id == OPT_SPACE ? &p->space : &p->link.address) = s->value;
	return true;
}

static int run(struct pipe *p, const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int status, left;

	if (!tool_options(&s, c, argc, argv, set_option, p, &status))
		return status;
	if (s.at < argc)
		return tool_usage(c->name, "requests come on standard input");
	status = link_open(&p->link);
	if (status != 0)
		return status;
	status = each_line(p);
	if (!p->link.t)
		return status;
	left = link_close(&p->link);
	return status ? status : left;
}

int pipe_main(const struct command *c, int argc, char **argv)
{
	struct pipe p = {.link.command = c->name};
	int status;

	output_init(&p.output, c->name);
	lines_init(&p.input, '\n');
	status = run(&p, c, argc, argv);
	lines_close(&p.input);
	pipe_words_close(&p.words);
	buf_close(&p.cbor);
	output_close(&p.output);
	return status;
}
