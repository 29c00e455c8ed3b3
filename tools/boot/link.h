/* A worker's own connection and session with the server, kept by the launcher:
 * connects, resumes after a break, and ends as the worker did. */
#ifndef TILIA_BOOT_LINK_H
#define TILIA_BOOT_LINK_H

#include "../../libclient/base/buf.h"

#include <stdbool.h>
#include <uv.h>

#define LINK_FULL (4 << 20) /* bytes on their way, beyond which a side waits */

/* What it tells its owner. ctx is as given to link_create(). */
struct link_events {
	void (*reply)(void *ctx, struct bytes message);           /* for the worker */
	void (*lost)(void *ctx, int code, const char *text);      /* no more replies will come */
	void (*moved)(void *ctx);                                 /* bytes left: link_is_full() may be over */
	void (*ended)(void *ctx);                                 /* after link_end(): free it */
};

struct link;

/* Connects at once, to the first of the addresses (a list as text) that answers.
 * `may`: canonical map, or empty. */
struct link *link_create(uv_loop_t *loop, const char *addresses, struct bytes may,
                         const char *client, const struct link_events *events, void *ctx);

/* One request of the worker. 0, or a negative code: the worker is to be cut off. */
int link_pass(struct link *l, struct bytes message);

/* Whether requests wait because the server does not take them. */
bool link_is_full(const struct link *l);

/* Stops, or goes on with, reading replies: the worker does not take them. */
void link_pause(struct link *l, bool pause);

/* The worker has ended. `clean`: everything is acknowledged; else what it may
 * not have used is undone first (docs/trunk.md, Sessions). ended() follows, after
 * 5 s at the latest. */
void link_end(struct link *l, bool clean);

/* Ends it without a word to the server (the run is being left). */
void link_destroy(struct link *l);

#endif
