/* What a subcommand prints: tuples as diagnostic notation, JSON, CBOR or one
 * raw field. Everything is gathered first and written at once, so that a tuple
 * that cannot be shown, or a pipe that is closed, loses nothing: the caller then
 * gives the tuples back. */
#ifndef TILIA_TOOLS_OUTPUT_H
#define TILIA_TOOLS_OUTPUT_H

#include "option.h"

#include "../libclient/diag.h"

enum output_form {
	OUTPUT_TEXT,
	OUTPUT_JSON,
	OUTPUT_CBOR,
	OUTPUT_RAW,
};

struct output {
	const char *command;
	enum output_form form;
	bool lossy, named, zero, ids;
	const char *raw;  /* --raw's value: a number from 0, or the name of a formal */
	unsigned field;   /* which one that is */
	const struct diag_names *names;
	struct buf text;  /* gathered */
};

enum { OPT_IDS = 90 };

#define OUTPUT_ROWS                                                                                \
	{OPT_JSON, 'j', "json", OPT_OPTIONAL, "lossy",                                             \
	 "print JSON; what it cannot hold is an error, or made to fit (lossy)"},                   \
		{OPT_CBOR, 0, "cbor", OPT_FLAG, NULL, "print CBOR, one item after the other"},     \
		{OPT_ZERO, '0', "zero", OPT_FLAG, NULL, "end each with a NUL, not a newline"}
#define OUTPUT_TUPLE_ROWS                                                                          \
	OUTPUT_ROWS, {OPT_NAMED, 0, "named", OPT_FLAG, NULL, "JSON object of the named formals"},  \
		OUTPUT_FIELD_ROWS
#define OUTPUT_FIELD_ROWS                                                                          \
		{OPT_RAW, 'r', "raw", OPT_VALUE, "FIELD",                                          \
		 "print one field only, text as it is: a number from 0, or a formal's name"},      \
		{OPT_IDS, 0, "ids", OPT_FLAG, NULL, "print each tuple's id and a tab before it"}

void output_init(struct output *o, const char *command);
void output_close(struct output *o);

/* Takes an option: true when it is one of the above and was right. */
bool output_option(struct output *o, const struct option_scan *s, int id);

/* Settles --raw and --named by the names of the template (NULL: none). 0, or
 * EXIT_USAGE with a message. */
int output_settle(struct output *o, const struct diag_names *names);

/* Gathers one tuple, or any other item (without --raw, --named and --ids). 0, or
 * EXIT_LOCAL with a message: it cannot be shown in this form. */
int output_tuple(struct output *o, uint64_t id, const uint8_t *tuple);
int output_item(struct output *o, const uint8_t *item);

/* Writes what was gathered to stdout, all of it. 0, or EXIT_LOCAL (with a message
 * but for a closed pipe). */
int output_write(struct output *o);

#endif
