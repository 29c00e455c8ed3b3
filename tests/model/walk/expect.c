/* The replies that a step must give, as sets: their order within a step is the
 * engine's. */
#include "../../../libclient/diag.h"
#include "../../../libclient/frame.h"
#include "world.h"

void expect_item(int conn, uint64_t n, uint64_t batch, struct buf *item)
{
	struct expected *x = &w.expected[w.expected_count++];

	CHECK(w.expected_count < 256);
	*x = (struct expected){.conn = conn, .n = n, .batch = batch, .len = item->len,
	                       .at = w.expected_bytes.len};
	buf_append(&w.expected_bytes, item->data, item->len);
	buf_close(item);
}

static struct bytes item_of(const struct expected *x)
{
	return (struct bytes){w.expected_bytes.data + x->at, x->len};
}

void expect_code_at(int conn, uint64_t n, uint64_t batch, int code)
{
	struct buf b = BUF_INIT;

	item_put_int(&b, code);
	expect_item(conn, n, batch, &b);
}

void expect_code(int conn, uint64_t n, int code)
{
	expect_code_at(conn, n, 0, code);
}

void expect_result(int conn, uint64_t n, uint64_t batch, struct buf *result)
{
	struct buf b = BUF_INIT;

	item_put_uint(&b, 0);
	buf_append(&b, result->data, result->len);
	buf_close(result);
	expect_item(conn, n, batch, &b);
}

void expect_stale(int conn, uint64_t n, uint64_t batch, const uint64_t *tokens, unsigned count)
{
	struct buf b = BUF_INIT;

	item_put_int(&b, ERROR_CLAIM_OVER);
	item_put_head(&b, ITEM_ARRAY, count);
	for (unsigned i = 0; i < count; i++)
		item_put_uint(&b, tokens[i]);
	expect_item(conn, n, batch, &b);
}

void expect_tuples(int session, uint64_t n, int space, struct m_tuple *const *t, int count)
{
	struct buf b = BUF_INIT;
	int conn = session >= SESSIONS ? session - SESSIONS : w.now.sessions[session].conn;

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
	expect_result(conn, n, m_space_batch(space), &b);
}

static void print(struct buf *b, struct bytes items)
{
	for (const uint8_t *p = items.p; p < items.p + items.n; p = item_skip(p)) {
		buf_text(b, " ");
		diag_print(b, p);
	}
}

static void fail_reply(const struct effect *f, uint64_t n, struct bytes rest)
{
	struct buf b = BUF_INIT;

	print(&b, rest);
	for (int i = 0; i < w.expected_count; i++) {
		const struct expected *x = &w.expected[i];

		buf_printf(&b, "\n  expected%s conn %d n %llu", x->seen ? " (seen)" : "", x->conn,
		           (unsigned long long)x->n);
		print(&b, item_of(x));
	}
	test_fail(__FILE__, __LINE__, "reply on conn %u to %llu not expected:%.*s", f->conn,
	          (unsigned long long)n, (int)b.len, (char *)b.data);
}

struct bytes expect_open(const struct effect *f, uint64_t *n)
{
	struct bytes frame = effect_frame(&w.fx, f), message;
	struct item_head h;
	const uint8_t *p;
	size_t used;

	CHECK_INT(frame_next(frame, FRAME_MAX, &message, &used), 1);
	CHECK_INT(used, frame.n);
	p = item_head(item_head(message.p, &h), &h);
	*n = h.arg;
	return (struct bytes){p, (size_t)(message.p + message.n - p)};
}

struct bytes expect_final(uint64_t n)
{
	for (size_t i = 0; i < w.fx.count; i++) {
		struct bytes rest;
		uint64_t number;

		if (w.fx.list[i].kind != EFFECT_REPLY)
			continue;
		rest = expect_open(&w.fx.list[i], &number);
		if (number == n && *rest.p != 1)
			return rest;
	}
	return (struct bytes){NULL, 0};
}

/* What is compared: of an error the code and the detail, not the text. */
static void comparable(struct buf *b, struct bytes rest)
{
	struct bytes code = item_bytes(rest.p);
	const uint8_t *detail;

	if (*rest.p >> 5 != ITEM_NINT) {
		buf_append(b, rest.p, rest.n);
		return;
	}
	detail = item_skip(code.p + code.n);
	buf_append(b, code.p, code.n);
	buf_append(b, detail, (size_t)(rest.p + rest.n - detail));
}

static struct expected *find(const struct effect *f, uint64_t n, struct bytes item)
{
	for (int i = 0; i < w.expected_count; i++) {
		struct expected *x = &w.expected[i];

		if (!x->seen && x->conn == (int)f->conn && x->n == n &&
		    bytes_equal(item_of(x), item))
			return x;
	}
	return NULL;
}

void expect_reply(const struct effect *f)
{
	struct buf b = BUF_INIT;
	struct expected *x;
	struct bytes rest;
	uint64_t n;

	rest = expect_open(f, &n);
	comparable(&b, rest);
	x = find(f, n, buf_bytes(&b));
	buf_close(&b);
	if (!x)
		fail_reply(f, n, rest);
	x->seen = true;
	if (f->batch < x->batch)
		test_fail(__FILE__, __LINE__, "the reply to %llu waits for batch %llu, not %llu",
		          (unsigned long long)n, (unsigned long long)f->batch,
		          (unsigned long long)x->batch);
	client_answered(f, n);
}

static void fail_missing(const struct expected *x)
{
	struct buf b = BUF_INIT;

	print(&b, item_of(x));
	test_fail(__FILE__, __LINE__, "no reply on conn %d to %llu:%.*s", x->conn,
	          (unsigned long long)x->n, (int)b.len, (char *)b.data);
}

void expect_none(void)
{
	for (int i = 0; i < w.expected_count; i++)
		if (!w.expected[i].seen)
			fail_missing(&w.expected[i]);
	w.expected_count = 0;
	buf_clear(&w.expected_bytes, 65536);
}
