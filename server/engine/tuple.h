/* A tuple (or a template) is one block of memory: header, field offsets, and
 * its bytes in deterministic CBOR. Equal fields are equal bytes. */
#ifndef TILIA_ENGINE_TUPLE_H
#define TILIA_ENGINE_TUPLE_H

#include "../../libclient/base/buf.h"
#include "../../libclient/item.h"

#include <stdbool.h>
#include <stdint.h>

#define TUPLE_FIELDS 255

struct tuple {
	uint64_t id;    /* first: the key of every sequence it is in */
	uint32_t size;  /* of the CBOR array */
	uint8_t fields; /* how many */
	uint8_t width;  /* bytes of a field offset: 1, 2 or 4 */
	uint8_t tries;  /* takes and claims that came to nothing; stays at 255 */
	bool timed;     /* timed.c knows more of it */
	/* fields offsets of `width` bytes, then the bytes */
};

/* Makes the block of a checked, canonical array. Ended by tuple_free(). */
struct tuple *tuple_create(uint64_t id, struct bytes array);
void tuple_free(struct tuple *t);

struct bytes tuple_bytes(const struct tuple *t);

/* The bytes of field i. */
struct bytes tuple_field(const struct tuple *t, unsigned i);

/* Bytes of the whole block. */
static inline size_t tuple_size(const struct tuple *t)
{
	return sizeof *t + (size_t)t->fields * t->width + t->size;
}

/* Memory a tuple takes, the allocator's share included; and what one of that array
 * would take. */
static inline size_t tuple_cost(const struct tuple *t)
{
	return (tuple_size(t) + 8 + 15) & ~(size_t)15;
}

size_t tuple_cost_of(struct bytes array);

#endif
