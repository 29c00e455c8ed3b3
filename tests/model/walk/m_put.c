/* out and outs. */
#include "world.h"

/* Whether what `unless` names is there. */
static bool is_there(const struct request *r, int space)
{
	struct m_tuple *found[TUPLES];

	if (!request_has(r, OPTION_UNLESS))
		return false;
	return m_tuple_scan(space, r->option[OPTION_UNLESS].s.p, 0, !m_visible_only(r), found) > 0;
}

static void put_list(const struct request *r, int space, struct buf *b)
{
	struct item_head h;
	const uint8_t *p = item_head(r->value.p, &h);

	item_put_head(b, ITEM_ARRAY, h.arg);
	for (; h.arg > 0; h.arg--, p = item_skip(p))
		item_put_uint(b, m_tuple_put(space, item_bytes(p)));
}

static bool has_room(const struct request *r, int space, int conn)
{
	struct m_room room = {.count = 0};
	struct item_head h;
	const uint8_t *p;

	if (r->op == MESSAGE_OUT)
		m_room_put(&room, space, r->value);
	else
		for (p = item_head(r->value.p, &h); h.arg > 0; h.arg--, p = item_skip(p))
			m_room_put(&room, space, item_bytes(p));
	return m_room_judge(&room, conn, r->n);
}

void m_put(int conn, int session, const struct request *r, int space)
{
	struct buf b = BUF_INIT;

	if (is_there(r, space)) {
		item_put_null(&b);
		expect_result(conn, r->n, m_space_batch(space), &b);
		w.totals.unless++;
		return;
	}
	if (!has_room(r, space, conn))
		return;
	if (r->op == MESSAGE_OUT)
		item_put_uint(&b, m_tuple_put(space, r->value));
	else
		put_list(r, space, &b);
	m_space_touch(space);
	m_outcome_result(conn, session, r->n, !m_space(space)->is_volatile, &b);
}
