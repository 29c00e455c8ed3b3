/* The one table of result codes: what goes over the wire in [n, code, text,
 * detail], what the library answers, and its text. A function answers 0 or one
 * of these; errno, uv_* and SQLite codes are translated where they appear. */
#ifndef TILIA_ERROR_H
#define TILIA_ERROR_H

/* X(name, code, word, text). The word is what `tilia pipe` and the clients of
 * other languages show; -1 to -63 travel on the wire, the rest are local. */
#define ERROR_TABLE(X)                                                                             \
	X(MALFORMED, -1, "malformed", "the bytes are not a message")                               \
	X(REQUEST, -2, "request", "no such request, argument or option")                           \
	X(VALUE, -3, "value", "the tuple or template is not valid")                                \
	X(LIMIT, -4, "limit", "a limit is exceeded")                                               \
	X(NO_SPACE, -5, "no-space", "no such space")                                               \
	X(SPACE_EXISTS, -6, "space-exists", "the space exists already")                            \
	X(FULL, -7, "full", "the space or the disk is full")                                       \
	X(DENIED, -8, "denied", "this session may not do that")                                    \
	X(SESSION_OVER, -9, "session-over", "the session is over")                                 \
	X(TAKEN_OVER, -10, "taken-over", "another connection resumed this session")                \
	X(UNACKNOWLEDGED, -11, "unacknowledged", "too many replies are not acknowledged")          \
	X(CLAIM_OVER, -12, "claim-over", "the claim is over")                                      \
	X(CANCELLED, -13, "cancelled", "the request was cancelled")                                \
	X(STOPPING, -14, "stopping", "the server is stopping")                                     \
	X(VERSION, -15, "version", "the protocol version is not spoken here")                      \
	X(AUTH, -16, "auth", "not authenticated")                                                  \
	X(MIXED, -17, "mixed", "durable and volatile spaces in one statement")                     \
	X(SLOW, -18, "slow", "the reader did not move for too long")                               \
	X(SHAPE, -19, "shape", "the tuple does not have the shape of the space")                   \
	X(INTERNAL, -20, "internal", "internal error of the server")                               \
	X(NOMEM, -64, "no-memory", "out of memory")                                                \
	X(CONNECT, -65, "connect", "no server answers")                                            \
	X(CLOSED, -66, "closed", "the connection was closed")                                      \
	X(TIMEOUT, -67, "timeout", "timed out")                                                    \
	X(UNKNOWN, -68, "unknown", "the connection broke; whether it was done is not known")       \
	X(USAGE, -69, "usage", "the call is not valid")                                            \
	X(SYSTEM, -70, "system", "the operating system refused")                                   \
	X(INTERRUPTED, -71, "interrupted", "interrupted")                                          \
	X(SYNTAX, -72, "syntax", "the text is not diagnostic notation")                            \
	X(STORE, -73, "store", "the store cannot be used")                                         \
	X(DAMAGED, -74, "damaged", "the store is damaged")

enum error_code {
	ERROR_NONE = 0,
#define X(name, code, word, text) ERROR_##name = code,
	ERROR_TABLE(X)
#undef X
};

/* The text of a code ("done" for 0, "unknown error" for a stranger). */
const char *error_text(int code);

/* Its one word, for scripts ("ok" for 0). */
const char *error_word(int code);

#endif
