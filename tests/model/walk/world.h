/* A walk's world: the engine, its journal, the model, and the clients that the
 * walk drives. There is one; each file of the walk reads it. */
#ifndef TILIA_TESTS_WORLD_H
#define TILIA_TESTS_WORLD_H

#include "../../../server/journal/journal.h"
#include "../../lib/harness.h"
#include "model.h"

enum { SENT = 4000 };

struct driver_conn {
	bool open, held; /* held: its message is to be given again */
	bool resumed;    /* and may be now */
	int session;     /* -1: taken over */
	uint64_t first_n, last_n;
	uint8_t message[MESSAGE];
	size_t len;
};

struct sent {
	uint64_t n, batch;
	bool answered, acked;
	uint16_t len;
	uint8_t message[MESSAGE];
};

/* What the client of a session knows. */
struct client {
	uint64_t next_n;
	uint64_t number; /* of the session it believes it has */
	struct sent sent[SENT];
	int count;
};

struct expected {
	int conn;
	uint64_t n, batch;
	size_t at, len; /* in expected_bytes */
	bool seen;
};

/* What a walk must have seen: X(name, text). */
#define TOTALS(X)                                                                                  \
	X(steps, "steps")                                                                          \
	X(requests, "requests")                                                                    \
	X(again, "given again")                                                                    \
	X(served, "waiters served")                                                                \
	X(resumes, "resumes")                                                                      \
	X(undone, "tuples undone")                                                                 \
	X(crashes, "crashes")                                                                      \
	X(expired, "leases over")                                                                  \
	X(committed, "claims committed")                                                           \
	X(stale, "commits and renewals too late")                                                  \
	X(buried, "buried")                                                                        \
	X(dropped, "spaces dropped")                                                               \
	X(byes, "byes")                                                                            \
	X(altered, "spaces altered")                                                               \
	X(refused, "puts refused by a space")                                                      \
	X(unless, "puts that were there")                                                          \
	X(counted, "waits for a number, and drains")                                               \
	X(roomed, "outs that waited for room")                                                     \
	X(atomics, "atomics at once")                                                              \
	X(tried, "atomics that waited")                                                            \
	X(due, "delays over")                                                                      \
	X(lapsed, "tuples expired")                                                                \
	X(unbound, "tuples gone with their session")                                               \
	X(told, "events told")                                                                     \
	X(gaps, "gaps")

struct totals {
#define X(name, text) unsigned long name;
	TOTALS(X)
#undef X
};

struct world {
	struct engine *engine;
	struct effects fx;
	struct journal *journal;
	struct model now, sealed, durable;
	uint64_t open_batch, durable_batch;
	bool committing;
	struct driver_conn conns[CONNS];
	struct client clients[SESSIONS + CONNS];
	struct expected expected[256];
	int expected_count;
	struct buf expected_bytes;
	uint64_t now_ms, wall_ms;
	uint64_t wall_last; /* the latest it has ever been */
	uint64_t random_id;
	bool walking;
	bool trace;
	uint64_t every; /* so many steps engine_assert() looks at the inside */
	bool sqlite; /* the journal: on a disk that loses power */
	bool limited; /* the leases that end in a batch; then no tuple expires */
	bool few;    /* indexes: they are dropped and built all the time, or a walk must do */
	bool walked; /* the present request was given before */
	int most_claims;   /* of a session */
	unsigned expiries; /* durable leases that ended in this batch */
	unsigned most_expiries;
	struct totals totals;
};

extern struct world w;

/* ---- expect.c: the replies that a step must give -------------------------------- */

/* `item`: what follows the number in the message; it is closed. `batch`: what the
 * reply must wait for at least. */
void expect_item(int conn, uint64_t n, uint64_t batch, struct buf *item);
void expect_code(int conn, uint64_t n, int code);
void expect_code_at(int conn, uint64_t n, uint64_t batch, int code);

/* The final reply 0, with that result; it is closed. */
void expect_result(int conn, uint64_t n, uint64_t batch, struct buf *result);
void expect_stale(int conn, uint64_t n, uint64_t batch, const uint64_t *tokens, unsigned count);
void expect_tuples(int session, uint64_t n, int space, struct m_tuple *const *t, int count);

/* What follows the number in the message of a reply, and the number. */
struct bytes expect_open(const struct effect *f, uint64_t *n);

/* What this step answers to request n at last, likewise; or nothing. */
struct bytes expect_final(uint64_t n);

/* A reply has come: it is one of them. */
void expect_reply(const struct effect *f);

/* All of them have come. */
void expect_none(void);

/* ---- driver.c: steps of the engine ---------------------------------------------- */

struct event driver_event(enum event_kind kind);
int driver_step(const struct event *ev);

/* The step's effects are what the model expects, and the engine's inside holds. */
void driver_check(void);

/* Gives the connection's message to the engine, and to the model when it is accepted. */
void driver_deliver(int conn);

/* Sends a request of so many items behind the number (the op is the first). */
void driver_send(int conn, uint64_t n, const struct buf *body, unsigned items);
void driver_pass(uint64_t ms);
void driver_work(void);

/* ---- client.c: connections and their sessions ------------------------------------ */

void client_open(int conn);
void client_close(int conn);

/* A session is made for the connection. */
void client_hello(int conn, int session);

/* Resumes a session on a fresh connection, which may take it over from another. */
void client_resume(int conn, int session);

/* Sends again, in order, what has no reply. */
void client_resend(int conn);

/* A reply to request n is on its way; it may be lost. */
void client_answered(const struct effect *f, uint64_t n);

/* Whether the client has the reply: it was not lost, and its batch is durable. */
bool client_delivered(const struct sent *s);

/* ---- store.c: batches, crashes, starts ------------------------------------------- */

void store_start(void);

/* Under SQLite, now and then the power fails in the middle of the commit. */
void store_seal(void);
void store_sync(void);

/* Both, at once and without a failure. */
void store_next(void);

/* Everything not durable is gone; what is comes back. */
void store_crash(void);

/* The next walk begins with an empty disk. */
void store_remove(void);

/* ---- random.c ---------------------------------------------------------------------- */

void random_request(int conn);
void random_ack(int conn);

#endif
