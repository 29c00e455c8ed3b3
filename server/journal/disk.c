#include "disk.h"

#include <time.h>

#define LITTLE ((uint64_t)8 << 20)  /* room below which growth is refused: a batch */
#define ENOUGH ((uint64_t)16 << 20) /* and above which it is let in again */
#define LOG_STEP ((uint64_t)4 << 20)
#define LOG_PAGE (STORE_PAGE + 24)

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void disk_init(struct disk *d, struct store *s, uint64_t log_most)
{
	*d = (struct disk){.store = s, .log_most = log_most ? log_most : DISK_LOG_MOST};
}

void disk_committed(struct disk *d)
{
	d->log_pages = d->store->wal_pages;
}

void disk_checkpointed(struct disk *d, int pages, int done)
{
	d->log_pages = done < pages ? pages : 0;
	if (done >= pages)
		d->behind_ms = 0;
	else if (!d->behind_ms)
		d->behind_ms = now_ms();
}

/* Deleted rows leave pages that the database uses again: they are room as well. */
static uint64_t room(struct disk *d)
{
	uint64_t is = reserve_room(&d->store->reserve);

	return is < ENOUGH ? is + store_free_pages(d->store) * STORE_PAGE : is;
}

/* What is kept must be enough for a checkpoint of the whole log, each page of which
 * may lengthen the database, and for a batch behind it. A log that begins anew is
 * soon a step long. */
static uint64_t wanted(uint64_t log)
{
	uint64_t steps = (log + LOG_STEP - 1) / LOG_STEP;

	return RESERVE_LEAST + (steps ? steps : 1) * LOG_STEP;
}

void disk_look(struct disk *d)
{
	struct journal_disk *is = &d->is;
	uint64_t log = (uint64_t)d->log_pages * LOG_PAGE;
	bool whole = reserve_set(&d->store->reserve, wanted(log));
	bool was_full = is->state >= JOURNAL_DISK_FULL;

	is->room = room(d);
	is->reserve = d->store->reserve.size;
	is->log = log;
	is->reader_ms = d->behind_ms ? (uint64_t)(now_ms() - d->behind_ms) : 0;
	if (!whole || is->room < (was_full ? ENOUGH : LITTLE))
		is->state = JOURNAL_DISK_FULL;
	else if (log > d->log_most && d->behind_ms)
		is->state = JOURNAL_DISK_STUCK;
	else if (log > d->log_most / 4 && d->behind_ms)
		is->state = JOURNAL_DISK_HELD;
	else
		is->state = JOURNAL_DISK_WELL;
}

bool disk_wants_log(const struct disk *d)
{
	return d->is.state == JOURNAL_DISK_FULL && d->log_pages == 0 && d->store->wal_pages > 0 &&
	       d->store->reserve.size < wanted(0);
}
