#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_READ ((size_t)64 << 10)
#define CHILD_LOOK_MS 20 /* how often a group is looked at that is being ended */

int64_t child_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- the start ------------------------------------------------------------- */

struct pipes {
	int out[2], err[2], word[2]; /* word: the errno of a failed exec(), or its end */
};

static void close_both(const int ends[2])
{
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

static void pipes_close(const struct pipes *p)
{
	close_both(p->out);
	close_both(p->err);
	close_both(p->word);
}

static bool pipes_open(struct pipes *p, const struct child_options *o)
{
	*p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
	return (!o->out || pipe2(p->out, O_CLOEXEC) == 0) &&
	       (!o->err || pipe2(p->err, O_CLOEXEC) == 0) && pipe2(p->word, O_CLOEXEC) == 0;
}

/* In the child. What this process ignores or holds back the command need not. */
static void run(const struct child_options *o, const struct pipes *p)
{
	static const int defaults[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD};
	sigset_t none;
	int e;

	if (!o->foreground)
		setpgid(0, 0);
	guard_enter(o->guard, getpid(), o->foreground);
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		signal(defaults[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (o->in != 0)
		dup2(o->in, 0);
	if (o->out)
		dup2(p->out[1], 1);
	if (o->err)
		dup2(p->err[1], 2);
	execvpe(o->argv[0], o->argv, o->env);
	e = errno;
	(void)!write(p->word[1], &e, sizeof e);
	_exit(127);
}

/* The errno that the child says, or 0. */
static int hear(int word)
{
	int e = 0;

	while (read(word, &e, sizeof e) < 0 && errno == EINTR)
		;
	return e;
}

/* The end that is read here. */
static int keep(int ends[2])
{
	int fd = ends[0];

	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	ends[0] = -1;
	return fd;
}

int child_start(struct child *c, const struct child_options *o, bool *exec)
{
	struct pipes p;
	int e = 0;

	*c = (struct child){.guard = o->guard, .out = -1, .err = -1, .foreground = o->foreground,
	                    .kill_ms = INT64_MAX};
	*exec = false;
	c->pid = pipes_open(&p, o) ? fork() : -1;
	if (c->pid == 0)
		run(o, &p);
	if (c->pid < 0) {
		e = errno;
		c->pid = 0;
		pipes_close(&p);
		return e;
	}
	if (!o->foreground)
		setpgid(c->pid, c->pid); /* whoever of the two comes first */
	close(p.word[1]);
	p.word[1] = -1;
	e = hear(p.word[0]);
	if (e == 0) {
		c->out = keep(p.out);
		c->err = keep(p.err);
	} else {
		*exec = true;
		guard_leave(o->guard, c->pid);
		waitpid(c->pid, NULL, 0);
		c->pid = 0;
	}
	pipes_close(&p);
	return e;
}

/* --- the end --------------------------------------------------------------- */

void child_signal(const struct child *c, int number)
{
	if (c->pid > 0 && (!c->foreground || !c->exited))
		kill(c->foreground ? c->pid : -c->pid, number);
}

void child_end(struct child *c, int64_t kill_ms)
{
	if (!c->ending) {
		child_signal(c, SIGTERM);
		child_signal(c, SIGCONT);
	}
	c->ending = true;
	c->kill_ms = kill_ms < c->kill_ms ? kill_ms : c->kill_ms;
}

int64_t child_deadline_ms(const struct child *c, int64_t now_ms)
{
	if (c->pid == 0 || !c->ending)
		return INT64_MAX;
	return c->exited && now_ms + CHILD_LOOK_MS < c->kill_ms ? now_ms + CHILD_LOOK_MS
	                                                        : c->kill_ms;
}

/* Whether the process has exited, now or before. As long as its group has members its
 * number is nobody else's. */
static bool has_exited(struct child *c)
{
	siginfo_t si = {0};

	if (c->exited)
		return true;
	if (waitid(P_PID, (id_t)c->pid, &si, WEXITED | WNOHANG | WNOWAIT) != 0 || si.si_pid == 0)
		return false;
	if (!c->ending)
		guard_leave(c->guard, c->pid);
	waitpid(c->pid, &c->status, 0);
	return c->exited = true;
}

bool child_over(struct child *c, int64_t now_ms)
{
	if (c->pid == 0)
		return true;
	if (c->ending && now_ms >= c->kill_ms) {
		child_signal(c, SIGKILL);
		c->kill_ms = INT64_MAX; /* now only to be waited for */
	}
	if (!has_exited(c))
		return false;
	if (c->ending && !c->foreground && c->kill_ms != INT64_MAX && kill(-c->pid, 0) == 0)
		return false;
	if (c->ending)
		guard_leave(c->guard, c->pid);
	c->pid = 0;
	return true;
}

/* --- what it says ---------------------------------------------------------- */

bool child_read(int *fd, struct buf *to)
{
	uint8_t *p = *fd < 0 ? NULL : buf_reserve(to, CHILD_READ);
	ssize_t n = p == NULL ? 0 : read(*fd, p, CHILD_READ);

	if (n > 0)
		to->len += (size_t)n;
	else if (*fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		close(*fd);
		*fd = -1;
	}
	return n > 0;
}

void child_close(struct child *c)
{
	if (c->out >= 0)
		close(c->out);
	if (c->err >= 0)
		close(c->err);
	c->out = c->err = -1;
}
