/* atomic: guards and outs at one instant. One that waits is tried when the engine
 * likes, and must not be ready when the engine has nothing more to do. */
#include "../../../libclient/formal.h"
#include "world.h"

enum { STEPS = 16, REFER_TAG = 21581 };

enum verdict { DONE, FAILED, REFUSED };

struct trial {
	struct message_step step[STEPS];
	int space[STEPS];
	struct m_tuple *found[STEPS]; /* of the guards; NULL: a `no` */
	unsigned guards, steps, takes;
	struct buf built; /* what is put, one tuple after the other */
	uint64_t batch;
	int code; /* why it is refused */
	bool durable, is_volatile;
};

static bool is_guard(const struct message_step *s)
{
	return s->kind != STEP_OUT;
}

/* Its steps and their spaces; false and t->code when they are not right. */
static bool look(struct trial *t, const struct request *r)
{
	struct item_head h;
	const uint8_t *p = item_head(r->value.p, &h);

	*t = (struct trial){.code = 0};
	CHECK(h.arg <= STEPS);
	for (; t->steps < h.arg; t->steps++) {
		struct message_step *s = &t->step[t->steps];
		int space;

		p = message_step_read(p, s);
		space = t->space[t->steps] = m_space_find(s->space);
		if (space < 0) {
			t->code = ERROR_NO_SPACE;
			return false;
		}
		t->guards += is_guard(s);
		t->takes += s->kind == STEP_IN;
		t->durable |= !m_space(space)->is_volatile;
		t->is_volatile |= m_space(space)->is_volatile;
		if (m_space_batch(space) > t->batch)
			t->batch = m_space_batch(space);
	}
	t->code = t->durable && t->is_volatile ? ERROR_MIXED : 0;
	return t->code == 0;
}

static bool is_taken(const struct trial *t, unsigned before, const struct m_tuple *one)
{
	for (unsigned i = 0; i < before; i++)
		if (t->step[i].kind == STEP_IN && t->found[i] == one)
			return true;
	return false;
}

static bool holds(struct trial *t, unsigned at)
{
	const struct message_step *s = &t->step[at];
	struct m_tuple *found[TUPLES];
	bool hidden = s->kind == STEP_NO && !s->visible;
	int count = m_tuple_scan(t->space[at], s->item.p, 0, hidden, found);

	t->found[at] = NULL;
	for (int i = 0; i < count && !t->found[at]; i++)
		if (!is_taken(t, at, found[i]))
			t->found[at] = found[i];
	if (s->kind != STEP_NO)
		return t->found[at] != NULL;
	if (t->found[at])
		return false;
	return true;
}

/* An integer that 128 bits hold. */
static bool read_whole(const uint8_t *p, __int128 *v)
{
	struct item_head h;
	struct bytes big;

	p = item_head(p, &h);
	if (h.major == ITEM_UINT || h.major == ITEM_NINT) {
		*v = h.major == ITEM_UINT ? (__int128)h.arg : -1 - (__int128)h.arg;
		return true;
	}
	if (h.major != ITEM_TAG || (h.arg != 2 && h.arg != 3))
		return false;
	big = item_string(p);
	CHECK(big.n <= 15);
	*v = 0;
	for (size_t i = 0; i < big.n; i++)
		*v = *v * 256 + big.p[i];
	*v = h.arg == 2 ? *v : -1 - *v;
	return true;
}

static void put_whole(struct buf *b, __int128 v)
{
	bool negative = v < 0;
	unsigned __int128 m = negative ? (unsigned __int128)(-1 - v) : (unsigned __int128)v;
	uint8_t bytes[16];
	size_t n = 0;

	if (m <= UINT64_MAX) {
		item_put_head(b, negative ? ITEM_NINT : ITEM_UINT, (uint64_t)m);
		return;
	}
	item_put_head(b, ITEM_TAG, negative ? 3 : 2);
	for (unsigned shift = 128; shift > 0; shift -= 8)
		if (n > 0 || (uint8_t)(m >> (shift - 8)))
			bytes[n++] = (uint8_t)(m >> (shift - 8));
	item_put_bytes(b, (struct bytes){bytes, n});
}

/* The field that is referred to, with what is to be added. */
static int put_reference(struct trial *t, const struct message_ref *ref)
{
	struct item_head h;
	const uint8_t *p = item_head(t->found[ref->guard]->bytes, &h);
	__int128 v, add;

	if (ref->field >= h.arg)
		return ERROR_VALUE;
	for (uint32_t i = 0; i < ref->field; i++)
		p = item_skip(p);
	if (!ref->add) {
		struct bytes field = item_bytes(p);

		buf_append(&t->built, field.p, field.n);
		return 0;
	}
	if (!read_whole(p, &v) || !read_whole(ref->add, &add))
		return ERROR_VALUE;
	put_whole(&t->built, v + add);
	return 0;
}

/* One item, references replaced. Answers what comes after it; NULL and t->code. */
static const uint8_t *build(struct trial *t, const uint8_t *p)
{
	struct message_ref ref;
	struct item_head h;
	const uint8_t *inside = item_head(p, &h);

	if (h.major == ITEM_TAG && h.arg == REFER_TAG) {
		CHECK(message_ref_read(p, &ref));
		t->code = put_reference(t, &ref);
		return t->code ? NULL : item_skip(p);
	}
	if (h.major != ITEM_ARRAY) {
		struct bytes all = item_bytes(p);

		buf_append(&t->built, all.p, all.n);
		return all.p + all.n;
	}
	item_put_head(&t->built, ITEM_ARRAY, h.arg);
	for (; h.arg > 0 && inside; h.arg--)
		inside = build(t, inside);
	return inside;
}

