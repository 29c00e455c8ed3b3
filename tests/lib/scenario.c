#include "scenario.h"

#include "../../libclient/base/hash.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/item.h"
#include "harness.h"

#include <inttypes.h>

#define TUPLES 400 /* live ones, and gone ones that may come back */
#define SPACES 6
#define SESSIONS 8
#define BODY 9000 /* bytes: some tuples need overflow pages */

struct tuple {
	uint64_t id, space;
	bool live;
	uint8_t *body;
	size_t n;
};

struct session {
	uint64_t number, freed; /* outcomes of batches up to `freed` are gone */
};

struct scenario {
	unsigned most;
	uint64_t batch, counter;
	struct journal *journal;
	struct rows rows;
	struct tuple tuples[TUPLES];
	unsigned tuple_count;
	uint64_t spaces[SPACES], dropping; /* 0: none */
	struct session sessions[SESSIONS];
};

static void give(struct scenario *s, const struct change *c)
{
	rows_apply(&s->rows, c, s->batch);
	s->journal->ops->add(s->journal, c);
}

static uint64_t next(struct scenario *s)
{
	return ++s->counter;
}

static struct change with_state(struct change c)
{
	static const uint64_t wide[] = {0, 1, 255, 65536, (uint64_t)1 << 52, INT64_MAX};

	c.session = test_random_below(3) ? test_random_below(100) : 0;
	c.number = wide[test_random_below(6)];
	c.token = wide[test_random_below(6)];
	c.lease_ms = wide[test_random_below(6)];
	c.due_ms = wide[test_random_below(6)];
	c.tries = (uint32_t)test_random_below(UINT32_MAX);
	return c;
}

static void tuple_put(struct scenario *s, struct tuple *t)
{
	struct change c = {.kind = CHANGE_PUT, .space = t->space, .id = t->id};

	c.bytes = (struct bytes){t->body, t->n};
	c = with_state(c);
	c.expires_ms = test_random_below(2) ? 0 : test_random_below(1000000);
	c.bound = test_random_below(2) ? 0 : test_random_below(100);
	give(s, &c);
	t->live = true;
}

static void tuple_delete(struct scenario *s, struct tuple *t)
{
	struct change c = {.kind = CHANGE_DELETE, .space = t->space, .id = t->id};

	c.bytes = (struct bytes){t->body, t->n};
	give(s, &c);
	t->live = false;
}

static void tuple_state(struct scenario *s, struct tuple *t)
{
	struct change c = with_state((struct change){
		.kind = CHANGE_STATE, .space = t->space, .id = t->id});

	give(s, &c);
}

static bool space_usable(const struct scenario *s, uint64_t space)
{
	for (int i = 0; i < SPACES; i++)
		if (s->spaces[i] == space)
			return true;
	return false;
}

/* A tuple of the wanted kind, or NULL: live, or gone from a space that still is. */
static struct tuple *some(struct scenario *s, bool live)
{
	unsigned from = (unsigned)test_random_below(TUPLES);

	for (unsigned i = 0; s->tuple_count && i < s->tuple_count; i++) {
		struct tuple *t = &s->tuples[(from + i) % s->tuple_count];

		if (t->live == live && space_usable(s, t->space))
			return t;
	}
	return NULL;
}

/* A new tuple, in the place of one that is gone when there are many. */
static struct tuple *tuple_new(struct scenario *s)
{
	struct tuple *t = s->tuple_count < TUPLES ? &s->tuples[s->tuple_count++] : some(s, false);
	uint64_t space = s->spaces[test_random_below(SPACES)];

	if (!t)
		return NULL;
	xfree(t->body);
	t->live = false;
	t->id = next(s);
	t->space = space ? space : s->spaces[0];
	t->n = 1 + test_random_below(test_random_below(8) ? 60 : BODY);
	t->body = xmalloc(t->n);
	for (size_t i = 0; i < t->n; i++)
		t->body[i] = (uint8_t)test_random();
	return t;
}

static void space_new(struct scenario *s, int at)
{
	char name[32];
	struct change c = {.kind = CHANGE_SPACE, .space = next(s)};

	snprintf(name, sizeof name, "space-%d-é", at);
	c.bytes = bytes_of(name);
	c.tries = (uint32_t)test_random_below(3);
	if (test_random_below(2))
		c.dead = bytes_of("dead-é");
	if (test_random_below(2))
		c.shape = bytes_of("\x81\x07");
	c.max_tuples = test_random_below(3);
	c.max_bytes = test_random_below(2) ? INT64_MAX : 0;
	give(s, &c);
	s->spaces[at] = c.space;
}

/* One space at a time goes: marked, emptied in slices, ended. */
static void space_drop(struct scenario *s)
{
	int at = 1 + (int)test_random_below(SPACES - 1);
	struct change c = {.kind = CHANGE_SPACE_DROP, .space = s->spaces[at]};

	if (s->dropping || !c.space)
		return;
	give(s, &c);
	s->dropping = s->spaces[at];
	s->spaces[at] = 0;
}

static void space_drain(struct scenario *s)
{
	struct change c = {.kind = CHANGE_SPACE_END, .space = s->dropping};
	int most = 5;

	for (unsigned i = 0; i < s->tuple_count; i++) {
		if (!s->tuples[i].live || s->tuples[i].space != s->dropping)
			continue;
		if (most-- == 0)
			return;
		tuple_delete(s, &s->tuples[i]);
	}
	give(s, &c);
	s->dropping = 0;
}

