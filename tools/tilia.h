/* `tilia`: the table of subcommands. A subcommand is a row in tilia.c, a
 * handler NAME_main() in a file of its own, and its options beside the handler.
 * --help, the bash completion and the dispatch read the row. */
#ifndef TILIA_TOOLS_TILIA_H
#define TILIA_TOOLS_TILIA_H

#include "option.h"

/* Exit statuses of every subcommand. */
enum tool_exit {
	EXIT_DONE = 0,
	EXIT_NONE = 1,        /* nothing matched, or timed out */
	EXIT_USAGE = 2,
	EXIT_NO_SERVER = 3,   /* no connection */
	EXIT_REFUSED = 4,     /* the server said no */
	EXIT_SOME = 5, /* some hosts or jobs failed */
	EXIT_BOOTSTRAP = 6,   /* interpreter or bootstrap */
	EXIT_LOCAL = 7,       /* input or output of this process failed */
	EXIT_LOST = 8,        /* the lock was lost while its command ran */
	EXIT_INTERRUPTED = 130,
};

struct command {
	const char *name;
	const char *args;    /* "[OPTION]... TEMPLATE" */
	const char *summary; /* one line, for the list */
	const char *help;    /* what --help adds: whole lines, or NULL */
	const struct option_row *options;
	int (*run)(const struct command *c, int argc, char **argv); /* argv[0] is the name */
	bool mixed; /* its words are no fields: options may stand behind them */
};

extern const struct command tool_commands[]; /* ends with a NULL name */

/* Options and handlers, one file each. */
#define TOOL_COMMAND(name)                                                                        \
	extern const struct option_row name##_options[];                                           \
	int name##_main(const struct command *c, int argc, char **argv);
TOOL_COMMAND(out)
TOOL_COMMAND(in) /* inp, rd and rdp too: told apart by the command's name */
extern const struct option_row inp_options[], rd_options[], rdp_options[];
TOOL_COMMAND(ls)
TOOL_COMMAND(rm)
TOOL_COMMAND(count)
TOOL_COMMAND(wait)
TOOL_COMMAND(atomic)
TOOL_COMMAND(watch)
TOOL_COMMAND(commit)
TOOL_COMMAND(renew)
TOOL_COMMAND(space)
TOOL_COMMAND(stats)
TOOL_COMMAND(pipe)
TOOL_COMMAND(relay)
TOOL_COMMAND(run)
TOOL_COMMAND(work)
TOOL_COMMAND(lock)
TOOL_COMMAND(backup)
TOOL_COMMAND(restore)
TOOL_COMMAND(check)
TOOL_COMMAND(dump)
TOOL_COMMAND(load)
TOOL_COMMAND(bench)
TOOL_COMMAND(version)

/* Scans the options of `c`, one call of set() each; set() answers false when it
 * refused one with a message. true: *s stands on the words. false: the command
 * ends with *status. */
bool tool_options(struct option_scan *s, const struct command *c, int argc, char **argv,
                  bool (*set)(void *ctx, const struct option_scan *s, int id), void *ctx,
                  int *status);

/* Writes the --help of a subcommand to stdout; answers its exit status. */
int tool_help(const struct command *c);

/* "tilia NAME: text" on stderr, one line. Answers EXIT_USAGE. */
int tool_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for what is not a usage error. */
void tool_complain(const char *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Flushes stdout; EXIT_DONE, or EXIT_LOCAL with a message when it (or an
 * earlier write) failed. A closed pipe is not worth a message. */
int tool_flush(const char *command);

#endif
