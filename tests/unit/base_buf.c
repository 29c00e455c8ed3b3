#include "../../libclient/base/buf.h"
#include "../../libclient/base/xmalloc.h"
#include "../lib/harness.h"

TEST(an_empty_buffer_has_no_bytes_and_no_memory)
{
	struct buf b;

	buf_init(&b);
	CHECK(b.len == 0 && b.cap == 0 && !b.data && !b.failed);
	CHECK(buf_bytes(&b).n == 0);
	buf_append(&b, NULL, 0);
	buf_shift(&b, 0);
	buf_clear(&b, 0);
	CHECK(!b.data && !b.failed);
	buf_close(&b);
	buf_close(&b);
}

TEST(what_is_appended_stands_in_order)
{
	struct buf b = BUF_INIT;

	buf_byte(&b, 'a');
	buf_text(&b, "bc");
	buf_append(&b, "de", 2);
	buf_printf(&b, "%d-%s", 42, "x");
	CHECK(bytes_equal(buf_bytes(&b), bytes_of("abcde42-x")));
	buf_shift(&b, 3);
	CHECK(bytes_equal(buf_bytes(&b), bytes_of("de42-x")));
	buf_shift(&b, 6);
	CHECK_INT(b.len, 0);
	buf_close(&b);
}

TEST(a_byte_at_a_time_grows_to_a_megabyte)
{
	struct buf b = BUF_INIT;

	for (unsigned i = 0; i < 1u << 20; i++)
		buf_byte(&b, (uint8_t)(i * 7));
	CHECK_INT(b.len, 1 << 20);
	for (unsigned i = 0; i < 1u << 20; i++)
		CHECK(b.data[i] == (uint8_t)(i * 7));
	CHECK(b.cap < 3u << 20);
	buf_close(&b);
}

TEST(printf_of_every_length_around_the_capacity)
{
	char text[300];

	memset(text, 'x', sizeof text);
	for (int n = 0; n < 300; n++) {
		struct buf b = BUF_INIT;

		buf_printf(&b, "%.*s", n, text);
		CHECK_INT(b.len, n);
		CHECK(n == 0 || memcmp(b.data, text, (size_t)n) == 0);
		buf_close(&b);
	}
}

TEST(reserve_answers_a_place_and_does_not_move_len)
{
	struct buf b = BUF_INIT;
	uint8_t *to = buf_reserve(&b, 0);

	CHECK(to && to == b.data && b.len == 0);
	buf_text(&b, "ab");
	to = buf_reserve(&b, 1000);
	CHECK(to == b.data + 2 && b.len == 2 && b.cap >= 1002);
	buf_close(&b);
}

TEST(clear_keeps_memory_up_to_the_bound_and_gives_more_back)
{
	struct buf b = BUF_INIT;

	buf_reserve(&b, 100);
	buf_text(&b, "abc");
	buf_clear(&b, b.cap);
	CHECK(b.len == 0 && b.data);
	buf_text(&b, "abc");
	buf_clear(&b, b.cap - 1);
	CHECK(b.len == 0 && !b.data && b.cap == 0);
	buf_text(&b, "abc");
	CHECK_INT(b.len, 3);
	buf_close(&b);
}

TEST(a_failed_allocation_is_remembered_until_cleared)
{
	struct buf b = BUF_INIT;

	buf_text(&b, "abc");
	xmalloc_fail_at(1, 0);
	CHECK(!buf_reserve(&b, 1000));
	CHECK(b.failed);
	buf_byte(&b, 'd'); /* there is room, but the chain is broken already */
	buf_printf(&b, "d");
	buf_text(&b, "d");
	CHECK(bytes_equal(buf_bytes(&b), bytes_of("abc")));
	CHECK_INT(xmalloc_fail_at(0, 0), 1);
	buf_clear(&b, 4096);
	buf_text(&b, "e");
	CHECK(!b.failed && bytes_equal(buf_bytes(&b), bytes_of("e")));
	buf_close(&b);
}

TEST(a_size_beyond_all_memory_fails_and_does_not_wrap)
{
	struct buf b = BUF_INIT;

	buf_text(&b, "abc");
	CHECK(!buf_reserve(&b, SIZE_MAX));
	CHECK(b.failed && b.len == 3);
	buf_close(&b);
}

TEST(fail_at_counts_and_fails_the_nth_or_all_after_it)
{
	void *p;

	xmalloc_fail_at(2, 0);
	p = xtry_malloc(0);
	CHECK(p);
	CHECK(!xtry_realloc(p, 10));
	p = xtry_realloc(p, 10);
	CHECK(p);
	xfree(p);
	CHECK_INT(xmalloc_fail_at(1, 1), 3);
	CHECK(!xtry_malloc(1) && !xtry_calloc(1, 1) && !xtry_realloc(NULL, 1));
	xfree(xmalloc(0)); /* the others are not touched */
	xfree(xcalloc(0, 5));
	xfree(xrealloc(NULL, 0));
	xmalloc_fail_at(0, 0);
	p = xtry_calloc(0, 8);
	CHECK(p);
	xfree(p);
	xfree(NULL);
}
