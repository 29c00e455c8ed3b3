#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 << 10)

void lines_init(struct lines *l, char end)
{
	*l = (struct lines){.end = end};
}

void lines_close(struct lines *l)
{
	buf_close(&l->in);
}

static enum lines_state hand_out(struct lines *l, size_t n, size_t end, struct bytes *line)
{
	*line = (struct bytes){l->in.data + l->at, n};
	l->at += n + end;
	l->searched = l->at;
	l->count++;
	return LINES_ONE;
}

enum lines_state lines_next(struct lines *l, struct bytes *line)
{
	size_t left = l->in.len - l->at;
	const uint8_t *end = NULL;

	if (l->in.len > l->searched)
		end = memchr(l->in.data + l->searched, l->end, l->in.len - l->searched);
	if (end)
		return hand_out(l, (size_t)(end - l->in.data) - l->at, 1, line);
	l->searched = l->in.len;
	if (left > LINES_MAX)
		return LINES_LONG;
	if (!l->eof)
		return LINES_WAIT;
	return left > 0 ? hand_out(l, left, 0, line) : LINES_OVER;
}

bool lines_ready(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

int lines_read(struct lines *l, const sigset_t *open)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	uint8_t *to;
	ssize_t n;

	buf_shift(&l->in, l->at);
	l->searched -= l->at;
	l->at = 0;
	if (ppoll(&p, 1, NULL, open) < 0)
		return errno;
	to = buf_reserve(&l->in, READ_SIZE);
	if (!to)
		return ENOMEM;
	n = read(STDIN_FILENO, to, READ_SIZE);
	if (n < 0)
		return errno;
	l->in.len += (size_t)n;
	l->eof = n == 0;
	return 0;
}
