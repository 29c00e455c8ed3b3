/* The checksums of rows: XXH3, 64 bits, over values in little-endian order, each
 * with the sum before it as its seed. docs/journal.md gives them to strangers. */
#ifndef TILIA_JOURNAL_SUM_H
#define TILIA_JOURNAL_SUM_H

#include "../../libclient/base/buf.h"

#include <stdint.h>

/* Of what a tuple is: its space, id and bytes. A space's row keeps the xor of
 * these, so that a change of state costs the space nothing. */
uint64_t sum_tuple(uint64_t space, uint64_t id, struct bytes body);

/* What happens to a tuple. */
struct sum_state {
	uint64_t owner, number, token, lease_ms, tries, due_ms, expires_ms, bound;
};

/* A tuple's row carries sum_tuple() ^ sum_of_state(). */
uint64_t sum_of_state(const struct sum_state *s);

/* The other rows: sum_begin(table), then column by column. */
uint64_t sum_begin(const char *table);
uint64_t sum_number(uint64_t sum, uint64_t v);
uint64_t sum_bytes(uint64_t sum, struct bytes b);

#endif
