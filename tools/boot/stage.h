/* The first stage: what is run at a place before anything of ours is there
 * (docs/trunk.md). */
#ifndef TILIA_BOOT_STAGE_H
#define TILIA_BOOT_STAGE_H

#include "place.h"
#include "../../libclient/base/buf.h"

#include <stdint.h>

#define STAGE_MARK 16 /* letters of a mark */

/* Exit statuses of the first stage. */
enum stage_exit {
	STAGE_NONE = 97,    /* no interpreter */
	STAGE_OLD = 98,     /* only too old ones */
	STAGE_DAMAGED = 99, /* the payload did not arrive as it was sent */
};

/* Appends the command line for a shell, without a NUL. `id`: of TILIA_RUN;
 * `mark`: STAGE_MARK letters, answered reversed. */
void stage_command(struct buf *b, const char *id, const char *mark, size_t payload, uint32_t crc,
                   const char *python);

/* The argument vector that runs `command` at the place: NULL-terminated, to be
 * freed with stage_argv_free(). Starts with INT and QUIT ignored: a Ctrl-C at
 * the terminal is the launcher's. */
char **stage_argv(const struct place *p, const char *command);
void stage_argv_free(char **argv);

#endif
