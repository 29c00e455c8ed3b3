/* Where recovery ends at the first difference, this goes on and tells all of them. It
 * relies on nothing that it has found wrong: what a broken row says is not compared
 * with others. */
#include "offline.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/codec.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "lookup.h"
#include "read.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* What a space's row promises, and what was found. */
struct check_space {
	uint64_t number, tuples, sums, seen, seen_sums;
	bool torn; /* some of its rows cannot be read right */
};

struct check {
	struct store store;
	struct lockfile lock;
	void (*fault)(const char *text, void *ctx);
	void *ctx;
	struct offline_found *found;
	char *why;
	struct check_space *spaces;
	size_t space_cap;
	struct lookup space_at, session_at;
	struct store_sums sums;
	bool sums_known; /* meta could be read */
};

static void fault(struct check *c, const char *what, ...) __attribute__((format(printf, 2, 3)));

static void fault(struct check *c, const char *what, ...)
{
	char text[OFFLINE_WHY - 128];
	va_list ap;

	va_start(ap, what);
	vsnprintf(text, sizeof text, what, ap);
	va_end(ap);
	if (c->found->faults++ == 0)
		snprintf(c->why, OFFLINE_WHY, "%.120s: %s", c->store.path, text);
	if (c->fault)
		c->fault(text, c->ctx);
}

static bool canonical(struct bytes item)
{
	struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH_MAX};

	return codec_check(item, &limits, NULL);
}

/* A broken index may give a row twice. */
static void note(struct lookup *l, uint64_t number, uint32_t at)
{
	if (lookup_find(l, number) == LOOKUP_NONE)
		lookup_add(l, number, at);
}

static bool beyond(const struct check *c, uint64_t number)
{
	return c->sums_known && number >= c->store.ceiling;
}

/* ---- rows ------------------------------------------------------------------------ */

static void check_space_row(struct check *c)
{
	struct store_space row;
	size_t n = c->found->spaces++;

	if (n == c->space_cap) {
		c->space_cap = n ? n * 2 : 16;
		c->spaces = xrealloc(c->spaces, c->space_cap * sizeof *c->spaces);
	}
	c->spaces[n] = (struct check_space){.torn = true};
	if (!store_space_read(&c->store, STORE_SPACES, &row))
		fault(c, "table space, row %" PRIu64 ": the checksum is wrong", row.number);
	else
		c->spaces[n] = (struct check_space){row.number, row.tuples, row.sums, 0, 0, false};
	c->sums.spaces ^= row.sum;
	note(&c->space_at, row.number, (uint32_t)n);
	if (c->spaces[n].torn)
		return;
	if (row.shape.n && !canonical(row.shape))
		fault(c, "table space, row %" PRIu64 ": the shape is not canonical CBOR",
		      row.number);
	if (beyond(c, row.number))
		fault(c,
		      "table space, row %" PRIu64 ": the number is not below the ceiling %" PRIu64,
		      row.number, c->store.ceiling);
}

static void check_session_row(struct check *c)
{
	struct change row;
	uint64_t sum;

	c->found->sessions++;
	if (!read_session(&c->store, &row, &sum))
		fault(c, "table session, row %" PRIu64 ": the checksum is wrong", row.session);
	else if (row.bytes.n && !canonical(row.bytes))
		fault(c, "table session, row %" PRIu64 ": its rights are not canonical CBOR",
		      row.session);
	else if (beyond(c, row.session))
		fault(c, "table session, row %" PRIu64
		      ": the number is not below the ceiling %" PRIu64,
		      row.session, c->store.ceiling);
	c->sums.sessions ^= sum;
	note(&c->session_at, row.session, 0);
}

/* What a whole row says about others. */
static void check_tuple_state(struct check *c, const struct change *row)
{
	uint64_t id = row->id;

	if (beyond(c, id))
		fault(c, "table tuple, row %" PRIu64 ": the id is not below the ceiling %" PRIu64,
		      id, c->store.ceiling);
	if (beyond(c, row->token))
		fault(c, "table tuple, row %" PRIu64 ": the token %" PRIu64
		      " is not below the ceiling %" PRIu64,
		      id, row->token, c->store.ceiling);
	if (row->session && lookup_find(&c->session_at, row->session) == LOOKUP_NONE)
		fault(c,
		      "table tuple, row %" PRIu64 ": its owner, session %" PRIu64 ", is missing",
		      id, row->session);
	if (!canonical(row->bytes) || *row->bytes.p >> 5 != ITEM_ARRAY)
		fault(c,
		      "table tuple, row %" PRIu64 ": the body is not an array in canonical CBOR",
		      id);
}

static void check_tuple_row(struct check *c)
{
	struct change row;
	uint64_t body;
	bool whole = read_tuple(&c->store, &row, &body);
	uint32_t at = lookup_find(&c->space_at, row.space);

	c->found->tuples++;
	if (!whole)
		fault(c, "table tuple, row %" PRIu64 " (space %" PRIu64 "): the checksum is wrong",
		      row.id, row.space);
	if (at == LOOKUP_NONE) {
		if (whole)
			fault(c, "table tuple, row %" PRIu64 ": its space %" PRIu64 " is missing",
			      row.id, row.space);
	} else {
		c->spaces[at].seen++;
		c->spaces[at].seen_sums ^= body;
	}
	if (whole)
		check_tuple_state(c, &row);
}

