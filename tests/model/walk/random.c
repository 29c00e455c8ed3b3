/* Random requests. */
#include "world.h"

static unsigned random_options(struct buf *b, bool read)
{
	bool timeout = test_random_below(3) > 0, max = test_random_below(3) == 0;
	bool after = read && test_random_below(3) == 0, claim = !read && test_random_below(2);

	if (!timeout && !max && !after && !claim)
		return 0;
	item_put_head(b, ITEM_MAP, (uint64_t)timeout + max + after + claim);
	if (max) {
		item_put_text(b, "max");
		item_put_uint(b, 1 + test_random_below(MAX));
	}
	if (after) {
		item_put_text(b, "after");
		item_put_uint(b, w.now.next_id - test_random_below(w.now.next_id > 40 ? 40 : 1));
	}
	if (claim) {
		item_put_text(b, "lease");
		item_put_uint(b, test_random_below(3) ? 1 + test_random_below(600) : 60000);
	}
	if (timeout) {
		item_put_text(b, "timeout");
		item_put_uint(b, test_random_below(3) ? test_random_below(400) : 0);
	}
	return 1;
}

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
	return w.now.next_id - 1 - test_random_below(w.now.next_id > 60 ? 60 : 1);
}

static void put_token(struct buf *b, int session, bool back)
{
	if (back)
		item_put_head(b, ITEM_ARRAY, 2);
	item_put_uint(b, random_token(session));
	if (back)
		item_put_uint(b, 0);
}

static void random_commit(struct buf *b, int session, bool room)
{
	uint64_t done = test_random_below(3),
		 back = test_random_below(3) ? 0 : 1 + test_random_below(2);
	uint64_t outs = room ? test_random_below(3) : 0;
	const char *space = test_random_below(3) ? "main" : "vol";

	item_put_text(b, "commit");
	item_put_head(b, ITEM_MAP, (outs > 0) + (back > 0) + (done > 0));
	if (outs) {
		item_put_text(b, "out");
		item_put_head(b, ITEM_ARRAY, outs);
	}
	for (; outs > 0; outs--) {
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_text(b, test_random_below(20) ? space : "vol");
		random_tuple(b);
	}
	if (back) {
		item_put_text(b, "back");
		item_put_head(b, ITEM_ARRAY, back);
	}
	for (; back > 0; back--)
		put_token(b, session, true);
	if (done) {
		item_put_text(b, "done");
		item_put_head(b, ITEM_ARRAY, done);
	}
	for (; done > 0; done--)
		put_token(b, session, false);
}

static void random_renew(struct buf *b, int session)
{
	uint64_t count = test_random_below(3);

	item_put_text(b, "renew");
	item_put_head(b, ITEM_ARRAY, count);
	for (; count > 0; count--)
		put_token(b, session, false);
	item_put_uint(b, 1 + test_random_below(800));
}

static int tuples_used(void)
{
	int count = 0;

	for (int i = 0; i < TUPLES; i++)
		count += w.now.tuples[i].used;
	return count;
}

/* A session without claims seldom has anything to commit. */
static bool may_commit(int session)
{
	return m_claim_first(session) || test_random_below(12) == 0;
}

void random_request(int conn)
{
	struct client *client = &w.clients[w.conns[conn].session];
	uint64_t n = client->next_n += 1 + (test_random_below(8) == 0),
		 kind = test_random_below(100);
	struct buf b = BUF_INIT;
	unsigned items = 2;
	const char *space = test_random_below(3) ? "main" : "vol";
	bool room = tuples_used() < 60;

	if (kind < 30 && room) {
		item_put_text(&b, "out");
		item_put_text(&b, space);
		random_tuple(&b);
	} else if (kind < 35 && room) {
		item_put_text(&b, "outs");
		item_put_text(&b, space);
		item_put_head(&b, ITEM_ARRAY, 3);
		for (int i = 0; i < 3; i++)
			random_tuple(&b);
	} else if (kind < 75 || (kind < 88 && !may_commit(w.conns[conn].session))) {
		item_put_text(&b, kind < 60 ? "in" : "rd");
		item_put_text(&b, space);
		random_template(&b);
		items += random_options(&b, kind >= 60);
	} else if (kind < 85) {
		random_commit(&b, w.conns[conn].session, room);
		items = 1;
	} else if (kind < 88) {
		random_renew(&b, w.conns[conn].session);
	} else if (kind < 93) {
		item_put_text(&b, "count");
		item_put_text(&b, space);
		random_template(&b);
	} else {
		item_put_text(&b, "cancel");
		item_put_uint(&b, n - test_random_below(n < 30 ? n : 30));
		items = 1;
	}
	driver_send(conn, n, &b, items);
	buf_close(&b);
}

void random_ack(int conn)
{
	struct client *client = &w.clients[w.conns[conn].session];
	struct buf b = BUF_INIT, ranges = BUF_INIT;
	unsigned entries = 0;

	for (int i = 0; i < client->count && entries < 20; i++)
		if (client_delivered(&client->sent[i]) && !client->sent[i].acked && test_random_below(3)) {
			client->sent[i].acked = true;
			item_put_uint(&ranges, client->sent[i].n);
			entries++;
		}
	if (entries) {
		item_put_text(&b, "ack");
		buf_append(&b, ranges.data, ranges.len);
		driver_send(conn, 0, &b, entries);
	}
	buf_close(&ranges);
	buf_close(&b);
}
