/* The naive server: everything it knows is in flat arrays, and everything it is
 * asked is a scan. It has no index, no heap and no background work: what the
 * engine does in slices happens here at once. Of each request it says the exact
 * replies (expect.h). */
#ifndef TILIA_TESTS_MODEL_H
#define TILIA_TESTS_MODEL_H

#include "../../../libclient/item.h"
#include "../../../libclient/message.h"
#include "../../../server/engine/engine.h"

enum {
	CONNS = 6,
	SESSIONS = 5,
	SPACES = 32,
	TUPLES = 400,
	WAITERS = 200,
	OUTCOMES = 600,
	MAX = 4,
	MESSAGE = 400,
	NAMED = 16 /* claims in one commit */
};

enum { M_MAIN = 0 }; /* the space that is always there */

struct m_space {
	bool used, dropped, is_volatile;
	uint64_t number;
	uint64_t last_batch;  /* 0 in a volatile one */
	char name[40], dead[40];
	uint64_t tries, max_tuples, max_bytes; /* 0: no limit */
	uint8_t shape_len, shape[120];
};


struct m_tuple {
	bool used;
	bool taken;   /* claimed, too; else it stands in its space */
	bool delayed; /* hidden there */
	bool bound, orphan; /* to `binder`; to a session that is over */
	int binder;
	uint64_t due, expires; /* wall time; 0: never */
	uint64_t moment;       /* of what is to happen then, the turn */
	int space, session;
	uint64_t id, n;       /* n: the request that took it; 0: acknowledged (a claim) */
	uint64_t token;       /* of a claim; 0: none */
	uint64_t lease, over; /* over: by the lease clock */
	uint64_t turn;        /* of the leases that end then */
	unsigned tries, place; /* place: in the take */
	uint8_t len, bytes[40];
};

struct m_waiter {
	bool used, resent;
	bool in;    /* in its place: not detached */
	bool drain; /* in */
	bool all;   /* wait: hidden tuples count too */
	enum message_op op;
	uint64_t least; /* wait; 0: for none */
	int space; /* -1: of an atomic */
	int session, max;
	uint64_t n, after, order, deadline, lease; /* 0: none */
	uint8_t len, bytes[120];
	bool gone; /* atomic: a space that it names was dropped */
	uint16_t message_len;
	uint8_t message[MESSAGE]; /* out, outs, atomic: to be tried again */
};

struct m_outcome {
	bool used, take, answered, durable;
	int session, space;
	uint64_t n;
	uint16_t len;
	uint8_t result[300];
};

struct m_session {
	bool used; /* an id was given, and it is not over */
	int conn;  /* -1: detached */
	uint64_t grace, over, number;
	uint64_t turn; /* of the graces that end then */
	uint8_t id[ENGINE_SESSION_ID];
	uint64_t early[64]; /* answered before they were resent */
	int earlies;
};

/* What survives a crash, when its batch was durable, is in here. Sessions 0 to
 * SESSIONS - 1 have ids; SESSIONS + c is that of connection c without one. */
struct model {
	struct m_space spaces[SPACES];
	struct m_tuple tuples[TUPLES];
	struct m_waiter waiters[WAITERS];
	struct m_outcome outcomes[OUTCOMES];
	struct m_session sessions[SESSIONS];
	uint64_t next_id, ceiling, orders, turns;
	uint64_t claim_batch[SESSIONS + CONNS]; /* in which a durable claim last ended */
	uint64_t lease;
};

/* ---- model.c ------------------------------------------------------------------ */

/* What time ends: timeouts, leases, graces. */
void m_expire(void);

/* What a recovery from that state leaves. */
void m_recover(const struct model *kept);

/* ---- m_space.c ---------------------------------------------------------------- */

/* The batch that a reply about the space waits for. */
uint64_t m_space_batch(int space);

/* Its contents changed in the open batch. */
void m_space_touch(int space);

struct m_space *m_space(int space);

/* The space of that name, or -1. */
int m_space_find(struct bytes name);

