/* The server's disk: a journal that takes virtual time, and loses power. In memory,
 * or SQLite over the crash VFS. */
#ifndef TILIA_TESTS_DISK_H
#define TILIA_TESTS_DISK_H

#include "../../../server/journal/journal.h"

/* Opens it and gives its rows to row(). False: the machine dies meanwhile, or it cannot be
 * read (sim_fail() said so). */
bool disk_open(void (*row)(const struct change *c, void *ctx), struct journal_start *start);

void disk_add(const struct change *c);
size_t disk_changes(void);

/* Only when not busy. False: the machine dies within it. */
bool disk_commit(uint64_t batch);
bool disk_busy(void);

/* The last durable batch. */
uint64_t disk_durable(void);

/* The power fails. */
void disk_crash(void);

/* The world ends. */
void disk_remove(void);

#endif
