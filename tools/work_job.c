#include "work.h"

#include "tilia.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/formal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define SAID_MAX FORMAL_TUPLE_BYTES /* of stdout that becomes a field */
#define LAST_READS 32               /* of what is left in a pipe when its command has ended */
#define SHOWN 120                   /* bytes of a tuple in a message */

enum verdict { JOB_DONE, JOB_BACK, JOB_BURY };

struct job {
	struct list link; /* in w->jobs while it runs; then a commit knows it */
	struct work *w;
	uint64_t token;
	unsigned tries;
	struct buf tuple;
	struct child child;
	struct buf out, err;  /* what it said and was not written yet, or is kept */
	int64_t renew_ms, timeout_ms;
	int64_t renewal;      /* the request under way, or 0 */
	bool lost, stopped, ended;
	bool failed;          /* by itself: another try should wait */
	const char *trouble;  /* why it was terminated, or NULL */
	enum verdict verdict;
};

struct job *job_of(struct list *link)
{
	return list_entry(link, struct job, link);
}

static void destroy(struct job *j)
{
	list_remove(&j->link);
	child_close(&j->child);
	buf_close(&j->tuple);
	buf_close(&j->out);
	buf_close(&j->err);
	xfree(j);
}

/* "tilia work: [...]: what" */
static void say(struct job *j, const char *what, const char *then)
{
	struct buf text = BUF_INIT;
	bool cut;

	diag_print(&text, j->tuple.data);
	cut = text.len > SHOWN;
	sink_say(&j->w->err, "tilia work: %.*s%s: %s%s", cut ? SHOWN : (int)text.len,
	         text.len > 0 ? (char *)text.data : "", cut ? "..." : "", what, then);
	buf_close(&text);
}

/* --- the end --------------------------------------------------------------- */

static void commit(struct job *j, enum verdict verdict);

static void count(struct work *w, enum verdict verdict)
{
	*(verdict == JOB_DONE ? &w->done : verdict == JOB_BURY ? &w->buried : &w->back) += 1;
}

/* What the server did not take. A result that is not valid there will not be the next
 * time; for anything else the worker is not fit to work. */
static void refused(struct job *j, const struct tilia_done *d)
{
	struct work *w = j->w;
	bool result = d->code == TILIA_E_VALUE || d->code == TILIA_E_LIMIT ||
	              d->code == TILIA_E_SHAPE;

	if (d->code == TILIA_E_CLAIM_OVER || d->code == TILIA_E_SESSION_OVER ||
	    d->code == TILIA_E_UNKNOWN || d->code == TILIA_E_CLOSED) {
		say(j, d->code == TILIA_E_CLAIM_OVER ? "the claim was over before it was done"
		                                     : tilia_strerror(d->code),
		    d->code == TILIA_E_UNKNOWN ? "" : "; nothing is committed");
		w->lost++;
		destroy(j);
		return;
	}
	say(j, *d->error != '\0' ? d->error : tilia_strerror(d->code),
	    j->verdict != JOB_DONE ? "" : result ? "; buried" : "; given back");
	if (j->verdict != JOB_DONE) {
		work_end(w, link_failed(&w->link, d->code, d->error));
		w->lost++;
		destroy(j);
		return;
	}
	if (!result)
		work_end(w, EXIT_REFUSED);
	commit(j, result ? JOB_BURY : JOB_BACK);
}

static void on_commit(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct job *j = arg;

	(void)t;
	j->w->commits--;
	if (d->code != 0) {
		refused(j, d);
		return;
	}
	count(j->w, j->verdict);
	destroy(j);
}

/* The results; 0 of them when they cannot be made, and why. */
static bool make_results(struct job *j, struct buf *cbor, struct tilia_put *puts, char *why)
{
	struct work *w = j->w;
	size_t at[WORK_OUTS_MAX + 1] = {0};

	for (unsigned i = 0; i < w->o.outs; i++) {
		if (!work_command_result(w, i, j->tuple.data, buf_bytes(&j->out), 0, cbor, why))
			return false;
		at[i + 1] = cbor->len;
	}
	for (unsigned i = 0; i < w->o.outs; i++)
		puts[i] = (struct tilia_put){
			.space = w->o.out_space != NULL ? w->o.out_space : w->op.space,
			.cbor = cbor->data + at[i], .size = at[i + 1] - at[i]};
	return true;
}

