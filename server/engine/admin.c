/* space and stats. */
#include "state.h"

#include <stdlib.h>

/* What create and drop answer, kept for a resend. */
static void done(struct engine *e, struct conn *c, const struct request *r)
{
	static const uint8_t null[] = {ITEM_NULL};
	bool durable = !e->config.all_volatile;

	outcome_result(e, c->session, r->n, durable, (struct bytes){null, sizeof null});
	reply_null(e, c, r->n, durable ? e->batch : 0);
}

static bool name_ok(struct bytes name)
{
	if (name.n < 1 || name.n > 255)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	return true;
}

/* Whether the space for dead letters can be one; else it is answered. */
static bool dead_ok(struct engine *e, struct conn *c, const struct request *r, bool is_volatile)
{
	struct bytes name = r->option[OPTION_DEAD].s;
	const struct space *dead;

	if (!request_has(r, OPTION_DEAD))
		return true;
	dead = space_find(e, name);
	if (!name_ok(name) || bytes_equal(name, r->space))
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "space create: dead is not the name of another space");
	else if (dead && dead->is_volatile != is_volatile)
		reply_error(e, c, r->n, 0, ERROR_MIXED,
		            "space create: dead names a space that is %sdurable",
		            dead->is_volatile ? "not " : "");
	else
		return true;
	return false;
}

static void create(struct engine *e, struct conn *c, const struct request *r)
{
	bool is_volatile = e->config.all_volatile ||
	                   (request_has(r, OPTION_VOLATILE) && r->option[OPTION_VOLATILE].u);

	if (!name_ok(r->space)) {
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "space create: a name is 1 to 255 bytes without control characters");
		return;
	}
	if (space_find(e, r->space)) {
		reply_error(e, c, r->n, 0, ERROR_SPACE_EXISTS, "space create: %.*s exists already",
		            (int)r->space.n, (const char *)r->space.p);
		return;
	}
	if (e->spaces.count >= e->config.limits.spaces) {
		reply_error(e, c, r->n, 0, ERROR_LIMIT,
		            "space create: there are %u spaces, the limit",
		            e->config.limits.spaces);
		return;
	}
	if (!dead_ok(e, c, r, is_volatile))
		return;
	space_make(e, r->space, is_volatile,
	           request_has(r, OPTION_TRIES) ? (uint32_t)r->option[OPTION_TRIES].u : 0,
	           request_has(r, OPTION_DEAD) ? r->option[OPTION_DEAD].s
	                                       : (struct bytes){NULL, 0});
	done(e, c, r);
}

static void drop(struct engine *e, struct conn *c, const struct request *r)
{
	struct space *s = request_space(e, c, r);

	if (!s)
		return;
	if (s == e->main) {
		reply_error(e, c, r->n, 0, ERROR_DENIED, "space drop: main stays");
		return;
	}
	reply_change(e, CHANGE_SPACE_DROP)->space = s->number;
	space_drop(e, s);
	done(e, c, r);
}

static bool may_any(const struct conn *c, struct bytes space)
{
	for (unsigned op = 0; op < MESSAGE_OPS; op++)
		if (message_rows[op].rights && request_may(c, space, op))
			return true;
	return false;
}

static uint64_t index_count(const struct space *s)
{
	uint64_t count = 0;

	for (unsigned n = 0; n <= TUPLE_FIELDS; n++)
		count += s->arities[n] ? s->arities[n]->index_count : 0;
	return count;
}

static void put_count(struct buf *b, const char *name, uint64_t value)
{
	item_put_text(b, name);
	item_put_uint(b, value);
}

