#include "output.h"

#include "../../libclient/base/xmalloc.h"

#define POOL_COUNT 128
#define POOL_BYTES ((size_t)16 << 10)
#define POOL_MARKS ((size_t)512)

struct output *output_take(struct output_pool *pool)
{
	struct output *o = pool->first;

	if (!o)
		return xcalloc(1, sizeof *o);
	pool->first = o->next;
	pool->count--;
	return o;
}

static void destroy(struct output *o)
{
	buf_close(&o->bytes);
	xfree(o->marks);
	xfree(o);
}

void output_give(struct output_pool *pool, struct output *o)
{
	if (pool->count >= POOL_COUNT || o->bytes.cap > POOL_BYTES || o->marks_cap > POOL_MARKS) {
		destroy(o);
		return;
	}
	o->bytes.len = 0;
	o->marks_count = o->marks_told = 0;
	o->next = pool->first;
	pool->first = o;
	pool->count++;
}

void output_mark(struct output *o, uint64_t number)
{
	if (o->marks_count == o->marks_cap) {
		o->marks_cap = o->marks_cap ? o->marks_cap * 2 : 16;
		o->marks = xrealloc(o->marks, o->marks_cap * sizeof *o->marks);
	}
	o->marks[o->marks_count++] = (struct output_mark){o->bytes.len, number};
}

void output_pool_close(struct output_pool *pool)
{
	while (pool->first)
		destroy(output_take(pool));
}
