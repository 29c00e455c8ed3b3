/* One connection's stream: frames out of what is read, and what is to be
 * written. Inside of net; net.h is the contract. */
#ifndef TILIA_NET_CONN_H
#define TILIA_NET_CONN_H

#include "../../libclient/base/list.h"
#include "net.h"
#include "output.h"

#define CONN_READ_BYTES ((size_t)64 << 10) /* of the shared buffer */
#define CONN_READ_LATE ((size_t)4 << 10)   /* of it, when the turn's work is done */
#define CONN_TURN_COST ((size_t)128 << 10) /* work of a turn: about a millisecond */
#define CONN_FRAME_COST 64                 /* of a frame, beside its bytes */
#define CONN_WRITE_COST 384                /* of a connection that gets something to write */
#define CONN_FLUSH_FRAMES 1024 /* in a turn: then the replies so far leave at once */

enum conn_flags {
	CONN_HELD = 1,     /* the shell answered NET_HOLD */
	CONN_FULL = 2,     /* too much unsent */
	CONN_QUEUED = 4,   /* in net->ready: reads on in the next turn */
	CONN_DEAF = 8,     /* input is dropped */
	CONN_CLOSING = 16, /* net_close(): ends when everything is written */
	CONN_GONE = 32,    /* the peer is: one last write is tried */
	CONN_CUT = 64,     /* a limit: ends at the next flush */
	CONN_ENDED = 128,  /* closed() was called */
};

#define CONN_PAUSED (CONN_HELD | CONN_FULL | CONN_QUEUED)

struct conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} uv;
	struct net *net;
	uint32_t number;
	uint32_t flags;
	struct buf in;          /* of an incomplete frame, or frames not given yet */
	size_t need;            /* bytes of the frame that `in` begins, as far as known */
	struct output *out;     /* collects; NULL: nothing */
	struct output *sending; /* with the loop; NULL: nothing */
	size_t bytes;           /* of the three, as counted in net->bytes */
	size_t left;            /* of `sending` at the last look */
	uint64_t moved_ms;      /* when that last changed */
	struct list dirty;      /* in net->dirty: something to write, or to end */
	struct list ready;      /* in net->ready */
	struct list blocked;    /* in net->blocked: `sending` */
};

struct net {
	uv_loop_t *loop;
	struct net_options options;
	struct conn **conns; /* by number */
	uint32_t *unused;    /* numbers to use again */
	uint32_t conns_cap, conns_used, unused_count, count;
	struct list dirty, ready, blocked;
	uv_idle_t idle;   /* runs while `ready` has members */
	uv_timer_t timer; /* runs while `blocked` has members */
	uint8_t *shared;  /* CONN_READ_BYTES */
	struct output_pool pool;
	size_t bytes;    /* of all connections' buffers */
	uint32_t frames; /* given since the last flush */
	size_t spent;    /* of CONN_TURN_COST */
	struct listener *listeners;
	int reserve; /* a descriptor to give up when there are no more */
};

/* Takes an accepted descriptor over; closes it on failure (false). */
bool conn_open(struct net *net, int fd, bool is_unix, struct bytes principal);

/* Gives what `in` holds, then reads on. */
void conn_continue(struct conn *c);

/* Writes what can be written; ends it when that was asked for. */
void conn_flush(struct conn *c);

/* closed() now; the memory goes when the loop lets go of the handle. */
void conn_end(struct conn *c, const char *why);

/* Bytes not yet the kernel's. */
size_t conn_unsent(const struct conn *c);

/* Counts what its buffers hold; with more than memory_max in all somebody is cut.
 * To be called whenever they have grown or gone. */
void conn_count(struct conn *c);

/* Ends it at the next flush. */
void conn_cut(struct conn *c);

/* Writes what all connections have to write. */
void net_flush_dirty(struct net *net);

/* Makes sure that conn_flush() and conn_continue() are called. */
void conn_touch(struct conn *c);
void conn_queue(struct conn *c);

/* In net.c: makes the loop come back for `ready` without blocking; makes it
 * look at `blocked` now and then. */
void net_wants_turn(struct net *net);
void net_watches(struct net *net);

#endif
