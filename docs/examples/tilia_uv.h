/* A handle of libtilia in a libuv loop. Copy this file into your program.
 *
 *	struct tilia_uv u;
 *
 *	tilia_start(&t, NULL);
 *	tilia_uv_init(&u, loop, t, on_failure);
 *	tilia_submit(t, TILIA_IN, ...);    from anywhere in the loop's thread
 *	tilia_uv_update(&u);               after that (not needed in a callback)
 *	...
 *	tilia_uv_close(&u, on_closed);     then tilia_close(t), in on_closed
 *
 * A connection made anew is another descriptor, perhaps of the same number, so
 * watching stops before the library may close it, and begins again after. */
#ifndef TILIA_UV_H
#define TILIA_UV_H

#include <stdlib.h>
#include <tilia.h>
#include <uv.h>

struct tilia_uv {
	struct tilia *t;
	uv_timer_t timer;
	uv_poll_t *poll; /* NULL: nothing to watch */
	int fd;
	void *data;      /* the caller's */
	void (*failed)(struct tilia_uv *u, int code); /* the handle is of no use any more */
	void (*closed)(struct tilia_uv *u);
};

static void tilia_uv_update(struct tilia_uv *u);

static void tilia_uv_free(uv_handle_t *handle)
{
	free(handle);
}

/* Stops watching; the descriptor is still open. */
static void tilia_uv_stop(struct tilia_uv *u)
{
	uv_timer_stop(&u->timer);
	if (u->poll != NULL)
		uv_poll_stop(u->poll);
}

static void tilia_uv_process(struct tilia_uv *u, int events)
{
	int code;

	tilia_uv_stop(u);
	code = tilia_process(u->t, events);
	if (code < 0 && u->failed != NULL)
		u->failed(u, code);
	else if (code == 0 && !uv_is_closing((uv_handle_t *)&u->timer))
		tilia_uv_update(u);
}

static void tilia_uv_on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status; /* an error shows when the bytes are moved */
	tilia_uv_process((struct tilia_uv *)poll->data, (events & UV_READABLE ? TILIA_READ : 0) |
	                                                (events & UV_WRITABLE ? TILIA_WRITE : 0));
}

static void tilia_uv_on_timer(uv_timer_t *timer)
{
	tilia_uv_process((struct tilia_uv *)timer->data, 0);
}

/* Watches `fd`, which is another one than before. */
static void tilia_uv_watch(struct tilia_uv *u, int fd)
{
	if (u->poll != NULL)
		uv_close((uv_handle_t *)u->poll, tilia_uv_free);
	u->poll = NULL;
	u->fd = fd;
	if (fd < 0)
		return;
	u->poll = (uv_poll_t *)malloc(sizeof(*u->poll));
	if (u->poll == NULL || uv_poll_init(u->timer.loop, u->poll, fd) != 0) {
		free(u->poll);
		u->poll = NULL; /* the timer tries again */
		u->fd = -1;
		return;
	}
	u->poll->data = u;
}

/* Call after any call with the handle. */
static void tilia_uv_update(struct tilia_uv *u)
{
	int64_t ms = tilia_deadline_ms(u->t);
	int events = tilia_events(u->t), fd = tilia_fd(u->t);

	if (fd != u->fd)
		tilia_uv_watch(u, fd);
	if (fd >= 0 && u->poll == NULL)
		ms = 100;
	if (u->poll != NULL)
		uv_poll_start(u->poll, (events & TILIA_READ ? UV_READABLE : 0) |
		                       (events & TILIA_WRITE ? UV_WRITABLE : 0), tilia_uv_on_poll);
	if (ms >= 0)
		uv_timer_start(&u->timer, tilia_uv_on_timer, (uint64_t)ms, 0);
	else
		uv_timer_stop(&u->timer);
}

static void tilia_uv_init(struct tilia_uv *u, uv_loop_t *loop, struct tilia *t,
                          void (*failed)(struct tilia_uv *u, int code))
{
	u->t = t;
	u->poll = NULL;
	u->fd = -1;
	u->failed = failed;
	uv_timer_init(loop, &u->timer);
	u->timer.data = u;
	tilia_uv_update(u);
}

static void tilia_uv_on_closed(uv_handle_t *handle)
{
	struct tilia_uv *u = (struct tilia_uv *)handle->data;

	if (u->closed != NULL)
		u->closed(u);
}

/* Takes the handle out of the loop; tilia_close() is the caller's, in `closed`. */
static void tilia_uv_close(struct tilia_uv *u, void (*closed)(struct tilia_uv *u))
{
	tilia_uv_stop(u);
	tilia_uv_watch(u, -1);
	u->closed = closed;
	uv_close((uv_handle_t *)&u->timer, tilia_uv_on_closed);
}

#endif
