/* libtilia: the C client of Tilia, a tuple-space server. C11 and C++.
 *
 *	struct tilia *t;
 *	int n;
 *	char *name;
 *
 *	if (tilia_open(&t, NULL) != 0)
 *		errx(3, "%s", tilia_error(t));
 *	tilia_out(t, "sis", "job", 17, "a.png");
 *	if (tilia_in(t, "s?i?s", "job", &n, &name) == 0)
 *		printf("%d %s\n", n, name);
 *	tilia_free(name);
 *	tilia_close(t);
 *
 * A handle is one session with one server. When the connection breaks it is
 * made again by itself, and what was under way is resumed: each effect happens
 * once and no tuple is lost (within the session's grace). A handle is not
 * thread-safe: use it from one thread at a time, or one handle a thread. After
 * fork() the child must not use it, only tilia_abandon() it.
 *
 * Results: 0 is done, TILIA_NONE (1) is "nothing matched" or "timed out", a
 * negative number is one of enum tilia_code; tilia_error() has the text, which
 * names the field at fault ("field 2: ...").
 *
 * What is handed out as a pointer through a `?` of a template, and by
 * tilia_text(), is the caller's: tilia_free(). Tuples: tilia_tuple_free().
 */
#ifndef TILIA_H
#define TILIA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TILIA_API __attribute__((visibility("default")))

/* --- codes ----------------------------------------------------------------- */

#define TILIA_NONE 1 /* nothing matched, or the timeout passed */

enum tilia_code {
	TILIA_OK = 0,
	/* from the server */
	TILIA_E_MALFORMED = -1,
	TILIA_E_REQUEST = -2,
	TILIA_E_VALUE = -3, /* the tuple or template is not valid; or does not fit its variable */
	TILIA_E_LIMIT = -4,
	TILIA_E_NO_SPACE = -5, /* no such space */
	TILIA_E_SPACE_EXISTS = -6,
	TILIA_E_FULL = -7,
	TILIA_E_DENIED = -8,
	TILIA_E_SESSION_OVER = -9,
	TILIA_E_TAKEN_OVER = -10, /* another connection resumed this session */
	TILIA_E_UNACKNOWLEDGED = -11,
	TILIA_E_CLAIM_OVER = -12,
	TILIA_E_CANCELLED = -13, /* by tilia_cancel(): it has no effect */
	TILIA_E_STOPPING = -14,
	TILIA_E_VERSION = -15,
	TILIA_E_AUTH = -16,
	TILIA_E_MIXED = -17,
	TILIA_E_SLOW = -18,
	TILIA_E_SHAPE = -19,
	TILIA_E_INTERNAL = -20,
	/* from here */
	TILIA_E_NOMEM = -64, /* of a put: whether it was done is not known */
	TILIA_E_CONNECT = -65, /* no server answers */
	TILIA_E_CLOSED =
		-66, /* the connection is gone and could not be resumed; it had no effect */
	TILIA_E_TIMEOUT = -67, /* the server did not answer in time (connecting, closing) */
	TILIA_E_UNKNOWN = -68, /* the same; whether a put was done is not known */
	TILIA_E_USAGE = -69,   /* the call is not valid */
	TILIA_E_SYSTEM = -70,
	TILIA_E_INTERRUPTED = -71, /* tilia_interrupt(): it has no effect, no tuple is lost */
	TILIA_E_SYNTAX = -72,      /* the text is not diagnostic notation */
	TILIA_E_STORE = -73,
	TILIA_E_DAMAGED = -74
};

/* The text of a code, and its one word. Never NULL. */
TILIA_API const char *tilia_strerror(int code);
TILIA_API const char *tilia_strword(int code);

/* The version of the library, "0.1.0". */
TILIA_API const char *tilia_version(void);

/* --- a handle -------------------------------------------------------------- */

struct tilia;

