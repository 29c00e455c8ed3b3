/* The engine's inside: what its files share. Each struct is owned by the file
 * named above it; the others read it and call that file's functions. */
#ifndef TILIA_ENGINE_STATE_H
#define TILIA_ENGINE_STATE_H

#include "../../libclient/base/hash.h"
#include "../../libclient/base/heap.h"
#include "../../libclient/base/list.h"
#include "../../libclient/base/seq.h"
#include "../../libclient/base/xmalloc.h"
#include "atomic.h"
#include "engine.h"
#include "index.h"
#include "overdue.h"
#include "put.h"
#include "putter.h"
#include "ring.h"
#include "room.h"
#include "search.h"
#include "shape.h"
#include "survey.h"
#include "tally.h"
#include "timed.h"
#include "tuple.h"
#include "waiter.h"
#include "walk.h"
#include "watch.h"
#include "work.h"

struct engine;
struct conn;
struct session;
struct claim;

/* ---- space.c: a named bag of tuples ---------------------------------------- */

struct arity {
	struct list indexes; /* struct index */
	struct list waiting; /* struct waitshape */
	uint32_t index_count, waiting_count;
	uint64_t tuples;     /* visible and hidden */
};

/* What `space create` and `space alter` set. */
struct space_options {
	uint32_t tries;     /* a tuple claimed so often in vain is buried; 0: never */
	struct bytes dead;  /* where; empty: NAME.dead */
	struct bytes shape; /* the template of what may be put; empty: anything */
	uint64_t max_tuples, max_bytes; /* that may exist before puts are refused; 0: no limit */
};

struct space {
	uint64_t number; /* first: key of engine.spaces */
	struct bytes name;
	bool is_volatile, dropped;
	struct space_options options; /* owned */
	struct seq all;    /* visible tuples by id */
	struct seq hidden; /* claimed and delayed ones: they exist, but nobody finds them */
	struct arity *arities[TUPLE_FIELDS + 1];
	struct waitkey everything; /* waiters for null */
	struct list walks;
	struct heap agenda[CLOCKS];    /* what it has to do by the clock: overdue.c */
	struct heap_node turn[CLOCKS]; /* engine.turns */
	struct work settling;
	struct list parked;  /* search.late: who waits until nothing is overdue */
	struct list backlog; /* engine.backlogs, when somebody does */
	struct work drop;
	uint64_t last_batch; /* the last one that changed it; 0 in a volatile space */
	uint64_t bytes;      /* of its tuples, hidden ones too */
	uint64_t waiting;    /* waiters in its indexes */
	uint64_t following;  /* of them: whom every coming and going concerns */
	struct ring *ring;   /* NULL: nobody watches */
	uint64_t refs;       /* outcomes, claims and waiters that name it */
	uint64_t claims;     /* of the hidden ones; the others are delayed */
	struct room_share share;
	struct seq putters; /* struct waiter of outs that wait for room, by order */
	struct list room;   /* engine.rooms, or engine.pressed */
	bool pressed;       /* in the latter */
};

struct space *space_create(struct engine *e, uint64_t number, struct bytes name, bool is_volatile);
struct space *space_find(const struct engine *e, struct bytes name);
struct arity *space_arity(struct space *s, unsigned n);

/* The same with its row. The options are copied; NULL: none. */
struct space *space_make(struct engine *e, struct bytes name, bool is_volatile,
                         const struct space_options *options);

/* Sets its options, which are copied; and writes its row. */
void space_set(struct space *s, const struct space_options *options);
void space_write_row(struct engine *e, const struct space *s);

/* The space for the buried tuples of `s`, made when it is needed; NULL, and *code
 * says why, when there cannot be one. With `only_look` it is not made: NULL and
 * *code 0 then mean that it can be. */
struct space *space_dead(struct engine *e, const struct space *s, bool only_look, int *code);

/* Makes the space unreachable and gives its memory back in slices. */
void space_drop(struct engine *e, struct space *s);
void space_unref(struct engine *e, struct space *s);

/* A tuple becomes visible: waiters are served, else it is stored. The space
 * owns it then. False: a waiter has taken it. */
bool space_appear(struct engine *e, struct space *s, struct tuple *t);

