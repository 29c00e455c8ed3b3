#include "tuple.h"

#include "base/xmalloc.h"
#include "diag.h"
#include "error.h"
#include "item.h"
#include "linda.h"
#include "message.h"

/* One block: this, the fields, the item, and a copy with a NUL of each text and
 * byte string among the fields (in the item another head follows at once). */
struct tilia_tuple {
	struct tilia_tuple *next;
	uint64_t id, token, tries;
	size_t size;
	unsigned arity;
	struct field {
		uint32_t at;     /* in the item */
		uint32_t string; /* in the copies */
	} fields[];
};

static uint8_t *item_of(const struct tilia_tuple *t)
{
	return (uint8_t *)(uintptr_t)(t->fields + t->arity);
}

struct bytes tuple_item(const struct tilia_tuple *t)
{
	return (struct bytes){item_of(t), t->size};
}

struct tilia_tuple *tuple_make(uint64_t id, const uint8_t *p)
{
	struct bytes item = item_bytes(p);
	struct item_head h;
	const uint8_t *first = item_head(p, &h), *v = first;
	size_t strings = 0;
	struct tilia_tuple *t;
	uint8_t *copy;

	for (uint64_t i = 0; i < h.arg; i++, v = item_skip(v))
		strings += item_string(v).n + 1;
	t = xtry_malloc(sizeof(*t) + h.arg * sizeof(t->fields[0]) + item.n + strings);
	if (t == NULL)
		return NULL;
	*t = (struct tilia_tuple){.id = id, .size = item.n, .arity = (unsigned)h.arg};
	memcpy(item_of(t), item.p, item.n);
	copy = item_of(t) + item.n;
	v = first;
	for (unsigned i = 0; i < t->arity; i++, v = item_skip(v)) {
		struct bytes s = item_string(v);

		t->fields[i] = (struct field){(uint32_t)(v - p), (uint32_t)(copy - item_of(t))};
		if (s.n != 0)
			memcpy(copy, s.p, s.n);
		copy += s.n;
		*copy++ = '\0';
	}
	return t;
}

struct entry {
	const uint8_t *tuple; /* NULL: it is none */
	uint64_t id, token, tries;
};

/* [id, tuple, ...], or of a claim [id, tuple, token, tries, ...]. */
static struct entry entry(const uint8_t *p)
{
	struct item_head list, h;
	struct entry e = {0};

	p = item_head(p, &list);
	if (list.major != ITEM_ARRAY || list.arg < 2)
		return e;
	p = item_head(p, &h);
	e.id = h.arg;
	if (h.major != ITEM_UINT || *p >> 5 != ITEM_ARRAY)
		return e;
	e.tuple = p;
	if (list.arg < 4)
		return e;
	p = item_skip(p);
	if (message_number(p, &e.token))
		message_number(item_skip(p), &e.tries);
	return e;
}

int tuple_entry(const uint8_t *p, struct tilia_tuple **tuple)
{
	struct entry e = entry(p);

	*tuple = e.tuple == NULL ? NULL : tuple_make(e.id, e.tuple);
	if (*tuple == NULL)
		return e.tuple == NULL ? ERROR_MALFORMED : ERROR_NOMEM;
	(*tuple)->token = e.token;
	(*tuple)->tries = e.tries;
	return 0;
}

int tuple_list(struct bytes body, struct tilia_tuple **first)
{
	struct tilia_tuple **link = first;
	struct item_head h = {0};
	const uint8_t *p = body.n == 0 ? NULL : item_head(body.p, &h);

	*first = NULL;
	if (p == NULL || h.major != ITEM_ARRAY)
		return ERROR_MALFORMED;
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p)) {
		int code = tuple_entry(p, link);

		if (code != 0) {
			tilia_tuple_free(*first);
			*first = NULL;
			return code;
		}
		link = &(*link)->next;
	}
	return 0;
}

void tilia_tuple_free(struct tilia_tuple *first)
{
	while (first != NULL) {
		struct tilia_tuple *next = first->next;

		xfree(first);
		first = next;
	}
}

struct tilia_tuple *tilia_tuple_next(const struct tilia_tuple *t)
{
	return t->next;
}

uint64_t tilia_tuple_id(const struct tilia_tuple *t)
{
	return t->id;
}

uint64_t tilia_tuple_token(const struct tilia_tuple *t)
{
	return t->token;
}

unsigned tilia_tuple_tries(const struct tilia_tuple *t)
{
	return (unsigned)t->tries;
}

unsigned tilia_tuple_arity(const struct tilia_tuple *t)
{
	return t->arity;
}

