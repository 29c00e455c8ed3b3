/* Diagnostic notation (RFC 8949 section 8; JSON is a subset) with the formals
 * of docs/protocol.md, and the words form of the command line. Text in, CBOR
 * out, and back. */
#ifndef TILIA_DIAG_H
#define TILIA_DIAG_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Where and why a text was refused; diag_caret() shows it. */
struct diag_error {
	int code;       /* ERROR_SYNTAX, ERROR_LIMIT, ERROR_NOMEM */
	size_t offset;  /* byte of the text */
	char why[160];
};

/* A named formal: the name stays with the client. */
struct diag_name {
	unsigned field;    /* top-level field, 0-based */
	struct bytes name; /* points into the text that was parsed */
};

struct diag_names {
	struct diag_name at[255];
	unsigned count;
};

enum diag_flags {
	DIAG_FORMALS = 1, /* formals are allowed (a template) */
	DIAG_MANY = 2,    /* stop behind one item and the blanks after it; *used says where */
	DIAG_REFS = 4,    /* references are allowed (what an atomic puts) */
};

/* Parses one item of text and appends its deterministic CBOR to `out`. Accepts
 * all of RFC 8949 8: h'' b64'' h32-less byte strings, tags 6(..), simple(n),
 * NaN, Infinity, undefined, encoding indicators (_0 to _3, ignored), comments
 * (slashes and #), floats told from integers by a point or exponent, integers
 * of any size (bignums; at most DECIMAL_DIGITS digits), (_ chunks), JSON
 * escapes, and 'text' as bytes. Formals are `?`, `?int` and, for a field of the
 * whole, `?n:int`, with what constrains them behind it, in any order: 1..9 1.. ..9
 * >=1 >1 <=9 <9 !=5 ^"prefix" (1|2|3) has{"k": 1} min max; a constraint that
 * cannot be is an error at its place. `names` and `used` may be NULL. With DIAG_REFS
 * `@0.1` is a reference to field 1 of what guard 0 of an atomic matched, `@0.1+5` and
 * `@0.1-1` with an integer added.
 * 0 or a negative code with *err. Nothing is appended on an error. */
int diag_parse(struct bytes text, unsigned flags, struct buf *out, struct diag_names *names,
               size_t *used, struct diag_error *err);

/* The words form: `words` are the fields. A word that reads as a JSON number,
 * true, false, null, a quoted string, [..] or {..} is that value; with
 * DIAG_FORMALS `name:type` and `:type` are formals, and letters that are no
 * type an error; without, a formal is an error and any other word with a colon
 * text. A word within [ ], { } or quotes that is no value is an error. Anything
 * else is text.
 * `literal`: index of the first word that is text whatever it looks like (those
 * after `--`); `count` when none is. A first word that begins with `[` and is
 * not literal is diagnostic notation for the whole, and the only word.
 * err->offset is within word *word. */
int diag_words(char *const *words, unsigned count, unsigned literal, unsigned flags,
               struct buf *out, struct diag_names *names, unsigned *word, struct diag_error *err);

/* Appends the text of a canonical item: `[...]` form, parseable by diag_parse(),
 * formals as ?type and their constraints, references as @0.1, floats always with a point
 * or exponent,
 * byte strings h''. */
void diag_print(struct buf *out, const uint8_t *item);

/* Appends a text (UTF-8) in double quotes, escaped as in JSON; control characters
 * above ASCII are escaped too. */
void diag_quote(struct buf *out, struct bytes text);

/* JSON (RFC 8259), integers of any size in digits. What JSON cannot hold (bytes,
 * NaN, tags, undefined, keys that are not text) is ERROR_VALUE with the path in
 * *path (like [1]."k"; may be NULL), and nothing is appended. `lossy`: bytes
 * become base64url, NaN, the infinities, undefined and simple values null, tags
 * their content, keys their diagnostic notation. */
int diag_json(struct buf *out, const uint8_t *item, bool lossy, struct buf *path);

/* Appends two lines: that of the text which has the offset, cut to a terminal's
 * width around it, and a caret under it. */
void diag_caret(struct buf *out, struct bytes text, const struct diag_error *err);

#endif
