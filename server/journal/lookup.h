/* Where in an array the entry of a number is: a flat table that is emptied in
 * O(1), because a batch lives for a millisecond and is refilled at once. Entries
 * are never removed singly. Aborts when memory is out. */
#ifndef TILIA_JOURNAL_LOOKUP_H
#define TILIA_JOURNAL_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#define LOOKUP_NONE UINT32_MAX

struct lookup_slot;

struct lookup {
	struct lookup_slot *slot;
	unsigned bits;  /* 1 << bits slots; 0: none allocated */
	uint32_t count; /* entries of this era */
	uint32_t era;   /* slots of another era are free */
};

void lookup_init(struct lookup *l);
void lookup_close(struct lookup *l);

/* Forgets all entries. */
void lookup_clear(struct lookup *l);

/* The position noted for `number`, or LOOKUP_NONE. */
uint32_t lookup_find(const struct lookup *l, uint64_t number);

/* Notes it; the number must not be there yet. */
void lookup_add(struct lookup *l, uint64_t number, uint32_t at);

#endif
