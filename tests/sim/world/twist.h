/* Requests that are bent on their way into the engine, for a planted bug. */
#ifndef TILIA_TESTS_TWIST_H
#define TILIA_TESTS_TWIST_H

#include "../../../libclient/base/buf.h"

/* The message, or what is made of it, in `twisted`. */
struct bytes twist(struct bytes message, struct buf *twisted);

#endif
