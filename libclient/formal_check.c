/* Whether a tuple or template may come in: its sizes, its formals and their places. */
#include "codec.h"
#include "error.h"
#include "formal.h"

/* What may stand in the items that are searched. */
enum kind { TUPLE, TEMPLATE, REFS };

/* A walk through one tuple or template, an item head at a time. level[d] is the
 * container at depth d + 1 whose items are being read. */
struct walk {
	enum kind kind;
	uint32_t guards; /* REFS: those that may be referred to */
	uint32_t heads;
	bool ordered; /* a formal has said which match comes first */
	unsigned depth;
	unsigned key; /* depth of the map whose key is being read; 0: none */
	struct {
		uint64_t left; /* items still to come */
		bool map;
	} level[CODEC_DEPTH];
	const char *why;
	struct bytes detail;
};

static int refuse(struct walk *w, int code, const char *why)
{
	w->why = why;
	return code;
}

/* A reference was met at `p`: [guard, field] or [guard, field, add]. */
static int judge_ref(struct walk *w, const uint8_t *p)
{
	struct item_head tag, list, guard, field;
	const uint8_t *next = item_head(item_head(p, &tag), &list);

	if (w->key)
		return refuse(w, ERROR_VALUE, "a reference in the key of a map");
	if (list.major != ITEM_ARRAY || list.arg < 2 || list.arg > 3)
		return refuse(w, ERROR_VALUE,
		              "a reference is [guard, field] or [guard, field, add]");
	item_head(next, &guard);
	item_head(next = item_skip(next), &field);
	if (guard.major != ITEM_UINT || guard.arg >= 32 || !(w->guards >> guard.arg & 1))
		return refuse(w, ERROR_VALUE, "a reference to no in or rd guard");
	if (field.major != ITEM_UINT || field.arg >= FORMAL_FIELDS)
		return refuse(w, ERROR_VALUE, "a reference to no field");
	if (list.arg == 3 && item_type(item_skip(next)) != ITEM_TYPE_INT)
		return refuse(w, ERROR_VALUE, "a reference adds an integer");
	return 0;
}

/* A formal with an order was met. */
static int judge_order(struct walk *w)
{
	w->detail = bytes_of(formal_key_name(FORMAL_ORDER));
	if (w->depth > 1)
		return refuse(w, ERROR_VALUE,
		              "min and max stand in a field of the template itself");
	if (w->ordered)
		return refuse(w, ERROR_VALUE, "a second min or max");
	w->ordered = true;
	return 0;
}

/* A tag was met at `p`. */
static int judge_tag(struct walk *w, const uint8_t *p, uint64_t tag)
{
	struct formal f;
	int rc;

	if (tag == ITEM_TAG_REF && w->kind == REFS)
		return judge_ref(w, p);
	if (tag == ITEM_TAG_REF)
		return refuse(w, ERROR_VALUE, "tag 21581 has no meaning here");
	if (tag != ITEM_TAG_FORMAL)
		return 0;
	if (w->kind != TEMPLATE)
		return refuse(w, ERROR_VALUE, "a formal in a tuple");
	if (w->key)
		return refuse(w, ERROR_VALUE, "a formal in the key of a map");
	rc = formal_read(p, &f, &w->why, &w->detail);
	return rc == 0 && f.at[FORMAL_ORDER] ? judge_order(w) : rc;
}

/* Enters the container whose head was read. */
static int enter(struct walk *w, const struct item_head *h)
{
	if (w->depth == CODEC_DEPTH)
		return refuse(w, ERROR_LIMIT, "nested too deeply");
	w->level[w->depth].left = item_children(h);
	w->level[w->depth].map = h->major == ITEM_MAP;
	w->depth++;
	return 0;
}

/* The next item of the innermost container is about to be read. */
static void next_item(struct walk *w)
{
	uint64_t left = w->level[w->depth - 1].left--;

	if (!w->level[w->depth - 1].map || (w->key && w->key != w->depth))
		return;
	w->key = left % 2 == 0 ? w->depth : 0;
}

/* Reads heads until the container that is `outer` deep would go on. */
static int walk_item(struct walk *w, const uint8_t **p, unsigned outer)
{
	struct item_head h;
	int rc = 0;

	do {
		const uint8_t *at = *p;

		next_item(w);
		if (++w->heads > CODEC_HEADS_TUPLE)
			return refuse(w, ERROR_LIMIT, "more than 16384 items");
		*p = item_head(at, &h);
		if (h.major == ITEM_BYTES || h.major == ITEM_TEXT)
			*p += h.arg;
		if (h.major == ITEM_TAG)
			rc = judge_tag(w, at, h.arg);
		if (rc == 0 && h.major >= ITEM_ARRAY && h.major <= ITEM_TAG)
			rc = enter(w, &h);
		while (w->depth > outer && w->level[w->depth - 1].left == 0)
			w->depth--;
	} while (rc == 0 && w->depth > outer);
	return rc;
}

static int walk_fields(struct walk *w, const uint8_t *p, int *field)
{
	struct item_head h;
	int rc = 0;

	p = item_head(p, &h);
	w->heads = 1;
	*field = -1;
	if (h.arg > FORMAL_FIELDS)
		return refuse(w, ERROR_LIMIT, "more than 255 fields");
	rc = enter(w, &h);
	for (int i = 0; i < (int)h.arg && rc == 0; i++) {
		rc = walk_item(w, &p, 1);
		if (rc != 0)
			*field = i;
	}
	return rc;
}

static int check(enum kind kind, struct bytes item, uint32_t guards, const char **why, int *field,
                 struct bytes *detail)
{
	struct walk w; /* the levels are not worth clearing */
	int rc;

	w.kind = kind;
	w.guards = guards;
	w.depth = w.key = 0;
	w.ordered = false;
	w.detail = (struct bytes){NULL, 0};
	*field = -1;
	if (item.p[0] >> 5 != ITEM_ARRAY)
		rc = refuse(&w, ERROR_VALUE,
		            kind == TEMPLATE ? "neither an array nor null" : "not an array");
	else if (item.n > FORMAL_TUPLE_BYTES)
		rc = refuse(&w, ERROR_LIMIT, "more than 1 MiB");
	else
		rc = walk_fields(&w, item.p, field);
	if (rc != 0) {
		*why = w.why;
		*detail = w.detail;
	}
	return rc;
}

int formal_check_template(struct bytes item, const char **why, int *field, struct bytes *detail)
{
	*field = -1;
	if (item.p[0] == ITEM_NULL)
		return 0;
	return check(TEMPLATE, item, 0, why, field, detail);
}

int formal_check_tuple(struct bytes item, bool has_tags, const char **why, int *field,
                       struct bytes *detail)
{
	/* So few bytes reach no limit: an item of depth d, or of d heads, has d of them. */
	if (!has_tags && item.p[0] >> 5 == ITEM_ARRAY && item.n <= CODEC_DEPTH) {
		*field = -1;
		return 0;
	}
	return check(TUPLE, item, 0, why, field, detail);
}

int formal_check_refs(struct bytes item, uint32_t guards, const char **why, int *field,
                      struct bytes *detail)
{
	return check(REFS, item, guards, why, field, detail);
}