static void check_outcome_row(struct check *c)
{
	const uint8_t *at = NULL;
	struct change row;
	struct bytes all;
	uint64_t sum;
	bool whole = read_outcomes(&c->store, &row, &sum);

	c->found->outcomes++;
	c->sums.outcomes ^= sum;
	if (!whole)
		fault(c, "table outcome, row %" PRIu64 ", %" PRIu64 ": the checksum is wrong",
		      row.session, row.batch);
	else if (lookup_find(&c->session_at, row.session) == LOOKUP_NONE)
		fault(c, "table outcome, row %" PRIu64 ", %" PRIu64 ": the session is missing",
		      row.session, row.batch);
	all = row.bytes;
	while (whole && read_outcome(all, &at, &row))
		if (!canonical(row.bytes))
			fault(c, "table outcome, row %" PRIu64 ", %" PRIu64
			      ": the result of request %" PRIu64 " is not canonical CBOR",
			      row.session, row.batch, row.number);
}

/* Ends at what SQLite cannot read: false. */
static bool check_table(struct check *c, enum store_statement which, const char *table,
                        void (*each)(struct check *c))
{
	struct store *s = &c->store;
	uint64_t rows = 0;
	int rc;

	while ((rc = sqlite3_step(s->stmt[which])) == SQLITE_ROW) {
		each(c);
		rows++;
	}
	if (rc != SQLITE_DONE)
		fault(c, "table %s: cannot be read behind its first %" PRIu64 " rows: %s", table,
		      rows, sqlite3_errmsg(s->db));
	sqlite3_reset(s->stmt[which]);
	return rc == SQLITE_DONE;
}

/* ---- counts and sums ------------------------------------------------------------- */

static void check_counts(struct check *c)
{
	for (size_t i = 0; i < c->found->spaces; i++) {
		const struct check_space *sp = &c->spaces[i];

		if (sp->torn)
			continue;
		if (sp->seen != sp->tuples)
			fault(c, "table tuple, space %" PRIu64 ": %" PRIu64
			      " rows instead of %" PRIu64,
			      sp->number, sp->seen, sp->tuples);
		else if (sp->seen_sums != sp->sums)
			fault(c, "table tuple, space %" PRIu64 ": not the rows that were written",
			      sp->number);
	}
}

static void check_sums(struct check *c)
{
	const struct store_sums *want = &c->store.sums;

	if (!c->sums_known)
		return;
	if (c->sums.spaces != want->spaces)
		fault(c, "table space: not the rows that were written");
	if (c->sums.sessions != want->sessions)
		fault(c, "table session: not the rows that were written");
	if (c->sums.outcomes != want->outcomes)
		fault(c, "table outcome: not the rows that were written");
}

static void check_meta(struct check *c)
{
	static const char *const keys[] = {"store",  "batch",    "boot",    "ceiling",
	                                   "spaces", "sessions", "outcomes"};
	uint64_t value;

	c->sums_known = true;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (store_meta(&c->store, keys[i], &value) == 0)
			continue;
		c->sums_known = false;
		fault(c, "table meta, row '%s': missing, or the checksum is wrong", keys[i]);
	}
	if (!c->sums_known || store_read_meta(&c->store) != 0)
		return;
	c->found->batch = c->store.batch;
	if (c->lock.known && c->lock.batch > c->store.batch)
		fault(c, "it lost acknowledged work: batch %" PRIu64
		      " was durable, it ends at %" PRIu64,
		      c->lock.batch, c->store.batch);
	else if (c->lock.known && c->lock.store != c->store.id)
		fault(c, "the " LOCKFILE_SUFFIX " file beside it belongs to another database");
}

/* SQLite's own structure: pages, cells, indexes. */
static void check_structure(struct check *c)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->store.db, "PRAGMA integrity_check", -1, &stmt, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		rc = SQLITE_OK;
		if (text && strcmp(text, "ok") != 0)
			fault(c, "SQLite: %.*s", (int)strcspn(text, "\n"), text);
	}
	if (rc != SQLITE_DONE)
		fault(c, "SQLite: %s", sqlite3_errmsg(c->store.db));
	sqlite3_finalize(stmt);
}

static void check_all(struct check *c)
{
	check_structure(c);
	check_meta(c);
	check_table(c, STORE_SPACES, "space", check_space_row);
	check_table(c, STORE_SESSIONS, "session", check_session_row);
	if (check_table(c, STORE_TUPLES, "tuple", check_tuple_row))
		check_counts(c);
	check_table(c, STORE_OUTCOMES, "outcome", check_outcome_row);
	check_sums(c);
}

/* The lock file first: what it says was durable is then in what is read. */
static int check_open(struct check *c, const char *path)
{
	struct store *s = &c->store;
	char why[HANDOVER_TEXT] = "";
	int code = store_open_alone(s, path, false), lock;

	if (code)
		return code;
	lock = lockfile_read(&c->lock, s->path, why, sizeof why);
	if (lock == ERROR_DAMAGED)
		fault(c, "the " LOCKFILE_SUFFIX " file beside it is damaged");
	if (sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	code = store_fail(s, "cannot read");
	store_close(s, false);
	return code;
}

int check_store(const char *path, void (*told)(const char *text, void *ctx), void *ctx,
                struct offline_found *found, char *why)
{
	struct check c = {.fault = told, .ctx = ctx, .found = found, .why = why};
	int code;

	*found = (struct offline_found){0};
	code = check_open(&c, path);
	if (code) {
		snprintf(why, OFFLINE_WHY, "%s", c.store.why);
		return code;
	}
	lookup_init(&c.space_at);
	lookup_init(&c.session_at);
	check_all(&c);
	lookup_close(&c.space_at);
	lookup_close(&c.session_at);
	xfree(c.spaces);
	store_close(&c.store, false);
	return found->faults ? ERROR_DAMAGED : 0;
}
