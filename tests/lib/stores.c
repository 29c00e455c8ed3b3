#include "stores.h"

#include "../../libclient/base/xmalloc.h"
#include "harness.h"
#include "scenario.h"

static char why[256];

/* A path in this program's folder where no store is yet. */
const char *stores_path(void)
{
	static char path[2][128];
	static int n;

	n++;
	snprintf(path[n % 2], sizeof *path, "%s/store%d", test_folder(), n);
	return path[n % 2];
}

struct journal *stores_open(const struct journal_options *o)
{
	struct journal *j = NULL;

	if (journal_sqlite_open(&j, o, why) != 0)
		test_fail(__FILE__, __LINE__, "%s", why);
	return j;
}

/* Recovers and answers the rows as text, for xfree(). */
char *stores_recover(struct journal *j, struct journal_start *start)
{
	struct scenario_dump d = {BUF_INIT};

	if (j->ops->recover(j, scenario_dump_row, &d, NULL, start) != 0)
		test_fail(__FILE__, __LINE__, "%s", j->ops->error(j));
	scenario_dump_text(&d);
	return (char *)d.text.data;
}

struct journal *stores_fresh(const struct journal_options *o)
{
	struct journal *j = stores_open(o);
	struct journal_start start;

	xfree(stores_recover(j, &start));
	return j;
}

uint64_t stores_wait(struct journal *j)
{
	uint64_t durable = 0;

	if (j->ops->wait(j, &durable) != 0)
		test_fail(__FILE__, __LINE__, "%s", j->ops->error(j));
	return durable;
}

uint64_t stores_commit(struct journal *j)
{
	j->ops->commit(j);
	return stores_wait(j);
}

void stores_add_space(struct journal *j)
{
	struct change c = {.kind = CHANGE_SPACE, .space = 1, .bytes = bytes_of("main")};

	j->ops->add(j, &c);
}

void stores_add_put(struct journal *j, uint64_t id)
{
	static const uint8_t body[] = {0x82, 0x63, 'j', 'o', 'b', 0x01};
	struct change c = {.kind = CHANGE_PUT, .space = 1, .id = id};

	c.bytes = (struct bytes){body, sizeof body};
	j->ops->add(j, &c);
}

sqlite3 *stores_operator(const char *path)
{
	sqlite3 *db;

	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	return db;
}

void stores_refused(const struct journal_options *o, int code, const char *text)
{
	struct journal *j = NULL;
	int got = journal_sqlite_open(&j, o, why);

	if (got != code || !strstr(why, text))
		test_fail(__FILE__, __LINE__, "code %d, text '%s', not %d, '%s'", got, why, code,
		          text);
}

void stores_operate(const char *path, const char *sql)
{
	sqlite3 *db = stores_operator(path);

	CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}
