#include "formal.h"
#include "codec.h"
#include "error.h"

/* What may stand in the items that are searched. */
enum kind { TUPLE, TEMPLATE };

/* A walk through one tuple or template, an item head at a time. level[d] is the
 * container at depth d + 1 whose items are being read. */
struct walk {
	enum kind kind;
	uint32_t heads;
	unsigned depth;
	unsigned key; /* depth of the map whose key is being read; 0: none */
	struct {
		uint64_t left; /* items still to come */
		bool map;
	} level[CODEC_DEPTH];
	const char *why;
	struct bytes detail;
};

bool formal_is(const uint8_t *p)
{
	struct item_head h;

	if (*p >> 5 != ITEM_TAG)
		return false;
	item_head(p, &h);
	return h.arg == ITEM_TAG_FORMAL;
}

/* The first constraint of a formal's map that is not "type", for the error. */
static struct bytes constraint(const uint8_t *p)
{
	struct item_head h;
	struct bytes name = {NULL, 0};

	p = item_head(p, &h);
	for (uint64_t i = 0; i < h.arg; i++) {
		name = item_string(p);
		if (!bytes_equal(name, bytes_of("type")))
			break;
		p = item_skip(item_skip(p));
	}
	return name;
}

int formal_read(const uint8_t *p, struct formal *f, const char **why, struct bytes *detail)
{
	struct item_head h;
	int type;

	p = item_head(p, &h);
	*detail = (struct bytes){NULL, 0};
	if (*p == ITEM_NULL) {
		f->type = ITEM_TYPE_ANY;
		return 0;
	}
	switch (*p >> 5) {
	case ITEM_TEXT:
		type = item_type_named(item_string(p));
		if (type > ITEM_TYPE_ANY) { /* null says "anything", no word does */
			f->type = (enum item_type)type;
			return 0;
		}
		*why = "no such type";
		*detail = item_string(p);
		return ERROR_VALUE;
	case ITEM_MAP:
		*why = "formal constraint not spoken here";
		*detail = constraint(p);
		return ERROR_VALUE;
	default:
		*why = "a formal is null or the name of a type";
		return ERROR_VALUE;
	}
}

void formal_put(struct buf *b, enum item_type type)
{
	item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
	if (type == ITEM_TYPE_ANY)
		item_put_null(b);
	else
		item_put_text(b, item_type_name(type));
}

static int refuse(struct walk *w, int code, const char *why)
{
	w->why = why;
	return code;
}

/* A tag was met at `p`. */
static int judge_tag(struct walk *w, const uint8_t *p, uint64_t tag)
{
	struct formal f;

	if (tag == ITEM_TAG_REF)
		return refuse(w, ERROR_VALUE, "tag 21581 has no meaning here");
	if (tag != ITEM_TAG_FORMAL)
		return 0;
	if (w->kind == TUPLE)
		return refuse(w, ERROR_VALUE, "a formal in a tuple");
	if (w->key)
		return refuse(w, ERROR_VALUE, "a formal in the key of a map");
	return formal_read(p, &f, &w->why, &w->detail);
}

/* The items that an item of this head consists of. */
static uint64_t children(const struct item_head *h)
{
	switch (h->major) {
	case ITEM_ARRAY:
		return h->arg;
	case ITEM_MAP:
		return 2 * h->arg;
	case ITEM_TAG:
		return 1;
	default:
		return 0;
	}
}

/* Enters the container whose head was read. */
static int enter(struct walk *w, const struct item_head *h)
{
	if (w->depth == CODEC_DEPTH)
		return refuse(w, ERROR_LIMIT, "nested too deeply");
	w->level[w->depth].left = children(h);
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

static int check(enum kind kind, struct bytes item, const char **why, int *field,
                 struct bytes *detail)
{
	struct walk w; /* the levels are not worth clearing */
	int rc;

	w.kind = kind;
	w.depth = w.key = 0;
	w.detail = (struct bytes){NULL, 0};
	*field = -1;
	if (item.p[0] >> 5 != ITEM_ARRAY)
		rc = refuse(&w, ERROR_VALUE,
		            kind == TUPLE ? "not an array" : "neither an array nor null");
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
	return check(TEMPLATE, item, why, field, detail);
}

int formal_check_tuple(struct bytes item, bool has_tags, const char **why, int *field,
                       struct bytes *detail)
{
	/* So few bytes reach no limit: an item of depth d, or of d heads, has d of them. */
	if (!has_tags && item.p[0] >> 5 == ITEM_ARRAY && item.n <= CODEC_DEPTH) {
		*field = -1;
		return 0;
	}
	return check(TUPLE, item, why, field, detail);
}

/* Both are walked in step: while heads and strings are the same bytes, so are
 * the places of what follows. */
bool formal_match(const uint8_t *t, const uint8_t *v)
{
	uint64_t left = 1;

	for (; left > 0; left--) {
		struct item_head h;
		const uint8_t *content = item_head(t, &h);
		size_t head = (size_t)(content - t);

		if (h.major == ITEM_TAG && h.arg == ITEM_TAG_FORMAL) {
			struct bytes name = item_string(content);

			if (name.p &&
			    !item_type_is(item_type(v), (enum item_type)item_type_named(name)))
				return false;
			t = item_skip(t);
			v = item_skip(v);
			continue;
		}
		if (*t != *v || memcmp(t, v, head) != 0) /* the first byte tells a head's length */
			return false;
		t += head;
		v += head;
		if (h.major == ITEM_BYTES || h.major == ITEM_TEXT) {
			if (memcmp(t, v, h.arg) != 0)
				return false;
			t += h.arg;
			v += h.arg;
		}
		left += children(&h);
	}
	return true;
}
