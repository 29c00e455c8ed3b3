/* Standard input, line by line, read as it comes: a line is handed out as soon
 * as it is there, and the caller learns when reading on would have to wait. */
#ifndef TILIA_TOOLS_LINES_H
#define TILIA_TOOLS_LINES_H

#include "../libclient/base/buf.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define LINES_MAX ((size_t)4 << 20) /* bytes of a line: more than any tuple's text */

struct lines {
	char end;        /* '\n', or '\0' */
	struct buf in;
	size_t at;       /* first byte not handed out */
	size_t searched; /* no line ends before it */
	uint64_t count;  /* of lines handed out */
	bool eof;
};

enum lines_state {
	LINES_ONE,   /* *line is a line, without its end; valid until the next call */
	LINES_WAIT,  /* none is whole: lines_read() */
	LINES_OVER,  /* the end */
	LINES_LONG,  /* a line is longer than LINES_MAX */
};

void lines_init(struct lines *l, char end);
void lines_close(struct lines *l);

/* The next line of what was read. A last line without an end is one too. */
enum lines_state lines_next(struct lines *l, struct bytes *line);

/* Whether reading would not wait. */
bool lines_ready(void);

/* Reads more, waiting with the signal mask `open`. 0, or an errno (EINTR: a
 * signal came). */
int lines_read(struct lines *l, const sigset_t *open);

#endif
