/* Messages: one table row a request, one a option. The parser, the dispatcher,
 * the rights check (`may`), the counters, --help and docs/protocol.md read these
 * rows. Shared by client and server; knows no connection. */
#ifndef TILIA_MESSAGE_H
#define TILIA_MESSAGE_H

#include "base/buf.h"
#include "codec.h"
#include "error.h"

#include <stdbool.h>
#include <stdint.h>

#define MESSAGE_VERSION 1
#define MESSAGE_LIST_MAX 1024 /* tuples of an outs, max, ranges of an ack, each list of a commit */
#define MESSAGE_LEASE_MAX 86400000 /* ms: a day */
#define MESSAGE_TRIES_MAX 255
#define MESSAGE_NUMBER_MAX ((uint64_t)1 << 53)

/* What stands at each place of a request after its name. */
enum message_arg {
	ARG_NONE,
	ARG_SPACE,    /* text: the name of a space            -> space */
	ARG_TUPLE,    /* array without formals                -> value */
	ARG_TUPLES,   /* array of 0 to 1,024 tuples           -> value */
	ARG_TEMPLATE, /* array or null                        -> value */
	ARG_NUMBER,   /* unsigned below 2^53                  -> number */
	ARG_RANGES,   /* the rest: n or [from, to], 1 to 1024 -> value: items in a row */
	ARG_VERB,     /* text                                 -> verb */
	ARG_NAME,     /* text, may be missing                 -> space */
	ARG_WHAT,     /* text, may be missing                 -> verb */
	ARG_TOKENS,   /* array of 0 to 1,024 tokens           -> value */
	ARG_OPTIONS,  /* a map, which is all there is         -> options */
};

#define MESSAGE_ARGS 3

/* X(NAME, "name", args..., rights, changes)
 * rights: needs a space and is checked against `may`.
 * changes: may change something: it may leave an outcome, and without its reply
 * nobody knows whether it was done. */
#define MESSAGE_TABLE(X)                                                                           \
	X(HELLO, "hello", ARG_OPTIONS, ARG_NONE, ARG_NONE, false, false)                           \
	X(OUT, "out", ARG_SPACE, ARG_TUPLE, ARG_NONE, true, true)                                  \
	X(OUTS, "outs", ARG_SPACE, ARG_TUPLES, ARG_NONE, true, true)                               \
	X(IN, "in", ARG_SPACE, ARG_TEMPLATE, ARG_NONE, true, true)                                 \
	X(RD, "rd", ARG_SPACE, ARG_TEMPLATE, ARG_NONE, true, false)                                \
	X(COUNT, "count", ARG_SPACE, ARG_TEMPLATE, ARG_NONE, true, false)                          \
	X(COMMIT, "commit", ARG_OPTIONS, ARG_NONE, ARG_NONE, false, true)                          \
	X(RENEW, "renew", ARG_TOKENS, ARG_NUMBER, ARG_NONE, false, true)                           \
	X(CANCEL, "cancel", ARG_NUMBER, ARG_NONE, ARG_NONE, false, false)                          \
	X(ACK, "ack", ARG_RANGES, ARG_NONE, ARG_NONE, false, false)                                \
	X(SPACE, "space", ARG_VERB, ARG_NAME, ARG_NONE, true, true)                                \
	X(STATS, "stats", ARG_WHAT, ARG_NONE, ARG_NONE, false, false)                              \
	X(PING, "ping", ARG_NONE, ARG_NONE, ARG_NONE, false, false)                                \
	X(BYE, "bye", ARG_NONE, ARG_NONE, ARG_NONE, false, false)

enum message_op {
#define X(name, ...) MESSAGE_##name,
	MESSAGE_TABLE(X)
#undef X
	MESSAGE_OPS
};

struct message_row {
	const char *name;
	enum message_arg args[MESSAGE_ARGS];
	bool rights, changes;
};

extern const struct message_row message_rows[MESSAGE_OPS];

/* Options: X(NAME, "name", kind, which requests may carry it). `features` of
 * hello lists "op.option" for each pair. */
enum message_kind {
	KIND_UINT,  /* unsigned below 2^53 */
	KIND_BOOL,
	KIND_TEXT,
	KIND_BYTES, /* bytes, or the texts "new" and "none" (session) */
	KIND_LIST,  /* array of numbers and [from, to] */
	KIND_MAP,   /* {space: [op...]} (may) */
	KIND_TOKENS, /* [token...] */
	KIND_BACKS, /* [[token, delay]...] */
	KIND_OUTS,  /* [[space, tuple, options?]...] */
};

#define MESSAGE_BIT(op) (1u << MESSAGE_##op)

