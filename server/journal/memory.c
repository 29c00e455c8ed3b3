/* The journal of --volatile, and of the tests that play restarts. Nothing is on
 * disk: with `keep`, the durable rows are kept in `rows`, and the changes of the
 * open batch and of the one under way wait in lists that a crash forgets. */
#include "journal.h"

#include "../../libclient/base/xmalloc.h"
#include "rows.h"

#include <string.h>

struct memory_batch {
	uint64_t number;
	struct change *list;
	size_t count, cap;
	size_t changes, bytes; /* also counted when nothing is kept */
};

struct memory {
	struct journal journal;
	bool keep, busy;
	void (*wake)(void *ctx);
	void *wake_ctx;
	struct memory_batch open, handed;
	struct rows rows;
	uint64_t durable; /* the last durable batch */
	uint64_t stored;  /* the last durable batch that was not empty */
	uint64_t boot, boot_stored;
};

static struct memory *memory_of(const struct journal *j)
{
	return (struct memory *)(uintptr_t)j;
}

static void batch_clear(struct memory_batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		rows_free(&b->list[i]);
	b->count = b->changes = b->bytes = 0;
}

static int memory_recover(struct journal *j, void (*row)(const struct change *c, void *ctx),
                          void *ctx, void (*progress)(uint64_t done, uint64_t all, void *ctx),
                          struct journal_start *start)
{
	struct memory *m = memory_of(j);

	rows_each(&m->rows, row, ctx);
	if (progress)
		progress(m->rows.tuples.count, m->rows.tuples.count, ctx);
	m->boot = m->boot_stored + 1;
	*start = (struct journal_start){
		.batch = m->stored,
		.boot = m->boot,
		.tuples = m->rows.tuples.count,
		.sessions = m->rows.sessions.count,
		.spaces = m->rows.spaces.count,
	};
	return 0;
}

static void memory_add(struct journal *j, const struct change *c)
{
	struct memory_batch *b = &memory_of(j)->open;

	b->changes++;
	b->bytes += c->bytes.n;
	if (!memory_of(j)->keep)
		return;
	if (b->count == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->list = xrealloc(b->list, b->cap * sizeof *b->list);
	}
	rows_copy(&b->list[b->count++], c);
}

static void memory_commit(struct journal *j)
{
	struct memory *m = memory_of(j);
	struct memory_batch cleared = m->handed;

	m->handed = m->open;
	cleared.number = m->handed.number + 1;
	m->open = cleared;
	m->busy = true;
	if (!m->keep)
		journal_memory_sync(j);
}

void journal_memory_sync(struct journal *j)
{
	struct memory *m = memory_of(j);

	if (!m->busy)
		return;
	for (size_t i = 0; i < m->handed.count; i++)
		rows_apply(&m->rows, &m->handed.list[i], m->handed.number);
	m->durable = m->handed.number;
	/* As on disk: an empty batch leaves nothing, except a start's first. */
	if (m->handed.count || m->boot_stored != m->boot)
		m->stored = m->durable;
	m->boot_stored = m->boot;
	batch_clear(&m->handed);
	m->busy = false;
	if (m->wake)
		m->wake(m->wake_ctx);
}

void journal_memory_crash(struct journal *j)
{
	struct memory *m = memory_of(j);

	batch_clear(&m->open);
	batch_clear(&m->handed);
	m->busy = false;
	m->durable = m->stored;
	m->open.number = m->stored + 1;
}

static bool memory_busy(const struct journal *j)
{
	return memory_of(j)->busy;
}

static int memory_poll(struct journal *j, uint64_t *durable)
{
	*durable = memory_of(j)->durable;
	return 0;
}

static int memory_wait(struct journal *j, uint64_t *durable)
{
	journal_memory_sync(j);
	return memory_poll(j, durable);
}

static size_t memory_bytes(const struct journal *j)
{
	return memory_of(j)->open.bytes;
}

static size_t memory_changes(const struct journal *j)
{
	return memory_of(j)->open.changes;
}

static void memory_disk(const struct journal *j, struct journal_disk *d)
{
	(void)j;
	*d = (struct journal_disk){.state = JOURNAL_DISK_WELL};
}

static const char *memory_error(const struct journal *j)
{
	(void)j;
	return "";
}

static void memory_close(struct journal *j)
{
	struct memory *m = memory_of(j);

	batch_clear(&m->open);
	batch_clear(&m->handed);
	xfree(m->open.list);
	xfree(m->handed.list);
	rows_close(&m->rows);
	xfree(m);
}

static const struct journal_ops memory_ops = {
	.recover = memory_recover,
	.add = memory_add,
	.commit = memory_commit,
	.busy = memory_busy,
	.poll = memory_poll,
	.wait = memory_wait,
	.bytes = memory_bytes,
	.changes = memory_changes,
	.disk = memory_disk,
	.error = memory_error,
	.close = memory_close,
};

int journal_memory_open(struct journal **j, const struct journal_options *o, bool keep)
{
	struct memory *m = xcalloc(1, sizeof *m);

	m->journal.ops = &memory_ops;
	m->keep = keep;
	m->wake = o ? o->wake : NULL;
	m->wake_ctx = o ? o->wake_ctx : NULL;
	m->open.number = 1;
	rows_init(&m->rows);
	*j = &m->journal;
	return 0;
}
