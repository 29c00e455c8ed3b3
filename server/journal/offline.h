/* What is done with a store by others than its server: looked through, copied, put back,
 * written out as text. All but restore work while a server uses the store, and see it
 * as it is at one instant. A function answers 0, ERROR_STORE or ERROR_DAMAGED, and then
 * has put a text that names the file in why[OFFLINE_WHY]. */
#ifndef TILIA_JOURNAL_OFFLINE_H
#define TILIA_JOURNAL_OFFLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OFFLINE_WHY 512

/* What was looked through. */
struct offline_found {
	uint64_t tuples, spaces, sessions, outcomes, batch, faults;
};

/* Compares everything there is to compare and tells fault() (may be NULL) each
 * difference, naming table and row. ERROR_DAMAGED: there were some, *why is the first.
 * Changes nothing. */
int check_store(const char *path, void (*fault)(const char *text, void *ctx), void *ctx,
                struct offline_found *found, char *why);

/* Writes a copy to the file `to`, which must not exist unless `force`, and looks through
 * it before it gets this name: until then it is to.part, and so it stays when the process
 * dies. */
int backup_store(const char *path, const char *to, bool force, struct offline_found *found,
                 char *why);

#define OFFLINE_KEPT 4096

/* Puts a copy of `backup`, which is looked through first, in the place of the store: under
 * a new id, without sessions, what these held free again, ids and tokens behind all that
 * were ever given out. A store that is there is refused unless `force`, and then kept
 * under another name: kept[OFFLINE_KEPT], else "". */
int restore_store(const char *path, const char *backup, bool force, struct offline_found *found,
                  char *kept, char *why);

/* Writes text, a line for each space and for each tuple (docs/journal.md has its form), of
 * all spaces or one. Errors of writing are left to the caller, in `out`. */
int dump_store(const char *path, const char *space, FILE *out, char *why);

#endif
