#include "tilia.h"

#include "../libclient/base/xmalloc.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct option_row no_options[] = {OPT_ROWS_END};

/* How a row of options looks in front of its help. */
#define OPTION_COLUMN 26

static void usage_options(const struct option_row *rows)
{
	for (const struct option_row *r = rows; r->name; r++) {
		int n;

		if (!r->help)
			continue;
		n = r->letter ? printf("  -%c, --%s", r->letter, r->name)
		              : printf("      --%s", r->name);
		if (r->arg)
			n += printf(r->value == OPT_OPTIONAL ? "[=%s]" : " %s", r->arg);
		if (n > OPTION_COLUMN)
			printf("\n"), n = 0;
		printf("%*s  %s\n", OPTION_COLUMN - n, "", r->help);
	}
}

int tool_help(const struct command *c)
{
	printf("usage: tilia %s%s%s\n\n%s\n", c->name, *c->args ? " " : "", c->args, c->summary);
	if (c->help)
		printf("\n%s", c->help);
	if (c->options->name) {
		printf("\n");
		usage_options(c->options);
	}
	return tool_flush(c->name);
}

/* Moves the word the scan stands on behind all others. */
static void put_last(struct option_scan *s)
{
	char *word = s->argv[s->at];

	memmove(s->argv + s->at, s->argv + s->at + 1,
	        (size_t)(s->whole - s->at - 1) * sizeof *s->argv);
	s->argv[s->whole - 1] = word;
	s->argc--;
}

bool tool_options(struct option_scan *s, const struct command *c, int argc, char **argv,
                  bool (*set)(void *ctx, const struct option_scan *s, int id), void *ctx,
                  int *status)
{
	option_start(s, c->name, c->options, argc, argv);
	for (;;) {
		int id = option_next(s);

		if (id == OPT_END && (!c->mixed || s->literal || s->at == s->argc))
			break;
		if (id == OPT_END) {
			put_last(s);
			continue;
		}
		*status = id == OPT_HELP ? tool_help(c) : EXIT_USAGE;
		if (id == OPT_HELP || id == OPT_BAD || !set(ctx, s, id))
			return false;
	}
	s->argc = argc;
	return true;
}

