#include "work.h"

#include "signals.h"
#include "tilia.h"

#include "../libclient/base/xmalloc.h"

#include <unistd.h>

#define LEAVE_MS 1000 /* for a terminal that stands still */
#define SHOW_MS 200
#define AWAY_MS 2000  /* without a connection, before it is told */

void work_end(struct work *w, int status)
{
	w->over = true;
	if (w->status == 0)
		w->status = status;
	if (w->asking > 0)
		tilia_cancel(w->link.t, w->asking);
}

/* --- asking for jobs ------------------------------------------------------- */

static void stop_all(struct work *w, int64_t kill_ms, bool lost)
{
	list_each(it, &w->jobs)
		job_stop(job_of(it), kill_ms, lost);
}

/* What was claimed in a session that is over is lost; asked before a job of the next
 * one begins. */
static void look_at_session(struct work *w)
{
	if (link_is_new_session(&w->link))
		stop_all(w, child_now_ms() + CHILD_PATIENCE_MS, true);
}

static void on_jobs(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct work *w = arg;

	(void)t;
	w->asking = 0;
	look_at_session(w);
	for (const struct tilia_tuple *it = d->tuples; it != NULL; it = tilia_tuple_next(it))
		job_begin(w, it, w->ends > 0 || w->status != 0);
	if (d->code == TILIA_NONE)
		w->over = true;
	else if (d->code < 0 && d->code != TILIA_E_CANCELLED && d->code != TILIA_E_SESSION_OVER)
		work_end(w, link_failed(&w->link, d->code, d->error));
}

/* One request at a time, for as many as there are hands. */
static void ask(struct work *w)
{
	uint64_t left = w->o.most - w->begun, hands = w->o.slots - w->running;
	const uint8_t *template = w->fields.cbor.data;

	if (w->over || w->asking > 0 || hands == 0)
		return;
	if (left == 0) {
		w->over = true;
		return;
	}
	w->op.max = (uint32_t)(left < hands ? left : hands);
	w->asking = tilia_submit(w->link.t, TILIA_IN, &w->op, template, w->fields.cbor.len, on_jobs,
	                         w);
	if (w->asking < 0) {
		int code = (int)w->asking;

		w->asking = 0;
		work_end(w, link_failed(&w->link, code, NULL));
	}
}

/* --- the one wait ---------------------------------------------------------- */

/* The first lets what runs finish, the second terminates it, the third kills it. */
static void heed_signals(struct work *w)
{
	int64_t now_ms = child_now_ms();

	for (; w->ends < signals_ends(); w->ends++) {
		if (w->ends == 0) {
			work_end(w, 0);
			if (w->running > 0)
				sink_say(&w->err, "tilia work: no more jobs are claimed; waiting "
				         "for %u (once more to terminate)", w->running);
			else if (w->commits > 0 && tilia_fd(w->link.t) < 0)
				sink_say(&w->err, "tilia work: what is done waits for the server "
				         "(once more to leave; then it will be done again)");
		} else
			stop_all(w, w->ends == 1 ? now_ms + CHILD_PATIENCE_MS : now_ms, false);
	}
}

/* The link is of no use any more. */
static void fail(struct work *w, int code)
{
	stop_all(w, child_now_ms() + CHILD_PATIENCE_MS, true);
	w->over = true;
	if (w->status == 0)
		w->status = link_failed(&w->link, code, NULL);
}

/* Somebody should know why nothing happens. */
static void look_at_link(struct work *w, int64_t now_ms)
{
	bool away = tilia_fd(w->link.t) < 0;

	if (away && w->away_ms == 0)
		w->away_ms = now_ms;
	if (away && !w->told_away && now_ms >= w->away_ms + AWAY_MS)
		sink_say(&w->err, "tilia work: the connection is broken; it is tried again");
	if (!away && w->told_away)
		sink_say(&w->err, "tilia work: connected again");
	w->told_away = away && now_ms >= w->away_ms + AWAY_MS;
	w->away_ms = away ? w->away_ms : 0;
}

/* --- how it goes ----------------------------------------------------------- */

static void put_counts(const struct work *w, struct buf *text)
{
	buf_printf(text, "%llu done, %llu given back, %llu buried, %llu lost",
	           (unsigned long long)w->done, (unsigned long long)w->back,
	           (unsigned long long)w->buried, (unsigned long long)w->lost);
}

static void erase(struct work *w)
{
	if (w->shown)
		(void)!write(STDERR_FILENO, "\r\033[K", 4);
	w->shown = false;
}

