/* Random atomics: guards of which one may name what another has, and references. */
#include "random.h"
#include "world.h"

enum { REFER_TAG = 21581 };

static void put_guard(struct buf *b, const char *op, const char *space)
{
	bool visible = *op == 'n' && test_random_below(2);

	item_put_head(b, ITEM_ARRAY, visible ? 4 : 3);
	item_put_text(b, op);
	item_put_text(b, space);
	random_template(b);
	if (!visible)
		return;
	item_put_head(b, ITEM_MAP, 1);
	item_put_text(b, "hidden");
	item_put_bool(b, test_random_below(3) == 0);
}

static void put_reference(struct buf *b, unsigned guard)
{
	bool add = test_random_below(2);

	item_put_head(b, ITEM_TAG, REFER_TAG);
	item_put_head(b, ITEM_ARRAY, add ? 3 : 2);
	item_put_uint(b, guard);
	item_put_uint(b, test_random_below(2));
	if (add && test_random_below(8) == 0)
		item_put_int(b, test_random_below(2) ? INT64_MAX : INT64_MIN);
	else if (add)
		item_put_int(b, (int64_t)test_random_below(4) - 2);
}

/* Its fields are sometimes those of what a guard matched. */
static void put_out(struct buf *b, const char *space, const unsigned *matching, unsigned count)
{
	struct options o = {.count = 0};

	random_times(&o);
	item_put_head(b, ITEM_ARRAY, 3 + (o.count > 0));
	item_put_text(b, "out");
	item_put_text(b, space);
	if (count == 0 || test_random_below(2)) {
		random_tuple(b);
	} else {
		item_put_head(b, ITEM_ARRAY, 2);
		put_reference(b, matching[test_random_below(count)]);
		item_put_uint(b, test_random_below(3));
	}
	random_options(b, &o);
}

unsigned random_atomic(struct buf *b, bool room)
{
	static const char *const ops[] = {"in", "in", "rd", "no"};
	const char *space = random_space();
	unsigned guards = (unsigned)test_random_below(4), matching[4], count = 0;
	unsigned outs = room ? (unsigned)test_random_below(3) : 0;
	struct options o = {.count = 0};

	guards += guards + outs == 0;
	item_put_text(b, "atomic");
	item_put_head(b, ITEM_ARRAY, guards + outs);
	for (unsigned i = 0; i < guards; i++) {
		const char *op = ops[test_random_below(4)];

		if (*op != 'n')
			matching[count++] = i;
		put_guard(b, op, test_random_below(8) ? space : random_space());
	}
	for (unsigned i = 0; i < outs; i++)
		put_out(b, test_random_below(8) ? space : random_space(), matching, count);
	if (test_random_below(3))
		random_uint(&o, "timeout", random_timeout());
	return 1 + random_options(b, &o);
}
