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
	if (session < SESSIONS) {
		struct m_outcome *o = m_outcome_new(session, r->n, space, false);

		CHECK(b.len <= sizeof o->result);
		memcpy(o->result, b.data, b.len);
		o->len = (uint8_t)b.len;
	}
	buf_append(&b, "", 1);
	memmove(b.data + 1, b.data, b.len - 1);
	b.data[0] = 0;
	expect_item(conn, r->n, m_space_batch(space), &b);
}
