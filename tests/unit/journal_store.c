/* Both journals: what goes in comes back. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../lib/crashvfs.h"
#include "../lib/harness.h"
#include "../lib/scenario.h"
#include "../lib/stores.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <sys/stat.h>

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

	xfree(stores_recover(j, &start));
	CHECK_INT(start.batch, 0);
	CHECK_INT(start.boot, 1);
	for (uint64_t batch = 1; batch <= 60; batch++) {
		char *want, *got;

		scenario_batch(s, j);
		CHECK_INT(stores_commit(j), batch);
		if (batch % 5 != 0 || batch % 7 == 0) /* empty ones leave no number */
			continue;
		want = scenario_text(s);
		j = restart(j, o);
		got = stores_recover(j, &start);
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
	stores_add_put(j, UINT64_C(1) << 52); /* of the open batch: lost */
	journal_memory_crash(j);
	return j;
}

static struct journal *restart_sqlite(struct journal *j, const struct journal_options *o)
{
	stores_add_put(j, UINT64_C(1) << 52);
	j->ops->close(j);
	return stores_open(o);
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
		struct journal_options o = {.path = stores_path(), .sync = levels[seed % 3]};

		play(stores_open(&o), &o, test_seed(seed), seed == 6 ? 300 : 40, restart_sqlite);
	}
}

TEST(memory_without_keep_is_durable_at_once)
{
	struct journal *j;
	struct journal_start start;
	uint64_t durable = 0;

	journal_memory_open(&j, NULL, false);
	xfree(stores_recover(j, &start));
	stores_add_put(j, 1);
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
	xfree(stores_recover(j, &start));
	stores_add_space(j);
	j->ops->commit(j);
	CHECK(j->ops->busy(j));
	j->ops->poll(j, &durable);
	CHECK_INT(durable, 0);
	journal_memory_crash(j);
	xfree(stores_recover(j, &start));
	CHECK_INT(start.batch, 0);
	CHECK_INT(start.spaces, 0);
	stores_add_space(j);
	j->ops->commit(j);
	journal_memory_sync(j);
	j->ops->poll(j, &durable);
	CHECK_INT(durable, 1);
	journal_memory_crash(j);
	xfree(stores_recover(j, &start));
	CHECK_INT(start.batch, 1);
	CHECK_INT(start.spaces, 1);
	j->ops->close(j);
}

TEST(open_batch_knows_its_size)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);

	CHECK_INT(j->ops->bytes(j), 0);
	stores_add_space(j);
	stores_add_put(j, 1);
	CHECK_INT(j->ops->changes(j), 2);
	CHECK_INT(j->ops->bytes(j), 4 + 6);
	stores_commit(j);
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
		.path = stores_path(), .wake = count_wake, .wake_ctx = &woken};
	struct journal *j = stores_fresh(&o);

	for (int i = 0; i < 5; i++)
		stores_commit(j);
	j->ops->close(j);
	CHECK_INT(woken, 5);
}

TEST(an_empty_batch_writes_nothing_but_the_first)
{
	struct journal_options o = {.path = stores_path(), .vfs = CRASHVFS_NAME};
	struct journal_start start;
	struct journal *j;
	uint64_t writes;

	crashvfs_register();
	crashvfs_crash(0);
	j = stores_fresh(&o);
	writes = crashvfs_writes();
	CHECK_INT(stores_commit(j), 1);
	CHECK(crashvfs_writes() > writes);
	writes = crashvfs_writes();
	CHECK_INT(stores_commit(j), 2);
	CHECK_INT(stores_commit(j), 3);
	CHECK_INT(crashvfs_writes(), writes);
	j->ops->close(j);
	j = stores_open(&o);
	xfree(stores_recover(j, &start));
	CHECK_INT(start.batch, 1);
	CHECK_INT(start.boot, 2);
	j->ops->close(j);
}

/* Group commit's floor: what a lone client waits for. */
TEST(a_commit_costs_one_sync)
{
	struct journal_options o = {.path = stores_path(), .vfs = CRASHVFS_NAME};
	struct journal *j;
	uint64_t syncs;

	crashvfs_register();
	crashvfs_crash(0);
	j = stores_fresh(&o);
	stores_add_space(j);
	stores_commit(j);
	for (uint64_t id = 1; id <= 20; id++) {
		syncs = crashvfs_syncs();
		stores_add_put(j, id);
		stores_commit(j);
		CHECK_INT(crashvfs_syncs() - syncs, 1);
	}
	j->ops->close(j);
}

TEST(the_log_does_not_grow_without_bound)
{
	struct journal_options o = {.path = stores_path(), .sync = JOURNAL_SYNC_OFF};
	struct journal *j = stores_fresh(&o);
	char wal[160];
	struct stat st;
	uint64_t id = 1;

	snprintf(wal, sizeof wal, "%s-wal", o.path);
	stores_add_space(j);
	for (int batch = 0; batch < 400; batch++) {
		for (int i = 0; i < 500; i++)
			stores_add_put(j, id++);
		stores_commit(j);
	}
	CHECK(stat(wal, &st) == 0);
	CHECK(st.st_size > 1000 * 4096);
	CHECK(st.st_size < 1300 * 4096);
	j->ops->close(j);
	CHECK(stat(wal, &st) != 0); /* a clean end leaves one file and the lock */
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
	struct journal_options o = {.path = stores_path(), .sync = JOURNAL_SYNC_OFF};
	struct journal *j = stores_fresh(&o);
	struct journal_start start;
	uint64_t last = 0;

	stores_add_space(j);
	for (uint64_t id = 1; id <= 150000; id++) {
		stores_add_put(j, id);
		if (id % 50000 == 0)
			stores_commit(j);
	}
	j->ops->close(j);
	j = stores_open(&o);
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
	struct journal_options o = {.path = stores_path()};
	struct journal *j = stores_fresh(&o);
	struct journal_start start;
	uint64_t durable = 0;

	stores_add_space(j);
	stores_add_put(j, 1);
	stores_commit(j);
	stores_add_put(j, 2);
	add_delete(j, 9);
	j->ops->commit(j);
	CHECK_INT(j->ops->wait(j, &durable), ERROR_DAMAGED);
	CHECK_INT(durable, 1);
	CHECK(strstr(j->ops->error(j), "the row of tuple 9 is missing"));
	j->ops->close(j);
	j = stores_open(&o);
	xfree(stores_recover(j, &start));
	CHECK_INT(start.batch, 1);
	CHECK_INT(start.tuples, 1);
	j->ops->close(j);
}