static bool build_all(struct trial *t)
{
	struct m_room room = {.count = 0};
	size_t at = 0;

	for (unsigned i = t->guards; i < t->steps; i++) {
		if (!build(t, t->step[i].item.p))
			return false;
		/* a field of the model is short; so is what is made of it */
		CHECK(item_bytes(t->built.data + at).n <= sizeof w.now.tuples->bytes);
		at = t->built.len;
	}
	at = 0;
	for (unsigned i = t->guards; i < t->steps; i++) {
		struct bytes tuple = item_bytes(t->built.data + at);

		m_room_put(&room, t->space[i], tuple);
		at += tuple.n;
	}
	for (unsigned i = 0; i < t->guards; i++)
		if (t->step[i].kind == STEP_IN)
			m_room_gone(&room, t->found[i]);
	t->code = m_room_judge(&room);
	return t->code == 0;
}

static enum verdict judge(struct trial *t, const struct request *r)
{
	if (!look(t, r))
		return REFUSED;
	for (unsigned i = 0; i < t->guards; i++)
		if (!holds(t, i))
			return FAILED;
	return build_all(t) ? DONE : REFUSED;
}

static void put_guards(const struct trial *t, struct buf *b)
{
	item_put_head(b, ITEM_ARRAY, t->guards);
	for (unsigned i = 0; i < t->guards; i++) {
		const struct m_tuple *one = t->found[i];

		if (!one) {
			item_put_null(b);
			continue;
		}
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_uint(b, one->id);
		buf_append(b, one->bytes, one->len);
	}
}

static void take(struct m_tuple *t)
{
	m_watch_note("take", t->space, t);
	m_space_touch(t->space);
	t->used = false;
}

static void execute(struct trial *t, int conn, int session, uint64_t n)
{
	struct buf b = BUF_INIT;
	size_t at = 0;

	item_put_head(&b, ITEM_ARRAY, 2);
	put_guards(t, &b);
	for (unsigned i = 0; i < t->guards; i++)
		if (t->step[i].kind == STEP_IN)
			take(t->found[i]);
	item_put_head(&b, ITEM_ARRAY, t->steps - t->guards);
	for (unsigned i = t->guards; i < t->steps; i++) {
		struct bytes tuple = item_bytes(t->built.data + at);

		item_put_uint(&b, m_tuple_put(session, t->space[i], tuple, &t->step[i].put));
		at += tuple.n;
	}
	if (t->takes > 0 || t->steps > t->guards)
		m_outcome_result(conn, session, n, t->durable, &b);
	else
		expect_result(conn, n, t->batch, &b);
}

/* Does or refuses it; false: it failed, and nothing is answered. */
static bool answer(struct trial *t, enum verdict v, int conn, int session, uint64_t n)
{
	if (v == REFUSED)
		expect_code(conn, n, t->code);
	else if (v == DONE)
		execute(t, conn, session, n);
	return v != FAILED;
}

void m_atomic(int conn, int session, const struct request *r, uint64_t order)
{
	struct trial t;
	enum verdict v = judge(&t, r);
	struct buf b = BUF_INIT;

	if (answer(&t, v, conn, session, r->n)) {
		w.totals.atomics += v == DONE;
	} else if (request_has(r, OPTION_TIMEOUT) && r->option[OPTION_TIMEOUT].u == 0) {
		item_put_null(&b);
		expect_result(conn, r->n, t.batch, &b);
	} else {
		m_waiter_new(session, r, -1, order);
	}
	buf_close(&t.built);
}

static enum verdict judge_waiting(const struct m_waiter *one, struct trial *t, struct request *r,
                                  struct buf *scratch)
{
	m_waiter_request(one, r, scratch);
	return judge(t, r);
}

bool m_atomic_retry(struct m_waiter *one, bool work)
{
	struct buf scratch = BUF_INIT;
	struct request r;
	struct trial t;
	enum verdict v = judge_waiting(one, &t, &r, &scratch);

	if (answer(&t, v, m_session_conn(one->session), one->session, one->n))
		m_waiter_end(one);
	if (v == DONE && work && t.durable)
		w.expiries += t.takes + t.steps - t.guards;
	w.totals.tried += v == DONE && work;
	buf_close(&t.built);
	buf_close(&scratch);
	return v != FAILED;
}

/* Whether a guard's holding may come from another choice of one before it, which wakes
 * nobody: nothing came or went where it stands. */
static bool depends(const struct trial *t)
{
	for (unsigned i = 0; i < t->guards; i++)
		for (unsigned k = 0; k < i; k++)
			if (t->step[k].kind == STEP_IN && t->space[k] == t->space[i])
				return true;
	return false;
}

/* One that names a space which was dropped, or whose batch is full, may be anywhere. */
bool m_atomic_ready(const struct m_waiter *one)
{
	struct buf scratch = BUF_INIT;
	struct request r;
	struct trial t;
	enum verdict v = judge_waiting(one, &t, &r, &scratch);

	buf_close(&t.built);
	buf_close(&scratch);
	return v != FAILED && t.code != ERROR_NO_SPACE && !one->gone && !depends(&t) &&
	       w.expiries < w.most_expiries;
}

void m_atomic_dropped(int space)
{
	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];
		struct buf scratch = BUF_INIT;
		struct request r;
		struct trial t;

		if (!one->used || one->op != MESSAGE_ATOMIC)
			continue;
		m_waiter_request(one, &r, &scratch);
		look(&t, &r);
		one->gone |= t.code == ERROR_NO_SPACE;
		for (unsigned k = 0; k < t.steps; k++)
			one->gone |= t.space[k] == space;
		buf_close(&scratch);
	}
}
