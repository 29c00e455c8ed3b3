#include "../../libclient/frame.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../lib/harness.h"

static int next(const char *hex, size_t max, struct bytes *message, size_t *used)
{
	static uint8_t in[256];

	return frame_next((struct bytes){in, test_unhex(hex, in, sizeof in)}, max, message, used);
}

TEST(a_frame_is_found_at_every_length_of_head)
{
	static const char *const rows[] = {"4103", "580103", "59000103", "5a0000000103",
	                                   "5b000000000000000103"};
	struct bytes m;
	size_t used;

	for (int i = 0; i < 5; i++) {
		CHECK_INT(next(rows[i], 16, &m, &used), 1);
		CHECK_INT(used, strlen(rows[i]) / 2);
		CHECK(m.n == 1 && m.p[0] == 3);
	}
	CHECK_INT(next("40", 16, &m, &used), 1);
	CHECK(m.n == 0 && used == 1);
}

TEST(only_the_first_frame_is_taken)
{
	struct bytes m;
	size_t used;

	CHECK_INT(next("42 0102 41 03", 16, &m, &used), 1);
	CHECK(used == 3 && m.n == 2);
}

TEST(a_part_of_a_frame_says_how_much_is_needed)
{
	struct bytes m;
	size_t used;

	CHECK_INT(next("", 16, &m, &used), 0);
	CHECK_INT(used, 1);
	CHECK_INT(next("43", 16, &m, &used), 0);
	CHECK_INT(used, 4);
	CHECK_INT(next("430102", 16, &m, &used), 0);
	CHECK_INT(used, 4);
	CHECK_INT(next("58", 16, &m, &used), 0);
	CHECK_INT(used, 2);
	CHECK_INT(next("5810", 16, &m, &used), 0);
	CHECK_INT(used, 18);
	CHECK_INT(next("5b00000000000000", 16, &m, &used), 0);
	CHECK_INT(used, 9);
	CHECK_INT(next("5b0000000000000010", 16, &m, &used), 0);
	CHECK_INT(used, 25);
}

TEST(anything_but_a_definite_byte_string_is_malformed)
{
	struct bytes m;
	size_t used;

	for (int first = 0; first < 256; first++) {
		uint8_t in[20] = {(uint8_t)first};
		int rc = frame_next((struct bytes){in, sizeof in}, SIZE_MAX, &m, &used);

		CHECK((first >= 0x40 && first <= 0x5b) == (rc != ERROR_MALFORMED));
	}
}

TEST(the_limit_is_of_the_content_and_known_from_the_head)
{
	struct bytes m;
	size_t used;

	CHECK_INT(next("4f", 16, &m, &used), 0);
	CHECK_INT(next("50", 16, &m, &used), 0);
	CHECK_INT(next("51", 16, &m, &used), ERROR_LIMIT);
	CHECK_INT(next("5a00ffffff", FRAME_MAX, &m, &used), 0);
	CHECK_INT(next("5a01000000", FRAME_MAX, &m, &used), 0);
	CHECK_INT(used, FRAME_MAX + 5);
	CHECK_INT(next("5a01000001", FRAME_MAX, &m, &used), ERROR_LIMIT);
	CHECK_INT(next("5bffffffffffffffff", FRAME_MAX, &m, &used), ERROR_LIMIT);
}

TEST(a_frame_written_in_place_is_the_frame_written_at_once)
{
	static const size_t sizes[] = {0, 1, 23, 24, 255, 256, 65535, 65536, 100000};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf b = BUF_INIT, want = BUF_INIT;
		struct bytes m;
		size_t mark, used;

		buf_text(&b, "before");
		mark = frame_begin(&b);
		for (size_t k = 0; k < sizes[i]; k++)
			buf_byte(&b, (uint8_t)(k * 3));
		frame_end(&b, mark);
		buf_text(&want, "before");
		frame_put_head(&want, sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			buf_byte(&want, (uint8_t)(k * 3));
		CHECK(bytes_equal(buf_bytes(&b), buf_bytes(&want)));
		CHECK_INT(frame_next((struct bytes){b.data + 6, b.len - 6}, FRAME_MAX, &m, &used),
		          1);
		CHECK(m.n == sizes[i] && used == b.len - 6);
		buf_close(&b);
		buf_close(&want);
	}
}

TEST(a_frame_without_memory_is_a_failed_buffer_at_every_allocation)
{
	for (unsigned long n = 1;; n++) {
		struct buf b = BUF_INIT;
		size_t mark;
		bool failed;

		xmalloc_fail_at(n, 1);
		mark = frame_begin(&b);
		for (int i = 0; i < 1000; i++)
			buf_byte(&b, 0);
		frame_end(&b, mark);
		xmalloc_fail_at(0, 0);
		failed = b.failed;
		buf_close(&b);
		if (!failed) {
			CHECK(n > 3);
			break;
		}
	}
}
