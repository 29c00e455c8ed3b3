#include "schema.h"

#include "../../libclient/error.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const struct {
	const char *name, *sql;
} tables[] = {
	{"meta", "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL,"
	         " sum INTEGER NOT NULL) WITHOUT ROWID"},
	{"outcome", "CREATE TABLE outcome (session INTEGER NOT NULL, batch INTEGER NOT NULL,"
	            " results BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (session, batch))"
	            " WITHOUT ROWID"},
	{"session", "CREATE TABLE session (number INTEGER PRIMARY KEY, id BLOB NOT NULL,"
	            " principal BLOB NOT NULL, may BLOB NOT NULL, grace_ms INTEGER NOT NULL,"
	            " sum INTEGER NOT NULL)"},
	{"space", "CREATE TABLE space (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	          " flags INTEGER NOT NULL, tries INTEGER NOT NULL, dead TEXT NOT NULL,"
	          " shape BLOB NOT NULL, max_tuples INTEGER NOT NULL, max_bytes INTEGER NOT NULL,"
	          " tuples INTEGER NOT NULL, sums INTEGER NOT NULL,"
	          " sum INTEGER NOT NULL)"},
	{"tuple", "CREATE TABLE tuple (id INTEGER PRIMARY KEY, space INTEGER NOT NULL,"
	          " body BLOB NOT NULL, owner INTEGER NOT NULL, number INTEGER NOT NULL,"
	          " token INTEGER NOT NULL, lease_ms INTEGER NOT NULL, tries INTEGER NOT NULL,"
	          " due_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, bound INTEGER NOT NULL,"
	          " sum INTEGER NOT NULL)"},
};

#define TABLES (sizeof tables / sizeof *tables)

/* steps[n] makes version n + 1 of version n, inside a transaction: 0 or a code. A store of
 * each version that was released is kept in tests/stores. */
static int (*const steps[STORE_SCHEMA])(struct store *s) = {
	NULL, /* no store had version 0 */
};

static int run(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

/* The tables, their first rows and the marks in the header come in one commit:
 * a file has all of them or is empty. */
int schema_create(struct store *s)
{
	static const char *const zero[] = {"batch",  "boot",     "ceiling",
	                                   "spaces", "sessions", "outcomes"};
	char marks[128];

	if (getrandom(&s->id, sizeof s->id, 0) != sizeof s->id) {
		snprintf(s->why, sizeof s->why, "no random bytes from the system");
		return ERROR_STORE;
	}
	s->id >>= 1; /* reads the same signed and unsigned */
	snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %d",
	         STORE_APPLICATION, STORE_SCHEMA);
	if (run(s, "BEGIN IMMEDIATE") || run(s, marks))
		return store_fail(s, "cannot begin");
	for (size_t i = 0; i < TABLES; i++)
		if (run(s, tables[i].sql))
			return store_fail(s, "cannot make the table %s", tables[i].name);
	if (sqlite3_prepare_v2(s->db, "REPLACE INTO meta VALUES (?1, ?2, ?3)", -1,
	                       &s->stmt[STORE_META_SET], NULL) ||
	    store_meta_set(s, "store", s->id))
		return store_fail(s, "cannot write the first rows");
	for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
		if (store_meta_set(s, zero[i], 0))
			return store_fail(s, "cannot write the first rows");
	if (run(s, "COMMIT"))
		return store_fail(s, "cannot commit the first rows");
	sqlite3_finalize(s->stmt[STORE_META_SET]);
	s->stmt[STORE_META_SET] = NULL;
	return 0;
}

/* The one number a PRAGMA or SELECT answers. */
static int number(struct store *s, const char *sql, int64_t *v)
{
	sqlite3_stmt *stmt;
	int code = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return store_fail(s, "cannot read");
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*v = sqlite3_column_int64(stmt, 0);
	else
		code = store_fail(s, "cannot read");
	sqlite3_finalize(stmt);
	return code;
}

/* Whether each table's text is the one it was made with: a flipped bit in it could
 * else change what columns mean. Indexes and views of an operator do no harm. */
static int check_tables(struct store *s)
{
	sqlite3_stmt *stmt;
	size_t seen = 0;
	int rc, code = 0;

	if (sqlite3_prepare_v2(s->db, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"
	                              " AND name NOT LIKE 'sqlite_%' ORDER BY name",
	                       -1, &stmt, NULL) != SQLITE_OK)
		return store_fail(s, "cannot read the schema");
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		const char *sql = (const char *)sqlite3_column_text(stmt, 1);

		if (seen < TABLES && name && sql && strcmp(name, tables[seen].name) == 0 &&
		    strcmp(sql, tables[seen].sql) == 0)
			seen++;
	}
	if (rc != SQLITE_DONE)
		code = store_fail(s, "cannot read the schema");
	else if (seen < TABLES)
		code = store_damaged(s, "the table %s is not as it was made", tables[seen].name);
	sqlite3_finalize(stmt);
	return code;
}

int schema_check(struct store *s, int64_t *version)
{
	int64_t application = 0, objects = 0;
	int code;

	if ((code = number(s, "PRAGMA application_id", &application)) ||
	    (code = number(s, "PRAGMA user_version", version)) ||
	    (code = number(s, "SELECT count(*) FROM sqlite_schema", &objects)))
		return code;
	if (application == 0 && *version == 0 && objects == 0)
		return 0;
	if (application != STORE_APPLICATION) {
		snprintf(s->why, sizeof s->why, "%.200s is a database, but not one of Tilia",
		         s->path);
		return ERROR_STORE;
	}
	if (*version < 1 || *version > STORE_SCHEMA) {
		snprintf(s->why, sizeof s->why,
		         "%.200s has schema version %lld; this tiliad knows version %d", s->path,
		         (long long)*version, STORE_SCHEMA);
		return ERROR_STORE;
	}
	return *version == STORE_SCHEMA ? check_tables(s) : 0;
}

/* All steps and the new mark come in one commit. */
int schema_forward(struct store *s, int64_t version)
{
	char mark[64];
	int code = 0;

	if (version == STORE_SCHEMA)
		return 0;
	snprintf(mark, sizeof mark, "PRAGMA user_version = %d", STORE_SCHEMA);
	if (run(s, "BEGIN IMMEDIATE"))
		return store_fail(s, "cannot begin");
	for (; code == 0 && version < STORE_SCHEMA; version++)
		code = steps[version](s);
	if (code)
		return code;
	if (run(s, mark) || run(s, "COMMIT"))
		return store_fail(s, "cannot bring it forward");
	return check_tables(s);
}