/* All zero is the default. Strings are copied. */
struct tilia_options {
	const char *address;  /* a list, tried in turn: "unix:/path,tcp:host:port,cmd:program args,
	                         ssh:host". NULL: $TILIA, else the user's own Unix socket */
	const char *space;    /* of calls that name none. NULL: "main" */
	const char *client;   /* who this is, for people. NULL: the program's name */
	const char *auth;     /* a secret, for servers that ask for one. NULL: none */
	bool no_session;      /* only speed: what is in flight when the connection breaks is
	                         TILIA_E_UNKNOWN, a take too */
	int64_t grace_ms;     /* how long the server keeps the session of a broken connection;
	                         0: the server's default (60 s), at most a day */
	/* To resume a session by the id that tilia_session() told, and end or renew its
	 * claims; NULL: a new one. A handle that has it loses it. Requests are numbered
	 * behind session_number; a session uses each number once. */
	const void *session;
	size_t session_size;
	uint64_t session_number;
	int64_t connect_ms;   /* for connecting, hello included; 0: 10 s. At first each address is
	                         tried once: who is refused hears it at once */
	int64_t resume_ms;    /* how long a broken connection is tried again; 0: the grace;
	                         TILIA_NOWAIT: not at all */
	void *reserved[8];
};

#define TILIA_NOWAIT (-1) /* as a duration: do not wait */

/* Connects and says hello; waits for the answer. `options` may be NULL. *t is
 * set in any case but TILIA_E_NOMEM (then NULL) and must be closed; after an
 * error it is good for tilia_error() and tilia_close() only. */
TILIA_API int tilia_open(struct tilia **t, const struct tilia_options *options);

/* The same without waiting: the connection is made as tilia_process() is called
 * or the first call waits. Errors of connecting are those of the requests. */
TILIA_API int tilia_start(struct tilia **t, const struct tilia_options *options);

/* Ends the session (everything read is acknowledged; waits for the answer, at
 * most connect_ms) and frees the handle. NULL is nothing. Waiting requests are
 * dropped, their callbacks called with TILIA_E_CANCELLED or what the server said.
 * 0, or the code of what went wrong; the handle is gone in any case. */
TILIA_API int tilia_close(struct tilia *t);

/* The id of the handle's session, which is as good as a key; NULL when there is none
 * (yet). Valid until the next call. */
TILIA_API const void *tilia_session(const struct tilia *t, size_t *size);

/* Frees the handle and tells the server nothing: takes that were not
 * acknowledged (the last ones) return after the grace. For a forked child, and
 * for whoever wants just that. No callback is called. */
TILIA_API void tilia_abandon(struct tilia *t);

/* The text of the handle's last failure; "" when there was none. Valid until
 * the next call with the handle. Of NULL: "out of memory". */
TILIA_API const char *tilia_error(const struct tilia *t);

/* Ends the wait of a blocking call of this handle; may be called from a signal
 * handler (and from another thread). The request is cancelled: if it has no
 * effect now the call answers TILIA_E_INTERRUPTED; if it was done already the
 * call answers as if nothing had happened, so no tuple is lost either way. With
 * no call waiting, the next one that would wait is ended. Signals alone end no
 * wait. */
TILIA_API void tilia_interrupt(struct tilia *t);

TILIA_API void tilia_free(void *p);

/* --- what every operation may say ------------------------------------------ */

/* All zero (or NULL in its place) is the default. */
struct tilia_op {
	const char *space;  /* NULL: the handle's */
	int64_t timeout_ms; /* in, rd, wait, atomic, and out with `room`: 0: wait for ever;
	                       TILIA_NOWAIT: do not wait */
	uint32_t max;       /* in, rd: up to so many at once (the first is waited for); 0: one */
	uint64_t after;     /* rd: only tuples with a greater id; 0: any */
	int64_t lease_ms;   /* in: claims the tuples for so long, to be ended by tilia_commit();
	                       0: takes them. For the forms that answer tuples */
	int64_t ttl_ms;     /* out: the tuple is deleted after so long; 0: never */
	int64_t delay_ms;   /* out: nobody finds it for so long; 0: it is there at once */
	/* out: only if nothing that exists matches this template, else TILIA_NONE. As text in
	 * diagnostic notation, or as CBOR; both NULL: in any case. */
	const char *unless;
	const void *unless_cbor;
	size_t unless_size;
	bool room;          /* out: waits while the space is full, instead of TILIA_E_FULL; then
	                       timeout_ms says how long */
	bool bound;         /* out: the tuple vanishes with this handle's session */
	bool drain;         /* in: TILIA_NONE as soon as nothing that matches exists any more,
	                       claimed and delayed tuples included: the work is done */
	bool visible;       /* count, wait, and out with unless: claimed and delayed tuples do not
	                       count. Else all that exist do */
	void *reserved[2];
};