/* On the terminal's last line, below what the commands say. */
static void show(struct work *w, int64_t now_ms)
{
	struct buf line = BUF_INIT;

	if (!w->shows || now_ms < w->show_ms || !sink_is_empty(&w->err))
		return;
	w->show_ms = now_ms + SHOW_MS;
	buf_text(&line, "\r\033[K");
	put_counts(w, &line);
	buf_printf(&line, ", %u running", w->running);
	(void)!write(STDERR_FILENO, line.data, line.len);
	buf_close(&line);
	w->shown = true;
}

static void flush(struct work *w)
{
	if (!sink_is_empty(&w->out) || !sink_is_empty(&w->err))
		erase(w);
	sink_flush(&w->out);
	sink_flush(&w->err);
}

static int64_t deadline(struct work *w, int64_t now_ms, int64_t link_wait)
{
	int64_t at = link_wait < 0 ? INT64_MAX : now_ms + link_wait;

	list_each(it, &w->jobs) {
		int64_t job = job_deadline_ms(job_of(it), now_ms);

		at = job < at ? job : at;
	}
	if (w->away_ms != 0 && !w->told_away && w->away_ms + AWAY_MS < at)
		at = w->away_ms + AWAY_MS;
	return at;
}

static void wait_until(struct pollfd *p, unsigned n, int64_t at, int64_t now_ms)
{
	int64_t ms = at <= now_ms ? 0 : at - now_ms;
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	if (ppoll(p, n, at == INT64_MAX ? NULL : &ts, &signals_open) < 0)
		p[0].revents = p[1].revents = p[2].revents = 0; /* the rest is looked at anyway */
}

static void turn(struct work *w, struct pollfd *p)
{
	int64_t now_ms = child_now_ms(), link_wait;
	unsigned n = 3;
	int code;

	link_wait = link_poll(&w->link, &p[0]);
	sink_poll(&w->out, &p[1]);
	sink_poll(&w->err, &p[2]);
	list_each(it, &w->jobs)
		n += job_poll(job_of(it), &p[n]);
	wait_until(p, n, deadline(w, now_ms, link_wait), now_ms);
	heed_signals(w);
	code = link_process(&w->link, &p[0]);
	if (code < 0)
		fail(w, code);
	else
		look_at_session(w);
	sink_polled(&w->out, &p[1]);
	sink_polled(&w->err, &p[2]);
	if (w->out.broken && !w->o.captures && !w->over)
		work_end(w, EXIT_LOCAL); /* nobody wants to know */
	now_ms = child_now_ms();
	look_at_link(w, now_ms);
	list_each(it, &w->jobs) {
		job_read(job_of(it));
		job_tick(job_of(it), now_ms);
	}
	flush(w);
	show(w, now_ms);
	ask(w);
}

/* --- from first to last ---------------------------------------------------- */

static bool is_busy(const struct work *w)
{
	if (w->running > 0 || !w->over)
		return true;
	if (tilia_fd(w->link.t) < 0 && w->ends > 0) /* who leaves waits for no server */
		return w->commits > 0 && w->ends == 1;
	return w->commits > 0 || w->asking > 0;
}

/* A terminal is told what came of it all. */
static void tell(struct work *w)
{
	struct buf line = BUF_INIT;

	erase(w);
	put_counts(w, &line);
	if (isatty(STDERR_FILENO))
		sink_say(&w->err, "tilia work: %.*s", (int)line.len, (char *)line.data);
	buf_close(&line);
}

static int exit_status(const struct work *w)
{
	if (w->status != 0)
		return w->status;
	if (signals_first() == SIGINT)
		return EXIT_INTERRUPTED;
	if (w->back + w->buried + w->lost > 0)
		return EXIT_SOME;
	if (w->begun == 0 && w->op.timeout_ms != 0 && signals_first() == 0)
		return EXIT_NONE;
	return EXIT_DONE;
}

int work_run(struct work *w)
{
	struct pollfd *p = xcalloc(3 + 2 * w->o.slots, sizeof *p);

	signals_catch();
	link_is_new_session(&w->link);
	w->shows = w->o.slots > 1 && isatty(STDERR_FILENO); /* else a command writes there itself */
	ask(w);
	while (is_busy(w))
		turn(w, p);
	xfree(p);
	if (tilia_fd(w->link.t) >= 0 && w->status == 0)
		w->status = link_close(&w->link);
	else
		link_drop(&w->link);
	tell(w);
	sink_close(&w->out, LEAVE_MS);
	sink_close(&w->err, LEAVE_MS);
	return exit_status(w);
}
