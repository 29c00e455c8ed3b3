/* A list of strings, as exec() wants its arguments and its environment. */
#ifndef TILIA_TOOLS_WORDS_H
#define TILIA_TOOLS_WORDS_H

#include "../libclient/base/buf.h"

/* All zero is empty. */
struct words {
	char **at; /* owned, all of them; with a NULL behind them unless it is empty */
	unsigned count;
};

/* Each copies. A NUL ends a word. */
void words_add(struct words *w, const char *text);
void words_add_n(struct words *w, struct bytes text);

/* The environment of this process; then NAME=VALUE, in place of what has the name. */
void words_environ(struct words *w);
void words_set(struct words *w, const char *name, struct bytes value);

void words_close(struct words *w);

#endif