/* --- C-Linda --------------------------------------------------------------- */

/* A format has one letter for each field, blanks between them are ignored. Its
 * letters, and the arguments of an actual (a value) and of a formal (a typed
 * blank, `?` before the letter; a NULL pointer stores nothing):
 *
 *	letter  actual                      ? formal                       CBOR
 *	i       int                         int *                          integer
 *	u       unsigned                    unsigned *                     integer
 *	l       int64_t                     int64_t *                      integer
 *	L       uint64_t                    uint64_t *                     integer
 *	d       double                      double *                       float
 *	b       int (bool)                  bool *                         true, false
 *	s       const char *                char **                        text
 *	S       const char *, size_t        char **, size_t *              text
 *	y       const void *, size_t        void **, size_t *              bytes
 *	c       const void *, size_t        void **, size_t *              any one item, as CBOR
 *	n       (none)                      (none)                         null
 *	U       (none)                      (none)                         undefined
 *	v       int                         int *                          simple value 0-19, 32-255
 *	t       uint64_t, then the content  -                              tag
 *	[ ]     fields within                                              array
 *	{ }     key and value in turn                                      map
 *	_       -                           (none; without the ?)          anything
 *	N       -                           double *                       integer or float
 *
 * So "s?i?s" is a text, any integer, any text. `?[`, `?{`, `?t` match any array,
 * map or tag and take `void **, size_t *` like `?c`. A `?` may stand inside [ ].
 * A pointer handed out is tilia_free()d by the caller; texts and bytes end in a
 * NUL that is not counted. Nothing is stored unless everything fits: an integer
 * outside its variable's range, or a NUL within a text for `?s`, is
 * TILIA_E_VALUE, and the tuple is put back in its place. Limits: 255 fields,
 * nesting of 32. */

/* Puts one tuple. */
TILIA_API int tilia_out(struct tilia *t, const char *format, ...);

/* Takes, or reads, the oldest tuple that matches; waits for one. `inp` and
 * `rdp` do not wait: TILIA_NONE when nothing matches at that instant, after all
 * that this handle sent before. */
TILIA_API int tilia_in(struct tilia *t, const char *format, ...);
TILIA_API int tilia_rd(struct tilia *t, const char *format, ...);
TILIA_API int tilia_inp(struct tilia *t, const char *format, ...);
TILIA_API int tilia_rdp(struct tilia *t, const char *format, ...);

/* How many match: of all that exist, claimed and delayed tuples included. */
TILIA_API int tilia_count(struct tilia *t, uint64_t *count, const char *format, ...);

/* Waits until at least `n` match (TILIA_GE), or until none does (TILIA_EQ and 0): of
 * all that exist, so that none is left only when all the work on them is done. */
enum tilia_until { TILIA_GE, TILIA_EQ };

TILIA_API int tilia_wait(struct tilia *t, enum tilia_until until, uint64_t n,
                         const char *format, ...);

/* The same with more to say. `op`, `id` and `count` may be NULL; *id is the tuple's,
 * *count how many matched at that instant. With op->max above 1: TILIA_E_USAGE (use the
 * forms that answer tuples). */
TILIA_API int tilia_out_x(struct tilia *t, const struct tilia_op *op, uint64_t *id,
                          const char *format, ...);
TILIA_API int tilia_in_x(struct tilia *t, const struct tilia_op *op, uint64_t *id,
                         const char *format, ...);
TILIA_API int tilia_rd_x(struct tilia *t, const struct tilia_op *op, uint64_t *id,
                         const char *format, ...);
