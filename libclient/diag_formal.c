/* The formals of diagnostic notation, read: ?, ?int, ?n:int, and behind the type,
 * in any order, what constrains it: 1..9 >=1 >1 <=9 <9 !=5 ^"prefix" (1|2|3),
 * has{"k": 1}, and min or max. diag_print.c writes them. */
#include "diag_parse.h"
#include "error.h"
#include "formal.h"

/* A formal's map while it is written. */
struct constraints {
	enum item_type type;
	unsigned seen; /* bits, by enum formal_key */
	unsigned count;
};

static const char no_type[] =
    "no such type; there are null bool int float number text bytes array map tag simple "
    "undefined, and ? or any";

/* Whether the word that is next is one that stands where a type would. */
static bool at_word(const struct scan *s, const char *word)
{
	return bytes_equal((struct bytes){s->p, scan_word_span(s)}, bytes_of(word));
}

static bool at_order(const struct scan *s)
{
	return at_word(s, "min") || at_word(s, "max");
}

static bool at_bound(const struct scan *s)
{
	if (s->p == s->end || *s->p == '\0' || at_word(s, "has") || at_order(s))
		return false;
	return scan_is_letter(*s->p) || scan_is_digit(*s->p) || strchr("-\"'", *s->p) != NULL;
}

static bool at_constraint(const struct scan *s)
{
	return s->p < s->end && *s->p != '\0' &&
	       (scan_is_letter(*s->p) || scan_is_digit(*s->p) ||
		strchr("-\"'.<>!^(", *s->p) != NULL);
}

/* Writes a key of the map; `at` is where its constraint stands. */
static int put_key(struct parse *p, struct constraints *c, enum formal_key key, const uint8_t *at)
{
	if ((c->seen >> key & 1) != 0)
		return scan_fail(&p->s, ERROR_SYNTAX, at, "a constraint that is there already: %s",
				 formal_key_name(key));
	c->seen |= 1u << key;
	c->count++;
	item_put_text(p->out, formal_key_name(key));
	return 0;
}

/* Judges the value that was written at `from` and stands at `at`. What is read once
 * more to be located was judged the first time. */
static int judge(struct parse *p, struct constraints *c, enum formal_key key, size_t from,
		 const uint8_t *at)
{
	const char *why;
	int rc;

	if (p->located || p->out->failed)
		return 0;
	rc = formal_judge(c->type, key, p->out->data + from, &why);
	if (rc == 0)
		return 0;
	return scan_fail(&p->s, rc == ERROR_VALUE ? ERROR_SYNTAX : rc, at, "%s: %s", why,
			 formal_key_name(key));
}

/* A constraint's value. Formals may stand in that of `has` alone. */
static int value(struct parse *p, struct constraints *c, enum formal_key key)
{
	const char *bare = p->bare;
	size_t from = p->out->len;
	const uint8_t *at;
	int rc = scan_blanks(&p->s);

	if (rc != 0)
		return rc;
	at = p->s.p;
	if (key != FORMAL_HAS)
		p->bare = "a formal where only a value may stand";
	rc = diag_item(p);
	p->bare = bare;
	return rc == 0 ? judge(p, c, key, from, at) : rc;
}

/* 1..9, 1.. and ..9 */
static int range(struct parse *p, struct constraints *c)
{
	const uint8_t *at = p->s.p;
	bool least = at_bound(&p->s), most;
	int rc = 0;

	if (least) {
		rc = put_key(p, c, FORMAL_GE, at);
		if (rc == 0)
			rc = value(p, c, FORMAL_GE);
		if (rc == 0)
			rc = scan_blanks(&p->s);
		if (rc != 0)
			return rc;
	}
	if (!scan_take_word(&p->s, ".."))
		return scan_expected(&p->s, ".. (a range is 1..9, 1.. or ..9)");
	rc = scan_blanks(&p->s);
	most = rc == 0 && at_bound(&p->s);
	if (rc != 0 || (least && !most))
		return rc;
	if (!most)
		return scan_expected(&p->s, "a bound");
	rc = put_key(p, c, FORMAL_LE, at);
	return rc == 0 ? value(p, c, FORMAL_LE) : rc;
}

/* (1|2|3), from its bracket on. */
static int choice(struct parse *p, struct constraints *c)
{
	const char *bare = p->bare;
	const uint8_t *at = p->s.p++;
	uint64_t count = 0;
	size_t from;
	int rc = put_key(p, c, FORMAL_ONEOF, at);

	if (rc != 0)
		return rc;
	from = diag_head_keep(p, ITEM_ARRAY);
	p->bare = "a formal where only a value may stand";
	rc = diag_deeper(p);
	if (rc != 0)
		return rc;
	do {
		rc = diag_item(p);
		count++;
		if (rc == 0)
			rc = scan_blanks(&p->s);
	} while (rc == 0 && scan_take(&p->s, '|'));
	p->depth--;
	p->bare = bare;
	if (rc != 0)
		return rc;
	if (!scan_take(&p->s, ')'))
		return scan_expected(&p->s, "| or )");
	diag_head_end(p, from, ITEM_ARRAY, count);
	return judge(p, c, FORMAL_ONEOF, from, at);
}

