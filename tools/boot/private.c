#include "private.h"

#include "../../libclient/address.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/* The folder of the user's own socket, made when it is missing, and a name of
 * this process's own in it. */
static int socket_path(char *path, size_t size, char *why)
{
	struct address a;
	char *slash;
	bool shared;
	struct stat st;

	if (address_default(&a, &shared, why) != 0)
		return ERROR_SYSTEM;
	slash = strrchr(a.name, '/');
	*slash = '\0';
	if (shared && mkdir(a.name, 0700) != 0 && errno != EEXIST)
		snprintf(why, PRIVATE_WHY, "cannot make %s: %s", a.name, strerror(errno));
	else if (lstat(a.name, &st) != 0 || !S_ISDIR(st.st_mode))
		snprintf(why, PRIVATE_WHY, "%s is not a folder", a.name);
	else if (shared && st.st_uid != getuid())
		snprintf(why, PRIVATE_WHY, "%s belongs to somebody else", a.name);
	else if ((size_t)snprintf(path, size, "%s/run-%d.sock", a.name,
	                          (int)getpid()) > ADDRESS_UNIX_MAX)
		snprintf(why, PRIVATE_WHY, "%s is too long a name", a.name);
	else {
		address_close(&a);
		return 0;
	}
	address_close(&a);
	return ERROR_SYSTEM;
}

/* In the child. */
static void serve(pid_t parent, const char *listen, int log)
{
	char beside[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", beside, sizeof beside - 8);
	int null = open("/dev/null", O_RDWR);
	char *slash;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0);
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	if (n > 0) {
		beside[n] = '\0';
		slash = strrchr(beside, '/');
		strcpy(slash + 1, "tiliad");
		execl(beside, "tiliad", "--volatile", "--listen", listen, (char *)NULL);
	}
	execlp("tiliad", "tiliad", "--volatile", "--listen", listen, (char *)NULL);
	dprintf(2, "tiliad is neither beside this program nor in $PATH");
	_exit(127);
}

static bool answers(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	snprintf(to.sun_path, sizeof to.sun_path, "%.*s", ADDRESS_UNIX_MAX, path);
	yes = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
	if (fd >= 0)
		close(fd);
	return yes;
}

/* The last line of what it logged. */
static void last_line(int log, char *out, size_t size)
{
	off_t end = lseek(log, 0, SEEK_END), from = end > (off_t)size - 1
	        ? end - (off_t)size + 1 : 0;
	ssize_t n = pread(log, out, size - 1, from);
	char *line;

	if (n < 0)
		n = 0;
	while (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	line = strrchr(out, '\n');
	if (line != NULL)
		memmove(out, line + 1, strlen(line));
}

/* Until it answers, has ended, or patience has. */
static int wait_for(struct private_server *s, const char *path, int log, char *why)
{
	char said[512];

	for (int ms = 0; ms < PATIENCE_MS; ms += 2) {
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
			s->pid = 0;
			last_line(log, said, sizeof said);
			snprintf(why, PRIVATE_WHY, "a server of its own did not start: %s", said);
			return ERROR_SYSTEM;
		}
		if (answers(path))
			return 0;
		pause_ms(2);
	}
	snprintf(why, PRIVATE_WHY, "a server of its own did not answer in %d s",
	         PATIENCE_MS / 1000);
	return ERROR_CONNECT;
}

int private_start(struct private_server *s, char *why)
{
	char path[PATH_MAX], listen[PATH_MAX + 8];
	pid_t parent = getpid();
	int log, e;

	memset(s, 0, sizeof *s);
	e = socket_path(path, sizeof path, why);
	if (e != 0)
		return e;
	snprintf(listen, sizeof listen, "unix:%s", path);
	log = memfd_create("log", MFD_CLOEXEC);
	s->pid = fork();
	if (s->pid == 0)
		serve(parent, listen, log);
	if (s->pid < 0) {
		s->pid = 0;
		snprintf(why, PRIVATE_WHY, "cannot start a process: %s", strerror(errno));
		e = ERROR_SYSTEM;
	} else
		e = wait_for(s, path, log, why);
	close(log);
	if (e != 0) {
		private_stop(s);
		return e;
	}
	s->address = xmalloc(strlen(listen) + 1);
	strcpy(s->address, listen);
	return 0;
}

void private_stop(struct private_server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		for (int ms = 0; ms < 2000 && waitpid(s->pid, NULL, WNOHANG) == 0; ms += 5) {
			if (ms == 1000)
				kill(s->pid, SIGKILL);
			pause_ms(5);
		}
		s->pid = 0;
	}
	if (s->address != NULL) {
		unlink(s->address + 5);
		xfree(s->address);
		s->address = NULL;
	}
}