static void session_new(struct scenario *s, struct session *se)
{
	static const uint8_t may[] = {0xa0};
	struct change c = {.kind = CHANGE_SESSION, .session = next(s)};

	c.lease_ms = 60000 + test_random_below(1000);
	for (size_t i = 0; i < sizeof c.id16; i++)
		c.id16[i] = (uint8_t)test_random();
	c.principal = bytes_of("uid 1000");
	if (test_random_below(2))
		c.bytes = (struct bytes){may, sizeof may};
	give(s, &c);
	*se = (struct session){c.session, s->batch - 1};
}

static void session_end(struct scenario *s, struct session *se)
{
	struct change c = {.kind = CHANGE_SESSION_END, .session = se->number};

	give(s, &c);
	se->number = 0;
}

static void session_outcome(struct scenario *s, struct session *se)
{
	struct change c = {.kind = CHANGE_OUTCOME, .session = se->number};
	struct buf b = BUF_INIT;

	item_put_head(&b, ITEM_ARRAY, 2);
	item_put_int(&b, (int64_t)test_random_below(100000) - 50000);
	item_put_text(&b, "outcome");
	c.number = 1 + test_random_below(100000);
	c.bytes = buf_bytes(&b);
	give(s, &c);
	buf_close(&b);
}

/* An earlier batch's, and now and then this batch's. */
static void session_free(struct scenario *s, struct session *se)
{
	struct change c = {.kind = CHANGE_OUTCOME_FREE, .session = se->number};

	c.batch = test_random_below(3) && se->freed + 1 < s->batch ? ++se->freed : s->batch;
	give(s, &c);
}

static void one_session(struct scenario *s)
{
	struct session *se = &s->sessions[test_random_below(SESSIONS)];

	if (!se->number)
		session_new(s, se);
	else if (test_random_below(20) == 0)
		session_end(s, se);
	else if (test_random_below(3))
		session_outcome(s, se);
	else
		session_free(s, se);
}

static void one_tuple(struct scenario *s)
{
	unsigned what = (unsigned)test_random_below(10);
	struct tuple *t = what < 4 ? tuple_new(s) : some(s, what != 4);

	if (!t)
		return;
	if (!t->live && what == 4 && t->id % 2)
		t->space = s->spaces[0]; /* buried there */
	if (!t->live)
		tuple_put(s, t); /* what == 4: an undone take, under its old id */
	else if (what < 7)
		tuple_state(s, t);
	else
		tuple_delete(s, t);
}

static void one(struct scenario *s)
{
	unsigned what = (unsigned)test_random_below(100);
	struct change ceiling = {.kind = CHANGE_CEILING};

	if (what < 70) {
		one_tuple(s);
	} else if (what < 95) {
		one_session(s);
	} else if (what < 97) {
		int at = (int)test_random_below(SPACES);

		if (!s->spaces[at])
			space_new(s, at);
	} else if (what == 97) {
		space_drop(s);
	} else if (s->dropping) {
		space_drain(s);
	} else {
		ceiling.number = s->counter + ENGINE_CEILING_STEP;
		give(s, &ceiling);
	}
}

struct scenario *scenario_create(uint64_t seed, unsigned most)
{
	struct scenario *s = xcalloc(1, sizeof *s);

	test_random_seed(seed);
	s->most = most;
	rows_init(&s->rows);
	return s;
}

void scenario_destroy(struct scenario *s)
{
	for (unsigned i = 0; i < s->tuple_count; i++)
		xfree(s->tuples[i].body);
	rows_close(&s->rows);
	xfree(s);
}

void scenario_batch(struct scenario *s, struct journal *j)
{
	uint64_t n = 1 + test_random_below(2 * s->most);

	s->journal = j;
	s->batch++;
	if (s->batch % 7 == 0)
		return;
	if (!s->spaces[0])
		space_new(s, 0);
	while (n--)
		one(s);
}

char *scenario_text(const struct scenario *s)
{
	struct scenario_dump d = {BUF_INIT};

	rows_each(&s->rows, scenario_dump_row, &d);
	scenario_dump_text(&d);
	return (char *)d.text.data;
}

static void dump_bytes(struct buf *b, const char *name, struct bytes v)
{
	buf_printf(b, " %s %zu:%016" PRIx64, name, v.n, hash_of(v.p, v.n, 0));
}

void scenario_dump_row(const struct change *c, void *dump)
{
	static const char *const names[] = {
		[CHANGE_SPACE] = "space", [CHANGE_PUT] = "tuple", [CHANGE_SESSION] = "session",
		[CHANGE_OUTCOME] = "outcome", [CHANGE_CEILING] = "ceiling",
	};
	struct buf *b = &((struct scenario_dump *)dump)->text;

	buf_printf(b,
	           "%s %" PRIu64 " %" PRIu64 " session %" PRIu64 " number %" PRIu64
	           " batch %" PRIu64 " token %" PRIu64 " lease %" PRIu64 " due %" PRIu64
	           " expires %" PRIu64 " bound %" PRIu64 " tries %" PRIu32 " flags %" PRIu32,
	           names[c->kind], c->space, c->id, c->session, c->number, c->batch, c->token,
	           c->lease_ms, c->due_ms, c->expires_ms, c->bound, c->tries, c->flags);
	dump_bytes(b, "id", (struct bytes){c->id16, sizeof c->id16});
	dump_bytes(b, "principal", c->principal);
	dump_bytes(b, "dead", c->dead);
	dump_bytes(b, "bytes", c->bytes);
	buf_byte(b, '\n');
}

const char *scenario_dump_text(struct scenario_dump *d)
{
	buf_byte(&d->text, 0);
	return (const char *)d->text.data;
}