/* `number`: of a space, given once. */
int m_space_make(struct bytes name, bool is_volatile, uint64_t number);

/* Where the space's dead go, made when it is needed; -1 and *code when there cannot
 * be one. With `only_look` it is not made: -1 and code 0 then mean that it can be. */
int m_space_dead(int space, bool only_look, int *code);

/* create, alter, drop and list. */
void m_space_run(int conn, int session, const struct request *r);

/* ---- m_tuple.c ---------------------------------------------------------------- */

/* Puts it as a session does; answers the id. */
uint64_t m_tuple_put(int session, int space, struct bytes item, const struct message_put *how);

/* A tuple appears: all matching readers, then the longest-waiting taker that may
 * have one more. */
void m_tuple_appear(struct m_tuple *t);

/* Whether it exists: it is visible, or hidden as what is claimed is. */
bool m_tuple_exists(const struct m_tuple *t);
bool m_tuple_matches(const uint8_t *template, const struct m_tuple *t);

/* All visible matches, oldest first or in the order of the template; with `hidden`, all
 * that exist. */
int m_tuple_scan(int space, const uint8_t *template, uint64_t after, bool hidden,
                 struct m_tuple **found);

/* ---- m_outcome.c: what was done and is not acknowledged ------------------------ */

struct m_outcome *m_outcome_find(int session, uint64_t n);

/* The outcome of a take; its tuples name it. */
void m_outcome_take(int session, uint64_t n, int space);

/* What changed something: its result is kept, answered, and closed. */
void m_outcome_result(int conn, int session, uint64_t n, bool durable, struct buf *result);

/* The tuples that the outcome of request n took, in order. */
int m_outcome_taken(int session, uint64_t n, struct m_tuple **found);

/* The ends of an outcome: acknowledged, or undone. */
void m_outcome_free(struct m_outcome *o);
void m_outcome_undo(struct m_outcome *o, bool died, bool cancelled);

/* It was asked for again. */
void m_outcome_answer(int conn, struct m_outcome *o);

/* ---- m_waiter.c ---------------------------------------------------------------- */

/* `order`: its old place; 0 is a new one. */
void m_waiter_new(int session, const struct request *r, int space, uint64_t order);
struct m_waiter *m_waiter_find(int session, uint64_t n);
void m_waiter_end(struct m_waiter *one);
void m_waiter_expire(void);

/* The request of one that is to be tried again; `scratch` is to be closed. */
void m_waiter_request(const struct m_waiter *one, struct request *r, struct buf *scratch);

/* The engine has answered one in its own time: `rest` is the reply behind the number. */
void m_waiter_answered(int session, uint64_t n, struct bytes rest);

/* The step is over: nobody waits for a number that is there. */
void m_waiter_counted(void);

/* No work is left: nobody waits who could be answered. */
void m_waiter_settled(void);

/* The waiters of a resumed session are in their places again. */
void m_waiter_reenter(int session);

/* ---- m_claim.c ----------------------------------------------------------------- */

/* The lease begins, or begins again. */
void m_claim_lease(struct m_tuple *t, uint64_t ms);

/* How many more claims the session may have. */
int m_claim_room(int session);

/* The session's open claim of that token, or NULL. */
struct m_tuple *m_claim_find(int session, uint64_t token);

/* The oldest claim of the session, or NULL. */
struct m_tuple *m_claim_first(int session);

void m_claim_done(struct m_tuple *t);

/* `undone`: as if it had never been taken. */
void m_claim_back(struct m_tuple *t, bool undone, uint64_t delay_ms);

/* False: there cannot be a space for it, and the claim stays. */
bool m_claim_bury(struct m_tuple *t);
void m_claim_expire(void);


/* ---- m_time.c: the wall clock ---------------------------------------------------- */

/* Settles what is overdue by both clocks. */
void m_time_settle(void);

/* Whether something of the space still is: it waits for the next batch. */
bool m_time_overdue(int space);

