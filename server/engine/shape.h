/* A template's shape: its arity, and for each top-level field: bound, or the
 * class of its formal. What the shape does not say is the residue: what
 * constrains a formal besides its type, and formals inside arrays, maps and tags. */
#ifndef TILIA_ENGINE_SHAPE_H
#define TILIA_ENGINE_SHAPE_H

#include "order.h"
#include "tuple.h"

#include <stdbool.h>

#define SHAPE_BOUND 0xff /* any other class is an enum item_type */

struct shape {
	uint8_t arity;
	uint8_t bound;               /* how many fields are */
	uint8_t class[TUPLE_FIELDS]; /* of each field */
};

/* A template, ready to be looked up. */
struct template {
	bool all;             /* null: matches every tuple; the rest is unused */
	uint8_t residue;      /* fields of which the shape does not say all */
	struct order order;   /* in which its matches are wanted */
	bool ranged;          /* what the ordered field asks for besides is a range, not more */
	struct tuple *tuple;  /* its fields */
	struct shape shape;
};

/* Reads a checked template. Ended by template_close(). */
void template_open(struct template *t, struct bytes item);
void template_close(struct template *t);

/* Whether `v` matches all of the template. */
bool template_match(const struct template *t, const struct tuple *v);

/* The same for a template kept as a block; NULL is null. */
bool template_match_tuple(const struct tuple *t, const struct tuple *v);

/* Hashes of a tuple's fields, made once for all the shapes it meets. */
struct keys {
	uint64_t field[TUPLE_FIELDS];
};

void keys_of(struct keys *k, const struct tuple *t, uint64_t seed);

/* The hash of the fields that `class` binds. */
uint32_t keys_hash(const struct keys *k, const uint8_t *class, unsigned arity);

/* Whether every unbound field of `t` is of its class. */
bool shape_admits(const uint8_t *class, const struct tuple *t);

/* Whether `a` and `b` agree in every field that `class` binds. */
bool shape_same(const uint8_t *class, const struct tuple *a, const struct tuple *b);

/* Whether an index of shape `wide` holds every tuple that matches a template
 * of shape `narrow` (of the same arity), in one bucket. */
bool shape_covers(const uint8_t *wide, const struct template *narrow);

#endif
