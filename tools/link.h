/* The link of a subcommand to its server: connecting, one request at a time with
 * Ctrl-C and timeouts done right, and what to say when it fails. */
#ifndef TILIA_TOOLS_LINK_H
#define TILIA_TOOLS_LINK_H

#include "../libclient/base/buf.h"
#include "../libclient/tilia.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct link {
	const char *command;
	const char *address; /* --connect, or NULL: $TILIA, else the default */
	bool waiting;        /* for the answer to a request */
	bool calm;           /* signals end the program as ever: nothing can be lost */
	int64_t grace_ms;    /* 0: the server's */
	int64_t resume_ms;   /* how long a broken connection is tried again; 0: the grace */
	struct bytes session; /* to resume, with the number requests follow; or empty */
	uint64_t number;
	struct tilia *t;
	struct buf known; /* the session of the last link_is_new_session() */
};

/* Connects. Unless calm, from now on SIGINT, SIGTERM and SIGHUP end a wait instead of the
 * program (the second time they end it). 0, or an exit status, said on stderr; the
 * link is then closed. */
int link_open(struct link *l);

/* Says `bye`, which makes every take final. 0, or an exit status. */
int link_close(struct link *l);

/* Leaves without `bye`. */
void link_drop(struct link *l);

/* What came of a request. */
struct link_result {
	int code; /* 0, TILIA_NONE, or below 0 */
	struct tilia_tuple *tuples; /* freed by link_result_close() */
	uint64_t number;
	struct buf cbor; /* the whole answer */
	struct buf error; /* text of a failure, NUL-terminated; may be empty */
	bool done;
};

void link_result_init(struct link_result *r);
void link_result_close(struct link_result *r);

/* Asks and waits. On a terminal, a wait of more than 2 s is told on stderr. A
 * signal cancels it: then EXIT_INTERRUPTED, unless it was done already. 0,
 * EXIT_NONE, or an exit status said on stderr. */
int link_ask(struct link *l, enum tilia_request what, const struct tilia_op *op, struct bytes cbor,
             struct link_result *r);

/* The same without a word on stderr but that of the wait: r->code and r->error
 * say what came. */
void link_try(struct link *l, enum tilia_request what, const struct tilia_op *op,
              struct bytes cbor, struct link_result *r);

/* For a wait of one's own: what to poll for, in so many ms at most (-1: for ever); then
 * what came of it. 0, or the code of a link that is of no use any more. */
int64_t link_poll(const struct link *l, struct pollfd *p);
int link_process(struct link *l, const struct pollfd *p);

/* tilia_watch_next(); a signal ends it with TILIA_E_INTERRUPTED. */
int link_next(struct link *l, struct tilia_watch *w, int64_t timeout_ms,
              struct tilia_event *event);

/* Whether the session is another one than the last time this was asked: the one before was
 * over when it was to be resumed, and its claims with it. */
bool link_is_new_session(struct link *l);

/* Waits until no more than `most` requests submitted to l->t are unanswered. 0,
 * or an exit status said on stderr; a signal ends it with EXIT_INTERRUPTED. */
int link_flush(struct link *l, size_t most);

/* Gives the tuples of the last take back and leaves; answers `status`. */
int link_undo(struct link *l, int status);

/* Says on stderr what `code` was about and answers the exit status. `text` may
 * be NULL. */
int link_failed(const struct link *l, int code, const char *text);

/* Whether a signal came that ends this program. */
bool link_interrupted(void);

/* Blocks those signals, for a wait of one's own in ppoll(). */
void link_hold_signals(sigset_t *before);

#endif
