/* Stores for the tests of the SQLite journal: opened, filled and looked at. What
 * must succeed ends the test when it does not. */
#ifndef TILIA_TESTS_STORES_H
#define TILIA_TESTS_STORES_H

#include "../../server/journal/journal.h"

#include <sqlite3.h>

/* A path in this program's folder where no store is yet; until the next
 * but one call. */
const char *stores_path(void);

/* Opens it, without recovery. */
struct journal *stores_open(const struct journal_options *o);

/* Recovers; answers the rows as text (scenario.h), for xfree(). */
char *stores_recover(struct journal *j, struct journal_start *start);

/* Opens and recovers. */
struct journal *stores_fresh(const struct journal_options *o);

/* Waits for the commit under way, or commits and waits: the last durable batch. */
uint64_t stores_wait(struct journal *j);
uint64_t stores_commit(struct journal *j);

/* Opening it must fail so, with this in the text. */
void stores_refused(const struct journal_options *o, int code, const char *text);

/* Changes: the space 1, "main"; the tuple ["job", 1] in it. */
void stores_add_space(struct journal *j);
void stores_add_put(struct journal *j, uint64_t id);

/* Another program's connection; and one that executes some SQL and leaves. */
sqlite3 *stores_operator(const char *path);
void stores_operate(const char *path, const char *sql);

#endif
