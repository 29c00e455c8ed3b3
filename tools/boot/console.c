#include "console.h"

#include "must.h"
#include "../../libclient/base/xmalloc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

struct console_sink {
	uv_loop_t *loop;
	uv_work_t work;
	int fd, error;
	bool busy, dead;
	struct buf waiting, writing;
	void (*broken)(void *ctx);
	void *ctx;
	struct console_stream *streams;
};

struct console_sink *console_create(uv_loop_t *loop, int fd, void (*broken)(void *ctx), void *ctx)
{
	struct console_sink *s = xcalloc(1, sizeof *s);

	s->loop = loop;
	s->fd = fd;
	s->broken = broken;
	s->ctx = ctx;
	s->work.data = s;
	return s;
}

void console_destroy(struct console_sink *s)
{
	if (s == NULL)
		return;
	for (struct console_stream *o = s->streams; o != NULL; o = o->next) {
		xfree(o->prefix);
		buf_close(&o->line);
	}
	buf_close(&s->waiting);
	buf_close(&s->writing);
	xfree(s);
}

bool console_is_idle(const struct console_sink *s)
{
	return !s->busy && s->waiting.len == 0;
}

/* --- the writer ------------------------------------------------------------ */

/* On a thread: writes all of `writing`. The descriptor may be non-blocking by
 * another's doing. */
static void writer_write(uv_work_t *work)
{
	struct console_sink *s = work->data;

	for (size_t done = 0; done < s->writing.len;) {
		ssize_t n = write(s->fd, s->writing.data + done, s->writing.len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN) {
			struct pollfd p = {s->fd, POLLOUT, 0};

			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			s->error = errno;
			return;
		}
	}
}

static void start(struct console_sink *s);

/* The bytes that were under way are gone: says so to their streams. */
static void settle(struct console_sink *s)
{
	for (struct console_stream *o = s->streams; o != NULL; o = o->next) {
		size_t n = o->settled;

		o->settled = 0;
		if (n > 0)
			o->taken(o->ctx, n);
	}
}

static void written(uv_work_t *work, int status)
{
	struct console_sink *s = work->data;

	(void)status;
	s->busy = false;
	buf_clear(&s->writing, 4 * CONSOLE_LINE);
	if (s->error != 0 && !s->dead) {
		s->dead = true;
		buf_clear(&s->waiting, 0);
		s->broken(s->ctx);
	}
	settle(s);
	start(s);
}

static void start(struct console_sink *s)
{
	struct buf b;

	must(&s->waiting);
	if (s->busy)
		return;
	for (struct console_stream *o = s->streams; o != NULL; o = o->next) {
		o->settled += o->owed;
		o->owed = 0;
	}
	if (s->waiting.len == 0) {
		settle(s);
		return;
	}
	b = s->writing;
	s->writing = s->waiting;
	s->waiting = b;
	s->busy = true;
	if (uv_queue_work(s->loop, &s->work, writer_write, written) != 0) {
		writer_write(&s->work);
		written(&s->work, 0);
	}
}

/* --- lines ----------------------------------------------------------------- */

void console_attach(struct console_sink *s, struct console_stream *o, const char *name, int colour,
                   void (*taken)(void *ctx, size_t n), void *ctx)
{
	static const int colours[] = {32, 33, 34, 35, 36, 92, 93, 94, 95, 96};
	size_t size;

	memset(o, 0, sizeof *o);
	o->sink = s;
	o->taken = taken;
	o->ctx = ctx;
	o->next = s->streams;
	s->streams = o;
	if (name == NULL)
		return;
	size = strlen(name) + 32;
	o->prefix = xmalloc(size);
	if (colour < 0)
		snprintf(o->prefix, size, "[%s", name);
	else
		snprintf(o->prefix, size, "\033[%dm[%s",
		         colours[(size_t)colour % (sizeof colours / sizeof *colours)],
		         name);
}

/* The prefix, a part of a line, and a newline. */
static void put_line(struct console_stream *o, struct bytes line)
{
	struct buf *b = &o->sink->waiting;

	buf_text(b, o->prefix);
	if (o->continued)
		buf_text(b, " +");
	buf_text(b, o->prefix[0] == '\033' ? "]\033[0m " : "] ");
	buf_append(b, line.p, line.n);
	buf_byte(b, '\n');
}

/* Moves what is whole from o->line to the sink. */
static void move_lines(struct console_stream *o)
{
	size_t at = 0;

	for (;;) {
		size_t n = o->line.len - at;
		const uint8_t *from = o->line.data + at;
		const uint8_t *end = n > 0 ? memchr(from, '\n', n) : NULL;
		size_t length = end != NULL ? (size_t)(end - from) : n;

		if (length > CONSOLE_LINE)
			length = CONSOLE_LINE;
		else if (end == NULL)
			break;
		put_line(o, (struct bytes){from, length});
		o->continued = end == NULL || from + length != end;
		at += length + !o->continued;
	}
	buf_shift(&o->line, at);
}

void console_put(struct console_stream *o, struct bytes text)
{
	o->owed += text.n;
	if (o->sink->dead)
		;
	else if (o->prefix == NULL)
		buf_append(&o->sink->waiting, text.p, text.n);
	else {
		buf_append(&o->line, text.p, text.n);
		must(&o->line);
		move_lines(o);
	}
	start(o->sink);
}

void console_end(struct console_stream *o)
{
	if (!o->sink->dead && o->line.len > 0) {
		put_line(o, buf_bytes(&o->line));
		buf_clear(&o->line, 0);
		start(o->sink);
	}
}

void console_say(struct console_sink *s, const char *line)
{
	if (s->dead)
		return;
	buf_text(&s->waiting, line);
	buf_byte(&s->waiting, '\n');
	start(s);
}
