/* A recursive descent over the text that writes definite heads, so that what it
 * writes is canonical already unless keys are not in order; codec_canonical()
 * then checks it. What that refuses has an offset in CBOR: the text is parsed
 * once more, noting where each item came from, to name the place in the text. */
#include "codec.h"
#include "decimal.h"
#include "diag_parse.h"
#include "error.h"
#include "item.h"

#include <assert.h>

/* Where an item is in the text and in the CBOR. */
struct place {
	size_t cbor, text;
};

size_t diag_head_keep(struct parse *p, enum item_major major)
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

void diag_head_end(struct parse *p, size_t at, enum item_major major, uint64_t count)
{
	if (p->located)
		buf_byte(p->out, 0xff);
	else
		head_put(p, at, major, count);
}

int diag_deeper(struct parse *p)
{
	if (p->depth == CODEC_DEPTH)
		return scan_fail(&p->s, ERROR_LIMIT, p->s.p, "nested more than %d deep",
				 CODEC_DEPTH);
	p->depth++;
	return 0;
}

static void string_end(struct parse *p, size_t at, enum item_major major)
{
	if (!p->out->failed)
		head_put(p, at, major, p->out->len - at - 1);
}

/* (_ "a", "b"), from its bracket on. */
static int chunks(struct parse *p)
{
	size_t at = diag_head_keep(p, ITEM_TEXT);
	int major = 0, rc;

	p->s.p++;
	if (!scan_take(&p->s, '_'))
		return scan_expected(&p->s, "_ (chunks of a string are (_ \"a\", \"b\"))");
	do {
		const uint8_t *chunk;

		rc = scan_blanks(&p->s);
		if (rc != 0)
			return rc;
		chunk = p->s.p;
		rc = diag_string(&p->s, p->out);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return scan_expected(&p->s, "a string");
		if (major != 0 && rc != major)
			return scan_fail(&p->s, ERROR_SYNTAX, chunk,
					 "chunks of text and of bytes in one string");
		major = rc;
		rc = scan_blanks(&p->s);
		if (rc != 0)
			return rc;
	} while (scan_take(&p->s, ','));
	if (!scan_take(&p->s, ')'))
		return scan_expected(&p->s, ", or )");
	string_end(p, at, (enum item_major)major);
	return 0;
}

/* Numbers and tags */

/* Behind "(": one item and ")". */
static int in_brackets(struct parse *p)
{
	int rc = diag_item(p);

	if (rc == 0)
		rc = scan_blanks(&p->s);
	if (rc == 0 && !scan_take(&p->s, ')'))
		rc = scan_expected(&p->s, ")");
	return rc;
}

static int tag(struct parse *p, struct bytes number)
{
	uint64_t v = 0;
	int rc;

	for (size_t i = 0; i < number.n; i++) {
		uint8_t digit = number.p[i] - '0';

		if (!scan_is_digit(number.p[i]) || v > (UINT64_MAX - digit) / 10)
			return scan_fail(&p->s, ERROR_SYNTAX, number.p,
					 "tags are 0 to 18446744073709551615");
		v = v * 10 + digit;
	}
	p->s.p++;
	rc = diag_deeper(p);
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
	struct bytes text = {p->s.p, (size_t)(p->s.end - p->s.p)};

	if (scan_take_word(&p->s, "-Infinity")) {
		buf_append(p->out, "\xf9\xfc", 3);
		scan_indicator(&p->s);
		return 0;
	}
	text.n = decimal_span(text, &is_float);
	p->s.p += text.n;
	if (text.n == 0) {
		p->s.p++;
		return scan_expected(&p->s, "a digit");
	}
	if (text.p[text.n - 1] == '0' && text.n <= 2 && p->s.p < p->s.end && scan_is_digit(*p->s.p))
		return scan_fail(&p->s, ERROR_SYNTAX, text.p, "a number with a leading 0");
	scan_indicator(&p->s);
	if (scan_next_is(&p->s, '('))
		return tag(p, text);
	if (decimal_read(p->out, text, is_float) == 0)
		return 0;
	if (text.n > DECIMAL_DIGITS)
		return scan_fail(&p->s, ERROR_LIMIT, text.p, "a number of more than %d digits",
				 DECIMAL_DIGITS);
	return scan_fail(&p->s, ERROR_LIMIT, text.p, "beyond the greatest float");
}

/* Words without quotes */

