/* Spaces: made, dropped, and made again under the same name; and where what was
 * claimed in vain is buried. A dropped one keeps its place as long as a tuple, an
 * outcome or a waiter is of it. */
#include "world.h"

struct m_space *m_space(int space)
{
	return &w.now.spaces[space];
}

uint64_t m_space_batch(int space)
{
	return m_space(space)->last_batch;
}

void m_space_touch(int space)
{
	if (!m_space(space)->is_volatile)
		m_space(space)->last_batch = w.open_batch;
}

int m_space_find(struct bytes name)
{
	for (int i = 0; i < SPACES; i++) {
		const struct m_space *s = m_space(i);

		if (s->used && !s->dropped && bytes_equal(bytes_of(s->name), name))
			return i;
	}
	return -1;
}

static bool is_named(int space)
{
	bool named = m_watch_names(space);

	for (int i = 0; i < TUPLES; i++)
		named |= w.now.tuples[i].used && w.now.tuples[i].space == space;
	for (int i = 0; i < WAITERS; i++)
		named |= w.now.waiters[i].used && w.now.waiters[i].space == space;
	for (int i = 0; i < OUTCOMES; i++)
		named |= w.now.outcomes[i].used && w.now.outcomes[i].space == space;
	return named;
}

int m_space_make(struct bytes name, bool is_volatile, uint64_t number)
{
	for (int i = 0; i < SPACES; i++) {
		struct m_space *s = m_space(i);

		if (s->used && !(s->dropped && !is_named(i)))
			continue;
		*s = (struct m_space){.used = true, .is_volatile = is_volatile, .number = number};
		CHECK(name.n < sizeof s->name);
		memcpy(s->name, name.p, name.n);
		m_space_touch(i);
		return i;
	}
	test_fail(__FILE__, __LINE__, "the model is out of spaces");
}

int m_space_dead(int space, bool only_look, int *code)
{
	const struct m_space *s = m_space(space);
	char name[sizeof s->name + 8];
	int dead;

	snprintf(name, sizeof name, "%s%s", *s->dead ? s->dead : s->name, *s->dead ? "" : ".dead");
	dead = m_space_find(bytes_of(name));
	*code = dead >= 0 && m_space(dead)->is_volatile != s->is_volatile ? ERROR_MIXED : 0;
	if (*code)
		return -1;
	if (dead < 0 && !only_look)
		dead = m_space_make(bytes_of(name), s->is_volatile, w.now.next_id++);
	return dead;
}

/* Whether `dead` names what can be one; else a code. */
static int judge_dead(const struct request *r, bool is_volatile)
{
	struct bytes dead = r->option[OPTION_DEAD].s;
	int other;

	if (!request_has(r, OPTION_DEAD) || dead.n == 0)
		return 0;
	if (bytes_equal(dead, r->space))
		return ERROR_REQUEST;
	other = m_space_find(dead);
	return other >= 0 && m_space(other)->is_volatile != is_volatile ? ERROR_MIXED : 0;
}

static void set_options(struct m_space *s, const struct request *r)
{
	struct bytes dead = r->option[OPTION_DEAD].s, shape = r->option[OPTION_SHAPE].s;

	if (request_has(r, OPTION_TRIES))
		s->tries = r->option[OPTION_TRIES].u;
	if (request_has(r, OPTION_TUPLES))
		s->max_tuples = r->option[OPTION_TUPLES].u;
	if (request_has(r, OPTION_BYTES))
		s->max_bytes = r->option[OPTION_BYTES].u;
	if (request_has(r, OPTION_DEAD)) {
		CHECK(dead.n < sizeof s->dead);
		memset(s->dead, 0, sizeof s->dead);
		memcpy(s->dead, dead.p, dead.n);
	}
	if (request_has(r, OPTION_SHAPE)) {
		CHECK(shape.n <= sizeof s->shape);
		s->shape_len = *shape.p == ITEM_NULL ? 0 : (uint8_t)shape.n;
		memcpy(s->shape, shape.p, shape.n);
	}
}

