/* An SQLite VFS, "crash", over the default one, that loses power. What SQLite
 * writes stays in memory until it syncs the file; the real file holds what was
 * synced and nothing else. So a process that is killed leaves what a power loss
 * would leave at worst, and crashvfs_crash() leaves anything in between: of what
 * was not synced, each write is kept, dropped, or torn at 512 bytes, in any order.
 *
 * Files are known by name: connections of one process see the same bytes. Other
 * processes see the synced ones only. Real syncs are left out (a test's power does
 * not fail). Compiled with -DCRASHVFS_PRELOAD as a shared object,
 *     cc -shared -fPIC -DCRASHVFS_PRELOAD -o crashvfs.so tests/lib/crashvfs.c -lsqlite3
 * it is the default VFS of any program that runs under LD_PRELOAD=crashvfs.so. */
#ifndef TILIA_TESTS_CRASHVFS_H
#define TILIA_TESTS_CRASHVFS_H

#include <stdbool.h>
#include <stdint.h>

#define CRASHVFS_NAME "crash"

/* Registers it (once). */
void crashvfs_register(void);

/* The n-th write, truncation or sync from now on (1: the next one) does not
 * return: like everything after it, it fails. A write is then in flight. 0: never. */
void crashvfs_stop_at(uint64_t n);
bool crashvfs_stopped(void);

/* The n-th sync from now on fails with an I/O error, once; what was written stays
 * unsynced. 0: none. */
void crashvfs_fail_sync(uint64_t n);

/* The n-th call from now on fails, once, and does nothing; those the fault cannot
 * happen to are not counted. 0: none. */
enum crashvfs_fault {
	CRASHVFS_EIO,    /* any call */
	CRASHVFS_ENOSPC, /* writes */
	CRASHVFS_SHORT,  /* reads: a half is there, the rest is zero */
};
void crashvfs_fail_at(uint64_t n, enum crashvfs_fault fault);

/* Whether it has happened. */
bool crashvfs_failed(void);

/* How many since crashvfs_crash() or the start. */
uint64_t crashvfs_writes(void);
uint64_t crashvfs_syncs(void);

/* The power fails: unsynced writes are dropped, kept or torn as `seed` has it (0:
 * all are dropped), everything is forgotten, and the power is back. The
 * connections must be closed. */
void crashvfs_crash(uint64_t seed);

#endif
