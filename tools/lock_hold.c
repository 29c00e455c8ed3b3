/* At most one at a time, on all hosts. The lock is the tuple ["lock", NAME], put once and
 * then claimed under a lease. Who cannot renew it ends its command before the lease
 * does; what the command writes elsewhere is best guarded by $TILIA_TOKEN, which is greater
 * with each holder. */
#include "lock.h"

#include "signals.h"
#include "tilia.h"
#include "words.h"

#include "../libclient/item.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCK_LEAVE_MS 5000 /* to give it back; then its lease ends it */

/* --- the lease ------------------------------------------------------------- */

/* The last that KILL can do its work in before the lease ends. */
static int64_t margin_ms(const struct lock *l)
{
	return l->op.lease_ms / 6 < CHILD_PATIENCE_MS ? l->op.lease_ms / 6 : CHILD_PATIENCE_MS;
}

static void lose(struct lock *l, const char *why)
{
	if (!l->lost)
		tool_complain("lock", "%s: the lock is lost: %s; the command is terminated",
		              l->name, why);
	l->lost = true;
	child_end(&l->child, l->lease_end_ms);
}

static void begin(struct lock *l);
static void ask(struct lock *l);

static void on_renewed(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct lock *l = arg;
	enum lock_state state = l->state;

	(void)t;
	l->renewing = false;
	if ((state != LOCK_HELD && state != LOCK_CLAIMED) || l->lost)
		return;
	if (d->code == 0)
		l->lease_end_ms = l->asked_ms + l->op.lease_ms;
	if (d->code == 0 && state == LOCK_CLAIMED)
		begin(l);
	else if (d->code == TILIA_E_CLAIM_OVER && state == LOCK_CLAIMED)
		ask(l);
	else if (d->code < 0)
		lose(l, *d->error != '\0' ? d->error : tilia_strerror(d->code));
}

static void renew(struct lock *l, int64_t now_ms)
{
	if (l->renewing || l->lost)
		return;
	l->asked_ms = now_ms;
	l->renew_ms = now_ms + l->op.lease_ms / 3;
	l->renewing = tilia_submit_renew(l->link.t, &l->token, 1, l->op.lease_ms, on_renewed,
	                                 l) > 0;
}

/* --- the command ----------------------------------------------------------- */

static void make_environment(const struct lock *l, struct words *env)
{
	char text[24];

	words_environ(env);
	snprintf(text, sizeof text, "%llu", (unsigned long long)l->token);
	words_set(env, "TILIA_TOKEN", bytes_of(text));
	words_set(env, "TILIA_LOCK", bytes_of(l->name));
	words_set(env, "TILIA_SPACE", bytes_of(l->op.space != NULL ? l->op.space : "main"));
	if (l->link.address != NULL)
		words_set(env, "TILIA", bytes_of(l->link.address));
}

static void give_back(struct lock *l);

/* On a terminal the command stays in the foreground, where it may read. */
static void begin(struct lock *l)
{
	static char sh[] = "/bin/sh", c[] = "-c";
	char *const shell[] = {sh, c, l->words[0], NULL};
	struct words env = {NULL, 0};
	struct child_options o = {
		.argv = l->words[1] == NULL ? shell : l->words, .guard = &l->guard, .in = 0,
		.foreground = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp(),
	};
	bool exec;
	int e;

	make_environment(l, &env);
	o.env = env.at;
	l->state = LOCK_HELD;
	e = child_start(&l->child, &o, &exec);
	words_close(&env);
	if (e == 0)
		return;
	tool_complain("lock", "%s: %s", exec ? l->words[0] : "no new process", strerror(e));
	l->status = !exec ? EXIT_LOCAL : e == ENOENT ? 127 : 126;
	give_back(l);
}

static void on_returned(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct lock *l = arg;

	(void)t;
	if (d->code == TILIA_E_CLAIM_OVER) { /* its last moments may have been another's */
		tool_complain("lock", "%s: the lock was lost before the command ended", l->name);
		l->status = EXIT_LOST;
	} else if (d->code < 0)
		tool_complain("lock", "%s: it is given back when its lease ends: %s", l->name,
		              *d->error != '\0' ? d->error : tilia_strerror(d->code));
	l->state = LOCK_OVER;
}

