/* Frames of any bytes: what is found is what is written again, and a part of a
 * frame asks for no more bytes than the frame has. */
#include "../../libclient/frame.h"
#include "../../libclient/error.h"

#include <stdlib.h>

#define MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool cond)
{
	if (!cond)
		abort();
}

static void check_parts(struct bytes frame)
{
	struct bytes m;
	size_t used;

	for (size_t n = 0; n < frame.n; n += n < 16 ? 1 : 97) {
		must(frame_next((struct bytes){frame.p, n}, MAX, &m, &used) == 0);
		must(used > n && used <= frame.n);
	}
}

static void check_written(struct bytes message)
{
	struct buf b = BUF_INIT, again = BUF_INIT;
	struct bytes m;
	size_t used, mark = frame_begin(&b);

	buf_append(&b, message.p, message.n);
	frame_end(&b, mark);
	must(frame_next(buf_bytes(&b), MAX, &m, &used) == 1);
	must(used == b.len && bytes_equal(m, message));
	frame_put_head(&again, message.n);
	buf_append(&again, message.p, message.n);
	must(bytes_equal(buf_bytes(&b), buf_bytes(&again)));
	buf_close(&b);
	buf_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size}, m;
	size_t used;
	int rc;

	while ((rc = frame_next(in, MAX, &m, &used)) == 1) {
		must(m.n <= MAX && m.p + m.n == in.p + used);
		check_parts((struct bytes){in.p, used});
		check_written(m);
		in = (struct bytes){in.p + used, in.n - used};
	}
	must(rc == ERROR_MALFORMED || rc == ERROR_LIMIT || (rc == 0 && used > in.n));
	return 0;
}
