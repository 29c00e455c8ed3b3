#include "sum.h"

#include "../../libclient/base/hash.h"

#include <endian.h>

uint64_t sum_tuple(uint64_t space, uint64_t id, struct bytes body)
{
	uint64_t head[2] = {htole64(space), htole64(id)};

	return hash_of(body.p, body.n, hash_of(head, sizeof head, 0));
}

uint64_t sum_of_state(const struct sum_state *s)
{
	uint64_t v[8] = {
		htole64(s->owner), htole64(s->number), htole64(s->token),
		htole64(s->lease_ms), htole64(s->tries), htole64(s->due_ms),
		htole64(s->expires_ms), htole64(s->bound),
	};

	return hash_of(v, sizeof v, 0);
}

uint64_t sum_begin(const char *table)
{
	return sum_bytes(0, bytes_of(table));
}

uint64_t sum_number(uint64_t sum, uint64_t v)
{
	v = htole64(v);
	return hash_of(&v, sizeof v, sum);
}

uint64_t sum_bytes(uint64_t sum, struct bytes b)
{
	return hash_of(b.p, b.n, sum);
}
