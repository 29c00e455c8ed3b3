/* The launcher: one script at every place, each worker with a session of its
 * own, its output here, its end reported. */
#ifndef TILIA_BOOT_LAUNCHER_H
#define TILIA_BOOT_LAUNCHER_H

#include "place.h"
#include "roots.h"

#include <stdint.h>

/* Exit statuses, those of every subcommand (tools/tilia.h); else the script's own. */
enum launcher_exit {
	LAUNCHER_DONE = 0,
	LAUNCHER_NO_SERVER = 3,
	LAUNCHER_REFUSED = 4,
	LAUNCHER_SOME = 5,
	LAUNCHER_BOOTSTRAP = 6,
	LAUNCHER_LOCAL = 7,
	LAUNCHER_INTERRUPTED = 130,
};

struct launcher_options {
	const struct place_list *places;
	const struct roots *roots;
	const char *addresses;  /* of the server */
	const char *script;     /* its name */
	struct bytes source;
	char *const *argv;      /* its arguments */
	unsigned argc;
	char *const *env;       /* NAME=VALUE */
	unsigned envc;
	struct bytes may;       /* canonical map, or empty */
	uint64_t patience_ms;   /* for a place to answer */
};

/* Runs it all; answers the exit status of `tilia run`. */
int launcher_run(const struct launcher_options *o);

#endif
