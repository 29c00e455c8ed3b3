#include "rows.h"

#include "../../libclient/base/xmalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One row; a session's outcomes hang on it in the order they were made. */
struct row {
	uint64_t key;
	struct change change;
	struct change *outcomes;
	size_t count, cap;
};

void rows_init(struct rows *r)
{
	memset(r, 0, sizeof *r);
	seq_init(&r->spaces);
	seq_init(&r->sessions);
	seq_init(&r->tuples);
}

static struct bytes bytes_copy(struct bytes b)
{
	uint8_t *p = NULL;

	if (b.n) {
		p = xmalloc(b.n);
		memcpy(p, b.p, b.n);
	}
	return (struct bytes){p, b.n};
}

void rows_copy(struct change *to, const struct change *from)
{
	*to = *from;
	to->bytes = bytes_copy(from->bytes);
	to->principal = bytes_copy(from->principal);
	to->dead = bytes_copy(from->dead);
	to->shape = bytes_copy(from->shape);
}

void rows_free(struct change *c)
{
	xfree((void *)(uintptr_t)c->bytes.p);
	xfree((void *)(uintptr_t)c->principal.p);
	xfree((void *)(uintptr_t)c->dead.p);
	xfree((void *)(uintptr_t)c->shape.p);
}

static void row_destroy(void *item, void *ctx)
{
	struct row *row = item;

	(void)ctx;
	for (size_t i = 0; i < row->count; i++)
		rows_free(&row->outcomes[i]);
	xfree(row->outcomes);
	rows_free(&row->change);
	xfree(row);
}

void rows_close(struct rows *r)
{
	seq_drain(&r->spaces, SIZE_MAX, row_destroy, NULL);
	seq_drain(&r->sessions, SIZE_MAX, row_destroy, NULL);
	seq_drain(&r->tuples, SIZE_MAX, row_destroy, NULL);
	rows_init(r);
}

/* The row of that key, which must be there: else the engine changed what it
 * never put. */
static struct row *row_known(const struct seq *s, uint64_t key)
{
	struct row *row = seq_find(s, key);

	if (!row)
		abort();
	return row;
}

/* Makes the row, or replaces what it says. */
static void row_set(struct seq *s, uint64_t key, const struct change *c)
{
	struct row *row = seq_find(s, key);

	if (row) {
		rows_free(&row->change);
	} else {
		row = xcalloc(1, sizeof *row);
		row->key = key;
		seq_insert(s, row);
	}
	rows_copy(&row->change, c);
}

static void row_end(struct seq *s, uint64_t key)
{
	struct row *row = seq_remove(s, key);

	if (row)
		row_destroy(row, NULL);
}

static void row_state(struct change *to, const struct change *c)
{
	to->session = c->session;
	to->number = c->number;
	to->token = c->token;
	to->lease_ms = c->lease_ms;
	to->due_ms = c->due_ms;
	to->tries = c->tries;
}

static void outcome_add(struct row *session, const struct change *c, uint64_t batch)
{
	if (session->count == session->cap) {
		session->cap = session->cap ? session->cap * 2 : 4;
		session->outcomes =
			xrealloc(session->outcomes, session->cap * sizeof *session->outcomes);
	}
	rows_copy(&session->outcomes[session->count], c);
	session->outcomes[session->count++].batch = batch;
}

static void outcome_free(struct row *session, uint64_t batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < session->count; i++) {
		if (session->outcomes[i].batch == batch)
			rows_free(&session->outcomes[i]);
		else
			session->outcomes[kept++] = session->outcomes[i];
	}
	session->count = kept;
}

void rows_apply(struct rows *r, const struct change *c, uint64_t batch)
{
	switch (c->kind) {
	case CHANGE_SPACE:
		row_set(&r->spaces, c->space, c);
		break;
	case CHANGE_SPACE_DROP:
		row_known(&r->spaces, c->space)->change.flags |= CHANGE_SPACE_DROPPED;
		break;
	case CHANGE_SPACE_END:
		row_end(&r->spaces, c->space);
		break;
	case CHANGE_PUT:
		assert(!seq_find(&r->tuples, c->id));
		row_set(&r->tuples, c->id, c);
		break;
	case CHANGE_STATE:
		row_state(&row_known(&r->tuples, c->id)->change, c);
		break;
	case CHANGE_DELETE:
		row_end(&r->tuples, row_known(&r->tuples, c->id)->key);
		break;
	case CHANGE_SESSION:
		row_set(&r->sessions, c->session, c);
		break;
	case CHANGE_SESSION_END:
		row_end(&r->sessions, c->session);
		break;
	case CHANGE_OUTCOME:
		outcome_add(row_known(&r->sessions, c->session), c, batch);
		break;
	case CHANGE_OUTCOME_FREE:
		outcome_free(row_known(&r->sessions, c->session), c->batch);
		break;
	case CHANGE_CEILING:
		r->ceiling = c->number;
		break;
	}
}

static void each(const struct seq *s, void (*row)(const struct change *c, void *ctx), void *ctx)
{
	struct seq_cursor at;

	/* Keys are never 0: numbers and ids are counted from 1. */
	for (struct row *it = seq_after(s, 0, &at); it; it = seq_next(&at))
		row(&it->change, ctx);
}

void rows_each(const struct rows *r, void (*row)(const struct change *c, void *ctx), void *ctx)
{
	struct change ceiling = {.kind = CHANGE_CEILING, .number = r->ceiling};
	struct seq_cursor at;

	if (r->ceiling)
		row(&ceiling, ctx);
	each(&r->spaces, row, ctx);
	each(&r->sessions, row, ctx);
	each(&r->tuples, row, ctx);
	for (struct row *it = seq_after(&r->sessions, 0, &at); it; it = seq_next(&at))
		for (size_t i = 0; i < it->count; i++)
			row(&it->outcomes[i], ctx);
}
