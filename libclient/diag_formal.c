/* The formals of diagnostic notation: ?, ?int, ?n:int. */
#include "diag_parse.h"
#include "error.h"
#include "formal.h"
#include "item.h"

/* The constraints of a formal have their place here. None is spoken yet. */
static int constraint(struct scan *s)
{
	return scan_fail(
	    s, ERROR_SYNTAX, s->p,
	    "constraints of formals (ranges, prefixes, choices, has, min, max) are not "
	    "spoken yet");
}

/* Behind a formal: each constraint is told from what may follow a formal. */
static int constraints(struct scan *s, bool alone)
{
	const uint8_t *behind = s->p;
	int rc = alone ? 0 : scan_blanks(s);

	if (rc != 0)
		return rc;
	if (s->p < s->end && *s->p != '\0' &&
	    (scan_is_letter(*s->p) || scan_is_digit(*s->p) || strchr("<>=!^({-", *s->p) != NULL))
		return constraint(s);
	s->p = behind;
	return 0;
}

static int put_name(struct scan *s, int field, struct bytes name, struct diag_names *names)
{
	if (field < 0)
		return scan_fail(s, ERROR_SYNTAX, name.p,
				 "only a field of the template itself has a name");
	if (names == NULL)
		return 0;
	for (unsigned i = 0; i < names->count; i++)
		if (bytes_equal(names->at[i].name, name))
			return scan_fail(s, ERROR_SYNTAX, name.p, "this name is there already");
	if (names->count == sizeof names->at / sizeof *names->at)
		return scan_fail(s, ERROR_LIMIT, name.p, "too many names");
	names->at[names->count++] = (struct diag_name){(unsigned)field, name};
	return 0;
}

int diag_formal(struct scan *s, struct buf *out, int field, struct diag_names *names)
{
	struct bytes type;
	int named, rc = 0;

	s->p++;
	type = (struct bytes){s->p, scan_word_span(s)};
	s->p += type.n;
	if (type.n > 0 && scan_next_is(s, ':') && s->p + 1 < s->end && scan_is_letter(s->p[1])) {
		struct bytes name = type;

		s->p++;
		type = (struct bytes){s->p, scan_word_span(s)};
		s->p += type.n;
		rc = put_name(s, field, name, names);
		if (rc != 0)
			return rc;
	}
	named = type.n == 0 ? ITEM_TYPE_ANY : item_type_named(type);
	if (named < 0 && bytes_equal(type, bytes_of("has")))
		return constraint(s);
	if (named < 0)
		return scan_fail(
		    s, ERROR_SYNTAX, type.p,
		    "no such type; there are null bool int float number text bytes array map tag "
		    "simple undefined, and ? or any");
	formal_put(out, (enum item_type)named);
	return constraints(s, field == DIAG_ALONE);
}
