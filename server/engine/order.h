/* The order in which matches are wanted: by their ids, or by the values of one
 * field, the least or the greatest first and of equal ones the oldest. NaN comes
 * last either way. */
#ifndef TILIA_ENGINE_ORDER_H
#define TILIA_ENGINE_ORDER_H

#include "tuple.h"

#include <stdbool.h>

enum order_kind { ORDER_ID, ORDER_MIN, ORDER_MAX };

struct order {
	enum order_kind kind;
	uint8_t field; /* MIN, MAX: whose values */
};

/* A place in an order: that of a tuple, or one between tuples. */
struct place {
	const uint8_t *value; /* not owned; NULL: before all (in ORDER_ID unused) */
	uint64_t rank;        /* compare_rank() of it */
	uint64_t id;
};

struct place order_place(const struct order *o, const struct tuple *t);

/* Before (or behind) all tuples of that value. */
struct place order_around(const uint8_t *value, bool behind);

/* Whether `a` comes before (below 0) or behind (above 0) `b`. */
int order_compare(const struct order *o, const struct place *a, const struct place *b);

static inline bool order_before(const struct order *o, const struct tuple *a,
                                const struct tuple *b)
{
	struct place x = order_place(o, a), y = order_place(o, b);

	return order_compare(o, &x, &y) < 0;
}

#endif
