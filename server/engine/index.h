/* The tuples of one arity of a space by one shape: a hash of buckets, built in
 * slices when a template of the shape is first asked for. */
#ifndef TILIA_ENGINE_INDEX_H
#define TILIA_ENGINE_INDEX_H

#include "../../libclient/base/hash.h"
#include "../../libclient/base/seq.h"
#include "shape.h"
#include "work.h"

struct space;

struct index {
	struct list link; /* arity.indexes */
	struct work build;
	struct space *space;
	struct hash buckets; /* of visible tuples, by the bound fields */
	struct hash hidden;  /* of claimed ones, likewise */
	struct list pinned;  /* search.pin: who will ask for it next; until it is complete, they
	                        wait for that */
	uint64_t position;   /* built up to this id; UINT64_MAX: complete */
	uint64_t used;       /* engine.uses when last asked for */
	uint64_t tuples;
	struct seq *dropping; /* of a dropped index: the bucket being freed */
	uint8_t arity, bound;
	uint8_t class[];
};

/* The bucket of the template's bound fields, of visible or of hidden tuples, or NULL. */
void *index_bucket(const struct engine *e, const struct index *x, const struct template *t,
                   bool hidden);
void index_add(struct index *x, const struct keys *k, struct tuple *t, bool hidden);
void index_remove(struct index *x, const struct keys *k, struct tuple *t, bool hidden);

static inline bool index_complete(const struct index *x)
{
	return x->position == UINT64_MAX;
}

/* The index of the template's shape: made, and its build begun, when there is
 * none. NULL: there is no room for it, and none can go. */
struct index *index_get(struct engine *e, struct space *s, const struct template *t);

/* The complete index with most fields bound that covers the template, or NULL. */
struct index *index_best(struct space *s, const struct template *t);

/* Frees it in slices. Nothing may have it pinned. */
void index_drop(struct engine *e, struct index *x);
size_t index_memory(const struct index *x);

#endif
