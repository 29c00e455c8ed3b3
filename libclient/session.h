/* The client's side of a session (docs/protocol.md, section 5) as a pure machine: bytes in, bytes
 * out. No I/O, no clock, no threads; connecting, backing off and giving up are
 * its caller's business. Used by libtilia, `tilia relay` and `tilia run`.
 *
 * A life: session_create; whenever a byte stream to a server is there,
 * session_connected, then session_output/session_written and
 * session_feed/session_next as bytes move; whenever it ends,
 * session_disconnected, and session_next until it answers 0; at the end
 * session_bye and its reply, session_destroy.
 *
 * What it promises: every request gets exactly one final reply out of
 * session_next(), however often the stream breaks; with a session, nothing is
 * executed twice. What it does by itself:
 *  - session_connected() writes `hello` and at once behind it, in order of
 *    number, everything that is unanswered (cancels included: a cancel has a
 *    greater number than what it cancels), then what was never sent;
 *  - `have` is everything that is finished, as ranges, so nothing is lost when
 *    an acknowledgement was, or was not yet durable when the server died;
 *  - a resume carries a rising `attempt`, so that a stream that was given up and
 *    whose bytes come late (out of a relay, say) cannot do again what is done;
 *  - replies of changing requests are acknowledged in front of the next
 *    request, or once 64 were read;
 *  - when a session is over (or was never learnt: the stream broke before hello
 *    was answered), it opens a new one at the next connection, resends reads and
 *    takes there, and answers the other changing requests that may have reached
 *    the server ERROR_UNKNOWN, once;
 *  - a request refused because the server is stopping is resent like an
 *    unanswered one (with a session): so a restart is not seen;
 *  - a watch ends with its stream on the server; it is asked again behind the last
 *    part that was read here, so its caller sees each event once, or a `gap`;
 *  - at most SESSION_WINDOW changing requests are on their way or read and not
 *    acknowledged; further requests, of any kind, wait inside in their order.
 *    A waiting `in` does not count: thousands of them hold nothing up. If so many
 *    of these are served at once that the server refuses one (ERROR_UNACKNOWLEDGED),
 *    it is asked again behind the acknowledgements; its caller sees one number.
 *
 * Numbers: hello is 1, requests begin at 2 and rise, over all sessions.
 *
 * Passthrough: the requests are whole messages with numbers of another program
 * (a worker's), which acknowledges for itself. Nothing is acknowledged for it,
 * no window is kept; replies come out as whole messages, those made here
 * (ERROR_UNKNOWN) too. That program says no hello, and uses numbers from 2.
 *
 * Allocation may fail at any call; then ERROR_NOMEM is answered and, unless the
 * function says otherwise, nothing has happened.
 */
#ifndef TILIA_SESSION_H
#define TILIA_SESSION_H

#include "base/buf.h"
#include "message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_WINDOW 1024     /* changing requests that are not acknowledged */
#define SESSION_ACK_AFTER 64    /* replies read */
#define SESSION_FIRST_NUMBER 2  /* of a request; hello is 1 */
#define SESSION_ID_MAX 64       /* bytes of an id that are accepted (servers of today: 16) */
#define SESSION_DEFAULT UINT64_MAX

struct session;

/* All zero but grace_ms is a valid choice: no session. What is pointed to is
 * copied. */
struct session_options {
	bool resumable;      /* a session ("new"); else "none": fast, and whatever changes
	                        something and is unanswered when the stream breaks is UNKNOWN */
	bool passthrough;
	uint64_t grace_ms;   /* SESSION_DEFAULT: the server's */
	const char *auth;    /* NULL: none */
	const char *client;  /* NULL: none. Who this is, for people */
	struct bytes may;    /* canonical map {space: [op...]}; empty: everything */
	struct bytes id;     /* a session to resume (`tilia commit SESSION:TOKEN`); empty: none.
	                        Its numbers go on at `number` + 1 */
	uint64_t number;
};

/* NULL when memory is out. */
struct session *session_create(const struct session_options *o);

/* NULL is nothing. Says nothing to the server: the session lives on there until
 * its grace ends. */
void session_destroy(struct session *s);

/* --- the stream ------------------------------------------------------------ */

/* A new stream is there: hello and what must be sent again become output. Only
 * when disconnected and drained (session_next() answered 0). */
int session_connected(struct session *s);

/* The stream is gone. Output not yet written is forgotten (what it said will be
 * said again). Whole replies that were fed are still answered by session_next();
 * after them come the ERROR_UNKNOWNs there may be. Harmless twice. */
void session_disconnected(struct session *s);

/* What is to be written now; valid until the next call with this session. Empty
 * while disconnected. */
struct bytes session_output(const struct session *s);

/* The first `n` bytes of it were written. */
void session_written(struct session *s, size_t n);

/* Bytes came. They are copied. ERROR_NOMEM: the caller ends the stream, and
 * nothing is lost. */
