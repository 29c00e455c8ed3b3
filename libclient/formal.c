#include "formal.h"
#include "error.h"

static const char *const key_names[FORMAL_KEYS] = {
	[FORMAL_GE] = "ge",       [FORMAL_GT] = "gt",     [FORMAL_LE] = "le",
	[FORMAL_LT] = "lt",       [FORMAL_NE] = "ne",     [FORMAL_HAS] = "has",
	[FORMAL_TYPE] = "type",   [FORMAL_ONEOF] = "oneof", [FORMAL_ORDER] = "order",
	[FORMAL_PREFIX] = "prefix",
};

const char *formal_key_name(enum formal_key key)
{
	return key_names[key];
}

bool formal_is(const uint8_t *p)
{
	struct item_head h;

	if (*p >> 5 != ITEM_TAG)
		return false;
	item_head(p, &h);
	return h.arg == ITEM_TAG_FORMAL;
}

static int refuse(const char **why, const char *text)
{
	*why = text;
	return ERROR_VALUE;
}

static bool holds_formal(const uint8_t *p)
{
	const uint8_t *end = item_skip(p);
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

/* What ranges and orders are for. */
static int judge_ordered(enum item_type type, const char *untyped, const char *other,
			 const char **why)
{
	switch (type) {
	case ITEM_TYPE_ANY:
		return refuse(why, untyped);
	case ITEM_TYPE_INT:
	case ITEM_TYPE_FLOAT:
	case ITEM_TYPE_NUMBER:
	case ITEM_TYPE_TEXT:
	case ITEM_TYPE_BYTES:
		return 0;
	default:
		return refuse(why, other);
	}
}

static int judge_bound(enum item_type type, const uint8_t *value, const char **why)
{
	int rc = judge_ordered(type, "a range needs a type (int float number text bytes)",
			       "only int float number text bytes have ranges", why);

	if (rc != 0)
		return rc;
	if (!item_type_is(item_type(value), type))
		return refuse(why, "the bound is not of the formal's type");
	return item_is_nan(value) ? refuse(why, "NaN is no bound") : 0;
}

static int judge_order(enum item_type type, const uint8_t *value, const char **why)
{
	struct bytes word = item_string(value);

	if (*value >> 5 != ITEM_TEXT ||
	    (!bytes_equal(word, bytes_of("min")) && !bytes_equal(word, bytes_of("max"))))
		return refuse(why, "neither min nor max");
	return judge_ordered(type, "min and max need a type (int float number text bytes)",
			     "only int float number text bytes have min and max", why);
}

static int judge_prefix(enum item_type type, const uint8_t *value, const char **why)
{
	enum item_type own = item_type(value);

	if (own != ITEM_TYPE_TEXT && own != ITEM_TYPE_BYTES)
		return refuse(why, "a prefix is a text or bytes");
	return item_type_is(own, type) ? 0 : refuse(why, "the prefix is not of the formal's type");
}

static int judge_value(const uint8_t *value, const char **why)
{
	return holds_formal(value) ? refuse(why, "a formal where only a value may stand") : 0;
}

static int judge_oneof(const uint8_t *value, const char **why)
{
	struct item_head h;

	item_head(value, &h);
	if (h.major != ITEM_ARRAY || h.arg == 0)
		return refuse(why, "not an array of 1 to 1024 values");
	if (h.arg > FORMAL_ONEOF_MAX) {
		*why = "more than 1024 values";
		return ERROR_LIMIT;
	}
	return judge_value(value, why);
}

static int judge_type(const uint8_t *value, const char **why)
{
	if (*value == ITEM_NULL) /* null says "anything", no word does */
		return 0;
	if (*value >> 5 != ITEM_TEXT || item_type_named(item_string(value)) <= ITEM_TYPE_ANY)
		return refuse(why, "no such type");
	return 0;
}

int formal_judge(enum item_type type, enum formal_key key, const uint8_t *value, const char **why)
{
	switch (key) {
	case FORMAL_GE:
	case FORMAL_GT:
	case FORMAL_LE:
	case FORMAL_LT:
		return judge_bound(type, value, why);
	case FORMAL_NE:
		return judge_value(value, why);
	case FORMAL_HAS:
		if (*value >> 5 != ITEM_MAP)
			return refuse(why, "not a map");
		if (!item_type_is(ITEM_TYPE_MAP, type))
			return refuse(why, "only maps have entries");
		return 0;
	case FORMAL_TYPE:
		return judge_type(value, why);
	case FORMAL_ONEOF:
		return judge_oneof(value, why);
	case FORMAL_PREFIX:
		return judge_prefix(type, value, why);
	case FORMAL_ORDER:
		return judge_order(type, value, why);
	case FORMAL_KEYS:
		break;
	}
	return refuse(why, "no such constraint");
}

static enum item_type type_named(const uint8_t *name)
{
	if (*name == ITEM_NULL)
		return ITEM_TYPE_ANY;
	return (enum item_type)item_type_named(item_string(name));
}

static enum formal_key key_named(struct bytes name)
{
	unsigned key = 0;

	while (key < FORMAL_KEYS && !bytes_equal(name, bytes_of(key_names[key])))
		key++;
	return (enum formal_key)key;
}

/* Finds the map's items, whatever they are. Answers the first key that there is
 * none of, or NULL. */
static const uint8_t *find_keys(const uint8_t *p, struct formal *f)
{
	struct item_head h;

	p = item_head(p, &h);
	for (uint64_t i = 0; i < h.arg; i++) {
		enum formal_key key = FORMAL_KEYS;

		if (*p >> 5 == ITEM_TEXT)
			key = key_named(item_string(p));
		if (key == FORMAL_KEYS)
			return p;
		f->at[key] = item_skip(p);
		f->constrained = f->constrained || (key != FORMAL_TYPE && key != FORMAL_ORDER);
		if (i + 1 < h.arg) /* a value may be long, and this is done for every tuple */
			p = item_skip(f->at[key]);
	}
	return NULL;
}

/* The class, when the type names none. */
static enum item_type implied(const struct formal *f)
{
	if (f->at[FORMAL_PREFIX])
		return item_type(f->at[FORMAL_PREFIX]);
	return f->at[FORMAL_HAS] ? ITEM_TYPE_MAP : ITEM_TYPE_ANY;
}

static int read_map(const uint8_t *p, struct formal *f, const char **why, struct bytes *detail)
{
	const uint8_t *unknown = find_keys(p, f);
	int rc = 0;

	if (unknown) {
		*detail = item_string(unknown);
		return refuse(why, "no such constraint");
	}
	if (f->at[FORMAL_TYPE]) {
		*detail = item_string(f->at[FORMAL_TYPE]);
		rc = judge_type(f->at[FORMAL_TYPE], why);
		if (rc == 0)
			f->type = type_named(f->at[FORMAL_TYPE]);
	}
	for (unsigned key = 0; key < FORMAL_KEYS && rc == 0; key++) {
		if (!f->at[key] || key == FORMAL_TYPE)
			continue;
		*detail = bytes_of(key_names[key]);
		rc = formal_judge(f->type, (enum formal_key)key, f->at[key], why);
	}
	if (f->type == ITEM_TYPE_ANY)
		f->type = implied(f);
	return rc;
}

int formal_read(const uint8_t *p, struct formal *f, const char **why, struct bytes *detail)
{
	struct item_head h;
	int rc;

	*f = (struct formal){.type = ITEM_TYPE_ANY};
	*detail = (struct bytes){NULL, 0};
	p = item_head(p, &h);
	if (*p >> 5 == ITEM_MAP) {
		rc = read_map(p, f, why, detail);
	} else if (*p == ITEM_NULL || *p >> 5 == ITEM_TEXT) {
		*detail = item_string(p);
		rc = judge_type(p, why);
		if (rc == 0)
			f->type = type_named(p);
	} else {
		rc = refuse(why, "a formal is null, the name of a type, or a map");
	}
	if (rc == 0)
		*detail = (struct bytes){NULL, 0};
	return rc;
}

void formal_open(const uint8_t *p, struct formal *f)
{
	struct item_head h;

	*f = (struct formal){.type = ITEM_TYPE_ANY};
	p = item_head(p, &h);
	if (*p >> 5 != ITEM_MAP) {
		f->type = type_named(p);
		return;
	}
	find_keys(p, f);
	if (f->at[FORMAL_TYPE])
		f->type = type_named(f->at[FORMAL_TYPE]);
	if (f->type == ITEM_TYPE_ANY)
		f->type = implied(f);
}

void formal_put(struct buf *b, enum item_type type)
{
	item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
	if (type == ITEM_TYPE_ANY)
		item_put_null(b);
	else
		item_put_text(b, item_type_name(type));
}
