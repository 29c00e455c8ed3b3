/* The server's life: start, recovery, the loop, signals, the end. */
#ifndef TILIA_SERVER_H
#define TILIA_SERVER_H

#include "config.h"

/* Serves until TERM or INT. The exit status: 0 stopped as asked, with everything
 * answered and committed; 1 it could not start, or the journal failed (the log
 * says why). */
int server_run(const struct config *c);

#endif