static const uint8_t *field_of(const struct tilia_tuple *t, unsigned field)
{
	return field < t->arity ? item_of(t) + t->fields[field].at : NULL;
}

enum tilia_type tilia_tuple_type(const struct tilia_tuple *t, unsigned field)
{
	static const enum tilia_type types[ITEM_TYPES] = {
		[ITEM_TYPE_NULL] = TILIA_NULL,     [ITEM_TYPE_BOOL] = TILIA_BOOL,
		[ITEM_TYPE_INT] = TILIA_INT,       [ITEM_TYPE_FLOAT] = TILIA_FLOAT,
		[ITEM_TYPE_TEXT] = TILIA_TEXT,     [ITEM_TYPE_BYTES] = TILIA_BYTES,
		[ITEM_TYPE_ARRAY] = TILIA_ARRAY,   [ITEM_TYPE_MAP] = TILIA_MAP,
		[ITEM_TYPE_TAG] = TILIA_TAG,       [ITEM_TYPE_SIMPLE] = TILIA_SIMPLE,
		[ITEM_TYPE_UNDEFINED] = TILIA_UNDEFINED,
	};
	const uint8_t *p = field_of(t, field);

	return p == NULL ? TILIA_NOTHING : types[item_type(p)];
}

int tilia_tuple_int(const struct tilia_tuple *t, unsigned field, int64_t *v)
{
	const uint8_t *p = field_of(t, field);
	struct item_head h;

	if (p == NULL)
		return ERROR_VALUE;
	item_head(p, &h);
	if (h.major > ITEM_NINT || h.arg > INT64_MAX)
		return ERROR_VALUE;
	*v = h.major == ITEM_UINT ? (int64_t)h.arg : -1 - (int64_t)h.arg;
	return 0;
}

int tilia_tuple_uint(const struct tilia_tuple *t, unsigned field, uint64_t *v)
{
	const uint8_t *p = field_of(t, field);
	struct item_head h;

	if (p == NULL)
		return ERROR_VALUE;
	item_head(p, &h);
	if (h.major != ITEM_UINT)
		return ERROR_VALUE;
	*v = h.arg;
	return 0;
}

int tilia_tuple_float(const struct tilia_tuple *t, unsigned field, double *v)
{
	struct item_head h;

	if (tilia_tuple_type(t, field) != TILIA_FLOAT)
		return ERROR_VALUE;
	item_head(field_of(t, field), &h);
	*v = item_float(&h);
	return 0;
}

int tilia_tuple_bool(const struct tilia_tuple *t, unsigned field, bool *v)
{
	if (tilia_tuple_type(t, field) != TILIA_BOOL)
		return ERROR_VALUE;
	*v = *field_of(t, field) == 0xf5;
	return 0;
}

int tilia_tuple_string(const struct tilia_tuple *t, unsigned field, const char **p, size_t *size)
{
	if (tilia_tuple_type(t, field) != TILIA_TEXT)
		return ERROR_VALUE;
	*p = (const char *)item_of(t) + t->fields[field].string;
	if (size != NULL)
		*size = item_string(field_of(t, field)).n;
	return 0;
}

int tilia_tuple_bytes(const struct tilia_tuple *t, unsigned field, const void **p, size_t *size)
{
	if (tilia_tuple_type(t, field) != TILIA_BYTES)
		return ERROR_VALUE;
	*p = item_of(t) + t->fields[field].string;
	*size = item_string(field_of(t, field)).n;
	return 0;
}

int tilia_tuple_scan(const struct tilia_tuple *t, const char *format, ...)
{
	struct linda l;
	va_list args;
	int code;

	va_start(args, format);
	code = linda_build(&l, true, format, args);
	va_end(args);
	if (code == 0 && !linda_matches(&l, tuple_item(t)))
		code = TILIA_NONE;
	if (code == 0)
		code = linda_store(&l, tuple_item(t));
	linda_close(&l);
	return code;
}

const void *tilia_tuple_cbor(const struct tilia_tuple *t, size_t *size)
{
	if (size)
		*size = t->size;
	return item_of(t);
}

const void *tilia_tuple_field(const struct tilia_tuple *t, unsigned field, size_t *size)
{
	const uint8_t *p = field_of(t, field);

	*size = p == NULL ? 0 : item_bytes(p).n;
	return p;
}

char *tilia_tuple_text(const struct tilia_tuple *t)
{
	struct buf text = BUF_INIT;

	diag_print(&text, item_of(t));
	buf_byte(&text, '\0');
	if (text.failed)
		buf_close(&text);
	return (char *)text.data;
}
