/* A recursive descent over the text that writes definite heads, so that what it
 * writes is canonical already unless keys are not in order; codec_canonical()
 * then checks it. What that refuses has an offset in CBOR: the text is parsed
 * once more, noting where each item came from, to name the place in the text. */
#include "base/buf.h"
#include "codec.h"
#include "decimal.h"
#include "diag.h"
#include "error.h"
#include "formal.h"
#include "item.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>

/* Where an item is in the text and in the CBOR. */
struct place {
	size_t cbor, text;
};

struct parse {
	const uint8_t *start, *p, *end;
	unsigned flags;
	unsigned depth;
	struct buf *out;
	size_t base; /* where in `out` the whole begins */
	struct diag_names *names;
	struct diag_error *err;
	int field; /* the top-level field that is parsed, or -1 */
	bool located; /* only heads of one byte are written, and places noted */
	struct buf places; /* struct place */
};

static int item(struct parse *p);

__attribute__((format(printf, 4, 5))) static int fail(struct parse *p, int code, const uint8_t *at,
						      const char *fmt, ...)
{
	va_list ap;

	p->err->code = code;
	p->err->offset = (size_t)(at - p->start);
	va_start(ap, fmt);
	vsnprintf(p->err->why, sizeof p->err->why, fmt, ap);
	va_end(ap);
	return code;
}

/* "expected ...", and what stands there instead. */
static int expected(struct parse *p, const char *what)
{
	size_t n = utf8_next((struct bytes){p->p, (size_t)(p->end - p->p)}, NULL);

	if (p->p == p->end)
		return fail(p, ERROR_SYNTAX, p->p, "expected %s, found the end", what);
	if (n == 0 || *p->p < ' ' || *p->p == 0x7f || (*p->p == 0xc2 && p->p[1] < 0xa0))
		return fail(p, ERROR_SYNTAX, p->p, "expected %s, found byte %u", what, *p->p);
	return fail(p, ERROR_SYNTAX, p->p, "expected %s, found %.*s", what, (int)n, (const char *)p->p);
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool next_is(const struct parse *p, char c)
{
	return p->p < p->end && *p->p == (uint8_t)c;
}

static bool take(struct parse *p, char c)
{
	if (!next_is(p, c))
		return false;
	p->p++;
	return true;
}

static bool take_word(struct parse *p, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(p->end - p->p) < n || memcmp(p->p, word, n) != 0)
		return false;
	p->p += n;
	return true;
}

/* Blanks and comments: "/ ... /", and "#" to the end of the line. */
static int blanks(struct parse *p)
{
	for (; p->p < p->end; p->p++) {
		const uint8_t *at = p->p;

		if (*at == '#') {
			while (p->p + 1 < p->end && p->p[1] != '\n')
				p->p++;
		} else if (*at == '/') {
			do
				p->p++;
			while (p->p < p->end && *p->p != '/');
			if (p->p == p->end)
				return fail(p, ERROR_SYNTAX, at, "a comment without its second /");
		} else if (*at != ' ' && *at != '\t' && *at != '\n' && *at != '\r') {
			break;
		}
	}
	return 0;
}

/* Encoding indicators say how a value was encoded; here they say nothing. */
static void indicator(struct parse *p)
{
	if (take(p, '_') && p->p < p->end && *p->p >= '0' && *p->p <= '3')
		p->p++;
}

/* A head is written when its count is known: a byte is kept for it, and what
 * follows moves when that is too little. */
static size_t head_keep(struct parse *p, enum item_major major)
{
	size_t at = p->out->len;

	buf_byte(p->out, (uint8_t)(major << 5 | 31));
	return at;
}

static void head_put(struct parse *p, size_t at, enum item_major major, uint64_t count)
{
	struct buf *out = p->out;
	uint8_t head[9];
	size_t end = out->len, size;

	item_put_head(out, major, count);
	if (out->failed)
		return;
	size = out->len - end;
	memcpy(head, out->data + end, size);
	out->len = end;
	if (buf_reserve(out, size) == NULL)
		return;
	memmove(out->data + at + size, out->data + at + 1, end - at - 1);
	memcpy(out->data + at, head, size);
	out->len += size - 1;
}

