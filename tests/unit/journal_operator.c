/* The SQLite journal among other servers and other programs. */
#include "../../libclient/error.h"
#include "../lib/harness.h"
#include "../lib/scenario.h"
#include "../lib/stores.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(a_second_server_is_refused)
{
	struct journal_options o = {.path = stores_path()}, by_link = o;
	struct journal *j = stores_fresh(&o);
	char link[160];

	stores_refused(&o, ERROR_STORE, "is in use by another tiliad");
	stores_refused(&o, ERROR_STORE, o.path);
	snprintf(link, sizeof link, "%s.link", o.path);
	CHECK(symlink(o.path, link) == 0);
	by_link.path = link;
	stores_refused(&by_link, ERROR_STORE, "in use by another tiliad");
	stores_add_space(j); /* and the first one is none the worse */
	stores_commit(j);
	j->ops->close(j);
	j = stores_fresh(&o);
	j->ops->close(j);
}

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t v;

	CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
	v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return v;
}

TEST(an_operator_reads_while_the_server_runs)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);
	sqlite3 *db = stores_operator(o.path);

	stores_add_space(j);
	stores_add_put(j, 1);
	stores_add_put(j, 2);
	stores_commit(j);
	CHECK_INT(ask(db, "SELECT count(*) FROM tuple JOIN space ON space = space.number"
	                  " WHERE name = 'main'"),
	          2);
	stores_add_put(j, 3);
	stores_commit(j);
	CHECK_INT(ask(db, "SELECT count(*) FROM tuple"), 3);
	CHECK_INT(ask(db, "SELECT value FROM meta WHERE key = 'batch'"), 2);
	sqlite3_close(db);
	CHECK_INT(stores_commit(j), 3);
	j->ops->close(j);
}

/* docs/journal.md, found from where this program is, or from where we are. */
static FILE *manual(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	FILE *f = NULL;

	path[n < 0 ? 0 : n] = 0;
	for (char *end; !f && (end = strrchr(path, '/')) != NULL; *end = 0) {
		strcpy(end, "/docs/journal.md");
		f = fopen(path, "r");
	}
	return f ? f : fopen("docs/journal.md", "r");
}

TEST(the_manuals_questions_have_answers)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);
	sqlite3 *db = stores_operator(o.path);
	char line[1024], sql[4096] = "";
	bool inside = false;
	int questions = 0;
	FILE *f = manual();

	stores_add_space(j);
	stores_add_put(j, 1);
	stores_commit(j);
	CHECK(f);
	while (fgets(line, sizeof line, f)) {
		if (inside && line[0] == '`') {
			if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
				test_fail(__FILE__, __LINE__, "%s\n%s", sql, sqlite3_errmsg(db));
			questions++;
			inside = false;
		} else if (inside) {
			strncat(sql, line, sizeof sql - strlen(sql) - 1);
		} else if (strcmp(line, "```sql\n") == 0) {
			inside = true;
			sql[0] = 0;
		}
	}
	fclose(f);
	sqlite3_close(db);
	CHECK_INT(questions, 7);
	j->ops->close(j);
}

struct operator {
	sqlite3 *db;
	const char *sql;
	atomic_int wakes; /* acts at the last of so many */
	int rc;
};

/* On the writer's thread between its COMMIT and its next BEGIN: the one instant
 * when the database is free. */
static void operator_acts(void *ctx)
{
	struct operator *op = ctx;

	if (atomic_fetch_sub(&op->wakes, 1) == 1)
		op->rc = sqlite3_exec(op->db, op->sql, NULL, NULL, NULL);
}

TEST(an_operator_who_writes_is_noticed)
{
	struct operator op = {NULL, "DELETE FROM tuple WHERE id = 1", 2, -1};
	struct journal_options o = {
		.path = stores_path(), .wake = operator_acts, .wake_ctx = &op};
	struct journal *j = stores_fresh(&o);
	struct scenario_dump d = {BUF_INIT};
	struct journal_start start;
	uint64_t durable = 0;

	op.db = stores_operator(o.path);
	stores_add_space(j);
	stores_add_put(j, 1);
	stores_commit(j);
	stores_add_put(j, 2);
	j->ops->commit(j);
	j->ops->wait(j, &durable); /* the batch itself came before */
	CHECK_INT(durable, 2);
	stores_add_put(j, 3);
	if (!j->ops->busy(j))
		j->ops->commit(j);
	CHECK_INT(j->ops->wait(j, &durable), ERROR_STORE);
	CHECK_INT(durable, 2);
	CHECK(strstr(j->ops->error(j), "another program wrote to it"));
	CHECK(strstr(j->ops->error(j), o.path));
	stores_add_put(j, 4);
	j->ops->commit(j); /* does nothing and does not hang */
	CHECK_INT(j->ops->wait(j, &durable), ERROR_STORE);
	j->ops->close(j);
	CHECK_INT(op.rc, SQLITE_OK);
	sqlite3_close(op.db);
	o.wake = NULL;
	j = stores_open(&o);
	CHECK_INT(j->ops->recover(j, scenario_dump_row, &d, NULL, &start), ERROR_DAMAGED);
	CHECK(strstr(j->ops->error(j), "tuples instead of"));
	j->ops->close(j);
	buf_close(&d.text);
}

/* A server that is to end does not wait for an operator who does not. */
TEST(an_operator_in_the_way_does_not_hold_up_the_end)
{
	struct operator op = {NULL, "BEGIN IMMEDIATE", 1, -1};
	struct journal_options o = {
		.path = stores_path(), .wake = operator_acts, .wake_ctx = &op};
	struct journal *j = stores_fresh(&o);

	op.db = stores_operator(o.path);
	stores_add_space(j);
	CHECK_INT(stores_commit(j), 1);
	j->ops->close(j);
	CHECK_INT(op.rc, SQLITE_OK);
	sqlite3_close(op.db);
	o.wake = NULL;
	j = stores_fresh(&o);
	j->ops->close(j);
}

TEST(the_files_are_their_owners_alone)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);
	static const char *const suffix[] = {"", "-wal", ".lock"};

	for (int i = 0; i < 3; i++) {
		char path[160];
		struct stat st;

		snprintf(path, sizeof path, "%s%s", o.path, suffix[i]);
		CHECK(stat(path, &st) == 0);
		CHECK_INT(st.st_mode & 0777, 0600);
	}
	j->ops->close(j);
}
