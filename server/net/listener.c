#include "listener.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPT_BATCH 64 /* connections of a listener and turn */
#define BACKLOG 4096

static int refuse(int code, char *why, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(int code, char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, ADDRESS_WHY, fmt, ap);
	va_end(ap);
	return code;
}

static char *copy(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

/* ---- accepting ---- */

/* Says why before it closes: a client that is only cut would try for ever. */
static void turn_away(struct net *net, int fd, const char *text)
{
	struct buf b = BUF_INIT;
	ssize_t n;

	message_error_reply(&b, 0, ERROR_LIMIT, text);
	n = b.failed ? -1 : send(fd, b.data, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)n; /* a peer that is gone already needs no answer */
	close(fd);
	buf_close(&b);
	net->options.calls.refused(net->options.ctx, text);
}

/* There is no descriptor left: the reserve is given up for the one to refuse. */
static void turn_away_without_descriptor(struct listener *l)
{
	int fd;

	close(l->net->reserve);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		turn_away(l->net, fd, "too many connections: no descriptors left");
	l->net->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Half-open peers are found in 30 s. */
static void set_tcp(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},     {SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 15},   {IPPROTO_TCP, TCP_KEEPINTVL, 5},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},     {IPPROTO_TCP, TCP_USER_TIMEOUT, 30000},
	};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
		           sizeof options[i].value);
}

