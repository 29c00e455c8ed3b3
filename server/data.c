#include "data.h"

#include "../libclient/address.h"
#include "../libclient/error.h"
#include "config.h"
#include "journal/offline.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

/* As tilia(1) has them. */
enum { DATA_DONE = 0, DATA_DAMAGED = 1, DATA_USAGE = 2, DATA_FAILED = 7 };

#define FAULTS_TOLD 100

struct data {
	const char *program, *store, *word, *space;
	bool force;
	struct buf default_store;
	struct offline_found found;
	char why[OFFLINE_WHY];
};

struct verb {
	const char *name, *word; /* what it wants behind the options, or NULL */
	bool forces, spaces;     /* has --force, --space */
	int (*run)(struct data *d);
};

static void say(const struct data *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct data *d, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", d->program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int failed(const struct data *d, int code)
{
	say(d, "%s", d->why);
	return code == ERROR_DAMAGED ? DATA_DAMAGED : DATA_FAILED;
}

static void print_count(uint64_t n, const char *what)
{
	printf("%" PRIu64 " %s%s, ", n, what, n == 1 ? "" : "s");
}

/* "12 tuples, 2 spaces, 1 session, batch 153" */
static void print_found(const struct offline_found *f)
{
	print_count(f->tuples, "tuple");
	print_count(f->spaces, "space");
	print_count(f->sessions, "session");
	printf("batch %" PRIu64 "\n", f->batch);
}

static void print_fault(const char *text, void *ctx)
{
	const struct data *d = ctx;

	if (d->found.faults <= FAULTS_TOLD)
		printf("%s\n", text);
}

static int run_check(struct data *d)
{
	int code = check_store(d->store, print_fault, d, &d->found, d->why);

	if (d->found.faults) {
		printf("%s is damaged: %" PRIu64 " fault%s", d->store, d->found.faults,
		       d->found.faults == 1 ? "" : "s");
		if (d->found.faults > FAULTS_TOLD)
			printf(", of which the first %d are told", FAULTS_TOLD);
		putchar('\n');
		return DATA_DAMAGED;
	}
	if (code)
		return failed(d, code);
	printf("%s is sound: ", d->store);
	print_found(&d->found);
	return DATA_DONE;
}

static int run_backup(struct data *d)
{
	int code = backup_store(d->store, d->word, d->force, &d->found, d->why);

	if (code)
		return failed(d, code);
	printf("%s: ", d->word);
	print_found(&d->found);
	return DATA_DONE;
}

/* On a new machine the folder of the default store is not there yet. */
static bool make_folders(struct data *d)
{
	struct config c = {.store = (char *)d->default_store.data, .store_default = true};
	char why[CONFIG_WHY];

	if (!c.store || config_folders(&c, why) == 0)
		return true;
	say(d, "%s", why);
	return false;
}

static int run_restore(struct data *d)
{
	char kept[OFFLINE_KEPT];
	int code;

	if (!make_folders(d))
		return DATA_FAILED;
	code = restore_store(d->store, d->word, d->force, &d->found, kept, d->why);
	if (*kept)
		printf("the old store is %s\n", kept);
	if (code)
		return failed(d, code);
	printf("%s has the %" PRIu64 " tuples of %s\n", d->store, d->found.tuples, d->word);
	return DATA_DONE;
}

static int run_dump(struct data *d)
{
	int code;

	signal(SIGPIPE, SIG_DFL); /* who reads it may have seen enough */
	code = dump_store(d->store, d->space, stdout, d->why);
	return code ? failed(d, code) : DATA_DONE;
}

static const struct verb verbs[] = {
	{"backup", "FILE", true, false, run_backup},
	{"restore", "FILE", true, false, run_restore},
	{"check", NULL, false, false, run_check},
	{"dump", NULL, false, true, run_dump},
};

static const struct verb *find(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

bool data_is_verb(const char *word)
{
	return find(word) != NULL;
}

static int usage(const struct data *d, const struct verb *v)
{
	say(d, "usage: %s [--store FILE]%s%s%s%s", v->name, v->forces ? " [--force]" : "",
	    v->spaces ? " [--space NAME]" : "", v->word ? " " : "", v->word ? v->word : "");
	return DATA_USAGE;
}

/* Whether argv[*at] is the option, as one word or two: *value. */
static bool option(const char *name, int argc, char **argv, int *at, const char **value)
{
	size_t n = strlen(name);

	if (strncmp(argv[*at], name, n) != 0)
		return false;
	if (argv[*at][n] == '=')
		*value = argv[*at] + n + 1;
	else if (argv[*at][n] == '\0' && *at + 1 < argc)
		*value = argv[++*at];
	else
		return false;
	return **value != '\0';
}

static bool read_words(struct data *d, const struct verb *v, int argc, char **argv)
{
	bool literal = false;

	for (int i = 2; i < argc; i++) {
		if (literal || argv[i][0] != '-') {
			if (!v->word || d->word || !*argv[i])
				return false;
			d->word = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			literal = true;
		} else if (v->forces && strcmp(argv[i], "--force") == 0) {
			d->force = true;
		} else if (!option("--store", argc, argv, &i, &d->store) &&
		           !(v->spaces && option("--space", argc, argv, &i, &d->space))) {
			return false;
		}
	}
	return !v->word || d->word;
}

/* The store that tiliad uses when nobody names one. */
static bool name_store(struct data *d)
{
	char why[ADDRESS_WHY];

	if (d->store)
		return true;
	if (address_default_store(&d->default_store, why) != 0) {
		say(d, "%s", why);
		return false;
	}
	buf_byte(&d->default_store, '\0');
	d->store = (const char *)d->default_store.data;
	return d->store != NULL;
}

int data_run(int argc, char **argv)
{
	const struct verb *v = find(argv[1]);
	struct data d = {.default_store = BUF_INIT};
	char program[64];
	int status;

	snprintf(program, sizeof program, "%.30s %s",
	         strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0], v->name);
	d.program = program;
	if (!read_words(&d, v, argc, argv))
		status = usage(&d, v);
	else
		status = name_store(&d) ? v->run(&d) : DATA_FAILED;
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == DATA_DONE) {
		say(&d, "the output cannot be written: %s", strerror(errno));
		status = DATA_FAILED;
	}
	buf_close(&d.default_store);
	return status;
}