int session_feed(struct session *s, const void *p, size_t n);

/* One reply. */
struct session_reply {
	uint64_t n;
	void *user;          /* as given to session_request() */
	enum message_op op;  /* MESSAGE_OPS in passthrough, for an op unknown here */
	int code; /* 0; 1: a part, more come; < 0: refused, ERROR_CANCELLED, ERROR_UNKNOWN */
	struct bytes
		body; /* the result, the part, or the error's detail: canonical, may be empty */
	struct bytes text;   /* of an error */
	struct bytes
		message; /* passthrough: all of it, as it came; `text` and `body` are then empty */
};

/* The next reply: 1. 0: none until more bytes come. What *r points to is valid
 * until the next session_next(), session_feed(), session_pass(), session_connected()
 * or session_destroy(). Reading a reply is what makes it due to be acknowledged.
 * Negative: the stream must be ended (session_disconnected()) and *r has `code`
 * and `text`; r->n is 0.
 *  - ERROR_SESSION_OVER: connect again at once, a new session begins there;
 *  - ERROR_STOPPING, ERROR_SLOW, ERROR_NOMEM: connect again, after a pause;
 *  - ERROR_MALFORMED, ERROR_LIMIT (a broken stream): connect again, after a pause;
 *  - ERROR_TAKEN_OVER: another one has this session now; session_abandon();
 *  - anything else is hello refused (ERROR_VERSION, ERROR_AUTH, ERROR_DENIED,
 *    ...): connecting again is of no use; session_abandon(). */
int session_next(struct session *s, struct session_reply *r);

/* --- requests -------------------------------------------------------------- */

/* Queues a request. `body` is the message from the name on, as
 * message_request_begin() and what follows wrote it, `args` the number of items
 * after the name (options included). Works while disconnected too. Not for
 * hello, ack, bye and cancel. *n is its number. 0 or ERROR_NOMEM; ERROR_LIMIT:
 * larger than a frame; ERROR_USAGE: after session_bye(). */
int session_request(struct session *s, enum message_op op, unsigned args, struct bytes body,
                    void *user, uint64_t *n);

/* Undoes request `n`. Unanswered: one reply follows as ever, ERROR_CANCELLED
 * when it has no effect now, else the real one. Read and not yet acknowledged:
 * a second reply to it follows, ERROR_CANCELLED when its take is undone, else 0
 * (perhaps without a body): it stands. ERROR_USAGE: finished, or never there; a cancel
 * that is under way already: 0. ERROR_NOMEM for one that was read: it is not
 * acknowledged, and is cancelled as soon as there is memory, before anything else is
 * said. Not in passthrough (the program sends its own). */
int session_cancel(struct session *s, uint64_t n);

/* Replaces what request `n` was given as `user`, when it is not finished and
 * acknowledged; for the second reply after a session_cancel(). */
void session_set_user(struct session *s, uint64_t n, void *user);

/* Whether `n` still awaits a reply out of session_next(). */
bool session_awaits(const struct session *s, uint64_t n);

/* Passthrough: one message of the program. ERROR_MALFORMED: not a message, or a
 * number that does not rise, or hello: the program is to be cut off.
 * A `bye` ends the session as session_bye() does, with the program's number. */
int session_pass(struct session *s, struct bytes message);

/* Queues `bye`: acknowledges everything, ends the session; its reply (op
 * MESSAGE_BYE, code 0) comes out of session_next(), also when the session was
 * found over meanwhile. Requests that are unanswered are answered
 * ERROR_CANCELLED or as the server does. Nothing can be requested afterwards. */
int session_bye(struct session *s);

/* Gives up: finishes every unanswered request now, as ERROR_UNKNOWN if it may
 * have changed something, else with `code`. The replies come out of
 * session_next(). Only when disconnected and drained. The session is left to its
 * grace, so that its takes return; the next session_connected() opens another. */
void session_abandon(struct session *s, int code);

/* --- what is known --------------------------------------------------------- */

bool session_is_connected(const struct session *s);

/* Whether hello was answered on this stream. */
bool session_is_open(const struct session *s);

/* Whether bye was answered: nothing more will come. */
bool session_is_ended(const struct session *s);

/* The id; empty before hello was answered, and without a session. */
struct bytes session_id(const struct session *s);

/* The last number used. */
uint64_t session_number(const struct session *s);

/* Requests without a final reply read, those inside included. */
size_t session_unanswered(const struct session *s);

/* Of the last hello's reply: the server's start number, the grace in force (0
 * without a session), the whole canonical map (empty before the first). */
uint64_t session_boot(const struct session *s);
uint64_t session_grace_ms(const struct session *s);
struct bytes session_welcome(const struct session *s);

/* Whether the server listed `feature` ("in", "in.timeout"). */
bool session_feature(const struct session *s, const char *feature);

#endif
