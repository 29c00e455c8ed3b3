/* Tuples, and who is served when one appears. */
#include "../../../libclient/compare.h"
#include "../../../libclient/formal.h"
#include "world.h"

#include <stdlib.h>

bool m_tuple_matches(const uint8_t *template, const struct m_tuple *t)
{
	return *template == ITEM_NULL || formal_match(template, t->bytes);
}

static bool is_visible(const struct m_tuple *t)
{
	return t->used && !t->taken && !t->delayed && !m_time_over(t);
}

bool m_tuple_exists(const struct m_tuple *t)
{
	return t->used && (!t->taken || t->token);
}

uint64_t m_tuple_put(int session, int space, struct bytes item, const struct message_put *how)
{
	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];
		uint64_t id = w.now.next_id;

		if (t->used)
			continue;
		w.now.next_id++;
		CHECK(item.n <= sizeof t->bytes);
		*t = (struct m_tuple){
			.used = true, .space = space, .id = id, .len = (uint8_t)item.n};
		memcpy(t->bytes, item.p, item.n);
		m_time_put(t, session, how);
		m_space_touch(space);
		if (t->delayed)
			return id;
		m_watch_note("put", space, t);
		m_tuple_appear(t);
		return id;
	}
	test_fail(__FILE__, __LINE__, "the model is out of tuples");
}

void m_tuple_appear(struct m_tuple *t)
{
	struct m_waiter *taker = NULL;

	t->taken = false;
	t->token = 0;
	t->moment = ++w.now.turns;
	m_space_touch(t->space);
	for (int i = 0; i < WAITERS; i++) {
		struct m_waiter *one = &w.now.waiters[i];

		if (!one->used || !one->in || one->space != t->space ||
		    (one->op != MESSAGE_IN && one->op != MESSAGE_RD) ||
		    !m_tuple_matches(one->bytes, t))
			continue;
		if (one->op == MESSAGE_IN) {
			taker = !taker || one->order < taker->order ? one : taker;
		} else if (t->id > one->after) {
			expect_tuples(one->session, one->n, t->space, &t, 1);
			m_waiter_end(one);
			w.totals.served++;
		}
	}
	if (!taker)
		return;
	if (taker->lease && m_claim_room(taker->session) == 0) {
		expect_code(m_session_conn(taker->session), taker->n, ERROR_LIMIT);
		m_waiter_end(taker);
		m_tuple_appear(t);
		return;
	}
	m_take_give(&t, 1, taker->session, taker->n, t->space, taker->lease);
	m_waiter_end(taker);
	w.totals.served++;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = (*(struct m_tuple *const *)a)->id, y = (*(struct m_tuple *const *)b)->id;

	return x < y ? -1 : x > y;
}

static const uint8_t *field_at(const uint8_t *p, unsigned field)
{
	struct item_head h;

	for (p = item_head(p, &h); field > 0; field--)
		p = item_skip(p);
	return p;
}

/* The field by which the template wants its matches, and how, or -1. */
static int ordered_field(const uint8_t *template, bool *greatest)
{
	struct item_head h;
	const uint8_t *p = item_head(template, &h);

	for (unsigned i = 0; *template != ITEM_NULL && i < h.arg; i++, p = item_skip(p)) {
		struct formal f;

		if (!formal_is(p))
			continue;
		formal_open(p, &f);
		if (!f.at[FORMAL_ORDER])
			continue;
		*greatest = bytes_equal(item_string(f.at[FORMAL_ORDER]), bytes_of("max"));
		return (int)i;
	}
	return -1;
}

static bool is_nan(const uint8_t *p)
{
	return *p == 0xf9 && p[1] == 0x7e;
}

/* Whether `a` is wanted before `b`, which is younger. */
static bool is_first(const struct m_tuple *a, const struct m_tuple *b, unsigned field,
                     bool greatest)
{
	const uint8_t *x = field_at(a->bytes, field), *y = field_at(b->bytes, field);
	int order = compare_items(x, y);

	if (is_nan(x) || is_nan(y))
		return is_nan(y);
	return greatest ? order >= 0 : order <= 0;
}

/* By the values of that field: an insertion sort of what is sorted by ids. */
static void sort_by(struct m_tuple **found, int count, unsigned field, bool greatest)
{
	for (int i = 1; i < count; i++)
		for (int k = i; k > 0 && !is_first(found[k - 1], found[k], field, greatest); k--) {
			struct m_tuple *t = found[k];

			found[k] = found[k - 1];
			found[k - 1] = t;
		}
}

int m_tuple_scan(int space, const uint8_t *template, uint64_t after, bool hidden,
                struct m_tuple **found)
{
	int count = 0, field;
	bool greatest;

	for (int i = 0; i < TUPLES; i++) {
		struct m_tuple *t = &w.now.tuples[i];

		if (t->used && (hidden ? m_tuple_exists(t) : is_visible(t)) && t->space == space &&
		    t->id > after && m_tuple_matches(template, t))
			found[count++] = t;
	}
	qsort(found, (size_t)count, sizeof *found, by_id);
	field = ordered_field(template, &greatest);
	if (field >= 0)
		sort_by(found, count, (unsigned)field, greatest);
	return count;
}
