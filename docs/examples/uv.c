/* libtilia in a libuv loop: puts a thousand numbers and takes them again, all
 * under way at once, while a timer of the program's own goes on.
 *
 *	cc uv.c -o uv $(pkg-config --cflags --libs tilia libuv) */
#include "tilia_uv.h"

#include <stdio.h>

#define COUNT 1000

static struct {
	struct tilia_uv u;
	uv_timer_t clock;
	int taken, ticks, status;
	int64_t sum;
} program;

static void on_closed(struct tilia_uv *u)
{
	if (tilia_close(u->t) != 0)
		program.status = 1;
}

static void finish(void)
{
	uv_close((uv_handle_t *)&program.clock, NULL);
	tilia_uv_close(&program.u, on_closed);
}

static void on_failure(struct tilia_uv *u, int code)
{
	fprintf(stderr, "uv: %s (%s)\n", tilia_error(u->t), tilia_strword(code));
	program.status = 1;
	finish();
}

static void on_reply(struct tilia *t, struct tilia_done *d, void *arg)
{
	int64_t n;

	(void)t;
	(void)arg;
	if (d->code != 0) {
		if (program.status == 0)
			fprintf(stderr, "uv: %s\n",
			        d->code == TILIA_NONE ? "nothing there" : d->error);
		program.status = 1;
	} else if (d->tuples != NULL && tilia_tuple_int(d->tuples, 1, &n) == 0) {
		program.sum += n;
	}
	if (++program.taken == 2 * COUNT)
		finish();
}

static int submit(struct tilia *t, enum tilia_request what, const char *format, int n)
{
	size_t size;
	void *item;
	int64_t code = tilia_build(t, &item, &size, format, "uv", n);

	if (code != 0)
		return (int)code;
	code = tilia_submit(t, what, NULL, item, size, on_reply, NULL);
	tilia_free(item);
	return code < 0 ? (int)code : 0;
}

static void on_clock(uv_timer_t *clock)
{
	(void)clock;
	program.ticks++;
}

int main(void)
{
	struct tilia *t;
	int code = tilia_start(&t, NULL);

	for (int i = 0; i < COUNT && code == 0; i++) {
		code = submit(t, TILIA_OUT, "si", i);
		if (code == 0)
			code = submit(t, TILIA_IN, "si", i);
	}
	if (code != 0) {
		fprintf(stderr, "uv: %s\n", tilia_error(t));
		tilia_close(t);
		return 1;
	}
	uv_timer_init(uv_default_loop(), &program.clock);
	uv_timer_start(&program.clock, on_clock, 1, 1);
	tilia_uv_init(&program.u, uv_default_loop(), t, on_failure);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	uv_loop_close(uv_default_loop());
	if (program.status == 0)
		printf("%d taken, their sum is %lld\n", program.taken - COUNT,
		       (long long)program.sum);
	return program.status;
}
