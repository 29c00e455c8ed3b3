/* The journal and its disk: what is kept of it, what a reader does to the log, and
 * files beside the database that cannot be written. */
#include "../../libclient/error.h"
#include "../lib/harness.h"
#include "../lib/stores.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

static uint64_t next_id;

/* So many batches of 500 tuples. */
static void put(struct journal *j, int batches)
{
	while (batches-- > 0) {
		for (int i = 0; i < 500; i++)
			stores_add_put(j, ++next_id);
		stores_commit(j);
	}
}

/* The writer looks at the disk when the batch is announced already. */
static struct journal_disk until(struct journal *j, enum journal_disk_state state)
{
	struct journal_disk d;

	for (int i = 0; i < 10000; i++) {
		j->ops->disk(j, &d);
		if (d.state == state && d.reserve > 0) /* 0: it has not looked yet */
			return d;
		poll(NULL, 0, 2);
	}
	test_fail(__FILE__, __LINE__, "the disk is %d, not %d", (int)d.state, (int)state);
	return d;
}

static uint64_t size_of(const char *path, const char *suffix)
{
	char name[160];
	struct stat st;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* /dev/full takes the place of a file this program has open: what is written to it
 * finds no room. */
static void make_full(const char *path, const char *suffix)
{
	char wanted[160], link[40], name[256];
	int full = open("/dev/full", O_RDWR | O_CLOEXEC), found = 0;

	snprintf(wanted, sizeof wanted, "%s%s", path, suffix);
	for (int fd = 3; fd < full; fd++) {
		ssize_t n;

		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		n = readlink(link, name, sizeof name - 1);
		name[n < 0 ? 0 : n] = 0;
		found += strcmp(name, wanted) == 0 && dup2(full, fd) == fd;
	}
	close(full);
	CHECK_INT(found, 1);
}

static struct journal *fresh(const struct journal_options *o)
{
	struct journal *j = stores_fresh(o);

	next_id = 0;
	stores_add_space(j);
	stores_commit(j);
	return j;
}

TEST(the_reserve_is_there_from_the_start_and_stays)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = fresh(&o);

	CHECK(size_of(o.path, ".reserve") >= 8 * MIB);
	CHECK(until(j, JOURNAL_DISK_WELL).reserve >= 8 * MIB);
	j->ops->close(j);
	CHECK(size_of(o.path, ".reserve") >= 8 * MIB);
}

TEST(a_reader_in_the_log_is_told_then_refused_then_forgotten)
{
	struct journal_options o = {
		.path = stores_path(), .checkpoint_pages = 10, .log_most = 20 * MIB};
	struct journal *j = fresh(&o);
	sqlite3 *reader = stores_operator(o.path);
	struct journal_disk d;

	CHECK_INT(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM tuple", NULL, NULL, NULL),
	          SQLITE_OK);
	for (int i = 0; i < 1000 && size_of(o.path, "-wal") < 6 * MIB; i++)
		put(j, 10);
	d = until(j, JOURNAL_DISK_HELD);
	CHECK(d.log > 5 * MIB && d.log < 20 * MIB);
	for (int i = 0; i < 1000 && size_of(o.path, "-wal") < 21 * MIB; i++)
		put(j, 10);
	d = until(j, JOURNAL_DISK_STUCK);
	CHECK(d.log > 20 * MIB);
	CHECK(d.reserve >= d.log + 8 * MIB);
	CHECK(d.reader_ms > 0);
	sqlite3_close(reader);
	d = until(j, JOURNAL_DISK_WELL); /* though nothing is committed meanwhile */
	CHECK_INT(d.log, 0);
	CHECK(d.reserve < 20 * MIB);
	j->ops->close(j);
}

TEST(without_a_reserve_the_disk_is_low_and_commits_go_on)
{
	struct journal_options o = {.path = stores_path(), .checkpoint_pages = 100000};
	struct journal *j = fresh(&o);

	until(j, JOURNAL_DISK_WELL);
	make_full(o.path, ".reserve");
	for (int i = 0; i < 1000 && size_of(o.path, "-wal") < 9 * MIB; i++)
		put(j, 10); /* the log needs more of it than there is */
	until(j, JOURNAL_DISK_FULL);
	put(j, 5);
	j->ops->close(j);
}

TEST(a_lock_file_that_cannot_be_written_stops_the_writer)
{
	struct journal_options o = {.path = stores_path()};
	struct journal *j = fresh(&o);
	uint64_t durable = 0;

	make_full(o.path, ".lock");
	stores_add_put(j, 1);
	j->ops->commit(j);
	CHECK_INT(j->ops->wait(j, &durable), ERROR_STORE);
	CHECK_INT(durable, 1);
	CHECK(strstr(j->ops->error(j), ".lock: No space left"));
	j->ops->close(j);
	j = stores_fresh(&o); /* it was not answered, and is there: that is allowed */
	CHECK_INT(stores_commit(j), 3);
	j->ops->close(j);
}
