/* The boundary between the caller's thread and the writer's, and all of it: one
 * batch at a time goes one way, its completion comes back. The batch belongs to
 * the writer from handover_give() until handover_announce(). */
#ifndef TILIA_JOURNAL_HANDOVER_H
#define TILIA_JOURNAL_HANDOVER_H

#include "batch.h"
#include "journal.h"

#include <pthread.h>

#define HANDOVER_TEXT 512

struct handover {
	pthread_mutex_t mutex;
	pthread_cond_t given, done;
	const struct batch *batch; /* given and not yet taken */
	bool busy, stop, awaited;
	struct journal_disk disk;
	uint64_t durable;
	int code; /* negative: the writer failed */
	char why[HANDOVER_TEXT];
	void (*wake)(void *ctx); /* may be NULL */
	void *wake_ctx;
};

void handover_init(struct handover *h, void (*wake)(void *ctx), void *wake_ctx);
void handover_close(struct handover *h);

/* The caller's side. handover_give() only when handover_busy() is false; after a
 * failure it does nothing. handover_stop() asks the writer to end once it has
 * finished what it was given. */
void handover_give(struct handover *h, const struct batch *b);
bool handover_busy(struct handover *h);
int handover_poll(struct handover *h, uint64_t *durable);
int handover_wait(struct handover *h, uint64_t *durable);
void handover_stop(struct handover *h);
void handover_disk(struct handover *h, struct journal_disk *d);

/* The writer's side. writer_take() waits for a batch, for so long (negative: for
 * ever), and answers false at the end; *b is NULL when the time is over.
 * writer_announce() says that it is durable (code 0), or that it is not and that
 * nothing more will be. writer_stopping(): whether the end was asked for. */
bool writer_take(struct handover *h, int wait_ms, const struct batch **b);
void writer_announce(struct handover *h, uint64_t number, int code, const char *why);
bool writer_stopping(struct handover *h);

/* Tells how the disk is. Whether somebody stands in handover_wait(). Waits a moment,
 * or until the end is asked for. */
void writer_tell(struct handover *h, const struct journal_disk *d);
bool writer_awaited(struct handover *h);
void writer_pause(struct handover *h, int ms);

#endif
