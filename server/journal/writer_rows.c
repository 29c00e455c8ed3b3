/* The rows of a batch, on the writer's thread. */
#include "writer.h"

#include "../../libclient/error.h"

/* A row that must be there is changed; anything else means that memory and disk
 * are no longer the same. */
static int writer_one_row(struct store *s, enum store_statement which, uint64_t id)
{
	if (store_run(s, which) != SQLITE_OK)
		return store_fail(s, "cannot write tuple %llu", (unsigned long long)id);
	if (sqlite3_changes(s->db) != 1)
		return store_damaged(s, "the row of tuple %llu is missing", (unsigned long long)id);
	return 0;
}

static int writer_put(struct store *s, const struct batch *b, const struct batch_tuple *t)
{
	const struct sum_state *st = &t->state;
	enum store_statement put = STORE_TUPLE_PUT;

	store_bind(s, put, 1, t->id);
	store_bind(s, put, 2, t->space);
	store_bind_bytes(s, put, 3, batch_bytes(b, t->body));
	store_bind(s, put, 4, st->owner);
	store_bind(s, put, 5, st->number);
	store_bind(s, put, 6, st->token);
	store_bind(s, put, 7, st->lease_ms);
	store_bind(s, put, 8, st->tries);
	store_bind(s, put, 9, st->due_ms);
	store_bind(s, put, 10, st->expires_ms);
	store_bind(s, put, 11, st->bound);
	store_bind(s, put, 12, t->sum ^ sum_of_state(st));
	return writer_one_row(s, put, t->id);
}

static int writer_state(struct store *s, const struct batch_tuple *t)
{
	store_bind(s, STORE_TUPLE_STATE, 1, t->id);
	store_bind(s, STORE_TUPLE_STATE, 2, t->state.owner);
	store_bind(s, STORE_TUPLE_STATE, 3, t->state.number);
	store_bind(s, STORE_TUPLE_STATE, 4, t->state.token);
	store_bind(s, STORE_TUPLE_STATE, 5, t->state.lease_ms);
	store_bind(s, STORE_TUPLE_STATE, 6, t->state.tries);
	store_bind(s, STORE_TUPLE_STATE, 7, t->state.due_ms);
	return writer_one_row(s, STORE_TUPLE_STATE, t->id);
}

static int writer_delete(struct store *s, const struct batch_tuple *t)
{
	store_bind(s, STORE_TUPLE_DELETE, 1, t->id);
	return writer_one_row(s, STORE_TUPLE_DELETE, t->id);
}

static int writer_tuple(struct store *s, const struct batch *b, const struct batch_tuple *t)
{
	int code;

	switch (t->fate) {
	case BATCH_PUT:
		return writer_put(s, b, t);
	case BATCH_STATE:
		return writer_state(s, t);
	case BATCH_DELETE:
		return writer_delete(s, t);
	case BATCH_REPLACE:
		code = writer_delete(s, t);
		return code ? code : writer_put(s, b, t);
	case BATCH_NOTHING:
		break;
	}
	return 0;
}

/* A space's row with the batch's changes: STORE_SPACE stands on the old one, if
 * there is one, until the caller resets it. */
static int writer_space_merge(struct store *s, const struct batch *b, const struct batch_space *sp,
                              struct store_space *row)
{
	int rc;

	*row = (struct store_space){.number = sp->number};
	store_bind(s, STORE_SPACE, 1, sp->number);
	rc = sqlite3_step(s->stmt[STORE_SPACE]);
	if (rc == SQLITE_ROW && !store_space_read(s, STORE_SPACE, row))
		return store_damaged(s, "the checksum of space %llu is wrong",
		                     (unsigned long long)sp->number);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_fail(s, "cannot read space %llu", (unsigned long long)sp->number);
	if (rc == SQLITE_DONE && !sp->set)
		return store_damaged(s, "the row of space %llu is missing",
		                     (unsigned long long)sp->number);
	if (sp->set) {
		row->name = batch_bytes(b, sp->name);
		row->flags = sp->flags;
		row->tries = sp->tries;
		row->dead = batch_bytes(b, sp->dead);
		row->shape = batch_bytes(b, sp->shape);
		row->max_tuples = sp->max_tuples;
		row->max_bytes = sp->max_bytes;
	}
	if (sp->drop)
		row->flags |= CHANGE_SPACE_DROPPED;
	row->tuples += (uint64_t)sp->tuples;
	row->sums ^= sp->sums;
	return 0;
}

static int writer_space_end(struct store *s, const struct store_space *row)
{
	if (row->tuples != 0)
		return store_damaged(s, "space %llu ends with %lld tuples in it",
		                     (unsigned long long)row->number, (long long)row->tuples);
	store_bind(s, STORE_SPACE_END, 1, row->number);
	return store_run(s, STORE_SPACE_END) == SQLITE_OK
	               ? 0
	               : store_fail(s, "cannot end space %llu", (unsigned long long)row->number);
}

static int writer_space(struct writer *w, const struct batch *b, const struct batch_space *sp)
{
	struct store *s = w->store;
	struct store_space row;
	int code;

	if (!sp->set && !sp->drop && !sp->end && sp->tuples == 0 && sp->sums == 0)
		return 0;
	code = writer_space_merge(s, b, sp, &row);
	w->sums.spaces ^= row.sum;
	if (code == 0 && sp->end)
		code = writer_space_end(s, &row);
	else if (code == 0 && store_space_set(s, &row) != SQLITE_OK)
		code = store_fail(s, "cannot write space %llu", (unsigned long long)sp->number);
	if (!sp->end)
		w->sums.spaces ^= row.sum;
	sqlite3_reset(s->stmt[STORE_SPACE]);
	return code;
}

