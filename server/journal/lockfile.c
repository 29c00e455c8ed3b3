#include "lockfile.h"

#include "../../libclient/error.h"
#include "sum.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define NAME_SIZE 4096
#define HEAD_SIZE 46 /* the line up to and with the blank before SUM */

static int line_parse(struct lockfile *l, const char *line, ssize_t n)
{
	static const char zero[LOCKFILE_SIZE];
	struct bytes head = {(const uint8_t *)line, HEAD_SIZE};
	uint64_t sum;

	if (n == 0 || (n <= LOCKFILE_SIZE && memcmp(line, zero, (size_t)n) == 0))
		return 0;
	if (n != LOCKFILE_SIZE || line[LOCKFILE_SIZE - 1] != '\n' ||
	    sscanf(line, "tilia 1 %16" SCNx64 " %20" SCNu64 " %16" SCNx64, &l->store, &l->batch,
	           &sum) != 3 ||
	    sum != sum_bytes(0, head))
		return ERROR_DAMAGED;
	l->known = true;
	return 0;
}

static int name_of(char *name, size_t size, const char *path, char *why, size_t cap)
{
	if (snprintf(name, size, "%s" LOCKFILE_SUFFIX, path) < (int)size)
		return 0;
	snprintf(why, cap, "the path of the store is too long");
	return ERROR_STORE;
}

int lockfile_take(struct lockfile *l, const char *path, char *why, size_t cap)
{
	char name[NAME_SIZE];

	*l = (struct lockfile){.fd = -1};
	if (name_of(name, sizeof name, path, why, cap) != 0)
		return ERROR_STORE;
	l->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->fd < 0) {
		snprintf(why, cap, "cannot open %s: %s", name, strerror(errno));
		return ERROR_STORE;
	}
	if (flock(l->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			snprintf(why, cap, "%s is in use by another tiliad", path);
		else
			snprintf(why, cap, "cannot lock %s: %s", name, strerror(errno));
		lockfile_close(l);
		return ERROR_STORE;
	}
	return 0;
}

/* The server may be writing the line this very moment: a torn one is read again. */
static int line_read(struct lockfile *l, int fd, const char *path, char *why, size_t cap)
{
	ssize_t n = 0;

	for (int tries = 0; tries < 3; tries++) {
		char line[LOCKFILE_SIZE + 2] = "";

		n = pread(fd, line, LOCKFILE_SIZE + 1, 0);
		if (n >= 0 && line_parse(l, line, n) == 0)
			return 0;
	}
	snprintf(why, cap, "%s" LOCKFILE_SUFFIX " is damaged%s%s", path, n < 0 ? ": " : "",
	         n < 0 ? strerror(errno) : "");
	return ERROR_DAMAGED;
}

int lockfile_open(struct lockfile *l, const char *path, char *why, size_t cap)
{
	int code = lockfile_take(l, path, why, cap);

	if (code)
		return code;
	code = line_read(l, l->fd, path, why, cap);
	if (code)
		lockfile_close(l);
	return code;
}

int lockfile_read(struct lockfile *l, const char *path, char *why, size_t cap)
{
	char name[NAME_SIZE];
	int fd, code;

	*l = (struct lockfile){.fd = -1};
	if (name_of(name, sizeof name, path, why, cap) != 0)
		return ERROR_STORE;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		snprintf(why, cap, "cannot open %s: %s", name, strerror(errno));
		return ERROR_STORE;
	}
	code = line_read(l, fd, path, why, cap);
	close(fd);
	return code;
}

int lockfile_write(struct lockfile *l, uint64_t store, uint64_t batch)
{
	char line[LOCKFILE_SIZE + 1];
	struct bytes head = {(const uint8_t *)line, HEAD_SIZE};
	ssize_t n;

	snprintf(line, sizeof line, "tilia 1 %016" PRIx64 " %020" PRIu64 " ", store, batch);
	snprintf(line + HEAD_SIZE, sizeof line - HEAD_SIZE, "%016" PRIx64 "\n",
	         sum_bytes(0, head));
	n = pwrite(l->fd, line, LOCKFILE_SIZE, 0);
	if (n != LOCKFILE_SIZE)
		return n < 0 ? errno : ENOSPC;
	l->known = true;
	l->store = store;
	l->batch = batch;
	return 0;
}

void lockfile_close(struct lockfile *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