TILIA_API int tilia_count_x(struct tilia *t, const struct tilia_op *op, uint64_t *count,
                            const char *format, ...);
TILIA_API int tilia_wait_x(struct tilia *t, const struct tilia_op *op, enum tilia_until until,
                           uint64_t n, uint64_t *count, const char *format, ...);
TILIA_API int tilia_out_v(struct tilia *t, const struct tilia_op *op, uint64_t *id,
                          const char *format, va_list args);
TILIA_API int tilia_in_v(struct tilia *t, const struct tilia_op *op, uint64_t *id,
                         const char *format, va_list args);
TILIA_API int tilia_rd_v(struct tilia *t, const struct tilia_op *op, uint64_t *id,
                         const char *format, va_list args);
TILIA_API int tilia_count_v(struct tilia *t, const struct tilia_op *op, uint64_t *count,
                            const char *format, va_list args);
TILIA_API int tilia_wait_v(struct tilia *t, const struct tilia_op *op, enum tilia_until until,
                           uint64_t n, uint64_t *count, const char *format, va_list args);

/* --- tuples as results ----------------------------------------------------- */

/* One tuple of a result; several are a list. Owned by the caller: the first is
 * given to tilia_tuple_free(), which frees them all. */
struct tilia_tuple;

TILIA_API void tilia_tuple_free(struct tilia_tuple *first); /* NULL is nothing */
TILIA_API struct tilia_tuple *tilia_tuple_next(const struct tilia_tuple *tuple); /* or NULL */
TILIA_API uint64_t tilia_tuple_id(const struct tilia_tuple *tuple);
TILIA_API unsigned tilia_tuple_arity(const struct tilia_tuple *tuple);

/* Of a claimed tuple: the token that ends its claim, and how often it was claimed,
 * this time included. 0 of others. */
TILIA_API uint64_t tilia_tuple_token(const struct tilia_tuple *tuple);
TILIA_API unsigned tilia_tuple_tries(const struct tilia_tuple *tuple);

enum tilia_type {
	TILIA_NOTHING, /* no such field */
	TILIA_NULL,
	TILIA_BOOL,
	TILIA_INT,
	TILIA_FLOAT,
	TILIA_TEXT,
	TILIA_BYTES,
	TILIA_ARRAY,
	TILIA_MAP,
	TILIA_TAG,
	TILIA_SIMPLE,
	TILIA_UNDEFINED
};

/* Fields count from 0. */
TILIA_API enum tilia_type tilia_tuple_type(const struct tilia_tuple *tuple, unsigned field);

/* The value of a field. 0, or TILIA_E_VALUE: another type, does not fit, or no
 * such field. What is pointed to belongs to the tuple; texts end in a NUL that
 * is not counted. */
TILIA_API int tilia_tuple_int(const struct tilia_tuple *tuple, unsigned field, int64_t *v);
TILIA_API int tilia_tuple_uint(const struct tilia_tuple *tuple, unsigned field, uint64_t *v);
TILIA_API int tilia_tuple_float(const struct tilia_tuple *tuple, unsigned field, double *v);
TILIA_API int tilia_tuple_bool(const struct tilia_tuple *tuple, unsigned field, bool *v);
TILIA_API int tilia_tuple_string(const struct tilia_tuple *tuple, unsigned field, const char **p,
                                 size_t *size); /* text; size may be NULL */
TILIA_API int tilia_tuple_bytes(const struct tilia_tuple *tuple, unsigned field, const void **p,
                                size_t *size);

/* Reads all fields by a format of `?` letters and actuals, as tilia_in() does. 0;
 * TILIA_NONE: the tuple does not match it; TILIA_E_VALUE, TILIA_E_USAGE. */
TILIA_API int tilia_tuple_scan(const struct tilia_tuple *tuple, const char *format, ...);

/* The CBOR bytes (RFC 8949, deterministic) of the whole tuple or of one field;
 * NULL when there is no such field. `size` may be NULL. */
TILIA_API const void *tilia_tuple_cbor(const struct tilia_tuple *tuple, size_t *size);
TILIA_API const void *tilia_tuple_field(const struct tilia_tuple *tuple, unsigned field,
                                        size_t *size);

