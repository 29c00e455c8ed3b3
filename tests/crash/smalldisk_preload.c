/* LD_PRELOAD: a small disk that needs no root. The files of the folder $SMALLDISK (no folders
 * in it) may take as many bytes together as the file $SMALLDISK.size says, in decimal; it may be
 * rewritten at any time. What would take more fails with ENOSPC, as on a disk that is full. While
 * there is a file $SMALLDISK.broken, syncs fail likewise. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define BLOCK 4096

static int is_ours(int fd)
{
	const char *folder = getenv("SMALLDISK");
	size_t n = folder ? strlen(folder) : 0;
	char link[40], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = n ? readlink(link, path, sizeof(path)) : -1;
	return len > (ssize_t)n && memcmp(path, folder, n) == 0 && path[n] == '/';
}

static long long size_of_disk(void)
{
	char name[4096], text[32] = "";
	int fd;

	snprintf(name, sizeof(name), "%s.size", getenv("SMALLDISK"));
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		abort();
	close(fd);
	return atoll(text);
}

static long long used(void)
{
	DIR *d = opendir(getenv("SMALLDISK"));
	struct dirent *e;
	struct stat st;
	long long sum = 0;

	while (d && (e = readdir(d)) != NULL)
		if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			sum += (long long)st.st_blocks * 512;
	if (d)
		closedir(d);
	return sum;
}

static long long room(void)
{
	long long left = size_of_disk() - used();

	return left > 0 ? left : 0;
}

/* Whether the file may reach to `end`; what lies before its present end has its blocks. */
static int fits(int fd, long long end)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || end <= (st.st_size + BLOCK - 1) / BLOCK * BLOCK)
		return 1;
	return end - st.st_size <= room();
}

static ssize_t write_at(int fd, const void *p, size_t n, off_t at)
{
	if (is_ours(fd) && !fits(fd, (long long)at + (long long)n)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
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
	char name[4096];

	snprintf(name, sizeof(name), "%s.broken", getenv("SMALLDISK"));
	if (is_ours(fd) && access(name, F_OK) == 0) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(call, fd);
}

EXPORT int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

EXPORT int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}

static int allocate(int fd, off_t at, off_t n)
{
	if (is_ours(fd) && !fits(fd, (long long)at + n))
		return ENOSPC;
	return syscall(SYS_fallocate, fd, 0, at, n) == 0 ? 0 : errno;
}

EXPORT int posix_fallocate(int fd, off_t at, off_t n)
{
	return allocate(fd, at, n);
}

EXPORT int posix_fallocate64(int fd, off64_t at, off64_t n)
{
	return allocate(fd, at, n);
}

static void tell(int fd, unsigned long *size, unsigned long *free_blocks, unsigned long *avail)
{
	if (!is_ours(fd))
		return;
	*size = BLOCK;
	*free_blocks = *avail = (unsigned long)(room() / BLOCK);
}

EXPORT int fstatvfs(int fd, struct statvfs *st)
{
	int (*real)(int, struct statvfs *) =
		(int (*)(int, struct statvfs *))dlsym(RTLD_NEXT, "fstatvfs");
	int code = real(fd, st);

	tell(fd, &st->f_frsize, &st->f_bfree, &st->f_bavail);
	return code;
}

EXPORT int fstatvfs64(int fd, struct statvfs64 *st)
{
	int (*real)(int, struct statvfs64 *) =
		(int (*)(int, struct statvfs64 *))dlsym(RTLD_NEXT, "fstatvfs64");
	int code = real(fd, st);

	tell(fd, &st->f_frsize, &st->f_bfree, &st->f_bavail);
	return code;
}
