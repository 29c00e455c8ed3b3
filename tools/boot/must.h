/* The launcher cannot go on without memory: what it holds for its workers would
 * be lost in silence. */
#ifndef TILIA_BOOT_MUST_H
#define TILIA_BOOT_MUST_H

#include "../../libclient/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

/* Aborts with a message when an append to the buffer failed. */
static inline void must(const struct buf *b)
{
	if (b->failed) {
		fputs("tilia run: out of memory\n", stderr);
		abort();
	}
}

#endif