/* An array of maps, one a space that this session may do anything on. */
static void put_spaces(const struct engine *e, const struct conn *c, struct buf *b, bool more)
{
	struct seq_cursor at;
	uint64_t count = 0;

	for (struct space *s = seq_after(&e->spaces, 0, &at); s; s = seq_next(&at))
		count += !s->dropped && may_any(c, s->name);
	item_put_head(b, ITEM_ARRAY, count);
	for (struct space *s = seq_after(&e->spaces, 0, &at); s; s = seq_next(&at)) {
		if (s->dropped || !may_any(c, s->name))
			continue;
		item_put_head(b, ITEM_MAP, more ? 7 : 5);
		item_put_text(b, "name");
		item_put_text_n(b, s->name);
		put_count(b, "bytes", s->bytes);
		put_count(b, "claims", s->hidden.count);
		put_count(b, "tuples", s->all.count + s->hidden.count);
		if (more) {
			put_count(b, "indexes", index_count(s));
			put_count(b, "waiting", s->waiting);
		}
		item_put_text(b, "volatile");
		item_put_bool(b, s->is_volatile);
	}
}

int admin_space(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;

	if (bytes_equal(r->verb, bytes_of("list"))) {
		put_spaces(e, c, reply_begin(e, r->n), false);
		reply_end(e, c, r->n, 0, false);
		return 0;
	}
	if (ev->batch_full)
		return ENGINE_AGAIN;
	if (!outcome_room(e, c->session))
		reply_error(e, c, r->n, 0, ERROR_UNACKNOWLEDGED,
		            "space: too many replies of this session are not acknowledged");
	else if (bytes_equal(r->verb, bytes_of("create")))
		create(e, c, r);
	else if (bytes_equal(r->verb, bytes_of("drop")))
		drop(e, c, r);
	else
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "space: no such verb: %.*s (create, drop, list)",
		            (int)(r->verb.n < 40 ? r->verb.n : 40), (const char *)r->verb.p);
	return 0;
}

/* In the order of deterministic map keys: shorter names first, then bytewise. */
static int by_key(const void *a, const void *b)
{
	const char *x = message_rows[*(const unsigned *)a].name;
	const char *y = message_rows[*(const unsigned *)b].name;
	size_t nx = strlen(x), ny = strlen(y);

	return nx != ny ? (nx < ny ? -1 : 1) : memcmp(x, y, nx);
}

static void put_requests(const struct engine *e, struct buf *b)
{
	unsigned ops[MESSAGE_OPS];

	for (unsigned op = 0; op < MESSAGE_OPS; op++)
		ops[op] = op;
	qsort(ops, MESSAGE_OPS, sizeof *ops, by_key);
	item_put_text(b, "requests");
	item_put_head(b, ITEM_MAP, MESSAGE_OPS);
	for (unsigned i = 0; i < MESSAGE_OPS; i++)
		put_count(b, message_rows[ops[i]].name, e->requests[ops[i]]);
}

static void put_stats(const struct engine *e, struct buf *b)
{
	item_put_head(b, ITEM_MAP, 14);
	put_count(b, "boot", e->boot);
	put_count(b, "batch", e->batch);
	put_count(b, "bytes", e->bytes);
	put_count(b, "claims", e->claims);
	put_count(b, "spaces", e->spaces.count);
	put_count(b, "tuples", e->tuples);
	put_count(b, "indexes", e->indexes);
	item_put_text(b, "version");
	item_put_text(b, TILIA_VERSION);
	put_count(b, "waiting", e->waiting);
	put_count(b, "outcomes", e->outcomes);
	put_requests(e, b);
	put_count(b, "sessions", e->sessions.count);
	put_count(b, "uptime_ms", e->now_ms - e->start_ms);
	put_count(b, "connections", e->conn_count);
}

int admin_stats(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct buf *b;

	if (r->verb.n > 0 && !bytes_equal(r->verb, bytes_of("spaces"))) {
		reply_error(e, c, r->n, 0, ERROR_REQUEST, "stats: no such part: %.*s (spaces)",
		            (int)(r->verb.n < 40 ? r->verb.n : 40), (const char *)r->verb.p);
		return 0;
	}
	b = reply_begin(e, r->n);
	if (r->verb.n > 0)
		put_spaces(e, c, b, true);
	else
		put_stats(e, b);
	reply_end(e, c, r->n, 0, false);
	return 0;
}
