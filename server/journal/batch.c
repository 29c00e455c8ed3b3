#include "batch.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/item.h"

#include <assert.h>
#include <stdlib.h>

#define KEEP_BYTES ((size_t)1 << 20) /* of the area, between batches */

void batch_init(struct batch *b, uint64_t number)
{
	*b = (struct batch){.number = number};
	buf_init(&b->area);
	lookup_init(&b->tuple_at);
	lookup_init(&b->space_at);
	lookup_init(&b->session_at);
}

void batch_close(struct batch *b)
{
	buf_close(&b->area);
	xfree(b->tuples);
	xfree(b->spaces);
	xfree(b->sessions);
	xfree(b->outcomes);
	xfree(b->frees);
	lookup_close(&b->tuple_at);
	lookup_close(&b->space_at);
	lookup_close(&b->session_at);
}

void batch_clear(struct batch *b, uint64_t number)
{
	b->number = number;
	b->ceiling = 0;
	b->changes = 0;
	b->tuple_count = b->space_count = b->session_count = 0;
	b->outcome_count = b->free_count = 0;
	buf_clear(&b->area, KEEP_BYTES);
	lookup_clear(&b->tuple_at);
	lookup_clear(&b->space_at);
	lookup_clear(&b->session_at);
}

/* Room for one more entry in an array; answers its position. */
static uint32_t entry(void *list, uint32_t *count, uint32_t *cap, size_t size)
{
	void **array = list;

	if (*count == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		*array = xrealloc(*array, *cap * size);
	}
	return (*count)++;
}

static struct batch_span copy(struct batch *b, struct bytes from)
{
	struct batch_span to = {b->area.len, from.n};

	if (from.n)
		buf_append(&b->area, from.p, from.n);
	if (b->area.failed)
		abort();
	return to;
}

static struct batch_space *space_of(struct batch *b, uint64_t number)
{
	uint32_t at = b->last_space;

	if (at >= b->space_count || b->spaces[at].number != number)
		at = lookup_find(&b->space_at, number);
	if (at == LOOKUP_NONE) {
		at = entry(&b->spaces, &b->space_count, &b->space_cap, sizeof *b->spaces);
		b->spaces[at] = (struct batch_space){.number = number};
		lookup_add(&b->space_at, number, at);
	}
	b->last_space = at;
	return &b->spaces[at];
}

static struct batch_session *session_of(struct batch *b, uint64_t number)
{
	uint32_t at = lookup_find(&b->session_at, number);

	if (at == LOOKUP_NONE) {
		at = entry(&b->sessions, &b->session_count, &b->session_cap, sizeof *b->sessions);
		b->sessions[at] = (struct batch_session){
			.number = number, .first = LOOKUP_NONE, .last = LOOKUP_NONE};
		lookup_add(&b->session_at, number, at);
	}
	return &b->sessions[at];
}

/* The tuple's entry; a new one says NOTHING, and *fresh that the disk has the row
 * unless this change puts it. */
static struct batch_tuple *tuple_of(struct batch *b, uint64_t id, bool *fresh)
{
	uint32_t at = lookup_find(&b->tuple_at, id);

	*fresh = at == LOOKUP_NONE;
	if (*fresh) {
		at = entry(&b->tuples, &b->tuple_count, &b->tuple_cap, sizeof *b->tuples);
		b->tuples[at] = (struct batch_tuple){.id = id, .fate = BATCH_NOTHING};
		lookup_add(&b->tuple_at, id, at);
	}
	return &b->tuples[at];
}

static void set_state(struct sum_state *s, const struct change *c)
{
	s->owner = c->session;
	s->number = c->number;
	s->token = c->token;
	s->lease_ms = c->lease_ms;
	s->tries = c->tries;
	s->due_ms = c->due_ms;
}

static void add_put(struct batch *b, const struct change *c)
{
	struct batch_space *space = space_of(b, c->space);
	bool fresh;
	struct batch_tuple *t = tuple_of(b, c->id, &fresh);

	assert(t->fate == BATCH_NOTHING || t->fate == BATCH_DELETE);
	t->fate = t->fate == BATCH_DELETE ? BATCH_REPLACE : BATCH_PUT;
	t->space = c->space;
	t->body = copy(b, c->bytes);
	t->sum = sum_tuple(c->space, c->id, c->bytes);
	set_state(&t->state, c);
	t->state.expires_ms = c->expires_ms;
	t->state.bound = c->bound;
	space->tuples++;
	space->sums ^= t->sum;
}

static void add_state(struct batch *b, const struct change *c)
{
	bool fresh;
	struct batch_tuple *t = tuple_of(b, c->id, &fresh);

	if (fresh)
		t->fate = BATCH_STATE;
	assert(t->fate != BATCH_NOTHING && t->fate != BATCH_DELETE);
	set_state(&t->state, c);
}

