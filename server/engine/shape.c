#include "shape.h"

#include "../../libclient/base/hash.h"
#include "../../libclient/formal.h"

/* Whether a formal stands anywhere in the item [p, end): every head is looked
 * at, so the depth does not matter. */
static bool holds_formal(const uint8_t *p, const uint8_t *end)
{
	struct item_head h;

	while (p < end) {
		p = item_head(p, &h);
		if (h.major == ITEM_TAG && h.arg == ITEM_TAG_FORMAL)
			return true;
		if (h.major == ITEM_BYTES || h.major == ITEM_TEXT)
			p += h.arg;
	}
	return false;
}

/* Which match comes first is said by the formal of field i. */
static void read_order(struct template *t, const struct formal *f, unsigned i)
{
	static const enum formal_key more[] = {FORMAL_NE, FORMAL_HAS, FORMAL_ONEOF, FORMAL_PREFIX};

	t->order.kind = bytes_equal(item_string(f->at[FORMAL_ORDER]), bytes_of("min"))
	                    ? ORDER_MIN : ORDER_MAX;
	t->order.field = (uint8_t)i;
	t->ranged = f->constrained;
	for (unsigned k = 0; k < sizeof more / sizeof *more; k++)
		t->ranged = t->ranged && !f->at[more[k]];
}

/* The class of field i. */
static uint8_t read_field(struct template *t, unsigned i)
{
	struct bytes field = tuple_field(t->tuple, i);
	uint8_t major = *field.p >> 5;
	struct formal f;

	if (formal_is(field.p)) {
		formal_open(field.p, &f); /* the edge has checked it */
		t->residue += f.constrained;
		if (f.at[FORMAL_ORDER])
			read_order(t, &f, i);
		return (uint8_t)f.type;
	}
	if (major < ITEM_ARRAY || major > ITEM_TAG || !holds_formal(field.p, field.p + field.n))
		return SHAPE_BOUND;
	t->residue++;
	/* A tag whose content is not known yet may be a bignum's. */
	return major == ITEM_TAG ? ITEM_TYPE_ANY : (uint8_t)item_type(field.p);
}

void template_open(struct template *t, struct bytes item)
{
	t->residue = 0;
	t->order.kind = ORDER_ID;
	t->ranged = false;
	t->all = *item.p == ITEM_NULL;
	t->tuple = NULL;
	if (t->all)
		return;
	t->tuple = tuple_create(0, item);
	t->shape.arity = t->tuple->fields;
	t->shape.bound = 0;
	for (unsigned i = 0; i < t->shape.arity; i++) {
		t->shape.class[i] = read_field(t, i);
		t->shape.bound += t->shape.class[i] == SHAPE_BOUND;
	}
}

void template_close(struct template *t)
{
	tuple_free(t->tuple);
	t->tuple = NULL;
}

bool template_match_tuple(const struct tuple *t, const struct tuple *v)
{
	if (!t)
		return true;
	if (t->fields != v->fields)
		return false;
	for (unsigned i = 0; i < t->fields; i++)
		if (!formal_match(tuple_field(t, i).p, tuple_field(v, i).p))
			return false;
	return true;
}

bool template_match(const struct template *t, const struct tuple *v)
{
	return template_match_tuple(t->tuple, v);
}

void keys_of(struct keys *k, const struct tuple *t, uint64_t seed)
{
	for (unsigned i = 0; i < t->fields; i++) {
		struct bytes f = tuple_field(t, i);

		k->field[i] = hash_of(f.p, f.n, seed);
	}
}

uint32_t keys_hash(const struct keys *k, const uint8_t *class, unsigned arity)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < arity; i++)
		if (class[i] == SHAPE_BOUND)
			h = hash_mix(h, k->field[i]);
	return (uint32_t)(h ^ h >> 32);
}

bool shape_admits(const uint8_t *class, const struct tuple *t)
{
	for (unsigned i = 0; i < t->fields; i++)
		if (class[i] != SHAPE_BOUND && class[i] != ITEM_TYPE_ANY &&
		    !item_type_is(item_type(tuple_field(t, i).p), class[i]))
			return false;
	return true;
}

bool shape_same(const uint8_t *class, const struct tuple *a, const struct tuple *b)
{
	for (unsigned i = 0; i < a->fields; i++)
		if (class[i] == SHAPE_BOUND && !bytes_equal(tuple_field(a, i), tuple_field(b, i)))
			return false;
	return true;
}

static bool class_covers(uint8_t wide, uint8_t narrow, const uint8_t *field)
{
	if (wide == narrow)
		return true;
	if (wide == SHAPE_BOUND)
		return false;
	if (narrow == SHAPE_BOUND)
		return item_type_is(item_type(field), wide);
	return item_type_is(narrow, wide);
}

bool shape_covers(const uint8_t *wide, const struct template *narrow)
{
	for (unsigned i = 0; i < narrow->shape.arity; i++)
		if (!class_covers(wide[i], narrow->shape.class[i], tuple_field(narrow->tuple, i).p))
			return false;
	return true;
}
