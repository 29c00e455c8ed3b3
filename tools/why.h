/* Why nothing matches, for people: the answer to stats "waiting" as text. */
#ifndef TILIA_TOOLS_WHY_H
#define TILIA_TOOLS_WHY_H

#include "../libclient/base/buf.h"

#include <stdint.h>

/* Appends a paragraph for each request that waits. */
void why_print(struct buf *b, const uint8_t *answer);

/* Appends what there is to say of those of one's own session. */
void why_print_mine(struct buf *b, const uint8_t *answer);

#endif
