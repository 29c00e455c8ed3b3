/* What waits to leave a connection: bytes, and the marks among them. A
 * connection has one only while it has something to say; emptied ones are kept
 * in a pool, so that a busy connection allocates nothing. */
#ifndef TILIA_NET_OUTPUT_H
#define TILIA_NET_OUTPUT_H

#include "../../libclient/base/buf.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct output_mark {
	size_t end; /* bytes before it */
	uint64_t number;
};

struct output {
	struct buf bytes;
	struct output_mark *marks;
	size_t marks_count, marks_cap;
	size_t marks_told; /* those whose bytes the kernel has */
	uv_write_t write;  /* when it is under way */
	struct output *next; /* in the pool */
};

struct output_pool {
	struct output *first;
	unsigned count;
};

/* An empty one. Aborts when memory is out. */
struct output *output_take(struct output_pool *pool);

/* Gives it back. */
void output_give(struct output_pool *pool, struct output *o);

void output_mark(struct output *o, uint64_t number);

void output_pool_close(struct output_pool *pool);

#endif
