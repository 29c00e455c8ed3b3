/* Messages of any bytes: a request is the same one in its canonical form, an
 * error can be answered, and a tuple matches itself. */
#include "../../libclient/message.h"
#include "../../libclient/formal.h"
#include "../../libclient/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool cond)
{
	if (!cond)
		abort();
}

static void check_same(const struct request *a, const struct request *b)
{
	must(a->n == b->n && a->op == b->op && a->number == b->number && a->have == b->have);
	must(bytes_equal(a->space, b->space) && bytes_equal(a->verb, b->verb));
	must(bytes_equal(a->value, b->value) && a->session_text == b->session_text);
	for (int o = 0; o < OPTIONS; o++) {
		if (!request_has(a, (enum message_option)o))
			continue;
		if (message_option_rows[o].kind <= KIND_BOOL)
			must(a->option[o].u == b->option[o].u);
		else
			must(bytes_equal(a->option[o].s, b->option[o].s));
	}
}

static void check_error(const struct message_error *err)
{
	struct buf b = BUF_INIT, scratch = BUF_INIT;
	struct bytes m;
	struct reply reply;
	size_t used;

	must(err->code < 0 && (err->fatal || err->n != 0) && err->text[0]);
	message_error_reply(&b, err->n, err->code, err->text);
	must(frame_next(buf_bytes(&b), FRAME_MAX, &m, &used) == 1 && used == b.len);
	must(message_decode_reply(m, &scratch, &reply, NULL) == 0);
	must(reply.n == err->n && reply.kind == err->code && scratch.len == 0);
	buf_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH + 3};
	struct buf scratch = BUF_INIT, other = BUF_INIT, none = BUF_INIT;
	struct bytes in = {data, size}, canonical;
	struct message_error err = {0};
	struct request r, again;
	struct reply reply;

	message_decode_reply(in, &scratch, &reply, NULL);
	if (message_decode(in, &scratch, &r, &err) == 0) {
		must(codec_canonical(in, &canonical, &other, &limits, NULL, NULL) == 0);
		must(message_decode(canonical, &none, &again, &err) == 0 && none.len == 0);
		check_same(&r, &again);
		must(r.op != MESSAGE_OUT || formal_match(r.value.p, r.value.p));
	} else {
		check_error(&err);
	}
	buf_close(&scratch);
	buf_close(&other);
	return 0;
}
