/* What commands say, on this process's stdout or stderr: by whole lines, never two of
 * them mixed, and without ever waiting for whoever reads it. */
#ifndef TILIA_TOOLS_SINK_H
#define TILIA_TOOLS_SINK_H

#include "../libclient/base/buf.h"

#include <poll.h>
#include <stdbool.h>

#define SINK_LINE ((size_t)64 << 10) /* a longer line comes in pieces */
#define SINK_FULL ((size_t)1 << 20)  /* so much unwritten, and no more should be read */

struct sink {
	int fd;
	struct buf text; /* whole lines */
	size_t at;       /* written up to here */
	bool broken;     /* nobody reads it any more: everything is swallowed */
};

/* Moves what is whole of `line` (what a command said and was not moved yet) to the sink;
 * at the command's end all of it, with a newline. */
void sink_take(struct sink *s, struct buf *line, bool end);

/* A line of our own. */
void sink_say(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool sink_is_full(const struct sink *s);

/* What to poll for, and what came of it: whoever reads it may be gone. */
void sink_poll(const struct sink *s, struct pollfd *p);
void sink_polled(struct sink *s, const struct pollfd *p);

bool sink_is_empty(const struct sink *s);

/* Writes what goes without waiting. */
void sink_flush(struct sink *s);

/* Writes all, waiting for up to `ms`. */
void sink_close(struct sink *s, int ms);

#endif
