/* Any text: what is accepted is canonical and comes back from its own text and
 * from JSON; what is refused has a place. The first byte says how it is read. */
#include "../../libclient/codec.h"
#include "../../libclient/diag.h"

#include <stdlib.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())
#define WORDS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};

static void parses_to(struct buf *text, struct bytes item)
{
	struct buf back = BUF_INIT;
	struct diag_error err;

	REQUIRE(diag_parse(buf_bytes(text), DIAG_FORMALS | DIAG_REFS, &back, NULL, NULL,
	                   &err) == 0);
	REQUIRE(bytes_equal(item, buf_bytes(&back)));
	buf_close(&back);
}

static void use(struct bytes item)
{
	struct buf text = BUF_INIT;

	REQUIRE(codec_check(item, &limits, NULL));
	diag_print(&text, item.p);
	parses_to(&text, item);
	text.len = 0;
	if (diag_json(&text, item.p, false, NULL) == 0)
		parses_to(&text, item);
	text.len = 0;
	REQUIRE(diag_json(&text, item.p, true, NULL) == 0);
	buf_close(&text);
}

static void refused(struct bytes text, const struct diag_error *err)
{
	struct buf out = BUF_INIT;

	REQUIRE(err->offset <= text.n && err->code < 0 && err->why[0] != '\0');
	diag_caret(&out, text, err);
	buf_close(&out);
}

static void try_words(struct bytes text, unsigned flags)
{
	char *copy = malloc(text.n + 1), *words[WORDS], *at = copy;
	unsigned count = 0, word;
	struct buf out = BUF_INIT;
	struct diag_names names;
	struct diag_error err;

	REQUIRE(copy != NULL);
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	for (; count < WORDS && at <= copy + text.n; at += strlen(at) + 1)
		words[count++] = at;
	if (diag_words(words, count, count - (flags >> 2) % 2, flags % 2, &out, &names, &word,
		       &err) == 0)
		use(buf_bytes(&out));
	else
		refused(bytes_of(words[word]), &err);
	buf_close(&out);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = {data + 1, size - 1};
	struct buf out = BUF_INIT;
	struct diag_names names;
	struct diag_error err;
	size_t used;

	if (size == 0)
		return 0;
	if ((*data & 8) != 0) {
		try_words(text, *data);
		return 0;
	}
	if (diag_parse(text, *data % 8, &out, &names, &used, &err) == 0) {
		REQUIRE(used == text.n || (*data & DIAG_MANY) != 0);
		use(buf_bytes(&out));
	} else {
		refused(text, &err);
		REQUIRE(out.len == 0);
	}
	buf_close(&out);
	return 0;
}
