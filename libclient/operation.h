/* The requests behind the functions of tilia.h: their bytes, and what their
 * results mean. */
#ifndef TILIA_OPERATION_H
#define TILIA_OPERATION_H

#include "base/buf.h"
#include "call.h"
#include "diag.h"
#include "message.h"
#include "tilia.h"

/* A request as session_request() wants it. */
struct operation {
	enum message_op op;
	unsigned args;
	struct buf body;
};

void operation_begin(struct operation *o, enum message_op op);
void operation_text(struct operation *o, const char *s);   /* one more argument */
void operation_item(struct operation *o, struct bytes item); /* the same, canonical */
void operation_close(struct operation *o);

/* A request on a space, with its options; `item` is canonical. operation_close()
 * in any case. 0, or a code that tilia_error() explains; so all below. */
int operation_build(struct tilia *t, struct operation *o, enum message_op kind,
                    const struct tilia_op *op, struct bytes item);

/* Appends the options that `op` (may be NULL) says, if any. */
int operation_options(struct tilia *t, struct operation *o, const struct tilia_op *op);

/* Appends the space, the tuple and the options of what a commit or an atomic puts:
 * so many items are written. `item` is canonical. */
unsigned operation_put_items(const struct tilia_put *put);
int operation_put(struct tilia *t, struct operation *o, const struct tilia_put *put,
                  const char *space, struct bytes item);

/* Builds the request of a tilia_submit(). operation_close() in any case. 0, or a
 * code that tilia_error() explains. */
int operation_submitted(struct tilia *t, struct operation *o, enum tilia_request what,
                        const struct tilia_op *op, struct bytes cbor);

/* Whether a body is an atomic's answer: 0, TILIA_NONE for null, or ERROR_MALFORMED. */
int operation_atomic_answer(struct bytes body);

/* The unsigned integer a body is: 0, TILIA_NONE for null, or ERROR_MALFORMED. */
int operation_number(struct bytes body, uint64_t *v);

/* The canonical form of a caller's CBOR, in *scratch when it is another. */
int operation_canonical(struct tilia *t, struct bytes cbor, struct bytes *item,
                        struct buf *scratch);

/* The same, appended to `item`. */
int operation_copy(struct tilia *t, struct bytes cbor, struct buf *item);

/* The item that a caller's text says (DIAG_FORMALS, DIAG_REFS). `t` may be NULL. */
int operation_parse(struct tilia *t, const char *text, unsigned flags, struct buf *item);

/* Asks with what is built and waits; the same from the first on. call_result_close(r)
 * in any case. */
int operation_ask_built(struct tilia *t, struct operation *o, struct call_result *r);
int operation_ask(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                  struct bytes item, struct call_result *r);
int operation_ask_number(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                         struct bytes item, uint64_t *v);
int operation_ask_tuples(struct tilia *t, enum message_op kind, const struct tilia_op *op,
                         struct bytes item, struct tilia_tuple **found);

/* operation_wait.c: the same of a wait. */
int operation_ask_wait(struct tilia *t, const struct tilia_op *op, enum tilia_until until,
                       uint64_t n, struct bytes item, uint64_t *count);

/* The code of a look at an answer, with its text. */
int operation_explained(struct tilia *t, int code);

/* Gives a buffer's memory to the caller. `t` may be NULL. */
int operation_hand_out(struct tilia *t, struct buf *b, void **p, size_t *size);

#endif
