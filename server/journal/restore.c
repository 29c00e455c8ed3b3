/* The order, so that a process that dies in between leaves nothing that a server would
 * take for a whole store:
 *
 *   lock -> check the backup -> copy -> change the copy -> FILE.lock says the new id ->
 *   the old files aside -> the copy gets its name
 *
 * From the new line in FILE.lock on, a server refuses what is there (another id, or
 * nothing where a batch was durable) until the last step; restoring again goes on. */
#include "../../libclient/error.h"
#include "copy.h"
#include "read.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far behind what the old store may have given out since the backup. */
#define RESTORE_JUMP ((uint64_t)1 << 40)

struct restore {
	char path[STORE_PATH]; /* of the store, no symbolic link */
	struct lockfile lock;
	struct copy copy;
	struct store store; /* the copy, while it is changed */
	struct store_sums sums;
	char *why;
};

static int refuse(struct restore *r, const char *what, const char *path)
{
	snprintf(r->why, OFFLINE_WHY, "cannot %s %.400s: %s", what, path, strerror(errno));
	return ERROR_STORE;
}

/* ---- what changes ---------------------------------------------------------------- */

/* A tuple less in its space's row. */
static int leave_space(struct restore *r, uint64_t space, uint64_t body)
{
	struct store *s = &r->store;
	struct store_space row;
	int code = 0;

	store_bind(s, STORE_SPACE, 1, space);
	if (sqlite3_step(s->stmt[STORE_SPACE]) != SQLITE_ROW ||
	    !store_space_read(s, STORE_SPACE, &row))
		code = store_fail(s, "cannot read space %llu", (unsigned long long)space);
	if (code == 0) {
		r->sums.spaces ^= row.sum;
		row.tuples--;
		row.sums ^= body;
		if (store_space_set(s, &row) != SQLITE_OK)
			code = store_fail(s, "cannot write space %llu", (unsigned long long)space);
		r->sums.spaces ^= row.sum;
	}
	sqlite3_reset(s->stmt[STORE_SPACE]);
	return code;
}

/* What is bound goes with its session or connection; what a session holds is free. */
static int change_tuple(struct restore *r, const struct change *c, uint64_t body)
{
	struct store *s = &r->store;
	enum store_statement which = c->bound ? STORE_TUPLE_DELETE : STORE_TUPLE_STATE;
	int code = c->bound ? leave_space(r, c->space, body) : 0;

	if (code || (!c->bound && !c->session))
		return code;
	store_bind(s, which, 1, c->id);
	for (int at = 2; !c->bound && at <= 7; at++)
		store_bind(s, which, at, at == 6 ? c->tries : 0);
	if (store_run(s, which) != SQLITE_OK)
		return store_fail(s, "cannot write tuple %llu", (unsigned long long)c->id);
	return 0;
}

/* SQLite lets the row that a statement stands on be changed and deleted. */
static int change_tuples(struct restore *r)
{
	struct store *s = &r->store;
	struct change c;
	uint64_t body;
	int rc, code = 0;

	while (code == 0 && (rc = sqlite3_step(s->stmt[STORE_TUPLES])) != SQLITE_DONE) {
		if (rc != SQLITE_ROW)
			code = store_fail(s, "cannot read table tuple");
		else if (!read_tuple(s, &c, &body))
			code = store_damaged(s, "the checksum of tuple %llu is wrong",
			                     (unsigned long long)c.id);
		else
			code = change_tuple(r, &c, body);
	}
	sqlite3_reset(s->stmt[STORE_TUPLES]);
	return code;
}

/* Another store from now on, in which nothing of a session is left. */
static int change_rest(struct restore *r)
{
	struct store *s = &r->store;

	if (getrandom(&s->id, sizeof s->id, 0) != sizeof s->id) {
		snprintf(s->why, sizeof s->why, "no random bytes from the system");
		return ERROR_STORE;
	}
	s->id >>= 1; /* reads the same signed and unsigned */
	if (sqlite3_exec(s->db, "DELETE FROM outcome; DELETE FROM session", NULL, NULL, NULL) ||
	    store_meta_set(s, "store", s->id) || store_meta_set(s, "boot", s->boot + 1) ||
	    store_meta_set(s, "ceiling", s->ceiling + RESTORE_JUMP) ||
	    store_meta_set(s, "spaces", r->sums.spaces) || store_meta_set(s, "sessions", 0) ||
	    store_meta_set(s, "outcomes", 0))
		return store_fail(s, "cannot write");
	return 0;
}

