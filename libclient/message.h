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
	ARG_CONDITION, /* ["ge", k] or ["eq", 0]              -> verb, number */
	ARG_STEPS,    /* array of guards, then outs           -> value; number: of guards */
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
	X(ATOMIC, "atomic", ARG_STEPS, ARG_NONE, ARG_NONE, false, true)                            \
	X(WAIT, "wait", ARG_SPACE, ARG_TEMPLATE, ARG_CONDITION, true, false)                       \
	X(WATCH, "watch", ARG_SPACE, ARG_TEMPLATE, ARG_NONE, true, false)                          \
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
	KIND_TEMPLATE, /* an array or null */
};

#define MESSAGE_BIT(op) (1u << MESSAGE_##op)
#define MESSAGE_PUTS (MESSAGE_BIT(OUT) | MESSAGE_BIT(OUTS))
#define MESSAGE_WAITS (MESSAGE_BIT(IN) | MESSAGE_BIT(RD) | MESSAGE_BIT(WAIT) | MESSAGE_BIT(ATOMIC))

#define MESSAGE_OPTIONS(X)                                                                         \
	X(TIMEOUT, "timeout", KIND_UINT, MESSAGE_WAITS | MESSAGE_PUTS)                             \
	X(MAX, "max", KIND_UINT, MESSAGE_BIT(IN) | MESSAGE_BIT(RD))                                \
	X(AFTER, "after", KIND_UINT, MESSAGE_BIT(RD) | MESSAGE_BIT(WATCH))                         \
	X(LEASE, "lease", KIND_UINT, MESSAGE_BIT(IN))                                              \
	X(DRAIN, "drain", KIND_BOOL, MESSAGE_BIT(IN))                                              \
	X(TTL, "ttl", KIND_UINT, MESSAGE_PUTS)                                                     \
	X(DELAY, "delay", KIND_UINT, MESSAGE_PUTS)                                                 \
	X(UNLESS, "unless", KIND_TEMPLATE, MESSAGE_PUTS)                                           \
	X(HIDDEN, "hidden", KIND_BOOL, MESSAGE_PUTS | MESSAGE_BIT(COUNT) | MESSAGE_BIT(WAIT))      \
	X(ROOM, "wait", KIND_BOOL, MESSAGE_PUTS)                                                   \
	X(BOUND, "bound", KIND_BOOL, MESSAGE_PUTS)                                                 \
	X(DONE, "done", KIND_TOKENS, MESSAGE_BIT(COMMIT))                                          \
	X(BACK, "back", KIND_BACKS, MESSAGE_BIT(COMMIT))                                           \
	X(BURY, "bury", KIND_TOKENS, MESSAGE_BIT(COMMIT))                                          \
	X(OUTS, "out", KIND_OUTS, MESSAGE_BIT(COMMIT))                                             \
	X(TRIES, "tries", KIND_UINT, MESSAGE_BIT(SPACE))                                           \
	X(DEAD, "dead", KIND_TEXT, MESSAGE_BIT(SPACE))                                             \
	X(SHAPE, "shape", KIND_TEMPLATE, MESSAGE_BIT(SPACE))                                       \
	X(TUPLES, "tuples", KIND_UINT, MESSAGE_BIT(SPACE))                                         \
	X(BYTES, "bytes", KIND_UINT, MESSAGE_BIT(SPACE))                                           \
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
	uint64_t have; /* bit (1 << OPTION_x): the option was given */
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

/* How a tuple is to be put, when it is not by an out of its own. */
struct message_put {
	uint64_t ttl_ms, delay_ms; /* 0: none */
	bool bound;
};

/* Reads an entry of KIND_OUTS of a request that message_decode() accepted; answers
 * what comes after it. */
const uint8_t *message_out_read(const uint8_t *p, struct bytes *space, struct bytes *tuple,
                                struct message_put *put);

/* A guard or an out of an atomic. */
enum message_step_kind { STEP_IN, STEP_RD, STEP_NO, STEP_OUT };

struct message_step {
	enum message_step_kind kind;
	struct bytes space;
	struct bytes item;      /* guards: the template. STEP_OUT: the tuple, references included */
	bool visible;           /* STEP_NO: hidden tuples do not count (`hidden: false`) */
	struct message_put put; /* STEP_OUT */
};

#define MESSAGE_GUARDS_MAX 16
#define MESSAGE_STEP_OUTS_MAX 64

/* The same of an entry of ARG_STEPS. */
const uint8_t *message_step_read(const uint8_t *p, struct message_step *step);

/* A reference to a matched field, tag 21581, as the checked item at `p`. */
struct message_ref {
	uint32_t guard, field;
	const uint8_t *add; /* an int to be added, or NULL */
};

bool message_ref_read(const uint8_t *p, struct message_ref *ref);

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

/* Options of a request that is written, set in any order. Texts and items are the
 * caller's until message_options_put(). */
struct message_options {
	uint64_t have; /* bit (1 << OPTION_x), as in struct request */
	union {
		uint64_t u;
		struct bytes s;
	} option[OPTIONS];
};

/* Sets one of KIND_UINT or KIND_BOOL; and one of another kind: a text, or the
 * canonical item of a template. */
static inline void message_option_number(struct message_options *o, enum message_option id,
                                         uint64_t v)
{
	o->have |= (uint64_t)1 << id;
	o->option[id].u = v;
}

static inline void message_option_bytes(struct message_options *o, enum message_option id,
                                        struct bytes s)
{
	o->have |= (uint64_t)1 << id;
	o->option[id].s = s;
}

/* Appends the map of those that are set, in the order of its keys, if there are any;
 * answers how many arguments that is: 1 or 0. */
unsigned message_options_put(struct buf *b, const struct message_options *o);

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
