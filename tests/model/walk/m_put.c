/* out and outs. */
#include "world.h"

void m_put(int conn, int session, const struct request *r, int space)
{
	struct buf b = BUF_INIT;
	struct item_head h;
	const uint8_t *p = r->value.p;

	if (r->op == MESSAGE_OUT) {
		item_put_uint(&b, m_tuple_put(space, r->value));
	} else {
		p = item_head(p, &h);
		item_put_head(&b, ITEM_ARRAY, h.arg);
		for (uint64_t i = 0; i < h.arg; i++) {
			struct bytes item = item_bytes(p);

			item_put_uint(&b, m_tuple_put(space, item));
			p = item.p + item.n;
		}
	}
	m_space_touch(space);
	m_outcome_result(conn, session, r->n, !m_space(space)->is_volatile, &b);
}