static int has(struct parse *p, struct constraints *c)
{
	int rc = put_key(p, c, FORMAL_HAS, p->s.p);

	p->s.p += strlen("has");
	if (rc == 0)
		rc = scan_blanks(&p->s);
	if (rc == 0 && !scan_next_is(&p->s, '{'))
		rc = scan_expected(&p->s, "{ (has is followed by a map)");
	return rc == 0 ? value(p, c, FORMAL_HAS) : rc;
}

/* min and max, of one field of the template itself. */
static int order(struct parse *p, struct constraints *c)
{
	const uint8_t *at = p->s.p;
	size_t from;
	int rc = put_key(p, c, FORMAL_ORDER, at);

	if (rc != 0)
		return rc;
	from = p->out->len;
	item_put_text(p->out, at_word(&p->s, "min") ? "min" : "max");
	p->s.p += strlen("min");
	return judge(p, c, FORMAL_ORDER, from, at);
}

/* The one that is next. */
static int constraint(struct parse *p, struct constraints *c)
{
	static const struct {
		const char *sign;
		enum formal_key key;
	} signs[] = {
	    {">=", FORMAL_GE}, {"<=", FORMAL_LE}, {"!=", FORMAL_NE},
	    {">", FORMAL_GT},  {"<", FORMAL_LT},  {"^", FORMAL_PREFIX},
	};
	const uint8_t *at = p->s.p;
	int rc;

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (scan_take_word(&p->s, signs[i].sign)) {
			rc = put_key(p, c, signs[i].key, at);
			return rc == 0 ? value(p, c, signs[i].key) : rc;
		}
	if (scan_next_is(&p->s, '!')) {
		p->s.p++;
		return scan_expected(&p->s, "= (another value is !=5)");
	}
	if (scan_next_is(&p->s, '('))
		return choice(p, c);
	if (at_word(&p->s, "has"))
		return has(p, c);
	if (at_order(&p->s))
		return order(p, c);
	return range(p, c);
}

/* The constraints, the first of which is next. */
static int constraints(struct parse *p, enum item_type type)
{
	struct constraints c = {.type = type};
	const uint8_t *behind;
	size_t from;
	int rc = diag_deeper(p); /* the tag */

	item_put_head(p->out, ITEM_TAG, ITEM_TAG_FORMAL);
	from = diag_head_keep(p, ITEM_MAP);
	if (rc == 0)
		rc = diag_deeper(p);
	if (rc == 0 && type != ITEM_TYPE_ANY) {
		rc = put_key(p, &c, FORMAL_TYPE, p->s.p);
		item_put_text(p->out, item_type_name(type));
	}
	do {
		if (rc == 0)
			rc = constraint(p, &c);
		behind = p->s.p;
		if (rc == 0)
			rc = scan_blanks(&p->s);
	} while (rc == 0 && at_constraint(&p->s));
	if (rc != 0)
		return rc;
	p->s.p = behind;
	p->depth -= 2;
	diag_head_end(p, from, ITEM_MAP, c.count);
	return 0;
}

static int put_name(struct parse *p, struct bytes name)
{
	struct diag_names *names = p->names;

	if (p->depth != 1 || p->field == DIAG_INSIDE)
		return scan_fail(&p->s, ERROR_SYNTAX, name.p,
				 "only a field of the template itself has a name");
	if (names == NULL)
		return 0;
	for (unsigned i = 0; i < names->count; i++)
		if (bytes_equal(names->at[i].name, name))
			return scan_fail(&p->s, ERROR_SYNTAX, name.p, "this name is there already");
	if (names->count == sizeof names->at / sizeof *names->at)
		return scan_fail(&p->s, ERROR_LIMIT, name.p, "too many names");
	names->at[names->count++] = (struct diag_name){(unsigned)p->field, name};
	return 0;
}

/* A name and its colon, if they are next. */
static int name(struct parse *p)
{
	struct bytes word = {p->s.p, scan_word_span(&p->s)};

	if (word.n == 0 || word.p + word.n == p->s.end || word.p[word.n] != ':')
		return 0;
	p->s.p += word.n + 1;
	if (!at_constraint(&p->s))
		return scan_expected(&p->s, "a type");
	return put_name(p, word);
}

/* A type, if one is next. */
static int type(struct parse *p, enum item_type *t)
{
	struct bytes word = {p->s.p, scan_word_span(&p->s)};
	int named = item_type_named(word);

	*t = ITEM_TYPE_ANY;
	if (word.n == 0 || !scan_is_letter(*word.p) || at_word(&p->s, "has") || at_order(&p->s))
		return 0;
	if (named < 0)
		return scan_fail(&p->s, ERROR_SYNTAX, word.p, no_type);
	*t = (enum item_type)named;
	p->s.p += word.n;
	return 0;
}

int diag_formal(struct parse *p)
{
	const uint8_t *behind;
	enum item_type t = ITEM_TYPE_ANY;
	int rc;

	p->s.p++;
	rc = name(p);
	if (rc == 0)
		rc = type(p, &t);
	behind = p->s.p;
	if (rc == 0)
		rc = scan_blanks(&p->s);
	if (rc != 0)
		return rc;
	if (at_constraint(&p->s))
		return constraints(p, t);
	p->s.p = behind;
	formal_put(p->out, t);
	return 0;
}
