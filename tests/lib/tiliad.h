/* A real tiliad ($BUILD/tiliad) under a test of libtilia. There is one at a time; it
 * ends with the test program. */
#ifndef TILIA_TEST_TILIAD_H
#define TILIA_TEST_TILIAD_H

#include "harness.h"

#include "../../libclient/tilia.h"

#include <sys/types.h>

struct tiliad {
	pid_t pid; /* 0: none */
	char socket[256], address[300];
	char store[256]; /* or "": in memory */
};

extern struct tiliad tiliad;

/* Starts one with a socket (and a store) of its own; one that runs, of a test that
 * failed, is ended. */
void tiliad_start(bool durable);

/* Starts it again with the same; ends it. */
void tiliad_run(void);
void tiliad_end(int sig);

int64_t now_ms(void);
void pause_ms(int ms);

/* A handle at the server. */
struct tilia *connect_with(struct tilia_options o);
struct tilia *connect_here(void);

#define CHECK_OK(call)                                                                             \
	do {                                                                                       \
		int code_ = (call);                                                                \
		if (code_ != 0)                                                                    \
			test_fail(__FILE__, __LINE__, "%s: %d", #call, code_);                     \
	} while (0)

#endif
