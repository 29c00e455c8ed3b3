#include "tuple.h"

#include "../../libclient/base/xmalloc.h"

#include <assert.h>

static uint8_t *offsets(const struct tuple *t)
{
	return (uint8_t *)(uintptr_t)(t + 1);
}

static void offset_put(struct tuple *t, unsigned i, size_t at)
{
	uint8_t *p = offsets(t) + (size_t)i * t->width;

	for (unsigned k = 0; k < t->width; k++)
		p[k] = (uint8_t)(at >> 8 * k);
}

static size_t offset_get(const struct tuple *t, unsigned i)
{
	const uint8_t *p = offsets(t) + (size_t)i * t->width;
	size_t at = 0;

	for (unsigned k = 0; k < t->width; k++)
		at |= (size_t)p[k] << 8 * k;
	return at;
}

/* What the block of an array begins with; *first is the array's first field. */
static struct tuple header(uint64_t id, struct bytes array, const uint8_t **first)
{
	struct item_head h;

	*first = item_head(array.p, &h);
	assert(h.major == ITEM_ARRAY && h.arg <= TUPLE_FIELDS && array.n <= UINT32_MAX);
	return (struct tuple){.id = id,
	                      .size = (uint32_t)array.n,
	                      .fields = (uint8_t)h.arg,
	                      .width = array.n <= 256 ? 1 : array.n <= 65536 ? 2 : 4};
}

size_t tuple_cost_of(struct bytes array)
{
	const uint8_t *first;
	struct tuple t = header(0, array, &first);

	return tuple_cost(&t);
}

struct tuple *tuple_create(uint64_t id, struct bytes array)
{
	const uint8_t *p;
	struct tuple head = header(id, array, &p), *t;
	uint8_t *body;

	t = xmalloc(sizeof *t + (size_t)head.fields * head.width + array.n);
	*t = head;
	for (unsigned i = 0; i < t->fields; i++) {
		offset_put(t, i, (size_t)(p - array.p));
		p = item_skip(p);
	}
	body = offsets(t) + (size_t)t->fields * t->width;
	memcpy(body, array.p, array.n);
	return t;
}

void tuple_free(struct tuple *t)
{
	xfree(t);
}

struct bytes tuple_bytes(const struct tuple *t)
{
	return (struct bytes){offsets(t) + (size_t)t->fields * t->width, t->size};
}

struct bytes tuple_field(const struct tuple *t, unsigned i)
{
	struct bytes all = tuple_bytes(t);
	size_t from = offset_get(t, i);
	size_t to = i + 1 < t->fields ? offset_get(t, i + 1) : all.n;

	return (struct bytes){all.p + from, to - from};
}
