/* The journal in an SQLite file. The caller's thread fills one batch while the
 * writer's thread commits the other; the store is the caller's until recovery is
 * over and the writer's from then on. */
#include "journal.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "recover.h"
#include "writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct sqlite {
	struct journal journal;
	struct store store;
	struct writer writer;
	struct batch batch[2];
	struct batch *open; /* the other one is the writer's while it is busy */
	int code;           /* of recovery */
};

static struct sqlite *sqlite_of(const struct journal *j)
{
	return (struct sqlite *)(uintptr_t)j;
}

static int sqlite_recover(struct journal *j, void (*row)(const struct change *c, void *ctx),
                          void *ctx, void (*progress)(uint64_t done, uint64_t all, void *ctx),
                          struct journal_start *start)
{
	struct sqlite *q = sqlite_of(j);
	int error;

	assert(!q->writer.running);
	q->code = recover_rows(&q->store, row, ctx, progress, start);
	if (q->code)
		return q->code;
	q->open->number = start->batch + 1;
	q->writer.handover.durable = start->batch;
	q->store.writer = &q->writer.handover;
	error = writer_start(&q->writer);
	if (error) {
		snprintf(q->store.why, sizeof q->store.why, "cannot start a thread: %s",
		         strerror(error));
		q->code = ERROR_STORE;
	}
	return q->code;
}

static void sqlite_add(struct journal *j, const struct change *c)
{
	batch_add(sqlite_of(j)->open, c);
}

static void sqlite_commit(struct journal *j)
{
	struct sqlite *q = sqlite_of(j);
	struct batch *full = q->open;

	q->open = full == &q->batch[0] ? &q->batch[1] : &q->batch[0];
	batch_clear(q->open, full->number + 1);
	handover_give(&q->writer.handover, full);
}

static bool sqlite_busy(const struct journal *j)
{
	return handover_busy(&sqlite_of(j)->writer.handover);
}

static int sqlite_poll(struct journal *j, uint64_t *durable)
{
	return handover_poll(&sqlite_of(j)->writer.handover, durable);
}

static int sqlite_wait(struct journal *j, uint64_t *durable)
{
	return handover_wait(&sqlite_of(j)->writer.handover, durable);
}

static size_t sqlite_bytes(const struct journal *j)
{
	return sqlite_of(j)->open->area.len;
}

static size_t sqlite_changes(const struct journal *j)
{
	return sqlite_of(j)->open->changes;
}

static void sqlite_disk(const struct journal *j, struct journal_disk *d)
{
	handover_disk(&sqlite_of(j)->writer.handover, d);
}

static const char *sqlite_error(const struct journal *j)
{
	const struct sqlite *q = sqlite_of(j);

	return q->code ? q->store.why : q->writer.handover.why;
}

static void sqlite_close(struct journal *j)
{
	struct sqlite *q = sqlite_of(j);
	uint64_t durable;

	writer_stop(&q->writer);
	store_close(&q->store, q->code == 0 && handover_poll(&q->writer.handover, &durable) == 0);
	writer_close(&q->writer);
	batch_close(&q->batch[0]);
	batch_close(&q->batch[1]);
	xfree(q);
}

static const struct journal_ops sqlite_ops = {
	.recover = sqlite_recover,
	.add = sqlite_add,
	.commit = sqlite_commit,
	.busy = sqlite_busy,
	.poll = sqlite_poll,
	.wait = sqlite_wait,
	.bytes = sqlite_bytes,
	.changes = sqlite_changes,
	.disk = sqlite_disk,
	.error = sqlite_error,
	.close = sqlite_close,
};

int journal_sqlite_open(struct journal **j, const struct journal_options *o, char *why)
{
	struct sqlite *q = xcalloc(1, sizeof *q);
	int code = store_open(&q->store, o);

	if (code) {
		snprintf(why, 256, "%.255s", q->store.why);
		xfree(q);
		return code;
	}
	q->journal.ops = &sqlite_ops;
	writer_init(&q->writer, &q->store, o);
	batch_init(&q->batch[0], 0);
	batch_init(&q->batch[1], 0);
	q->open = &q->batch[0];
	*j = &q->journal;
	return 0;
}
