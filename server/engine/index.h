/* The tuples of one arity of a space by one shape: a hash of buckets, built in
 * slices when a template of the shape is first asked for. An ordered one has the
 * visible tuples by the values of a field: its buckets are shelves (shelf.h). */
#ifndef TILIA_ENGINE_INDEX_H
#define TILIA_ENGINE_INDEX_H

#include "../../libclient/base/hash.h"
#include "../../libclient/base/seq.h"
#include "../../libclient/base/tree.h"
#include "shape.h"
#include "work.h"

struct space;

#define INDEX_BY_ID -1
#define INDEX_CHOICES 4

struct index {
	struct list link; /* arity.indexes */
	struct work build;
	struct space *space;
	struct hash buckets; /* of visible tuples, by the bound fields */
	struct hash hidden;  /* of claimed ones, likewise; by id only */
	struct list pinned;  /* search.pin: who will ask for it next; until it is complete, they
	                        wait for that */
	uint64_t position;   /* built up to this id; UINT64_MAX: complete */
	uint64_t used;       /* engine.uses when last asked for */
	uint64_t tuples;
	struct tree *dropping_shelf; /* of a dropped index: the shelf being freed, */
	struct seq *dropping;        /* and the bucket */
	int16_t field;               /* in whose order it is, or INDEX_BY_ID */
	uint8_t arity, bound;
	uint8_t class[];
};

/* What a bucket is looked up by: the fields of a tuple or template that the index
 * binds, some of them with other values. */
struct index_key {
	const struct index *index;
	const struct tuple *tuple;
	unsigned choices;
	struct {
		uint8_t field;
		struct bytes value;
	} choice[INDEX_CHOICES]; /* fields ascending */
};

/* The bucket of visible or of hidden tuples, or NULL. `k`: the hashes of the values. */
void *index_bucket(const struct index *x, const struct index_key *key, const struct keys *k,
                   bool hidden);

/* A tuple of these keys is about to enter or leave each index of the list: what is
 * looked for there comes into the cache at the same time, not one after the other. */
void index_expect(struct list *indexes, const struct keys *k, bool hidden);

void index_add(struct index *x, const struct keys *k, struct tuple *t, bool hidden);
void index_remove(struct index *x, const struct keys *k, struct tuple *t, bool hidden);

static inline bool index_complete(const struct index *x)
{
	return x->position == UINT64_MAX;
}

/* The index of the shape and, in an order by values, of its field: made, and its build
 * begun, when there is none. NULL: there is no room for it, and none can go. */
struct index *index_get(struct engine *e, struct space *s, const struct shape *shape,
                        const struct order *o);

/* The complete index by ids with most fields bound that covers the template, or NULL. */
struct index *index_best(struct space *s, const struct template *t);

/* Frees it in slices. Nothing may have it pinned. */
void index_drop(struct engine *e, struct index *x);

#endif
