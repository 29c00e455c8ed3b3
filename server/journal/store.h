/* The database: its schema, its prepared statements, and errors as texts. A store
 * belongs to one thread at a time: the caller's until recovery is over, then the
 * writer's. docs/journal.md is the schema for people. */
#ifndef TILIA_JOURNAL_STORE_H
#define TILIA_JOURNAL_STORE_H

#include "handover.h"
#include "journal.h"
#include "lockfile.h"
#include "reserve.h"

#include <sqlite3.h>

#define STORE_APPLICATION 0x54494c49 /* "TILI" */
#define STORE_SCHEMA 1
#define STORE_PATH 4096
#define STORE_PAGE ((uint64_t)4096)

/* X(name, SQL) */
#define STORE_TABLE(X)                                                                             \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                \
	X(COMMIT, "COMMIT")                                                                        \
	X(ROLLBACK, "ROLLBACK")                                                                    \
	X(VERSION, "PRAGMA data_version")                                                          \
	X(FREE, "PRAGMA freelist_count")                                                           \
	X(META, "SELECT value, sum FROM meta WHERE key = ?1")                                      \
	X(META_SET, "REPLACE INTO meta VALUES (?1, ?2, ?3)")                                       \
	X(SPACES, "SELECT number, name, flags, tries, dead, shape, max_tuples, max_bytes, tuples," \
	          " sums, sum FROM space ORDER BY number")                                         \
	X(SPACE, "SELECT number, name, flags, tries, dead, shape, max_tuples, max_bytes, tuples,"  \
	         " sums, sum FROM space WHERE number = ?1")                                       \
	X(SPACE_SET,                                                                               \
	  "REPLACE INTO space VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")              \
	X(SPACE_END, "DELETE FROM space WHERE number = ?1")                                        \
	X(SESSIONS,                                                                                \
	  "SELECT number, id, principal, may, grace_ms, sum FROM session ORDER BY number")         \
	X(SESSION_PUT, "INSERT INTO session VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                      \
	X(SESSION_END, "DELETE FROM session WHERE number = ?1 RETURNING sum")                      \
	X(TUPLES, "SELECT id, space, body, owner, number, token, lease_ms, tries, due_ms,"         \
	          " expires_ms, bound, sum FROM tuple ORDER BY id")                        \
	X(TUPLE_PUT,                                                                               \
	  "INSERT INTO tuple VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")          \
	X(TUPLE_STATE,                                                                             \
	  "UPDATE tuple SET owner = ?2, number = ?3, token = ?4, lease_ms = ?5, tries = ?6,"       \
	  " due_ms = ?7, sum = resum(sum, expires_ms, bound, owner, number, token, lease_ms,"      \
	  " tries, due_ms, ?2, ?3, ?4, ?5, ?6, ?7) WHERE id = ?1")                         \
	X(TUPLE_DELETE, "DELETE FROM tuple WHERE id = ?1")                                         \
	X(OUTCOMES, "SELECT session, batch, results, sum FROM outcome ORDER BY session, batch")    \
	X(OUTCOME_PUT, "INSERT INTO outcome VALUES (?1, ?2, ?3, ?4)")                              \
	X(OUTCOME_FREE, "DELETE FROM outcome WHERE session = ?1 AND batch = ?2 RETURNING sum")     \
	X(OUTCOME_END, "DELETE FROM outcome WHERE session = ?1 RETURNING sum")

enum store_statement {
#define X(name, sql) STORE_##name,
	STORE_TABLE(X)
#undef X
	STORE_STATEMENTS
};

/* The xor of the checksums of all rows of a table: what is missing shows. */
struct store_sums {
	uint64_t spaces, sessions, outcomes;
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *stmt[STORE_STATEMENTS];
	char path[STORE_PATH];
	struct lockfile lock;
	struct reserve reserve;
	struct handover *writer; /* whose stop ends a wait for the database; NULL: wait 5 s */
	uint64_t id;             /* of the database, made with it */
	uint64_t batch, boot, ceiling;
	struct store_sums sums; /* as committed */
	int64_t version; /* PRAGMA data_version: who else wrote */
	int waited_ms;
	bool hurried; /* what is in somebody's use is not waited for */
	int wal_pages; /* after the last commit */
	char why[HANDOVER_TEXT];
};

/* Locks, opens, and makes the schema in a new file; holds the database for writing
 * from then on. 0, ERROR_STORE or ERROR_DAMAGED with the text in s->why; then
 * everything is closed again. */
int store_open(struct store *s, const struct journal_options *o);

/* Opens what exists already without its lock, outside of a transaction: to read, beside
 * its server if there is one, or to write to a copy that nobody else knows. The log mode
 * and the syncs stay as the file and SQLite have them; s->id and what follows it is
 * not read yet. The same answers. */
int store_open_alone(struct store *s, const char *path, bool writes);

/* Reads s->id, batch, boot, ceiling and sums. 0, or a code. */
int store_read_meta(struct store *s);

/* `clean`: the log may be written back to the database. */
void store_close(struct store *s, bool clean);

/* A code and s->why from what SQLite said last: ERROR_DAMAGED for a file that is
 * no sound database, ERROR_FULL when it is only room that is missing, else
 * ERROR_STORE. `what` is "cannot ..." . */
int store_fail(struct store *s, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* The same for what SQLite does not know of. */
int store_damaged(struct store *s, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* Takes the database for writing (again) and checks that nobody else wrote in
 * between. 0, or a code. */
int store_begin(struct store *s);

/* Pages of the database that are in no use. */
uint64_t store_free_pages(struct store *s);

/* Executes a statement that answers no row, with its parameters bound, and resets
 * it: SQLITE_OK or SQLite's code. */
int store_run(struct store *s, enum store_statement which);

/* The same for a statement that answers a checksum of each row it changed: *sums
 * is xored with them. */
int store_run_sums(struct store *s, enum store_statement which, uint64_t *sums);

/* Binds parameter `at`. Numbers are stored as SQLite's signed 64 bits. */
void store_bind(struct store *s, enum store_statement which, int at, uint64_t v);
void store_bind_bytes(struct store *s, enum store_statement which, int at, struct bytes b);
void store_bind_text(struct store *s, enum store_statement which, int at, struct bytes b);

/* Column `at` of the row the statement stands on. */
uint64_t store_number(struct store *s, enum store_statement which, int at);
struct bytes store_bytes(struct store *s, enum store_statement which, int at);

/* One value of the table meta. 0 or a code; SQLITE_OK or SQLite's code. */
int store_meta(struct store *s, const char *key, uint64_t *value);
int store_meta_set(struct store *s, const char *key, uint64_t value);

/* A space's row. */
struct store_space {
	uint64_t number, flags, tries, max_tuples, max_bytes, tuples, sums, sum;
	struct bytes name, dead, shape; /* until the statement is reset */
};

/* The row a statement SPACES or SPACE stands on; whether its checksum is right. */
bool store_space_read(struct store *s, enum store_statement which, struct store_space *row);

/* Writes it, with its checksum, which is set. */
int store_space_set(struct store *s, struct store_space *row);

#endif
