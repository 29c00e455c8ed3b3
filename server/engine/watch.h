/* Watchers: requests that are told the events of a space, a part of their reply each. */
#ifndef TILIA_ENGINE_WATCH_H
#define TILIA_ENGINE_WATCH_H

#include "ring.h"

struct conn;
struct event;
struct session;

struct watcher {
	uint64_t n; /* first: key of session.watchers */
	struct session *session;
	struct ring *ring;
	struct list link;       /* of one of the ring's lists */
	struct tuple *template; /* NULL is null */
	uint64_t next;          /* cursor of the event to look at next */
	uint64_t batch;         /* that its last part waits for */
	bool gap;               /* it is to be told that it missed events before `next` */
	bool sending;           /* parts are on their way to the kernel */
};

int watch_run(struct engine *e, struct conn *c, const struct event *ev);

/* The last part's bytes are the kernel's: it may have more. */
void watch_sent(struct engine *e, struct watcher *w);

/* It is over, with an error as its final reply; or without a word, as for all
 * watchers of a session whose connection is gone. */
void watch_end(struct engine *e, struct watcher *w, int code, const char *why);
void watch_end_all(struct engine *e, struct session *s, int code, const char *why);
void watch_forget_all(struct engine *e, struct session *s);

/* ring.work */
unsigned watch_work(struct engine *e, struct work *work, unsigned units);

#endif
