/* backup, restore, check, dump: what is known about the file is the server's, so they are
 * verbs of tiliad (server/data.c), which is started with what was asked. */
#include "tilia.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OPT_STORE = OPT_OWN, OPT_FORCE };

#define ROW_STORE {OPT_STORE, 0, "store", OPT_VALUE, "FILE", "the store (tiliad's own default)"}

const struct option_row backup_options[] = {
	ROW_STORE,
	{OPT_FORCE, 'f', "force", OPT_FLAG, NULL, "replace a file of that name"},
	OPT_ROWS_END,
};

const struct option_row restore_options[] = {
	ROW_STORE,
	{OPT_FORCE, 'f', "force", OPT_FLAG, NULL,
	 "a store that is there is kept under another name"},
	OPT_ROWS_END,
};

const struct option_row check_options[] = {
	ROW_STORE,
	OPT_ROWS_END,
};

const struct option_row dump_options[] = {
	ROW_STORE,
	{OPT_SPACE, 's', "space", OPT_VALUE, "NAME", "only this space (all)"},
	OPT_ROWS_END,
};

struct data {
	const char *store, *space, *word;
	bool force;
};

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct data *d = ctx;

	switch (id) {
	case OPT_STORE:
		d->store = s->value;
		return true;
	case OPT_SPACE:
		d->space = s->value;
		return true;
	case OPT_FORCE:
		return d->force = true;
	}
	return false;
}

/* The tiliad beside this program, else the one in $PATH. */
static int execute(const char *command, char *const *words)
{
	char beside[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", beside, sizeof beside - sizeof "/tiliad");
	char *slash;

	if (n > 0) {
		beside[n] = '\0';
		slash = strrchr(beside, '/');
		strcpy(slash, "/tiliad");
		execv(beside, words);
	}
	if (n <= 0 || errno == ENOENT)
		execvp("tiliad", words);
	if (errno == ENOENT)
		tool_complain(command, "tiliad is neither beside this program nor in $PATH");
	else
		tool_complain(command, "tiliad cannot be started: %s", strerror(errno));
	return EXIT_LOCAL;
}

/* Named tilia, it speaks of itself as that. */
static int hand_on(const struct command *c, const struct data *d)
{
	const char *words[10] = {"tilia", c->name};
	size_t n = 2;

	if (d->store) {
		words[n++] = "--store";
		words[n++] = d->store;
	}
	if (d->space) {
		words[n++] = "--space";
		words[n++] = d->space;
	}
	if (d->force)
		words[n++] = "--force";
	if (d->word) {
		words[n++] = "--";
		words[n++] = d->word;
	}
	return execute(c->name, (char *const *)(uintptr_t)words);
}

static int run(const struct command *c, int argc, char **argv, bool wants_word)
{
	struct data d = {0};
	struct option_scan s;
	int status;

	if (!tool_options(&s, c, argc, argv, set_option, &d, &status))
		return status;
	if (s.argc - s.at != (wants_word ? 1 : 0))
		return tool_usage(c->name, wants_word ? "one file" : "no words, only options");
	if (wants_word)
		d.word = s.argv[s.at];
	if (d.store && !*d.store)
		return tool_usage(c->name, "the name of the store is empty");
	return hand_on(c, &d);
}

int backup_main(const struct command *c, int argc, char **argv)
{
	return run(c, argc, argv, true);
}

int restore_main(const struct command *c, int argc, char **argv)
{
	return run(c, argc, argv, true);
}

int check_main(const struct command *c, int argc, char **argv)
{
	return run(c, argc, argv, false);
}

int dump_main(const struct command *c, int argc, char **argv)
{
	return run(c, argc, argv, false);
}
