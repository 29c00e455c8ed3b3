/* Between batches the writer holds BEGIN IMMEDIATE, so nobody else can write; only
 * around COMMIT and the checkpoint is the database free, and store_begin() sees
 * whether somebody used that. The order for one batch:
 *
 *   rows -> COMMIT (synced) -> FILE.lock -> announced -> checkpoint -> BEGIN
 *
 * A batch stays whole until it is announced: a commit that found no room is rolled
 * back and made again from its rows, when there is some. Any other failure is the
 * end. */
#include "writer.h"

#include "../../libclient/error.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WRITER_PAUSE_MS 200
#define WRITER_GATHER_MS 20
#define WRITER_PATIENCE 25 /* tries for a commit that somebody stands and waits for */

/* The number of a durable batch goes beside the file. */
static int writer_mark(struct store *s, uint64_t number)
{
	int error = lockfile_write(&s->lock, s->id, number);

	if (error == ENOSPC || error == EDQUOT) {
		reserve_release(&s->reserve);
		error = lockfile_write(&s->lock, s->id, number);
	}
	if (error == 0)
		return 0;
	snprintf(s->why, sizeof s->why, "cannot write %.200s" LOCKFILE_SUFFIX ": %s", s->path,
	         strerror(error));
	return ERROR_STORE;
}

/* After this the batch is durable, or nothing of it may be believed. */
static int writer_commit(struct writer *w, const struct batch *b)
{
	struct store *s = w->store;
	int code = writer_rows(w, b);

	if (code)
		return code;
	if (store_run(s, STORE_COMMIT) != SQLITE_OK)
		return store_fail(s, "cannot commit batch %llu", (unsigned long long)b->number);
	code = writer_mark(s, b->number);
	w->boot_written = true;
	s->sums = w->sums;
	disk_committed(&w->disk);
	return code;
}

/* PASSIVE waits for no reader; when it reaches the log's end and nobody reads
 * there, SQLite writes the next batch to the log's beginning. */
static int writer_checkpoint_as(struct writer *w, int mode)
{
	struct store *s = w->store;
	int pages = 0, done = 0, rc;

	rc = sqlite3_wal_checkpoint_v2(s->db, "main", mode, &pages, &done);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		return store_fail(s, "cannot checkpoint");
	if (pages < 0) { /* another program is at it just now */
		pages = s->wal_pages;
		done = 0;
	}
	disk_checkpointed(&w->disk, pages, done);
	w->checkpoint_at = w->checkpoint_pages + (done < pages ? pages : 0);
	return 0;
}

/* Without room for it now it is made another time: no batch depends on it. */
static int writer_checkpoint(struct writer *w)
{
	int code = writer_checkpoint_as(w, SQLITE_CHECKPOINT_PASSIVE);

	if (code == ERROR_FULL) {
		reserve_release(&w->store->reserve);
		code = writer_checkpoint_as(w, SQLITE_CHECKPOINT_PASSIVE);
	}
	return code == ERROR_FULL ? 0 : code;
}

/* Looks at the disk. What the log's file has is for the reserve, when that needs it. */
static int writer_look(struct writer *w)
{
	int code = 0;

	disk_look(&w->disk);
	if (disk_wants_log(&w->disk)) {
		w->store->hurried = true;
		code = writer_checkpoint_as(w, SQLITE_CHECKPOINT_TRUNCATE);
		w->store->hurried = false;
		w->store->wal_pages = 0;
		disk_look(&w->disk);
	}
	writer_tell(&w->handover, &w->disk.is);
	return code == ERROR_FULL ? 0 : code;
}

/* After a commit that found no room: what was kept is given back, and what the log
 * holds goes into the database, so that the batch has the log's file. */
static int writer_make_room(struct writer *w)
{
	struct store *s = w->store;
	int code;

	if (!sqlite3_get_autocommit(s->db) && store_run(s, STORE_ROLLBACK) != SQLITE_OK)
		return store_fail(s, "cannot roll back");
	reserve_release(&s->reserve);
	code = writer_checkpoint(w);
	return code ? code : store_begin(s);
}

