#include "store.h"

#include "../../libclient/error.h"
#include "schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_STEP_MS 5
#define BUSY_OPEN_MS 5000

static const char *const sql[STORE_STATEMENTS] = {
#define X(name, text) [STORE_##name] = text,
	STORE_TABLE(X)
#undef X
};

/* The end of the path: what tells one store from another. */
static const char *path_end(const struct store *s)
{
	size_t n = strlen(s->path);

	return s->path + (n > 200 ? n - 200 : 0);
}

static void say(struct store *s, const char *what, va_list ap, const char *why)
{
	char text[256];

	vsnprintf(text, sizeof text, what, ap);
	snprintf(s->why, sizeof s->why, "%s: %s%s%s", path_end(s), text, why ? ": " : "",
	         why ? why : "");
}

/* A sync that failed is never one of them, whatever its reason: what it left on the
 * disk is not known. */
static bool is_full(const struct store *s, int code)
{
	int reason = sqlite3_system_errno(s->db), kind = code & 0xff;

	if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
		return false;
	return kind == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE ||
	       ((kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) &&
	        (reason == ENOSPC || reason == EDQUOT));
}

int store_fail(struct store *s, const char *what, ...)
{
	int code = sqlite3_extended_errcode(s->db);
	char why[128];
	va_list ap;

	if ((code & 0xff) == SQLITE_BUSY)
		snprintf(why, sizeof why, "another program is writing to it");
	else
		snprintf(why, sizeof why, "%.90s (SQLite %d)", sqlite3_errmsg(s->db), code);
	va_start(ap, what);
	say(s, what, ap, why);
	va_end(ap);
	if (is_full(s, code))
		return ERROR_FULL;
	code &= 0xff;
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERROR_DAMAGED : ERROR_STORE;
}

int store_damaged(struct store *s, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	say(s, what, ap, NULL);
	va_end(ap);
	return ERROR_DAMAGED;
}

/* BUSY waits: for ever while a server runs, a moment at its start. */
static int wait_busy(void *ctx, int count)
{
	struct store *s = ctx;

	if (count == 0)
		s->waited_ms = 0;
	if (s->hurried)
		return 0;
	if (s->writer ? writer_stopping(s->writer) : s->waited_ms >= BUSY_OPEN_MS)
		return 0;
	s->waited_ms += BUSY_STEP_MS;
	sqlite3_sleep(BUSY_STEP_MS);
	return 1;
}

static int note_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct store *s = ctx;

	(void)db, (void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

static void state_args(struct sum_state *st, sqlite3_value **v)
{
	st->owner = (uint64_t)sqlite3_value_int64(v[0]);
	st->number = (uint64_t)sqlite3_value_int64(v[1]);
	st->token = (uint64_t)sqlite3_value_int64(v[2]);
	st->lease_ms = (uint64_t)sqlite3_value_int64(v[3]);
	st->tries = (uint64_t)sqlite3_value_int64(v[4]);
	st->due_ms = (uint64_t)sqlite3_value_int64(v[5]);
}

/* resum(sum, expires_ms, bound, the old six, the new six): a row's checksum after its
 * state changed, without looking at its bytes. */
static void resum(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct sum_state was, is;
	uint64_t sum = (uint64_t)sqlite3_value_int64(v[0]);

	(void)n;
	was.expires_ms = is.expires_ms = (uint64_t)sqlite3_value_int64(v[1]);
	was.bound = is.bound = (uint64_t)sqlite3_value_int64(v[2]);
	state_args(&was, v + 3);
	state_args(&is, v + 9);
	sqlite3_result_int64(ctx, (sqlite3_int64)(sum ^ sum_of_state(&was) ^ sum_of_state(&is)));
}

/* One name for one store, whatever symbolic links led to it; and a new file is
 * its owner's alone (made here because SQLite would follow the umask). */
static void resolve(struct store *s, const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC | O_RDWR, 0600);

	if (fd >= 0)
		close(fd);
	if (!realpath(path, s->path))
		snprintf(s->path, sizeof s->path, "%s", path);
}