/* Diagnostic notation of a tuple; NULL when memory is out. tilia_free() it. */
TILIA_API char *tilia_tuple_text(const struct tilia_tuple *tuple);

/* --- diagnostic notation and CBOR ------------------------------------------ */

/* Tuples and templates as text: `["job", 1]`, `["job", ?int 1..9]` (RFC 8949
 * section 8, and formals; tilia(1) has what may constrain them). Wrong text is
 * TILIA_E_SYNTAX; tilia_error() says where. *found is the list of what was taken or
 * read. `op` may be NULL. */
TILIA_API int tilia_out_text(struct tilia *t, const char *text);
TILIA_API int tilia_in_text(struct tilia *t, const char *text, struct tilia_tuple **found);
TILIA_API int tilia_rd_text(struct tilia *t, const char *text, struct tilia_tuple **found);
TILIA_API int tilia_out_text_x(struct tilia *t, const struct tilia_op *op, uint64_t *id,
                               const char *text);
TILIA_API int tilia_in_text_x(struct tilia *t, const struct tilia_op *op, const char *text,
                              struct tilia_tuple **found);
TILIA_API int tilia_rd_text_x(struct tilia *t, const struct tilia_op *op, const char *text,
                              struct tilia_tuple **found);
TILIA_API int tilia_count_text(struct tilia *t, const struct tilia_op *op, const char *text,
                               uint64_t *count);
TILIA_API int tilia_wait_text(struct tilia *t, const struct tilia_op *op, enum tilia_until until,
                              uint64_t n, const char *text, uint64_t *count);

/* The same with CBOR in any valid encoding. A template of CBOR null matches
 * every tuple. outs: an array of up to 1,024 tuples, put all at once; `ids`
 * (may be NULL) has room for all of theirs. */
TILIA_API int tilia_out_cbor(struct tilia *t, const struct tilia_op *op, const void *p,
                             size_t size, uint64_t *id);
TILIA_API int tilia_outs_cbor(struct tilia *t, const struct tilia_op *op, const void *p,
                              size_t size, uint64_t *ids);
TILIA_API int tilia_in_cbor(struct tilia *t, const struct tilia_op *op, const void *p,
                            size_t size, struct tilia_tuple **found);
TILIA_API int tilia_rd_cbor(struct tilia *t, const struct tilia_op *op, const void *p,
                            size_t size, struct tilia_tuple **found);
TILIA_API int tilia_count_cbor(struct tilia *t, const struct tilia_op *op, const void *p,
                               size_t size, uint64_t *count);
TILIA_API int tilia_wait_cbor(struct tilia *t, const struct tilia_op *op, enum tilia_until until,
                              uint64_t n, const void *p, size_t size, uint64_t *count);

/* CBOR out of a format or a text, and text out of CBOR. *p, or what is answered,
 * is the caller's: tilia_free(). `t` (may be NULL) is only where an error's text
 * goes. The pointers of a template's `?` are skipped here, not stored through. Text may
 * hold references (see tilia_atomic()). */
TILIA_API int tilia_build(struct tilia *t, void **p, size_t *size, const char *format, ...);
TILIA_API int tilia_build_v(struct tilia *t, void **p, size_t *size, const char *format,
                            va_list args);
TILIA_API int tilia_parse(struct tilia *t, void **p, size_t *size, const char *text);
TILIA_API char *tilia_text(const void *p, size_t size); /* NULL: not CBOR, or no memory */

/* --- claims ----------------------------------------------------------------- */

/* A tuple taken with op->lease_ms is hidden from others for that time and stays in
 * the space. The work on it is ended by tilia_commit(): done, given back in its
 * old place, or buried among the space's dead letters, and with tuples put, all
 * in one step. A claim whose lease is over, or whose handle is closed, is back by
 * itself; its commit is then TILIA_E_CLAIM_OVER, and nothing of it happens. */
struct tilia_put {
	const char *space; /* NULL: the handle's */
	const void *cbor;  /* the tuple */
	size_t size;
	int64_t ttl_ms, delay_ms; /* as in struct tilia_op */
	bool bound;
};

