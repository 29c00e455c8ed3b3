/* What a space takes: its shape, and its limits of tuples and bytes. */
#include "state.h"

#include "../../libclient/explain.h"

void room_open(struct room_ask *a, const char *each)
{
	*a = (struct room_ask){.each = each};
	list_init(&a->shares);
}

void room_close(struct room_ask *a)
{
	struct list *first;

	while ((first = list_first(&a->shares))) {
		list_remove(first);
		*list_entry(first, struct room_share, link) = (struct room_share){0};
		list_init(first);
	}
	buf_close(&a->why);
}

static struct room_share *share_of(struct room_ask *a, struct space *s)
{
	if (list_empty(&s->share.link))
		list_append(&a->shares, &s->share.link);
	return &s->share;
}

static bool is_limited(const struct space *s)
{
	return s->options.max_tuples || s->options.max_bytes;
}

/* The first tuple that is not of the space's shape is the one that is named. */
static void judge_shape(struct room_ask *a, const struct space *s, struct bytes tuple)
{
	unsigned matching;
	int field;

	if (s->options.shape.n == 0 || a->code)
		return;
	field = explain_field(s->options.shape.p, tuple.p, &matching);
	if (field == EXPLAIN_MATCH)
		return;
	a->code = ERROR_SHAPE;
	a->batch = s->last_batch;
	if (a->each)
		buf_printf(&a->why, "%s %u: ", a->each, a->tuples - 1);
	explain_text(&a->why, s->options.shape.p, tuple.p, field, "the space");
}

void room_put(struct room_ask *a, struct space *s, struct bytes tuple)
{
	a->tuples++;
	a->bytes += tuple.n;
	a->durable |= !s->is_volatile;
	judge_shape(a, s, tuple);
	if (is_limited(s)) {
		struct room_share *share = share_of(a, s);

		share->tuples++;
		share->bytes += tuple_cost_of(tuple);
	}
}

void room_gone(struct room_ask *a, struct space *s, const struct tuple *t)
{
	if (is_limited(s)) {
		struct room_share *share = share_of(a, s);

		share->gone++;
		share->freed += tuple_cost(t);
	}
}

/* Whether `more` of what a space has so much of may be put; 0: no limit. */
static int judge_limit(struct room_ask *a, uint64_t limit, uint64_t more, uint64_t there,
                       const char *what)
{
	if (limit == 0 || more == 0 || there + more <= limit)
		return 0;
	buf_clear(&a->why, 0);
	buf_printf(&a->why, "%s (its limit of %s: %llu)",
	           more > limit ? "too much for the space" : "the space is full", what,
	           (unsigned long long)limit);
	return more > limit ? ERROR_LIMIT : ERROR_FULL;
}

static int judge_space(struct room_ask *a, const struct space *s)
{
	const struct room_share *share = &s->share;
	uint64_t tuples = s->all.count + s->hidden.count;
	int count, bytes;

	count = judge_limit(a, s->options.max_tuples, share->tuples, tuples - share->gone,
	                    "tuples");
	if (count == ERROR_LIMIT)
		return count;
	bytes = judge_limit(a, s->options.max_bytes, share->bytes, s->bytes - share->freed,
	                    "bytes");
	return bytes ? bytes : count;
}

/* What holds for all spaces: the disk, and the limit of all tuples. */
static void judge_server(const struct engine *e, struct room_ask *a)
{
	uint64_t most = e->config.limits.bytes;

	a->batch = 0;
	if (a->bytes <= most && a->durable && e->disk_low) {
		a->code = ERROR_FULL;
		buf_printf(&a->why, "the disk is full");
	} else if (e->bytes + a->bytes > most) {
		a->code = a->bytes > most ? ERROR_LIMIT : ERROR_FULL;
		a->server = true;
		buf_printf(&a->why, "the server's tuples take %llu bytes, its limit",
		           (unsigned long long)most);
	}
}

int room_judge(const struct engine *e, struct room_ask *a)
{
	for (struct list *it = a->shares.next; it != &a->shares && !a->code; it = it->next) {
		struct space *s = list_entry(it, struct space, share.link);

		a->code = judge_space(a, s);
		a->batch = s->last_batch;
	}
	if (!a->code && a->bytes > 0)
		judge_server(e, a);
	return a->code;
}