/* The end of an array or map. */
static void head_end(struct parse *p, size_t at, enum item_major major, uint64_t count)
{
	if (p->located)
		buf_byte(p->out, 0xff);
	else
		head_put(p, at, major, count);
}

static int deeper(struct parse *p)
{
	if (p->depth == CODEC_DEPTH)
		return fail(p, ERROR_LIMIT, p->p, "nested more than %d deep", CODEC_DEPTH);
	p->depth++;
	return 0;
}

/* Strings */

static int hex_value(uint8_t c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The four digits of \u. */
static int hex4(struct parse *p, uint32_t *v)
{
	*v = 0;
	for (int i = 0; i < 4; i++, p->p++) {
		if (p->p == p->end || hex_value(*p->p) < 0)
			return expected(p, "four hex digits");
		*v = *v << 4 | (uint32_t)hex_value(*p->p);
	}
	return 0;
}

/* Behind \u. */
static int escape_u(struct parse *p)
{
	const uint8_t *at = p->p - 2;
	uint32_t c, low;
	int rc = hex4(p, &c);

	if (rc != 0)
		return rc;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!take_word(p, "\\u"))
			return fail(p, ERROR_SYNTAX, at, "half of a surrogate pair");
		rc = hex4(p, &low);
		if (rc != 0)
			return rc;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(p, ERROR_SYNTAX, at, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return fail(p, ERROR_SYNTAX, at, "half of a surrogate pair");
	}
	utf8_put(p->out, c);
	return 0;
}

/* Behind the backslash. */
static int escape(struct parse *p)
{
	static const char from[] = "\"'\\/bfnrt", to[] = "\"'\\/\b\f\n\r\t";
	const char *at;

	if (p->p == p->end)
		return expected(p, "an escape");
	if (take(p, 'u'))
		return escape_u(p);
	at = *p->p != '\0' ? strchr(from, *p->p) : NULL;
	if (at == NULL)
		return fail(p, ERROR_SYNTAX, p->p - 1, "no such escape (there are \\\" \\' \\\\ \\/ \\b \\f "
						       "\\n \\r \\t \\uXXXX)");
	buf_byte(p->out, (uint8_t)to[at - from]);
	p->p++;
	return 0;
}

/* Behind the opening quote, to behind the closing one. */
static int quoted(struct parse *p, char quote)
{
	const uint8_t *open = p->p - 1;
	int rc = 0;

	while (rc == 0) {
		const uint8_t *run = p->p;
		size_t n = 1;

		while (p->p < p->end && *p->p >= ' ' && *p->p != (uint8_t)quote && *p->p != '\\' && n > 0) {
			n = utf8_next((struct bytes){p->p, (size_t)(p->end - p->p)}, NULL);
			p->p += n;
		}
		buf_append(p->out, run, (size_t)(p->p - run));
		if (n == 0)
			return fail(p, ERROR_SYNTAX, p->p, "invalid UTF-8");
		if (p->p == p->end)
			return fail(p, ERROR_SYNTAX, open, "a string without its closing %c", quote);
		if (*p->p < ' ')
			return fail(p, ERROR_SYNTAX, p->p, "a control character in a string: write \\u%04x",
				    *p->p);
		if (*p->p++ == (uint8_t)quote)
			return 0;
		rc = escape(p);
	}
	return rc;
}

/* Behind h', to behind the closing quote. */
static int hex_string(struct parse *p)
{
	for (;;) {
		int rc = blanks(p), high;

		if (rc != 0)
			return rc;
		if (take(p, '\''))
			return 0;
		high = p->p < p->end ? hex_value(*p->p) : -1;
		if (high < 0)
			return expected(p, "hex digits or '");
		p->p++;
		rc = blanks(p);
		if (rc != 0)
			return rc;
		if (p->p == p->end || hex_value(*p->p) < 0)
			return expected(p, "the second digit of a byte");
		buf_byte(p->out, (uint8_t)(high << 4 | hex_value(*p->p++)));
	}
}

