/* The replies that a step must give, as sets: their order within a step is the
 * engine's. */
#include "../../../libclient/frame.h"
#include "world.h"

void expect_item(int conn, uint64_t n, uint64_t batch, struct buf *item)
{
	struct expected *x = &w.expected[w.expected_count++];

	CHECK(w.expected_count < 256 && item->len < sizeof x->bytes);
	*x = (struct expected){.conn = conn, .n = n, .batch = batch, .len = item->len};
	memcpy(x->bytes, item->data, item->len);
	buf_close(item);
}

void expect_code(int conn, uint64_t n, int code)
{
	struct buf b = BUF_INIT;

	item_put_int(&b, code);
	expect_item(conn, n, 0, &b);
}

void expect_stale(int conn, uint64_t n, const uint64_t *tokens, unsigned count)
{
	struct buf b = BUF_INIT;

	item_put_int(&b, ERROR_CLAIM_OVER);
	item_put_head(&b, ITEM_ARRAY, count);
	for (unsigned i = 0; i < count; i++)
		item_put_uint(&b, tokens[i]);
	expect_item(conn, n, 0, &b);
}

void expect_tuples(int session, uint64_t n, int space, struct m_tuple *const *t, int count)
{
	struct buf b = BUF_INIT;
	int conn = session >= SESSIONS ? session - SESSIONS : w.now.sessions[session].conn;

	item_put_uint(&b, 0);
	item_put_head(&b, ITEM_ARRAY, (uint64_t)count);
	for (int i = 0; i < count; i++) {
		item_put_head(&b, ITEM_ARRAY, t[i]->token ? 4 : 2);
		item_put_uint(&b, t[i]->id);
		buf_append(&b, t[i]->bytes, t[i]->len);
		if (t[i]->token) {
			item_put_uint(&b, t[i]->token);
			item_put_uint(&b, t[i]->tries);
		}
	}
	expect_item(conn, n, m_space_batch(space), &b);
}

static void print_hex(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", p[i]);
}

static void fail_reply(const struct effect *f, struct bytes message)
{
	struct buf b = BUF_INIT;

	print_hex(&b, message.p, message.n);
	for (int i = 0; i < w.expected_count; i++) {
		buf_printf(&b, "\n  expected%s conn %d n %llu ",
		           w.expected[i].seen ? " (seen)" : "", w.expected[i].conn,
		           (unsigned long long)w.expected[i].n);
		print_hex(&b, w.expected[i].bytes, w.expected[i].len);
	}
	test_fail(__FILE__, __LINE__, "reply on conn %u not expected: %.*s", f->conn, (int)b.len,
	          (char *)b.data);
}

void expect_reply(const struct effect *f)
{
	struct bytes frame = effect_frame(&w.fx, f), message;
	uint8_t joined[200];
	struct item_head h;
	const uint8_t *p;
	size_t used, len;

	CHECK_INT(frame_next(frame, FRAME_MAX, &message, &used), 1);
	CHECK_INT(used, frame.n);
	p = item_head(message.p, &h);
	p = item_head(p, &h); /* the number */
	len = *p >> 5 == ITEM_NINT ? item_bytes(p).n : (size_t)(message.p + message.n - p);
	if (*p >> 5 == ITEM_NINT &&
	    *message.p == (ITEM_ARRAY << 5 | 4)) { /* the detail, not the text */
		struct bytes detail = item_bytes(item_skip(item_skip(p)));

		CHECK(len + detail.n <= sizeof joined);
		memcpy(joined, p, len);
		memcpy(joined + len, detail.p, detail.n);
		p = joined;
		len += detail.n;
	}
	for (int i = 0; i < w.expected_count; i++) {
		struct expected *x = &w.expected[i];

		if (x->seen || x->conn != (int)f->conn || x->n != h.arg || x->len != len ||
		    memcmp(x->bytes, p, len) != 0)
			continue;
		x->seen = true;
		if (f->batch < x->batch)
			test_fail(__FILE__, __LINE__,
			          "the reply to %llu waits for batch %llu, not %llu",
			          (unsigned long long)h.arg, (unsigned long long)f->batch,
			          (unsigned long long)x->batch);
		client_answered(f, h.arg);
		return;
	}
	fail_reply(f, message);
}

void expect_none(void)
{
	for (int i = 0; i < w.expected_count; i++)
		if (!w.expected[i].seen)
			test_fail(__FILE__, __LINE__, "no reply on conn %d to %llu",
			          w.expected[i].conn, (unsigned long long)w.expected[i].n);
	w.expected_count = 0;
}
