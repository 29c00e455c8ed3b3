#include "pending.h"

#include "base/xmalloc.h"

#include <assert.h>

void pending_init(struct pending_table *t)
{
	*t = (struct pending_table){0};
}

static void destroy(struct pending *p)
{
	list_remove(&p->link);
	buf_close(&p->reply);
	xfree(p);
}

void pending_close(struct pending_table *t)
{
	for (size_t i = t->first; i < t->end; i++) {
		if (t->slots[i].p != NULL)
			destroy(t->slots[i].p);
	}
	xfree(t->slots);
	pending_init(t);
}

/* Closes the gaps, so that the live slots stand at the front. */
static void compact(struct pending_table *t)
{
	size_t to = 0;

	for (size_t i = t->first; i < t->end; i++) {
		if (t->slots[i].p != NULL)
			t->slots[to++] = t->slots[i];
	}
	t->first = 0;
	t->end = to;
}

static bool make_room(struct pending_table *t)
{
	size_t cap = t->cap == 0 ? 16 : t->cap * 2;
	struct pending_slot *slots;

	if (t->end < t->cap)
		return true;
	if (t->count <= t->cap / 2 && t->cap != 0) {
		compact(t);
		return true;
	}
	slots = xtry_realloc(t->slots, cap * sizeof(*slots));
	if (slots == NULL)
		return false;
	t->slots = slots;
	t->cap = cap;
	return true;
}

struct pending *pending_add(struct pending_table *t, uint64_t n, size_t size)
{
	struct pending *p;

	assert(t->first == t->end || t->slots[t->end - 1].n < n);
	if (!make_room(t))
		return NULL;
	p = xtry_calloc(1, sizeof(*p) + size);
	if (p == NULL)
		return NULL;
	p->n = n;
	p->size = size;
	list_init(&p->link);
	buf_init(&p->reply);
	t->slots[t->end++] = (struct pending_slot){n, p};
	t->count++;
	return p;
}

/* The index of the first slot whose number is at least `n`. */
static size_t lower_bound(const struct pending_table *t, uint64_t n)
{
	size_t low = t->first, high = t->end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->slots[mid].n < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct pending *pending_find(const struct pending_table *t, uint64_t n)
{
	size_t i = lower_bound(t, n);

	return i < t->end && t->slots[i].n == n ? t->slots[i].p : NULL;
}

struct pending *pending_from(const struct pending_table *t, uint64_t n)
{
	size_t i = lower_bound(t, n);

	while (i < t->end && t->slots[i].p == NULL)
		i++;
	return i < t->end ? t->slots[i].p : NULL;
}

void pending_remove(struct pending_table *t, struct pending *p)
{
	size_t i = lower_bound(t, p->n);

	assert(i < t->end && t->slots[i].p == p);
	t->slots[i].p = NULL;
	t->count--;
	destroy(p);
	while (t->first < t->end && t->slots[t->first].p == NULL)
		t->first++;
	if (t->first == t->end)
		t->first = t->end = 0;
}
