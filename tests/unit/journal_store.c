/* Both journals: what goes in comes back; and the SQLite one among other
 * processes and programs. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../lib/crashvfs.h"
#include "../lib/harness.h"
#include "../lib/scenario.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char why[256];

/* A path in this program's folder where no store is yet. */
static const char *new_path(void)
{
	static char path[128];
	static int n;

	snprintf(path, sizeof path, "%s/store%d", test_folder(), ++n);
	return path;
}

static struct journal *must_open(const struct journal_options *o)
{
	struct journal *j = NULL;

	if (journal_sqlite_open(&j, o, why) != 0)
		test_fail(__FILE__, __LINE__, "%s", why);
	return j;
}

/* Recovers and answers the rows as text, for xfree(). */
static char *recover(struct journal *j, struct journal_start *start)
{
	struct scenario_dump d = {BUF_INIT};

	if (j->ops->recover(j, scenario_dump_row, &d, NULL, start) != 0)
		test_fail(__FILE__, __LINE__, "%s", j->ops->error(j));
	scenario_dump_text(&d);
	return (char *)d.text.data;
}

static struct journal *open_fresh(const struct journal_options *o)
{
	struct journal *j = must_open(o);
	struct journal_start start;

	xfree(recover(j, &start));
	return j;
}

static uint64_t must_wait(struct journal *j)
{
	uint64_t durable = 0;

	if (j->ops->wait(j, &durable) != 0)
		test_fail(__FILE__, __LINE__, "%s", j->ops->error(j));
	return durable;
}

static uint64_t commit(struct journal *j)
{
	j->ops->commit(j);
	return must_wait(j);
}

static void add_space(struct journal *j)
{
	struct change c = {.kind = CHANGE_SPACE, .space = 1, .bytes = bytes_of("main")};

	j->ops->add(j, &c);
}

static void add_put(struct journal *j, uint64_t id)
{
	static const uint8_t body[] = {0x82, 0x63, 'j', 'o', 'b', 0x01};
	struct change c = {.kind = CHANGE_PUT, .space = 1, .id = id};

	c.bytes = (struct bytes){body, sizeof body};
	j->ops->add(j, &c);
}

static void same_text(const char *got, const char *want, uint64_t batch)
{
	size_t at = 0;

	if (strcmp(got, want) == 0)
		return;
	while (got[at] == want[at])
		at++;
	while (at > 0 && got[at - 1] != '\n')
		at--;
	test_fail(__FILE__, __LINE__, "after batch %" PRIu64 ":\n%.300s\n--- not\n%.300s", batch,
	          got + at, want + at);
}

/* Plays a scenario with a restart after every fifth batch; restart() answers the
 * journal to go on with. */
static void play(struct journal *j, const struct journal_options *o, uint64_t seed, unsigned most,
                 struct journal *(*restart)(struct journal *j, const struct journal_options *o))
{
	struct scenario *s = scenario_create(seed, most);
	struct journal_start start;
	uint64_t boots = 1;

	xfree(recover(j, &start));
	CHECK_INT(start.batch, 0);
	CHECK_INT(start.boot, 1);
	for (uint64_t batch = 1; batch <= 60; batch++) {
		char *want, *got;

		scenario_batch(s, j);
		CHECK_INT(commit(j), batch);
		if (batch % 5 != 0 || batch % 7 == 0) /* empty ones leave no number */
			continue;
		want = scenario_text(s);
		j = restart(j, o);
		got = recover(j, &start);
		same_text(got, want, batch);
		CHECK_INT(start.batch, batch);
		CHECK_INT(start.boot, ++boots);
		xfree(want);
		xfree(got);
	}
	CHECK(boots > 8);
	j->ops->close(j);
	scenario_destroy(s);
}

static struct journal *restart_memory(struct journal *j, const struct journal_options *o)
{
	(void)o;
	add_put(j, UINT64_C(1) << 52); /* of the open batch: lost */
	journal_memory_crash(j);
	return j;
}