/* Behind "simple(". */
static int simple(struct parse *p)
{
	const uint8_t *at;
	unsigned v = 0, digits = 0;
	int rc = scan_blanks(&p->s);

	if (rc != 0)
		return rc;
	for (at = p->s.p; p->s.p < p->s.end && scan_is_digit(*p->s.p) && digits < 4; digits++)
		v = v * 10 + (*p->s.p++ - '0');
	if (digits == 0)
		return scan_expected(&p->s, "a number");
	rc = scan_blanks(&p->s);
	if (rc != 0)
		return rc;
	if (v > 255 || (v >= 24 && v < 32))
		return scan_fail(&p->s, ERROR_SYNTAX, at,
				 "simple values are 0 to 23 and 32 to 255");
	if (!scan_take(&p->s, ')'))
		return scan_expected(&p->s, ")");
	item_put_head(p->out, ITEM_SIMPLE, v);
	return 0;
}

static int word(struct parse *p)
{
	static const struct {
		const char *word;
		uint8_t bytes[4]; /* its length, and its encoding */
	} known[] = {
	    {"false", {1, 0xf4}},     {"true", {1, 0xf5}},      {"null", {1, 0xf6}},
	    {"undefined", {1, 0xf7}}, {"NaN", {3, 0xf9, 0x7e}}, {"Infinity", {3, 0xf9, 0x7c}},
	};
	size_t n = 0;

	while (p->s.p + n < p->s.end && scan_is_letter(p->s.p[n]))
		n++;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (bytes_equal(bytes_of(known[i].word), (struct bytes){p->s.p, n})) {
			buf_append(p->out, known[i].bytes + 1, known[i].bytes[0]);
			p->s.p += n;
			scan_indicator(&p->s);
			return 0;
		}
	if (scan_take_word(&p->s, "simple("))
		return simple(p);
	n = scan_word_span(&p->s);
	return scan_fail(&p->s, ERROR_SYNTAX, p->s.p,
			 "expected a value; text stands in quotes: \"%.*s\"",
			 (int)(n < 60 ? n : 60), (const char *)p->s.p);
}

/* Arrays and maps */

/* Behind the opening bracket: an indicator, then whether it closes at once. */
static int opened(struct parse *p, char shut, bool *empty)
{
	int rc;

	p->s.p++;
	scan_indicator(&p->s);
	rc = scan_blanks(&p->s);
	*empty = rc == 0 && scan_take(&p->s, shut);
	return rc;
}

/* Behind an entry: whether another one follows. */
static int another(struct parse *p, char shut, bool *more)
{
	int rc = scan_blanks(&p->s);

	if (rc != 0)
		return rc;
	*more = scan_take(&p->s, ',');
	if (*more || scan_take(&p->s, shut))
		return 0;
	return scan_expected(&p->s, shut == ']' ? ", or ]" : ", or }");
}

static int array(struct parse *p)
{
	size_t at = diag_head_keep(p, ITEM_ARRAY);
	uint64_t count = 0;
	bool empty, more = true, top = p->depth == 0;
	int rc = diag_deeper(p);

	if (rc != 0)
		return rc;
	rc = opened(p, ']', &empty);
	while (rc == 0 && !empty && more) {
		if (top)
			p->field = (int)count;
		rc = diag_item(p);
		count++;
		if (rc == 0)
			rc = another(p, ']', &more);
	}
	if (top)
		p->field = DIAG_INSIDE;
	p->depth--;
	if (rc == 0)
		diag_head_end(p, at, ITEM_ARRAY, count);
	return rc;
}

static int key(struct parse *p)
{
	const char *bare = p->bare;
	int rc;

	if (bare == NULL)
		p->bare = "a formal in the key of a map";
	rc = diag_item(p);
	p->bare = bare;
	return rc;
}

static int map(struct parse *p)
{
	size_t at = diag_head_keep(p, ITEM_MAP);
	uint64_t count = 0;
	bool empty, more = true;
	int rc = diag_deeper(p);

	if (rc != 0)
		return rc;
	rc = opened(p, '}', &empty);
	while (rc == 0 && !empty && more) {
		rc = key(p);
		if (rc == 0)
			rc = scan_blanks(&p->s);
		if (rc == 0 && !scan_take(&p->s, ':'))
			rc = scan_expected(&p->s, ":");
		if (rc == 0)
			rc = diag_item(p);
		count++;
		if (rc == 0)
			rc = another(p, '}', &more);
	}
	p->depth--;
	if (rc == 0)
		diag_head_end(p, at, ITEM_MAP, count);
	return rc;
}