static int change_copy(struct restore *r)
{
	struct store *s = &r->store;
	int code = store_open_alone(s, r->copy.part, true);

	if (code == 0) {
		if (store_run(s, STORE_BEGIN) != SQLITE_OK)
			code = store_fail(s, "cannot begin");
		else if ((code = store_read_meta(s)) == 0) {
			r->sums = s->sums;
			if ((code = change_tuples(r)) == 0 && (code = change_rest(r)) == 0 &&
			    store_run(s, STORE_COMMIT) != SQLITE_OK)
				code = store_fail(s, "cannot commit");
		}
		store_close(s, false);
	}
	if (code)
		snprintf(r->why, OFFLINE_WHY, "%s", s->why);
	return code;
}

/* ---- the files ------------------------------------------------------------------- */

/* PATH with what an ending names behind it. */
static int name(struct restore *r, char *to, const char *path, const char *ending)
{
	if (snprintf(to, STORE_PATH, "%s%s", path, ending) < STORE_PATH)
		return 0;
	snprintf(r->why, OFFLINE_WHY, "the path of the store is too long");
	return ERROR_STORE;
}

/* Moves one file of the old store; one that is not there is fine. */
static int move(struct restore *r, const char *to, const char *ending)
{
	char was[STORE_PATH], is[STORE_PATH];

	if (name(r, was, r->path, ending) || name(r, is, to, ending))
		return ERROR_STORE;
	return rename(was, is) == 0 || errno == ENOENT ? 0 : refuse(r, "rename", was);
}

/* The log goes first and with its database: beside another one it would be taken
 * for that one's, so they are gone for good before that one comes. */
static int set_aside(struct restore *r, char *kept)
{
	char ending[32];
	struct stat st;

	for (int n = 1;; n++) {
		snprintf(ending, sizeof ending, ".old-%d", n);
		if (name(r, kept, r->path, ending))
			return ERROR_STORE;
		if (lstat(kept, &st) != 0)
			break;
	}
	if (move(r, kept, "-journal") || move(r, kept, "-wal") || move(r, kept, "-shm") ||
	    move(r, kept, ""))
		return ERROR_STORE;
	return copy_sync_folder(&r->copy, r->why);
}

static bool is_there(struct restore *r, const char *ending)
{
	char path[STORE_PATH];
	struct stat st;

	return name(r, path, r->path, ending) == 0 && lstat(path, &st) == 0;
}

static int swap(struct restore *r, char *kept)
{
	int error = lockfile_write(&r->lock, r->store.id, r->store.batch);

	if (!error && fsync(r->lock.fd) != 0)
		error = errno;
	if (error) {
		errno = error;
		return refuse(r, "write " LOCKFILE_SUFFIX " of", r->path);
	}
	if ((is_there(r, "") || is_there(r, "-wal") || is_there(r, "-journal")) &&
	    set_aside(r, kept) != 0)
		return ERROR_STORE;
	return copy_finish(&r->copy, r->why);
}

/* One name for one store, as the server has it, also of what is not there yet; its
 * lock; and whether the name is free. */
static int take(struct restore *r, const char *path, bool force)
{
	struct stat st;

	if (!realpath(path, r->path) && name(r, r->path, path, "") != 0)
		return ERROR_STORE;
	if (lockfile_take(&r->lock, r->path, r->why, OFFLINE_WHY) != 0)
		return ERROR_STORE;
	if (force || lstat(r->path, &st) != 0 || st.st_size == 0)
		return 0;
	snprintf(r->why, OFFLINE_WHY,
	         "%.300s exists; --force puts the backup in its place and keeps the old one under "
	         "another name",
	         r->path);
	lockfile_close(&r->lock);
	return ERROR_STORE;
}

static int restore(struct restore *r, const char *backup, struct offline_found *found, char *kept)
{
	int code = check_store(backup, NULL, NULL, found, r->why);

	if (code || (code = copy_begin(&r->copy, r->path, r->why)))
		return code;
	if ((code = copy_fill(&r->copy, backup, r->why)) == 0 && (code = change_copy(r)) == 0)
		code = swap(r, kept);
	copy_end(&r->copy);
	return code;
}

int restore_store(const char *path, const char *backup, bool force, struct offline_found *found,
                  char *kept, char *why)
{
	struct restore r = {.why = why};
	int code;

	*kept = '\0';
	code = take(&r, path, force);
	if (code)
		return code;
	code = restore(&r, backup, found, kept);
	lockfile_close(&r.lock);
	return code;
}
