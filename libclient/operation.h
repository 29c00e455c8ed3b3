/* The requests behind the functions of tilia.h: their bytes, and what their
 * results mean. */
#ifndef TILIA_OPERATION_H
#define TILIA_OPERATION_H

#include "base/buf.h"
#include "message.h"
#include "tilia.h"

/* A request as session_request() wants it. */
struct operation {
	enum message_op op;
	unsigned args;
	struct buf body;
};

void operation_close(struct operation *o);

/* Builds the request of a tilia_submit(). operation_close() in any case. 0, or a
 * code that tilia_error() explains. */
int operation_submitted(struct tilia *t, struct operation *o, enum tilia_request what,
                        const struct tilia_op *op, struct bytes cbor);

/* The unsigned integer a body is: 0, TILIA_NONE for null, or ERROR_MALFORMED. */
int operation_number(struct bytes body, uint64_t *v);

#endif
