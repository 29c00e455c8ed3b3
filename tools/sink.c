#include "sink.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

void sink_take(struct sink *s, struct buf *line, bool end)
{
	size_t n = line->len;

	while (n > 0 && line->data[n - 1] != '\n' && !end)
		n--;
	if (n == 0 && line->len >= SINK_LINE)
		n = line->len;
	if (n == 0)
		return;
	if (!s->broken) {
		buf_append(&s->text, line->data, n);
		if (line->data[n - 1] != '\n')
			buf_byte(&s->text, '\n');
	}
	buf_shift(line, n);
}

void sink_say(struct sink *s, const char *fmt, ...)
{
	va_list ap;

	if (s->broken)
		return;
	va_start(ap, fmt);
	buf_vprintf(&s->text, fmt, ap);
	va_end(ap);
	buf_byte(&s->text, '\n');
	sink_flush(s);
}

bool sink_is_full(const struct sink *s)
{
	return s->text.len - s->at >= SINK_FULL;
}

bool sink_is_empty(const struct sink *s)
{
	return s->text.len == s->at;
}

void sink_poll(const struct sink *s, struct pollfd *p)
{
	*p = (struct pollfd){.fd = s->broken ? -1 : s->fd,
	                     .events = sink_is_empty(s) ? 0 : POLLOUT};
}

static void give_up(struct sink *s)
{
	s->broken = true;
	s->at = s->text.len;
}

void sink_polled(struct sink *s, const struct pollfd *p)
{
	if (p->fd >= 0 && (p->revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		give_up(s);
}

/* A pipe or a terminal that is ready takes PIPE_BUF bytes at once; of more it may take
 * a part and let the rest wait, and so would we. */
static bool flush_for(struct sink *s, int ms)
{
	struct pollfd p;

	while (!sink_is_empty(s)) {
		size_t left = s->text.len - s->at;
		ssize_t done;

		sink_poll(s, &p);
		if (poll(&p, 1, ms) <= 0)
			return false;
		done = write(s->fd, s->text.data + s->at, left < PIPE_BUF ? left : PIPE_BUF);
		if (done > 0)
			s->at += (size_t)done;
		else if (done < 0 && errno != EINTR && errno != EAGAIN)
			give_up(s);
	}
	s->at = 0;
	buf_clear(&s->text, SINK_FULL);
	return true;
}

void sink_flush(struct sink *s)
{
	flush_for(s, 0);
}

void sink_close(struct sink *s, int ms)
{
	flush_for(s, ms);
	buf_close(&s->text);
	s->at = 0;
}
