/* Power losses, failing syncs and flipped bits: what was said to be durable is
 * there afterwards, or its loss is named. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../lib/crashvfs.h"
#include "../lib/harness.h"
#include "../lib/scenario.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCHES 30
#define CHANGES 10
#define SCENARIO 7 /* its seed */

static char why[256];
static char path[128];

/* What the store must hold after each batch. */
static char *texts[BATCHES + 1];

static void expect_texts(uint64_t seed, unsigned changes)
{
	struct scenario *s = scenario_create(seed, changes);
	struct journal *j;

	journal_memory_open(&j, NULL, false);
	for (int i = 0; i <= BATCHES; i++) {
		if (i)
			scenario_batch(s, j);
		xfree(texts[i]);
		texts[i] = scenario_text(s);
	}
	j->ops->close(j);
	scenario_destroy(s);
}

static void remove_store(void)
{
	static const char *const suffix[] = {"", "-wal", "-shm", "-journal", ".lock"};

	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		char name[160];

		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		unlink(name);
	}
}

static void new_store(void)
{
	snprintf(path, sizeof path, "%s/store", test_folder());
	remove_store();
	crashvfs_register();
	crashvfs_crash(0);
}

/* Opens and recovers; 0 and the rows as text for xfree(), or a code and why. */
static int recover(const struct journal_options *o, struct journal **j, char **text,
                   struct journal_start *start)
{
	struct scenario_dump d = {BUF_INIT};
	int code = journal_sqlite_open(j, o, why);

	*text = NULL;
	if (code)
		return code;
	code = (*j)->ops->recover(*j, scenario_dump_row, &d, NULL, start);
	if (code) {
		snprintf(why, sizeof why, "%.255s", (*j)->ops->error(*j));
		(*j)->ops->close(*j);
		buf_close(&d.text);
		return code;
	}
	scenario_dump_text(&d);
	*text = (char *)d.text.data;
	return 0;
}

/* Plays the scenario until it ends or something fails; answers the last batch
 * that was said to be durable. */
static uint64_t play(const struct journal_options *o)
{
	struct scenario *s = scenario_create(SCENARIO, CHANGES);
	struct journal_start start;
	uint64_t durable = 0;
	struct journal *j;
	char *text;

	if (recover(o, &j, &text, &start) != 0) {
		scenario_destroy(s);
		return 0;
	}
	xfree(text);
	for (int i = 0; i < BATCHES; i++) {
		scenario_batch(s, j);
		j->ops->commit(j);
		if (j->ops->wait(j, &durable) != 0)
			break;
	}
	j->ops->close(j);
	scenario_destroy(s);
	return durable;
}

/* Whether what came back is the state after some batch, and holds all that was
 * durable. Batches that changed nothing leave no number. */
static void check_recovered(const char *text, const struct journal_start *start, uint64_t durable,
                            uint64_t n)
{
	if (start->batch > BATCHES || strcmp(text, texts[start->batch]) != 0)
		test_fail(__FILE__, __LINE__, "crash at %" PRIu64 ": not the state after batch %"
		          PRIu64, n, start->batch);
	if (start->batch < durable && strcmp(text, texts[durable]) != 0)
		test_fail(__FILE__, __LINE__,
		          "crash at %" PRIu64 ": batch %" PRIu64 " was durable, %" PRIu64
		          " is the last", n, durable, start->batch);
}

