/* Any bytes: the quick check and libcbor agree; what is accepted is canonical
 * from then on, can be walked, and comes back from its text. */
#include "../../libclient/codec.h"
#include "../../libclient/diag.h"
#include "../../libclient/formal.h"
#include "../../libclient/item.h"

#include <stdlib.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};

static void use(struct bytes item)
{
	struct buf text = BUF_INIT, back = BUF_INIT;
	struct diag_error err;
	struct bytes detail;
	const char *why;
	int field;

	REQUIRE(codec_check(item, &limits, NULL));
	REQUIRE(item_skip(item.p) == item.p + item.n);
	diag_print(&text, item.p);
	REQUIRE(diag_parse(buf_bytes(&text), DIAG_FORMALS | DIAG_REFS, &back, NULL, NULL,
	                   &err) == 0);
	REQUIRE(bytes_equal(item, buf_bytes(&back)));
	if (formal_check_tuple(item, true, &why, &field, &detail) == 0)
		REQUIRE(formal_match(item.p, item.p));
	(void)formal_check_template(item, &why, &field, &detail);
	buf_close(&text);
	buf_close(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	struct buf out = BUF_INIT;
	struct codec_info quick, slow;
	struct codec_error err;
	bool yes = codec_check(in, &limits, &quick);
	int rc = codec_rewrite(in, &out, &limits, &slow, &err);

	REQUIRE(yes == (rc == 0 && bytes_equal(buf_bytes(&out), in)));
	if (yes)
		REQUIRE(quick.heads == slow.heads && quick.depth == slow.depth &&
			quick.formals == slow.formals && quick.refs == slow.refs);
	if (rc == 0)
		use(buf_bytes(&out));
	else
		REQUIRE(err.code == rc && err.offset <= size && out.len == 0);
	buf_close(&out);
	return 0;
}