static int writer_session_set(struct writer *w, const struct batch *b,
                              const struct batch_session *se)
{
	struct store *s = w->store;
	struct bytes id = {se->id, sizeof se->id};
	struct bytes may = batch_bytes(b, se->may), principal = batch_bytes(b, se->principal);
	uint64_t sum = sum_number(sum_begin("session"), se->number);

	sum = sum_bytes(sum_bytes(sum_bytes(sum, id), principal), may);
	sum = sum_number(sum, se->grace_ms);
	store_bind(s, STORE_SESSION_END, 1, se->number); /* a row of before, if any */
	if (store_run_sums(s, STORE_SESSION_END, &w->sums.sessions) != SQLITE_OK)
		return SQLITE_ERROR;
	w->sums.sessions ^= sum;
	store_bind(s, STORE_SESSION_PUT, 1, se->number);
	store_bind_bytes(s, STORE_SESSION_PUT, 2, id);
	store_bind_bytes(s, STORE_SESSION_PUT, 3, principal);
	store_bind_bytes(s, STORE_SESSION_PUT, 4, may);
	store_bind(s, STORE_SESSION_PUT, 5, se->grace_ms);
	store_bind(s, STORE_SESSION_PUT, 6, sum);
	return store_run(s, STORE_SESSION_PUT);
}

static int writer_outcomes(struct writer *w, const struct batch *b, const struct batch_session *se)
{
	struct store *s = w->store;
	uint64_t sum = sum_number(sum_number(sum_begin("outcome"), se->number), b->number);

	buf_clear(&w->blob, (size_t)1 << 20);
	batch_outcomes(b, se, &w->blob);
	store_bind(s, STORE_OUTCOME_PUT, 1, se->number);
	store_bind(s, STORE_OUTCOME_PUT, 2, b->number);
	store_bind_bytes(s, STORE_OUTCOME_PUT, 3, buf_bytes(&w->blob));
	sum = sum_bytes(sum, buf_bytes(&w->blob));
	store_bind(s, STORE_OUTCOME_PUT, 4, sum);
	w->sums.outcomes ^= sum;
	return store_run(s, STORE_OUTCOME_PUT);
}

static int writer_session_end(struct writer *w, uint64_t number)
{
	int rc;

	store_bind(w->store, STORE_OUTCOME_END, 1, number);
	rc = store_run_sums(w->store, STORE_OUTCOME_END, &w->sums.outcomes);
	store_bind(w->store, STORE_SESSION_END, 1, number);
	return rc ? rc : store_run_sums(w->store, STORE_SESSION_END, &w->sums.sessions);
}

static int writer_session(struct writer *w, const struct batch *b, const struct batch_session *se)
{
	int rc = SQLITE_OK;

	if (se->end)
		rc = writer_session_end(w, se->number);
	else if (se->set)
		rc = writer_session_set(w, b, se);
	if (rc == SQLITE_OK && se->first != LOOKUP_NONE)
		rc = writer_outcomes(w, b, se);
	return rc ? store_fail(w->store, "cannot write session %llu",
	                       (unsigned long long)se->number)
	          : 0;
}

static int writer_frees(struct writer *w, const struct batch *b)
{
	struct store *s = w->store;

	for (uint32_t i = 0; i < b->free_count; i++) {
		store_bind(s, STORE_OUTCOME_FREE, 1, b->frees[i].session);
		store_bind(s, STORE_OUTCOME_FREE, 2, b->frees[i].batch);
		if (store_run_sums(s, STORE_OUTCOME_FREE, &w->sums.outcomes) != SQLITE_OK)
			return store_fail(s, "cannot free outcomes");
	}
	return 0;
}

static int writer_meta(struct writer *w, const struct batch *b)
{
	struct store *s = w->store;

	if (store_meta_set(s, "batch", b->number) ||
	    (b->ceiling && store_meta_set(s, "ceiling", b->ceiling)) ||
	    (!w->boot_written && store_meta_set(s, "boot", s->boot)) ||
	    (w->sums.spaces != s->sums.spaces &&
	     store_meta_set(s, "spaces", w->sums.spaces)) ||
	    (w->sums.sessions != s->sums.sessions &&
	     store_meta_set(s, "sessions", w->sums.sessions)) ||
	    (w->sums.outcomes != s->sums.outcomes &&
	     store_meta_set(s, "outcomes", w->sums.outcomes)))
		return store_fail(s, "cannot write meta");
	return 0;
}

int writer_rows(struct writer *w, const struct batch *b)
{
	struct store *s = w->store;
	int code = 0;

	w->sums = s->sums;
	for (uint32_t i = 0; code == 0 && i < b->tuple_count; i++)
		code = writer_tuple(s, b, &b->tuples[i]);
	for (uint32_t i = 0; code == 0 && i < b->space_count; i++)
		code = writer_space(w, b, &b->spaces[i]);
	for (uint32_t i = 0; code == 0 && i < b->session_count; i++)
		code = writer_session(w, b, &b->sessions[i]);
	if (code == 0)
		code = writer_frees(w, b);
	return code ? code : writer_meta(w, b);
}
