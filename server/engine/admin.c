/* space: create, alter, drop, list. */
#include "state.h"

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
	int verb = (int)r->verb.n;

	if (!request_has(r, OPTION_DEAD) || name.n == 0)
		return true;
	dead = space_find(e, name);
	if (!name_ok(name) || bytes_equal(name, r->space))
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "space %.*s: dead is not the name of another space", verb,
		            (const char *)r->verb.p);
	else if (dead && dead->is_volatile != is_volatile)
		reply_error(e, c, r->n, 0, ERROR_MIXED,
		            "space %.*s: dead names a space that is %sdurable", verb,
		            (const char *)r->verb.p, dead->is_volatile ? "not " : "");
	else
		return true;
	return false;
}

/* The options that the request names take the place of those that were. */
static void read_options(const struct request *r, struct space_options *o)
{
	if (request_has(r, OPTION_TRIES))
		o->tries = (uint32_t)r->option[OPTION_TRIES].u;
	if (request_has(r, OPTION_DEAD))
		o->dead = r->option[OPTION_DEAD].s;
	if (request_has(r, OPTION_SHAPE))
		o->shape = r->option[OPTION_SHAPE].s;
	if (o->shape.n && *o->shape.p == ITEM_NULL)
		o->shape = (struct bytes){NULL, 0};
	if (request_has(r, OPTION_TUPLES))
		o->max_tuples = r->option[OPTION_TUPLES].u;
	if (request_has(r, OPTION_BYTES))
		o->max_bytes = r->option[OPTION_BYTES].u;
}

static void create(struct engine *e, struct conn *c, const struct request *r)
{
	struct space_options options = {0};
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
	if (e->disk_low) {
		reply_error(e, c, r->n, 0, ERROR_FULL, "space create: the disk is full");
		return;
	}
	if (!dead_ok(e, c, r, is_volatile))
		return;
	read_options(r, &options);
	space_make(e, r->space, is_volatile, &options);
	done(e, c, r);
}

static void alter(struct engine *e, struct conn *c, const struct request *r)
{
	struct space *s = request_space(e, c, r);
	struct space_options options;

	if (!s)
		return;
	if (request_has(r, OPTION_VOLATILE)) {
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "space alter: volatile is said once, at create");
		return;
	}
	if (!dead_ok(e, c, r, s->is_volatile))
		return;
	options = s->options;
	read_options(r, &options);
	space_set(s, &options);
	space_write_row(e, s);
	space_touch(e, s);
	putter_wake(e, s);
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

static void put_count(struct buf *b, const char *name, uint64_t value)
{
	item_put_text(b, name);
	item_put_uint(b, value);
}

void admin_put_spaces(const struct engine *e, const struct conn *c, struct buf *b,
                      void (*row)(struct buf *b, const struct space *s))
{
	struct seq_cursor at;
	uint64_t count = 0;

	for (struct space *s = seq_after(&e->spaces, 0, &at); s; s = seq_next(&at))
		count += !s->dropped && may_any(c, s->name);
	item_put_head(b, ITEM_ARRAY, count);
	for (struct space *s = seq_after(&e->spaces, 0, &at); s; s = seq_next(&at))
		if (!s->dropped && may_any(c, s->name))
			row(b, s);
}

/* What it is made of, with the values that `alter` would be given; and what is in it. */
static void put_row(struct buf *b, const struct space *s)
{
	const struct space_options *o = &s->options;

	item_put_head(b, ITEM_MAP, 11);
	item_put_text(b, "dead");
	item_put_text_n(b, o->dead);
	item_put_text(b, "name");
	item_put_text_n(b, s->name);
	put_count(b, "bytes", s->bytes);
	item_put_text(b, "shape");
	if (o->shape.n)
		item_put_item(b, o->shape);
	else
		item_put_null(b);
	put_count(b, "tries", o->tries);
	put_count(b, "claims", s->claims);
	put_count(b, "tuples", s->all.count + s->hidden.count);
	put_count(b, "delayed", s->hidden.count - s->claims);
	item_put_text(b, "volatile");
	item_put_bool(b, s->is_volatile);
	put_count(b, "max_bytes", o->max_bytes);
	put_count(b, "max_tuples", o->max_tuples);
}

int admin_space(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;

	if (bytes_equal(r->verb, bytes_of("list"))) {
		admin_put_spaces(e, c, reply_begin(e, r->n), put_row);
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
	else if (bytes_equal(r->verb, bytes_of("alter")))
		alter(e, c, r);
	else if (bytes_equal(r->verb, bytes_of("drop")))
		drop(e, c, r);
	else
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "space: no such verb: %.*s (create, alter, drop, list)",
		            (int)(r->verb.n < 40 ? r->verb.n : 40), (const char *)r->verb.p);
	return 0;
}

