#include "crashvfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512

/* A write (data) or a truncation (data is NULL) that is not synced. */
struct pending {
	sqlite3_int64 at; /* of a truncation: the size */
	int n;
	unsigned char *data;
};

struct disk {
	char *path;
	struct pending *list;
	size_t count, cap;
	sqlite3_int64 size; /* with what is pending */
	struct disk *next;
};

struct handle {
	sqlite3_file base;
	struct disk *disk; /* NULL: a temporary file */
	sqlite3_file *real;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct disk *disks;
static sqlite3_vfs *under, vfs;
static uint64_t calls, stop_at, writes, syncs, fail_sync;
static bool stopped, failed;
static uint64_t fail_at;
static enum crashvfs_fault fault;

static struct handle *handle_of(sqlite3_file *f)
{
	return (struct handle *)(void *)f;
}

/* Counts one call that changes the disk; true when it must not return. */
static bool stops(void)
{
	if (!stopped && stop_at && ++calls >= stop_at)
		stopped = true;
	return stopped;
}

enum call {
	CALL_READ,
	CALL_WRITE,
	CALL_OTHER,
};

/* Counts one call that may be meant to fail; true when it is. */
static bool fails(enum call call)
{
	if (fail_at == 0 || (fault == CRASHVFS_SHORT && call != CALL_READ) ||
	    (fault == CRASHVFS_ENOSPC && call != CALL_WRITE) || --fail_at > 0)
		return false;
	failed = true;
	errno = fault == CRASHVFS_ENOSPC ? ENOSPC : EIO;
	return true;
}

static bool fails_alone(enum call call)
{
	bool answer;

	pthread_mutex_lock(&mutex);
	answer = fails(call);
	pthread_mutex_unlock(&mutex);
	return answer;
}

static void pend(struct disk *d, sqlite3_int64 at, const void *data, int n)
{
	struct pending *p;

	if (d->count == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->list = realloc(d->list, d->cap * sizeof *d->list);
		if (!d->list)
			abort();
	}
	p = &d->list[d->count++];
	*p = (struct pending){at, n, NULL};
	if (!data) {
		d->size = at;
		return;
	}
	p->data = malloc((size_t)n);
	if (!p->data)
		abort();
	memcpy(p->data, data, (size_t)n);
	if (d->size < at + n)
		d->size = at + n;
}

static void disk_clear(struct disk *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->list[i].data);
	d->count = 0;
}

static struct disk *disk_of(const char *path, sqlite3_file *real)
{
	struct disk *d = disks;

	while (d && strcmp(d->path, path) != 0)
		d = d->next;
	if (d)
		return d;
	d = calloc(1, sizeof *d);
	if (!d || !(d->path = strdup(path)))
		abort();
	real->pMethods->xFileSize(real, &d->size);
	d->next = disks;
	disks = d;
	return d;
}

static int file_close(sqlite3_file *f)
{
	struct handle *h = handle_of(f);

	return h->real->pMethods->xClose(h->real);
}

/* Lays a pending change over what was read from the real file. */
static void overlay(const struct pending *p, unsigned char *buf, int n, sqlite3_int64 at)
{
	sqlite3_int64 from = p->at > at ? p->at : at;
	sqlite3_int64 to = p->data && p->at + p->n < at + n ? p->at + p->n : at + n;

	if (from >= to)
		return;
	if (p->data)
		memcpy(buf + (from - at), p->data + (from - p->at), (size_t)(to - from));
	else
		memset(buf + (from - at), 0, (size_t)(to - from));
}

static int file_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	struct handle *h = handle_of(f);
	int rc;

	pthread_mutex_lock(&mutex);
	rc = h->real->pMethods->xRead(h->real, buf, n, at);
	if (h->disk && (rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ)) {
		for (size_t i = 0; i < h->disk->count; i++)
			overlay(&h->disk->list[i], buf, n, at);
		rc = at + n > h->disk->size ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
	}
	if (fails(CALL_READ)) {
		memset((unsigned char *)buf + n / 2, 0, (size_t)(n - n / 2));
		rc = fault == CRASHVFS_SHORT ? SQLITE_IOERR_SHORT_READ : SQLITE_IOERR_READ;
	}
	if (stopped)
		rc = SQLITE_IOERR_READ;
	pthread_mutex_unlock(&mutex);
	return rc;
}

