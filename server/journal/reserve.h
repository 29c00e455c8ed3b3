/* FILE.reserve, beside the database: disk space that is taken while there is some,
 * to be given back to the file system when a commit finds none. It holds nothing,
 * and stays when the server ends, so that a start on a full disk has it too. */
#ifndef TILIA_JOURNAL_RESERVE_H
#define TILIA_JOURNAL_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#define RESERVE_SUFFIX ".reserve"
#define RESERVE_LEAST ((uint64_t)8 << 20)

struct reserve {
	const char *store; /* the database's path; the caller's */
	int fd;            /* -1: it could not be made */
	uint64_t size;     /* what it has */
};

/* Opens or makes it, and takes RESERVE_LEAST as far as there is room. It cannot
 * fail: what is not there has size 0, and is tried again. */
void reserve_open(struct reserve *r, const char *store);
void reserve_close(struct reserve *r);

/* Bytes free beside it. 0 when nobody knows. */
uint64_t reserve_room(const struct reserve *r);

/* Takes as much as is wanted, or as there is but for a little that commits need at
 * once; gives back what is far too much. Whether it has that much. */
bool reserve_set(struct reserve *r, uint64_t wanted);

/* Gives all of it back. */
void reserve_release(struct reserve *r);

#endif
