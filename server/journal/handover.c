#include "handover.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

void handover_init(struct handover *h, void (*wake)(void *ctx), void *wake_ctx)
{
	pthread_condattr_t monotonic;

	*h = (struct handover){.wake = wake, .wake_ctx = wake_ctx};
	pthread_mutex_init(&h->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&h->given, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&h->done, NULL);
}

void handover_close(struct handover *h)
{
	pthread_cond_destroy(&h->done);
	pthread_cond_destroy(&h->given);
	pthread_mutex_destroy(&h->mutex);
}

void handover_give(struct handover *h, const struct batch *b)
{
	pthread_mutex_lock(&h->mutex);
	assert(!h->busy);
	if (h->code == 0) {
		h->batch = b;
		h->busy = true;
		pthread_cond_signal(&h->given);
	}
	pthread_mutex_unlock(&h->mutex);
}

bool handover_busy(struct handover *h)
{
	bool busy;

	pthread_mutex_lock(&h->mutex);
	busy = h->busy;
	pthread_mutex_unlock(&h->mutex);
	return busy;
}

int handover_poll(struct handover *h, uint64_t *durable)
{
	int code;

	pthread_mutex_lock(&h->mutex);
	*durable = h->durable;
	code = h->code;
	pthread_mutex_unlock(&h->mutex);
	return code;
}

int handover_wait(struct handover *h, uint64_t *durable)
{
	pthread_mutex_lock(&h->mutex);
	h->awaited = true;
	while (h->busy)
		pthread_cond_wait(&h->done, &h->mutex);
	h->awaited = false;
	pthread_mutex_unlock(&h->mutex);
	return handover_poll(h, durable);
}

void handover_disk(struct handover *h, struct journal_disk *d)
{
	pthread_mutex_lock(&h->mutex);
	*d = h->disk;
	pthread_mutex_unlock(&h->mutex);
}

void handover_stop(struct handover *h)
{
	pthread_mutex_lock(&h->mutex);
	h->stop = true;
	pthread_cond_signal(&h->given);
	pthread_mutex_unlock(&h->mutex);
}

static struct timespec in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

bool writer_take(struct handover *h, int wait_ms, const struct batch **b)
{
	struct timespec end = in_ms(wait_ms < 0 ? 0 : wait_ms);
	int over = 0;
	bool more;

	pthread_mutex_lock(&h->mutex);
	while (!h->batch && !h->stop && !over)
		over = wait_ms < 0 ? pthread_cond_wait(&h->given, &h->mutex)
		                   : pthread_cond_timedwait(&h->given, &h->mutex, &end);
	*b = h->batch;
	h->batch = NULL;
	more = *b || !h->stop;
	pthread_mutex_unlock(&h->mutex);
	return more;
}

void writer_pause(struct handover *h, int ms)
{
	struct timespec end = in_ms(ms);

	pthread_mutex_lock(&h->mutex);
	while (!h->stop && pthread_cond_timedwait(&h->given, &h->mutex, &end) == 0)
		;
	pthread_mutex_unlock(&h->mutex);
}

void writer_tell(struct handover *h, const struct journal_disk *d)
{
	bool changed;

	pthread_mutex_lock(&h->mutex);
	changed = h->disk.state != d->state;
	h->disk = *d;
	pthread_mutex_unlock(&h->mutex);
	if (changed && h->wake)
		h->wake(h->wake_ctx);
}

void writer_announce(struct handover *h, uint64_t number, int code, const char *why)
{
	pthread_mutex_lock(&h->mutex);
	if (code == 0) {
		h->durable = number;
	} else {
		h->code = code;
		h->batch = NULL;
		snprintf(h->why, sizeof h->why, "%s", why);
	}
	h->busy = false;
	pthread_cond_signal(&h->done);
	pthread_mutex_unlock(&h->mutex);
	if (h->wake)
		h->wake(h->wake_ctx);
}

bool writer_stopping(struct handover *h)
{
	bool stop;

	pthread_mutex_lock(&h->mutex);
	stop = h->stop;
	pthread_mutex_unlock(&h->mutex);
	return stop;
}

bool writer_awaited(struct handover *h)
{
	bool awaited;

	pthread_mutex_lock(&h->mutex);
	awaited = h->awaited;
	pthread_mutex_unlock(&h->mutex);
	return awaited;
}
