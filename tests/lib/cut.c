#include "cut.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Of one thread each: what others do is not counted. */
static _Thread_local struct {
	unsigned long calls, n;
	enum cut_how how;
} armed[CUT_CALLS];

unsigned long cut_at(enum cut_calls which, unsigned long n, enum cut_how how)
{
	unsigned long made = armed[which].calls;

	armed[which].calls = 0;
	armed[which].n = n;
	armed[which].how = how;
	return made;
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* How many bytes of *size this call may move: -1 and errno if none. */
static ssize_t allowed(enum cut_calls which, int fd, size_t size)
{
	if ((which == CUT_WRITE || which == CUT_READ) && !is_socket(fd))
		return (ssize_t)size;
	if (++armed[which].calls != armed[which].n || size == 0)
		return (ssize_t)size;
	switch (armed[which].how) {
	case CUT_SHORT:
		return 1;
	case CUT_AGAIN:
		errno = EAGAIN;
		return -1;
	case CUT_INTERRUPTED:
		errno = EINTR;
		return -1;
	case CUT_HALF:
		return (ssize_t)(size / 2 + 1);
	default:
		shutdown(fd, SHUT_RDWR);
		errno = which == CUT_SEND || which == CUT_WRITE ? EPIPE : ECONNRESET;
		return -1;
	}
}

/* Half was moved. */
static ssize_t moved(enum cut_calls which, int fd, ssize_t n)
{
	if (armed[which].calls == armed[which].n && armed[which].how == CUT_HALF && n > 0)
		shutdown(fd, SHUT_RDWR);
	return n;
}

/* Seen by shared libraries too. */
#define EXPORT __attribute__((visibility("default")))

/* The function of that name that would have been called. */
#define REAL(result, name, ...)                                                                    \
	static result (*real)(__VA_ARGS__);                                                        \
                                                                                                   \
	if (real == NULL)                                                                          \
		*(void **)&real = dlsym(RTLD_NEXT, name)

EXPORT ssize_t send(int fd, const void *p, size_t size, int flags)
{
	ssize_t n = allowed(CUT_SEND, fd, size);
	REAL(ssize_t, "send", int, const void *, size_t, int);

	return n < 0 ? n : moved(CUT_SEND, fd, real(fd, p, (size_t)n, flags));
}

EXPORT ssize_t recv(int fd, void *p, size_t size, int flags)
{
	ssize_t n = allowed(CUT_RECV, fd, size);
	REAL(ssize_t, "recv", int, void *, size_t, int);

	return n < 0 ? n : moved(CUT_RECV, fd, real(fd, p, (size_t)n, flags));
}

EXPORT ssize_t write(int fd, const void *p, size_t size)
{
	ssize_t n = allowed(CUT_WRITE, fd, size);
	REAL(ssize_t, "write", int, const void *, size_t);

	return n < 0 ? n : moved(CUT_WRITE, fd, real(fd, p, (size_t)n));
}

EXPORT ssize_t read(int fd, void *p, size_t size)
{
	ssize_t n = allowed(CUT_READ, fd, size);
	REAL(ssize_t, "read", int, void *, size_t);

	return n < 0 ? n : moved(CUT_READ, fd, real(fd, p, (size_t)n));
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	size_t size = 0;
	ssize_t n;
	REAL(ssize_t, "writev", int, const struct iovec *, int);

	for (int i = 0; i < count; i++)
		size += iov[i].iov_len;
	n = allowed(CUT_WRITE, fd, size);
	if (n < 0 || (size_t)n == size)
		return n < 0 ? n : real(fd, iov, count);
	if ((size_t)n > iov[0].iov_len)
		n = (ssize_t)iov[0].iov_len;
	return moved(CUT_WRITE, fd, write(fd, iov[0].iov_base, (size_t)n));
}