/* The file, by itself, as SQLite sees it. */
static void check_integrity(uint64_t n)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;

	CHECK_INT(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, CRASHVFS_NAME), SQLITE_OK);
	CHECK_INT(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
	if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
		test_fail(__FILE__, __LINE__, "crash at %" PRIu64 ": %s", n,
		          sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void unlink_lock(void)
{
	char name[160];

	snprintf(name, sizeof name, "%s.lock", path);
	CHECK(unlink(name) == 0);
}

struct losses {
	uint64_t points, named, lost_batches;
};

/* The n-th write or sync is the last, for every n, and the power loss drops, keeps
 * and tears what was not synced, in so many ways. */
static void crash_everywhere(enum journal_sync sync, uint64_t crashes, struct losses *found)
{
	struct journal_options o = {
		.path = path, .sync = sync, .vfs = CRASHVFS_NAME, .checkpoint_pages = 25};
	bool stopped = true;

	*found = (struct losses){0};
	expect_texts(SCENARIO, CHANGES);
	for (uint64_t n = 1; stopped; n++) {
		for (uint64_t crash = 0; crash < crashes; crash++) {
			struct journal_start start;
			struct journal *j;
			uint64_t durable;
			char *text;

			new_store();
			crashvfs_stop_at(n);
			durable = play(&o);
			stopped = crashvfs_stopped();
			crashvfs_crash((n + crash) % 3 ? n * 3 + crash : 0);
			found->points++;
			if (recover(&o, &j, &text, &start) != 0) {
				found->named++;
				found->lost_batches +=
					strstr(why, "lost acknowledged work") != NULL;
				if (sync == JOURNAL_SYNC_OFF)
					continue;
				unlink_lock(); /* the operator's word: go on with what is left */
				CHECK_INT(recover(&o, &j, &text, &start), 0);
				durable = 0;
			}
			check_recovered(text, &start, durable, n);
			xfree(text);
			j->ops->close(j);
			check_integrity(n);
		}
	}
}

TEST(every_crash_point_keeps_what_was_durable)
{
	struct losses found;

	crash_everywhere(JOURNAL_SYNC_FULL, 3, &found);
	printf("# %" PRIu64 " crashes\n", found.points);
	CHECK(found.points > 500);
	if (found.named)
		test_fail(__FILE__, __LINE__, "%" PRIu64 " do not open, the last: %s", found.named,
		          why);
}

/* The proof that the test above can fail: without syncs work is lost, and the
 * number beside the file tells. */
TEST(without_syncs_losses_happen_and_are_named)
{
	struct losses found;

	crash_everywhere(JOURNAL_SYNC_OFF, 1, &found);
	printf("# %" PRIu64 " crashes, %" PRIu64 " losses named, %" PRIu64 " as lost work\n",
	       found.points, found.named, found.lost_batches);
	CHECK(found.named > found.points / 4);
	CHECK(found.lost_batches > found.points / 10);
}

/* --sync normal: the last batches may go, the rest is sound. */
TEST(normal_syncs_lose_the_last_batches_at_most)
{
	struct losses found;

	crash_everywhere(JOURNAL_SYNC_NORMAL, 1, &found);
	printf("# %" PRIu64 " crashes, %" PRIu64 " losses named\n", found.points, found.named);
	CHECK(found.named > found.points / 10);
	CHECK_INT(found.lost_batches, found.named);
}

/* The power fails again while the server starts, or a moment later. */
TEST(a_crash_during_recovery_loses_nothing_either)
{
	struct journal_options o = {
		.path = path, .vfs = CRASHVFS_NAME, .checkpoint_pages = 25};
	uint64_t points = 0;

	expect_texts(SCENARIO, CHANGES);
	for (uint64_t n = 40; n < 500; n += 70) {
		bool stopped = true;

		for (uint64_t m = 1; stopped; m++, points++) {
			struct journal_start start;
			uint64_t durable, after;
			struct journal *j;
			char *text;

			new_store();
			crashvfs_stop_at(n);
			durable = play(&o);
			crashvfs_crash(n + m);
			crashvfs_stop_at(m);
			if (recover(&o, &j, &text, &start) == 0) {
				xfree(text);
				j->ops->commit(j); /* the start's first: its boot number */
				j->ops->wait(j, &after);
				j->ops->close(j);
			}
			stopped = crashvfs_stopped();
			crashvfs_crash(n * m + 1);
			if (recover(&o, &j, &text, &start) != 0)
				test_fail(__FILE__, __LINE__, "%s", why);
			CHECK(start.batch <= BATCHES);
			if (strcmp(text, texts[start.batch]) != 0) /* the first one is there */
				start.batch--;
			check_recovered(text, &start, durable, n);
			xfree(text);
			j->ops->close(j);
		}
	}
	CHECK(points > 30);
}

/* After a sync that failed, nobody knows what is on disk (fsyncgate): nothing more
 * is durable, though the next sync would succeed. */
TEST(a_failed_sync_stops_the_writer_for_good)
{
	struct journal_options o = {
		.path = path, .vfs = CRASHVFS_NAME, .checkpoint_pages = 25};
	uint64_t failures = 0;

	expect_texts(SCENARIO, CHANGES);
	for (uint64_t n = 1;; n++) {
		struct scenario *s = scenario_create(SCENARIO, CHANGES);
		struct journal_start start;
		uint64_t durable = 0, after = 0, syncs;
		struct journal *j;
		int code = 0, i;
		char *text;

		new_store();
		if (recover(&o, &j, &text, &start) != 0)
			test_fail(__FILE__, __LINE__, "%s", why);
		xfree(text);
		crashvfs_fail_sync(n);
		for (i = 0; i < BATCHES && code == 0; i++) {
			scenario_batch(s, j);
			j->ops->commit(j);
			code = j->ops->wait(j, &durable);
		}
		if (code) {
			failures++;
			CHECK_INT(code, ERROR_STORE);
			CHECK(strstr(j->ops->error(j), "disk I/O error"));
			syncs = crashvfs_syncs();
			j->ops->commit(j);
			CHECK_INT(j->ops->wait(j, &after), ERROR_STORE);
			CHECK_INT(after, durable);
			CHECK_INT(crashvfs_syncs(), syncs);
		}
		j->ops->close(j);
		scenario_destroy(s);
		crashvfs_crash(0);
		if (recover(&o, &j, &text, &start) != 0)
			test_fail(__FILE__, __LINE__, "%s", why);
		check_recovered(text, &start, durable, n);
		xfree(text);
		j->ops->close(j);
		if (code == 0)
			break;
	}
	CHECK(failures >= BATCHES - BATCHES / 7);
}

/* Fails the n-th call of its kind, at the start of a store that was left by a power
 * loss or in the work after it, until a run is clean. Whatever was durable is there
 * afterwards; with `endures` nothing has failed either. Answers how many runs failed. */
static uint64_t fail_everywhere(enum crashvfs_fault fault, uint64_t loss, bool endures)
{
	struct journal_options o = {
		.path = path, .vfs = CRASHVFS_NAME, .checkpoint_pages = 25};
	uint64_t failures = 0;
	bool happened = true;

	expect_texts(SCENARIO, CHANGES);
	for (uint64_t n = 1; happened; n++) {
		struct journal_start start;
		uint64_t durable = 0, before;
		struct journal *j;
		int code = 0;
		char *text;

		new_store();
		crashvfs_stop_at(loss);
		before = loss ? play(&o) : 0;
		crashvfs_crash(n);
		crashvfs_fail_at(n, fault);
		if (loss) {
			code = recover(&o, &j, &text, &start);
			if (code == 0) {
				check_recovered(text, &start, before, n);
				xfree(text);
				j->ops->commit(j);
				code = j->ops->wait(j, &durable);
				j->ops->close(j);
			}
		} else {
			before = play(&o);
			code = before < BATCHES;
		}
		happened = crashvfs_failed();
		failures += code != 0;
		if (endures)
			CHECK_INT(code, 0);
		crashvfs_crash(0);
		CHECK_INT(recover(&o, &j, &text, &start), 0);
		if (loss && strcmp(text, texts[start.batch]) != 0) /* the first of that start */
			start.batch--;
		check_recovered(text, &start, before, n);
		xfree(text);
		j->ops->close(j);
		check_integrity(n);
	}
	return failures;
}

TEST(every_call_that_fails_loses_nothing)
{
	uint64_t failures = fail_everywhere(CRASHVFS_EIO, 0, false);

	printf("# %" PRIu64 " runs failed\n", failures);
	CHECK(failures > 300);
}

TEST(every_call_that_fails_during_recovery_loses_nothing)
{
	uint64_t failures = 0;

	for (uint64_t loss = 60; loss < 500; loss += 190)
		failures += fail_everywhere(CRASHVFS_EIO, loss, false);
	printf("# %" PRIu64 " runs failed\n", failures);
	CHECK(failures > 60);
}

/* What was read by halves is found out, or did not matter. */
TEST(every_short_read_loses_nothing)
{
	uint64_t failures = fail_everywhere(CRASHVFS_SHORT, 250, false);

	printf("# %" PRIu64 " runs failed\n", failures);
	CHECK(failures > 10);
}

/* A write without room is made again, and nobody notices. */
TEST(every_write_without_room_is_made_again)
{
	CHECK_INT(fail_everywhere(CRASHVFS_ENOSPC, 0, true), 0);
	CHECK_INT(fail_everywhere(CRASHVFS_ENOSPC, 250, true), 0);
}

static uint8_t *read_file(const char *suffix, size_t *n)
{
	char name[160];
	FILE *f;
	uint8_t *p;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	f = fopen(name, "rb");
	CHECK(f && fseek(f, 0, SEEK_END) == 0);
	*n = (size_t)ftell(f);
	p = xmalloc(*n);
	rewind(f);
	CHECK(fread(p, 1, *n, f) == *n);
	fclose(f);
	return p;
}

static void write_file(const char *suffix, const uint8_t *p, size_t n)
{
	char name[160];
	FILE *f;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	f = fopen(name, "wb");
	CHECK(f && fwrite(p, 1, n, f) == n);
	fclose(f);
}

/* A store after the scenario: its files as they are while the server runs (the
 * log never went back to the database), or after a clean end. */
struct image {
	uint8_t *db, *wal, *lock;
	size_t db_n, wal_n, lock_n;
	char *text;
};

static void image_take(struct image *im, bool running)
{
	struct journal_options o = {.path = path, .checkpoint_pages = 1000000};
	struct scenario *s = scenario_create(SCENARIO, 40);
	struct journal_start start;
	uint64_t durable;
	struct journal *j;

	new_store();
	CHECK_INT(recover(&o, &j, &im->text, &start), 0);
	xfree(im->text);
	for (int i = 0; i < BATCHES; i++) {
		scenario_batch(s, j);
		j->ops->commit(j);
		CHECK_INT(j->ops->wait(j, &durable), 0);
	}
	im->text = scenario_text(s);
	scenario_destroy(s);
	if (!running)
		j->ops->close(j);
	im->db = read_file("", &im->db_n);
	im->wal = running ? read_file("-wal", &im->wal_n) : NULL;
	im->lock = read_file(".lock", &im->lock_n);
	if (running)
		j->ops->close(j);
}

static void image_close(struct image *im)
{
	xfree(im->db);
	xfree(im->wal);
	xfree(im->lock);
	xfree(im->text);
}

/* Flips one bit of p and starts: true when that is named, false when it does no
 * harm; other rows fail the test. */
static bool flip_is_named(const struct image *im, uint8_t *p, uint64_t bit)
{
	struct journal_options o = {.path = path};
	struct journal_start start;
	struct journal *j;
	char *text;
	int code;

	remove_store();
	p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	write_file("", im->db, im->db_n);
	if (im->wal)
		write_file("-wal", im->wal, im->wal_n);
	write_file(".lock", im->lock, im->lock_n);
	p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	why[0] = 0;
	code = recover(&o, &j, &text, &start);
	if (code) {
		CHECK(strstr(why, "store"));
		return true;
	}
	j->ops->close(j);
	if (strcmp(text, im->text) != 0)
		test_fail(__FILE__, __LINE__, "bit %" PRIu64 ": other rows", bit);
	xfree(text);
	return false;
}

static int flips_named(bool running)
{
	struct image im = {0};
	int named = 0;

	image_take(&im, running);
	test_seed(11);
	for (int i = 0; i < 300; i++)
		named += flip_is_named(&im, running ? im.wal : im.db,
		                       test_random_below(8 * (running ? im.wal_n : im.db_n)));
	image_close(&im);
	printf("# %d of 300 flips named, the others harmless\n", named);
	return named;
}

TEST(bits_flipped_in_the_log_are_named)
{
	CHECK(flips_named(true) > 280);
}

TEST(bits_flipped_in_the_database_are_named_or_harmless)
{
	CHECK(flips_named(false) > 100);
}
