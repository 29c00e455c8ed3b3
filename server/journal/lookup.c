#include "lookup.h"

#include "../../libclient/base/xmalloc.h"

#include <string.h>

struct lookup_slot {
	uint64_t number;
	uint32_t era, at;
};

void lookup_init(struct lookup *l)
{
	*l = (struct lookup){.era = 1};
}

void lookup_close(struct lookup *l)
{
	xfree(l->slot);
	lookup_init(l);
}

void lookup_clear(struct lookup *l)
{
	l->count = 0;
	if (++l->era == 0) { /* 2^32 batches: slots of the first era would revive */
		if (l->slot)
			memset(l->slot, 0, ((size_t)1 << l->bits) * sizeof *l->slot);
		l->era = 1;
	}
}

/* The slot of the number, or the free one where it belongs. */
static struct lookup_slot *slot_of(const struct lookup *l, uint64_t number)
{
	size_t mask = ((size_t)1 << l->bits) - 1;
	size_t i = (size_t)(number * 0x9e3779b97f4a7c15u >> (64 - l->bits));

	while (l->slot[i].era == l->era && l->slot[i].number != number)
		i = (i + 1) & mask;
	return &l->slot[i];
}

uint32_t lookup_find(const struct lookup *l, uint64_t number)
{
	const struct lookup_slot *s;

	if (!l->count)
		return LOOKUP_NONE;
	s = slot_of(l, number);
	return s->era == l->era ? s->at : LOOKUP_NONE;
}

static void grow(struct lookup *l)
{
	struct lookup old = *l;

	l->bits = old.slot ? old.bits + 1 : 6;
	l->slot = xcalloc((size_t)1 << l->bits, sizeof *l->slot);
	for (size_t i = 0; old.slot && i < (size_t)1 << old.bits; i++)
		if (old.slot[i].era == l->era)
			*slot_of(l, old.slot[i].number) = old.slot[i];
	xfree(old.slot);
}

void lookup_add(struct lookup *l, uint64_t number, uint32_t at)
{
	if (!l->slot || l->count * 2 >= (uint32_t)1 << l->bits)
		grow(l);
	*slot_of(l, number) = (struct lookup_slot){number, l->era, at};
	l->count++;
}