static void give_back(struct lock *l)
{
	struct tilia_commit c = {.back = &l->token, .back_count = 1};

	l->state = LOCK_RETURNED;
	l->leave_ms = child_now_ms() + LOCK_LEAVE_MS;
	if (tilia_submit_commit(l->link.t, &c, on_returned, l) <= 0)
		l->state = LOCK_OVER;
}

static void end(struct lock *l)
{
	int status = l->child.status;

	l->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (!l->lost) {
		give_back(l);
		return;
	}
	l->status = EXIT_LOST;
	l->state = LOCK_OVER;
}

/* --- getting it ------------------------------------------------------------ */

static void on_put(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct lock *l = arg;

	(void)t;
	if (d->code >= 0 || d->code == TILIA_E_UNKNOWN || l->state == LOCK_OVER)
		return; /* unknown: it is put again in the next session */
	l->status = link_failed(&l->link, d->code, d->error);
	l->state = LOCK_OVER;
}

static int interrupted(void)
{
	return signals_first() == SIGINT ? EXIT_INTERRUPTED : 128 + signals_first();
}

static void on_claimed(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct lock *l = arg;

	(void)t;
	l->asking = 0;
	if (l->state == LOCK_OVER)
		return;
	if (d->code == 0) {
		l->token = tilia_tuple_token(d->tuples);
		l->state = LOCK_CLAIMED;
		renew(l, child_now_ms());
		return;
	}
	if (d->code == TILIA_E_SESSION_OVER && signals_ends() == 0) {
		ask(l);
		return;
	}
	l->state = LOCK_OVER;
	l->status = d->code == TILIA_NONE ? EXIT_NONE
	          : d->code == TILIA_E_CANCELLED ? interrupted()
	                                         : link_failed(&l->link, d->code, d->error);
}

static void put_tuple(const struct lock *l, struct buf *tuple)
{
	item_put_head(tuple, ITEM_ARRAY, 2);
	item_put_text(tuple, "lock");
	item_put_text(tuple, l->name);
}

/* Puts it if nobody ever has. */
static int64_t put(struct lock *l)
{
	struct buf tuple = BUF_INIT;
	struct tilia_op op = {.space = l->op.space};
	int64_t request;

	put_tuple(l, &tuple);
	op.unless_cbor = tuple.data;
	op.unless_size = tuple.len;
	request = tilia_submit(l->link.t, TILIA_OUT, &op, tuple.data, tuple.len, on_put, l);
	buf_close(&tuple);
	return request;
}

/* Puts it and claims it. */
static void ask(struct lock *l)
{
	struct buf tuple = BUF_INIT;
	int64_t e = put(l);

	l->state = LOCK_WANTED;
	put_tuple(l, &tuple);
	if (e > 0)
		e = l->asking = tilia_submit(l->link.t, TILIA_IN, &l->op, tuple.data, tuple.len,
		                             on_claimed, l);
	buf_close(&tuple);
	if (e > 0)
		return;
	l->status = link_failed(&l->link, (int)e, NULL);
	l->state = LOCK_OVER;
}

/* The claim of the session before is over; a request that waits was asked again, but a
 * server that has forgotten the session may have forgotten the lock too. */
static void begin_anew(struct lock *l)
{
	if (l->state == LOCK_HELD)
		lose(l, "the session is over");
	else if (l->state == LOCK_WANTED)
		put(l);
}

/* --- the one wait ---------------------------------------------------------- */

/* Who waits leaves; a command that runs is told, twice, and then killed. A terminal's
 * Ctrl-C it has heard itself. */