/* All zero is nothing. Up to 1,024 of each. */
struct tilia_commit {
	const uint64_t *done, *back, *bury; /* tokens */
	size_t done_count, back_count, bury_count;
	const struct tilia_put *out;
	size_t out_count;
	const int64_t *back_delay_ms; /* NULL, or for each of `back` how long nobody finds it */
	void *reserved[7];
};

/* `ids` (may be NULL) has room for those of all tuples put. */
TILIA_API int tilia_commit(struct tilia *t, const struct tilia_commit *commit, uint64_t *ids);

/* Lets the leases end no earlier than lease_ms from now; `left_ms` (may be NULL) has
 * room for what is left of each. One that is over: TILIA_E_CLAIM_OVER, and none is
 * renewed. */
TILIA_API int tilia_renew(struct tilia *t, const uint64_t *tokens, size_t count,
                          int64_t lease_ms, uint64_t *left_ms);

/* --- several steps at one instant --------------------------------------------- */

/* An atomic is up to 16 guards, and behind them up to 64 tuples to be put. It happens
 * when all its guards hold at one instant, and then all of it does. Guards go from
 * first to last: each `in` and `rd` is for the oldest match that no `in` before it
 * took; a `no` holds when nothing that exists matches. They do not refer to each other,
 * and none is tried with another match for the sake of a later one.
 *
 * What is put may refer to what the guards matched: `@0.1` in a text is field 1 of guard
 * 0's tuple (both count from 0), `@0.1+1` that integer and 1 more, `@0.1-5` 5 less.
 *
 *	struct tilia_step s[] = {
 *		{.kind = TILIA_STEP_IN, .text = "[\"counter\", ?int]"},
 *		{.kind = TILIA_STEP_OUT, .text = "[\"counter\", @0.1+1]"},
 *	};
 *	code = tilia_atomic(t, NULL, s, 2);
 */
enum tilia_step_kind { TILIA_STEP_IN, TILIA_STEP_RD, TILIA_STEP_NO, TILIA_STEP_OUT };

struct tilia_step {
	enum tilia_step_kind kind;
	const char *space; /* NULL: op's, else the handle's */
	/* The template or tuple, in diagnostic notation or as CBOR: one of them. */
	const char *text;
	const void *cbor;
	size_t size;
	bool visible;      /* no: claimed and delayed tuples do not count */
	bool bound;        /* out: as in struct tilia_op */
	int64_t ttl_ms, delay_ms;
	/* What came of it: */
	struct tilia_tuple *found; /* in, rd: the tuple, the caller's: tilia_tuple_free(); else
	                              NULL */
	uint64_t id;               /* out: the id of the tuple put */
};

/* Waits until the guards hold, and does it. While it waits it has taken nothing, so
 * that others may be faster again and again. Of *op counts the timeout, and the space
 * of steps that name none. TILIA_NONE: they did not hold in time. On any code but 0 no
 * step has a result. */
TILIA_API int tilia_atomic(struct tilia *t, const struct tilia_op *op, struct tilia_step *steps,
                           size_t count);

/* --- events ------------------------------------------------------------------ */

/* What happens in a space, told as it happens. docs/protocol.md, "watch", says
 * what each kind means. */
enum tilia_event_kind {
	TILIA_EVENT_PUT = 1,
	TILIA_EVENT_TAKE,
	TILIA_EVENT_CLAIM,
	TILIA_EVENT_BACK,
	TILIA_EVENT_DONE,
	TILIA_EVENT_BURY,
	TILIA_EVENT_EXPIRE,
	TILIA_EVENT_DROP, /* the space: it is the last */
	TILIA_EVENT_GAP   /* events are missing before this one */
};

struct tilia_event {
	enum tilia_event_kind kind;
	uint64_t cursor;           /* rises by one with each event of the space */
	struct tilia_tuple *tuple; /* NULL: drop, gap */
};

/* "put", "take", ... Never NULL. */
TILIA_API const char *tilia_event_word(enum tilia_event_kind kind);

