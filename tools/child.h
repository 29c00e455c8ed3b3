/* A command that runs for a claim: a process group of its own, which ends with this
 * process (guard.h). Nothing here waits. */
#ifndef TILIA_TOOLS_CHILD_H
#define TILIA_TOOLS_CHILD_H

#include "guard.h"

#include "../libclient/base/buf.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define CHILD_PATIENCE_MS 5000 /* from TERM to KILL */

struct child_options {
	char *const *argv, *const *env;
	const struct guard *guard;
	int in;          /* its standard input */
	bool out, err;   /* read here; else they are this process's own */
	bool foreground; /* stays in this process's group, as what uses the terminal must; then
	                    it alone is signalled, and not what it starts */
};

struct child {
	pid_t pid;         /* 0: none; while it runs, and while its group is being ended */
	const struct guard *guard;
	int out, err;      /* -1: not read here, or at its end */
	bool foreground, exited, ending;
	int status;        /* of wait(), when it has exited */
	int64_t kill_ms;   /* monotonic, when it is being ended */
};

/* Starts it. 0, or an errno: of exec(), if *exec. */
int child_start(struct child *c, const struct child_options *o, bool *exec);

/* To be called after a SIGCHLD, and when child_deadline_ms() has come: true when it has
 * ended, and, if it was ended from here, its whole group with it. */
bool child_over(struct child *c, int64_t now_ms);
int64_t child_deadline_ms(const struct child *c, int64_t now_ms); /* INT64_MAX: none */

/* Terminates its group: TERM, and KILL for what is left at kill_ms. The earlier
 * time counts. */
void child_end(struct child *c, int64_t kill_ms);

/* Passes a signal on. */
void child_signal(const struct child *c, int number);

/* Reads what is there from c->out or c->err, and answers whether something was. At its
 * end the descriptor is closed. */
bool child_read(int *fd, struct buf *to);

/* Closes what is still read. */
void child_close(struct child *c);

int64_t child_now_ms(void);

#endif