static int string(struct parse *p)
{
	size_t at = diag_head_keep(p, ITEM_TEXT);
	int major = diag_string(&p->s, p->out);

	if (major < 0)
		return major;
	if (major == 0) { /* a word that begins with h or b */
		p->out->len = at;
		return word(p);
	}
	string_end(p, at, (enum item_major)major);
	return 0;
}

int diag_item(struct parse *p)
{
	int rc = scan_blanks(&p->s);

	if (rc != 0)
		return rc;
	if (p->located) {
		struct place place = {p->out->len - p->base, (size_t)(p->s.p - p->s.start)};

		buf_append(&p->places, &place, sizeof place);
	}
	if (p->s.p == p->s.end)
		return scan_expected(&p->s, "a value");
	switch (*p->s.p) {
	case '[':
		return array(p);
	case '{':
		return map(p);
	case '(':
		return chunks(p);
	case '?':
		return p->bare != NULL ? scan_fail(&p->s, ERROR_SYNTAX, p->s.p, "%s", p->bare)
				       : diag_formal(p);
	case '@':
		return diag_ref(p);
	case '"':
	case '\'':
	case 'h':
	case 'b':
		return string(p);
	default:
		if (*p->s.p == '-' || scan_is_digit(*p->s.p))
			return number(p);
		return scan_is_letter(*p->s.p) ? word(p) : scan_expected(&p->s, "a value");
	}
}

/* One item and what may follow it. */
static int whole(struct parse *p)
{
	int rc = diag_item(p);

	if (rc == 0)
		rc = scan_blanks(&p->s);
	if (rc == 0 && (p->flags & DIAG_MANY) == 0 && p->s.p != p->s.end)
		rc = scan_expected(&p->s, "the end");
	if (rc == 0 && (p->out->failed || p->places.failed))
		rc = scan_fail(&p->s, ERROR_NOMEM, p->s.start, "out of memory");
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

	p->s.p = p->s.start;
	p->out->len = p->base;
	p->located = true;
	p->names = NULL;
	rc = whole(p);
	if (rc == 0) {
		rc = codec_canonical((struct bytes){p->out->data + p->base, p->out->len - p->base},
				     &unused, &scratch, limits, NULL, &err);
		place = (struct place *)(void *)p->places.data;
		for (size_t i = 0; i < p->places.len / sizeof *place && place[i].cbor <= err.offset;
		     i++)
			text = place[i].text;
		assert(rc != 0);
		scan_fail(&p->s, rc == ERROR_VALUE ? ERROR_SYNTAX : rc, p->s.start + text, "%s",
			  err.why);
	}
	buf_close(&scratch);
	buf_close(&p->places);
	return p->s.err->code;
}

/* Brings what was written into canonical form. */
static int canonical(struct parse *p)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH};
	struct bytes in = {p->out->data + p->base, p->out->len - p->base}, out;
	struct buf scratch = BUF_INIT;
	int rc = codec_canonical(in, &out, &scratch, &limits, NULL, NULL);

	if (rc == 0 && out.p != in.p) {
		p->out->len = p->base;
		buf_append(p->out, out.p, out.n);
	}
	buf_close(&scratch);
	if (rc == ERROR_NOMEM || p->out->failed)
		return scan_fail(&p->s, ERROR_NOMEM, p->s.start, "out of memory");
	return rc != 0 ? refused(p, &limits) : 0;
}

int diag_parse(struct bytes text, unsigned flags, struct buf *out, struct diag_names *names,
	       size_t *used, struct diag_error *err)
{
	struct parse p = {
	    .s = {text.p, text.p, text.p + text.n, err},
	    .flags = flags,
	    .bare = (flags & DIAG_FORMALS) != 0
			? NULL
			: "a formal (?) stands in templates only; as text: \"?\"",
	    .out = out,
	    .base = out->len,
	    .names = names,
	    .field = DIAG_INSIDE,
	    .places = BUF_INIT,
	};
	int rc;

	if (names != NULL)
		names->count = 0;
	rc = whole(&p);
	if (rc == 0)
		rc = canonical(&p);
	if (used != NULL)
		*used = (size_t)(p.s.p - p.s.start);
	if (rc != 0)
		out->len = p.base;
	return rc;
}
