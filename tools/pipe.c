/* The line door: a request is a line of command-line words, a reply one line.
 *
 *	out FIELD...                     ok                or   none (--unless)
 *	in|inp|rd|rdp TEMPLATE...        ok FIELD...       or   none
 *	count [TEMPLATE...]              ok N
 *	wait [TEMPLATE...]               ok N              or   none
 *	atomic STEP...                   ok [FIELD...]...  or   none
 *	ping                             ok
 *	anything wrong                   error CODE text
 */
#include "lines.h"
#include "link.h"
#include "output.h"
#include "pipe_request.h"
#include "pipe_words.h"
#include "tilia.h"

#include "../libclient/diag.h"
#include "../libclient/error.h"
#include "../libclient/item.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

const struct option_row pipe_options[] = {OPT_ROW_SPACE, OPT_ROW_CONNECT, OPT_ROWS_END};

struct pipe {
	struct link link;
	const char *space;
	struct lines input;
	struct pipe_words words;
	struct pipe_request request;
	struct output output;
};

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

/* What the guards of an atomic matched, each as one `[...]`. */
static void put_matches(struct buf *b, const uint8_t *answer)
{
	struct item_head h, entry, id;
	const uint8_t *p = item_head(item_head(answer, &h), &h);

	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p)) {
		const uint8_t *first = item_head(p, &entry);

		if (entry.major == ITEM_ARRAY) {
			buf_byte(b, ' ');
			diag_print(b, item_head(first, &id));
		}
	}
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
	if (q->what == TILIA_COUNT || q->what == TILIA_WAIT)
		buf_printf(b, " %llu", (unsigned long long)r->number);
	if (q->what == TILIA_ATOMIC)
		put_matches(b, r->cbor.data);
	if (r->tuples)
		pipe_words_put(b, tilia_tuple_cbor(r->tuples, &size));
	buf_byte(b, '\n');
}

/* One line, one reply. */
static int serve(struct pipe *p, struct bytes line)
{
	struct pipe_request *q = &p->request;
	struct link_result r;
	const char *why;
	int status;

	link_result_init(&r);
	if (!pipe_words_cut(&p->words, line, &why)) {
		reply_error(p, ERROR_USAGE, why);
	} else if (!pipe_request_read(q, &p->words, p->space)) {
		reply_error(p, q->code, q->why);
	} else {
		link_try(&p->link, q->what, &q->op, buf_bytes(&q->cbor), &r);
		if (r.code == TILIA_E_CANCELLED && link_interrupted()) {
			link_result_close(&r);
			return EXIT_INTERRUPTED;
		}
		reply_result(p, q, &r);
	}
	status = output_write(&p->output);
	if (status != 0 && r.tuples && q->what == TILIA_IN)
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
	pipe_request_init(&p.request);
	lines_init(&p.input, '\n');
	status = run(&p, c, argc, argv);
	lines_close(&p.input);
	pipe_words_close(&p.words);
	pipe_request_close(&p.request);
	output_close(&p.output);
	return status;
}
