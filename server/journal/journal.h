/* The journal keeps the engine's changes, batch by batch. Two implementations:
 * sqlite.c (FILE, a writer thread) and memory.c (--volatile, and tests).
 *
 * A batch is collected on the caller's thread while the writer commits the one
 * before. Batch numbers rise by one. An empty batch has its number and becomes
 * durable in its turn, but writes nothing, so a restart may use the numbers of
 * trailing empty batches again; nothing on disk ever bore them. The first commit
 * of a start writes even when empty, for the boot number: make it before the
 * first connection is accepted.
 *
 * Life: open, recover, then (add..., commit, poll)..., close.
 */
#ifndef TILIA_JOURNAL_H
#define TILIA_JOURNAL_H

#include "../engine/engine.h"

#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_BATCH_BYTES ((size_t)8 << 20)
#define JOURNAL_BATCH_CHANGES 50000
#define JOURNAL_BATCH_LOW 1000 /* changes, while the disk is low: what is kept must do */

enum journal_sync {
	JOURNAL_SYNC_FULL,   /* nothing acknowledged is ever lost */
	JOURNAL_SYNC_NORMAL, /* power loss may take the last batches; never a broken file */
	JOURNAL_SYNC_OFF,    /* power loss may break the file */
};

struct journal_options {
	const char *path; /* sqlite only */
	enum journal_sync sync;
	const char *vfs; /* tests: the name of an SQLite VFS; NULL is the default */
	uint64_t log_most;    /* bytes of log from which growth is refused; 0: 256 MiB */
	int checkpoint_pages; /* tests: when the log goes back to the database; 0: 1,000 */
	/* Called on the writer's thread when journal_poll() has news. */
	void (*wake)(void *ctx);
	void *wake_ctx;
};

/* What recovery found. */
struct journal_start {
	uint64_t batch; /* the last durable one */
	uint64_t boot;  /* this start's number, from 1; written by the first batch */
	uint64_t tuples, sessions, spaces;
};

/* How the writer finds the disk. From STUCK on it is low: what makes the store grow
 * is to be refused. */
enum journal_disk_state {
	JOURNAL_DISK_WELL,
	JOURNAL_DISK_HELD,  /* another program reads in the log, which grows meanwhile */
	JOURNAL_DISK_STUCK, /* and has become as long as it may */
	JOURNAL_DISK_FULL,  /* little room is left */
	JOURNAL_DISK_NONE,  /* none, and nothing kept: the commit under way waits for some */
};

struct journal_disk {
	enum journal_disk_state state;
	uint64_t room;      /* bytes the store can grow by, on the disk and in its file */
	uint64_t reserve;   /* bytes kept in FILE.reserve */
	uint64_t log;       /* bytes of log that are not all in the database */
	uint64_t reader_ms; /* how long somebody has been in the way of that; 0: nobody */
};

struct journal;

struct journal_ops {
	/* Gives every row back through row(): the ceiling, spaces, sessions, tuples by
	 * id, outcomes. progress(done, all) is called now and then (may be NULL).
	 * Verifies checksums, counts, and the batch number beside the file. 0, or
	 * ERROR_DAMAGED / ERROR_STORE; journal_error() then says what and where. */
	int (*recover)(struct journal *j, void (*row)(const struct change *c, void *ctx), void *ctx,
	               void (*progress)(uint64_t done, uint64_t all, void *ctx),
	               struct journal_start *start);

	/* Copies the change into the open batch. What is put and deleted within one
	 * batch never reaches the disk. */
	void (*add)(struct journal *j, const struct change *c);

	/* Hands the open batch, empty or not, to the writer, and opens the next.
	 * Only when journal_busy() is false. */
	void (*commit)(struct journal *j);

	/* Whether a commit is under way. */
	bool (*busy)(const struct journal *j);

	/* The highest durable batch; with a failed writer a negative code, and
	 * journal_error() says why: nothing more will become durable. */
	int (*poll)(struct journal *j, uint64_t *durable);

	/* Waits for the commit under way (if any; memory with `keep`: syncs it), then
	 * as poll. On a full disk it is given up after some seconds. */
	int (*wait)(struct journal *j, uint64_t *durable);

	/* Size of the open batch: bytes copied, changes given. */
	size_t (*bytes)(const struct journal *j);
	size_t (*changes)(const struct journal *j);

	/* How the disk is; wake() is called when the state has changed. */
	void (*disk)(const struct journal *j, struct journal_disk *d);

	const char *(*error)(const struct journal *j);

	/* Ends it; a commit under way is waited for, the open batch is dropped. */
	void (*close)(struct journal *j);
};

struct journal {
	const struct journal_ops *ops;
};

/* 0 and *j, or ERROR_STORE / ERROR_DAMAGED with a text in why[256]. */
int journal_sqlite_open(struct journal **j, const struct journal_options *o, char *why);

/* Keeps rows in memory (`o` may be NULL); with `keep`, what was committed survives
 * journal_memory_crash() and can be recovered, so that tests can play a restart.
 * Commits are durable at once when `keep` is false; with it, when
 * journal_memory_sync() is called. */
int journal_memory_open(struct journal **j, const struct journal_options *o, bool keep);

/* Tests: the commit under way becomes durable. */
void journal_memory_sync(struct journal *j);

/* Tests: everything not durable is lost; recover() may be called again. */
void journal_memory_crash(struct journal *j);

#endif