static struct journal *restart_sqlite(struct journal *j, const struct journal_options *o)
{
	add_put(j, UINT64_C(1) << 52);
	j->ops->close(j);
	return must_open(o);
}

TEST(memory_gives_back_what_was_durable)
{
	struct journal *j;

	for (uint64_t seed = 1; seed <= 5; seed++) {
		journal_memory_open(&j, NULL, true);
		play(j, NULL, test_seed(seed), 40, restart_memory);
	}
}

TEST(sqlite_gives_back_what_was_durable)
{
	static const enum journal_sync levels[] = {
		JOURNAL_SYNC_FULL, JOURNAL_SYNC_NORMAL, JOURNAL_SYNC_OFF};

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct journal_options o = {.path = new_path(), .sync = levels[seed % 3]};

		play(must_open(&o), &o, test_seed(seed), seed == 6 ? 300 : 40, restart_sqlite);
	}
}

TEST(memory_without_keep_is_durable_at_once)
{
	struct journal *j;
	struct journal_start start;
	uint64_t durable = 0;

	journal_memory_open(&j, NULL, false);
	xfree(recover(j, &start));
	add_put(j, 1);
	CHECK_INT(j->ops->changes(j), 1);
	j->ops->commit(j);
	CHECK(!j->ops->busy(j));
	CHECK_INT(j->ops->poll(j, &durable), 0);
	CHECK_INT(durable, 1);
	CHECK_INT(j->ops->changes(j), 0);
	j->ops->close(j);
}

TEST(memory_commits_wait_for_the_sync)
{
	struct journal *j;
	struct journal_start start;
	uint64_t durable = 0;

	journal_memory_open(&j, NULL, true);
	xfree(recover(j, &start));
	add_space(j);
	j->ops->commit(j);
	CHECK(j->ops->busy(j));
	j->ops->poll(j, &durable);
	CHECK_INT(durable, 0);
	journal_memory_crash(j);
	xfree(recover(j, &start));
	CHECK_INT(start.batch, 0);
	CHECK_INT(start.spaces, 0);
	add_space(j);
	j->ops->commit(j);
	journal_memory_sync(j);
	j->ops->poll(j, &durable);
	CHECK_INT(durable, 1);
	journal_memory_crash(j);
	xfree(recover(j, &start));
	CHECK_INT(start.batch, 1);
	CHECK_INT(start.spaces, 1);
	j->ops->close(j);
}

TEST(open_batch_knows_its_size)
{
	struct journal_options o = {.path = new_path()};
	struct journal *j = open_fresh(&o);

	CHECK_INT(j->ops->bytes(j), 0);
	add_space(j);
	add_put(j, 1);
	CHECK_INT(j->ops->changes(j), 2);
	CHECK_INT(j->ops->bytes(j), 4 + 6);
	commit(j);
	CHECK_INT(j->ops->changes(j), 0);
	CHECK_INT(j->ops->bytes(j), 0);
	j->ops->close(j);
}

static void count_wake(void *ctx)
{
	atomic_fetch_add((atomic_int *)ctx, 1);
}

TEST(the_writer_wakes_for_every_batch)
{
	atomic_int woken = 0;
	struct journal_options o = {
		.path = new_path(), .wake = count_wake, .wake_ctx = &woken};
	struct journal *j = open_fresh(&o);

	for (int i = 0; i < 5; i++)
		commit(j);
	j->ops->close(j);
	CHECK_INT(woken, 5);
}

TEST(an_empty_batch_writes_nothing_but_the_first)
{
	struct journal_options o = {.path = new_path(), .vfs = CRASHVFS_NAME};
	struct journal_start start;
	struct journal *j;
	uint64_t writes;

	crashvfs_register();
	crashvfs_crash(0);
	j = open_fresh(&o);
	writes = crashvfs_writes();
	CHECK_INT(commit(j), 1);
	CHECK(crashvfs_writes() > writes);
	writes = crashvfs_writes();
	CHECK_INT(commit(j), 2);
	CHECK_INT(commit(j), 3);
	CHECK_INT(crashvfs_writes(), writes);
	j->ops->close(j);
	j = must_open(&o);
	xfree(recover(j, &start));
	CHECK_INT(start.batch, 1);
	CHECK_INT(start.boot, 2);
	j->ops->close(j);
}

