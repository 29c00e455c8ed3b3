/* LD_PRELOAD: writes down, into the file $ORDER_LOG, in which order a program's bytes leave it and
 * its files are synced. A record is a letter, a descriptor (int32), a length (uint32) and bytes:
 *
 *	W	was written to a file whose name ends in -wal
 *	b, e	a sync of such a file begins; has ended without an error
 *	R	is about to be written to a socket
 *
 * So a sync covers the W before its b, and an R behind its e came later for certain. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;

static void all(const void *p, size_t n)
{
	while (n > 0) {
		long done = syscall(SYS_write, log_fd, p, n);

		if (done <= 0)
			abort();
		p = (const char *)p + done;
		n -= (size_t)done;
	}
}

static void record(char kind, int fd, const struct iovec *v, int count)
{
	char head[9] = {kind};
	int32_t number = fd;
	uint32_t n = 0;

	for (int i = 0; i < count; i++)
		n += (uint32_t)v[i].iov_len;
	memcpy(head + 1, &number, 4);
	memcpy(head + 5, &n, 4);
	pthread_mutex_lock(&mutex);
	if (log_fd < 0)
		log_fd = open(getenv("ORDER_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	all(head, sizeof(head));
	for (int i = 0; i < count; i++)
		all(v[i].iov_base, v[i].iov_len);
	pthread_mutex_unlock(&mutex);
}

static int is_wal(int fd)
{
	char link[40], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n > 4 && memcmp(path + n - 4, "-wal", 4) == 0;
}

static int is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void leaves(int fd, const struct iovec *v, int count)
{
	if (is_socket(fd))
		record('R', fd, v, count);
}

/* The whole of it is written down; what the kernel does not take comes again, and is cut off by
 * whoever reads the log: `taken` tells how much. */
static ssize_t left(int fd, ssize_t taken)
{
	char text[24];
	struct iovec v = {text, 0};

	if (is_socket(fd)) {
		v.iov_len = (size_t)snprintf(text, sizeof(text), "%zd", taken);
		record('n', fd, &v, 1);
	}
	return taken;
}

EXPORT ssize_t write(int fd, const void *p, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)p, n};

	leaves(fd, &v, 1);
	return left(fd, syscall(SYS_write, fd, p, n));
}

EXPORT ssize_t writev(int fd, const struct iovec *v, int count)
{
	leaves(fd, v, count);
	return left(fd, syscall(SYS_writev, fd, v, count));
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	leaves(fd, m->msg_iov, (int)m->msg_iovlen);
	return left(fd, syscall(SYS_sendmsg, fd, m, flags));
}

EXPORT ssize_t send(int fd, const void *p, size_t n, int flags)
{
	struct iovec v = {(void *)(uintptr_t)p, n};

	leaves(fd, &v, 1);
	return left(fd, syscall(SYS_sendto, fd, p, n, flags, NULL, 0));
}

static ssize_t write_at(int fd, const void *p, size_t n, off_t at)
{
	ssize_t done = syscall(SYS_pwrite64, fd, p, n, at);
	struct iovec v = {(void *)(uintptr_t)p, done > 0 ? (size_t)done : 0};

	if (done > 0 && is_wal(fd))
		record('W', fd, &v, 1);
	return done;
}

EXPORT ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return write_at(fd, p, n, at);
}

EXPORT ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return write_at(fd, p, n, at);
}

static int sync_file(long call, int fd)
{
	int wal = is_wal(fd), code;

	if (wal)
		record('b', fd, NULL, 0);
	code = (int)syscall(call, fd);
	if (wal && code == 0)
		record('e', fd, NULL, 0);
	return code;
}

EXPORT int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

EXPORT int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}
