/* The engine's inside: what its files share. Each struct is owned by the file
 * named above it; the others read it and call that file's functions. */
#ifndef TILIA_ENGINE_STATE_H
#define TILIA_ENGINE_STATE_H

#include "../../libclient/base/hash.h"
#include "../../libclient/base/heap.h"
#include "../../libclient/base/list.h"
#include "../../libclient/base/seq.h"
#include "../../libclient/base/xmalloc.h"
#include "engine.h"
#include "shape.h"
#include "tuple.h"

struct engine;
struct conn;
struct session;

/* ---- work.c: background work, in slices ---------------------------------- */

struct work {
	struct list link; /* engine.work */
	/* Does up to `units` and answers how many; a work that is done takes itself
	 * off with work_end() (and may free itself). */
	unsigned (*run)(struct engine *e, struct work *w, unsigned units);
};

void work_begin(struct engine *e, struct work *w,
                unsigned (*run)(struct engine *e, struct work *w, unsigned units));
void work_end(struct work *w);
bool work_active(const struct work *w);
void work_run(struct engine *e, unsigned units);

/* ---- index.c: the tuples of one arity by one shape ------------------------ */

struct index {
	struct list link; /* arity.indexes */
	struct work build;
	struct space *space;
	struct hash buckets; /* of struct tuple, by the bound fields */
	struct list parked;  /* conn.park: who waits for the end of the build */
	uint64_t position;   /* built up to this id; UINT64_MAX: complete */
	uint64_t used;       /* engine.uses when last asked for */
	uint64_t tuples;
	struct seq *dropping; /* of a dropped index: the bucket being freed */
	uint32_t pins;       /* connections that will ask for it next */
	uint8_t arity, bound;
	uint8_t class[];
};

/* The bucket of the template's bound fields, or NULL. */
void *index_bucket(const struct engine *e, const struct index *x, const struct template *t);
void index_add(struct index *x, const struct keys *k, struct tuple *t);
void index_remove(struct index *x, const struct keys *k, struct tuple *t);

enum index_state { INDEX_READY, INDEX_BUILDING, INDEX_NONE };

/* The index of the template's shape: made, and its build begun, when there is
 * none. INDEX_NONE: there is no room for it, and none can go. */
enum index_state index_get(struct engine *e, struct space *s, const struct template *t,
                           struct index **x);

/* The complete index with most fields bound that covers the template, or NULL. */
struct index *index_best(struct space *s, const struct template *t);

void index_drop(struct engine *e, struct index *x);
size_t index_memory(const struct index *x);

/* ---- waiter.c: requests that wait for a tuple ------------------------------ */

/* Waiters of one shape and the same bound fields. */
struct waitkey {
	struct waitshape *shape; /* NULL: those that match everything */
	void *readers, *takers;  /* buckets of struct waiter, by order */
	uint32_t hash;
	uint32_t residual;
};

struct waitshape {
	struct list link; /* arity.waiting */
	struct hash keys; /* of struct waitkey */
	uint8_t arity;
	uint8_t class[];
};

struct waiter {
	uint64_t order; /* first: of arrival; the key in waitkey's buckets */
	uint64_t n;
	struct session *session;
	struct list link;       /* session.waiting */
	struct heap_node timer; /* engine.timers */
	struct space *space;
	struct waitkey *key;    /* NULL: not in the indexes (detached) */
	struct tuple *tuple;    /* the template's; NULL is null */
	uint64_t after;
	uint32_t max;
	bool take, residue;
	bool resent;            /* asked for on the present connection */
};

/* Makes a waiter of a request and enters it. 0, or ERROR_LIMIT with *why. */
int waiter_create(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                  struct template *t, const char **why);
void waiter_free(struct engine *e, struct waiter *w);
struct waiter *waiter_find(const struct session *s, uint64_t n);

/* Out of the indexes, when its session loses its connection; and back. */
void waiter_leave(struct engine *e, struct waiter *w);
void waiter_enter(struct engine *e, struct waiter *w);

/* Serves every matching reader, then the longest-waiting matching taker with a
 * tuple that is in no index yet. True: it was taken. */
bool waiter_serve(struct engine *e, struct space *s, struct tuple *t, const struct keys *k);

/* Any key of a waiting shape. */
struct waitkey *waiter_any_key(struct waitshape *shape);

