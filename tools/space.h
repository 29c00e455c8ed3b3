/* tilia space: what its files share. */
#ifndef TILIA_TOOLS_SPACE_H
#define TILIA_TOOLS_SPACE_H

#include "fields.h"
#include "link.h"
#include "output.h"

struct space {
	struct link link;
	struct output output;
	struct fields fields; /* bury, kick: the template */
	const char *name;
	struct tilia_space options;
	uint64_t most;        /* bury, kick: tuples */
};

/* The value of a text key in a map, or NULL. */
const uint8_t *space_value(const uint8_t *map, const char *key);

/* space list: as a table or in another form; 0 or an exit status. */
int space_list(struct space *space);

/* Moves what matches into the space's dead letters, or from there back, and prints how
 * many that were. 0 or an exit status. */
int space_bury(struct space *space);
int space_kick(struct space *space);

#endif