/* Group commit's floor: what a lone client waits for. */
TEST(a_commit_costs_one_sync)
{
	struct journal_options o = {.path = new_path(), .vfs = CRASHVFS_NAME};
	struct journal *j;
	uint64_t syncs;

	crashvfs_register();
	crashvfs_crash(0);
	j = open_fresh(&o);
	add_space(j);
	commit(j);
	for (uint64_t id = 1; id <= 20; id++) {
		syncs = crashvfs_syncs();
		add_put(j, id);
		commit(j);
		CHECK_INT(crashvfs_syncs() - syncs, 1);
	}
	j->ops->close(j);
}

TEST(a_second_server_is_refused)
{
	struct journal_options o = {.path = new_path()}, by_link = o;
	struct journal *j = open_fresh(&o), *second = NULL;
	char link[160];

	CHECK_INT(journal_sqlite_open(&second, &o, why), ERROR_STORE);
	CHECK(strstr(why, o.path) && strstr(why, "in use by another tiliad"));
	snprintf(link, sizeof link, "%s.link", o.path);
	CHECK(symlink(o.path, link) == 0);
	by_link.path = link;
	CHECK_INT(journal_sqlite_open(&second, &by_link, why), ERROR_STORE);
	CHECK(strstr(why, "in use by another tiliad"));
	add_space(j); /* and the first one is none the worse */
	commit(j);
	j->ops->close(j);
	j = open_fresh(&o);
	j->ops->close(j);
}

static sqlite3 *operator_open(const char *path)
{
	sqlite3 *db;

	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	return db;
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
	struct journal_options o = {.path = new_path()};
	struct journal *j = open_fresh(&o);
	sqlite3 *db = operator_open(o.path);

	add_space(j);
	add_put(j, 1);
	add_put(j, 2);
	commit(j);
	CHECK_INT(ask(db, "SELECT count(*) FROM tuple JOIN space ON space = space.number"
	                  " WHERE name = 'main'"),
	          2);
	add_put(j, 3);
	commit(j);
	CHECK_INT(ask(db, "SELECT count(*) FROM tuple"), 3);
	CHECK_INT(ask(db, "SELECT value FROM meta WHERE key = 'batch'"), 2);
	sqlite3_close(db);
	CHECK_INT(commit(j), 3);
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
		.path = new_path(), .wake = operator_acts, .wake_ctx = &op};
	struct journal *j = open_fresh(&o);
	struct scenario_dump d = {BUF_INIT};
	struct journal_start start;
	uint64_t durable = 0;

	op.db = operator_open(o.path);
	add_space(j);
	add_put(j, 1);
	commit(j);
	add_put(j, 2);
	j->ops->commit(j);
	j->ops->wait(j, &durable); /* the batch itself came before */
	CHECK_INT(durable, 2);
	add_put(j, 3);
	if (!j->ops->busy(j))
		j->ops->commit(j);
	CHECK_INT(j->ops->wait(j, &durable), ERROR_STORE);
	CHECK_INT(durable, 2);
	CHECK(strstr(j->ops->error(j), "another program wrote to it"));
	CHECK(strstr(j->ops->error(j), o.path));
	add_put(j, 4);
	j->ops->commit(j); /* does nothing and does not hang */
	CHECK_INT(j->ops->wait(j, &durable), ERROR_STORE);
	j->ops->close(j);
	CHECK_INT(op.rc, SQLITE_OK);
	sqlite3_close(op.db);
	o.wake = NULL;
	j = must_open(&o);
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
		.path = new_path(), .wake = operator_acts, .wake_ctx = &op};
	struct journal *j = open_fresh(&o);

	op.db = operator_open(o.path);
	add_space(j);
	CHECK_INT(commit(j), 1);
	j->ops->close(j);
	CHECK_INT(op.rc, SQLITE_OK);
	sqlite3_close(op.db);
	o.wake = NULL;
	j = open_fresh(&o);
	j->ops->close(j);
}

