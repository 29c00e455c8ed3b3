#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUARD_PATIENCE_S 2
#define GUARD_MAX 4096 /* commands at once */

/* One write of this is atomic. */
struct note {
	int32_t pid;
	int32_t what; /* 0: has ended; 1: a group; 2: a process alone */
};

_Static_assert(sizeof(struct note) <= PIPE_BUF, "notes are not torn");

static void tell(const struct guard *g, pid_t pid, int what)
{
	struct note n = {pid, what};

	while (write(g->fd, &n, sizeof n) < 0 && errno == EINTR)
		;
}

void guard_enter(const struct guard *g, pid_t pid, bool alone)
{
	tell(g, pid, alone ? 2 : 1);
}

void guard_leave(const struct guard *g, pid_t pid)
{
	tell(g, pid, 0);
}

/* --- the process ----------------------------------------------------------- */

static struct note known[GUARD_MAX];
static unsigned count;

static void take(const struct note *n)
{
	unsigned i = 0;

	while (i < count && known[i].pid != n->pid)
		i++;
	if (n->what == 0 && i < count)
		known[i] = known[--count];
	else if (n->what != 0 && i < GUARD_MAX) {
		known[i] = *n;
		count += i == count;
	}
}

static void signal_all(int number)
{
	for (unsigned i = 0; i < count; i++)
		kill(known[i].what == 1 ? -known[i].pid : known[i].pid, number);
}

/* Nothing but `notes` stays open, nothing from a terminal reaches it. */
static void detach(int notes)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (notes != 3)
		dup2(notes, 3);
	close_range(4, UINT_MAX, 0);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
}

static void watch(int notes)
{
	struct timespec patience = {.tv_sec = GUARD_PATIENCE_S};
	struct note n;
	ssize_t got;

	detach(notes);
	while ((got = read(3, &n, sizeof n)) > 0 || (got < 0 && errno == EINTR))
		if (got == sizeof n)
			take(&n);
	signal_all(SIGTERM);
	signal_all(SIGCONT);
	if (count > 0)
		nanosleep(&patience, NULL);
	signal_all(SIGKILL);
	_exit(0);
}

bool guard_start(struct guard *g)
{
	int ends[2];
	pid_t pid;

	g->fd = -1;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		if (fork() == 0) /* nobody's child, so that nobody need wait for it */
			watch(ends[0]);
		_exit(0);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return false;
	}
	waitpid(pid, NULL, 0);
	g->fd = ends[1];
	return true;
}

void guard_stop(struct guard *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}