/* Answers due timeouts, a slice of them. */
void waiter_expire(struct engine *e);

/* ---- walk.c: a search that an index does not answer alone ------------------ */

struct walk {
	struct work work;
	struct list link; /* space.walks */
	struct conn *conn;
	struct space *space;
	struct index *index;     /* whose bucket it walks; NULL: the whole space */
	struct template template;
	uint64_t n;              /* the request it is for */
	uint64_t position;       /* every tuple up to this id was looked at */
	uint64_t after;
	uint64_t count;          /* matches, when `counting` */
	struct seq found;        /* the oldest matches, when not */
	uint32_t max;
	bool counting, done;
};

/* Begins a walk for the request and parks the connection. Takes the template. */
void walk_begin(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                struct template *t);
void walk_end(struct engine *e, struct walk *w);

/* Whether it has its answer. One whose finds are gone again goes on. */
bool walk_ready(struct engine *e, struct walk *w);

/* A tuple appeared in, or vanished from, the space. */
void walk_appear(struct space *s, struct tuple *t);
void walk_vanish(struct space *s, struct tuple *t);

/* ---- space.c: a named bag of tuples ---------------------------------------- */

struct arity {
	struct list indexes; /* struct index */
	struct list waiting; /* struct waitshape */
	uint32_t index_count, waiting_count;
	uint64_t tuples;     /* visible */
};

struct space {
	uint64_t number; /* first: key of engine.spaces */
	struct bytes name;
	bool is_volatile, dropped;
	struct seq all; /* visible tuples by id */
	struct arity *arities[TUPLE_FIELDS + 1];
	struct waitkey everything; /* waiters for null */
	struct list walks;
	struct work drop;
	uint64_t last_batch; /* the last one that changed it; 0 in a volatile space */
	uint64_t bytes;      /* of its visible tuples */
	uint64_t waiting;    /* waiters in its indexes */
	uint64_t refs;       /* taken tuples and waiters that name it */
};

struct space *space_create(struct engine *e, uint64_t number, struct bytes name, bool is_volatile);
struct space *space_find(const struct engine *e, struct bytes name);
struct arity *space_arity(struct space *s, unsigned n);

/* Makes the space unreachable and gives its memory back in slices. */
void space_drop(struct engine *e, struct space *s);
void space_unref(struct engine *e, struct space *s);

/* A tuple becomes visible: waiters are served, else it is stored. The space
 * owns it then. False: a waiter has taken it. */
bool space_appear(struct engine *e, struct space *s, struct tuple *t);

/* Stores a tuple without serving anybody: recovery. */
void space_store(struct engine *e, struct space *s, struct tuple *t);

/* Takes a visible tuple out of every index; the caller owns it. */
void space_vanish(struct engine *e, struct space *s, struct tuple *t);

/* The space's contents changed in the open batch. */
void space_touch(struct engine *e, struct space *s);

/* ---- outcome.c: what a session's executed requests changed ------------------ */

struct outcome {
	uint64_t n; /* first: key of session.outcomes */
	uint64_t batch;  /* whose row keeps it; 0: none does */
	uint64_t attach; /* session.attach when it was last answered */
	struct space *space;  /* of what was taken; holds a reference */
	struct bytes result;  /* the reply's result (puts); owned */
	struct tuple **taken; /* what a take took, in order; owned */
	uint32_t count;       /* of taken */
	uint32_t cost;
	struct tuple *one;    /* room for a single taken tuple */
};

/* Whether one more outcome is allowed. */
bool outcome_room(const struct engine *e, const struct session *s);

/* Keeps the result of what changed something, `durable`: in the journal too. Does
 * nothing in a session that cannot resume. */
void outcome_result(struct engine *e, struct session *s, uint64_t n, bool durable,
                    struct bytes result);

/* Keeps what a take took: the tuples, in order, that space_vanish() answered. */
void outcome_taken(struct engine *e, struct session *s, uint64_t n, struct space *sp,
                   struct tuple **t, uint32_t count);

/* Acknowledged: it is final. */
void outcome_free(struct engine *e, struct session *s, struct outcome *o);

/* Undone: what was taken is back. `died`: its taker is gone, which counts as a
 * try. Only for takes. Answers how many tuples moved; the outcome is freed. */
