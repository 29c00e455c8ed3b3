#include "handover.h"

#include <assert.h>
#include <stdio.h>

void handover_init(struct handover *h, void (*wake)(void *ctx), void *wake_ctx)
{
	*h = (struct handover){.wake = wake, .wake_ctx = wake_ctx};
	pthread_mutex_init(&h->mutex, NULL);
	pthread_cond_init(&h->given, NULL);
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
	while (h->busy)
		pthread_cond_wait(&h->done, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
	return handover_poll(h, durable);
}

void handover_stop(struct handover *h)
{
	pthread_mutex_lock(&h->mutex);
	h->stop = true;
	pthread_cond_signal(&h->given);
	pthread_mutex_unlock(&h->mutex);
}

const struct batch *writer_take(struct handover *h)
{
	const struct batch *b;

	pthread_mutex_lock(&h->mutex);
	while (!h->batch && !h->stop)
		pthread_cond_wait(&h->given, &h->mutex);
	b = h->batch;
	h->batch = NULL;
	pthread_mutex_unlock(&h->mutex);
	return b;
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
