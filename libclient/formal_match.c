/* Whether a value matches. */
#include "compare.h"
#include "formal.h"

bool formal_in_range(const struct formal *f, const uint8_t *v)
{
	const uint8_t *const *at = f->at;

	if (!at[FORMAL_GE] && !at[FORMAL_GT] && !at[FORMAL_LE] && !at[FORMAL_LT])
		return true;
	return !item_is_nan(v) && (!at[FORMAL_GE] || compare_items(v, at[FORMAL_GE]) >= 0) &&
	       (!at[FORMAL_GT] || compare_items(v, at[FORMAL_GT]) > 0) &&
	       (!at[FORMAL_LE] || compare_items(v, at[FORMAL_LE]) <= 0) &&
	       (!at[FORMAL_LT] || compare_items(v, at[FORMAL_LT]) < 0);
}

/* The value is compared with up to 1,024: as bytes, not head by head. */
static bool is_one_of(const uint8_t *list, const uint8_t *v)
{
	struct item_head h;
	const uint8_t *p = item_head(list, &h), *next;
	size_t size = item_bytes(v).n;

	for (uint64_t i = 0; i < h.arg; i++, p = next) {
		next = item_skip(p);
		if ((size_t)(next - p) == size && memcmp(p, v, size) == 0)
			return true;
	}
	return false;
}

static bool begins_with(const uint8_t *prefix, const uint8_t *v)
{
	struct bytes want = item_string(prefix), have = item_string(v);

	return *prefix >> 5 == *v >> 5 && want.n <= have.n &&
	       (want.n == 0 || memcmp(want.p, have.p, want.n) == 0);
}

static int compare_keys(const uint8_t *a, const uint8_t *b)
{
	struct bytes x = item_bytes(a), y = item_bytes(b);
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c != 0 ? c : x.n < y.n ? -1 : x.n > y.n;
}

/* Whether the map `v` has the entries of `t`. The keys of both are in order. */
static bool has_entries(const uint8_t *t, const uint8_t *v)
{
	struct item_head want, have;

	if (*v >> 5 != ITEM_MAP)
		return false;
	t = item_head(t, &want);
	v = item_head(v, &have);
	while (want.arg > 0 && have.arg >= want.arg) {
		int c = compare_keys(t, v);

		v = item_skip(v);
		if (c < 0)
			return false;
		if (c == 0) {
			t = item_skip(t);
			if (!formal_match(t, v))
				return false;
			t = item_skip(t);
			want.arg--;
		}
		v = item_skip(v);
		have.arg--;
	}
	return want.arg == 0;
}

static bool formal_admits(const uint8_t *t, const uint8_t *v)
{
	struct formal f;

	formal_open(t, &f);
	if (!item_type_is(item_type(v), f.type))
		return false;
	if (!f.constrained)
		return true;
	return formal_in_range(&f, v) && !(f.at[FORMAL_NE] && formal_match(f.at[FORMAL_NE], v)) &&
	       (!f.at[FORMAL_PREFIX] || begins_with(f.at[FORMAL_PREFIX], v)) &&
	       (!f.at[FORMAL_ONEOF] || is_one_of(f.at[FORMAL_ONEOF], v)) &&
	       (!f.at[FORMAL_HAS] || has_entries(f.at[FORMAL_HAS], v));
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
			if (!formal_admits(t, v))
				return false;
			if (left == 1)
				return true;
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
		left += item_children(&h);
	}
	return true;
}
