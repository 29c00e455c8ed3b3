/* The inside of a session, for the files it is made of:
 *
 *	session.c  its life, the stream, requests of the caller
 *	pass.c     requests of another program (passthrough)
 *	ledger.c   the states of requests
 *	outbox.c   what is written: requests, acknowledgements
 *	inbox.c    what is read
 *	settle.c   what becomes of requests when a session is over */
#ifndef TILIA_SESSION_STATE_H
#define TILIA_SESSION_STATE_H

#include "base/list.h"
#include "pending.h"
#include "session.h"

struct session {
	bool resumable, passthrough;
	uint64_t grace_option_ms;
	char *auth, *client;
	struct buf may;

	struct buf id, welcome;
	uint64_t boot, grace_ms;
	uint64_t first, number; /* of the first and the last request */
	uint64_t attempt;       /* streams on which a resume was begun */

	struct pending_table table;
	struct list held, done;
	size_t window;     /* changing requests that count */
	size_t unanswered;
	size_t renumbered; /* entries with an origin */
	size_t owed;       /* entries whose cancel is still to be made */
	uint64_t unacked[SESSION_ACK_AFTER]; /* read */
	unsigned unacked_count;

	bool connected, open;
	bool refused; /* hello was: nothing behind it was executed */
	bool over;    /* hello said so */
	bool lost;    /* what the stream's end means is still to be settled */
	bool ending, ended;

	struct buf out, in;
	size_t out_at, in_at;
	uint64_t out_base; /* bytes of the stream before `out` */
	struct buf scratch, shown;
};

/* Makes the cancels that are owed; false: there is no memory for all of them. */
bool session_settle_owed(struct session *s);

/* --- ledger: states of requests ---------------------------------------------- */

/* Whether it is a cancel of the session's own, whose reply is for nobody. */
bool ledger_is_internal(const struct session *s, const struct pending *p);

/* Whether the session acknowledges, and so keeps a window. */
bool ledger_keeps_window(const struct session *s);

/* What it counts in the window, in that state: 0 or 1. */
size_t ledger_weight(const struct session *s, const struct pending *p, enum pending_state state);

/* A new request, held. NULL: no memory. */
struct pending *ledger_enter(struct session *s, uint64_t n, enum message_op op, bool changes,
                             struct bytes message);

/* The request its caller knows as `n`, or NULL. */
struct pending *ledger_find(const struct session *s, uint64_t n);

void ledger_move(struct session *s, struct pending *p, enum pending_state state);
void ledger_drop(struct session *s, struct pending *p);

/* Its reply is made here, or (finish) was kept; session_next() will tell. */
void ledger_finish(struct session *s, struct pending *p, int code);
void ledger_finish_here(struct session *s, struct pending *p, int code);

/* Whether what it changed stays when its session ends: a take that was not
 * acknowledged is undone then, any other change stays. */
bool ledger_change_stays(const struct session *s, const struct pending *p);

/* --- outbox: what is written ------------------------------------------------- */

/* After appending to s->out, which had `len` bytes: false, and all is as before,
 * when memory was out. */
bool outbox_undo(struct session *s, size_t len);

/* Each false: no memory, nothing was written. */
bool outbox_frame(struct session *s, struct bytes message);
bool outbox_ack(struct session *s, unsigned count, struct bytes items);
bool outbox_acks(struct session *s); /* of all that was read */
bool outbox_send(struct session *s, struct pending *p); /* once, or once more */
bool outbox_pump(struct session *s); /* what is held, as far as the window goes */

/* One entry of an ack or of `have`. */
void outbox_range(struct buf *b, uint64_t from, uint64_t to);

/* Takes what is acknowledged out of the table: `have` will say it again. */
void outbox_forget_acked(struct session *s);

/* --- settle: a session is over ----------------------------------------------- */

/* The session is over, or to be left: with a code everything unanswered is
 * finished, without (0) what can be asked again in the next session stays. */
void settle_all(struct session *s, int code);
void settle_one(struct session *s, struct pending *p, int code);

#endif
