/* Random commits and renewals. */
#include "random.h"
#include "world.h"

/* A token: of the session as a rule, else of anybody, or of nobody any more. */
static uint64_t random_token(int session)
{
	int from = (int)test_random_below(TUPLES);
	bool any = test_random_below(20) == 0, nobody = test_random_below(20) == 0;

	for (int i = 0; i < TUPLES && !nobody; i++) {
		const struct m_tuple *t = &w.now.tuples[(from + i) % TUPLES];

		if (t->used && t->token && (any || t->session == session))
			return t->token;
	}
	return random_id();
}

static void put_tokens(struct buf *b, const char *name, int session, uint64_t count)
{
	bool back = *name == 'b' && name[1] == 'a';

	if (count == 0)
		return;
	item_put_text(b, name);
	item_put_head(b, ITEM_ARRAY, count);
	for (; count > 0; count--) {
		if (back)
			item_put_head(b, ITEM_ARRAY, 2);
		item_put_uint(b, random_token(session));
		if (back)
			item_put_uint(b, test_random_below(2) ? test_random_below(500) : 0);
	}
}

static void put_outs(struct buf *b, uint64_t count)
{
	const char *space = random_space();

	if (count == 0)
		return;
	item_put_text(b, "out");
	item_put_head(b, ITEM_ARRAY, count);
	for (; count > 0; count--) {
		struct options o = {.count = 0};

		random_times(&o);
		item_put_head(b, ITEM_ARRAY, 2 + (o.count > 0));
		item_put_text(b, test_random_below(10) ? space : random_space());
		random_tuple(b);
		random_options(b, &o);
	}
}

/* The dead of dead-letter spaces would be buried in ever longer names. */
static bool may_bury(int session)
{
	bool deep = false;

	for (int i = 0; i < TUPLES; i++) {
		const struct m_tuple *t = &w.now.tuples[i];

		if (t->used && t->token && t->session == session)
			deep |= strlen(m_space(t->space)->name) > 10;
	}
	return !deep;
}

unsigned random_commit(struct buf *b, int session, bool room)
{
	uint64_t outs = room ? test_random_below(3) : 0, done = test_random_below(3);
	uint64_t back = test_random_below(3) ? 0 : 1 + test_random_below(2);
	uint64_t bury = test_random_below(4) || !may_bury(session) ? 0 : 1;

	item_put_text(b, "commit");
	item_put_head(b, ITEM_MAP, (outs > 0) + (back > 0) + (done > 0) + (bury > 0));
	put_outs(b, outs);
	put_tokens(b, "back", session, back);
	put_tokens(b, "bury", session, bury);
	put_tokens(b, "done", session, done);
	return 1;
}

unsigned random_renew(struct buf *b, int session)
{
	uint64_t count = test_random_below(3);

	item_put_text(b, "renew");
	item_put_head(b, ITEM_ARRAY, count);
	for (; count > 0; count--)
		item_put_uint(b, random_token(session));
	item_put_uint(b, 1 + test_random_below(800));
	return 2;
}