static int base64_value(uint8_t c)
{
	if (is_letter(c))
		return c >= 'a' ? c - 'a' + 26 : c - 'A';
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Behind b64', to behind the closing quote. Either alphabet, padded or not. */
static int base64_string(struct parse *p)
{
	const uint8_t *open = p->p;
	uint32_t bits = 0, have = 0;
	unsigned digits = 0, padding = 0;

	for (; !next_is(p, '\''); p->p++) {
		if (p->p == p->end)
			return fail(p, ERROR_SYNTAX, open, "a string without its closing '");
		if (*p->p == ' ' || *p->p == '\t' || *p->p == '\n' || *p->p == '\r')
			continue;
		if (*p->p == '=' && ++padding <= 2)
			continue;
		if (base64_value(*p->p) < 0 || padding > 0)
			return expected(p, "base64 digits or '");
		bits = bits << 6 | (uint32_t)base64_value(*p->p);
		have += 6;
		digits++;
		if (have < 8)
			continue;
		have -= 8;
		buf_byte(p->out, (uint8_t)(bits >> have));
		bits &= (1u << have) - 1;
	}
	if (digits % 4 == 1 || bits != 0 || (padding > 0 && (digits + padding) % 4 != 0))
		return fail(p, ERROR_SYNTAX, p->p, "the base64 is cut, or its padding is wrong");
	p->p++;
	return 0;
}

/* A string of any kind: appends its content. Answers 0 when none is here, else
 * its major type, or a negative code. */
static int string_content(struct parse *p)
{
	int major = ITEM_BYTES, rc;

	if (take(p, '"')) {
		rc = quoted(p, '"');
		major = ITEM_TEXT;
	} else if (take(p, '\'')) {
		rc = quoted(p, '\'');
	} else if (take_word(p, "h'")) {
		rc = hex_string(p);
	} else if (take_word(p, "b64'")) {
		rc = base64_string(p);
	} else {
		return 0;
	}
	if (rc == 0)
		indicator(p);
	return rc != 0 ? rc : major;
}

static void string_end(struct parse *p, size_t at, enum item_major major)
{
	if (!p->out->failed)
		head_put(p, at, major, p->out->len - at - 1);
}

/* (_ "a", "b"), from its bracket on. */
static int chunks(struct parse *p)
{
	size_t at = head_keep(p, ITEM_TEXT);
	int major = 0, rc;

	p->p++;
	if (!take(p, '_'))
		return expected(p, "_ (chunks of a string are (_ \"a\", \"b\"))");
	do {
		const uint8_t *chunk;

		rc = blanks(p);
		if (rc != 0)
			return rc;
		chunk = p->p;
		rc = string_content(p);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return expected(p, "a string");
		if (major != 0 && rc != major)
			return fail(p, ERROR_SYNTAX, chunk, "chunks of text and of bytes in one string");
		major = rc;
		rc = blanks(p);
		if (rc != 0)
			return rc;
	} while (take(p, ','));
	if (!take(p, ')'))
		return expected(p, ", or )");
	string_end(p, at, (enum item_major)major);
	return 0;
}

/* Numbers and tags */

/* Behind "(": one item and ")". */
static int in_brackets(struct parse *p)
{
	int rc = item(p);

	if (rc == 0)
		rc = blanks(p);
	if (rc == 0 && !take(p, ')'))
		rc = expected(p, ")");
	return rc;
}

static int tag(struct parse *p, struct bytes number)
{
	uint64_t v = 0;
	int rc;

	for (size_t i = 0; i < number.n; i++) {
		uint8_t digit = number.p[i] - '0';

		if (!is_digit(number.p[i]) || v > (UINT64_MAX - digit) / 10)
			return fail(p, ERROR_SYNTAX, number.p, "tags are 0 to 18446744073709551615");
		v = v * 10 + digit;
	}
	p->p++;
	rc = deeper(p);
	if (rc != 0)
		return rc;
	item_put_head(p->out, ITEM_TAG, v);
	rc = in_brackets(p);
	p->depth--;
	return rc;
}

static int number(struct parse *p)
{
	bool is_float;
	struct bytes text = {p->p, (size_t)(p->end - p->p)};

	if (take_word(p, "-Infinity")) {
		buf_append(p->out, "\xf9\xfc", 3);
		indicator(p);
		return 0;
	}
	text.n = decimal_span(text, &is_float);
	p->p += text.n;
	if (text.n == 0) {
		p->p++;
		return expected(p, "a digit");
	}
	if (text.p[text.n - 1] == '0' && text.n <= 2 && p->p < p->end && is_digit(*p->p))
		return fail(p, ERROR_SYNTAX, text.p, "a number with a leading 0");
	indicator(p);
	if (next_is(p, '('))
		return tag(p, text);
	if (decimal_read(p->out, text, is_float) == 0)
		return 0;
	if (text.n > DECIMAL_DIGITS)
		return fail(p, ERROR_LIMIT, text.p, "a number of more than %d digits", DECIMAL_DIGITS);
	return fail(p, ERROR_LIMIT, text.p, "beyond the greatest float");
}

/* Words without quotes */

/* Behind "simple(". */
static int simple(struct parse *p)
{
	const uint8_t *at;
	unsigned v = 0, digits = 0;
	int rc = blanks(p);

	if (rc != 0)
		return rc;
	for (at = p->p; p->p < p->end && is_digit(*p->p) && digits < 4; digits++)
		v = v * 10 + (*p->p++ - '0');
	if (digits == 0)
		return expected(p, "a number");
	rc = blanks(p);
	if (rc != 0)
		return rc;
	if (v > 255 || (v >= 24 && v < 32))
		return fail(p, ERROR_SYNTAX, at, "simple values are 0 to 23 and 32 to 255");
	if (!take(p, ')'))
		return expected(p, ")");
	item_put_head(p->out, ITEM_SIMPLE, v);
	return 0;
}

static size_t word_span(const struct parse *p)
{
	const uint8_t *q = p->p;

	while (q < p->end && (is_letter(*q) || is_digit(*q) || *q == '_' || *q == '-'))
		q++;
	return (size_t)(q - p->p);
}

static int word(struct parse *p)
{
	static const struct {
		const char *word;
		uint8_t bytes[4]; /* its length, and its encoding */
	} known[] = {
		{"false", {1, 0xf4}},     {"true", {1, 0xf5}},
		{"null", {1, 0xf6}},      {"undefined", {1, 0xf7}},
		{"NaN", {3, 0xf9, 0x7e}}, {"Infinity", {3, 0xf9, 0x7c}},
	};
	size_t n = 0;

	while (p->p + n < p->end && is_letter(p->p[n]))
		n++;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (bytes_equal(bytes_of(known[i].word), (struct bytes){p->p, n})) {
			buf_append(p->out, known[i].bytes + 1, known[i].bytes[0]);
			p->p += n;
			indicator(p);
			return 0;
		}
	if (take_word(p, "simple("))
		return simple(p);
	n = word_span(p);
	return fail(p, ERROR_SYNTAX, p->p, "expected a value; text stands in quotes: \"%.*s\"",
		    (int)(n < 60 ? n : 60), (const char *)p->p);
}

/* Formals */

/* The constraints of a formal. None is spoken yet, and each is told from what
 * may follow a formal. */
static int formal_constraints(struct parse *p)
{
	const uint8_t *behind = p->p;
	int rc = p->depth > 0 ? blanks(p) : 0;

	if (rc != 0)
		return rc;
	if (p->p < p->end && *p->p != '\0' &&
	    (is_letter(*p->p) || is_digit(*p->p) || strchr("<>=!^({-", *p->p) != NULL))
		return fail(p, ERROR_SYNTAX, p->p,
			    "constraints of formals (ranges, prefixes, choices, has, min, max) are not "
			    "spoken yet");
	p->p = behind;
	return 0;
}

static int formal_name(struct parse *p, struct bytes name)
{
	struct diag_names *names = p->names;

	if (p->depth != 1 || p->field < 0)
		return fail(p, ERROR_SYNTAX, name.p, "only a field of the template itself has a name");
	if (names == NULL)
		return 0;
	for (unsigned i = 0; i < names->count; i++)
		if (bytes_equal(names->at[i].name, name))
			return fail(p, ERROR_SYNTAX, name.p, "this name is there already");
	if (names->count == sizeof names->at / sizeof *names->at)
		return fail(p, ERROR_LIMIT, name.p, "too many names");
	names->at[names->count++] = (struct diag_name){(unsigned)p->field, name};
	return 0;
}

/* ?, ?int, ?n:int */
static int formal(struct parse *p)
{
	struct bytes type;
	int named, rc = 0;

	if ((p->flags & DIAG_FORMALS) == 0)
		return fail(p, ERROR_SYNTAX, p->p, "a formal (?) stands in templates only; as text: \"?\"");
	p->p++;
	type = (struct bytes){p->p, word_span(p)};
	p->p += type.n;
	if (type.n > 0 && next_is(p, ':') && p->p + 1 < p->end && is_letter(p->p[1])) {
		struct bytes name = type;

		p->p++;
		type = (struct bytes){p->p, word_span(p)};
		p->p += type.n;
		rc = formal_name(p, name);
		if (rc != 0)
			return rc;
	}
	named = type.n == 0 ? ITEM_TYPE_ANY : item_type_named(type);
	if (named < 0 && bytes_equal(type, bytes_of("has"))) {
		p->p = type.p + type.n;
		return formal_constraints(p);
	}
	if (named < 0)
		return fail(p, ERROR_SYNTAX, type.p,
			    "no such type; there are null bool int float number text bytes array map tag "
			    "simple undefined, and ? or any");
	formal_put(p->out, (enum item_type)named);
	return formal_constraints(p);
}

/* Arrays and maps */

/* Behind the opening bracket: an indicator, then whether it closes at once. */
static int opened(struct parse *p, char shut, bool *empty)
{
	int rc;

	p->p++;
	indicator(p);
	rc = blanks(p);
	*empty = rc == 0 && take(p, shut);
	return rc;
}

/* Behind an entry: whether another one follows. */
static int another(struct parse *p, char shut, bool *more)
{
	int rc = blanks(p);

	if (rc != 0)
		return rc;
	*more = take(p, ',');
	if (*more || take(p, shut))
		return 0;
	return expected(p, shut == ']' ? ", or ]" : ", or }");
}

static int array(struct parse *p)
{
	size_t at = head_keep(p, ITEM_ARRAY);
	uint64_t count = 0;
	bool empty, more = true, top = p->depth == 0;
	int rc = deeper(p);

	if (rc != 0)
		return rc;
	rc = opened(p, ']', &empty);
	while (rc == 0 && !empty && more) {
		if (top)
			p->field = (int)count;
		rc = item(p);
		count++;
		if (rc == 0)
			rc = another(p, ']', &more);
	}
	if (top)
		p->field = -1;
	p->depth--;
	if (rc == 0)
		head_end(p, at, ITEM_ARRAY, count);
	return rc;
}

static int map(struct parse *p)
{
	size_t at = head_keep(p, ITEM_MAP);
	uint64_t count = 0;
	bool empty, more = true;
	int rc = deeper(p);

	if (rc != 0)
		return rc;
	rc = opened(p, '}', &empty);
	while (rc == 0 && !empty && more) {
		rc = item(p);
		if (rc == 0)
			rc = blanks(p);
		if (rc == 0 && !take(p, ':'))
			rc = expected(p, ":");
		if (rc == 0)
			rc = item(p);
		count++;
		if (rc == 0)
			rc = another(p, '}', &more);
	}
	p->depth--;
	if (rc == 0)
		head_end(p, at, ITEM_MAP, count);
	return rc;
}

static int string(struct parse *p)
{
	size_t at = head_keep(p, ITEM_TEXT);
	int major = string_content(p);

	if (major < 0)
		return major;
	if (major == 0) { /* a word that begins with h or b */
		p->out->len = at;
		return word(p);
	}
	string_end(p, at, (enum item_major)major);
	return 0;
}

static int item(struct parse *p)
{
	int rc = blanks(p);

	if (rc != 0)
		return rc;
	if (p->located) {
		struct place place = {p->out->len - p->base, (size_t)(p->p - p->start)};

		buf_append(&p->places, &place, sizeof place);
	}
	if (p->p == p->end)
		return expected(p, "a value");
	switch (*p->p) {
	case '[':
		return array(p);
	case '{':
		return map(p);
	case '(':
		return chunks(p);
	case '?':
		return formal(p);
	case '"':
	case '\'':
	case 'h':
	case 'b':
		return string(p);
	default:
		if (*p->p == '-' || is_digit(*p->p))
			return number(p);
		return is_letter(*p->p) ? word(p) : expected(p, "a value");
	}
}

/* One item and what may follow it. */
static int whole(struct parse *p)
{
	int rc = item(p);

	if (rc == 0)
		rc = blanks(p);
	if (rc == 0 && (p->flags & DIAG_MANY) == 0 && p->p != p->end)
		rc = expected(p, "the end");
	if (rc == 0 && (p->out->failed || p->places.failed))
		rc = fail(p, ERROR_NOMEM, p->start, "out of memory");
	return rc;
}

/* The text's offset of what codec_canonical() refused. */
static int refused(struct parse *p, const struct codec_limits *limits)
{
	struct buf scratch = BUF_INIT;
	struct codec_error err = {0};
	struct bytes unused;
	const struct place *place;
	size_t text = 0;
	int rc;

	p->p = p->start;
	p->out->len = p->base;
	p->located = true;
	p->names = NULL;
	rc = whole(p);
	if (rc == 0) {
		rc = codec_canonical((struct bytes){p->out->data + p->base, p->out->len - p->base}, &unused,
				     &scratch, limits, NULL, &err);
		place = (struct place *)(void *)p->places.data;
		for (size_t i = 0; i < p->places.len / sizeof *place && place[i].cbor <= err.offset; i++)
			text = place[i].text;
		if (rc != 0)
			fail(p, rc == ERROR_VALUE || rc == ERROR_MALFORMED ? ERROR_SYNTAX : rc,
			     p->start + text, "%s", err.why);
	}
	buf_close(&scratch);
	buf_close(&p->places);
	return p->err->code;
}

/* Brings what was written into canonical form. */
static int canonical(struct parse *p)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};
	struct bytes in = {p->out->data + p->base, p->out->len - p->base}, out;
	struct buf scratch = BUF_INIT;
	int rc = codec_canonical(in, &out, &scratch, &limits, NULL, NULL);

	if (rc != 0) {
		buf_close(&scratch);
		return refused(p, &limits);
	}
	if (out.p != in.p) {
		p->out->len = p->base;
		buf_append(p->out, out.p, out.n);
	}
	buf_close(&scratch);
	return p->out->failed ? fail(p, ERROR_NOMEM, p->start, "out of memory") : 0;
}

int diag_parse(struct bytes text, unsigned flags, struct buf *out, struct diag_names *names,
	       size_t *used, struct diag_error *err)
{
	struct parse p = {
		.start = text.p,
		.p = text.p,
		.end = text.p + text.n,
		.flags = flags,
		.out = out,
		.base = out->len,
		.names = names,
		.err = err,
		.field = -1,
		.places = BUF_INIT,
	};
	int rc;

	if (names != NULL)
		names->count = 0;
	rc = whole(&p);
	if (rc == 0)
		rc = canonical(&p);
	if (used != NULL)
		*used = (size_t)(p.p - p.start);
	if (rc != 0)
		out->len = p.base;
	return rc;
}