/* Twice as long with every try. */
static int64_t back_delay_ms(const struct job *j)
{
	int64_t ms = j->w->o.back_ms;

	for (unsigned i = 1; i < j->tries && ms < j->w->o.back_max_ms; i++)
		ms *= 2;
	return ms < j->w->o.back_max_ms ? ms : j->w->o.back_max_ms;
}

/* Ends the claim, with its results if it is done. What was stopped or was no failure of
 * its own is back at once. */
static void commit(struct job *j, enum verdict verdict)
{
	struct tilia_commit c = {0};
	struct tilia_put puts[WORK_OUTS_MAX];
	struct buf results = BUF_INIT;
	char why[WORK_WHY];
	int64_t delay_ms = j->failed ? back_delay_ms(j) : 0;

	if (verdict == JOB_DONE && !make_results(j, &results, puts, why)) {
		say(j, why, "; buried");
		verdict = JOB_BURY;
	}
	j->verdict = verdict;
	*(verdict == JOB_DONE ? &c.done : verdict == JOB_BURY ? &c.bury : &c.back) = &j->token;
	*(verdict == JOB_DONE ? &c.done_count : verdict == JOB_BURY ? &c.bury_count
	                                                            : &c.back_count) = 1;
	c.back_delay_ms = &delay_ms;
	c.out = puts;
	c.out_count = verdict == JOB_DONE ? j->w->o.outs : 0;
	if (tilia_submit_commit(j->w->link.t, &c, on_commit, j) > 0)
		j->w->commits++;
	else {
		say(j, tilia_error(j->w->link.t), "");
		j->w->lost++;
		destroy(j);
	}
	buf_close(&results);
}

/* Why it has failed. */
static void explain(const struct job *j, char *what, size_t size)
{
	int status = j->child.status;

	if (j->trouble != NULL)
		snprintf(what, size, "%s", j->trouble);
	else if (WIFSIGNALED(status))
		snprintf(what, size, "ended by signal %d (%s)", WTERMSIG(status),
		         strsignal(WTERMSIG(status)));
	else
		snprintf(what, size, "exit status %d", WEXITSTATUS(status));
}

/* What its exit means. */
static enum verdict judge(struct job *j)
{
	int status = WIFEXITED(j->child.status) ? WEXITSTATUS(j->child.status) : -1;
	bool bury = j->trouble != NULL ? j->out.len > SAID_MAX
	                               : status > 0 && status == j->w->o.bury_on;
	char what[64];

	if (j->stopped && j->trouble == NULL)
		return JOB_BACK;
	if (status == 0 && j->trouble == NULL)
		return JOB_DONE;
	j->failed = true;
	explain(j, what, sizeof what);
	say(j, what, bury ? "; buried" : "; given back");
	return bury ? JOB_BURY : JOB_BACK;
}

/* The command has ended: what it said last is in the pipes; who inherited them does not
 * count. */
static void finish(struct job *j)
{
	struct work *w = j->w;

	j->ended = true;
	for (unsigned i = 0; i < LAST_READS && job_read(j); i++)
		;
	if (!w->o.captures)
		sink_take(&w->out, &j->out, true);
	sink_take(&w->err, &j->err, true);
	child_close(&j->child);
	list_remove(&j->link);
	w->running--;
	if (!j->lost) {
		commit(j, judge(j));
		return;
	}
	w->lost++;
	destroy(j);
}

/* --- while it runs --------------------------------------------------------- */

/* Whether more of its stdout, or stderr, is wanted now. */
static bool wants_out(const struct job *j)
{
	if (j->w->o.captures)
		return j->out.len <= SAID_MAX;
	return j->ended || !sink_is_full(&j->w->out);
}

static bool wants_err(const struct job *j)
{
	return j->ended || !sink_is_full(&j->w->err);
}

unsigned job_poll(struct job *j, struct pollfd *p)
{
	unsigned n = 0;

	if (j->child.out >= 0 && wants_out(j))
		p[n++] = (struct pollfd){.fd = j->child.out, .events = POLLIN};
	if (j->child.err >= 0 && wants_err(j))
		p[n++] = (struct pollfd){.fd = j->child.err, .events = POLLIN};
	return n;
}

