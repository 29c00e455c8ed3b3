/* Options of a subcommand: a row each, read by the parser, `--help` and the
 * bash completion. Options stand before the first word; a word that reads as a
 * number is never an option (but `-0` where a row has that letter), `-` alone is
 * a word, `--` ends them. */
#ifndef TILIA_TOOLS_OPTION_H
#define TILIA_TOOLS_OPTION_H

#include <stdbool.h>
#include <stdint.h>

enum option_value {
	OPT_FLAG,     /* --name */
	OPT_VALUE,    /* --name VALUE, --name=VALUE, -n VALUE, -nVALUE */
	OPT_OPTIONAL, /* --name or --name=VALUE */
};

struct option_row {
	int id;           /* what option_next() answers; above 0 */
	char letter;      /* its short form, or 0 */
	const char *name; /* its long form, without `--`; NULL ends a table */
	enum option_value value;
	const char *arg;  /* "MS", or NULL */
	const char *help; /* one line; NULL: not shown */
};

/* Ids of the rows that several subcommands share; those of one subcommand alone
 * begin at OPT_OWN. */
enum {
	OPT_END = 0,
	OPT_BAD = -1,
	OPT_HELP = 1,
	OPT_CONNECT,
	OPT_SPACE,
	OPT_TIMEOUT,
	OPT_MAX,
	OPT_AFTER,
	OPT_JSON,
	OPT_NAMED,
	OPT_CBOR,
	OPT_RAW,
	OPT_ZERO,
	OPT_LINES,
	OPT_DRY_RUN,
	OPT_TTL,
	OPT_DELAY,
	OPT_VISIBLE,
	OPT_OWN = 100,
};

#define OPT_ROW_CONNECT                                                                          \
	{OPT_CONNECT, 0, "connect", OPT_VALUE, "ADDRESS",                                      \
	 "where the server is (else $TILIA, else the socket of this user)"}
#define OPT_ROW_SPACE {OPT_SPACE, 's', "space", OPT_VALUE, "NAME", "the space (main)"}
#define OPT_ROW_DRY_RUN                                                                         \
	{OPT_DRY_RUN, 0, "dry-run", OPT_FLAG, NULL, "print what would be asked, and ask nothing"}
#define OPT_ROW_TIMEOUT                                                                         \
	{OPT_TIMEOUT, 't', "timeout", OPT_VALUE, "TIME",                                       \
	 "how long to wait: 500ms, 5s, 2m, 1h (for ever)"}
#define OPT_ROW_VISIBLE                                                                         \
	{OPT_VISIBLE, 0, "visible", OPT_FLAG, NULL,                                            \
	 "claimed and delayed tuples do not count (they do)"}
#define OPT_ROWS_END {0, 0, NULL, OPT_FLAG, NULL, NULL}

struct option_scan {
	const char *command; /* for messages */
	const struct option_row *rows;
	int argc, whole; /* words to look at, and all of them */
	char **argv;
	int at;            /* index of the next word */
	const char *rest;  /* of letters joined as in -0n5 */
	const char *value; /* of the option just answered, or NULL */
	const struct option_row *row; /* the option just answered */
	bool literal;      /* `--` ended the options */
};

/* Scans argv from 1; argv[0] is the command's name. */
void option_start(struct option_scan *s, const char *command, const struct option_row *rows,
                  int argc, char **argv);

/* The id of the next option; OPT_END when words begin (s->at is the first);
 * OPT_BAD when it was refused: the message is on stderr, exit with
 * EXIT_USAGE. Every table knows --help (OPT_HELP). */
int option_next(struct option_scan *s);

/* Reads the value of the option just answered: a count up to `most`, or a
 * duration (`500ms`, `5s`, `2m`, `1h`; of bare numbers 0 only) in milliseconds.
 * false: refused, the message is on stderr. */
bool option_count(const struct option_scan *s, uint64_t most, uint64_t *value);
bool option_duration(const struct option_scan *s, uint64_t *ms);

/* A duration above 0; and the timeout of a struct tilia_op, of which 0 is TILIA_NOWAIT. */
bool option_period(const struct option_scan *s, int64_t *ms);
bool option_timeout(const struct option_scan *s, int64_t *ms);

/* The same of any text, without a message. */
bool option_read_count(const char *text, uint64_t most, uint64_t *value);
bool option_read_duration(const char *text, uint64_t *ms);

#endif
