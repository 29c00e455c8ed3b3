/* Stores whose rows agree with their checksums but not with each other: only our own bugs
 * make them, and check_store() is who would tell. And what a restore makes of a store. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../server/journal/offline.h"
#include "../../server/journal/store.h"
#include "../lib/harness.h"
#include "../lib/stores.h"

#include <string.h>

/* A store with a space, a session, two tuples, one of them the session's, and an outcome. */
static const char *made(void)
{
	struct journal_options o = {.path = stores_path()};
	struct change c = {.kind = CHANGE_CEILING, .number = 1000};
	struct journal *j = stores_fresh(&o);

	j->ops->add(j, &c);
	stores_add_space(j);
	c = (struct change){.kind = CHANGE_SESSION, .session = 50};
	j->ops->add(j, &c);
	stores_add_put(j, 100);
	stores_add_put(j, 101);
	c = (struct change){.kind = CHANGE_STATE, .id = 101, .session = 50, .number = 2};
	c.token = 102;
	c.tries = 1;
	j->ops->add(j, &c);
	c = (struct change){.kind = CHANGE_OUTCOME, .session = 50, .number = 2};
	c.bytes = bytes_of("\xf6");
	j->ops->add(j, &c);
	stores_commit(j);
	j->ops->close(j);
	return o.path;
}

static void open_alone(struct store *s, const char *path)
{
	if (store_open_alone(s, path, true) != 0 || store_read_meta(s) != 0)
		test_fail(__FILE__, __LINE__, "%s", s->why);
}

/* check_store() finds exactly this. */
static void finds(const char *path, const char *text)
{
	char why[OFFLINE_WHY] = "";
	struct offline_found found;
	int code = check_store(path, NULL, NULL, &found, why);

	if (code != (*text ? ERROR_DAMAGED : 0) || !strstr(why, text))
		test_fail(__FILE__, __LINE__, "code %d, '%s', not '%s'", code, why, text);
	if (found.faults > 1)
		test_fail(__FILE__, __LINE__, "%d faults", (int)found.faults);
}

TEST(a_sound_store_is_sound)
{
	finds(made(), "");
}

TEST(numbers_stay_below_the_ceiling)
{
	static const struct {
		uint64_t ceiling;
		const char *text;
	} cases[] = {
		{103, ""},
		{102, "row 101: the token 102 is not below the ceiling 102"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *path = made();
		struct store s;

		open_alone(&s, path);
		CHECK_INT(store_meta_set(&s, "ceiling", cases[i].ceiling), SQLITE_OK);
		store_close(&s, true);
		finds(path, cases[i].text);
	}
}

TEST(an_owner_exists)
{
	const char *path = made();
	struct store s;

	open_alone(&s, path);
	store_bind(&s, STORE_TUPLE_STATE, 1, 100);
	for (int at = 2; at <= 7; at++)
		store_bind(&s, STORE_TUPLE_STATE, at, at == 2 ? 51 : 0);
	CHECK_INT(store_run(&s, STORE_TUPLE_STATE), SQLITE_OK);
	store_close(&s, true);
	finds(path, "table tuple, row 100: its owner, session 51, is missing");
}

/* Puts a body beside those of made(), with checksums that are right. */
static void put_body(const char *path, const char *body, size_t n)
{
	struct store s;
	struct store_space row;
	struct bytes b = {(const uint8_t *)body, n};
	struct sum_state state = {0};
	uint64_t sum = sum_tuple(1, 200, b), before;

	open_alone(&s, path);
	store_bind(&s, STORE_TUPLE_PUT, 1, 200);
	store_bind(&s, STORE_TUPLE_PUT, 2, 1);
	store_bind_bytes(&s, STORE_TUPLE_PUT, 3, b);
	for (int at = 4; at <= 11; at++)
		store_bind(&s, STORE_TUPLE_PUT, at, 0);
	store_bind(&s, STORE_TUPLE_PUT, 12, sum ^ sum_of_state(&state));
	CHECK_INT(store_run(&s, STORE_TUPLE_PUT), SQLITE_OK);
	store_bind(&s, STORE_SPACE, 1, 1);
	CHECK_INT(sqlite3_step(s.stmt[STORE_SPACE]), SQLITE_ROW);
	CHECK(store_space_read(&s, STORE_SPACE, &row));
	before = row.sum;
	row.tuples++;
	row.sums ^= sum;
	CHECK_INT(store_space_set(&s, &row), SQLITE_OK);
	sqlite3_reset(s.stmt[STORE_SPACE]);
	CHECK_INT(store_meta_set(&s, "spaces", s.sums.spaces ^ before ^ row.sum), SQLITE_OK);
	store_close(&s, true);
}

TEST(a_body_is_an_array_in_canonical_cbor)
{
	static const struct {
		const char *body;
		size_t n;
		const char *text;
	} cases[] = {
		{"\x81\x05", 2, ""},
		{"\x81\x18\x05", 3, "row 200: the body is not an array in canonical CBOR"},
		{"\x05", 1, "row 200: the body is not an array in canonical CBOR"},
		{"\x82\x05", 2, "row 200: the body is not an array in canonical CBOR"},
		{"", 0, "row 200: the body is not an array in canonical CBOR"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *path = made();

		put_body(path, cases[i].body, cases[i].n);
		finds(path, cases[i].text);
	}
}

TEST(a_restored_store_is_another_one)
{
	const char *path = made();
	char to[160], kept[OFFLINE_KEPT], why[OFFLINE_WHY];
	struct journal_options o = {.path = to};
	struct offline_found found;
	struct journal_start start;
	struct store old, new;
	struct journal *j;
	char *rows;

	snprintf(to, sizeof to, "%s.new", path);
	CHECK_INT(restore_store(to, path, false, &found, kept, why), 0);
	CHECK(!*kept);
	finds(to, "");
	open_alone(&old, path);
	open_alone(&new, to);
	CHECK(new.id != old.id);
	CHECK_INT(new.boot, old.boot + 1);
	CHECK_INT(new.ceiling, old.ceiling + ((uint64_t)1 << 40));
	CHECK_INT(new.batch, old.batch);
	store_close(&old, false);
	store_close(&new, false);
	j = stores_open(&o);
	rows = stores_recover(j, &start);
	CHECK_INT(start.tuples, 2);
	CHECK_INT(start.sessions, 0);
	CHECK(strstr(rows, "tuple 1 101 session 0 number 0 batch 0 token 0 lease 0 due 0"));
	CHECK(strstr(rows, " tries 1 "));
	xfree(rows);
	j->ops->close(j);
}
