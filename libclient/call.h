/* Requests of a handle that wait for their reply: with a callback, or with a
 * caller that waits. */
#ifndef TILIA_CALL_H
#define TILIA_CALL_H

#include "client.h"

/* A reply as a waiting caller gets it. `body` is a copy: call_result_close(). */
struct call_result {
	uint64_t n;
	int code;
	struct buf body;
};

/* Queues the request `body` (session_request()) and waits for its reply. 0 with
 * *r, or a negative code, which is also in tilia_error(). Interrupted it is
 * cancelled. */
int call_wait(struct tilia *t, enum message_op op, unsigned args, struct bytes body,
              struct call_result *r);
void call_result_close(struct call_result *r);

/* Queues a request whose answer is read as that of `what`, for tilia_submit() and its like:
 * its number, or a negative code. */
struct operation;
int64_t call_submit(struct tilia *t, const struct operation *o, enum tilia_request what,
                    void (*done)(struct tilia *t, struct tilia_done *d, void *arg), void *arg);

/* 0, or why no call may wait now, which is in tilia_error(). */
int call_usable(struct tilia *t);

/* Undoes a finished request and waits: 0, TILIA_NONE (it stands), or a code; ERROR_NOMEM:
 * the server is told as soon as there is memory. */
int call_undo(struct tilia *t, uint64_t n);

/* Hands a reply to its call. */
void call_answer(struct tilia *t, const struct session_reply *r);

/* Frees what is unanswered; nobody is told. */
void call_forget_all(struct tilia *t);

#endif
