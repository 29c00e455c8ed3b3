/* The client's session, from a server that may say anything: every request gets
 * one final answer at most while the stream lives, and exactly one in the end. */
#include "../../libclient/item.h"
#include "../../libclient/session.h"

#include <stdlib.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())
#define REQUESTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned finals[REQUESTS];

/* False: the stream must end. */
static bool read_replies(struct session *s)
{
	struct session_reply r;
	int result;

	while ((result = session_next(s, &r)) == 1) {
		unsigned *mine = r.user;

		if (mine && r.code != 1)
			REQUIRE(++*mine == 1);
	}
	return result == 0;
}

static void ask(struct session *s, enum message_op op, unsigned *mine)
{
	struct buf b = BUF_INIT;
	uint64_t n;

	message_request_begin(&b, op);
	if (op != MESSAGE_PING) {
		item_put_text(&b, "main");
		item_put_head(&b, ITEM_ARRAY, 0);
	}
	REQUIRE(session_request(s, op, op == MESSAGE_PING ? 0 : 2, buf_bytes(&b), mine, &n) == 0);
	buf_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_options options = {.resumable = size % 2, .grace_ms = SESSION_DEFAULT};
	struct session *s = session_create(&options);
	size_t n;

	REQUIRE(s != NULL);
	for (int i = 0; i < REQUESTS; i++)
		finals[i] = 0;
	ask(s, MESSAGE_OUT, &finals[0]);
	ask(s, MESSAGE_IN, &finals[1]);
	ask(s, MESSAGE_PING, &finals[2]);
	for (int life = 0; life < 3; life++) {
		REQUIRE(session_connected(s) == 0);
		session_written(s, session_output(s).n);
		for (n = 1 + size % 17; size > 0; data += n, size -= n) {
			n = n < size ? n : size;
			if (session_feed(s, data, n) != 0 || !read_replies(s))
				break;
		}
		session_disconnected(s);
		read_replies(s);
	}
	session_destroy(s);
	return 0;
}
