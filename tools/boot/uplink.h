/* A worker's own connection and session with the server, kept by the launcher:
 * connects, resumes after a break, and ends as the worker did. */
#ifndef TILIA_BOOT_UPLINK_H
#define TILIA_BOOT_UPLINK_H

#include "../../libclient/base/buf.h"

#include <stdbool.h>
#include <uv.h>

#define UPLINK_FULL (4 << 20) /* bytes on their way, beyond which a side waits */

/* What it tells its owner. ctx is as given to uplink_create(). */
struct uplink_events {
	void (*reply)(void *ctx, struct bytes message);           /* for the worker */
	void (*lost)(void *ctx, int code, const char *text);      /* no more replies will come */
	/* bytes left: uplink_is_full() may be over */
	void (*moved)(void *ctx);
	void (*ended)(void *ctx);                                 /* after uplink_end(): free it */
};

struct uplink;

/* Whether a server answers at one of the addresses (NULL: $TILIA, else the
 * user's own). Blocks, 10 s at most an address. 0, or a code and why[256]. */
int uplink_probe(const char *addresses, char *why);

/* Connects at once, to the first of the addresses (a list as text) that answers.
 * `may`: canonical map, or empty. */
struct uplink *uplink_create(uv_loop_t *loop, const char *addresses, struct bytes may,
                         const char *client, const struct uplink_events *events, void *ctx);

/* One request of the worker. 0, or a negative code: the worker is to be cut off. */
int uplink_pass(struct uplink *l, struct bytes message);

/* Whether requests wait because the server does not take them. */
bool uplink_is_full(const struct uplink *l);

/* Stops, or goes on with, reading replies: the worker does not take them. */
void uplink_pause(struct uplink *l, bool pause);

/* The worker has ended. `clean`: everything is acknowledged; else what it may
 * not have used is undone first (docs/trunk.md, Sessions). ended() follows, after
 * 5 s at the latest. */
void uplink_end(struct uplink *l, bool clean);

/* Ends it without a word to the server (the run is being left). */
void uplink_destroy(struct uplink *l);

#endif
