/* Random requests. */
#include "random.h"
#include "world.h"

void random_uint(struct options *o, const char *name, uint64_t value)
{
	item_put_text(&o->b, name);
	item_put_uint(&o->b, value);
	o->count++;
}

unsigned random_options(struct buf *b, struct options *o)
{
	if (o->count > 0)
		item_put_head(b, ITEM_MAP, o->count);
	buf_append(b, o->b.data, o->b.len);
	buf_close(&o->b);
	return o->count > 0;
}

void random_bool(struct options *o, const char *name, bool value)
{
	item_put_text(&o->b, name);
	item_put_bool(&o->b, value);
	o->count++;
}

static void random_text(struct options *o, const char *name, const char *value)
{
	item_put_text(&o->b, name);
	item_put_text(&o->b, value);
	o->count++;
}

uint64_t random_timeout(void)
{
	return test_random_below(3) ? test_random_below(400) : 0;
}

static unsigned take_options(struct buf *b, bool read, bool after)
{
	struct options o = {.count = 0};

	if (test_random_below(3) == 0)
		random_uint(&o, "max", 1 + test_random_below(MAX));
	if (after)
		random_uint(&o, "after", random_id());
	if (!read && test_random_below(5) == 0)
		random_bool(&o, "drain", true);
	if (!read && test_random_below(2))
		random_uint(&o, "lease",
		            test_random_below(3) ? 1 + test_random_below(600) : 60000);
	if (test_random_below(3))
		random_uint(&o, "timeout", random_timeout());
	return random_options(b, &o);
}

uint64_t random_id(void)
{
	return w.now.next_id - 1 - test_random_below(w.now.next_id > 60 ? 60 : 1);
}

