/* The words of the line door: a line is cut into words at blanks, but not within
 * "..", [..] and {..}; a tuple is written so that it is cut and read the same. */
#ifndef TILIA_TOOLS_PIPE_WORDS_H
#define TILIA_TOOLS_PIPE_WORDS_H

#include "../libclient/base/buf.h"

#define PIPE_WORDS 264 /* a verb, its options, 255 fields */

struct pipe_words {
	char *at[PIPE_WORDS + 1]; /* NUL-terminated, pointing into text */
	int count;
	struct buf text;
};

/* Cuts a line. false: *why says what is wrong with it. */
bool pipe_words_cut(struct pipe_words *w, struct bytes line, const char **why);
void pipe_words_close(struct pipe_words *w);

/* Appends the fields of a tuple as words, a blank before each; as one `[...]`
 * when a field is of a kind that words cannot say (bytes, tags, ...). */
void pipe_words_put(struct buf *b, const uint8_t *tuple);

#endif