static int connect_database(struct store *s, int flags, const char *vfs)
{
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	if (sqlite3_open_v2(s->path, &s->db, flags, vfs) != SQLITE_OK)
		return store_fail(s, "cannot open");
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_handler(s->db, wait_busy, s);
	sqlite3_wal_hook(s->db, note_wal, s);
	if (sqlite3_create_function(s->db, "resum", 15, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
	                            resum, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "cannot set up");
	return 0;
}

static int configure(struct store *s, enum journal_sync sync)
{
	static const char *const level[] = {"FULL", "NORMAL", "OFF"};
	char text[256];

	snprintf(text, sizeof text,
	         "PRAGMA synchronous = %s; PRAGMA mmap_size = 0; PRAGMA cache_size = -65536;"
	         " PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 67108864;"
	         " PRAGMA secure_delete = FAST; PRAGMA journal_mode = WAL",
	         level[sync]);
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "cannot set up");
	return 0;
}

static int prepare(struct store *s)
{
	for (int i = 0; i < STORE_STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i],
		                       NULL) != SQLITE_OK)
			return store_fail(s, "cannot prepare");
	return 0;
}

int store_read_meta(struct store *s)
{
	int code;

	if ((code = store_meta(s, "store", &s->id)) || (code = store_meta(s, "batch", &s->batch)) ||
	    (code = store_meta(s, "boot", &s->boot)) ||
	    (code = store_meta(s, "ceiling", &s->ceiling)) ||
	    (code = store_meta(s, "spaces", &s->sums.spaces)) ||
	    (code = store_meta(s, "sessions", &s->sums.sessions)) ||
	    (code = store_meta(s, "outcomes", &s->sums.outcomes)))
		return code;
	return 0;
}

/* Whether the database is as new as FILE.lock says it must be. */
static int check_lock(struct store *s, bool was_empty)
{
	const struct lockfile *l = &s->lock;

	if (l->known && l->batch > s->batch)
		return store_damaged(s,
		                     "it lost acknowledged work: batch %llu was durable, the "
		                     "database ends at %llu%s",
		                     (unsigned long long)l->batch, (unsigned long long)s->batch,
		                     was_empty ? " (it is empty)" : "");
	if (l->known && !was_empty && l->store != s->id) {
		snprintf(s->why, sizeof s->why,
		         "%s" LOCKFILE_SUFFIX " belongs to another database; if the file was "
		         "replaced on purpose, remove it",
		         path_end(s));
		return ERROR_STORE;
	}
	return 0;
}

static int start(struct store *s, const struct journal_options *o)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, code, error;
	int64_t version = 0;
	bool empty;

	if ((code = connect_database(s, flags, o->vfs)) || (code = schema_check(s, &version)))
		return code;
	empty = version == 0;
	if (empty && (code = check_lock(s, true)))
		return code;
	if ((code = configure(s, o->sync)) ||
	    (code = empty ? schema_create(s) : schema_forward(s, version)) || (code = prepare(s)))
		return code;
	s->version = -1;
	if ((code = store_begin(s)) || (code = store_read_meta(s)))
		return code;
	if (!empty && (code = check_lock(s, false)))
		return code;
	error = lockfile_write(&s->lock, s->id, s->batch);
	if (error) {
		snprintf(s->why, sizeof s->why, "cannot write %s" LOCKFILE_SUFFIX ": %s",
		         path_end(s), strerror(error));
		return ERROR_STORE;
	}
	return 0;
}

static void close_database(struct store *s, bool clean)
{
	for (int i = 0; i < STORE_STATEMENTS; i++) {
		sqlite3_finalize(s->stmt[i]);
		s->stmt[i] = NULL;
	}
	if (s->db) {
		/* What failed to be written or read must not be moved about now. */
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, clean ? 0 : 1, NULL);
		if (!sqlite3_get_autocommit(s->db))
			sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	}
	sqlite3_close(s->db);
	s->db = NULL;
}

