/* What workers print, on this process's stdout and stderr: by whole lines with
 * the worker's name in front, never two lines mixed. A thread writes, so a
 * terminal that stands still holds up the text and nothing else. */
#ifndef TILIA_BOOT_CONSOLE_H
#define TILIA_BOOT_CONSOLE_H

#include "../../libclient/base/buf.h"

#include <stdbool.h>
#include <uv.h>

#define CONSOLE_LINE 65536 /* a longer line comes in pieces, marked with `+` */

struct console_sink;

/* One stream of one worker (its stdout, or its stderr). */
struct console_stream {
	struct console_sink *sink;
	char *prefix;      /* "[web1 3]", with its colour; NULL: bytes pass as they are */
	struct buf line;   /* not yet whole */
	bool continued;    /* pieces of this line were written */
	size_t owed;       /* bytes that wait for the writer */
	size_t settled;    /* and those of them in the write under way */
	void (*taken)(void *ctx, size_t n); /* n bytes of it have left */
	void *ctx;
	struct console_stream *next;
};

/* A sink for the descriptor `fd`. broken(ctx) is called, once, when writing
 * fails (EPIPE): everything is swallowed from then on. */
struct console_sink *console_create(uv_loop_t *loop, int fd, void (*broken)(void *ctx), void *ctx);

/* Nothing may be under way any more: console_is_idle(). */
void console_destroy(struct console_sink *s);

/* Whether all that came in was written (or swallowed). */
bool console_is_idle(const struct console_sink *s);

/* Attaches a stream. `name` (copied; NULL: no prefix), `colour`: an index, or
 * -1 for none. */
void console_attach(struct console_sink *s, struct console_stream *o, const char *name, int colour,
                   void (*taken)(void *ctx, size_t n), void *ctx);

/* Bytes of the stream; they are copied. */
void console_put(struct console_stream *o, struct bytes text);

/* The end of the stream: what is left of a line goes out with a newline. */
void console_end(struct console_stream *o);

/* A whole line of our own ("tilia: ..."), in turn with the rest. */
void console_say(struct console_sink *s, const char *line);

#endif
