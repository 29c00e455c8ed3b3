#include "linda.h"

#include "codec.h"
#include "error.h"
#include "formal.h"
#include "item.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

/* Letters of actuals, and the class of the formal after a `?`. */
static const struct letter {
	char letter;
	enum item_type type;
	bool sized; /* its formal stores a pointer and a size */
} letters[] = {
	{'i', ITEM_TYPE_INT, false},    {'u', ITEM_TYPE_INT, false},
	{'l', ITEM_TYPE_INT, false},    {'L', ITEM_TYPE_INT, false},
	{'d', ITEM_TYPE_FLOAT, false},  {'b', ITEM_TYPE_BOOL, false},
	{'s', ITEM_TYPE_TEXT, false},   {'S', ITEM_TYPE_TEXT, true},
	{'y', ITEM_TYPE_BYTES, true},   {'c', ITEM_TYPE_ANY, true},
	{'n', ITEM_TYPE_NULL, false},   {'U', ITEM_TYPE_UNDEFINED, false},
	{'v', ITEM_TYPE_SIMPLE, false}, {'t', ITEM_TYPE_TAG, true},
	{'[', ITEM_TYPE_ARRAY, true},   {'{', ITEM_TYPE_MAP, true},
	{'N', ITEM_TYPE_NUMBER, false},
};

static const struct letter *letter_of(char c)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (letters[i].letter == c)
			return &letters[i];
	}
	return NULL;
}

/* --- building -------------------------------------------------------------- */

struct build {
	struct linda *l;
	const char *p; /* the rest of the format */
	va_list args;
	bool formals;
	bool rewrite; /* maps, or CBOR of the caller's: the whole is to be made canonical */
	unsigned field, depth;
	bool closed;  /* within a map or tag: no formals */
};

static int fail(struct build *b, int code, const char *what)
{
	snprintf(b->l->why, sizeof(b->l->why), "field %u: %s", b->field, what);
	return code;
}

void linda_skip_blanks(const char **p)
{
	while (**p == ' ' || **p == '\t' || **p == '\n' || **p == ',')
		(*p)++;
}

bool linda_skip_one(const char **p)
{
	unsigned depth = 0;

	for (;;) {
		bool formal;

		linda_skip_blanks(p);
		if (**p == '\0' || ((**p == ']' || **p == '}') && depth == 0))
			return false;
		formal = **p == '?';
		*p += formal;
		if (**p == '\0')
			return false;
		if ((**p == '[' || **p == '{') && !formal)
			depth++;
		else if (**p == ']' || **p == '}')
			depth--;
		else if (**p == 't' && !formal) {
			(*p)++;
			continue; /* its content is part of it */
		}
		(*p)++;
		if (depth == 0)
			return true;
	}
}

static uint64_t count_items(const char *p)
{
	uint64_t n = 0;

	while (linda_skip_one(&p))
		n++;
	return n;
}

static int build_text(struct build *b, const char *s, size_t n)
{
	if (s == NULL && n != 0)
		return fail(b, ERROR_USAGE, "a NULL pointer");
	if (!utf8_valid((struct bytes){(const uint8_t *)s, n}))
		return fail(b, ERROR_VALUE, "the text is not UTF-8");
	item_put_text_n(&b->l->item, (struct bytes){(const uint8_t *)s, n});
	return 0;
}

static int build_cbor(struct build *b, const void *p, size_t n)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};
	struct codec_error err = {0};
	struct codec_info info = {0};
	struct buf scratch = BUF_INIT;
	struct bytes out = {0};
	int code = codec_canonical((struct bytes){p, n}, &out, &scratch, &limits, &info, &err);

	if (code == 0 && info.formals && (!b->formals || b->closed))
		code = fail(b, ERROR_VALUE, "a formal where there can be none");
	else if (code != 0)
		code = fail(b, code == ERROR_NOMEM ? code : ERROR_VALUE,
		            err.why != NULL ? err.why : "not CBOR");
	if (code == 0)
		item_put_item(&b->l->item, out);
	buf_close(&scratch);
	return code;
}

static int build_simple(struct build *b, int v)
{
	if (v < 0 || v > 255 || (v >= 20 && v < 32))
		return fail(b, ERROR_VALUE, "no such simple value");
	item_put_head(&b->l->item, ITEM_SIMPLE, (uint64_t)v);
	return 0;
}

static int build_item(struct build *b);

/* The items up to the closing bracket. */
static int build_items(struct build *b, char close, bool closed)
{
	bool outer = b->closed;
	int code = 0;

	if (++b->depth > LINDA_DEPTH)
		return fail(b, ERROR_LIMIT, "nested too deep");
	b->closed = outer || closed;
	for (linda_skip_blanks(&b->p); code == 0 && *b->p != close; linda_skip_blanks(&b->p)) {
		if (*b->p == '\0')
			return fail(b, ERROR_USAGE, "a bracket of the format is not closed");
		code = build_item(b);
	}
	b->p += code == 0;
	b->depth--;
	b->closed = outer;
	return code;
}

static int build_nested(struct build *b, bool map)
{
	uint64_t n = count_items(b->p);

	if (map && n % 2 != 0)
		return fail(b, ERROR_USAGE, "a map with a key and no value");
	item_put_head(&b->l->item, map ? ITEM_MAP : ITEM_ARRAY, map ? n / 2 : n);
	b->rewrite = b->rewrite || map;
	return build_items(b, map ? '}' : ']', map);
}

