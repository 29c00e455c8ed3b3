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
	bool named = false;

	for (int i = 0; i < TUPLES; i++)
		named |= w.now.tuples[i].used && w.now.tuples[i].space == space;
	for (int i = 0; i < WAITERS; i++)
		named |= w.now.waiters[i].used && w.now.waiters[i].space == space;
	for (int i = 0; i < OUTCOMES; i++)
		named |= w.now.outcomes[i].used && w.now.outcomes[i].space == space;
	return named;
}

int m_space_make(struct bytes name, bool is_volatile)
{
	for (int i = 0; i < SPACES; i++) {
		struct m_space *s = m_space(i);

		if (s->used && !(s->dropped && !is_named(i)))
			continue;
		*s = (struct m_space){.used = true, .is_volatile = is_volatile};
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
	if (dead < 0 && !only_look) {
		w.now.next_id++;
		dead = m_space_make(bytes_of(name), s->is_volatile);
	}
	return dead;
}

static int create(const struct request *r)
{
	bool is_volatile = request_has(r, OPTION_VOLATILE) && r->option[OPTION_VOLATILE].u;
	struct bytes dead = {NULL, 0};
	struct m_space *s;
	int other = -1;

	if (m_space_find(r->space) >= 0)
		return ERROR_SPACE_EXISTS;
	if (request_has(r, OPTION_DEAD))
		dead = r->option[OPTION_DEAD].s;
	if (dead.n > 0 && bytes_equal(dead, r->space))
		return ERROR_REQUEST;
	if (dead.n > 0)
		other = m_space_find(dead);
	if (other >= 0 && m_space(other)->is_volatile != is_volatile)
		return ERROR_MIXED;
	w.now.next_id++;
	s = m_space(m_space_make(r->space, is_volatile));
	if (request_has(r, OPTION_TRIES))
		s->tries = (unsigned)r->option[OPTION_TRIES].u;
	CHECK(dead.n < sizeof s->dead);
	if (dead.n > 0)
		memcpy(s->dead, dead.p, dead.n);
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
	m_space(space)->dropped = true;
	m_space_touch(space);
	for (int i = 0; i < TUPLES; i++)
		if (w.now.tuples[i].space == space && !w.now.tuples[i].taken)
			w.now.tuples[i].used = false;
	w.totals.dropped++;
	return 0;
}

void m_space_run(int conn, int session, const struct request *r)
{
	bool creating = bytes_equal(r->verb, bytes_of("create"));
	int code = creating ? create(r) : drop(r);
	struct buf b = BUF_INIT;

	if (code) {
		expect_code(conn, r->n, code);
		return;
	}
	item_put_null(&b);
	m_outcome_result(conn, session, r->n, true, &b);
}