/* Watches a space from now on for tuples that match; with op->after, behind that
 * cursor, or with a TILIA_EVENT_GAP when that is not known any more. A handle may
 * have many watches, and be used as ever meanwhile. A broken connection, or a server
 * that starts again, ends no watch: it goes on where it was, with a gap if something
 * may be missing. It waits for no answer; *w is NULL after an error. Of an op, space
 * and after are meant. */
struct tilia_watch;

TILIA_API int tilia_watch(struct tilia *t, struct tilia_watch **w, const struct tilia_op *op,
                          const char *format, ...); /* `?` letters take no argument's value */
TILIA_API int tilia_watch_text(struct tilia *t, struct tilia_watch **w,
                               const struct tilia_op *op, const char *text);
TILIA_API int tilia_watch_cbor(struct tilia *t, struct tilia_watch **w,
                               const struct tilia_op *op, const void *p, size_t size);

/* The next event. timeout_ms as in struct tilia_op; TILIA_NONE: there was none. The
 * tuple is the caller's: tilia_tuple_free(). Negative: the watch is over (the space
 * was dropped: TILIA_E_NO_SPACE), but for TILIA_E_INTERRUPTED. A watch that is not
 * read keeps about 1 MiB of events, and goes on behind them when it is. */
TILIA_API int tilia_watch_next(struct tilia_watch *w, int64_t timeout_ms,
                               struct tilia_event *event);

/* Ends it. NULL is nothing. Also after tilia_close() of its handle, which ends it
 * but for this. */
TILIA_API void tilia_watch_end(struct tilia_watch *w);

/* --- spaces and the server ------------------------------------------------- */

/* What a space is made of. All zero (or NULL in its place) is the default. */
struct tilia_space {
	bool is_volatile;  /* create: in memory only; it cannot be altered */
	unsigned set;      /* alter: which of those below, a sum of enum tilia_space_set */
	uint32_t tries;    /* a tuple claimed so often in vain is buried; 0: never */
	const char *dead;  /* in this space; NULL or empty: the name with ".dead" behind it */
	const char *shape; /* the template of all that is put, as text; NULL: anything */
	uint64_t tuples;   /* so many may be in it, and so many bytes of them; 0: no limit. Puts */
	uint64_t bytes;    /* beyond are TILIA_E_FULL, or wait (op->wait) */
	void *reserved[8];
};

enum tilia_space_set {
	TILIA_SPACE_TRIES = 1,
	TILIA_SPACE_DEAD = 2,
	TILIA_SPACE_SHAPE = 4,
	TILIA_SPACE_TUPLES = 8,
	TILIA_SPACE_BYTES = 16
};

/* `space` may be NULL. Altering leaves what space->set does not name as it is. */
TILIA_API int tilia_space_create(struct tilia *t, const char *name,
                                 const struct tilia_space *space);
TILIA_API int tilia_space_alter(struct tilia *t, const char *name,
                                const struct tilia_space *space);
TILIA_API int tilia_space_drop(struct tilia *t, const char *name);

/* *p: the answer as CBOR (docs/protocol.md says what is in it; tilia_text()
 * shows it), tilia_free()d by the caller: of all spaces, and of the server's
 * counters (`what` as there, or NULL). */
TILIA_API int tilia_space_list(struct tilia *t, void **p, size_t *size);
TILIA_API int tilia_stats(struct tilia *t, const char *what, void **p, size_t *size);
TILIA_API int tilia_ping(struct tilia *t);

/* --- without waiting ------------------------------------------------------- */

/* The handle in an event loop: watch tilia_fd() for tilia_events(), call
 * tilia_process() with what happened, and, when tilia_deadline_ms() have passed,
 * with 0; ask all three again after any call with the handle, as they change (a
 * connection made anew has another descriptor). docs/examples/tilia_uv.h does
 * that for libuv. */
#define TILIA_READ 1
#define TILIA_WRITE 2