/* Whether it is gone, or may not come back. */
bool m_time_over(const struct m_tuple *t);
void m_time_put(struct m_tuple *t, int session, const struct message_put *how);
void m_time_delay(struct m_tuple *t, uint64_t ms);

/* Nothing of that is true of it any more. */
void m_time_forget(struct m_tuple *t);

/* What is bound to the session goes. */
void m_time_release(int session);
void m_time_recover(struct m_tuple *t);

/* ---- m_session.c --------------------------------------------------------------- */

/* Its connection; -1 is none. */
int m_session_conn(int session);
void m_session_end(int session, bool died);
void m_session_detach(int session);
void m_session_expire(void);
void m_session_bye(int conn, int session, uint64_t n);

/* Acknowledges; *ctx is the session (for message_ranges). */
void m_session_ack(uint64_t from, uint64_t to, void *ctx);

/* ---- m_room.c: shapes and limits of spaces -------------------------------------- */

struct m_room {
	int spaces[24]; /* in the order in which they were named */
	uint64_t tuples[24], bytes[24], gone[24], freed[24];
	int count, code;
	uint64_t batch;
};

void m_room_put(struct m_room *a, int space, struct bytes tuple);
void m_room_gone(struct m_room *a, const struct m_tuple *t);

/* 0, or why all that may not be put, in a->code. */
int m_room_judge(struct m_room *a);

/* How many tuples of the space exist, and their bytes. */
uint64_t m_room_used(int space, uint64_t *bytes);

/* ---- m_watch.c: what happened, and who is told ----------------------------------- */

void m_watch_note(const char *kind, int space, const struct m_tuple *t);
void m_watch_run(int conn, const struct request *r, int space);
void m_watch_reset(void);

bool m_watch_is(int conn, uint64_t n);

/* Whether there is a watch of the space. */
bool m_watch_names(int space);

/* The last cursor that anybody was told. */
uint64_t m_watch_cursor(int space);

/* Whether the connection has such a watch; it is cancelled then. */
bool m_watch_cancel(int conn, uint64_t n);
void m_watch_cancel_all(int conn, bool answered);

/* The engine has sent a part, or the end of one whose space was dropped. */
void m_watch_part(int conn, uint64_t n, uint64_t batch, const uint8_t *part);
void m_watch_dropped(int conn, uint64_t n);

/* No work is left: who has no unconfirmed parts has all there is. */
void m_watch_settled(void);

/* The kernel has some of the parts. */
void m_watch_confirm(void);

/* Whether hidden tuples do not count for the request (`hidden: false`). */
bool m_visible_only(const struct request *r);

/* ---- requests ------------------------------------------------------------------- */

/* `order`: as m_waiter_new() has it. */
void m_put(int conn, int session, const struct request *r, int space, uint64_t order);

/* Tries one that waits for room; true: it is answered. */
bool m_put_retry(struct m_waiter *one);

/* Whether it could be answered: it is only looked at. */
bool m_put_ready(const struct m_waiter *one);
void m_take(int session, const struct request *r, int space, uint64_t order);
void m_take_count(int conn, const struct request *r, int space);
void m_take_wait(int conn, const struct request *r, int space, uint64_t order);

/* Gives tuples to a session. `ms`: of the lease, or 0. */
void m_take_give(struct m_tuple **t, int count, int session, uint64_t n, int space, uint64_t ms);
void m_commit(int conn, int session, const struct request *r);
void m_commit_renew(int conn, int session, const struct request *r);

/* ---- m_atomic.c ------------------------------------------------------------------- */

void m_atomic(int conn, int session, const struct request *r, uint64_t order);

/* Tries one that waits; true: it is answered. `work`: in the engine's own time. */
bool m_atomic_retry(struct m_waiter *one, bool work);

/* Whether it could be answered: it is only looked at. */
bool m_atomic_ready(const struct m_waiter *one);

/* The space is about to be dropped. */
void m_atomic_dropped(int space);

/* m_request.c: what the engine accepted, the model does too. The order a waiter had
 * is remembered while its resend is given again and again. */
void m_request(int conn, const struct request *r);

#endif
