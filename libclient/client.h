/* The inside of a handle (struct tilia): a session, a transport, and when to
 * connect, try again and give up. Calls (call.c) and operations are above. */
#ifndef TILIA_CLIENT_H
#define TILIA_CLIENT_H

#include "base/buf.h"
#include "base/list.h"
#include "session.h"
#include "tilia.h"
#include "transport.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum client_phase {
	CLIENT_OFF,        /* no stream; `trying` says whether one is wanted */
	CLIENT_CONNECTING,
	CLIENT_GREETING,   /* hello is unanswered */
	CLIENT_OPEN,
};

struct call;

struct tilia {
	struct session *session;
	struct transport transport;
	enum client_phase phase;
	bool resumable;
	bool trying;       /* connect, and connect again, until give_up_ms */
	bool once;         /* ... but try each address once only */
	bool in_callback;
	bool dirty;        /* something was queued: process at once */
	int drained;       /* how the last reading of the session ended */
	int bye;           /* how bye was answered */
	int fatal;         /* the handle is of no use any more: why */
	int64_t connect_ms, resume_ms;        /* options; resume_ms 0: the grace */
	int64_t give_up_ms, retry_ms, hello_ms; /* monotonic; INT64_MAX: never */
	unsigned failures; /* rounds of addresses in a row */
	uint64_t random;
	char *space;
	char *error;       /* text of the last failure */
	struct list calls; /* of call.c, unanswered */
	struct list watches; /* of stream.c */
	uint64_t last_take;
	int wake_fd;
	volatile sig_atomic_t interrupted;
};

/* Remembers the text of a failure and answers its code. The text is `text`, or
 * the code's own when NULL. */
int client_fail(struct tilia *t, int code, const char *text);
int client_failf(struct tilia *t, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

int64_t client_now_ms(void);

/* `ms` after `now`, or for ever. */
int64_t client_after_ms(int64_t now, int64_t ms);

/* Wants a connection, if there is none: the time allowed begins now. */
void client_want(struct tilia *t);

/* Goes on as far as it can without waiting: connects, writes, reads, answers
 * calls. 0, or t->fatal. */
int client_step(struct tilia *t);

/* Waits for something to happen, until `until_ms` at the latest, and steps. 0,
 * t->fatal, or ERROR_INTERRUPTED (then nothing was done). */
int client_wait(struct tilia *t, int64_t until_ms);

/* The stream is ended and every unanswered call is answered with `code`. */
void client_give_up(struct tilia *t, int code);

#endif
