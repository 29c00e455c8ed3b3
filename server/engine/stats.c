/* stats. */
#include "state.h"

#include <stdlib.h>

static void put_count(struct buf *b, const char *name, uint64_t value)
{
	item_put_text(b, name);
	item_put_uint(b, value);
}

static uint64_t index_count(const struct space *s)
{
	uint64_t count = 0;

	for (unsigned n = 0; n <= TUPLE_FIELDS; n++)
		count += s->arities[n] ? s->arities[n]->index_count : 0;
	return count;
}

static void put_space(struct buf *b, const struct space *s)
{
	item_put_head(b, ITEM_MAP, 8);
	item_put_text(b, "name");
	item_put_text_n(b, s->name);
	put_count(b, "bytes", s->bytes);
	put_count(b, "claims", s->claims);
	put_count(b, "tuples", s->all.count + s->hidden.count);
	put_count(b, "delayed", s->hidden.count - s->claims);
	put_count(b, "indexes", index_count(s));
	put_count(b, "waiting", s->waiting + s->putters.count);
	item_put_text(b, "volatile");
	item_put_bool(b, s->is_volatile);
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
	item_put_head(b, ITEM_MAP, 15);
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
	put_count(b, "watching", e->watching);
	put_count(b, "uptime_ms", e->now_ms - e->start_ms);
	put_count(b, "connections", e->conn_count);
}

int stats_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct buf *b;

	if (bytes_equal(r->verb, bytes_of("waiting")))
		return survey_run(e, c, ev);
	if (r->verb.n > 0 && !bytes_equal(r->verb, bytes_of("spaces"))) {
		reply_error(e, c, r->n, 0, ERROR_REQUEST,
		            "stats: no such part: %.*s (spaces, waiting)",
		            (int)(r->verb.n < 40 ? r->verb.n : 40), (const char *)r->verb.p);
		return 0;
	}
	b = reply_begin(e, r->n);
	if (r->verb.n > 0)
		admin_put_spaces(e, c, b, put_space);
	else
		put_stats(e, b);
	reply_end(e, c, r->n, 0, false);
	return 0;
}
