/* The tuple space, sessions included, as a pure machine: an event goes in,
 * effects come out. No I/O, no clock, no randomness: time, random bytes and the
 * caller's identity travel in the event, so the same events give the same
 * effects, byte for byte.
 *
 * Who owns what across this door:
 *  - what an event points to belongs to the caller and is read during the step
 *    only; the engine copies what it keeps.
 *  - what the effects point to belongs to the engine and is valid until the
 *    next engine_step() or engine_destroy(); the caller copies what it keeps.
 *
 * Batches. The effects between two EV_SEALs belong to one batch, the open
 * batch; the engine numbers batches in step with the journal: the first after
 * EV_READY is event.batch, each EV_SEAL opens the next. Every reply says the
 * batch it must wait for: it leaves when that batch is durable (0: at once).
 *
 * The order of a life: engine_create, EV_RESTORE..., EV_READY, then any events,
 * engine_destroy.
 */
#ifndef TILIA_ENGINE_H
#define TILIA_ENGINE_H

#include "../../libclient/base/buf.h"
#include "../../libclient/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_SESSION_ID 16        /* bytes of a session's id */
#define ENGINE_MAIN "main"          /* the space that always exists */
#define ENGINE_NEVER UINT64_MAX     /* engine_deadline(): no deadline */
#define ENGINE_CEILING_STEP ((uint64_t)1 << 20)

/* Limits; engine_limits_default() fills in the defaults. Zero is not "none". */
struct engine_limits {
	uint32_t indexes;          /* per arity: 64 */
	uint32_t waiting_shapes;   /* per arity: 256 */
	uint32_t residual_waiters; /* per bucket: 4,096 */
	uint32_t waiting;          /* waiting requests of a session: 16,384 */
	uint32_t outcomes;         /* unacknowledged outcomes of a session: 4,096 */
	uint64_t outcome_bytes;    /* and their bytes: 16 MiB */
	uint32_t claims;           /* open claims of a session: 131,072 */
	uint32_t expiries;         /* leases and tuples that may end durably in one batch: 12,500 */
	uint32_t low_expiries;     /* the same while the disk is low: 500 */
	uint32_t low_sessions;     /* more sessions than there were, while the disk is low: 1,024 */
	uint32_t settles;          /* overdue leases, dues and ttls settled before a request: 256 */
	uint32_t sessions;         /* per principal: 65,536 */
	uint32_t spaces;           /* in all: 4,096 */
	uint64_t grace_default_ms; /* 60,000 */
	uint64_t grace_max_ms;     /* a day */
	uint64_t ring_bytes;       /* of a watched space's last events: 1 MiB */
	uint32_t putters;          /* outs that wait for room, in all: 16,384 */
	uint64_t putter_bytes;     /* and their bytes: 64 MiB */
	uint64_t watch_bytes;      /* sent to a watcher and not yet the kernel's: 64 KiB */
	uint64_t bytes;            /* of all tuples and indexes: out is refused above; half of the
	                              machine's memory, set by the shell */
	uint64_t reply_bytes;      /* a reply to `max` is cut to fit: FRAME_MAX - 64 */
};

void engine_limits_default(struct engine_limits *l);

struct engine_config {
	struct engine_limits limits;
	uint64_t hash_seed;
	bool all_volatile; /* --volatile: `main` is volatile and so is every space */
};

/* What the journal keeps, row by row; EV_RESTORE gives the same rows back. */
enum change_kind {
	CHANGE_SPACE,        /* space, name, flags: a space made or altered */
	CHANGE_SPACE_DROP,   /* space: no more; its tuples' CHANGE_DELETEs follow in slices,
	                        CHANGE_SPACE_END comes last. On disk it stays, marked, until then */
	CHANGE_SPACE_END,    /* space */
	CHANGE_PUT,          /* a tuple's row, whole */
	CHANGE_STATE,        /* id: owner, number, token, lease, tries, due of a row changed */
	CHANGE_DELETE,       /* id (space and bytes given, for the checksum): gone */
	CHANGE_SESSION,      /* a session's row */
	CHANGE_SESSION_END,  /* session: row and outcome rows gone */
	CHANGE_OUTCOME,      /* session, number, bytes: a result to keep (canonical CBOR) */
	CHANGE_OUTCOME_FREE, /* session, batch: every outcome of that session and batch is freed */
	CHANGE_CEILING,      /* number: ids and tokens stay below it */
};

#define CHANGE_SPACE_DROPPED 1u  /* flags of CHANGE_SPACE at recovery: a drop was not finished */
#define CHANGE_SPACE_VOLATILE 2u /* only the space's existence is kept, not its tuples */

#define CHANGE_BOUND_CONN 1u /* bound: to a connection. No session has this number */