static void add_delete(struct batch *b, const struct change *c)
{
	struct batch_space *space = space_of(b, c->space);
	bool fresh;
	struct batch_tuple *t = tuple_of(b, c->id, &fresh);

	assert(fresh || (t->fate != BATCH_NOTHING && t->fate != BATCH_DELETE));
	t->fate = t->fate == BATCH_PUT ? BATCH_NOTHING : BATCH_DELETE;
	space->tuples--;
	space->sums ^= sum_tuple(c->space, c->id, c->bytes);
}

static void add_session(struct batch *b, const struct change *c)
{
	struct batch_session *s = session_of(b, c->session);

	assert(!s->end);
	s->set = true;
	s->grace_ms = c->lease_ms;
	memcpy(s->id, c->id16, sizeof s->id);
	s->may = copy(b, c->bytes);
	s->principal = copy(b, c->principal);
}

static void add_session_end(struct batch *b, const struct change *c)
{
	struct batch_session *s = session_of(b, c->session);

	s->end = true;
	s->first = s->last = LOOKUP_NONE;
}

static void add_outcome(struct batch *b, const struct change *c)
{
	struct batch_session *s = session_of(b, c->session);
	uint32_t at = entry(&b->outcomes, &b->outcome_count, &b->outcome_cap, sizeof *b->outcomes);

	assert(!s->end);
	b->outcomes[at] = (struct batch_outcome){c->number, copy(b, c->bytes), LOOKUP_NONE};
	if (s->last == LOOKUP_NONE)
		s->first = at;
	else
		b->outcomes[s->last].next = at;
	s->last = at;
}

static void add_outcome_free(struct batch *b, const struct change *c)
{
	struct batch_session *s;
	uint32_t at;

	if (c->batch == b->number) {
		s = session_of(b, c->session);
		s->first = s->last = LOOKUP_NONE;
		return;
	}
	at = entry(&b->frees, &b->free_count, &b->free_cap, sizeof *b->frees);
	b->frees[at] = (struct batch_free){c->session, c->batch};
}

static void add_space(struct batch *b, const struct change *c)
{
	struct batch_space *s = space_of(b, c->space);

	assert(!s->end);
	s->set = true;
	s->flags = c->flags;
	s->tries = c->tries;
	s->name = copy(b, c->bytes);
	s->dead = copy(b, c->dead);
	s->shape = copy(b, c->shape);
	s->max_tuples = c->max_tuples;
	s->max_bytes = c->max_bytes;
}

void batch_add(struct batch *b, const struct change *c)
{
	b->changes++;
	switch (c->kind) {
	case CHANGE_SPACE:
		add_space(b, c);
		break;
	case CHANGE_SPACE_DROP:
		space_of(b, c->space)->drop = true;
		break;
	case CHANGE_SPACE_END:
		space_of(b, c->space)->end = true;
		break;
	case CHANGE_PUT:
		add_put(b, c);
		break;
	case CHANGE_STATE:
		add_state(b, c);
		break;
	case CHANGE_DELETE:
		add_delete(b, c);
		break;
	case CHANGE_SESSION:
		add_session(b, c);
		break;
	case CHANGE_SESSION_END:
		add_session_end(b, c);
		break;
	case CHANGE_OUTCOME:
		add_outcome(b, c);
		break;
	case CHANGE_OUTCOME_FREE:
		add_outcome_free(b, c);
		break;
	case CHANGE_CEILING:
		b->ceiling = c->number;
		break;
	}
}

bool batch_empty(const struct batch *b)
{
	if (b->ceiling || b->free_count)
		return false;
	for (uint32_t i = 0; i < b->space_count; i++)
		if (b->spaces[i].set || b->spaces[i].drop || b->spaces[i].end)
			return false;
	for (uint32_t i = 0; i < b->session_count; i++)
		if (b->sessions[i].set || b->sessions[i].end ||
		    b->sessions[i].first != LOOKUP_NONE)
			return false;
	for (uint32_t i = 0; i < b->tuple_count; i++)
		if (b->tuples[i].fate != BATCH_NOTHING)
			return false;
	return true;
}

void batch_outcomes(const struct batch *b, const struct batch_session *s, struct buf *out)
{
	for (uint32_t at = s->first; at != LOOKUP_NONE; at = b->outcomes[at].next) {
		item_put_head(out, ITEM_ARRAY, 2);
		item_put_uint(out, b->outcomes[at].number);
		item_put_item(out, batch_bytes(b, b->outcomes[at].result));
	}
	if (out->failed)
		abort();
}
