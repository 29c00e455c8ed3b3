/* FILE.lock, beside the database: held by flock() while a server uses the
 * database, and the place where the number of the last durable batch is kept, so
 * that a database that opens behind it is known to have lost acknowledged work.
 *
 * Its content is one line of LOCKFILE_SIZE bytes, rewritten in place, not synced:
 *     tilia 1 STORE BATCH SUM\n
 * STORE (of the database's meta table) and SUM (of the text before it) are 16 hex
 * digits, BATCH 20 decimal ones. An empty file, or one of zero bytes (a power loss
 * before its first line reached the disk), says nothing. */
#ifndef TILIA_JOURNAL_LOCKFILE_H
#define TILIA_JOURNAL_LOCKFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOCKFILE_SIZE 63
#define LOCKFILE_SUFFIX ".lock"

struct lockfile {
	int fd;
	bool known;     /* it said: */
	uint64_t store; /* of which database */
	uint64_t batch; /* its last durable batch */
};

/* Takes the lock of the database at `path` and reads the line. 0, ERROR_STORE (in
 * use, no access) or ERROR_DAMAGED, with a text in why[cap]. */
int lockfile_open(struct lockfile *l, const char *path, char *why, size_t cap);

/* The same without a look at the line: nothing is known. */
int lockfile_take(struct lockfile *l, const char *path, char *why, size_t cap);

/* Reads the line without taking the lock: no file says nothing. There is nothing to
 * close. As lockfile_open(). */
int lockfile_read(struct lockfile *l, const char *path, char *why, size_t cap);

/* Writes the line. 0, or an errno. */
int lockfile_write(struct lockfile *l, uint64_t store, uint64_t batch);

/* Gives the lock back; the file stays. */
void lockfile_close(struct lockfile *l);

#endif
