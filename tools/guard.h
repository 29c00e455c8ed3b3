/* The guard: a process that waits for this one to die, however it dies, and then ends the
 * commands it had running: TERM at once, KILL two seconds later. It holds nothing
 * else open. What it cannot reach: processes that left their command's group. */
#ifndef TILIA_TOOLS_GUARD_H
#define TILIA_TOOLS_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

struct guard {
	int fd; /* its end is the end of this process */
};

/* Starts it. Call it before anything is open that it must not hold. false: errno. */
bool guard_start(struct guard *g);

/* In a new child, before exec: its group (or, alone, the process itself) is to be ended
 * when the process that started the guard dies. Whoever execs afterwards is known to the
 * guard, since the guard hears of that death only when all who say this are done. */
void guard_enter(const struct guard *g, pid_t pid, bool alone);

/* It has ended. Before it is waited for, while nobody else can have its number. */
void guard_leave(const struct guard *g, pid_t pid);

/* The guard ends too. */
void guard_stop(struct guard *g);

#endif
