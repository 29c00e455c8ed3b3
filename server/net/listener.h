/* One listening socket. Inside of net; net.h is the contract. */
#ifndef TILIA_NET_LISTENER_H
#define TILIA_NET_LISTENER_H

#include "conn.h"

#include <sys/types.h>

struct listener {
	struct listener *next;
	struct net *net;
	uv_poll_t poll;
	int fd;
	bool is_unix;
	bool named; /* unix: the path is there, and this one is it: */
	dev_t dev;
	ino_t ino;
	struct address shown; /* as bound */
};

/* Takes an address and puts its listeners (a host may have several) at the
 * end of net->listeners. Answers as net_listen(). */
int listener_bind(struct net *net, const struct address *a, char *why);

/* Listens; a Unix socket is made and gets its name. Answers as net_ready(). */
int listener_start(struct listener *l, char *why);

/* Removes the socket; the memory goes when the loop lets go of the handle. */
void listener_stop(struct listener *l);

#endif
