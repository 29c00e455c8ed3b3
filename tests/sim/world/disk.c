#include "disk.h"

#include "../../lib/crashvfs.h"
#include "sim.h"

#include <stdio.h>
#include <unistd.h>

static struct disk {
	struct journal *journal;
	uint64_t durable, handed; /* batches */
	uint64_t done_ms;         /* when the commit under way is done */
	bool busy;
	bool dying; /* the power has failed, or is about to */
	bool unsynced; /* planted: said to be durable, and is not */
} disk;

static const char *path(const char *end)
{
	static char text[300];

	snprintf(text, sizeof text, "%s/sim.db%s", test_folder(), end);
	return text;
}

/* ---- rows on their way back ---- */

struct reader {
	void (*row)(const struct change *c, void *ctx);
	uint64_t highest; /* id, token or session that a row names */
	uint64_t ceiling;
};

static void higher(uint64_t *highest, uint64_t n)
{
	if (n > *highest)
		*highest = n;
}

/* Planted: a claim's row comes back as that of a visible tuple; the ceiling is
 * guessed from the rows, as if none had been kept. */
static void read_row(const struct change *c, void *ctx)
{
	struct reader *r = ctx;
	struct change copy = *c;

	higher(&r->highest, c->id);
	higher(&r->highest, c->token);
	higher(&r->highest, c->kind == CHANGE_SESSION ? c->session : 0);
	if (c->kind == CHANGE_CEILING && sim_planted(PLANT_SAME_TOKEN, 1)) {
		r->ceiling = c->number;
		return;
	}
	if (c->kind == CHANGE_PUT && c->token && sim_planted(PLANT_LOST_CLAIM, 2))
		copy.session = copy.token = copy.number = copy.lease_ms = 0;
	r->row(&copy, NULL);
}

static bool open_journal(bool fatal)
{
	struct journal_options o = {.vfs = CRASHVFS_NAME, .checkpoint_pages = 50};
	char why[256];

	if (disk.journal)
		return true;
	if (!sim.rates.sqlite)
		return journal_memory_open(&disk.journal, NULL, true) == 0;
	o.path = path("");
	if (journal_sqlite_open(&disk.journal, &o, why) == 0)
		return true;
	disk.journal = NULL;
	if (!fatal)
		sim_fail(0, "the store does not open: %s", why);
	return false;
}

bool disk_open(void (*row)(const struct change *c, void *ctx), struct journal_start *start)
{
	bool fatal = sim.faults && sim.rates.sqlite && sim.rates.fatal && test_random_below(4) == 0;
	struct reader r = {.row = row};

	if (fatal)
		crashvfs_stop_at(1 + test_random_below(6));
	if (!open_journal(fatal))
		return false;
	if (disk.journal->ops->recover(disk.journal, read_row, &r, NULL, start) != 0) {
		if (!fatal)
			sim_fail(0, "recovery: %s", disk.journal->ops->error(disk.journal));
		return false;
	}
	disk.dying = fatal;
	if (r.ceiling)
		row(&(struct change){.kind = CHANGE_CEILING, .number = r.highest + 1}, NULL);
	disk.durable = disk.handed = start->batch;
	return true;
}

/* ---- commits ---- */

void disk_add(const struct change *c)
{
	if (c->kind == CHANGE_OUTCOME && sim_planted(PLANT_FREED_OUTCOME, 4))
		return;
	disk.journal->ops->add(disk.journal, c);
}

size_t disk_changes(void)
{
	return disk.journal->ops->changes(disk.journal);
}

static uint64_t commit_ms(void)
{
	if (!sim.faults)
		return 1;
	return test_random_below(sim.rates.disk_ms * (test_random_below(50) ? 1 : 20) + 1);
}

/* SQLite's writer does its work while this waits: only the answer takes virtual time. */
static void commit_sqlite(bool fatal)
{
	uint64_t durable;

	if (fatal && !disk.dying)
		crashvfs_stop_at(1 + test_random_below(12));
	disk.journal->ops->commit(disk.journal);
	if (disk.journal->ops->wait(disk.journal, &durable) == 0)
		return;
	if (!fatal)
		sim_fail(0, "the journal failed: %s", disk.journal->ops->error(disk.journal));
}

bool disk_commit(uint64_t batch)
{
	bool fatal = disk.dying || (sim.faults && sim.rates.fatal &&
	                            test_random_below(sim.rates.fatal) == 0);

	if (disk.unsynced)
		journal_memory_sync(disk.journal);
	disk.unsynced = false;
	if (sim.rates.sqlite)
		commit_sqlite(fatal);
	else
		disk.journal->ops->commit(disk.journal);
	disk.busy = true;
	disk.handed = batch;
	disk.done_ms = fatal ? UINT64_MAX : sim.now_ms + commit_ms();
	return !fatal;
}

static void look(void)
{
	if (!disk.busy || disk.done_ms > sim.now_ms)
		return;
	disk.busy = false;
	disk.durable = disk.handed;
	if (sim.rates.sqlite)
		return;
	disk.unsynced = sim_planted(PLANT_DROPPED_SYNC, 3);
	if (!disk.unsynced)
		journal_memory_sync(disk.journal);
}

bool disk_busy(void)
{
	look();
	return disk.busy;
}

uint64_t disk_durable(void)
{
	look();
	return disk.durable;
}

/* ---- the power fails ---- */

void disk_crash(void)
{
	if (sim.rates.sqlite) {
		crashvfs_stop_at(1);
		if (disk.journal)
			disk.journal->ops->close(disk.journal);
		disk.journal = NULL;
		crashvfs_crash(1 + test_random_below(1000000));
	} else {
		if (disk.busy && test_random_below(2)) /* it was in flight, and arrived */
			journal_memory_sync(disk.journal);
		journal_memory_crash(disk.journal);
	}
	disk.busy = disk.unsynced = disk.dying = false;
}

void disk_remove(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};

	if (disk.journal)
		disk.journal->ops->close(disk.journal);
	if (sim.rates.sqlite)
		crashvfs_crash(0);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		unlink(path(ends[i]));
	disk = (struct disk){.busy = false};
}