uint32_t outcome_undo(struct engine *e, struct session *s, struct outcome *o, bool died);

/* Recovery: one row's part of an outcome. */
void outcome_restore_result(struct engine *e, struct session *s, const struct change *c);
void outcome_restore_taken(struct engine *e, struct session *s, struct space *sp,
                           const struct change *c, struct tuple *t);

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
	uint64_t outcome_bytes;
	struct list waiting;         /* struct waiter, by order */
	struct hash waiting_by_n;
	struct seq early;            /* struct early: answered before they were resent */
	uint64_t attach;             /* counts its connections */
	uint64_t conn_age;           /* of the last of them */
	uint64_t attempt;            /* the client's count of them, at the last resume */
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
void reply_null(struct engine *e, struct conn *c, uint64_t n, uint64_t batch);
void reply_error(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, int code,
                 const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void reply_close(struct engine *e, struct conn *c, bool discard);
void reply_resume(struct engine *e, struct conn *c);

/* [[id, tuple]...] */
void reply_tuples(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, bool confirm,
                  struct tuple *const *t, uint32_t count);

/* A change for the open batch: zeroed but for its kind, to be filled in. */
struct change *reply_change(struct engine *e, enum change_kind kind);

/* ---- put.c: out, outs; take.c: in, rd, count; 0 or ENGINE_AGAIN ----------------- */

int put_run(struct engine *e, struct conn *c, const struct event *ev);
int take_run(struct engine *e, struct conn *c, const struct event *ev);
int take_count(struct engine *e, struct conn *c, const struct event *ev);

/* A waiting request of a resumed session: served, or waiting in its old place.
 * One that would need unfinished work stays out until it is sent again. */
void take_reenter(struct engine *e, struct waiter *w);

/* Gives tuples that were taken out of their indexes to a session: outcome,
 * changes and reply. */
void take_give(struct engine *e, struct session *s, uint64_t n, struct space *sp,
               struct tuple **t, uint32_t count);

/* ---- admin.c: space, stats, ping ------------------------------------------------ */

int admin_space(struct engine *e, struct conn *c, const struct event *ev);
int admin_stats(struct engine *e, struct conn *c, const struct event *ev);

/* ---- request.c -------------------------------------------------------------------- */

/* EV_REQUEST and EV_BAD; 0 or ENGINE_AGAIN. */
int request_run(struct engine *e, struct conn *c, const struct event *ev);
int request_bad(struct engine *e, struct conn *c, const struct event *ev);

/* Whether the connection's session may do that on the space. */
bool request_may(const struct conn *c, struct bytes space, unsigned op);

/* The space a request names, or NULL after an error reply. */
struct space *request_space(struct engine *e, struct conn *c, const struct request *r);

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
	struct list park;       /* index.parked */
	struct index *pinned;   /* asked for; not to be dropped before the next try */
	struct walk *walk;
};

struct engine {
	struct engine_config config;
	struct effects *fx;
	uint64_t now_ms, wall_ms;
	uint64_t lease_ms;       /* the lease clock */
	uint64_t batch, boot;
	bool ready, stopping, batch_full;
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
	struct list work;
	struct tuple **grave;    /* freed at the next step */
	size_t grave_count, grave_cap;
	struct buf result;       /* scratch: the result of a put */
	size_t frame_at, frame_mark; /* of the reply being written */
	struct tuple *some[MESSAGE_LIST_MAX]; /* scratch of one request */

	uint64_t wait;           /* the batch the present reply waits for */
	uint64_t orders, uses;   /* counters */
	uint64_t tuples, bytes;  /* visible, in all spaces */
	uint64_t waiting, outcomes, indexes, taken;
	uint64_t requests[MESSAGE_OPS];
	uint64_t start_ms;
};

/* The next id; asks for a higher ceiling in time. */
uint64_t engine_id(struct engine *e);

/* The batch a reply that shows this id must wait for, in a space whose own is
 * `batch`. */
uint64_t engine_wait(const struct engine *e, uint64_t id, uint64_t batch);

/* The connection waits for no index and no walk any more. */
void engine_unpark(struct engine *e, struct conn *c);

/* Frees a tuple at the start of the next step: effects may point to it. */
void engine_bury(struct engine *e, struct tuple *t);

#endif
