/* A byte stream to a server: one after the other of a list of addresses. Does
 * not block, but for the lookup of a host's name and the end of a program. */
#ifndef TILIA_TRANSPORT_H
#define TILIA_TRANSPORT_H

#include "address.h"

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct transport {
	struct address_list list;
	unsigned at;             /* the next address to try */
	const struct address *current; /* the one tried last */
	struct addrinfo *hosts;  /* of a name that was looked up */
	struct addrinfo *host;   /* the next of them to try */
	int fd;                  /* -1: none */
	bool connecting;
	bool busy;               /* the last failure is one that passes */
	pid_t pid;               /* of cmd: and ssh:, or 0 */
	char why[ADDRESS_WHY];   /* the text of the last failure */
};

/* `addresses`: a list, or NULL for the default. 0, or a code and t->why. */
int transport_init(struct transport *t, const char *addresses);

/* Ends the stream too. `alone`: leave a program running (it is a parent's). */
void transport_close(struct transport *t, bool alone);

/* Tries the next address. 0: t->fd is there (and t->connecting perhaps). A
 * negative code: that address does not answer; try again, until
 * transport_is_round() says that all were tried. */
int transport_connect(struct transport *t);
bool transport_is_round(const struct transport *t);

/* t->fd is writable while t->connecting. 0: connected. Negative: failed, closed. */
int transport_finish(struct transport *t);

/* After success: begin with the first address the next time. */
void transport_rewind(struct transport *t);

/* Bytes moved (above 0), 0: not now, or ERROR_CLOSED with t->why. */
ssize_t transport_read(struct transport *t, void *p, size_t n);
ssize_t transport_write(struct transport *t, const void *p, size_t n);

/* Ends the stream, and the program behind it. */
void transport_hang_up(struct transport *t);

#endif