/* Stores a tuple, visible or hidden, without serving anybody: recovery, and the
 * claim of a tuple that stands nowhere yet. */
void space_store(struct engine *e, struct space *s, struct tuple *t, bool hidden);

/* Takes a visible tuple out of every index; the caller owns it. */
void space_vanish(struct engine *e, struct space *s, struct tuple *t);

/* A visible tuple becomes hidden: it exists, but only counting sees it. */
void space_hide(struct engine *e, struct space *s, struct tuple *t);

/* A tuple of the space is gone for good, and its row. */
void space_delete(struct engine *e, struct space *s, struct tuple *t, bool hidden);

/* A hidden tuple stands in its old place again, or is served to a waiter. */
void space_reveal(struct engine *e, struct space *s, struct tuple *t);

/* Takes a hidden tuple out of every index; the caller owns it. */
void space_forget(struct engine *e, struct space *s, struct tuple *t);

/* The space's contents changed in the open batch. */
void space_touch(struct engine *e, struct space *s);

/* ---- outcome.c: what a session's executed requests changed ------------------ */

struct outcome {
	uint64_t n; /* first: key of session.outcomes */
	uint64_t batch;  /* whose row keeps it; 0: none does */
	uint64_t attach; /* session.attach when it was last answered */
	struct space *space;  /* of what was taken; holds a reference. NULL: not a take */
	struct bytes result;  /* the reply's result (puts, commits); owned */
	struct tuple **taken; /* what a plain take took, in order; owned */
	struct list claims;   /* struct claim, in order: what is open of a leased take */
	uint32_t count;       /* of taken, or of claims */
	uint32_t cost;
	struct tuple *one;    /* room for a single taken tuple */
};

/* Whether one more outcome is allowed. */
bool outcome_room(const struct engine *e, const struct session *s);

/* Keeps the result of what changed something, `durable`: in the journal too. Does
 * nothing in a session that cannot resume. */
void outcome_result(struct engine *e, struct session *s, uint64_t n, bool durable,
                    struct bytes result);

/* Keeps what a plain take took: the tuples, in order, that stand nowhere now. */
void outcome_taken(struct engine *e, struct session *s, uint64_t n, struct space *sp,
                   struct tuple **t, uint32_t count);

/* The outcome of a take, with nothing in it yet. The claims of a leased take join
 * it, one at least; the last that leaves ends it: a resend is then executed anew. */
struct outcome *outcome_take(struct engine *e, struct session *s, uint64_t n, struct space *sp);
void outcome_join(struct outcome *o, struct claim *c);
void outcome_leave(struct engine *e, struct claim *c);

/* Acknowledged: it is final; claims go on without it. */
void outcome_free(struct engine *e, struct session *s, struct outcome *o);

/* What a take's undoing is for. */
enum undo {
	UNDO_CANCEL, /* as if it had never been asked: a claim's try is given back */
	UNDO_END,    /* its session has ended */
	UNDO_DEATH,  /* its taker is gone, which counts as a try */
};

/* Undone: what was taken, or is still claimed, is back. Only for takes. Answers how
 * many tuples moved; the outcome is freed. */
uint32_t outcome_undo(struct engine *e, struct session *s, struct outcome *o, enum undo why);

/* Recovery: one row's part of an outcome. */
void outcome_restore_result(struct engine *e, struct session *s, const struct change *c);
void outcome_restore_taken(struct engine *e, struct session *s, struct space *sp,
                           const struct change *c, struct tuple *t);

/* ---- claim.c: tuples taken under a lease ------------------------------------ */

struct claim {
	uint64_t token; /* first: key of session.claims */
	struct session *session;
	struct space *space;     /* holds a reference */
	struct tuple *tuple;     /* hidden in the space */
	struct outcome *outcome; /* NULL once acknowledged */
	struct list link;        /* outcome.claims */
	uint64_t lease_ms;       /* as asked for first */
	struct heap_node timer;  /* space.agenda, by the lease clock */
	bool named;              /* in the commit that is looked at */
};

/* How many more claims the session may have. */
uint32_t claim_room(const struct engine *e, const struct session *s);

/* Claims hidden tuples for request n and keeps its outcome. */
struct outcome *claim_take(struct engine *e, struct session *s, uint64_t n, struct space *sp,
                           struct tuple **t, uint32_t count, uint64_t lease_ms);