/* Nobody is told that the batch is durable, and it stays as it is: it can wait for
 * room as long as nobody waits for the writer's end. */
static bool writer_gives_up(struct writer *w, unsigned tries)
{
	return writer_stopping(&w->handover) ||
	       (tries >= WRITER_PATIENCE && writer_awaited(&w->handover));
}

/* Even that may need room, for the log's index. */
static int writer_begin(struct writer *w)
{
	int code = store_begin(w->store);

	if (code == ERROR_FULL) {
		reserve_release(&w->store->reserve);
		code = store_begin(w->store);
	}
	return code;
}

static int writer_commit_with_room(struct writer *w, const struct batch *b)
{
	int code = writer_commit(w, b);

	for (unsigned tries = 0; code == ERROR_FULL && !writer_gives_up(w, tries); tries++) {
		if (tries > 0) {
			w->disk.is.state = JOURNAL_DISK_NONE;
			writer_tell(&w->handover, &w->disk.is);
			writer_pause(&w->handover, WRITER_PAUSE_MS);
		}
		code = writer_make_room(w);
		if (code == 0)
			code = writer_commit(w, b);
	}
	return code;
}

/* On a full disk whose log cannot be used again, what is kept lasts for so many pages,
 * and each commit costs some: fewer, longer batches get further. */
static void writer_gather(struct writer *w)
{
	if (w->disk.is.state == JOURNAL_DISK_FULL && w->disk.behind_ms)
		writer_pause(&w->handover, WRITER_GATHER_MS);
}

static int writer_batch(struct writer *w, const struct batch *b)
{
	int code;

	if (w->boot_written && batch_empty(b)) {
		writer_announce(&w->handover, b->number, 0, NULL);
		return 0;
	}
	code = writer_commit_with_room(w, b);
	if (code)
		return code;
	writer_gather(w);
	writer_announce(&w->handover, b->number, 0, NULL);
	if (w->store->wal_pages >= w->checkpoint_at)
		code = writer_checkpoint(w);
	if (code == 0)
		code = writer_look(w);
	return code ? code : writer_begin(w);
}

/* All is not well with the disk, and nothing is to be committed: perhaps it is now.
 * The database is free for the checkpoint only without a transaction. */
static int writer_tick(struct writer *w)
{
	int code = 0;

	if (store_run(w->store, STORE_COMMIT) != SQLITE_OK)
		return store_fail(w->store, "cannot end an empty transaction");
	if (w->disk.log_pages > 0)
		code = writer_checkpoint(w);
	if (code == 0)
		code = writer_look(w);
	return code ? code : writer_begin(w);
}

static int writer_patience(const struct writer *w)
{
	return w->disk.is.state == JOURNAL_DISK_WELL ? -1 : DISK_TICK_MS;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	const struct batch *b;
	int code = 0;

	while (code == 0 && writer_take(&w->handover, writer_patience(w), &b))
		code = b ? writer_batch(w, b) : writer_tick(w);
	if (code)
		writer_announce(&w->handover, 0, code == ERROR_FULL ? ERROR_STORE : code,
		                w->store->why);
	return NULL;
}

void writer_init(struct writer *w, struct store *s, const struct journal_options *o)
{
	*w = (struct writer){.store = s};
	w->checkpoint_pages = o->checkpoint_pages ? o->checkpoint_pages : WRITER_CHECKPOINT_PAGES;
	w->checkpoint_at = w->checkpoint_pages;
	disk_init(&w->disk, s, o->log_most);
	handover_init(&w->handover, o->wake, o->wake_ctx);
	buf_init(&w->blob);
}

int writer_start(struct writer *w)
{
	sigset_t all, was;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	error = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	w->running = error == 0;
	return error;
}

void writer_stop(struct writer *w)
{
	if (!w->running)
		return;
	handover_stop(&w->handover);
	pthread_join(w->thread, NULL);
	w->running = false;
}

void writer_close(struct writer *w)
{
	buf_close(&w->blob);
	handover_close(&w->handover);
}
