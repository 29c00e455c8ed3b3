/* How much room the store has: what the disk has left, what is kept of it in
 * FILE.reserve, and how far the log has grown. The writer's. */
#ifndef TILIA_JOURNAL_DISK_H
#define TILIA_JOURNAL_DISK_H

#include "store.h"

#define DISK_LOG_MOST ((uint64_t)256 << 20)
#define DISK_TICK_MS 500 /* how often it is looked at while all is not well */

struct disk {
	struct store *store;
	struct journal_disk is;
	uint64_t log_most; /* bytes */
	int log_pages;     /* the log's, until all of it is in the database */
	int64_t behind_ms; /* since when a part could not go there; 0: it could */
};

void disk_init(struct disk *d, struct store *s, uint64_t log_most);

/* The log after a commit, and after a checkpoint that brought `done` of its pages
 * into the database. */
void disk_committed(struct disk *d);
void disk_checkpointed(struct disk *d, int pages, int done);

/* Takes for the reserve what it lacks, and says in d->is how things are. */
void disk_look(struct disk *d);

/* Whether all the log's space could be given back now, and the reserve needs it. */
bool disk_wants_log(const struct disk *d);

#endif