/* The session's claim of that token, or NULL when its lease is over. */
struct claim *claim_find(const struct engine *e, const struct session *s, uint64_t token);

/* Lets the lease end no earlier than so much from now; answers what is left of it. */
uint64_t claim_renew(struct engine *e, struct claim *c, uint64_t lease_ms);

/* Acknowledged: its row says no request any more. */
void claim_acknowledge(struct engine *e, struct claim *c);

/* The ends of a claim: its tuple is gone; or back in its old place, with the try
 * given back when it is as if it had never been taken, and buried when it has come
 * back too often, and deleted when its time is over meanwhile; it appears there at
 * once, or after the delay; or buried: in the dead-letter space, under its old id. False:
 * there cannot be one, and the claim stays. */
void claim_done(struct engine *e, struct claim *c);
void claim_back(struct engine *e, struct claim *c, bool undone, uint64_t delay_ms);
bool claim_bury(struct engine *e, struct claim *c);

/* The lease of that timer is over. */
void claim_over(struct engine *e, struct heap_node *timer);

/* Recovery: the lease begins again, in full. */
void claim_restore(struct engine *e, struct session *s, struct space *sp, const struct change *c,
                   struct tuple *t);

/* ---- session.c --------------------------------------------------------------- */

/* The outcomes of a session that one journal row keeps. */
struct group {
	uint64_t batch; /* first: key of session.groups */
	uint32_t live;
};

struct session {
	uint64_t number;  /* first: key of engine.sessions; 0: without id, cannot resume */
	uint8_t id[ENGINE_SESSION_ID];
	struct bytes principal, may; /* owned; may.n == 0: everything */
	uint64_t grace_ms;
	struct conn *conn;           /* NULL: detached */
	struct heap_node grace;      /* engine.graces, by the lease clock */
	struct seq outcomes;
	struct seq groups;
	struct seq claims;
	uint64_t claim_batch;        /* the last one in which a durable claim ended */
	uint64_t undo_batch;         /* and in which a durable take was cancelled */
	uint64_t outcome_bytes;
	struct list waiting;         /* struct waiter, by order */
	struct hash waiting_by_n;
	struct seq watchers;         /* struct watcher; they end with the connection */
	struct seq early;            /* struct early: answered before they were resent */
	uint64_t attach;             /* counts its connections */
	uint64_t conn_age;           /* of the last of them */
	uint64_t attempt;            /* the client's count of them, at the last resume */
	struct list bound;           /* struct timed: what vanishes with it */
	struct work ending;
	bool died;                   /* ending: unacknowledged takes count as tries */
};

struct early {
	uint64_t n; /* first */
};

struct session *session_make(struct engine *e, struct bytes principal);

/* Makes a session one that can be resumed. */
void session_register(struct engine *e, struct session *s, uint64_t number, const uint8_t *id);
struct session *session_by_id(const struct engine *e, const uint8_t *id);

/* How many resumable sessions the principal has. */
uint32_t session_count(struct engine *e, struct bytes principal);

/* How many of its requests wait; a watch does, too. */
static inline size_t session_waiting(const struct session *s)
{
	return s->waiting_by_n.count + s->watchers.count;
}

/* An owned copy of some bytes; {NULL, 0} for none. */
struct bytes session_copy(struct bytes b);

/* Its waiting requests leave the indexes: its connection is gone. */
void session_suspend(struct engine *e, struct session *s);
void session_attach(struct session *s, struct conn *c);

/* Its connection is gone: waits for a resume, or ends at once. */
void session_detach(struct engine *e, struct session *s);

/* Nothing can reach it any more; what it holds goes back, in slices. */
void session_end(struct engine *e, struct session *s, bool died);
void session_ack(struct engine *e, struct session *s, uint64_t from, uint64_t to);
void session_expire(struct engine *e);
void session_restore(struct engine *e, const struct change *c);
struct session *session_numbered(const struct engine *e, uint64_t number);
void session_free(struct engine *e, struct session *s);

/* ---- hello.c: hello, bye and cancel; 0 or ENGINE_AGAIN ------------------------ */

