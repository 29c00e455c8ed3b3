/* Inside of `tilia lock`: options (lock.c), and the lock from the request for it to its
 * return (lock_hold.c). */
#ifndef TILIA_TOOLS_LOCK_H
#define TILIA_TOOLS_LOCK_H

#include "child.h"
#include "link.h"

enum lock_state {
	LOCK_WANTED,   /* put and asked for */
	LOCK_CLAIMED,  /* since when is not known here: it is renewed once before it counts */
	LOCK_HELD,     /* the command runs */
	LOCK_RETURNED, /* it has ended; the lock is being given back */
	LOCK_OVER,
};

struct lock {
	struct link link;
	struct tilia_op op;
	struct guard guard;
	struct child child;
	enum lock_state state;
	const char *name;
	char *const *words;    /* of the command; one: for sh -c */
	int64_t asking;        /* the request for it */
	int64_t asked_ms;      /* when the last renewal was sent */
	int64_t lease_end_ms;  /* by our clock: not later than by the server's */
	int64_t renew_ms, leave_ms;
	int64_t wait_end_ms;   /* of -w; INT64_MAX: none */
	uint64_t token;
	bool renewing, lost;
	int ends;              /* signals that were heeded */
	int status;            /* the exit status */
};

/* Waits for the lock, runs the command under it, and gives it back. Answers the exit
 * status. */
int lock_hold(struct lock *l);

#endif