const char *random_space(void)
{
	const struct m_space *s = m_space((int)test_random_below(SPACES));

	if (test_random_below(2))
		return w.now.spaces[M_MAIN].name;
	if (test_random_below(3))
		return "vol";
	return s->used ? s->name : "a";
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

void random_times(struct options *o)
{
	if (!w.limited && test_random_below(6) == 0)
		random_uint(o, "ttl", 1 + test_random_below(test_random_below(2) ? 100 : 3000));
	if (test_random_below(6) == 0)
		random_uint(o, "delay", test_random_below(test_random_below(2) ? 100 : 3000));
	if (test_random_below(6) == 0)
		random_bool(o, "bound", test_random_below(4) > 0);
}

static unsigned put_options(struct buf *b)
{
	struct options o = {.count = 0};

	random_times(&o);
	if (test_random_below(5) == 0) {
		item_put_text(&o.b, "unless");
		random_template(&o.b);
		o.count++;
		if (test_random_below(2))
			random_bool(&o, "hidden", test_random_below(2));
	}
	if (test_random_below(2)) {
		random_bool(&o, "wait", test_random_below(5) > 0);
		if (test_random_below(2))
			random_uint(&o, "timeout", random_timeout());
	}
	return random_options(b, &o);
}

static unsigned random_out(struct buf *b)
{
	item_put_text(b, "out");
	item_put_text(b, random_space());
	random_tuple(b);
	return 2 + put_options(b);
}

static unsigned random_outs(struct buf *b)
{
	item_put_text(b, "outs");
	item_put_text(b, random_space());
	item_put_head(b, ITEM_ARRAY, 3);
	for (int i = 0; i < 3; i++)
		random_tuple(b);
	return 2 + put_options(b);
}

static unsigned random_take(struct buf *b, const char *op)
{
	bool after = *op == 'r' && test_random_below(3) == 0;

	item_put_text(b, op);
	item_put_text(b, random_space());
	(after ? random_plain_template : random_template)(b);
	return 2 + take_options(b, *op == 'r', after);
}

static unsigned random_count(struct buf *b)
{
	struct options o = {.count = 0};

	item_put_text(b, "count");
	item_put_text(b, random_space());
	random_template(b);
	if (test_random_below(2))
		random_bool(&o, "hidden", test_random_below(2));
	return 2 + random_options(b, &o);
}

static unsigned random_wait(struct buf *b)
{
	struct options o = {.count = 0};
	bool none = test_random_below(2);

	item_put_text(b, "wait");
	item_put_text(b, random_space());
	random_template(b);
	item_put_head(b, ITEM_ARRAY, 2);
	item_put_text(b, none ? "eq" : "ge");
	item_put_uint(b, none ? 0 : test_random_below(6));
	if (test_random_below(2))
		random_bool(&o, "hidden", test_random_below(2));
	if (test_random_below(3))
		random_uint(&o, "timeout", random_timeout());
	return 3 + random_options(b, &o);
}

static unsigned random_watch(struct buf *b)
{
	int space = (int)test_random_below(3) ? M_MAIN : (int)test_random_below(SPACES);
	const struct m_space *s = m_space(space);
	struct options o = {.count = 0};
	uint64_t cursor = s->used ? m_watch_cursor(space) : 0;

	item_put_text(b, "watch");
	item_put_text(b, s->used ? s->name : "vol");
	random_template(b);
	if (test_random_below(2))
		random_uint(&o, "after", test_random_below(4) && cursor
		                                 ? cursor - test_random_below(6) : 0);
	return 2 + random_options(b, &o);
}

static void space_options(struct options *o, const char *name)
{
	if (test_random_below(3))
		random_uint(o, "tries", test_random_below(4));
	if (test_random_below(2)) {
		const char *dead = *name == 'v' ? "vdead" : "dead";

		random_text(o, "dead",
		            test_random_below(12) ? dead : test_random_below(2) ? "c" : "");
	}
	if (test_random_below(3) == 0)
		random_uint(o, "tuples", test_random_below(8));
	if (test_random_below(4) == 0)
		random_uint(o, "bytes", test_random_below(2) ? 40 + test_random_below(400) : 0);
	if (test_random_below(4) == 0) {
		item_put_text(&o->b, "shape");
		if (test_random_below(2))
			random_template(&o->b);
		else
			item_put_null(&o->b);
		o->count++;
	}
}

/* Volatile spaces are called v..., so that what a dead-letter space is called says
 * what it is; seldom one is not. */
static unsigned random_create(struct buf *b)
{
	static const char *const names[] = {"vol", "v1", "a", "c", "dead", "vdead"};
	const char *name = names[test_random_below(6)];
	struct options o = {.count = 0};

	item_put_text(b, "space");
	item_put_text(b, "create");
	item_put_text(b, name);
	space_options(&o, name);
	if ((*name == 'v') != (test_random_below(20) == 0))
		random_bool(&o, "volatile", true);
	return 2 + random_options(b, &o);
}

/* `main` is left as open as it can be. */
static unsigned random_alter(struct buf *b)
{
	const char *name = random_space();
	struct options o = {.count = 0};

	item_put_text(b, "space");
	item_put_text(b, "alter");
	item_put_text(b, name);
	if (strcmp(name, "main") == 0)
		random_uint(&o, "tries", test_random_below(6));
	else
		space_options(&o, name);
	if (test_random_below(30) == 0)
		random_bool(&o, "volatile", true);
	return 2 + random_options(b, &o);
}

static unsigned random_drop(struct buf *b)
{
	item_put_text(b, "space");
	item_put_text(b, "drop");
	item_put_text(b, test_random_below(10) ? random_space() : "main");
	return 2;
}

static unsigned random_admin(struct buf *b)
{
	uint64_t kind = test_random_below(13);

	if (kind < 4)
		return random_create(b);
	if (kind < 6)
		return random_drop(b);
	if (kind < 9)
		return random_alter(b);
	if (kind < 11) {
		item_put_text(b, "space");
		item_put_text(b, "list");
		return 1;
	}
	item_put_text(b, kind == 11 || test_random_below(3) ? "ping" : "bye");
	return 0;
}

/* Writes a request from its name on; answers how many items follow the name. */
static unsigned random_body(struct buf *b, int session, uint64_t n)
{
	uint64_t kind = test_random_below(124);
	bool room = tuples_used() < 60;

	if (kind < 30 && room)
		return random_out(b);
	if (kind < 35 && room)
		return random_outs(b);
	if (kind < 75 || (kind < 88 && !may_commit(session)))
		return random_take(b, kind < 60 ? "in" : "rd");
	if (kind < 85)
		return random_commit(b, session, room);
	if (kind < 88)
		return random_renew(b, session);
	if (kind < 93)
		return random_count(b);
	if (kind < 98)
		return random_admin(b);
	if (kind < 101)
		return random_wait(b);
	if (kind < 105)
		return random_watch(b);
	if (kind < 117)
		return random_atomic(b, room);
	item_put_text(b, "cancel");
	item_put_uint(b, n - test_random_below(n < 30 ? n : 30));
	return 1;
}

void random_request(int conn)
{
	int session = w.conns[conn].session;
	uint64_t n = w.clients[session].next_n += 1 + (test_random_below(8) == 0);
	struct buf b = BUF_INIT;
	unsigned items = random_body(&b, session, n);

	driver_send(conn, n, &b, items);
	buf_close(&b);
}

void random_ack(int conn)
{
	struct client *client = &w.clients[w.conns[conn].session];
	struct buf b = BUF_INIT, ranges = BUF_INIT;
	unsigned entries = 0;

	for (int i = 0; i < client->count && entries < 20; i++)
		if (client_delivered(&client->sent[i]) && !client->sent[i].acked &&
		    test_random_below(3)) {
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