bool job_read(struct job *j)
{
	struct work *w = j->w;
	bool more = false;

	if (wants_out(j))
		more = child_read(&j->child.out, &j->out);
	if (wants_err(j))
		more |= child_read(&j->child.err, &j->err);
	if (!w->o.captures)
		sink_take(&w->out, &j->out, false);
	sink_take(&w->err, &j->err, false);
	if (w->o.captures && j->out.len > SAID_MAX && j->trouble == NULL) {
		j->trouble = "it said more than a tuple can hold";
		child_end(&j->child, child_now_ms() + CHILD_PATIENCE_MS);
	}
	return more;
}

void job_stop(struct job *j, int64_t kill_ms, bool lost)
{
	if (lost && !j->lost)
		say(j, "the claim is over", "; its command is terminated, nothing is committed");
	j->lost |= lost;
	j->stopped = true;
	child_end(&j->child, kill_ms);
}

static void on_renewed(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct work *w = arg;

	(void)t;
	list_each(it, &w->jobs) {
		struct job *j = job_of(it);

		if (j->renewal != d->request)
			continue;
		j->renewal = 0;
		if (d->code < 0)
			job_stop(j, child_now_ms() + CHILD_PATIENCE_MS, true);
	}
}

static void renew(struct job *j, int64_t now_ms)
{
	struct work *w = j->w;

	j->renew_ms = now_ms + w->op.lease_ms / 3;
	if (j->renewal != 0 || j->lost)
		return;
	j->renewal = tilia_submit_renew(w->link.t, &j->token, 1, w->op.lease_ms, on_renewed, w);
	if (j->renewal < 0)
		j->renewal = 0;
}

void job_tick(struct job *j, int64_t now_ms)
{
	if (now_ms >= j->renew_ms)
		renew(j, now_ms);
	if (now_ms >= j->timeout_ms && !j->stopped && j->trouble == NULL) {
		j->trouble = "it took longer than --timeout";
		child_end(&j->child, now_ms + CHILD_PATIENCE_MS);
	}
	if (child_over(&j->child, now_ms))
		finish(j);
}

int64_t job_deadline_ms(const struct job *j, int64_t now_ms)
{
	int64_t at = child_deadline_ms(&j->child, now_ms);

	at = j->renew_ms < at ? j->renew_ms : at;
	return j->timeout_ms < at && !j->stopped && j->trouble == NULL ? j->timeout_ms : at;
}

/* --- the beginning --------------------------------------------------------- */

/* What cannot be run is the job's own fault if only this tuple does not fit. */
static void not_run(struct job *j, const char *why, bool bury)
{
	say(j, why, bury ? "; buried" : "; given back");
	if (!bury)
		work_end(j->w, EXIT_LOCAL);
	commit(j, bury ? JOB_BURY : JOB_BACK);
}

static void run(struct job *j, const struct work_command *c)
{
	struct work *w = j->w;
	const struct child_options o = {
		.argv = c->argv.at, .env = c->env.at, .guard = &w->guard, .in = c->in,
		.out = w->o.captures || w->o.slots > 1, .err = w->o.slots > 1,
	};
	char why[WORK_WHY];
	bool exec;
	int e = child_start(&j->child, &o, &exec);

	if (e != 0) {
		snprintf(why, sizeof why, "%.200s: %s", exec ? c->argv.at[0] : "no new process",
		         strerror(e));
		not_run(j, why, e == E2BIG);
		return;
	}
	list_append(&w->jobs, &j->link);
	w->running++;
}

static struct job *create(struct work *w, const struct tilia_tuple *t)
{
	struct job *j = xcalloc(1, sizeof *j);
	int64_t now_ms = child_now_ms();
	size_t size;
	const void *cbor = tilia_tuple_cbor(t, &size);

	list_init(&j->link);
	j->w = w;
	j->token = tilia_tuple_token(t);
	j->tries = tilia_tuple_tries(t);
	j->child = (struct child){.out = -1, .err = -1};
	j->renew_ms = now_ms + w->op.lease_ms / 3;
	j->timeout_ms = w->o.timeout_ms > 0 ? now_ms + w->o.timeout_ms : INT64_MAX;
	buf_append(&j->tuple, cbor, size);
	return j;
}

void job_begin(struct work *w, const struct tilia_tuple *t, bool unwanted)
{
	struct job *j = create(w, t);
	struct work_command c;
	char why[WORK_WHY];

	if (unwanted) {
		commit(j, JOB_BACK);
		return;
	}
	w->begun++;
	if (work_command_make(w, t, &c, why))
		run(j, &c);
	else
		not_run(j, why, true);
	work_command_close(&c);
}
