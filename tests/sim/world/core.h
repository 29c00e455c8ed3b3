/* The server: the engine between the network and the disk, in virtual time. It holds
 * replies until their batch is durable, as server/shell.c does. */
#ifndef TILIA_TESTS_CORE_H
#define TILIA_TESTS_CORE_H

#include <stdbool.h>
#include <stdint.h>

/* It begins to start. */
void core_start(void);

/* A tick: reads, works, commits, writes; sometimes it stands still, stops or dies. */
void core_tick(void);

/* Whether it accepts connections. */
bool core_is_up(void);

/* The user's end of the link is open: the server accepts it. */
void core_accept(int link);

/* How often it has started. */
uint64_t core_boots(void);

/* The world ends. */
void core_remove(void);

#endif
