/* The edge: foreign CBOR (RFC 8949) is checked once and, where it differs,
 * rewritten in core deterministic encoding (4.2.1, and 3.4.3 for bignums:
 * those that fit 64 bits become integers). Inside, equal values are equal
 * bytes. libcbor's streaming decoder is used here and nowhere else. */
#ifndef TILIA_CODEC_H
#define TILIA_CODEC_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_HEADS_FRAME 65536
#define CODEC_HEADS_TUPLE 16384
#define CODEC_DEPTH 64
#define CODEC_DEPTH_MAX 256 /* the most that any limits may ask for */

/* Bytes that rewriting may move where maps are sorted and indefinite lengths end;
 * frames with keys in order and definite lengths move none. */
#define CODEC_MOVED ((size_t)64 << 20)

struct codec_limits {
	uint32_t heads; /* data item heads in all, breaks not counted */
	uint32_t depth; /* nesting of arrays, maps and tags; a lone item is 0 */
};

/* What was seen on the way. */
struct codec_info {
	bool formals; /* tag 21580 somewhere */
	bool refs;    /* tag 21581 somewhere */
	uint32_t heads;
	uint32_t depth;
};

struct codec_error {
	int code;        /* enum error_code: MALFORMED, VALUE, LIMIT, NOMEM */
	size_t offset;   /* of the item at fault, in the input */
	const char *why; /* static text: "duplicate map key", ... */
};

/* Checks that `in` is exactly one well-formed and valid data item and answers
 * its deterministic form in *out: `in` itself when it is that already (nothing
 * is copied), else bytes in *scratch, which is cleared first. Refused: bytes
 * missing or left over, reserved heads, invalid UTF-8, duplicate map keys (after
 * rewriting), nesting or heads beyond the limits, a tag 21580 or 21581 whose
 * content is not of its form is NOT judged here (formal.h does). Heads are
 * counted before memory is taken for them. Any NaN becomes 0xf97e00; floats
 * shrink to the shortest form that keeps the value; strings of indefinite
 * length are joined; map keys are sorted bytewise.
 * 0, or a negative code, with *err filled (err may be NULL). */
int codec_canonical(struct bytes in, struct bytes *out, struct buf *scratch,
                    const struct codec_limits *limits, struct codec_info *info,
                    struct codec_error *err);

/* The two halves of it. Whether `in` is valid, canonical and within the limits,
 * quickly (*info, which may be NULL, is filled if so); and the deterministic
 * form of any valid `in` appended to `out`, which is left as it was on an error. */
bool codec_check(struct bytes in, const struct codec_limits *limits, struct codec_info *info);
int codec_rewrite(struct bytes in, struct buf *out, const struct codec_limits *limits,
                  struct codec_info *info, struct codec_error *err);

#endif