static void welcome(struct listener *l, int fd)
{
	struct net *net = l->net;
	struct ucred peer;
	socklen_t n = sizeof peer;
	char principal[32] = "tcp";

	if (net->count >= net->options.connections) {
		turn_away(net, fd, "too many connections");
		return;
	}
	if (!l->is_unix)
		set_tcp(fd);
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0)
		snprintf(principal, sizeof principal, "uid:%u", (unsigned)peer.uid);
	else
		snprintf(principal, sizeof principal, "unknown");
	if (!conn_open(net, fd, l->is_unix, bytes_of(principal)))
		net->options.calls.refused(net->options.ctx, "the loop took no more");
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	(void)status, (void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			welcome(l, fd);
		} else if (errno == EMFILE || errno == ENFILE) {
			turn_away_without_descriptor(l);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

/* ---- binding ---- */

static struct listener *add(struct net *net, int fd, bool is_unix)
{
	struct listener *l = xcalloc(1, sizeof *l), **end = &net->listeners;

	l->net = net;
	l->fd = fd;
	l->is_unix = is_unix;
	while (*end)
		end = &(*end)->next;
	*end = l;
	return l;
}

static struct sockaddr_un unix_name(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	memcpy(name.sun_path, path, strnlen(path, sizeof name.sun_path - 1));
	return name;
}

/* Whether the path is free or a dead server's: then it may be replaced. */
static int check_path(const char *path, char *why)
{
	struct sockaddr_un name = unix_name(path);
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0
		                       : refuse(ERROR_SYSTEM, why, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return refuse(ERROR_SYSTEM, why, "%s is there and is not a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refuse(ERROR_SYSTEM, why, "%s", strerror(errno));
	rc = connect(fd, (struct sockaddr *)&name, sizeof name) == 0 ? 0 : errno;
	close(fd);
	if (rc == ECONNREFUSED)
		return 0;
	if (rc == 0 || rc == EAGAIN)
		return refuse(ERROR_SYSTEM, why, "another server answers at unix:%s", path);
	return refuse(ERROR_SYSTEM, why, "%s: %s", path, strerror(rc));
}

/* Two servers that start at once on one path: its folder is locked while one
 * looks and acts. Answers what close() unlocks. */
static int lock_folder(const char *path)
{
	char *folder = copy(path);
	int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	xfree(folder);
	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

/* The path exists only when it answers: a dead server's goes now, before
 * recovery, and ours comes with listener_start(). */
static int take_unix(struct net *net, const struct address *a, char *why)
{
	struct listener *l;
	int lock = lock_folder(a->name), rc = check_path(a->name, why);

	if (rc == 0)
		unlink(a->name);
	if (lock >= 0)
		close(lock);
	if (rc)
		return rc;
	l = add(net, -1, true);
	l->shown = (struct address){ADDRESS_UNIX, 0, copy(a->name)};
	return 0;
}

static bool is_loopback(const struct sockaddr *sa)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

	if (sa->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >>
		               24 ==
		       127;
	return sa->sa_family == AF_INET6 &&
	       (IN6_IS_ADDR_LOOPBACK(six) ||
	        (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127));
}

static int bind_one(struct net *net, const struct addrinfo *ai, char *why)
{
	struct sockaddr_storage bound;
	socklen_t n = sizeof bound;
	char host[64] = "", port[8] = "0";
	struct listener *l;
	int one = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return refuse(ERROR_SYSTEM, why, "%s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &n) != 0) {
		rc = errno;
		close(fd);
		return refuse(ERROR_SYSTEM, why, "%s",
		              rc == EADDRINUSE ? "another program listens there" : strerror(rc));
	}
	getnameinfo((struct sockaddr *)&bound, n, host, sizeof host, port, sizeof port,
	            NI_NUMERICHOST | NI_NUMERICSERV);
	l = add(net, fd, false);
	l->shown = (struct address){ADDRESS_TCP, (uint16_t)atoi(port), copy(host)};
	return 0;
}

/* Every address of the host must be of loopback, so that a name cannot open a
 * door by resolving differently one day. One of them must be bindable. */
static int bind_tcp(struct net *net, const struct address *a, char *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *all;
	char port[8], reason[ADDRESS_WHY] = "";
	int rc, bound = 0;

	snprintf(port, sizeof port, "%u", a->port);
	rc = getaddrinfo(a->name, port, &hints, &all);
	if (rc)
		return refuse(ERROR_SYSTEM, why, "tcp:%s: %s", a->name, gai_strerror(rc));
	rc = 0;
	for (const struct addrinfo *ai = all; ai && !rc; ai = ai->ai_next)
		if (!is_loopback(ai->ai_addr))
			rc = refuse(
				ERROR_DENIED, why,
				"tcp:%s is not a loopback address; TCP without TLS and "
				"authentication is for this host only: use tcp:127.0.0.1, or reach "
				"this server by ssh:host",
				a->name);
	for (const struct addrinfo *ai = all; ai && !rc; ai = ai->ai_next)
		bound += bind_one(net, ai, reason) == 0;
	freeaddrinfo(all);
	if (!rc && !bound)
		rc = refuse(ERROR_SYSTEM, why, "tcp:%s:%u: %.160s", a->name, a->port, reason);
	return rc;
}

int listener_bind(struct net *net, const struct address *a, char *why)
{
	if (a->kind == ADDRESS_UNIX)
		return take_unix(net, a, why);
	if (a->kind == ADDRESS_TCP)
		return bind_tcp(net, a, why);
	return refuse(ERROR_USAGE, why, "a server listens on unix:/path or tcp:host:port");
}

/* ---- life ---- */

/* A socket of that path, mode 0600 from the first moment. */
static int make_socket(struct listener *l, const char *path, char *why)
{
	struct sockaddr_un name = unix_name(path);
	mode_t mask;
	int rc;

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return refuse(ERROR_SYSTEM, why, "%s", strerror(errno));
	unlink(path);
	mask = umask(0177);
	rc = bind(l->fd, (struct sockaddr *)&name, sizeof name) == 0 ? 0 : errno;
	umask(mask);
	if (!rc && listen(l->fd, BACKLOG) != 0)
		rc = errno;
	return rc ? refuse(ERROR_SYSTEM, why, "%s: %s", path, strerror(rc)) : 0;
}

static int take_name(struct listener *l, const char *temporary, char *why)
{
	const char *path = l->shown.name;
	struct stat st;
	int rc = check_path(path, why);

	if (!rc && (lstat(temporary, &st) != 0 || rename(temporary, path) != 0))
		rc = refuse(ERROR_SYSTEM, why, "%s: %s", path, strerror(errno));
	if (rc) {
		unlink(temporary);
		return rc;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	l->named = true;
	return 0;
}

static int start_unix(struct listener *l, char *why)
{
	char *path = copy(l->shown.name);
	struct buf temporary = BUF_INIT;
	int lock = lock_folder(path), rc;

	buf_printf(&temporary, "%s/.tilia-%ld", dirname(path), (long)getpid());
	buf_byte(&temporary, '\0');
	xfree(path);
	if (temporary.failed)
		abort();
	if (temporary.len - 1 > ADDRESS_UNIX_MAX) {
		rc = refuse(ERROR_LIMIT, why,
		            "the socket's folder has a name %zu bytes too long: %s",
		            temporary.len - 1 - ADDRESS_UNIX_MAX, l->shown.name);
	} else {
		rc = make_socket(l, (const char *)temporary.data, why);
		if (!rc)
			rc = take_name(l, (const char *)temporary.data, why);
	}
	if (lock >= 0)
		close(lock);
	buf_close(&temporary);
	return rc;
}

static int start_tcp(struct listener *l, char *why)
{
	return listen(l->fd, BACKLOG) == 0 ? 0 : refuse(ERROR_SYSTEM, why, "%s", strerror(errno));
}

int listener_start(struct listener *l, char *why)
{
	int rc = l->is_unix ? start_unix(l, why) : start_tcp(l, why);

	if (rc)
		return rc;
	rc = uv_poll_init(l->net->loop, &l->poll, l->fd);
	if (rc == 0) {
		l->poll.data = l; /* from here on the handle must be closed */
		rc = uv_poll_start(&l->poll, UV_READABLE, on_connection);
	}
	return rc ? refuse(ERROR_SYSTEM, why, "the loop: %s", uv_strerror(rc)) : 0;
}

static void destroy(struct listener *l)
{
	address_close(&l->shown);
	xfree(l);
}

static void on_closed(uv_handle_t *h)
{
	destroy(h->data);
}

void listener_stop(struct listener *l)
{
	struct stat st;

	/* Somebody may have put another socket there. */
	if (l->named && lstat(l->shown.name, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->shown.name);
	if (l->poll.data)
		uv_close((uv_handle_t *)&l->poll, on_closed);
	if (l->fd >= 0)
		close(l->fd);
	if (!l->poll.data)
		destroy(l);
}
