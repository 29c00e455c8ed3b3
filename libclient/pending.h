/* The requests a session has not finished: a table ordered by number, with the
 * bytes to send again. Inside of session.c. Numbers rise, so entering one is an
 * append and finding one a binary search. Allocations may fail. */
#ifndef TILIA_PENDING_H
#define TILIA_PENDING_H

#include "base/buf.h"
#include "base/list.h"
#include "message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pending_state {
	PENDING_HELD,     /* never written; in the session's list `held` */
	PENDING_SENT,     /* written (on some stream), unanswered */
	PENDING_ANSWERED, /* its reply is kept while a cancel of it is under way */
	PENDING_DONE,     /* finished here; in the session's list `done` until it is read */
	PENDING_READ,     /* read, and not acknowledged */
};

struct pending {
	uint64_t n;
	uint64_t origin;    /* asked again under `n`: the number its caller knows; else 0 */
	enum pending_state state;
	enum message_op op; /* MESSAGE_OPS: unknown */
	bool changes;       /* may change something */
	bool waits;         /* `in` that waits: no part of the window */
	bool given;         /* sent again with its cancel though its caller has the reply */
	bool reached;       /* may have reached the server, in this session */
	bool owed;          /* READ: to be cancelled, for which there was no memory yet */
	int code;           /* DONE: 0 or an error made here; `reply` has it when there is one */
	bool verdict;       /* DONE, cancel in passthrough: the answer */
	uint64_t end;       /* SENT: where its frame ends in the stream */
	uint64_t cursor;    /* a watch: of the last event its caller has, or 0 */
	uint64_t target;    /* a cancel: of what */
	uint64_t cancel;    /* the cancel under way for it, or 0 */
	void *user;
	struct list link;
	struct buf reply;   /* a whole message */
	size_t size;
	uint8_t message[];  /* whole, with its number */
};

struct pending_slot {
	uint64_t n;
	struct pending *p; /* NULL: finished */
};

struct pending_table {
	struct pending_slot *slots;
	size_t first, end, cap; /* live ones are within [first, end) */
	size_t count;           /* live ones */
};

void pending_init(struct pending_table *t);

/* Frees all entries. */
void pending_close(struct pending_table *t);

/* A new entry with room for a message of `size` bytes, all zero; `n` must be
 * greater than every number before. NULL: no memory. */
struct pending *pending_add(struct pending_table *t, uint64_t n, size_t size);

struct pending *pending_find(const struct pending_table *t, uint64_t n);

/* The first entry whose number is at least `n`, or NULL. */
struct pending *pending_from(const struct pending_table *t, uint64_t n);

/* Takes it out of the table and its list, and frees it. */
void pending_remove(struct pending_table *t, struct pending *p);

#endif
