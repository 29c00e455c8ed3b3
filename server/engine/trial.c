#include "trial.h"

#include "state.h"

#include "../../libclient/formal.h"
#include "../../libclient/frame.h"
#include "../../libclient/refer.h"

#define ENTRY_BYTES 16 /* of a reply, beside a tuple's own */

/* ---- what it touches --------------------------------------------------------------- */

static bool may_step(const struct trial *t, const struct message_step *step)
{
	static const enum message_op ops[] = {
		[STEP_IN] = MESSAGE_IN, [STEP_RD] = MESSAGE_RD,
		[STEP_NO] = MESSAGE_RD, [STEP_OUT] = MESSAGE_OUT,
	};

	return !t->first || request_may(t->conn, step->space, ops[step->kind]);
}

/* The space of a step, or NULL after an error reply. */
static struct space *find_space(struct engine *e, struct trial *t, uint32_t at,
                                const struct message_step *step)
{
	int shown = (int)(step->space.n < 80 ? step->space.n : 80);
	struct space *s = space_find(e, step->space);

	if (!may_step(t, step)) {
		reply_error(e, t->conn, t->n, 0, ERROR_DENIED,
		            "atomic: step %u: this session may not do that on %.*s", at, shown,
		            (const char *)step->space.p);
		return NULL;
	}
	if (!s) {
		reply_error(e, t->conn, t->n, 0, ERROR_NO_SPACE,
		            "atomic: step %u: no such space: %.*s", at, shown,
		            (const char *)step->space.p);
		return NULL;
	}
	t->durable |= !s->is_volatile;
	t->is_volatile |= s->is_volatile;
	return s;
}

static uint32_t takes_from(const struct trial *t, const struct space *s, uint32_t before)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < before; i++)
		count += t->guard[i].step.kind == STEP_IN && t->guard[i].space == s;
	return count;
}

static bool read_steps(struct engine *e, struct trial *t)
{
	struct item_head h;
	const uint8_t *p = item_head(t->steps.p, &h);

	for (uint32_t i = 0; i < h.arg; i++) {
		struct message_step step;
		const uint8_t *at = p;
		struct space *s;

		p = message_step_read(p, &step);
		s = find_space(e, t, i, &step);
		if (!s)
			return false;
		if (step.kind == STEP_OUT) {
			t->first_out = t->outs ? t->first_out : at;
			t->out[t->outs++] = s;
			continue;
		}
		t->takes += step.kind == STEP_IN;
		t->guard[t->guards++] = (struct guard){
			.step = step, .space = s, .before = takes_from(t, s, i)};
	}
	if (!t->durable || !t->is_volatile)
		return true;
	reply_error(e, t->conn, t->n, 0, ERROR_MIXED,
	            "atomic: touches both durable and volatile spaces");
	return false;
}

/* The batch that shows what its spaces hold now. */
static uint64_t last_batch(const struct trial *t)
{
	uint64_t batch = 0;

	for (uint32_t i = 0; i < t->guards; i++)
		if (t->guard[i].space->last_batch > batch)
			batch = t->guard[i].space->last_batch;
	for (uint32_t i = 0; i < t->outs; i++)
		if (t->out[i]->last_batch > batch)
			batch = t->out[i]->last_batch;
	return batch;
}

/* ---- the guards --------------------------------------------------------------------- */

/* Whether a guard before this one takes the tuple. */
static bool is_taken(const struct trial *t, const struct guard *g, const struct tuple *one)
{
	for (const struct guard *o = t->guard; o < g; o++)
		if (o->step.kind == STEP_IN && o->found == one)
			return true;
	return false;
}

static bool finds(struct engine *e, const struct trial *t, struct guard *g)
{
	for (uint64_t i = 0; i < t->count; i++) {
		g->found = e->some[i];
		if (!is_taken(t, g, g->found))
			return true;
	}
	return false;
}

/* How many of those that match are taken by the guards before it. */
static uint64_t count_taken(const struct trial *t, const struct guard *g,
                            const struct template *template)
{
	uint64_t count = 0;

	for (const struct guard *o = t->guard; o < g; o++)
		count += o->step.kind == STEP_IN && o->space == g->space &&
		         template_match(template, o->found);
	return count;
}

static enum verdict look_at(struct engine *e, struct trial *t, uint32_t at)
{
	struct guard *g = &t->guard[at];
	bool no = g->step.kind == STEP_NO, holds = false;
	struct template template;
	struct search_want want = {
		.space = g->space, .template = &template, .slot = at, .max = g->before + 1,
		.counting = no, .hidden = no && !g->step.visible, .uncut = true,
	};
	int code;

	if (no && t->waits)
		want.max = 0;
	template_open(&template, g->step.item);
	code = search_run(e, t->seeker, &want, e->some, &t->count);
	if (code == 0)
		holds = no ? t->count == count_taken(t, g, &template) : finds(e, t, g);
	template_close(&template);
	t->failed = at;
	return code ? TRIAL_AGAIN : holds ? TRIAL_DONE : TRIAL_FAILED;
}

/* ---- what it puts -------------------------------------------------------------------- */

static struct bytes matched_field(void *ctx, uint32_t guard, uint32_t field)
{
	const struct trial *t = ctx;
	const struct tuple *found = t->guard[guard].found;

	return field < found->fields ? tuple_field(found, field) : (struct bytes){NULL, 0};
}

static bool refuse_reference(struct engine *e, struct trial *t, uint32_t at, int code,
                             const struct refer *r)
{
	reply_error(e, t->conn, t->n, t->batch, code, "atomic: step %u: field %u of guard %u %s",
	            t->guards + at, r->index, r->guard, r->why);
	return false;
}

