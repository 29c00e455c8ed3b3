#include "tilia.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
				printf(" --%s%s", r->name, r->value == OPT_VALUE ? "=" : "");
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

const struct command tool_commands[] = {
	{"help", "[COMMAND]", "lists the commands, or says how to use one", NULL, no_options,
	 help_main},
	{"version", "", "prints the version",
	 NULL, version_options, version_main},
	{NULL, NULL, NULL, NULL, NULL, NULL},
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

int main(int argc, char **argv)
{
	static char help[] = "help";
	const struct command *c;

	signal(SIGPIPE, SIG_IGN);
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