static void heed_signals(struct lock *l)
{
	bool heard = l->child.foreground && signals_first() == SIGINT;

	for (; l->ends < signals_ends(); l->ends++) {
		if (l->state == LOCK_HELD && l->ends > 1)
			child_end(&l->child, 0);
		else if (l->state == LOCK_HELD && !heard)
			child_signal(&l->child, signals_first());
		if (l->state == LOCK_CLAIMED) {
			l->status = interrupted();
			give_back(l);
		} else if (l->state == LOCK_WANTED && tilia_fd(l->link.t) >= 0)
			tilia_cancel(l->link.t, l->asking);
		else if (l->state != LOCK_HELD) {
			l->status = l->state == LOCK_WANTED ? interrupted() : l->status;
			l->state = LOCK_OVER;
		}
	}
}

/* How long to wait is the server's business as long as there is one. */
static bool waits_in_vain(const struct lock *l, int64_t now_ms)
{
	return l->state == LOCK_WANTED && now_ms >= l->wait_end_ms && tilia_fd(l->link.t) < 0;
}

/* What is due. */
static void tick(struct lock *l, int64_t now_ms)
{
	if (waits_in_vain(l, now_ms)) {
		l->status = link_failed(&l->link, TILIA_E_CONNECT, "the connection is broken");
		l->state = LOCK_OVER;
	}
	if (l->state == LOCK_RETURNED && now_ms >= l->leave_ms) {
		tool_complain("lock", "%s: the server does not answer; it is given back when its "
		              "lease ends", l->name);
		l->state = LOCK_OVER;
	}
	if (l->state != LOCK_HELD)
		return;
	if (now_ms >= l->renew_ms)
		renew(l, now_ms);
	if (now_ms >= l->lease_end_ms - margin_ms(l) && !l->lost)
		lose(l, "it could not be renewed");
	if (child_over(&l->child, now_ms))
		end(l);
}

static int64_t deadline(const struct lock *l, int64_t now_ms)
{
	int64_t child = child_deadline_ms(&l->child, now_ms);
	int64_t due = l->lease_end_ms - margin_ms(l);

	if (l->state == LOCK_RETURNED)
		return l->leave_ms;
	if (l->state == LOCK_WANTED && l->wait_end_ms > now_ms)
		return l->wait_end_ms;
	if (l->state != LOCK_HELD)
		return INT64_MAX;
	if (l->lost)
		return child;
	return !l->renewing && l->renew_ms < due ? l->renew_ms : due;
}

static void turn(struct lock *l)
{
	int64_t now_ms = child_now_ms(), at = deadline(l, now_ms), link_ms;
	struct pollfd p;
	struct timespec ts;
	int code;

	link_ms = link_poll(&l->link, &p);
	if (link_ms >= 0 && now_ms + link_ms < at)
		at = now_ms + link_ms;
	at = at < now_ms ? 0 : at - now_ms;
	ts = (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
	if (ppoll(&p, 1, at > INT64_MAX / 2 ? NULL : &ts, &signals_open) < 0)
		p.revents = 0;
	heed_signals(l);
	code = link_process(&l->link, &p);
	if (code < 0 && l->state == LOCK_HELD)
		lose(l, tilia_error(l->link.t));
	else if (code == 0 && link_is_new_session(&l->link))
		begin_anew(l);
	else if (code < 0 && l->state != LOCK_OVER) {
		l->status = link_failed(&l->link, code, NULL);
		l->state = LOCK_OVER;
	}
	tick(l, child_now_ms());
}

/* --- from first to last ---------------------------------------------------- */

int lock_hold(struct lock *l)
{
	int status;

	if (!guard_start(&l->guard)) {
		tool_complain("lock", "no new process");
		return EXIT_LOCAL;
	}
	status = link_open(&l->link);
	if (status == 0) {
		signals_catch();
		link_is_new_session(&l->link);
		l->wait_end_ms = l->op.timeout_ms == 0 ? INT64_MAX : child_now_ms();
		if (l->op.timeout_ms > 0)
			l->wait_end_ms += l->op.timeout_ms;
		ask(l);
		while (l->state != LOCK_OVER)
			turn(l);
		status = l->status;
		if (tilia_fd(l->link.t) < 0)
			link_drop(&l->link);
		else
			link_close(&l->link);
	}
	guard_stop(&l->guard);
	return status;
}
