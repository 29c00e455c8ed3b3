#include "work.h"

#include "tilia.h"

#include "../libclient/item.h"
#include "../libclient/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENV_MAX ((size_t)64 << 10) /* bytes of a value; exec() takes twice as much */

static struct fill fill_of(const struct work *w, const uint8_t *tuple)
{
	return (struct fill){.names = &w->fields.names, .arity = w->arity, .tuple = tuple};
}

/* --- the words ------------------------------------------------------------- */

static bool put_words(const struct work *w, const struct fill *f, struct words *argv, char *why)
{
	bool shell = w->o.word_count == 1, ok = true;

	if (shell) {
		words_add(argv, "/bin/sh");
		words_add(argv, "-c");
	}
	for (unsigned i = 0; i < w->o.word_count && ok; i++) {
		struct buf b = BUF_INIT;

		ok = (shell ? fill_shell : fill_argument)(&b, w->o.words[i], f, why) && !b.failed;
		if (ok)
			words_add_n(argv, buf_bytes(&b));
		buf_close(&b);
	}
	return ok;
}

/* --- the environment ------------------------------------------------------- */

static void set_number(struct words *env, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	words_set(env, name, bytes_of(text));
}

/* $TILIA_name and $TILIA_0, as {name} and {0}; not what an environment cannot hold. */
static void set_field(const struct fill *f, struct words *env, struct bytes name, char *why)
{
	char blank[300], variable[300];
	struct buf value = BUF_INIT;
	int n = snprintf(blank, sizeof blank, "{%.*s}", (int)name.n, (const char *)name.p);

	if (name.n > 255)
		return;
	snprintf(variable, sizeof variable, "TILIA_%.*s", (int)name.n, (const char *)name.p);
	for (char *p = variable; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	if (fill_text(&value, f, blank, (size_t)n, why) && value.len <= ENV_MAX && !value.failed)
		words_set(env, variable, buf_bytes(&value));
	buf_close(&value);
}

static void put_environment(const struct work *w, const struct tilia_tuple *t,
                            const struct fill *f, struct words *env)
{
	char number[16], why[FILL_WHY];

	words_environ(env);
	for (unsigned i = 0; i < tilia_tuple_arity(t); i++) {
		snprintf(number, sizeof number, "%u", i);
		set_field(f, env, bytes_of(number), why);
	}
	for (unsigned i = 0; i < w->fields.names.count; i++)
		set_field(f, env, w->fields.names.at[i].name, why);
	set_number(env, "TILIA_ID", tilia_tuple_id(t));
	set_number(env, "TILIA_TOKEN", tilia_tuple_token(t));
	set_number(env, "TILIA_TRIES", tilia_tuple_tries(t));
	words_set(env, "TILIA_SPACE", bytes_of(w->op.space != NULL ? w->op.space : "main"));
	if (w->link.address != NULL)
		words_set(env, "TILIA", bytes_of(w->link.address));
}

/* --- standard input -------------------------------------------------------- */

/* A file in memory: no writer that would have to wait for the command. */
static bool open_memory(int *fd, struct bytes text, char *why)
{
	*fd = memfd_create("tuple", MFD_CLOEXEC);
	if (*fd >= 0 && write(*fd, text.p, text.n) == (ssize_t)text.n &&
	    lseek(*fd, 0, SEEK_SET) == 0)
		return true;
	snprintf(why, WORK_WHY, "its standard input cannot be made: %s", strerror(errno));
	return false;
}

static bool open_stdin(const struct work *w, const uint8_t *tuple, int *fd, char *why)
{
	struct buf text = BUF_INIT, path = BUF_INIT;
	struct bytes all = item_bytes(tuple);
	bool ok = true;

	if (w->o.in == WORK_NO_STDIN) {
		*fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return true;
	}
	if (w->o.in == WORK_CBOR)
		buf_append(&text, all.p, all.n);
	else if (diag_json(&text, tuple, false, &path) != 0) {
		snprintf(why, WORK_WHY, "%.*s: JSON cannot hold it",
		         path.len > 200 ? 200 : (int)path.len, (const char *)path.data);
		ok = false;
	} else
		buf_byte(&text, '\n');
	ok = ok && open_memory(fd, buf_bytes(&text), why);
	buf_close(&text);
	buf_close(&path);
	return ok;
}

/* --- all of it ------------------------------------------------------------- */

bool work_command_make(const struct work *w, const struct tilia_tuple *t,
                       struct work_command *c, char *why)
{
	const uint8_t *tuple = tilia_tuple_cbor(t, NULL);
	struct fill f = fill_of(w, tuple);

	*c = (struct work_command){.in = -1};
	if (!put_words(w, &f, &c->argv, why) || !open_stdin(w, tuple, &c->in, why))
		return false;
	put_environment(w, t, &f, &c->env);
	return true;
}

void work_command_close(struct work_command *c)
{
	words_close(&c->argv);
	words_close(&c->env);
	if (c->in >= 0)
		close(c->in);
}

bool work_command_result(const struct work *w, unsigned i, const uint8_t *tuple,
                         struct bytes said, int status, struct buf *to, char *why)
{
	struct buf text = BUF_INIT, number = BUF_INIT;
	struct fill_value values[] = {{"stdout", NULL}, {"status", NULL}, {NULL, NULL}};
	struct fill f = fill_of(w, tuple);
	bool ok;

	if (said.n > 0 && said.p[said.n - 1] == '\n' && utf8_valid(said))
		said.n--;
	if (utf8_valid(said))
		item_put_text_n(&text, said);
	else
		item_put_bytes(&text, said);
	item_put_int(&number, status);
	values[0].item = text.data;
	values[1].item = number.data;
	f.values = values;
	ok = !text.failed && !number.failed && fill_tuple(to, w->o.out[i], &f, why);
	buf_close(&text);
	buf_close(&number);
	return ok;
}

/* Whether there is such a program, as exec() will look for it. */
static bool program_is_there(const char *name)
{
	const char *path = getenv("PATH");
	char file[4096];

	if (strchr(name, '/') != NULL || path == NULL)
		return path == NULL || access(name, X_OK) == 0;
	for (size_t n; *path != '\0'; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		snprintf(file, sizeof file, "%.*s%s%s", (int)n, path, n > 0 ? "/" : "", name);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

bool work_command_check(const struct work *w, char *why)
{
	static const struct fill_value values[] = {
		{"stdout", NULL}, {"status", NULL}, {NULL, NULL}};
	struct fill f = fill_of(w, NULL);
	struct words argv = {NULL, 0};
	struct buf result = BUF_INIT;
	bool ok = put_words(w, &f, &argv, why);

	words_close(&argv);
	if (ok && w->o.word_count > 1 && strchr(w->o.words[0], '{') == NULL &&
	    !program_is_there(w->o.words[0])) {
		snprintf(why, WORK_WHY, "%.200s: no such program", w->o.words[0]);
		return false;
	}
	f.values = values;
	for (unsigned i = 0; i < w->o.outs && ok; i++) {
		ok = fill_tuple(&result, w->o.out[i], &f, why);
		buf_clear(&result, 0);
	}
	buf_close(&result);
	return ok;
}
