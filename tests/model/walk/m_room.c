/* What may be put into a space: its shape, and its limits of tuples and bytes. */
#include "../../../libclient/formal.h"
#include "../../../server/engine/tuple.h"
#include "world.h"

/* What `stats` counts for a tuple is the engine's to say. */
uint64_t m_room_used(int space, uint64_t *bytes)
{
	uint64_t count = 0;

	*bytes = 0;
	for (int i = 0; i < TUPLES; i++) {
		const struct m_tuple *t = &w.now.tuples[i];

		if (t->space != space || !m_tuple_exists(t))
			continue;
		count++;
		*bytes += tuple_cost_of((struct bytes){t->bytes, t->len});
	}
	return count;
}

/* The place of a limited space among those of the request, or -1. */
static int share_of(struct m_room *a, int space)
{
	if (!m_space(space)->max_tuples && !m_space(space)->max_bytes)
		return -1;
	for (int i = 0; i < a->count; i++)
		if (a->spaces[i] == space)
			return i;
	CHECK(a->count < 24);
	a->spaces[a->count] = space;
	return a->count++;
}

void m_room_put(struct m_room *a, int space, struct bytes tuple)
{
	const struct m_space *s = m_space(space);
	int i = share_of(a, space);

	if (s->shape_len && !a->code && !formal_match(s->shape, tuple.p)) {
		a->code = ERROR_SHAPE;
		a->batch = s->last_batch;
	}
	if (i < 0)
		return;
	a->tuples[i]++;
	a->bytes[i] += tuple_cost_of(tuple);
}

void m_room_gone(struct m_room *a, const struct m_tuple *t)
{
	int i = share_of(a, t->space);

	if (i < 0)
		return;
	a->gone[i]++;
	a->freed[i] += tuple_cost_of((struct bytes){t->bytes, t->len});
}

static int judge(uint64_t limit, uint64_t more, uint64_t there)
{
	if (limit == 0 || more == 0 || there + more <= limit)
		return 0;
	return more > limit ? ERROR_LIMIT : ERROR_FULL;
}

static int judge_share(const struct m_room *a, int i)
{
	const struct m_space *s = m_space(a->spaces[i]);
	uint64_t bytes, tuples = m_room_used(a->spaces[i], &bytes);
	int by_tuples = judge(s->max_tuples, a->tuples[i], tuples - a->gone[i]);
	int by_bytes = judge(s->max_bytes, a->bytes[i], bytes - a->freed[i]);

	return by_tuples == ERROR_LIMIT || !by_bytes ? by_tuples : by_bytes;
}

int m_room_judge(struct m_room *a)
{
	for (int i = 0; i < a->count && !a->code; i++) {
		a->code = judge_share(a, i);
		a->batch = m_space_batch(a->spaces[i]);
	}
	w.totals.refused += a->code != 0;
	return a->code;
}
