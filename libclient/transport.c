#include "transport.h"

#include "base/xmalloc.h"
#include "error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 64
#define KEEPALIVE_IDLE_S 15
#define KEEPALIVE_EVERY_S 5
#define KEEPALIVE_COUNT 3
#define DEAD_PEER_MS 30000

extern char **environ;

int transport_init(struct transport *t, const char *addresses)
{
	*t = (struct transport){.fd = -1};
	if (addresses == NULL)
		return address_list_default(&t->list, t->why);
	return address_list_parse(bytes_of(addresses), &t->list, t->why);
}

/* --- programs -------------------------------------------------------------- */

/* Its end of the pair is closed: a relay ends by itself. Whatever does not is
 * told to, so that no zombie and no stray stays behind. */
static void end_program(struct transport *t)
{
	for (int i = 0; t->pid != 0; i++) {
		if (waitpid(t->pid, NULL, WNOHANG) != 0) {
			t->pid = 0;
			return;
		}
		if (i == 20)
			kill(t->pid, SIGTERM);
		if (i == 60)
			kill(t->pid, SIGKILL);
		poll(NULL, 0, 5);
	}
}

static int fail(struct transport *t, int error)
{
	struct buf name = BUF_INIT;

	address_print(&name, t->current);
	snprintf(t->why, sizeof(t->why), "%.*s: %s", name.len < 160 ? (int)name.len : 160,
	         name.len == 0 ? "" : (const char *)name.data, strerror(error));
	buf_close(&name);
	return error == ENOMEM ? ERROR_NOMEM : ERROR_CONNECT;
}

/* Starts it with its end of the pair, deaf to Ctrl-C: that is for the program whose way to
 * the server this is, and which has a cancel to send then. 0 or an errno. */
static int start(pid_t *pid, int end, char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t blocked;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (error != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return error;
	}
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGQUIT);
	posix_spawnattr_setsigmask(&attributes, &blocked);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_adddup2(&actions, end, 0);
	posix_spawn_file_actions_adddup2(&actions, end, 1);
	error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int spawn(struct transport *t, char *const *argv)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(t, errno);
	error = start(&t->pid, pair[1], argv);
	close(pair[1]);
	if (error != 0) {
		close(pair[0]);
		t->pid = 0;
		return fail(t, error);
	}
	t->fd = pair[0];
	return 0;
}

/* No shell: words are what stands between blanks. */
static int spawn_words(struct transport *t, const char *command)
{
	char *copy = xtry_malloc(strlen(command) + 1), *save = NULL;
	char *argv[ARGS_MAX + 1];
	unsigned n = 0;
	int code;

	if (copy == NULL)
		return fail(t, ENOMEM);
	strcpy(copy, command);
	for (char *w = strtok_r(copy, " \t", &save); w != NULL; w = strtok_r(NULL, " \t", &save)) {
		if (n == ARGS_MAX)
			break;
		argv[n++] = w;
	}
	argv[n] = NULL;
	code = n == 0 || n == ARGS_MAX ? fail(t, EINVAL) : spawn(t, argv);
	xfree(copy);
	return code;
}

static int spawn_ssh(struct transport *t, char *host)
{
	char ssh[] = "ssh", quiet[] = "-T", end[] = "--", tilia[] = "tilia", relay[] = "relay";
	char *argv[] = {ssh, quiet, end, host, tilia, relay, NULL};

	return spawn(t, argv);
}

/* --- sockets --------------------------------------------------------------- */

static int dial(struct transport *t, const struct sockaddr *sa, socklen_t size)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return fail(t, errno);
	if (connect(fd, sa, size) == 0 || errno == EINPROGRESS) {
		t->fd = fd;
		t->connecting = true;
		return 0;
	}
	error = errno;
	t->busy = error == EAGAIN; /* a Unix socket's queue is full */
	close(fd);
	return fail(t, error);
}

static int dial_unix(struct transport *t, const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(sa.sun_path))
		return fail(t, ENAMETOOLONG);
	strcpy(sa.sun_path, path);
	return dial(t, (const struct sockaddr *)&sa, sizeof(sa));
}

static int look_up(struct transport *t, const struct address *a)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	                         .ai_flags = AI_NUMERICSERV};
	char port[8];
	int code;

	snprintf(port, sizeof(port), "%u", (unsigned)a->port);
	code = getaddrinfo(a->name, port, &hints, &t->hosts);
	if (code != 0) {
		t->hosts = NULL;
		snprintf(t->why, sizeof(t->why), "%.120s: %s", a->name, gai_strerror(code));
		return ERROR_CONNECT;
	}
	t->host = t->hosts;
	return 0;
}

static void forget_hosts(struct transport *t)
{
	if (t->hosts != NULL)
		freeaddrinfo(t->hosts);
	t->hosts = t->host = NULL;
}

/* The next of a name's addresses; the list goes on after the last. */
static int dial_tcp(struct transport *t, const struct address *a)
{
	struct addrinfo *host;
	int code;

	if (t->hosts == NULL && (code = look_up(t, a)) != 0) {
		t->at++;
		return code;
	}
	host = t->host;
	code = dial(t, host->ai_addr, host->ai_addrlen);
	t->host = host->ai_next;
	if (t->host == NULL) {
		forget_hosts(t);
		t->at++;
	}
	return code;
}

int transport_connect(struct transport *t)
{
	const struct address *a;

	if (t->at >= t->list.count)
		t->at = 0;
	t->busy = false;
	a = t->current = &t->list.at[t->at];
	if (a->kind == ADDRESS_TCP)
		return dial_tcp(t, a);
	t->at++;
	if (a->kind == ADDRESS_UNIX)
		return dial_unix(t, a->name);
	return a->kind == ADDRESS_SSH ? spawn_ssh(t, a->name) : spawn_words(t, a->name);
}

bool transport_is_round(const struct transport *t)
{
	return t->at >= t->list.count;
}

/* Half-open peers are found in 30 s. Not vital: a failure here is none. */
static void tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_PEER_MS},
	};
	int domain = 0;
	socklen_t size = sizeof(domain);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
	for (size_t i = 0; domain != AF_UNIX && i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

int transport_finish(struct transport *t)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error != 0) {
		transport_hang_up(t);
		return fail(t, error);
	}
	t->connecting = false;
	tune(t->fd);
	return 0;
}

void transport_rewind(struct transport *t)
{
	forget_hosts(t);
	t->at = 0;
}

/* --- bytes ----------------------------------------------------------------- */

static ssize_t moved(struct transport *t, ssize_t n)
{
	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	if (n < 0)
		snprintf(t->why, sizeof(t->why), "the connection broke: %s", strerror(errno));
	else
		snprintf(t->why, sizeof(t->why), "the server closed the connection");
	return ERROR_CLOSED;
}

ssize_t transport_read(struct transport *t, void *p, size_t n)
{
	return moved(t, recv(t->fd, p, n, MSG_DONTWAIT));
}

ssize_t transport_write(struct transport *t, const void *p, size_t n)
{
	return moved(t, send(t->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL));
}

void transport_hang_up(struct transport *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	t->connecting = false;
	end_program(t);
}

void transport_close(struct transport *t, bool alone)
{
	if (alone)
		t->pid = 0;
	transport_hang_up(t);
	forget_hosts(t);
	address_list_close(&t->list);
}