/* Fields not named for a kind are zero. */
struct change {
	enum change_kind kind;
	uint64_t space;     /* SPACE*, PUT, STATE, DELETE: the space's own number */
	uint64_t id;        /* PUT, STATE, DELETE: the tuple's */
	struct bytes bytes; /* PUT, DELETE: the tuple (canonical CBOR). OUTCOME: the result.
	                       SPACE: name. SESSION: what it may do (canonical map, or empty) */
	uint64_t session;   /* SESSION*, OUTCOME*: its number. PUT, STATE: the owner; 0 is none */
	uint64_t number;    /* PUT, STATE: the request that took it. OUTCOME: the request.
	                       CEILING: the ceiling */
	uint64_t batch;     /* OUTCOME_FREE, and OUTCOME at recovery: the batch it was made in */
	uint64_t token;     /* PUT, STATE: of a claim; 0 is none (then an owner means: taken) */
	uint64_t lease_ms;  /* PUT, STATE: the claim's length. SESSION: its grace */
	uint64_t due_ms;    /* PUT, STATE: wall time of a delayed tuple; 0 is none */
	uint64_t expires_ms; /* PUT: wall time; 0 is none */
	uint64_t bound;     /* PUT: the session with which it vanishes; 0 is none */
	uint32_t tries;     /* PUT, STATE. SPACE: claims that a tuple may see before it is buried */
	uint32_t flags;     /* SPACE */
	uint8_t id16[ENGINE_SESSION_ID]; /* SESSION */
	struct bytes principal;          /* SESSION */
	struct bytes dead;               /* SPACE: its dead-letter space; empty: NAME.dead */
	struct bytes shape;              /* SPACE: the template of what is put; empty: none */
	uint64_t max_tuples, max_bytes;  /* SPACE: what may be in it; 0: no limit */
};

enum event_kind {
	EV_RESTORE, /* change: one row. Order: ceiling, spaces, sessions, tuples by id, outcomes */
	EV_READY,   /* recovery is over. batch: the open batch; boot: this start's number */
	EV_OPEN,    /* conn, principal: a connection */
	EV_REQUEST, /* conn, request, random. See ENGINE_AGAIN */
	EV_BAD,     /* conn, bad: message_decode() refused it; answered in its turn */
	EV_SENT, /* conn, number: the last reply or part of that request with `confirm` is wholly
	            the kernel's */
	EV_CLOSE, /* conn is gone; its number may be used again */
	EV_WORK,  /* units: do that much background work */
	EV_TIME,  /* nothing but time passing */
	EV_SEAL,  /* the open batch is handed to the journal; the next opens */
	EV_STOP,  /* every waiting request is answered `stopping`; later ones too */
	EV_DISK,  /* low: what makes durable spaces grow is refused from here on (`full`); or no
	             more, and outs that wait for room are tried */
};

struct event {
	enum event_kind kind;
	uint64_t now_ms;  /* monotonic */
	uint64_t wall_ms; /* since 1970 */
	uint32_t conn;    /* dense small numbers, chosen by the shell */
	uint32_t units;
	uint64_t number;
	uint64_t batch, boot;
	struct bytes principal;
	const struct request *request;
	const struct message_error *bad;
	const struct change *change;
	uint8_t random[ENGINE_SESSION_ID];
	bool low;        /* EV_DISK */
	bool batch_full; /* EV_REQUEST: nothing durable may be changed before the next EV_SEAL */
};

/* engine_step() did not execute this EV_REQUEST (or EV_BAD) yet: it needs
 * unfinished work (an index being built, a walk, what is overdue), stands behind one that
 * does, or would change something durable while the batch is full. Keep it, read
 * nothing more of that connection, and give it again after an EFFECT_RESUME for
 * the connection or an EV_SEAL. It takes effect, and its timeout starts, when it
 * is accepted. There may be effects all the same: of what was overdue. */
#define ENGINE_AGAIN 1

enum effect_kind {
	EFFECT_REPLY,  /* conn, batch, confirm, bytes: one frame to write */
	EFFECT_CLOSE,  /* conn: close once what was written to it is gone; an unheld reply
	                  before it in this step still leaves. EV_CLOSE follows when it is */
	EFFECT_CHANGE, /* change: for the open batch */
	EFFECT_RESUME, /* conn: what ENGINE_AGAIN kept back may be given again */
};

struct effect {
	enum effect_kind kind;
	uint32_t conn;
	uint64_t batch;  /* REPLY: leave when this batch is durable; 0: now */
	uint64_t number; /* REPLY with confirm: which request */
	bool confirm;    /* REPLY: tell EV_SENT when the kernel has all of it */
	bool discard;    /* CLOSE: unread bytes and held replies are dropped (taken over) */
	size_t at, len;  /* REPLY: the frame, in effects.bytes */
	struct change change;
};

struct effects {
	struct effect *list;
	size_t count, cap;
	struct buf bytes;
};

void effects_init(struct effects *fx);
void effects_close(struct effects *fx);

static inline struct bytes effect_frame(const struct effects *fx, const struct effect *e)
{
	return (struct bytes){fx->bytes.data + e->at, e->len};
}

struct engine;

/* Never NULL: aborts when memory is out. */
struct engine *engine_create(const struct engine_config *config);
void engine_destroy(struct engine *e);

/* One step. *fx is emptied first, and is to be carried out whatever the answer: 0, or
 * ENGINE_AGAIN. A step does a bounded amount of work whatever the size of the space;
 * what is more waits for EV_WORK. */
int engine_step(struct engine *e, const struct event *ev, struct effects *fx);

/* When the engine wants an event again, in now_ms: 0 when work is pending
 * (EV_WORK), ENGINE_NEVER when it waits for nothing. */
uint64_t engine_deadline(const struct engine *e);

/* Whether background work is pending. */
bool engine_working(const struct engine *e);

/* Checks every invariant of the inside, by brute force; aborts on a breach.
 * For the tests. */
void engine_assert(const struct engine *e);

#endif
