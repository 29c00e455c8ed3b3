/* The far end of one place: the process that leads there, its trunk, and how it
 * is started. Sends the payload without waiting; when nothing comes, or it came
 * damaged, once more in waiting mode. */
#ifndef TILIA_BOOT_FAR_H
#define TILIA_BOOT_FAR_H

#include "place.h"
#include "trunk.h"

#include <stdbool.h>
#include <uv.h>

#define FAR_WHY 1024

struct far;

struct far_events {
	void (*frame)(void *ctx, const struct trunk_frame *f);
	/* stderr of the hub, or of ssh, once open. false: no more for now, far_read_text() */
	bool (*text)(void *ctx, struct bytes text);
	void (*moved)(void *ctx);                   /* trunk_queued() is less */
	/* the mark came, or `ended` is next: another may start */
	void (*started)(void *ctx);
	/* Nothing is left of it. `why`: NULL after far_stop() or an orderly end,
	 * else what went wrong, for people; `code` an exit status of `tilia run`. */
	void (*ended)(void *ctx, const char *why);
};

struct far_options {
	const struct place *place;
	const char *id;        /* of TILIA_RUN */
	struct bytes start;    /* the item ["start", {...}] */
	uint64_t patience_ms;  /* for the mark, the second time (the first: 5 s at most) */
};

/* Nothing happens before far_start(). What the options point to must outlive it. */
struct far *far_create(uv_loop_t *loop, const struct far_options *o, const struct far_events *e,
                       void *ctx);
void far_start(struct far *f);

/* The trunk of now; far_flush() after something was queued. */
struct trunk *far_trunk(struct far *f);
void far_flush(struct far *f);

/* More text may come. */
void far_read_text(struct far *f);

/* Whether the other side said hello. */
bool far_is_open(const struct far *f);

/* The orderly end: closes its stdin; `ended` follows, 2 s later at the latest. */
void far_stop(struct far *f);

/* Frees it; only after `ended`, or before far_start(). */
void far_destroy(struct far *f);

#endif