static const struct command *command_named(const char *name)
{
	for (const struct command *c = tool_commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int unknown(const char *name)
{
	fprintf(stderr, "tilia: no command \"%s\" (tilia help lists them)\n", name);
	return EXIT_USAGE;
}

static int list(void)
{
	printf("usage: tilia COMMAND [OPTION]... [WORD]...\n\n");
	for (const struct command *c = tool_commands; c->name; c++)
		printf("  %-8s  %s\n", c->name, c->summary);
	printf("\ntilia COMMAND --help says more; so do tilia(1) and tilia-protocol(7).\n");
	return tool_flush("help");
}

/* What the bash completion reads: a line a command, its name and its options. */
static int words(void)
{
	for (const struct command *c = tool_commands; c->name; c++) {
		printf("%s --help", c->name);
		for (const struct option_row *r = c->options; r->name; r++)
			if (r->help)
				printf(" --%s", r->name);
		printf("\n");
	}
	return tool_flush("help");
}

static int help_main(const struct command *c, int argc, char **argv)
{
	const struct command *about;

	if (argc == 1)
		return list();
	if (strcmp(argv[1], "--help") == 0)
		return tool_help(c);
	if (strcmp(argv[1], "--words") == 0)
		return words();
	if (argc > 2)
		return tool_usage("help", "one command at a time");
	about = command_named(argv[1]);
	return about ? tool_help(about) : unknown(argv[1]);
}

#define FIELDS \
	"\nFields are words: numbers, true, false, null, \"...\", [..] and {..} are those values,\n" \
	"anything else is text. Or one '[...]' in diagnostic notation. After -- all is text.\n"
#define BLANKS \
	"A blank is :type or name:type, in '[...]' ?type or ?name:type, where type is one of\n" \
	"any null bool int float number text bytes array map tag simple undefined.\n"

#define OUT \
	"A single - puts a tuple for each line of standard input, in diagnostic notation.\n"

#define WAIT \
	"All that exist count, claimed and delayed tuples too: --none is when all work is done.\n\n"

#define ATOMIC \
	"A step is in, rd or no and a template '[...]': the guards; and behind them out and a\n" \
	"tuple '[...]'. When all guards hold at one instant, all is done; until then it waits.\n" \
	"In what is put, @0.1 is field 1 of the tuple of guard 0, and @0.1+5 that and 5 more:\n\n" \
	"    tilia atomic in '[\"counter\", ?int]' out '[\"counter\", @0.1+1]'\n\n" \
	"Between a step's word and its '[...]' may stand --space NAME; behind no --visible; behind\n" \
	"out --ttl TIME, --delay TIME. Prints what in and rd matched. With - the steps are on\n" \
	"standard input.\n"

#define WATCH \
	"A line an event: what happened, its cursor, the tuple's id, and the tuple, tabs between.\n" \
	"It is put take claim back done bury expire; drop (the space); gap: events are missing\n" \
	"here. Goes on over a broken connection and a restart of the server. A log without gaps is\n" \
	"rd --after ID, again and again.\n\n"

#define SPACE \
	"alter changes what is named and leaves the rest; 0, '' and null take an option away. What is\n" \
	"put must match the shape: tilia space create jobs --shape '[\"job\", ?int, ?text]'. bury moves\n" \
	"what matches to the dead letters of the space NAME; kick brings it back from there.\n"

#define PIPE \
	"A request is a line: out in inp rd rdp FIELD..., count [FIELD...], wait [FIELD...],\n" \
	"atomic STEP..., ping. Options stand before the fields: --space NAME, --timeout TIME; of rd\n" \
	"--after ID; of in --drain; of out --ttl --delay TIME, --unless '[...]', --wait, --bound (it\n" \
	"vanishes with this pipe); of wait --ge N, --none; --visible as elsewhere. What a word cannot\n" \
	"say is a JSON string. The reply is one line: ok FIELD..., none, or error CODE text.\n"

#define RUN \
	"Nothing is needed at a place but ssh's way there and Python 3.6; nothing is written there.\n" \
	"In the script: import tilia; space = tilia.space(); tilia.rank, size, host, place, run.\n" \
	"Modules beside the script (and under --path) are imported from here.\n\n" \
	"Places: 4/local (four workers here), web1 (a worker there, by ssh), 8/bob@web1:2222,\n" \
	"ssh:gate/ssh:node1 (through gate), node[1-20], web1,python=\"/opt/bin/python3\". Options of\n" \
	"a hop: port= user= identity= python=. Blanks or several --on separate places.\n\n" \
	"Output comes by whole lines with the worker's name. Ctrl-C interrupts the workers, once more\n" \
	"terminates them, once more leaves. Without a server, a private one in memory goes with the\n" \
	"run. Exit status: the script's own with one place, 5 if some of several failed.\n"

#define WORK \
	"Each tuple is claimed, and gone when its command has exited with 0. With another status, or\n" \
	"when it is killed, the tuple is given back, to be tried again a while later; with 65 it is\n" \
	"buried among the dead letters.\n" \
	"{n} in an argument is the value of n:int, {0} the first field; no shell sees it. A single\n" \
	"word behind -- is for sh -c: {n} becomes one quoted word there, and stands outside of\n" \
	"quotes. In the environment: TILIA_n TILIA_0 TILIA_ID TILIA_TOKEN TILIA_TRIES TILIA_SPACE.\n\n" \
	"TERM or Ctrl-C: no more jobs, those that run may finish; once more terminates them.\n" \
	"Exit status: 5 when a job was given back, buried or lost.\n\n" BLANKS

#define LOCK \
	"A single word behind -- is for sh -c. The exit status is the command's own; 1 when the lock\n" \
	"was not had in time; 8 when it was lost: the command is then terminated before another can\n" \
	"have it. $TILIA_TOKEN is greater with each holder. The lock is the tuple [\"lock\", NAME].\n"

#define BACKUP \
	"Also while the server runs, which goes on as ever: the copy is the store at one instant.\n" \
	"It is looked through before it has its name; until then it is FILE.part.\n"

#define RESTORE \
	"The server must not run. The backup is looked through first. Every session is over then;\n" \
	"what they had claimed, or taken and not acknowledged, is back. Ids and tokens go on behind\n" \
	"all that were given out since the backup.\n"

#define CHECK \
	"Every row is read and compared with its checksum, with counts and with other rows; each\n" \
	"fault is a line. Nothing is changed; a backup can be looked through in the same way.\n" \
	"Exit status: 0 sound, 1 damaged.\n"

#define DUMP \
	"A line for each space and for each tuple, tabs between: SPACE, id, {options}, [tuple]; for\n" \
	"a space: SPACE, space, {options}. Also while the server runs: as it is at one instant.\n"

#define LOAD \
	"Reads what dump wrote, from FILE or standard input, and puts it into the server: spaces that\n" \
	"are missing, and tuples with what is left of their times, in their order, under new ids. What\n" \
	"was claimed, or taken and not acknowledged, is free. Ends at a wrong line; what stood before\n" \
	"it is put.\n"

const struct command tool_commands[] = {
	{"out", "[OPTION]... FIELD... | -", "puts a tuple",
	 OUT FIELDS,
	 out_options, out_main, false},
	{"in", "[OPTION]... FIELD...", "takes a tuple that matches, waiting for one", BLANKS FIELDS,
	 in_options, in_main, false},
	{"inp", "[OPTION]... FIELD...", "takes a tuple if one matches now", BLANKS FIELDS,
	 inp_options, in_main, false},
	{"rd", "[OPTION]... FIELD...", "reads a tuple that matches, waiting for one", BLANKS FIELDS,
	 rd_options, in_main, false},
	{"rdp", "[OPTION]... FIELD...", "reads a tuple if one matches now", BLANKS FIELDS,
	 rdp_options, in_main, false},
	{"ls", "[OPTION]... [FIELD...]", "lists the tuples that match, or all", BLANKS FIELDS,
	 ls_options, ls_main, false},
	{"rm", "[OPTION]... FIELD...", "takes all tuples that match now, and says how many",
	 BLANKS FIELDS, rm_options, rm_main, false},
	{"count", "[OPTION]... [FIELD...]", "says how many tuples match, or how many there are",
	 BLANKS FIELDS, count_options, count_main, false},
	{"wait", "[--ge N | --none] [OPTION]... [FIELD...]", "waits until so many match, or none",
	 WAIT BLANKS FIELDS, wait_options, wait_main, false},
	{"atomic", "[OPTION]... STEP... | -", "does several steps at one instant, or none of them",
	 ATOMIC, atomic_options, atomic_main, false},
	{"watch", "[OPTION]... [FIELD...]", "tells what happens to tuples that match, or to all",
	 WATCH BLANKS FIELDS, watch_options, watch_main, false},
	{"commit", "[OPTION]... SESSION:TOKEN", "ends a claim of tilia in --lease: it is done",
	 NULL, commit_options, commit_main, true},
	{"renew", "SESSION:TOKEN TIME", "lets a claim's lease end no earlier than so long from now",
	 NULL, renew_options, renew_main, true},
	{"space", "create|alter|drop|list|bury|kick [OPTION]... [NAME] [FIELD]...",
	 "makes, alters, drops and lists spaces; buries tuples, and brings them back", SPACE,
	 space_options, space_main, true},
	{"stats", "[OPTION]... [spaces]", "tells the server's counters, or why nothing matches",
	 NULL, stats_options, stats_main, true},
	{"pipe", "[--space NAME]", "the line door: requests as lines, replies as lines", PIPE,
	 pipe_options, pipe_main, false},
	{"run", "[OPTION]... SCRIPT [ARG]...",
	 "runs a Python script at every place, connected to the space",
	 RUN, run_options, run_main, false},
	{"work", "[OPTION]... FIELD... -- COMMAND [ARG]...",
	 "runs a command for each tuple that matches, and waits for more", WORK, work_options,
	 work_main, false},
	{"lock", "[OPTION]... NAME -- COMMAND [ARG]...",
	 "runs a command while it holds a lock, on all hosts one at a time", LOCK, lock_options,
	 lock_main, false},
	{"relay", "[--connect ADDRESS]", "the protocol over standard input and output", NULL,
	 relay_options, relay_main, false},
	{"backup", "[--force] [--store FILE] FILE", "copies a store, also a served one", BACKUP,
	 backup_options, backup_main, true},
	{"restore", "[--force] [--store FILE] FILE", "puts a backup in the place of a store",
	 RESTORE, restore_options, restore_main, true},
	{"check", "[--store FILE]", "looks a store through for damage", CHECK, check_options,
	 check_main, true},
	{"dump", "[--space NAME] [--store FILE]", "writes a store out as text", DUMP, dump_options,
	 dump_main, true},
	{"load", "[--connect ADDRESS] [FILE | -]", "puts what dump wrote", LOAD, load_options,
	 load_main, true},
	{"bench", "[OPTION]...", "measures the server from here", NULL, bench_options,
	 bench_main, true},
	{"version", "", "prints the version", NULL, version_options, version_main, false},
	{"help", "[COMMAND]", "lists the commands, or says how to use one", NULL, no_options,
	 help_main, false},
	{NULL, NULL, NULL, NULL, NULL, NULL, false},
};

static void complain(const char *command, const char *fmt, va_list args)
{
	char text[2048];

	vsnprintf(text, sizeof text, fmt, args);
	fprintf(stderr, "tilia %s: %s\n", command, text);
}

int tool_usage(const char *command, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(command, fmt, args);
	va_end(args);
	return EXIT_USAGE;
}

void tool_complain(const char *command, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(command, fmt, args);
	va_end(args);
}

int tool_flush(const char *command)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	if (errno != EPIPE)
		tool_complain(command, "the output cannot be written: %s", strerror(errno));
	return EXIT_LOCAL;
}

/* Nothing is lost: what the server has no acknowledgement of is undone when this session's
 * grace is over, claims too. */
static void out_of_memory(void)
{
	static const char text[] = "tilia: out of memory\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);

	(void)n;
	_exit(EXIT_LOCAL);
}

int main(int argc, char **argv)
{
	static char help[] = "help";
	const struct command *c;

	signal(SIGPIPE, SIG_IGN);
	xmalloc_or_else(out_of_memory);
	if (argc < 2) {
		list();
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		argv[1] = help;
	if (strcmp(argv[1], "--version") == 0)
		argv[1] += 2;
	c = command_named(argv[1]);
	return c ? c->run(c, argc - 1, argv + 1) : unknown(argv[1]);
}