static int create(const struct request *r)
{
	bool is_volatile = request_has(r, OPTION_VOLATILE) && r->option[OPTION_VOLATILE].u;
	int code = judge_dead(r, is_volatile);

	if (m_space_find(r->space) >= 0)
		return ERROR_SPACE_EXISTS;
	if (code == 0)
		set_options(m_space(m_space_make(r->space, is_volatile, w.now.next_id++)), r);
	return code;
}

static int alter(const struct request *r)
{
	int space = m_space_find(r->space), code;

	if (space < 0)
		return ERROR_NO_SPACE;
	if (request_has(r, OPTION_VOLATILE))
		return ERROR_REQUEST;
	code = judge_dead(r, m_space(space)->is_volatile);
	if (code)
		return code;
	set_options(m_space(space), r);
	m_space_touch(space);
	w.totals.altered++;
	return 0;
}

/* Its visible tuples are gone at once; what is claimed or taken stays until that ends. */
static int drop(const struct request *r)
{
	int space = m_space_find(r->space);

	if (space < 0)
		return ERROR_NO_SPACE;
	if (space == M_MAIN)
		return ERROR_DENIED;
	m_atomic_dropped(space);
	m_space(space)->dropped = true;
	m_space_touch(space);
	for (int i = 0; i < TUPLES; i++)
		if (w.now.tuples[i].space == space && !w.now.tuples[i].taken)
			w.now.tuples[i].used = false;
	m_watch_note("drop", space, NULL);
	w.totals.dropped++;
	return 0;
}

static void put_row(struct buf *b, int space)
{
	const struct m_space *s = m_space(space);
	uint64_t claims = 0, delayed = 0, bytes, tuples = m_room_used(space, &bytes);

	for (int i = 0; i < TUPLES; i++) {
		const struct m_tuple *t = &w.now.tuples[i];

		if (!m_tuple_exists(t) || t->space != space)
			continue;
		claims += t->token != 0;
		delayed += t->token == 0 && t->delayed;
	}
	item_put_head(b, ITEM_MAP, 11);
	item_put_text(b, "dead");
	item_put_text(b, s->dead);
	item_put_text(b, "name");
	item_put_text(b, s->name);
	item_put_text(b, "bytes");
	item_put_uint(b, bytes);
	item_put_text(b, "shape");
	if (s->shape_len)
		buf_append(b, s->shape, s->shape_len);
	else
		item_put_null(b);
	item_put_text(b, "tries");
	item_put_uint(b, s->tries);
	item_put_text(b, "claims");
	item_put_uint(b, claims);
	item_put_text(b, "tuples");
	item_put_uint(b, tuples);
	item_put_text(b, "delayed");
	item_put_uint(b, delayed);
	item_put_text(b, "volatile");
	item_put_bool(b, s->is_volatile);
	item_put_text(b, "max_bytes");
	item_put_uint(b, s->max_bytes);
	item_put_text(b, "max_tuples");
	item_put_uint(b, s->max_tuples);
}

/* By their numbers. */
static void list(int conn, uint64_t n)
{
	struct buf b = BUF_INIT, rows = BUF_INIT;
	uint64_t last = 0, count = 0;

	for (;;) {
		int next = -1;

		for (int i = 0; i < SPACES; i++)
			if (m_space(i)->used && !m_space(i)->dropped && m_space(i)->number > last &&
			    (next < 0 || m_space(i)->number < m_space(next)->number))
				next = i;
		if (next < 0)
			break;
		last = m_space(next)->number;
		put_row(&rows, next);
		count++;
	}
	item_put_head(&b, ITEM_ARRAY, count);
	buf_append(&b, rows.data, rows.len);
	buf_close(&rows);
	expect_result(conn, n, 0, &b);
}

void m_space_run(int conn, int session, const struct request *r)
{
	struct buf b = BUF_INIT;
	int code;

	if (bytes_equal(r->verb, bytes_of("list"))) {
		list(conn, r->n);
		return;
	}
	if (bytes_equal(r->verb, bytes_of("create")))
		code = create(r);
	else if (bytes_equal(r->verb, bytes_of("alter")))
		code = alter(r);
	else
		code = drop(r);
	if (code) {
		expect_code(conn, r->n, code);
		return;
	}
	item_put_null(&b);
	m_outcome_result(conn, session, r->n, true, &b);
}
