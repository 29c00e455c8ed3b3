/* Connections: listeners, streams, frames in, bytes out. It knows bytes and
 * numbers and has no opinion about what they mean.
 *
 * Everything happens on the loop's thread. The calls of struct net_calls come
 * from the loop and from net_flush() only: net_write(), net_mark(), net_close(),
 * net_resume() and net_deafen() never call back.
 *
 * Life: net_create, net_listen..., net_ready, then the loop runs and net_flush()
 * is called before it may block; net_shut, the loop's close callbacks,
 * net_destroy.
 *
 * An idle connection is one small struct: no buffer of its own. Input is read
 * into one shared buffer; what is left of an incomplete frame is kept.
 */
#ifndef TILIA_NET_H
#define TILIA_NET_H

#include "../../libclient/address.h"
#include "../../libclient/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum net_verdict {
	NET_TAKEN, /* the frame is done with */
	NET_HOLD,  /* keep it, read no more of this connection until net_resume() */
	NET_DEAF,  /* done with, and all later input is to be dropped unread */
};

struct net_calls {
	/* A connection. principal: "uid:N" on a Unix socket, "tcp" on loopback TCP.
	 * Numbers are dense and small; one may be used again once closed() was called. */
	void (*open)(void *ctx, uint32_t conn, struct bytes principal);

	/* One frame's content, valid during the call. */
	enum net_verdict (*frame)(void *ctx, uint32_t conn, struct bytes message);

	/* The input is no frame: ERROR_MALFORMED or ERROR_LIMIT. NET_HOLD asks again
	 * after net_resume(); else the connection is deaf and open until net_close(). */
	enum net_verdict (*bad)(void *ctx, uint32_t conn, int code);

	/* The bytes written before net_mark(conn, number) are the kernel's. */
	void (*sent)(void *ctx, uint32_t conn, uint64_t number);

	/* The connection is over. why: NULL when one side closed it, else a static
	 * text for the log. */
	void (*closed)(void *ctx, uint32_t conn, const char *why);

	/* A connection was refused at the door; why is a static text. */
	void (*refused)(void *ctx, const char *why);
};

struct net_options {
	struct net_calls calls;
	void *ctx;
	uint32_t connections; /* at most; further ones are answered and closed */
	size_t frame_max;     /* bytes of a frame's content */
	size_t output_soft;   /* unsent bytes above which a connection is not read */
	size_t output_max;    /* unsent bytes above which it is cut */
	size_t memory_max;    /* of all connections' unfinished input and unsent output: above
	                         it the one that has most is cut */
	uint32_t slow_ms;     /* a reader whose output does not move for that long is cut */
};

/* frame_max FRAME_MAX, output_soft 1 MiB, output_max 64 MiB, memory_max 1 GiB,
 * slow_ms 30,000, and as many connections as the hard limit of descriptors allows: the soft limit
 * is raised to it. calls and ctx are left to the caller. */
void net_options_default(struct net_options *o);

struct net;

/* Never NULL: aborts when memory is out. *o is copied. */
struct net *net_create(uv_loop_t *loop, const struct net_options *o);

/* Takes an address (unix or tcp): TCP is bound, a Unix socket's path looked at.
 * A tcp address must be of loopback only. 0, or a negative code of error.h with
 * a text in why[ADDRESS_WHY]: another server answers there, not loopback, ... */
int net_listen(struct net *net, const struct address *a, char *why);

/* Accepts from now on: Unix sockets are made under a temporary name and renamed.
 * The same answers. */
int net_ready(struct net *net, char *why);

/* Appends the addresses listened on, commas between them; ports as bound. */
void net_listening(const struct net *net, struct buf *b);

/* Accepts no more and removes the sockets; connections stay. */
void net_stop_listening(struct net *net);

/* Appends to what leaves the connection with the next net_flush(). Nothing
 * happens for a number that is not open. */
void net_write(struct net *net, uint32_t conn, struct bytes bytes);

/* sent(conn, number) is called when all bytes written so far are the kernel's. */
void net_mark(struct net *net, uint32_t conn, uint64_t number);

/* Reads no more, and closes once everything written is gone; closed() follows. */
void net_close(struct net *net, uint32_t conn);

/* Drops all input from now on, but notices the peer's end. */
void net_deafen(struct net *net, uint32_t conn);

/* Ends a NET_HOLD: the kept frame is given again, in a later turn. */
void net_resume(struct net *net, uint32_t conn);

/* Writes what can be written: one write per connection. In a turn with very much
 * input net calls it by itself, between two reads. */
void net_flush(struct net *net);

/* How many connections are open; how many have unsent bytes. */
uint32_t net_count(const struct net *net);
uint32_t net_unsent(const struct net *net);

/* Ends everything now: closed() is called for each connection. The handles go
 * when the loop runs next. */
void net_shut(struct net *net);

/* Only after net_shut() and a run of the loop. */
void net_destroy(struct net *net);

#endif
