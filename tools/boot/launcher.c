#include "launcher.h"

#include "crew.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define STARTS 8 /* at once for one target or bastion */

void launcher_say(struct run *r, const char *fmt, ...)
{
	char line[FAR_WHY + 128] = "tilia run: ";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + 11, sizeof line - 11, fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++) /* what the far side says moves no cursor */
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	console_say(r->err, line);
}

bool launcher_is_coloured(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && (no == NULL || *no == '\0') &&
	        (term == NULL || strcmp(term, "dumb") != 0);
}

/* --- the places ------------------------------------------------------------ */

void launcher_start_sites(struct run *r)
{
	for (unsigned i = 0; i < r->count && !r->stopping; i++) {
		struct site *s = &r->sites[i];
		unsigned busy = 0;

		if (!s->starting || s->ended)
			continue;
		for (unsigned k = 0; k < r->count; k++)
			busy += !r->sites[k].starting && !r->sites[k].ended &&
			        !far_is_open(r->sites[k].far) &&
			        strcmp(site_door(&r->sites[k]), site_door(s)) == 0;
		if (busy < STARTS) {
			s->starting = false;
			far_start(s->far);
		}
	}
}

static void make_sites(struct run *r)
{
	const struct place_list *l = r->o->places;

	r->count = l->count;
	r->sites = xcalloc(l->count, sizeof *r->sites);
	for (unsigned i = 0; i < l->count; i++)
		r->workers = site_init(&r->sites[i], r, &l->at[i], r->workers);
	for (unsigned i = 0; i < l->count; i++)
		site_equip(&r->sites[i]);
}

/* --- the end --------------------------------------------------------------- */

/* One place: the first status that is not 0. Several: 5, or 6 when not one of
 * them began. */
static int run_status(const struct run *r)
{
	unsigned first = 0, failed_sites = 0;

	for (unsigned i = 0; i < r->count; i++) {
		failed_sites += r->sites[i].failed;
		for (unsigned k = 0; k < r->sites[i].count && first == 0; k++)
			first = worker_status(&r->sites[i].workers[k]);
	}
	if (r->interrupts > 0)
		return LAUNCHER_INTERRUPTED;
	if (first == 0)
		return LAUNCHER_DONE;
	if (r->lost_code != 0)
		return r->lost_code == ERROR_CONNECT || r->lost_code == ERROR_CLOSED
		        ? LAUNCHER_NO_SERVER : LAUNCHER_REFUSED;
	if (failed_sites == r->count)
		return LAUNCHER_BOOTSTRAP;
	return r->count > 1 ? LAUNCHER_SOME : (int)first;
}

void launcher_check_done(struct run *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (!r->sites[i].ended)
			return;
	if (r->uplinks == 0)
		uv_stop(&r->loop);
}

/* --- signals --------------------------------------------------------------- */

static void signal_all(struct run *r, int sig)
{
	struct buf b = BUF_INIT;

	item_put_head(&b, ITEM_ARRAY, 2);
	item_put_text(&b, "signal");
	item_put_uint(&b, (uint64_t)sig);
	r->stopping = true;
	for (unsigned i = 0; i < r->count; i++) {
		struct site *s = &r->sites[i];

		if (far_is_open(s->far)) {
			trunk_send(far_trunk(s->far), 0, TRUNK_CONTROL, buf_bytes(&b));
			far_flush(s->far);
		} else
			far_stop(s->far);
	}
	buf_close(&b);
}

/* Closes all trunks: the guardians do the rest. */
static void leave(struct run *r)
{
	r->stopping = r->leaving = true;
	for (unsigned i = 0; i < r->count; i++)
		far_stop(r->sites[i].far);
}

static void on_interrupt(uv_signal_t *s, int sig)
{
	struct run *r = s->data;

	(void)sig;
	r->interrupts++;
	if (r->interrupts == 1) {
		signal_all(r, SIGINT);
		launcher_say(r, "interrupted; once more to terminate");
	} else if (r->interrupts == 2) {
		signal_all(r, SIGTERM);
		launcher_say(r, "terminating; once more to leave");
	} else
		leave(r);
}

static void on_terminate(uv_signal_t *s, int sig)
{
	struct run *r = s->data;

	(void)sig;
	r->interrupts++;
	leave(r);
}

/* Nobody reads our output: as a program of a shell's pipe, go. */
static void on_broken(void *ctx)
{
	leave(ctx);
}

static void catch(struct run *r, unsigned index, int sig, uv_signal_cb cb)
{
	uv_signal_init(&r->loop, &r->signals[index]);
	r->signals[index].data = r;
	uv_signal_start(&r->signals[index], cb, sig);
}

/* --- all of it ------------------------------------------------------------- */

static void random_id(char *id)
{
	uint8_t bytes[8];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		abort();
	for (int i = 0; i < 8; i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

/* Every place takes three descriptors and every worker one. */
static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* Lets the writers finish, unless the run is being left. */
static void drain(struct run *r)
{
	while (!r->leaving && (!console_is_idle(r->out) || !console_is_idle(r->err)))
		uv_run(&r->loop, UV_RUN_ONCE);
	if (!console_is_idle(r->out) || !console_is_idle(r->err))
		_exit(run_status(r)); /* a writer hangs on a terminal that stands still */
}

static void destroy(struct run *r)
{
	for (unsigned i = 0; i < r->count; i++)
		site_close(&r->sites[i]);
	for (unsigned i = 0; i < 4; i++)
		uv_close((uv_handle_t *)&r->signals[i], NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	console_destroy(r->out);
	console_destroy(r->err);
	for (unsigned i = 0; i < r->count; i++)
		xfree(r->sites[i].workers);
	xfree(r->sites);
	uv_loop_close(&r->loop);
}

int launcher_run(const struct launcher_options *o)
{
	struct run r = {.o = o};
	int status;

	if (uv_loop_init(&r.loop) != 0)
		return LAUNCHER_LOCAL;
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	random_id(r.id);
	r.out = console_create(&r.loop, 1, on_broken, &r);
	r.err = console_create(&r.loop, 2, on_broken, &r);
	catch(&r, 0, SIGINT, on_interrupt);
	catch(&r, 1, SIGTERM, on_terminate);
	catch(&r, 2, SIGHUP, on_terminate);
	catch(&r, 3, SIGQUIT, on_terminate);
	make_sites(&r);
	launcher_start_sites(&r);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	drain(&r);
	status = run_status(&r);
	destroy(&r);
	return status;
}
