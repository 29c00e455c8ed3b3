#include "explain.h"

#include "diag.h"
#include "formal.h"
#include "item.h"
#include "utf8.h"

#define SHOWN_TEXT 40  /* bytes of a string that are shown */
#define SHOWN_ITEM 80  /* bytes of encoding of anything else that is shown as it is */
#define SHOWN_PATH 120 /* bytes of a path inside of a field */

int explain_field(const uint8_t *template, const uint8_t *tuple, unsigned *matching)
{
	struct item_head want, have;
	int first = EXPLAIN_MATCH;

	*matching = 0;
	if (*template == ITEM_NULL)
		return EXPLAIN_MATCH;
	template = item_head(template, &want);
	tuple = item_head(tuple, &have);
	if (want.arg != have.arg)
		return EXPLAIN_LENGTH;
	for (uint64_t i = 0; i < want.arg; i++) {
		if (formal_match(template, tuple))
			++*matching;
		else if (first == EXPLAIN_MATCH)
			first = (int)i;
		template = item_skip(template);
		tuple = item_skip(tuple);
	}
	return first;
}

/* ---- values, short --------------------------------------------------------- */

static void put_string(struct buf *out, struct bytes s, bool text)
{
	struct bytes shown = {s.p, 0};
	size_t n = 1;

	while (n > 0 && shown.n + n <= SHOWN_TEXT) {
		struct bytes rest = {s.p + shown.n, s.n - shown.n};

		n = text ? utf8_next(rest, NULL) : rest.n > 0;
		shown.n += shown.n + n <= SHOWN_TEXT ? n : 0;
	}
	if (text) {
		diag_quote(out, shown);
	} else {
		buf_text(out, "h'");
		for (size_t i = 0; i < shown.n; i++)
			buf_printf(out, "%02x", shown.p[i]);
		buf_byte(out, '\'');
	}
	if (shown.n < s.n)
		buf_printf(out, "... of %zu bytes", s.n);
}

static void put_value(struct buf *out, const uint8_t *p)
{
	struct item_head h;

	item_head(p, &h);
	if (h.major == ITEM_TEXT || h.major == ITEM_BYTES)
		put_string(out, item_string(p), h.major == ITEM_TEXT);
	else if (item_bytes(p).n <= SHOWN_ITEM)
		diag_print(out, p);
	else
		buf_text(out, h.major == ITEM_ARRAY ? "[...]"
		              : h.major == ITEM_MAP ? "{...}" : "...");
}

/* A formal as its text is, without the question mark. */
static void put_wanted(struct buf *out, const uint8_t *p)
{
	size_t from = out->len;

	if (!formal_is(p)) {
		put_value(out, p);
		return;
	}
	if (item_bytes(p).n > 4 * SHOWN_ITEM) {
		struct formal f;

		formal_open(p, &f);
		buf_printf(out, "%s of a longer list", item_type_name(f.type));
		return;
	}
	diag_print(out, p);
	if (!out->failed && out->len > from + 1 && out->data[from] == '?') {
		memmove(out->data + from, out->data + from + 1, out->len - from - 1);
		out->len--;
	}
}

/* ---- the place inside of a field ---------------------------------------------- */

/* Both stand on the place that differs; it is narrowed as far as both are built alike. */
struct place {
	const uint8_t *t, *v;
	struct buf *path;
};

static void step_into(struct place *at, const uint8_t *t, const uint8_t *v)
{
	at->t = t;
	at->v = v;
}

static bool into_array(struct place *at)
{
	struct item_head want, have;
	const uint8_t *t = item_head(at->t, &want), *v = item_head(at->v, &have);

	if (want.major != ITEM_ARRAY || have.major != ITEM_ARRAY || want.arg != have.arg)
		return false;
	for (uint64_t i = 0; i < want.arg; i++, t = item_skip(t), v = item_skip(v)) {
		if (formal_match(t, v))
			continue;
		buf_printf(at->path, "[%u]", (unsigned)i);
		step_into(at, t, v);
		return true;
	}
	return false;
}

/* The value of the map at `v` under the key `k`, or NULL. */
static const uint8_t *value_of(const uint8_t *v, struct bytes k)
{
	struct item_head h;

	for (v = item_head(v, &h); h.arg > 0; h.arg--) {
		struct bytes key = item_bytes(v);

		v += key.n;
		if (bytes_equal(key, k))
			return v;
		v = item_skip(v);
	}
	return NULL;
}

/* The entries that `t` wants, of a map or of a formal's `has`. */
static bool into_map(struct place *at, const uint8_t *t)
{
	struct item_head want;

	if (*at->v >> 5 != ITEM_MAP || *t >> 5 != ITEM_MAP)
		return false;
	t = item_head(t, &want);
	for (uint64_t i = 0; i < want.arg; i++, t = item_skip(t)) {
		struct bytes key = item_bytes(t);
		const uint8_t *v = value_of(at->v, key);

		t += key.n;
		if (!v)
			return false;
		if (formal_match(t, v))
			continue;
		buf_byte(at->path, '[');
		if (key.n <= SHOWN_ITEM)
			diag_print(at->path, key.p);
		else
			buf_text(at->path, "...");
		buf_byte(at->path, ']');
		step_into(at, t, v);
		return true;
	}
	return false;
}

static bool narrow(struct place *at)
{
	struct formal f;

	if (at->path->len > SHOWN_PATH)
		return false;
	if (!formal_is(at->t))
		return into_array(at) || into_map(at, at->t);
	formal_open(at->t, &f);
	return f.at[FORMAL_HAS] && into_map(at, f.at[FORMAL_HAS]);
}

void explain_text(struct buf *out, const uint8_t *template, const uint8_t *tuple, int field,
                  const char *who)
{
	struct buf path = BUF_INIT;
	struct item_head want, have;
	struct place at = {item_head(template, &want), item_head(tuple, &have), &path};

	if (field == EXPLAIN_LENGTH)
		buf_printf(out, "it has %llu field%s, %s wants %llu", (unsigned long long)have.arg,
		           have.arg == 1 ? "" : "s", who, (unsigned long long)want.arg);
	if (field < 0)
		return;
	for (int i = 0; i < field; i++)
		step_into(&at, item_skip(at.t), item_skip(at.v));
	while (narrow(&at))
		;
	buf_printf(out, "field %d", field);
	buf_append(out, path.data, path.len);
	buf_text(out, " is ");
	put_value(out, at.v);
	buf_printf(out, " (%s), %s wants ", item_type_name(item_type(at.v)), who);
	put_wanted(out, at.t);
	buf_close(&path);
}
