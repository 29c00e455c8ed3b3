/* A template and a tuple in any encoding: checking and matching end and look at no
 * byte beyond (both are in memory of their own size); the text of a template is the
 * same template; a tuple matches itself, is one of itself, and is not another. */
#include "../../libclient/codec.h"
#include "../../libclient/diag.h"
#include "../../libclient/formal.h"
#include "../../libclient/item.h"

#include <stdlib.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};

/* The canonical form in memory of exactly its size; NULL when it has none. */
static uint8_t *copy(struct bytes in, size_t *size)
{
	struct buf out = BUF_INIT;
	uint8_t *p = NULL;

	if (codec_rewrite(in, &out, &limits, NULL, NULL) == 0) {
		p = malloc(out.len);
		REQUIRE(p != NULL);
		memcpy(p, out.data, out.len);
		*size = out.len;
	}
	buf_close(&out);
	return p;
}

static bool is_template(struct bytes item)
{
	struct bytes detail = {NULL, 0};
	const char *why = NULL;
	int field, rc = formal_check_template(item, &why, &field, &detail);

	REQUIRE(rc == 0 || why != NULL);
	return rc == 0;
}

/* What is written as text is the same template again. */
static void comes_back(struct bytes template)
{
	struct buf text = BUF_INIT, back = BUF_INIT;
	struct diag_error err;

	diag_print(&text, template.p);
	REQUIRE(diag_parse(buf_bytes(&text), DIAG_FORMALS | DIAG_REFS, &back, NULL, NULL,
	                   &err) == 0);
	REQUIRE(bytes_equal(template, buf_bytes(&back)));
	buf_close(&text);
	buf_close(&back);
}

/* A formal of one key: `ne` or `oneof` the value. */
static bool matches_key(const char *key, bool listed, struct bytes value)
{
	struct buf t = BUF_INIT;
	bool match;

	item_put_head(&t, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_head(&t, ITEM_MAP, 1);
	item_put_text(&t, key);
	if (listed)
		item_put_head(&t, ITEM_ARRAY, 1);
	item_put_item(&t, value);
	match = formal_match(t.data, value.p);
	buf_close(&t);
	return match;
}

static void use(struct bytes template, struct bytes tuple)
{
	struct bytes detail;
	const char *why;
	int field;
	bool checked = is_template(template);

	if (checked)
		comes_back(template);
	if (formal_check_tuple(tuple, true, &why, &field, &detail) != 0)
		return;
	REQUIRE(formal_match(tuple.p, tuple.p));
	REQUIRE(!matches_key("ne", false, tuple) && matches_key("oneof", true, tuple));
	if (checked && *template.p != ITEM_NULL)
		(void)formal_match(template.p, tuple.p);
}

/* The first byte says how long the template is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n, template_size = 0, tuple_size = 0;
	uint8_t *template, *tuple;

	if (size == 0)
		return 0;
	n = *data < size - 1 ? *data : size - 1;
	template = copy((struct bytes){data + 1, n}, &template_size);
	tuple = copy((struct bytes){data + 1 + n, size - 1 - n}, &tuple_size);
	if (template != NULL && tuple != NULL)
		use((struct bytes){template, template_size}, (struct bytes){tuple, tuple_size});
	free(template);
	free(tuple);
	return 0;
}
