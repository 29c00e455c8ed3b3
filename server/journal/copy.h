/* A copy of a database under way: made whole under a name that nobody takes for a store,
 * then given its own. Its functions answer as those of offline.h. */
#ifndef TILIA_JOURNAL_COPY_H
#define TILIA_JOURNAL_COPY_H

#include "offline.h"
#include "store.h"

#define COPY_SUFFIX ".part"

struct copy {
	char path[STORE_PATH], part[STORE_PATH];
	int fd; /* keeps another copy to the same name away */
};

/* Begins path.part, empty; what a copy that died has left there is gone. */
int copy_begin(struct copy *c, const char *path, char *why);

/* Fills it with what the store `from` holds at one instant. */
int copy_fill(struct copy *c, const char *from, char *why);

/* Syncs the folder of its name: what was renamed there stays so after a power loss. */
int copy_sync_folder(const struct copy *c, char *why);

/* Syncs it and gives it its name, for good, in the place of what has it. */
int copy_finish(struct copy *c, char *why);

/* Ends it; one that was not finished is removed. */
void copy_end(struct copy *c);

#endif