#define MESSAGE_OPTIONS(X)                                                                         \
	X(TIMEOUT, "timeout", KIND_UINT, MESSAGE_BIT(IN) | MESSAGE_BIT(RD))                        \
	X(MAX, "max", KIND_UINT, MESSAGE_BIT(IN) | MESSAGE_BIT(RD))                                \
	X(AFTER, "after", KIND_UINT, MESSAGE_BIT(RD))                                              \
	X(LEASE, "lease", KIND_UINT, MESSAGE_BIT(IN))                                              \
	X(DONE, "done", KIND_TOKENS, MESSAGE_BIT(COMMIT))                                          \
	X(BACK, "back", KIND_BACKS, MESSAGE_BIT(COMMIT))                                           \
	X(BURY, "bury", KIND_TOKENS, MESSAGE_BIT(COMMIT))                                          \
	X(OUTS, "out", KIND_OUTS, MESSAGE_BIT(COMMIT))                                             \
	X(TRIES, "tries", KIND_UINT, MESSAGE_BIT(SPACE))                                           \
	X(DEAD, "dead", KIND_TEXT, MESSAGE_BIT(SPACE))                                             \
	X(VOLATILE, "volatile", KIND_BOOL, MESSAGE_BIT(SPACE))                                     \
	X(V, "v", KIND_UINT, MESSAGE_BIT(HELLO))                                                   \
	X(SESSION, "session", KIND_BYTES, MESSAGE_BIT(HELLO))                                      \
	X(HAVE, "have", KIND_LIST, MESSAGE_BIT(HELLO))                                             \
	X(GRACE, "grace", KIND_UINT, MESSAGE_BIT(HELLO))                                           \
	X(AUTH, "auth", KIND_TEXT, MESSAGE_BIT(HELLO))                                             \
	X(MAY, "may", KIND_MAP, MESSAGE_BIT(HELLO))                                                \
	X(CLIENT, "client", KIND_TEXT, MESSAGE_BIT(HELLO))                                         \
	X(ATTEMPT, "attempt", KIND_UINT, MESSAGE_BIT(HELLO))

enum message_option {
#define X(name, ...) OPTION_##name,
	MESSAGE_OPTIONS(X)
#undef X
	OPTIONS
};

struct message_option_row {
	const char *name;
	enum message_kind kind;
	uint32_t ops;
};

extern const struct message_option_row message_option_rows[OPTIONS];

/* A parsed request. All bytes point into the canonical message. */
struct request {
	uint64_t n;
	enum message_op op;
	struct bytes space;
	struct bytes verb;
	struct bytes value;
	uint64_t number;
	uint32_t have; /* bit (1 << OPTION_x): the option was given */
	union {
		uint64_t u; /* KIND_UINT, KIND_BOOL */
		struct bytes s; /* text or bytes: its contents; lists and maps: the item */
	} option[OPTIONS];
	bool session_text; /* hello: `session` was text, not bytes */
};

static inline bool request_has(const struct request *r, enum message_option o)
{
	return (r->have >> o & 1) != 0;
}

struct message_error {
	int code;
	uint64_t n;      /* the request's number when it could be read, else 0 */
	bool fatal;      /* the connection must close: the message cannot be told apart, or is a
	                    hello, without which what comes behind it would be done twice */
	size_t offset;   /* in the message, or in its canonical form for `where` errors */
	char text[160];  /* names the place: "out: field 2 of the tuple: ..." */
};

/* Decodes one message (the content of a frame) into *r. `scratch` holds the
 * canonical form when the message was not canonical; *r is valid as long as
 * both. 0, or a negative code with *err. Not an array that begins with a
 * number, or a hello: fatal. Everything else is answered and the connection goes on. */
int message_decode(struct bytes message, struct buf *scratch, struct request *r,
                   struct message_error *err);

/* The op of that name, or -1; the option of that name for the op, or -1. */
int message_op_named(struct bytes name);
int message_option_named(struct bytes name, enum message_op op);

/* Whether `may` (the canonical map {space: [op...]}; "*" is every space or
 * every op) allows `op` on `space`. */
bool message_may(struct bytes may, struct bytes space, enum message_op op);

/* Whether the canonical item at `p` is an unsigned integer below 2^53; *v is it. */
bool message_number(const uint8_t *p, uint64_t *v);

/* Whether the numbers of a KIND_LIST or ARG_RANGES are well formed; calls
 * each(from, to, ctx) for each entry. `items`: canonical items, one after the
 * other (for KIND_LIST: without the array's head; message_list_items()). */
bool message_ranges(struct bytes items, void (*each)(uint64_t from, uint64_t to, void *ctx),
                    void *ctx);
struct bytes message_list_items(struct bytes list);

/* Writing. Each appends one whole frame. A reply's result is canonical CBOR. */
void message_reply(struct buf *b, uint64_t n, struct bytes result);
void message_part(struct buf *b, uint64_t n, struct bytes part);
void message_error_reply(struct buf *b, uint64_t n, int code, const char *text);

/* A request is written between begin and end; the caller puts the arguments
 * after the name (item.h) and, last, the options. `args` counts everything
 * after the name, options included. The number comes last, from the session:
 * so what is built is the message from the name on, without number and frame. */
void message_request_begin(struct buf *b, enum message_op op);

/* Options of a request, written as a map in key order by options_put(). A
 * value of UINT64_MAX means: not given. */
struct message_write_options {
	uint64_t timeout_ms, max, after, lease_ms;
	bool is_volatile;
};

/* Appends the options map when any is given; answers 1 if it did, else 0. */
unsigned message_options_put(struct buf *b, const struct message_write_options *o);

/* A reply as a client reads it. `body` points into the message's canonical
 * form. kind: 0 final, 1 part, < 0 error (text, and detail in body: may be
 * empty). */
struct reply {
	uint64_t n;
	int kind;
	struct bytes body;
	struct bytes text;
};

/* 0, or ERROR_MALFORMED / ERROR_LIMIT / ERROR_NOMEM with *err. */
int message_decode_reply(struct bytes message, struct buf *scratch, struct reply *r,
                         struct codec_error *err);

#endif