int session_hello(struct engine *e, struct conn *c, const struct event *ev);
int hello_bye(struct engine *e, struct conn *c, const struct event *ev);
int hello_cancel(struct engine *e, struct conn *c, const struct event *ev);

/* ---- reply.c: frames into the effects ----------------------------------------- */

/* The result, one canonical item, is written to the buffer between the two.
 * `confirm`: the shell is to say when the kernel has it. */
struct buf *reply_begin(struct engine *e, uint64_t n);
void reply_end(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, bool confirm);

/* A part of the reply to a watch: [kind, cursor, id, tuple]; without a tuple, id 0
 * and null. */
void reply_event(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, const char *kind,
                 uint64_t cursor, const struct tuple *t);

void reply_null(struct engine *e, struct conn *c, uint64_t n, uint64_t batch);
void reply_error(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, int code,
                 const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Error claim-over, with the tokens whose claims are over as its detail. */
void reply_stale(struct engine *e, struct conn *c, const struct request *r, uint64_t batch,
                 const uint64_t *tokens, uint32_t count);
void reply_close(struct engine *e, struct conn *c, bool discard);
void reply_resume(struct engine *e, struct conn *c);

/* [[id, tuple]...] */
void reply_tuples(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, bool confirm,
                  struct tuple *const *t, uint32_t count);

/* [[id, tuple, token, tries]...]: what is open of a leased take. */
void reply_claims(struct engine *e, struct conn *c, const struct outcome *o, uint64_t batch,
                  bool confirm);

/* The row of a tuple of a durable space goes. */
void reply_delete(struct engine *e, struct space *sp, const struct tuple *t);

/* A change for the open batch: zeroed but for its kind, to be filled in. */
struct change *reply_change(struct engine *e, enum change_kind kind);

/* ---- put.c: out, outs; take.c: in, rd; count.c: count, wait; commit.c: commit, renew;
 * 0 or ENGINE_AGAIN ---------------------------------------------------------------- */

int commit_run(struct engine *e, struct conn *c, const struct event *ev);
int commit_renew(struct engine *e, struct conn *c, const struct event *ev);
int take_run(struct engine *e, struct conn *c, const struct event *ev);

int count_run(struct engine *e, struct conn *c, const struct event *ev);

/* waiter_reenter() */
void take_reenter(struct engine *e, struct waiter *w);
void count_reenter(struct engine *e, struct waiter *w);

/* Gives tuples to a session: outcome, changes and reply. They stand nowhere now;
 * or, when they are claimed (lease_ms > 0), they are hidden. */
void take_give(struct engine *e, struct session *s, uint64_t n, struct space *sp,
               struct tuple **t, uint32_t count, uint64_t lease_ms);

/* ---- admin.c: space; stats.c: stats --------------------------------------------- */

int admin_space(struct engine *e, struct conn *c, const struct event *ev);

/* Appends an array of maps, one a space that this session may do anything on: row()
 * writes each. */
void admin_put_spaces(const struct engine *e, const struct conn *c, struct buf *b,
                      void (*row)(struct buf *b, const struct space *s));
int stats_run(struct engine *e, struct conn *c, const struct event *ev);

/* ---- request.c -------------------------------------------------------------------- */

/* EV_REQUEST and EV_BAD; 0 or ENGINE_AGAIN. */
int request_run(struct engine *e, struct conn *c, const struct event *ev);
int request_bad(struct engine *e, struct conn *c, const struct event *ev);


bool request_spoken(enum message_op op);

/* Whether the connection's session may do that on the space. */
bool request_may(const struct conn *c, struct bytes space, unsigned op);

/* `hidden: false`: only what is visible counts. */
static inline bool request_visible(const struct request *r)
{
	return request_has(r, OPTION_HIDDEN) && !r->option[OPTION_HIDDEN].u;
}

/* The space a request names, or NULL after an error reply. */
struct space *request_space(struct engine *e, struct conn *c, const struct request *r);

#define COMMIT_CLAIMS (3 * MESSAGE_LIST_MAX) /* that a commit may name */

/* ---- engine.c -------------------------------------------------------------------- */

struct conn {
	uint32_t number;
	bool open, leaving;     /* leaving: EFFECT_CLOSE was given */
	bool greeted;           /* anything was asked */
	uint64_t age;           /* engine.opened: of two, the newer has more */
	struct bytes principal; /* owned */
	struct bytes may;       /* of this connection's hello; owned */
	struct session *session;
	uint64_t first_n, last_n; /* request numbers seen */
	uint64_t old_n, old_order; /* a waiting request that was resent, and its old place */
	struct seeker seeker;   /* of the request that is kept back */
	struct survey *survey;  /* likewise, or NULL */
	struct bytes client;    /* who it says it is; owned */
};

struct engine {
	struct engine_config config;
	struct effects *fx;
	uint64_t now_ms, wall_ms;
	uint64_t lease_ms;       /* the lease clock */
	uint64_t batch, boot;
	bool ready, stopping, batch_full;
	bool disk_low;           /* durable spaces may not grow */
	size_t low_sessions;     /* then: how many there may be */
	bool main_kept;          /* recovery found the row of `main` */

	uint64_t next_id;        /* the one counter */
	uint64_t ceiling;        /* journaled: ids stay below */
	uint64_t ceiling_safe;   /* the ceiling before it, durable when ceiling_batch is */
	uint64_t ceiling_batch;

	struct seq spaces;       /* by number */
	struct hash space_names;
	struct space *main;
	struct seq sessions;     /* by number */
	struct hash session_ids;
	struct hash principals;  /* struct principal: sessions of each */
	struct conn **conns;
	uint32_t conn_cap, conn_count;
	uint64_t opened;         /* connections, ever */
	struct heap timers, graces;
	struct heap turns[CLOCKS][2]; /* space.turn of durable and of volatile spaces */
	struct list backlogs;         /* space.backlog */
	uint32_t expiries; /* what ended by the clock in this batch, durably */
	uint32_t endings;  /* sessions that are over and still hold something */
	uint64_t graces_ms; /* the lease clock when graces were looked at last */
	struct seq timed;  /* struct timed */
	struct session *lost; /* during recovery: what was bound to sessions that are gone is its */
	struct seq waiters;      /* all of them, by order */
	struct list work;
	struct list rooms;       /* space.room: their first putter may fit */
	struct list pressed;     /* likewise: its first fits into the space, not into the server */
	struct work room_work;
	uint32_t putters;
	uint64_t putter_bytes;
	struct list tallies;     /* tally.changed: in this step */
	struct heap tries;       /* atomic.turn, by age */
	struct work trying;
	uint32_t searching;      /* atomics whose try has begun and is not over */
	struct list rings;       /* not watched now, the longest first */
	uint32_t ring_count;     /* of those */
	uint64_t ring_bytes;     /* of all rings */
	uint64_t cursor;         /* the highest of any ring */
	struct tuple **grave;    /* freed at the next step */
	size_t grave_count, grave_cap;
	struct buf result;       /* scratch: the result of a put */
	struct buf built;        /* likewise: what an atomic puts */
	size_t frame_at, frame_mark; /* of the reply being written */
	struct tuple *some[MESSAGE_LIST_MAX]; /* scratch of one request */
	struct claim *named[COMMIT_CLAIMS];   /* likewise */
	uint64_t stale[COMMIT_CLAIMS];

	uint64_t wait;           /* the batch the present reply waits for */
	uint64_t orders, uses, agendas; /* counters */
	uint64_t tuples, bytes;  /* visible and hidden, in all spaces */
	uint64_t waiting, watching, outcomes, indexes, taken, claims, delayed;
	uint64_t requests[MESSAGE_OPS];
	uint64_t start_ms;
};

/* The next id; asks for a higher ceiling in time. */
uint64_t engine_id(struct engine *e);

/* The batch a reply that shows this id must wait for, in a space whose own is
 * `batch`. */
uint64_t engine_wait(const struct engine *e, uint64_t id, uint64_t batch);

/* Whether as much has ended by the clock in this batch as may. */
static inline bool engine_sated(const struct engine *e)
{
	const struct engine_limits *l = &e->config.limits;

	return e->expiries >= (e->disk_low ? l->low_expiries : l->expiries);
}

/* Frees a tuple at the start of the next step: effects may point to it. */
void engine_bury(struct engine *e, struct tuple *t);

#endif
