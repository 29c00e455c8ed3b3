/* The events of a watch: as the server tells them, and kept until they are asked
 * for. */
#ifndef TILIA_STREAM_H
#define TILIA_STREAM_H

#include "base/buf.h"
#include "tilia.h"

/* Reads a part of the reply to a watch. 0; TILIA_NONE: of a kind that is not known
 * here; ERROR_MALFORMED; ERROR_NOMEM: with the cursor, and without its tuple.
 * event->tuple is the caller's, or NULL. */
int stream_read(struct bytes part, struct tilia_event *event);

/* The handle goes: its watches know it no more. */
void stream_forget_all(struct tilia *t);

#endif