static int file_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
	struct handle *h = handle_of(f);
	int rc = SQLITE_OK;
	bool was;

	if (!h->disk)
		return h->real->pMethods->xWrite(h->real, data, n, at);
	pthread_mutex_lock(&mutex);
	was = stopped;
	writes++;
	if (stops())
		rc = SQLITE_IOERR_WRITE;
	else if (fails(CALL_WRITE))
		rc = fault == CRASHVFS_ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	if (!was && (stopped || rc == SQLITE_OK))
		pend(h->disk, at, data, n);
	pthread_mutex_unlock(&mutex);
	return rc;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct handle *h = handle_of(f);
	int rc = SQLITE_OK;
	bool was;

	if (!h->disk)
		return h->real->pMethods->xTruncate(h->real, size);
	pthread_mutex_lock(&mutex);
	was = stopped;
	if (stops())
		rc = SQLITE_IOERR_TRUNCATE;
	else if (fails(CALL_OTHER))
		rc = SQLITE_IOERR_TRUNCATE;
	if (!was && (stopped || rc == SQLITE_OK))
		pend(h->disk, size, NULL, 0);
	pthread_mutex_unlock(&mutex);
	return rc;
}

/* What was pending becomes the real file's. */
static int flush(struct handle *h)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; rc == SQLITE_OK && i < h->disk->count; i++) {
		const struct pending *p = &h->disk->list[i];

		rc = p->data ? h->real->pMethods->xWrite(h->real, p->data, p->n, p->at)
		             : h->real->pMethods->xTruncate(h->real, p->at);
	}
	disk_clear(h->disk);
	return rc;
}

static int file_sync(sqlite3_file *f, int flags)
{
	struct handle *h = handle_of(f);
	int rc;

	(void)flags;
	if (!h->disk)
		return SQLITE_OK;
	pthread_mutex_lock(&mutex);
	syncs++;
	if (stops() || fails(CALL_OTHER) || (fail_sync && --fail_sync == 0))
		rc = SQLITE_IOERR_FSYNC;
	else
		rc = flush(h);
	pthread_mutex_unlock(&mutex);
	return rc;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct handle *h = handle_of(f);

	if (!h->disk)
		return h->real->pMethods->xFileSize(h->real, size);
	if (fails_alone(CALL_OTHER))
		return SQLITE_IOERR_FSTAT;
	pthread_mutex_lock(&mutex);
	*size = h->disk->size;
	pthread_mutex_unlock(&mutex);
	return SQLITE_OK;
}

