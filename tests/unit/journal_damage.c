/* Files that are not what the SQLite journal left: each is refused by name. */
#include "../../libclient/error.h"
#include "../lib/harness.h"
#include "../lib/scenario.h"
#include "../lib/stores.h"

#include <unistd.h>

TEST(a_strange_file_is_refused_and_left_alone)
{
	struct journal_options o = {.path = stores_path()};
	FILE *f;

	stores_operate(o.path, "CREATE TABLE theirs (x); PRAGMA journal_mode = DELETE");
	stores_refused(&o, ERROR_STORE, "not one of Tilia");
	stores_operate(o.path, "SELECT * FROM theirs");
	o.path = stores_path();
	f = fopen(o.path, "w");
	CHECK(f && fputs("This is a letter to my aunt, and a long one, too long for a header "
	                 "of a database, which has a hundred bytes.\n", f) >= 0);
	fclose(f);
	stores_refused(&o, ERROR_DAMAGED, "not a database");
	o.path = "/nonexistent/store";
	stores_refused(&o, ERROR_STORE, "/nonexistent/store.lock");
}

TEST(a_later_schema_is_refused)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);

	j->ops->close(j);
	stores_operate(o.path, "PRAGMA user_version = 2");
	stores_refused(&o, ERROR_STORE, "schema version 2");
}

TEST(a_changed_table_is_named)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);

	j->ops->close(j);
	stores_operate(o.path, "CREATE INDEX theirs ON tuple (space)"); /* harmless */
	j = stores_fresh(&o);
	j->ops->close(j);
	stores_operate(o.path, "ALTER TABLE tuple ADD COLUMN more");
	stores_refused(&o, ERROR_DAMAGED, "the table tuple is not as it was made");
}

TEST(a_changed_row_is_named)
{
	static const struct {
		const char *sql, *text;
	} cases[] = {
		{"UPDATE tuple SET body = x'80' WHERE id = 2", "checksum of tuple 2"},
		{"UPDATE tuple SET tries = 1 WHERE id = 2", "checksum of tuple 2"},
		{"UPDATE tuple SET expires_ms = 1 WHERE id = 2", "checksum of tuple 2"},
		{"UPDATE tuple SET bound = 1 WHERE id = 2", "checksum of tuple 2"},
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
		struct journal_options o = {.path = stores_path()};
		struct change c = {.kind = CHANGE_SESSION, .session = 50};
		struct scenario_dump d = {BUF_INIT};
		struct journal *j = stores_fresh(&o);
		struct journal_start start;

		stores_add_space(j);
		for (uint64_t id = 1; id <= 3; id++)
			stores_add_put(j, id);
		j->ops->add(j, &c);
		c = (struct change){.kind = CHANGE_SPACE, .space = 9, .bytes = bytes_of("x")};
		j->ops->add(j, &c);
		c = (struct change){.kind = CHANGE_OUTCOME, .session = 50, .number = 1};
		c.bytes = bytes_of("\xf6");
		j->ops->add(j, &c);
		stores_commit(j);
		j->ops->close(j);
		stores_operate(o.path, cases[i].sql);
		j = stores_open(&o);
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
		struct journal_options o = {.path = stores_path()};
		struct journal *j = stores_fresh(&o);
		char sql[100], text[64];

		stores_commit(j);
		j->ops->close(j);
		snprintf(sql, sizeof sql, "UPDATE meta SET value = value + 1 WHERE key = '%s'",
		         keys[i]);
		snprintf(text, sizeof text, "checksum of meta '%s'", keys[i]);
		stores_operate(o.path, sql);
		stores_refused(&o, ERROR_DAMAGED, text);
		snprintf(sql, sizeof sql, "DELETE FROM meta WHERE key = '%s'", keys[i]);
		snprintf(text, sizeof text, "meta '%s' is missing", keys[i]);
		stores_operate(o.path, sql);
		stores_refused(&o, ERROR_DAMAGED, text);
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
	struct journal_options o = {.path = stores_path()};
	char old[160], lock[160];
	struct journal *j = stores_fresh(&o);

	snprintf(old, sizeof old, "%s.old", o.path);
	snprintf(lock, sizeof lock, "%s.lock", o.path);
	stores_add_space(j);
	stores_commit(j);
	j->ops->close(j);
	copy_file(o.path, old);
	j = stores_fresh(&o);
	for (uint64_t id = 1; id <= 5; id++) {
		stores_add_put(j, id);
		stores_commit(j);
	}
	j->ops->close(j);
	copy_file(old, o.path);
	stores_refused(&o, ERROR_DAMAGED, "it lost acknowledged work: batch 6 was durable, the "
	                                  "database ends at 1");
	CHECK(unlink(o.path) == 0);
	stores_refused(&o, ERROR_DAMAGED, "(it is empty)");
	copy_file(old, o.path);
	CHECK(unlink(lock) == 0); /* the operator's word that it is meant */
	j = stores_fresh(&o);
	j->ops->close(j);
}

TEST(the_lock_file_of_another_store_is_refused)
{
	struct journal_options a = {.path = stores_path()}, b;
	char path[160], from[160], to[160];
	struct journal *j = stores_fresh(&a);

	j->ops->close(j);
	snprintf(path, sizeof path, "%s.other", a.path);
	b = (struct journal_options){.path = path};
	j = stores_fresh(&b);
	j->ops->close(j);
	snprintf(from, sizeof from, "%s.lock", a.path);
	snprintf(to, sizeof to, "%s.lock", b.path);
	copy_file(from, to);
	stores_refused(&b, ERROR_STORE, "belongs to another database");
}

TEST(a_damaged_lock_file_is_named)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);
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
		stores_refused(&o, ERROR_DAMAGED, ".lock is damaged");
		f = fopen(lock, "r+");
		CHECK(f && fseek(f, at, SEEK_SET) == 0 && fputc(c, f) != EOF);
		fclose(f);
	}
	CHECK(truncate(lock, 62) == 0);
	stores_refused(&o, ERROR_DAMAGED, ".lock is damaged");
	CHECK(truncate(lock, 0) == 0); /* as after a power loss: says nothing */
	j = stores_fresh(&o);
	j->ops->close(j);
}
