/* Few values and many collisions. */
#include "../../../libclient/diag.h"
#include "../../../libclient/formal.h"
#include "random.h"
#include "world.h"

static void put_pair(struct buf *b)
{
	item_put_head(b, ITEM_ARRAY, 2);
	item_put_uint(b, test_random_below(2));
	item_put_uint(b, test_random_below(2));
}

static void put_map(struct buf *b)
{
	uint64_t n = test_random_below(3);

	item_put_head(b, ITEM_MAP, n);
	for (uint64_t i = 0; i < n; i++) {
		item_put_text(b, i == 0 ? "k" : "l");
		item_put_uint(b, test_random_below(3));
	}
}

static void random_value(struct buf *b)
{
	switch (test_random_below(15)) {
	case 0: item_put_float(b, 1.0); break;
	case 1: item_put_bool(b, true); break;
	case 2: item_put_text(b, "a"); break;
	case 3: item_put_bytes(b, bytes_of("a")); break;
	case 4: item_put_null(b); break;
	case 5:
	case 6: put_pair(b); break;
	case 7:
	case 8: put_map(b); break;
	case 9: item_put_text(b, "ab"); break;
	default: item_put_uint(b, test_random_below(3));
	}
}

void random_tuple(struct buf *b)
{
	uint64_t n = test_random_below(4);

	item_put_head(b, ITEM_ARRAY, n);
	for (uint64_t i = 0; i < n; i++)
		random_value(b);
}

/* What an index alone does not answer. */
static void random_residue(struct buf *b)
{
	static const char *const texts[] = {
	    "[?int, 1]", "[?int>0, ?]", "?int 0..1", "?int>=1", "?int<1", "?number>0<1.5", "?!=1",
	    "?int!=0", "?text^\"a\"", "?text>\"a\"", "?(0|1|\"a\"|null)", "?int(1|2)",
	    "?has{\"k\": 1}", "?has{\"l\": ?int>0}", "{\"k\": ?}", "?float!=1.0",
	};
	struct diag_error err;
	size_t i = test_random_below(sizeof texts / sizeof *texts);

	CHECK_INT(diag_parse(bytes_of(texts[i]), DIAG_FORMALS, b, NULL, NULL, &err), 0);
}

void random_template(struct buf *b)
{
	static const enum item_type types[] = {ITEM_TYPE_ANY, ITEM_TYPE_INT, ITEM_TYPE_NUMBER,
	                                       ITEM_TYPE_TEXT, ITEM_TYPE_ARRAY};
	uint64_t n = test_random_below(4);

	if (test_random_below(12) == 0) {
		item_put_null(b);
		return;
	}
	item_put_head(b, ITEM_ARRAY, n);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t kind = test_random_below(10);

		if (kind < 4)
			random_value(b);
		else if (kind < 7)
			formal_put(b, types[test_random_below(5)]);
		else
			random_residue(b);
	}
}