static int file_lock(sqlite3_file *f, int level)
{
	struct handle *h = handle_of(f);

	if (fails_alone(CALL_OTHER))
		return SQLITE_IOERR_LOCK;
	return h->real->pMethods->xLock(h->real, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
	struct handle *h = handle_of(f);

	return h->real->pMethods->xUnlock(h->real, level);
}

static int file_reserved(sqlite3_file *f, int *out)
{
	struct handle *h = handle_of(f);

	return h->real->pMethods->xCheckReservedLock(h->real, out);
}

/* A hint of the size to come would extend the real file behind our back. */
static int file_control(sqlite3_file *f, int op, void *arg)
{
	struct handle *h = handle_of(f);

	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_NOTFOUND;
	return h->real->pMethods->xFileControl(h->real, op, arg);
}

static int file_sector(sqlite3_file *f)
{
	(void)f;
	return SECTOR;
}

/* As the default VFS: a torn write harms no byte outside it. */
static int file_device(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
	struct handle *h = handle_of(f);

	if (fails_alone(CALL_OTHER))
		return SQLITE_IOERR_SHMMAP;
	return h->real->pMethods->xShmMap(h->real, page, size, extend, p);
}

static int file_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	struct handle *h = handle_of(f);

	return h->real->pMethods->xShmLock(h->real, at, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
	struct handle *h = handle_of(f);

	h->real->pMethods->xShmBarrier(h->real);
}

static int file_shm_unmap(sqlite3_file *f, int del)
{
	struct handle *h = handle_of(f);

	return h->real->pMethods->xShmUnmap(h->real, del);
}

/* Version 2: no memory maps, which would bypass us. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_device,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct handle *h = handle_of(f);
	int rc;

	(void)v;
	memset(h, 0, sizeof *h);
	if (crashvfs_stopped() || fails_alone(CALL_OTHER))
		return SQLITE_CANTOPEN;
	h->real = (sqlite3_file *)(void *)(h + 1);
	rc = under->xOpen(under, name, h->real, flags, out);
	if (rc != SQLITE_OK)
		return rc;
	if (name && !(flags & SQLITE_OPEN_DELETEONCLOSE)) {
		pthread_mutex_lock(&mutex);
		h->disk = disk_of(name, h->real);
		pthread_mutex_unlock(&mutex);
	}
	f->pMethods = &methods;
	return SQLITE_OK;
}

/* A deletion is taken to be on disk at once. */
static int vfs_delete(sqlite3_vfs *v, const char *name, int dir)
{
	(void)v;
	if (crashvfs_stopped() || fails_alone(CALL_OTHER))
		return SQLITE_IOERR_DELETE;
	pthread_mutex_lock(&mutex);
	for (struct disk *d = disks; d; d = d->next)
		if (strcmp(d->path, name) == 0) {
			disk_clear(d);
			d->size = 0;
		}
	pthread_mutex_unlock(&mutex);
	return under->xDelete(under, name, dir);
}

void crashvfs_register(void)
{
	if (under)
		return;
	sqlite3_initialize();
	under = sqlite3_vfs_find(NULL);
	vfs = *under;
	vfs.zName = CRASHVFS_NAME;
	vfs.pNext = NULL;
	vfs.szOsFile = (int)sizeof(struct handle) + under->szOsFile;
	vfs.xOpen = vfs_open;
	vfs.xDelete = vfs_delete;
	sqlite3_vfs_register(&vfs, 0);
}

#ifdef CRASHVFS_PRELOAD
__attribute__((constructor)) static void preload(void)
{
	crashvfs_register();
	sqlite3_vfs_register(&vfs, 1);
}
#endif

void crashvfs_stop_at(uint64_t n)
{
	pthread_mutex_lock(&mutex);
	calls = 0;
	stop_at = n;
	pthread_mutex_unlock(&mutex);
}

bool crashvfs_stopped(void)
{
	bool answer;

	pthread_mutex_lock(&mutex);
	answer = stopped;
	pthread_mutex_unlock(&mutex);
	return answer;
}

void crashvfs_fail_sync(uint64_t n)
{
	pthread_mutex_lock(&mutex);
	fail_sync = n;
	pthread_mutex_unlock(&mutex);
}

void crashvfs_fail_at(uint64_t n, enum crashvfs_fault how)
{
	pthread_mutex_lock(&mutex);
	fail_at = n;
	fault = how;
	failed = false;
	pthread_mutex_unlock(&mutex);
}

bool crashvfs_failed(void)
{
	bool answer;

	pthread_mutex_lock(&mutex);
	answer = failed;
	pthread_mutex_unlock(&mutex);
	return answer;
}

uint64_t crashvfs_writes(void)
{
	uint64_t answer;

	pthread_mutex_lock(&mutex);
	answer = writes;
	pthread_mutex_unlock(&mutex);
	return answer;
}

uint64_t crashvfs_syncs(void)
{
	uint64_t answer;

	pthread_mutex_lock(&mutex);
	answer = syncs;
	pthread_mutex_unlock(&mutex);
	return answer;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void put(int fd, const unsigned char *p, size_t n, off_t at)
{
	if (pwrite(fd, p, n, at) != (ssize_t)n)
		abort();
}

/* One unsynced write meets the power loss. */
static void lose(int fd, const struct pending *p, uint64_t *seed)
{
	uint64_t fate = draw(seed) % 4;

	if (fate == 0)
		return;
	if (!p->data) {
		if (ftruncate(fd, p->at) != 0)
			abort();
		return;
	}
	for (int done = 0; done < p->n;) {
		int n = SECTOR - (int)((p->at + done) % SECTOR);

		if (n > p->n - done)
			n = p->n - done;
		if (fate != 1 || draw(seed) % 2)
			put(fd, p->data + done, (size_t)n, p->at + done);
		done += n;
	}
}

/* Writes that were not synced reach the disk in any order. */
static void shuffle(struct disk *d, uint64_t *seed)
{
	for (size_t i = d->count; i > 1; i--) {
		size_t at = (size_t)(draw(seed) % i);
		struct pending p = d->list[i - 1];

		d->list[i - 1] = d->list[at];
		d->list[at] = p;
	}
}

void crashvfs_crash(uint64_t seed)
{
	struct disk *d;

	while ((d = disks) != NULL) {
		int fd = d->count && seed ? open(d->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

		if (fd >= 0 && draw(&seed) % 2)
			shuffle(d, &seed);
		for (size_t i = 0; fd >= 0 && i < d->count; i++)
			lose(fd, &d->list[i], &seed);
		if (fd >= 0)
			close(fd);
		disk_clear(d);
		disks = d->next;
		free(d->list);
		free(d->path);
		free(d);
	}
	calls = stop_at = writes = syncs = fail_sync = fail_at = 0;
	stopped = false;
}
