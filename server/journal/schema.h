/* The tables, and whether a file has them. */
#ifndef TILIA_JOURNAL_SCHEMA_H
#define TILIA_JOURNAL_SCHEMA_H

#include "store.h"

/* Makes the tables in an empty database, and gives it its id. 0 or a code. */
int schema_create(struct store *s);

/* The version of the database: 0 when it is empty. 0; ERROR_STORE when it is somebody else's
 * or of a later version; ERROR_DAMAGED when the tables are not as they were made. */
int schema_check(struct store *s, int64_t *version);

/* Brings one of an earlier version forward. 0 or a code. */
int schema_forward(struct store *s, int64_t version);

#endif
