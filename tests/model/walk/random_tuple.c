/* Few values and many collisions. */
#include "../../../libclient/diag.h"
#include "../../../libclient/formal.h"
#include "random.h"
#include "world.h"

#include <math.h>

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
	switch (test_random_below(16)) {
	case 0: item_put_float(b, (double)test_random_below(3) / 2); break;
	case 15: item_put_float(b, test_random_below(2) ? NAN : -0.0); break;
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

static void put_text(struct buf *b, const char *text)
{
	struct diag_error err;

	CHECK_INT(diag_parse(bytes_of(text), DIAG_FORMALS, b, NULL, NULL, &err), 0);
}

/* What an index alone does not answer. */
static void random_residue(struct buf *b)
{
	static const char *const texts[] = {
	    "[?int, 1]", "[?int>0, ?]", "?int 0..1", "?int>=1", "?int<1", "?number>0<1.5", "?!=1",
	    "?int!=0", "?text^\"a\"", "?text>\"a\"", "?(0|1|\"a\"|null)", "?int(1|2)",
	    "?has{\"k\": 1}", "?has{\"l\": ?int>0}", "{\"k\": ?}", "?float!=1.0",
	    "?(2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18)",
	};

	put_text(b, texts[test_random_below(sizeof texts / sizeof *texts)]);
}

/* What says which match comes first. */
static void put_ordered(struct buf *b)
{
	static const char *const texts[] = {
	    "?int min", "?int max", "?number min", "?number max", "?float min", "?float max",
	    "?text min", "?text^\"a\" max", "?number>=0.5 min", "?int 0..1 max", "?number!=1 max",
	};

	put_text(b, texts[test_random_below(sizeof texts / sizeof *texts)]);
}

static void template(struct buf *b, bool ordered)
{
	static const enum item_type types[] = {ITEM_TYPE_ANY, ITEM_TYPE_INT, ITEM_TYPE_NUMBER,
	                                       ITEM_TYPE_TEXT, ITEM_TYPE_ARRAY};
	uint64_t n = test_random_below(4);
	uint64_t by = ordered && test_random_below(4) == 0 ? test_random_below(4) : 4;

	if (test_random_below(12) == 0) {
		item_put_null(b);
		return;
	}
	item_put_head(b, ITEM_ARRAY, n);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t kind = test_random_below(10);

		if (i == by)
			put_ordered(b);
		else if (kind < 4)
			random_value(b);
		else if (kind < 7)
			formal_put(b, types[test_random_below(5)]);
		else
			random_residue(b);
	}
}

void random_template(struct buf *b)
{
	template(b, true);
}

void random_plain_template(struct buf *b)
{
	template(b, false);
}
