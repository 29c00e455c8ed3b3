/* The writer's thread: commits batches one after the other, checkpoints between
 * them, and stops for good at the first failure. */
#ifndef TILIA_JOURNAL_WRITER_H
#define TILIA_JOURNAL_WRITER_H

#include "disk.h"
#include "store.h"

#define WRITER_CHECKPOINT_PAGES 1000

struct writer {
	pthread_t thread;
	bool running;
	struct handover handover;
	struct store *store; /* the writer's while it runs */
	bool boot_written;
	struct disk disk;
	int checkpoint_pages;   /* WRITER_CHECKPOINT_PAGES, or what a test wants */
	int checkpoint_at;      /* so many pages in the log */
	struct store_sums sums; /* with the batch that is being written */
	struct buf blob;
};

void writer_init(struct writer *w, struct store *s, const struct journal_options *o);

/* On the thread: writes a batch's rows, within the transaction. 0 or a code. */
int writer_rows(struct writer *w, const struct batch *b);

/* Starts the thread, with signals blocked. 0 or an errno. */
int writer_start(struct writer *w);

/* Lets it finish what it was given and joins it; does nothing when none runs. */
void writer_stop(struct writer *w);

void writer_close(struct writer *w);

#endif