TILIA_API int tilia_fd(const struct tilia *t);              /* -1: none now */
TILIA_API int tilia_events(const struct tilia *t);          /* of TILIA_READ, TILIA_WRITE */
TILIA_API int64_t tilia_deadline_ms(const struct tilia *t); /* from now; -1: never */

/* Moves bytes and calls the callbacks of what is done. 0; negative: the handle
 * cannot be used any more (refused by the server, session taken over); all
 * requests were answered with that code. A broken connection is no error here.
 * Not from within a callback. */
TILIA_API int tilia_process(struct tilia *t, int events);

enum tilia_request {
	TILIA_OUT,   /* cbor: the tuple */
	TILIA_OUTS,  /* cbor: an array of tuples */
	TILIA_IN,    /* cbor: the template */
	TILIA_RD,
	TILIA_COUNT,
	TILIA_WAIT,  /* cbor: [template, ["ge", n]] or [template, ["eq", 0]] */
	TILIA_ATOMIC, /* cbor: an array of steps, as docs/protocol.md has it */
	TILIA_WATCH, /* cbor: the template; see struct tilia_done */
	TILIA_PING,  /* cbor: nothing (NULL, 0) */
	TILIA_STATS,
	TILIA_REQUESTS
};

/* How a request ended. Valid within the callback only; `tuples` (and event->tuple)
 * becomes the callee's when it sets it to NULL. A watch's callback is called for
 * each event, with it, and a last time without one. */
struct tilia_done {
	int64_t request;    /* as tilia_submit() answered it */
	int code;           /* 0, TILIA_NONE, or negative */
	const char *error;  /* text of a failure, else "" */
	struct tilia_tuple *tuples; /* in, rd */
	uint64_t number;    /* out: the id; count, wait: how many */
	const void *cbor;   /* the whole answer */
	size_t size;
	struct tilia_event *event; /* watch */
};

/* Queues a request and sends it when tilia_process() or a waiting call comes to
 * it; `done` is called once, from there. Answers the request's number (above 0)
 * or a negative code (then `done` is not called). May be called from a callback. */
TILIA_API int64_t tilia_submit(struct tilia *t, enum tilia_request what,
                               const struct tilia_op *op, const void *cbor, size_t size,
                               void (*done)(struct tilia *t, struct tilia_done *d, void *arg),
                               void *arg);

/* tilia_commit() and tilia_renew() in the same way; what they point to is copied. d->cbor
 * is the array of the ids, or of the milliseconds left. */
TILIA_API int64_t tilia_submit_commit(struct tilia *t, const struct tilia_commit *commit,
                                      void (*done)(struct tilia *t, struct tilia_done *d,
                                                   void *arg),
                                      void *arg);
TILIA_API int64_t tilia_submit_renew(struct tilia *t, const uint64_t *tokens, size_t count,
                                     int64_t lease_ms,
                                     void (*done)(struct tilia *t, struct tilia_done *d,
                                                  void *arg),
                                     void *arg);

/* Undoes a submitted request: its callback comes with TILIA_E_CANCELLED when it
 * has no effect now, with the real result when it was done already. 0, or
 * TILIA_E_USAGE: it is finished, or was never there. */
TILIA_API int tilia_cancel(struct tilia *t, int64_t request);

/* Gives back what a finished take took, as long as it is not acknowledged (the
 * handle's last take is not before tilia_close(), unless it is one of 64 submitted
 * requests whose replies came together): the tuples are in their old
 * places again. `request` is its number; 0: the last blocking or submitted take.
 * For a program that could not use what it got. Waits for the server's word. 0;
 * TILIA_NONE: it stands (acknowledged, or without a session); negative: not known,
 * and then the tuples return after the grace if tilia_abandon() follows; TILIA_E_NOMEM:
 * the server is told before anything else is, as soon as there is memory. */
TILIA_API int tilia_undo(struct tilia *t, int64_t request);

/* Waits until no more than `most` submitted requests are unanswered (a watch is, as long
 * as it goes on). 0, or a
 * code as of tilia_process(), or TILIA_E_INTERRUPTED. */
TILIA_API int tilia_flush(struct tilia *t, size_t most);

#ifdef __cplusplus
}
#endif

#endif