/* Whether a tuple that references were replaced in is still one; else it is answered. */
static bool is_tuple(struct engine *e, struct trial *t, uint32_t at, struct bytes item)
{
	struct bytes detail;
	const char *why;
	int field, code = formal_check_tuple(item, false, &why, &field, &detail);

	if (code == 0)
		return true;
	reply_error(e, t->conn, t->n, t->batch, code, "atomic: step %u: the tuple, field %d: %s",
	            t->guards + at, field, why);
	return false;
}

/* The tuples as they will be put, one after the other in e->built. */
static bool build(struct engine *e, struct trial *t)
{
	struct refer r = {.field = matched_field, .ctx = t, .left = FRAME_MAX};
	const uint8_t *p = t->first_out;

	buf_clear(&e->built, 65536);
	for (uint32_t i = 0; i < t->outs; i++) {
		struct message_step step;
		size_t from = e->built.len, left = r.left;
		int code;

		p = message_step_read(p, &step);
		code = refer_put(&e->built, step.item, &r);
		if (code)
			return refuse_reference(e, t, i, code, &r);
		if (r.left < left && !is_tuple(e, t, i, (struct bytes){e->built.data + from,
		                                                       e->built.len - from}))
			return false;
	}
	return true;
}

/* Whether the spaces take it, as they are when the guards have taken theirs. */
static bool has_room(struct engine *e, struct trial *t)
{
	const uint8_t *p = e->built.data;
	struct room_ask ask;
	bool refused;

	room_open(&ask, "out");
	for (uint32_t i = 0; i < t->outs; i++) {
		struct bytes item = item_bytes(p);

		room_put(&ask, t->out[i], item);
		p = item.p + item.n;
	}
	for (uint32_t i = 0; i < t->guards; i++)
		if (t->guard[i].step.kind == STEP_IN)
			room_gone(&ask, t->guard[i].space, t->guard[i].found);
	refused = put_refused(e, t->conn, t->n, MESSAGE_ATOMIC, &ask);
	room_close(&ask);
	return !refused;
}

/* Whether a reply can hold what the guards matched; else it is answered. */
static bool fits_reply(struct engine *e, struct trial *t)
{
	uint64_t bytes = ENTRY_BYTES * (t->outs + 1);

	for (uint32_t i = 0; i < t->guards; i++)
		bytes += ENTRY_BYTES + (t->guard[i].found ? t->guard[i].found->size : 0);
	if (bytes <= e->config.limits.reply_bytes)
		return true;
	reply_error(e, t->conn, t->n, t->batch, ERROR_LIMIT,
	            "atomic: what its guards match does not fit a reply");
	return false;
}

/* ---- the step ------------------------------------------------------------------------ */

static void put_guards(struct trial *t, struct buf *result)
{
	item_put_head(result, ITEM_ARRAY, t->guards);
	for (uint32_t i = 0; i < t->guards; i++) {
		const struct tuple *found = t->guard[i].found;

		if (!found) {
			item_put_null(result);
			continue;
		}
		item_put_head(result, ITEM_ARRAY, 2);
		item_put_uint(result, found->id);
		item_put_item(result, tuple_bytes(found));
	}
}

static void take(struct engine *e, struct space *s, struct tuple *found)
{
	space_vanish(e, s, found);
	ring_note(e, s, RING_TAKE, found);
	if (!s->is_volatile)
		reply_delete(e, s, found);
	engine_bury(e, found);
}

/* Answers the last id. */
static uint64_t put_outs(struct engine *e, struct trial *t, struct buf *result)
{
	const uint8_t *p = e->built.data, *steps = t->first_out;
	uint64_t id = 0;

	item_put_head(result, ITEM_ARRAY, t->outs);
	for (uint32_t i = 0; i < t->outs; i++) {
		struct bytes item = item_bytes(p);
		struct message_step step;

		steps = message_step_read(steps, &step);
		id = put_one(e, t->conn->session, t->out[i], item, &step.put);
		item_put_uint(result, id);
		p = item.p + item.n;
	}
	return id;
}

static void execute(struct engine *e, struct trial *t)
{
	struct buf *result = &e->result;
	uint64_t id;

	buf_clear(result, 65536);
	item_put_head(result, ITEM_ARRAY, 2);
	put_guards(t, result);
	for (uint32_t i = 0; i < t->guards; i++)
		if (t->guard[i].step.kind == STEP_IN)
			take(e, t->guard[i].space, t->guard[i].found);
	id = put_outs(e, t, result);
	if (t->takes + t->outs > 0)
		outcome_result(e, t->conn->session, t->n, t->durable, buf_bytes(result));
	item_put_item(reply_begin(e, t->n), buf_bytes(result));
	reply_end(e, t->conn, t->n, engine_wait(e, id, last_batch(t)), false);
}

enum verdict trial_run(struct engine *e, struct trial *t)
{
	enum verdict verdict = TRIAL_DONE;

	if (!read_steps(e, t))
		return TRIAL_REFUSED;
	if (t->durable && t->batch_full)
		return TRIAL_AGAIN;
	t->batch = last_batch(t);
	for (uint32_t i = 0; i < t->guards && verdict == TRIAL_DONE; i++)
		verdict = look_at(e, t, i);
	if (verdict != TRIAL_DONE)
		return verdict;
	if (!fits_reply(e, t) || !build(e, t) || !has_room(e, t))
		return TRIAL_REFUSED;
	execute(e, t);
	return TRIAL_DONE;
}
