#include "order.h"

#include "../../libclient/compare.h"

struct place order_place(const struct order *o, const struct tuple *t)
{
	struct place p = {NULL, 0, t->id};

	if (o->kind != ORDER_ID) {
		p.value = tuple_field(t, o->field).p;
		p.rank = compare_rank(p.value);
	}
	return p;
}

struct place order_around(const uint8_t *value, bool behind)
{
	return (struct place){value, compare_rank(value), behind ? UINT64_MAX : 0};
}

static int compare_values(enum order_kind kind, const struct place *a, const struct place *b)
{
	int c;

	if (!a->value || !b->value)
		return (a->value != NULL) - (b->value != NULL);
	c = a->rank != b->rank ? (a->rank < b->rank ? -1 : 1) : compare_items(a->value, b->value);
	if (kind == ORDER_MAX && !item_is_nan(a->value) && !item_is_nan(b->value))
		c = -c;
	return c;
}

int order_compare(const struct order *o, const struct place *a, const struct place *b)
{
	int c = o->kind == ORDER_ID ? 0 : compare_values(o->kind, a, b);

	return c != 0 ? c : (a->id > b->id) - (a->id < b->id);
}
