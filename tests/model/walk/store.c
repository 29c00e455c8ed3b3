/* The journal under the engine: batches are sealed and synced, the power fails. */
#include "../../lib/crashvfs.h"
#include "world.h"

#include <unistd.h>

void store_sync(void)
{
	uint64_t durable;

	if (!w.committing)
		return;
	if (!w.sqlite)
		journal_memory_sync(w.journal);
	CHECK_INT(w.journal->ops->wait(w.journal, &durable), 0);
	CHECK_INT(durable, w.open_batch - 1);
	w.committing = false;
	w.durable = w.sealed;
	w.durable_batch = durable;
}

void store_seal(void)
{
	bool fatal = w.sqlite && w.walking && !w.committing && test_random_below(6) == 0;
	struct event ev = driver_event(EV_SEAL);
	uint64_t durable;

	if (w.committing)
		return;
	driver_step(&ev);
	driver_check();
	w.sealed = w.now;
	w.open_batch++;
	w.expiries = 0;
	w.committing = true;
	if (fatal)
		crashvfs_stop_at(1 + test_random_below(12));
	w.journal->ops->commit(w.journal);
	if (!fatal)
		return;
	if (w.journal->ops->wait(w.journal, &durable) == 0)
		store_sync(); /* it failed later than this commit */
	store_crash();
}

void store_next(void)
{
	bool walking = w.walking;

	w.walking = false; /* the power stays */
	store_sync();
	store_seal();
	store_sync();
	w.walking = walking;
}

static void restore_row(const struct change *c, void *ctx)
{
	struct event ev = driver_event(EV_RESTORE);

	(void)ctx;
	ev.change = c;
	driver_step(&ev);
}

static void open_journal(void)
{
	struct journal_options options = {.vfs = CRASHVFS_NAME};
	char path[300], why[256];

	if (!w.sqlite) {
		if (!w.journal)
			CHECK_INT(journal_memory_open(&w.journal, &options, true), 0);
		return;
	}
	snprintf(path, sizeof path, "%s/model.db", test_folder());
	options.path = path;
	if (journal_sqlite_open(&w.journal, &options, why))
		test_fail(__FILE__, __LINE__, "the store does not open: %s", why);
}

void store_start(void)
{
	struct engine_config config = {.hash_seed = test_random()};
	struct journal_start found;
	struct event ev;

	engine_limits_default(&config.limits);
	w.most_claims = w.few ? 5 : (int)config.limits.claims;
	w.most_expiries = w.limited ? 2 : config.limits.expiries;
	w.expiries = 0;
	if (w.few) {
		config.limits.indexes = 2;
		config.limits.ring_bytes = 800;
		config.limits.watch_bytes = 100;
		config.limits.claims = (uint32_t)w.most_claims;
		config.limits.expiries = w.most_expiries;
	}
	w.engine = engine_create(&config);
	m_watch_reset();
	open_journal();
	if (w.journal->ops->recover(w.journal, restore_row, NULL, NULL, &found))
		test_fail(__FILE__, __LINE__, "recovery: %s", w.journal->ops->error(w.journal));
	if (w.committing && found.batch == w.open_batch - 1)
		m_recover(&w.sealed); /* in flight, and it arrived */
	else if (w.open_batch > 0)
		m_recover(&w.durable);
	else
		m_space_make(bytes_of("main"), false, 1);
	w.durable = w.now;
	ev = driver_event(EV_READY);
	ev.batch = found.batch + 1;
	ev.boot = found.boot;
	driver_step(&ev);
	w.open_batch = found.batch + 1;
	w.durable_batch = found.batch;
	w.committing = false;
	w.now.next_id = w.now.ceiling > 2 ? w.now.ceiling : 2;
	w.now.ceiling = w.now.next_id + ENGINE_CEILING_STEP;
	driver_check();
}

void store_crash(void)
{
	for (int i = 0; i < CONNS; i++)
		w.conns[i].open = false;
	if (w.sqlite && w.committing && !crashvfs_stopped())
		store_sync(); /* the same walk each time: no race with the writer's thread */
	for (int c = 0; c < SESSIONS; c++)
		for (int i = 0; i < w.clients[c].count; i++)
			w.clients[c].sent[i].answered = client_delivered(&w.clients[c].sent[i]);
	engine_destroy(w.engine);
	if (w.sqlite) {
		crashvfs_stop_at(1);
		w.journal->ops->close(w.journal);
		crashvfs_crash(1 + test_random_below(1000000));
	} else {
		journal_memory_crash(w.journal);
	}
	w.wall_ms = ++w.wall_last;
	w.now_ms++; /* a restart takes its time: cursors of watches begin at the wall clock */
	store_start();
	w.totals.crashes++;
}

void store_remove(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char path[300];

	crashvfs_crash(0);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s/model.db%s", test_folder(), ends[i]);
		unlink(path);
	}
}
