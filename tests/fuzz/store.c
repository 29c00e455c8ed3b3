/* Database files: one that a server left behind, its log beside it, with some of their
 * bytes changed or cut off; or any bytes at all. What is recovered is what was there, or
 * the file is refused with a reason: nothing wrong is served, nothing is missing unsaid. */
#include "../../libclient/base/xmalloc.h"
#include "../../server/journal/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())
#define FILES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const suffix[FILES] = {"", "-wal", ".lock"};
static struct buf image[FILES], sound; /* the files; what they hold */
static char folder[64], path[80];

static const char *name_of(const char *end)
{
	static char name[100];

	snprintf(name, sizeof name, "%s%s", path, end);
	return name;
}

static void write_file(int i, struct bytes b)
{
	FILE *f = fopen(name_of(suffix[i]), "wb");

	REQUIRE(f != NULL && fwrite(b.p, 1, b.n, f) == b.n);
	fclose(f);
}

static void read_file(int i)
{
	FILE *f = fopen(name_of(suffix[i]), "rb");
	int c;

	REQUIRE(f != NULL);
	while ((c = getc(f)) != EOF)
		buf_byte(&image[i], (uint8_t)c);
	fclose(f);
}

static void remove_files(void)
{
	unlink(name_of("-shm"));
	for (int i = 0; i < FILES; i++)
		unlink(name_of(suffix[i]));
}

static void remove_all(void)
{
	remove_files();
	rmdir(folder);
}

static void keep_row(const struct change *c, void *text)
{
	buf_printf(text, "%d %llu %llu %llu %llu %llu %u:", (int)c->kind,
	           (unsigned long long)c->space, (unsigned long long)c->id,
	           (unsigned long long)c->session, (unsigned long long)c->number,
	           (unsigned long long)c->expires_ms, (unsigned)c->tries);
	buf_append(text, c->bytes.p, c->bytes.n);
	buf_byte(text, '\n');
}

/* 0 and its rows, or a negative code with a reason. */
static int open_store(struct journal **j, struct buf *text)
{
	struct journal_options o = {.path = path, .sync = JOURNAL_SYNC_OFF, .checkpoint_pages = 16};
	struct journal_start start;
	char why[256] = "";
	int code = journal_sqlite_open(j, &o, why);

	if (code != 0) {
		REQUIRE(why[0] != '\0');
		return code;
	}
	code = (*j)->ops->recover(*j, keep_row, text, NULL, &start);
	REQUIRE(code == 0 || (*j)->ops->error(*j)[0] != '\0');
	if (code != 0)
		(*j)->ops->close(*j);
	return code;
}

static void commit(struct journal *j)
{
	uint64_t durable;

	j->ops->commit(j);
	REQUIRE(j->ops->wait(j, &durable) == 0);
}

/* Some tuples went into the database, the last ones are in the log. */
static void fill(struct journal *j)
{
	struct change c = {.kind = CHANGE_SPACE, .space = 1, .bytes = bytes_of("main")};

	j->ops->add(j, &c);
	c = (struct change){.kind = CHANGE_SESSION, .session = 5, .lease_ms = 1000};
	j->ops->add(j, &c);
	for (uint64_t id = 10; id < 80; id++) {
		c = (struct change){.kind = CHANGE_PUT, .space = 1, .id = id};
		c.bytes = bytes_of("\x82\x63job\x01");
		j->ops->add(j, &c);
		if (id % 10 == 9)
			commit(j);
	}
	c = (struct change){.kind = CHANGE_OUTCOME, .session = 5, .number = 2};
	c.bytes = bytes_of("\xf6");
	j->ops->add(j, &c);
	commit(j);
}

static void set_up(void)
{
	struct buf nothing = BUF_INIT;
	struct journal *j;

	snprintf(folder, sizeof folder, "/tmp/tilia-fuzz-XXXXXX");
	REQUIRE(mkdtemp(folder) != NULL && atexit(remove_all) == 0);
	snprintf(path, sizeof path, "%s/store", folder);
	REQUIRE(open_store(&j, &nothing) == 0);
	fill(j);
	for (int i = 0; i < FILES; i++)
		read_file(i);
	j->ops->close(j);
	buf_close(&nothing);
	for (int i = 0; i < FILES; i++)
		write_file(i, buf_bytes(&image[i]));
	REQUIRE(open_store(&j, &sound) == 0 && sound.len > 1000);
	j->ops->close(j);
}

/* Five bytes: which of the two files, where, and what is changed there (0: the file ends). */
static void change(struct buf *files, const uint8_t *p)
{
	struct buf *f = &files[p[0] % 2];
	size_t at = (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

	if (f->len == 0)
		return;
	if (p[4] == 0)
		f->len = at % f->len;
	else
		f->data[at % f->len] ^= p[4];
}

/* With the sound lock file beside it no state but the last is right. */
static void check(bool whole)
{
	struct buf text = BUF_INIT;
	struct journal *j;

	if (open_store(&j, &text) == 0) {
		REQUIRE(!whole || bytes_equal(buf_bytes(&text), buf_bytes(&sound)));
		j->ops->close(j);
	}
	buf_close(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf files[FILES] = {BUF_INIT, BUF_INIT, BUF_INIT};

	if (sound.len == 0)
		set_up();
	remove_files();
	if (size > 0 && data[0] == 0xff) {
		write_file(0, (struct bytes){data + 1, size - 1});
		check(false);
		return 0;
	}
	for (int i = 0; i < FILES; i++)
		buf_append(&files[i], image[i].data, image[i].len);
	for (; size >= 5; data += 5, size -= 5)
		change(files, data);
	for (int i = 0; i < FILES; i++) {
		write_file(i, buf_bytes(&files[i]));
		buf_close(&files[i]);
	}
	check(true);
	return 0;
}
