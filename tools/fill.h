/* Filling fields of a tuple into a command or a tuple: `{name}` of a named blank, `{0}`
 * of a field's number. What is filled in is data and stays data: nothing in it is
 * read as a shell's syntax, a second argument, or diagnostic notation. */
#ifndef TILIA_TOOLS_FILL_H
#define TILIA_TOOLS_FILL_H

#include "../libclient/base/buf.h"
#include "../libclient/diag.h"

#include <stdbool.h>

#define FILL_WHY 256

/* A value that is no field: `{stdout}`. */
struct fill_value {
	const char *name;    /* NULL ends a list */
	const uint8_t *item; /* canonical */
};

struct fill {
	const struct diag_names *names;
	unsigned arity;          /* of all tuples; 0: not known */
	const uint8_t *tuple;    /* NULL: the text is only checked, and nothing stands for values */
	const struct fill_value *values; /* or NULL */
};

/* Each of the three appends `text` with its blanks filled in. false: refused, and
 * why[FILL_WHY] says why. A text that was accepted without a tuple is refused with
 * one only because of a value (a NUL, a field that is not there). */

/* One word of an argument vector. Text and bytes stand there as they are, anything
 * else in diagnostic notation. `{{name}}` is the text {name}. */
bool fill_argument(struct buf *out, const char *text, const struct fill *f, char *why);

/* A command for `sh -c`: each value is one word in single quotes. Refused are blanks in
 * quotes, and, where there are blanks, what makes it hard to say what is in quotes:
 * `...`, $( ) within "", $(( )), here-documents, comments, $'..'. */
bool fill_shell(struct buf *out, const char *text, const struct fill *f, char *why);

/* A tuple in diagnostic notation; appends its CBOR. */
bool fill_tuple(struct buf *out, const char *text, const struct fill *f, char *why);

/* --- for fill_shell.c ------------------------------------------------------ */

/* The length of the `{name}` that begins at `p`, or 0. */
size_t fill_blank(const char *p);

/* Whether `{name}` of that length stands for something; *item is the value (NULL: none
 * yet, or the tuple has no such field). */
bool fill_find(const struct fill *f, const char *blank, size_t n, const uint8_t **item);

/* "{name}: what" in why; false. */
bool fill_refuse(char *why, const char *blank, size_t n, const char *what);

/* Appends the value of a blank as text. */
bool fill_text(struct buf *out, const struct fill *f, const char *blank, size_t n, char *why);

#endif
