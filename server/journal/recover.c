#include "recover.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "lookup.h"
#include "read.h"

#include <inttypes.h>

#define PROGRESS_ROWS 65536

/* What a space's row promises, and what was found so far. */
struct space_check {
	uint64_t number, tuples, sums, seen, seen_sums;
};

struct recovery {
	struct store *store;
	void (*row)(const struct change *c, void *ctx);
	void (*progress)(uint64_t done, uint64_t all, void *ctx);
	void *ctx;
	struct journal_start *start;
	struct space_check *spaces;
	size_t space_cap;
	struct lookup space_at;
	uint64_t all; /* tuples promised */
	struct store_sums sums;
};

/* Steps through a statement; each() answers 0 or a code. */
static int walk(struct recovery *r, enum store_statement which, const char *table,
                int (*each)(struct recovery *r))
{
	struct store *s = r->store;
	int rc, code = 0;

	while (code == 0 && (rc = sqlite3_step(s->stmt[which])) != SQLITE_DONE)
		code = rc == SQLITE_ROW ? each(r) : store_fail(s, "cannot read table %s", table);
	sqlite3_reset(s->stmt[which]);
	return code;
}

static int each_space(struct recovery *r)
{
	struct store *s = r->store;
	struct store_space row;
	struct change c = {.kind = CHANGE_SPACE};
	size_t n = r->start->spaces;

	if (!store_space_read(s, STORE_SPACES, &row))
		return store_damaged(s, "the checksum of space %" PRIu64 " is wrong", row.number);
	if (n == r->space_cap) {
		r->space_cap = n ? n * 2 : 16;
		r->spaces = xrealloc(r->spaces, r->space_cap * sizeof *r->spaces);
	}
	r->spaces[n] = (struct space_check){row.number, row.tuples, row.sums, 0, 0};
	lookup_add(&r->space_at, row.number, (uint32_t)n);
	r->sums.spaces ^= row.sum;
	r->start->spaces++;
	r->all += row.tuples;
	c.space = row.number;
	c.bytes = row.name;
	c.flags = (uint32_t)row.flags;
	c.tries = (uint32_t)row.tries;
	c.dead = row.dead;
	c.shape = row.shape;
	c.max_tuples = row.max_tuples;
	c.max_bytes = row.max_bytes;
	r->row(&c, r->ctx);
	return 0;
}

static int each_session(struct recovery *r)
{
	struct change c;
	uint64_t sum;

	if (!read_session(r->store, &c, &sum))
		return store_damaged(r->store, "the checksum of session %" PRIu64 " is wrong",
		                     c.session);
	r->sums.sessions ^= sum;
	r->start->sessions++;
	r->row(&c, r->ctx);
	return 0;
}

static int each_tuple(struct recovery *r)
{
	struct store *s = r->store;
	struct change c;
	uint64_t body;
	uint32_t at;

	if (!read_tuple(s, &c, &body))
		return store_damaged(s, "the checksum of tuple %" PRIu64 " is wrong", c.id);
	at = lookup_find(&r->space_at, c.space);
	if (at == LOOKUP_NONE)
		return store_damaged(
			s, "tuple %" PRIu64 " is of space %" PRIu64 ", which is missing", c.id,
			c.space);
	r->spaces[at].seen++;
	r->spaces[at].seen_sums ^= body;
	if (++r->start->tuples % PROGRESS_ROWS == 0 && r->progress)
		r->progress(r->start->tuples, r->all, r->ctx);
	r->row(&c, r->ctx);
	return 0;
}

/* The blob's items are walked only once its checksum is right. */
static int each_outcome(struct recovery *r)
{
	const uint8_t *at = NULL;
	struct bytes all;
	struct change c;
	uint64_t sum;

	if (!read_outcomes(r->store, &c, &sum))
		return store_damaged(r->store,
		                     "the checksum of the outcomes of session %" PRIu64
		                     ", batch %" PRIu64 " is wrong",
		                     c.session, c.batch);
	r->sums.outcomes ^= sum;
	all = c.bytes;
	while (read_outcome(all, &at, &c))
		r->row(&c, r->ctx);
	return 0;
}

static int check_spaces(struct recovery *r)
{
	for (size_t i = 0; i < r->start->spaces; i++) {
		const struct space_check *sp = &r->spaces[i];

		if (sp->seen != sp->tuples)
			return store_damaged(r->store,
			                     "space %" PRIu64 " has %" PRIu64
			                     " tuples instead of %" PRIu64,
			                     sp->number, sp->seen, sp->tuples);
		if (sp->seen_sums != sp->sums)
			return store_damaged(r->store,
			                     "space %" PRIu64 " does not have the tuples it should",
			                     sp->number);
	}
	return 0;
}

/* Rows that are missing altogether. */
static int check_sums(struct recovery *r)
{
	const struct store_sums *want = &r->store->sums;

	if (r->sums.spaces != want->spaces)
		return store_damaged(r->store, "the spaces are not those that were written");
	if (r->sums.sessions != want->sessions)
		return store_damaged(r->store, "the sessions are not those that were written");
	if (r->sums.outcomes != want->outcomes)
		return store_damaged(r->store, "the outcomes are not those that were written");
	return 0;
}

static int read_all(struct recovery *r)
{
	struct change ceiling = {.kind = CHANGE_CEILING, .number = r->store->ceiling};
	int code;

	if (ceiling.number)
		r->row(&ceiling, r->ctx);
	if ((code = walk(r, STORE_SPACES, "space", each_space)) ||
	    (code = walk(r, STORE_SESSIONS, "session", each_session)) ||
	    (code = walk(r, STORE_TUPLES, "tuple", each_tuple)) || (code = check_spaces(r)) ||
	    (code = walk(r, STORE_OUTCOMES, "outcome", each_outcome)) || (code = check_sums(r)))
		return code;
	if (r->progress)
		r->progress(r->start->tuples, r->all, r->ctx);
	return 0;
}

int recover_rows(struct store *s, void (*row)(const struct change *c, void *ctx), void *ctx,
                 void (*progress)(uint64_t done, uint64_t all, void *ctx),
                 struct journal_start *start)
{
	struct recovery r = {
		.store = s, .row = row, .ctx = ctx, .progress = progress, .start = start};
	int code;

	*start = (struct journal_start){.batch = s->batch, .boot = ++s->boot};
	lookup_init(&r.space_at);
	code = read_all(&r);
	lookup_close(&r.space_at);
	xfree(r.spaces);
	return code == ERROR_FULL ? ERROR_STORE : code;
}
