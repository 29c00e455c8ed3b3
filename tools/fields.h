/* The fields of a tuple or template as a command line gives them: words, one
 * `[...]`, or a line of text. Refusals go to stderr with a caret. */
#ifndef TILIA_TOOLS_FIELDS_H
#define TILIA_TOOLS_FIELDS_H

#include "option.h"

#include "../libclient/diag.h"

/* Says why a text was refused, with a caret under the place. */
void fields_show(const char *command, struct bytes text, const struct diag_error *err);

struct fields {
	struct buf cbor;         /* the tuple or template, canonical */
	struct diag_names names; /* point into the words */
};

void fields_init(struct fields *f);
void fields_close(struct fields *f);

/* Reads the words after the options of `s`: a tuple, or with `formals` a
 * template. Words that look like options are refused (before `--`): an option
 * stands before the fields. false: refused, the message is on stderr. */
bool fields_words(struct fields *f, const struct option_scan *s, bool formals);

/* Appends the tuple that one line of diagnostic notation says to *out. `line` is
 * its number, for the message. */
bool fields_line(struct buf *out, const char *command, struct bytes text, uint64_t line);

/* Appends the tuple of `head` (an array) with the line's text as one field more. */
bool fields_last(struct buf *out, const char *command, struct bytes head, struct bytes text,
                 uint64_t line);

/* Appends the template that an option's value says, one [...] in diagnostic notation. */
bool fields_template(struct buf *out, const char *command, const char *text);

/* Whether words are there, and whether they are the one word `-`. */
bool fields_any(const struct option_scan *s);
bool fields_dash(const struct option_scan *s);

#endif