static void expect_refused(const struct journal_options *o, int code, const char *text)
{
	struct journal *j = NULL;
	int got = journal_sqlite_open(&j, o, why);

	if (got != code || !strstr(why, text))
		test_fail(__FILE__, __LINE__, "code %d, text '%s', not %d, '%s'", got, why, code,
		          text);
}

static void operate(const char *path, const char *sql)
{
	sqlite3 *db = operator_open(path);

	CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

TEST(a_strange_file_is_refused_and_left_alone)
{
	struct journal_options o = {.path = new_path()};
	FILE *f;

	operate(o.path, "CREATE TABLE theirs (x); PRAGMA journal_mode = DELETE");
	expect_refused(&o, ERROR_STORE, "not one of Tilia");
	operate(o.path, "SELECT * FROM theirs");
	o.path = new_path();
	f = fopen(o.path, "w");
	CHECK(f && fputs("This is a letter to my aunt, and a long one, too long for a header "
	                 "of a database, which has a hundred bytes.\n", f) >= 0);
	fclose(f);
	expect_refused(&o, ERROR_DAMAGED, "not a database");
	o.path = "/nonexistent/store";
	expect_refused(&o, ERROR_STORE, "/nonexistent/store.lock");
}

TEST(a_later_schema_is_refused)
{
	struct journal_options o = {.path = new_path()};
	struct journal *j = open_fresh(&o);

	j->ops->close(j);
	operate(o.path, "PRAGMA user_version = 2");
	expect_refused(&o, ERROR_STORE, "schema version 2");
}

TEST(a_changed_table_is_named)
{
	struct journal_options o = {.path = new_path()};
	struct journal *j = open_fresh(&o);

	j->ops->close(j);
	operate(o.path, "CREATE INDEX theirs ON tuple (space)"); /* harmless */
	j = open_fresh(&o);
	j->ops->close(j);
	operate(o.path, "ALTER TABLE tuple ADD COLUMN more");
	expect_refused(&o, ERROR_DAMAGED, "the table tuple is not as it was made");
}

TEST(a_changed_row_is_named)
{
	static const struct {
		const char *sql, *text;
	} cases[] = {
		{"UPDATE tuple SET body = x'80' WHERE id = 2", "checksum of tuple 2"},
		{"UPDATE tuple SET tries = 1 WHERE id = 2", "checksum of tuple 2"},
		{"UPDATE tuple SET expires_ms = 1 WHERE id = 2", "checksum of tuple 2"},
		{"DELETE FROM tuple WHERE id = 2", "has 2 tuples instead of 3"},
		{"UPDATE space SET name = 'y'", "checksum of space 1"},
		{"DELETE FROM space", "space 1, which is missing"},
		{"UPDATE session SET grace_ms = 1", "checksum of session 50"},
		{"DELETE FROM session", "the sessions are not those"},
		{"DELETE FROM outcome", "the outcomes are not those"},
		{"DELETE FROM space WHERE number = 9", "the spaces are not those"},
		{"UPDATE outcome SET results = x'8200f6'", "outcomes of session 50, batch 1"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct journal_options o = {.path = new_path()};
		struct change c = {.kind = CHANGE_SESSION, .session = 50};
		struct scenario_dump d = {BUF_INIT};
		struct journal *j = open_fresh(&o);
		struct journal_start start;

		add_space(j);
		for (uint64_t id = 1; id <= 3; id++)
			add_put(j, id);
		j->ops->add(j, &c);
		c = (struct change){.kind = CHANGE_SPACE, .space = 9, .bytes = bytes_of("x")};
		j->ops->add(j, &c);
		c = (struct change){.kind = CHANGE_OUTCOME, .session = 50, .number = 1};
		c.bytes = bytes_of("\xf6");
		j->ops->add(j, &c);
		commit(j);
		j->ops->close(j);
		operate(o.path, cases[i].sql);
		j = must_open(&o);
		CHECK_INT(j->ops->recover(j, scenario_dump_row, &d, NULL, &start), ERROR_DAMAGED);
		if (!strstr(j->ops->error(j), cases[i].text))
			test_fail(__FILE__, __LINE__, "%s: %s", cases[i].sql, j->ops->error(j));
		j->ops->close(j);
		buf_close(&d.text);
	}
}

TEST(changed_meta_is_refused)
{
	static const char *const keys[] = {"batch",  "boot",     "ceiling", "store",
	                                   "spaces", "sessions", "outcomes"};

	for (int i = 0; i < 7; i++) {
		struct journal_options o = {.path = new_path()};
		struct journal *j = open_fresh(&o);
		char sql[100], text[64];

		commit(j);
		j->ops->close(j);
		snprintf(sql, sizeof sql, "UPDATE meta SET value = value + 1 WHERE key = '%s'",
		         keys[i]);
		snprintf(text, sizeof text, "checksum of meta '%s'", keys[i]);
		operate(o.path, sql);
		expect_refused(&o, ERROR_DAMAGED, text);
		snprintf(sql, sizeof sql, "DELETE FROM meta WHERE key = '%s'", keys[i]);
		snprintf(text, sizeof text, "meta '%s' is missing", keys[i]);
		operate(o.path, sql);
		expect_refused(&o, ERROR_DAMAGED, text);
	}
}

static void copy_file(const char *from, const char *to)
{
	char buf[65536];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t n;

	CHECK(in && out);
	while ((n = fread(buf, 1, sizeof buf, in)) > 0)
		CHECK(fwrite(buf, 1, n, out) == n);
	fclose(in);
	fclose(out);
}

TEST(an_older_database_beside_its_lock_file_is_refused)
{
	struct journal_options o = {.path = new_path()};
	char old[160], lock[160];
	struct journal *j = open_fresh(&o);

	snprintf(old, sizeof old, "%s.old", o.path);
	snprintf(lock, sizeof lock, "%s.lock", o.path);
	add_space(j);
	commit(j);
	j->ops->close(j);
	copy_file(o.path, old);
	j = open_fresh(&o);
	for (uint64_t id = 1; id <= 5; id++) {
		add_put(j, id);
		commit(j);
	}
	j->ops->close(j);
	copy_file(old, o.path);
	expect_refused(&o, ERROR_DAMAGED, "it lost acknowledged work: batch 6 was durable, the "
	                                  "database ends at 1");
	CHECK(unlink(o.path) == 0);
	expect_refused(&o, ERROR_DAMAGED, "(it is empty)");
	copy_file(old, o.path);
	CHECK(unlink(lock) == 0); /* the operator's word that it is meant */
	j = open_fresh(&o);
	j->ops->close(j);
}

TEST(the_lock_file_of_another_store_is_refused)
{
	struct journal_options a = {.path = new_path()}, b;
	char path[160], from[160], to[160];
	struct journal *j = open_fresh(&a);

	j->ops->close(j);
	snprintf(path, sizeof path, "%s.other", a.path);
	b = (struct journal_options){.path = path};
	j = open_fresh(&b);
	j->ops->close(j);
	snprintf(from, sizeof from, "%s.lock", a.path);
	snprintf(to, sizeof to, "%s.lock", b.path);
	copy_file(from, to);
	expect_refused(&b, ERROR_STORE, "belongs to another database");
}

TEST(a_damaged_lock_file_is_named)
{
	struct journal_options o = {.path = new_path()};
	struct journal *j = open_fresh(&o);
	char lock[160];
	FILE *f;

	j->ops->close(j);
	snprintf(lock, sizeof lock, "%s.lock", o.path);
	for (int at = 0; at < 63; at++) {
		int c;

		f = fopen(lock, "r+");
		CHECK(f && fseek(f, at, SEEK_SET) == 0 && (c = fgetc(f)) != EOF);
		CHECK(fseek(f, at, SEEK_SET) == 0 && fputc(c ^ 1, f) != EOF);
		fclose(f);
		expect_refused(&o, ERROR_DAMAGED, ".lock is damaged");
		f = fopen(lock, "r+");
		CHECK(f && fseek(f, at, SEEK_SET) == 0 && fputc(c, f) != EOF);
		fclose(f);
	}
	CHECK(truncate(lock, 62) == 0);
	expect_refused(&o, ERROR_DAMAGED, ".lock is damaged");
	CHECK(truncate(lock, 0) == 0); /* as after a power loss: says nothing */
	j = open_fresh(&o);
	j->ops->close(j);
}

TEST(the_log_does_not_grow_without_bound)
{
	struct journal_options o = {.path = new_path(), .sync = JOURNAL_SYNC_OFF};
	struct journal *j = open_fresh(&o);
	char wal[160];
	struct stat st;
	uint64_t id = 1;

	snprintf(wal, sizeof wal, "%s-wal", o.path);
	add_space(j);
	for (int batch = 0; batch < 400; batch++) {
		for (int i = 0; i < 500; i++)
			add_put(j, id++);
		commit(j);
	}
	CHECK(stat(wal, &st) == 0);
	CHECK(st.st_size > 1000 * 4096);
	CHECK(st.st_size < 1300 * 4096);
	j->ops->close(j);
	CHECK(stat(wal, &st) != 0); /* a clean end leaves one file and the lock */
}

TEST(the_files_are_their_owners_alone)
{
	struct journal_options o = {.path = new_path()};
	struct journal *j = open_fresh(&o);
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

static void note_progress(uint64_t done, uint64_t all, void *ctx)
{
	uint64_t *last = ctx;

	CHECK(done > *last && done <= all);
	*last = done;
}

static void ignore_row(const struct change *c, void *ctx)
{
	(void)c, (void)ctx;
}

TEST(recovery_tells_its_progress)
{
	struct journal_options o = {.path = new_path(), .sync = JOURNAL_SYNC_OFF};
	struct journal *j = open_fresh(&o);
	struct journal_start start;
	uint64_t last = 0;

	add_space(j);
	for (uint64_t id = 1; id <= 150000; id++) {
		add_put(j, id);
		if (id % 50000 == 0)
			commit(j);
	}
	j->ops->close(j);
	j = must_open(&o);
	CHECK_INT(j->ops->recover(j, ignore_row, &last, note_progress, &start), 0);
	CHECK_INT(last, 150000);
	CHECK_INT(start.tuples, 150000);
	CHECK_INT(start.spaces, 1);
	CHECK_INT(start.sessions, 0);
	j->ops->close(j);
}

static void add_delete(struct journal *j, uint64_t id)
{
	struct change c = {.kind = CHANGE_DELETE, .space = 1, .id = id, .bytes = bytes_of("")};

	j->ops->add(j, &c);
}

/* The engine would have to be wrong, or the file: either way no reply may leave. */
TEST(a_change_of_a_missing_row_stops_the_writer)
{
	struct journal_options o = {.path = new_path()};
	struct journal *j = open_fresh(&o);
	struct journal_start start;
	uint64_t durable = 0;

	add_space(j);
	add_put(j, 1);
	commit(j);
	add_put(j, 2);
	add_delete(j, 9);
	j->ops->commit(j);
	CHECK_INT(j->ops->wait(j, &durable), ERROR_DAMAGED);
	CHECK_INT(durable, 1);
	CHECK(strstr(j->ops->error(j), "the row of tuple 9 is missing"));
	j->ops->close(j);
	j = must_open(&o);
	xfree(recover(j, &start));
	CHECK_INT(start.batch, 1);
	CHECK_INT(start.tuples, 1);
	j->ops->close(j);
}