int store_open(struct store *s, const struct journal_options *o)
{
	int code;

	memset(s, 0, sizeof *s);
	resolve(s, o->path);
	code = lockfile_open(&s->lock, s->path, s->why, sizeof s->why);
	if (code)
		return code;
	reserve_open(&s->reserve, s->path);
	code = start(s, o);
	if (code == ERROR_FULL) { /* what is kept is for this, too */
		close_database(s, false);
		reserve_release(&s->reserve);
		code = start(s, o);
	}
	if (code)
		store_close(s, false);
	return code == ERROR_FULL ? ERROR_STORE : code;
}

static int start_alone(struct store *s, int flags)
{
	static const char setup[] = "PRAGMA mmap_size = 0; PRAGMA cache_size = -65536;"
	                            " PRAGMA cell_size_check = ON";
	int64_t version = 0;
	int code;

	if ((code = connect_database(s, flags, NULL)) || (code = schema_check(s, &version)))
		return code;
	if (version != STORE_SCHEMA) {
		snprintf(s->why, sizeof s->why, "%s is %s", path_end(s),
		         version ? "of an earlier version: a start of tiliad brings it forward"
		                 : "empty");
		return ERROR_STORE;
	}
	if (sqlite3_exec(s->db, setup, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "cannot set up");
	return prepare(s);
}

int store_open_alone(struct store *s, const char *path, bool writes)
{
	int code;

	memset(s, 0, sizeof *s);
	s->lock.fd = s->reserve.fd = -1;
	if (!realpath(path, s->path)) {
		snprintf(s->why, sizeof s->why, "%.200s: %s", path, strerror(errno));
		return ERROR_STORE;
	}
	code = start_alone(s, writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	if (code)
		store_close(s, false);
	return code;
}

void store_close(struct store *s, bool clean)
{
	close_database(s, clean);
	reserve_close(&s->reserve);
	lockfile_close(&s->lock);
}

uint64_t store_free_pages(struct store *s)
{
	uint64_t pages = 0;

	if (sqlite3_step(s->stmt[STORE_FREE]) == SQLITE_ROW)
		pages = store_number(s, STORE_FREE, 0);
	sqlite3_reset(s->stmt[STORE_FREE]);
	return pages;
}

int store_begin(struct store *s)
{
	int64_t version;

	if (store_run(s, STORE_BEGIN) != SQLITE_OK)
		return store_fail(s, "cannot begin");
	if (sqlite3_step(s->stmt[STORE_VERSION]) != SQLITE_ROW)
		return store_fail(s, "cannot read");
	version = sqlite3_column_int64(s->stmt[STORE_VERSION], 0);
	sqlite3_reset(s->stmt[STORE_VERSION]);
	if (s->version >= 0 && version != s->version) {
		snprintf(s->why, sizeof s->why,
		         "%s: another program wrote to it while tiliad was running; what is in "
		         "memory and what is on disk are no longer the same",
		         path_end(s));
		return ERROR_STORE;
	}
	s->version = version;
	return 0;
}

int store_run(struct store *s, enum store_statement which)
{
	int rc = sqlite3_step(s->stmt[which]);

	if (rc == SQLITE_DONE || rc == SQLITE_ROW) {
		sqlite3_reset(s->stmt[which]);
		return SQLITE_OK;
	}
	return sqlite3_reset(s->stmt[which]);
}

int store_run_sums(struct store *s, enum store_statement which, uint64_t *sums)
{
	int rc;

	while ((rc = sqlite3_step(s->stmt[which])) == SQLITE_ROW)
		*sums ^= store_number(s, which, 0);
	sqlite3_reset(s->stmt[which]);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

void store_bind(struct store *s, enum store_statement which, int at, uint64_t v)
{
	sqlite3_bind_int64(s->stmt[which], at, (sqlite3_int64)v);
}

/* Never NULL, the columns are NOT NULL: SQLite takes a pointer of NULL for it. */
void store_bind_bytes(struct store *s, enum store_statement which, int at, struct bytes b)
{
	sqlite3_bind_blob64(s->stmt[which], at, b.n ? (const void *)b.p : "", b.n, SQLITE_STATIC);
}

void store_bind_text(struct store *s, enum store_statement which, int at, struct bytes b)
{
	sqlite3_bind_text64(s->stmt[which], at, b.n ? (const char *)b.p : "", b.n, SQLITE_STATIC,
	                    SQLITE_UTF8);
}

uint64_t store_number(struct store *s, enum store_statement which, int at)
{
	return (uint64_t)sqlite3_column_int64(s->stmt[which], at);
}

struct bytes store_bytes(struct store *s, enum store_statement which, int at)
{
	const void *p = sqlite3_column_blob(s->stmt[which], at);

	return (struct bytes){p, (size_t)sqlite3_column_bytes(s->stmt[which], at)};
}

static uint64_t meta_sum(const char *key, uint64_t value)
{
	return sum_number(sum_bytes(sum_begin("meta"), bytes_of(key)), value);
}

int store_meta(struct store *s, const char *key, uint64_t *value)
{
	int rc, code = 0;

	store_bind_text(s, STORE_META, 1, bytes_of(key));
	rc = sqlite3_step(s->stmt[STORE_META]);
	if (rc == SQLITE_ROW) {
		*value = store_number(s, STORE_META, 0);
		if (store_number(s, STORE_META, 1) != meta_sum(key, *value))
			code = store_damaged(s, "the checksum of meta '%s' is wrong", key);
	} else if (rc == SQLITE_DONE) {
		code = store_damaged(s, "meta '%s' is missing", key);
	} else {
		code = store_fail(s, "cannot read meta");
	}
	sqlite3_reset(s->stmt[STORE_META]);
	return code;
}

int store_meta_set(struct store *s, const char *key, uint64_t value)
{
	store_bind_text(s, STORE_META_SET, 1, bytes_of(key));
	store_bind(s, STORE_META_SET, 2, value);
	store_bind(s, STORE_META_SET, 3, meta_sum(key, value));
	return store_run(s, STORE_META_SET);
}

static uint64_t space_sum(const struct store_space *row)
{
	uint64_t sum = sum_number(sum_begin("space"), row->number);

	sum = sum_number(sum_bytes(sum, row->name), row->flags);
	sum = sum_bytes(sum_number(sum, row->tries), row->dead);
	sum = sum_number(sum_bytes(sum, row->shape), row->max_tuples);
	sum = sum_number(sum_number(sum, row->max_bytes), row->tuples);
	return sum_number(sum, row->sums);
}

bool store_space_read(struct store *s, enum store_statement which, struct store_space *row)
{
	row->number = store_number(s, which, 0);
	row->name = store_bytes(s, which, 1);
	row->flags = store_number(s, which, 2);
	row->tries = store_number(s, which, 3);
	row->dead = store_bytes(s, which, 4);
	row->shape = store_bytes(s, which, 5);
	row->max_tuples = store_number(s, which, 6);
	row->max_bytes = store_number(s, which, 7);
	row->tuples = store_number(s, which, 8);
	row->sums = store_number(s, which, 9);
	row->sum = store_number(s, which, 10);
	return row->sum == space_sum(row);
}

int store_space_set(struct store *s, struct store_space *row)
{
	row->sum = space_sum(row);
	store_bind(s, STORE_SPACE_SET, 1, row->number);
	store_bind_text(s, STORE_SPACE_SET, 2, row->name);
	store_bind(s, STORE_SPACE_SET, 3, row->flags);
	store_bind(s, STORE_SPACE_SET, 4, row->tries);
	store_bind_text(s, STORE_SPACE_SET, 5, row->dead);
	store_bind_bytes(s, STORE_SPACE_SET, 6, row->shape);
	store_bind(s, STORE_SPACE_SET, 7, row->max_tuples);
	store_bind(s, STORE_SPACE_SET, 8, row->max_bytes);
	store_bind(s, STORE_SPACE_SET, 9, row->tuples);
	store_bind(s, STORE_SPACE_SET, 10, row->sums);
	store_bind(s, STORE_SPACE_SET, 11, row->sum);
	return store_run(s, STORE_SPACE_SET);
}