static int build_tag(struct build *b, uint64_t tag)
{
	bool outer = b->closed;
	int code;

	if (tag == ITEM_TAG_FORMAL || tag == ITEM_TAG_REF)
		return fail(b, ERROR_VALUE, "tags 21580 and 21581 are the protocol's");
	linda_skip_blanks(&b->p);
	if (*b->p == '\0' || ++b->depth > LINDA_DEPTH)
		return fail(b, ERROR_USAGE, "a tag without content, or nested too deep");
	item_put_head(&b->l->item, ITEM_TAG, tag);
	b->rewrite = true; /* bignums */
	b->closed = true;
	code = build_item(b);
	b->closed = outer;
	b->depth--;
	return code;
}

static int build_formal(struct build *b, char c, bool stored)
{
	const struct letter *letter = letter_of(c);
	struct linda_slot *slot = &b->l->slots[b->l->count];

	if (!b->formals)
		return fail(b, ERROR_USAGE, "`?` and `_` are for templates");
	if (b->closed)
		return fail(b, ERROR_USAGE, "no `?` within a map or a tag");
	if (letter == NULL)
		return fail(b, ERROR_USAGE, "no such letter after `?`");
	if (b->l->count++ == LINDA_SLOTS)
		return fail(b, ERROR_LIMIT, "too many `?`");
	*slot = (struct linda_slot){.letter = c};
	if (stored && c != 'n' && c != 'U')
		slot->to = va_arg(b->args, void *);
	if (stored && letter->sized)
		slot->size = va_arg(b->args, size_t *);
	formal_put(&b->l->item, letter->type);
	return 0;
}

static int build_actual(struct build *b, char c)
{
	struct buf *out = &b->l->item;
	const void *p;

	switch (c) {
	case 'i':
		item_put_int(out, va_arg(b->args, int));
		return 0;
	case 'u':
		item_put_uint(out, va_arg(b->args, unsigned));
		return 0;
	case 'l':
		item_put_int(out, va_arg(b->args, int64_t));
		return 0;
	case 'L':
		item_put_uint(out, va_arg(b->args, uint64_t));
		return 0;
	case 'd':
		item_put_float(out, va_arg(b->args, double));
		return 0;
	case 'b':
		item_put_bool(out, va_arg(b->args, int) != 0);
		return 0;
	case 's':
		p = va_arg(b->args, const char *);
		return p == NULL ? fail(b, ERROR_USAGE, "a NULL pointer")
		                 : build_text(b, p, strlen(p));
	case 'S':
		p = va_arg(b->args, const char *);
		return build_text(b, p, va_arg(b->args, size_t));
	case 'y':
		p = va_arg(b->args, const void *);
		item_put_bytes(out, (struct bytes){p, va_arg(b->args, size_t)});
		return 0;
	case 'c':
		p = va_arg(b->args, const void *);
		return build_cbor(b, p, va_arg(b->args, size_t));
	case 'n':
		item_put_null(out);
		return 0;
	case 'U':
		item_put_head(out, ITEM_SIMPLE, 23);
		return 0;
	case 'v':
		return build_simple(b, va_arg(b->args, int));
	case 't':
		return build_tag(b, va_arg(b->args, uint64_t));
	case '[':
	case '{':
		return build_nested(b, c == '{');
	case '_':
		return build_formal(b, 'c', false);
	case '?':
		c = *b->p;
		b->p += c != '\0';
		return build_formal(b, c, true);
	default:
		return fail(b, ERROR_USAGE, "no such letter in the format");
	}
}

static int build_item(struct build *b)
{
	linda_skip_blanks(&b->p);
	return build_actual(b, *b->p++);
}

/* Sorts maps and makes bignums integers. */
static int make_canonical(struct build *b)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};
	struct codec_error err = {0};
	struct codec_info info;
	struct buf scratch = BUF_INIT;
	struct bytes out;
	int code = codec_canonical(buf_bytes(&b->l->item), &out, &scratch, &limits, &info, &err);

	if (code == 0 && out.p != b->l->item.data) {
		buf_close(&b->l->item);
		b->l->item = scratch;
		return 0;
	}
	if (code != 0)
		snprintf(b->l->why, sizeof(b->l->why), "%s",
		         err.why != NULL ? err.why : error_text(code));
	buf_close(&scratch);
	return code;
}

static int build_fields(struct build *b)
{
	uint64_t n = count_items(b->p);
	int code = 0;

	if (n > LINDA_SLOTS)
		return fail(b, ERROR_LIMIT, "more than 255 fields");
	item_put_head(&b->l->item, ITEM_ARRAY, n);
	for (linda_skip_blanks(&b->p); code == 0 && *b->p != '\0'; linda_skip_blanks(&b->p)) {
		code = build_item(b);
		b->field++;
	}
	if (code == 0 && b->field != n)
		code = fail(b, ERROR_USAGE, "the brackets of the format do not match");
	return code;
}

int linda_build(struct linda *l, bool formals, const char *format, va_list args)
{
	struct build b = {.l = l, .p = format, .formals = formals};
	int code;

	buf_init(&l->item);
	l->format = format;
	l->count = 0;
	l->why[0] = '\0';
	va_copy(b.args, args);
	code = build_fields(&b);
	va_end(b.args);
	if (code == 0 && l->item.failed)
		code = ERROR_NOMEM;
	if (code == 0 && b.rewrite)
		code = make_canonical(&b);
	if (code != 0 && l->why[0] == '\0')
		snprintf(l->why, sizeof(l->why), "%s", error_text(code));
	return code;
}

void linda_close(struct linda *l)
{
	buf_close(&l->item);
}
