/* References of diagnostic notation: `@0.1` is field 1 of what guard 0 of an atomic
 * matched, `@0.1+5` and `@0.1-1` that and an integer. Tag 21581 in CBOR. Both ways. */
#include "decimal.h"
#include "diag_parse.h"
#include "error.h"
#include "formal.h"
#include "message.h"

/* Takes a number below `most`. */
static int take_index(struct scan *s, const char *what, unsigned most, unsigned *v)
{
	const uint8_t *at = s->p;

	for (*v = 0; s->p < s->end && scan_is_digit(*s->p) && *v < most;)
		*v = *v * 10 + (*s->p++ - '0');
	if (s->p == at)
		return scan_expected(s, what);
	if (*v >= most || (*at == '0' && s->p - at > 1))
		return scan_fail(s, ERROR_SYNTAX, at, "expected %s, 0 to %u", what, most - 1);
	return 0;
}

/* Takes +5 or -1. */
static int take_add(struct parse *p)
{
	const uint8_t *at = p->s.p + (*p->s.p == '+');
	struct bytes number = {at, (size_t)(p->s.end - at)};
	bool is_float;

	number.n = decimal_span(number, &is_float);
	p->s.p = at + number.n;
	if (number.n == 0 || (at > p->s.start && at[-1] == '+' && *at == '-'))
		return scan_fail(&p->s, ERROR_SYNTAX, at, "expected digits: @0.1+5, @0.1-1");
	if (is_float)
		return scan_fail(&p->s, ERROR_SYNTAX, at, "a reference adds an integer");
	if (decimal_read(p->out, number, false) != 0)
		return scan_fail(&p->s, ERROR_LIMIT, at, "a number of more than %d digits",
		                 DECIMAL_DIGITS);
	return 0;
}

int diag_ref(struct parse *p)
{
	unsigned guard, field;
	size_t at;
	bool adds;
	int rc;

	if ((p->flags & DIAG_REFS) == 0)
		return scan_fail(&p->s, ERROR_SYNTAX, p->s.p,
		                 "a reference (@) stands in what an atomic puts; as text: \"@\"");
	p->s.p++;
	rc = take_index(&p->s, "a guard's number", MESSAGE_GUARDS_MAX, &guard);
	if (rc == 0 && !scan_take(&p->s, '.'))
		rc = scan_expected(&p->s, ". (a reference is @guard.field)");
	if (rc == 0)
		rc = take_index(&p->s, "a field's number", FORMAL_FIELDS, &field);
	if (rc != 0)
		return rc;
	adds = scan_next_is(&p->s, '+') || scan_next_is(&p->s, '-');
	item_put_head(p->out, ITEM_TAG, ITEM_TAG_REF);
	at = diag_head_keep(p, ITEM_ARRAY);
	item_put_uint(p->out, guard);
	item_put_uint(p->out, field);
	rc = adds ? take_add(p) : 0;
	if (rc == 0)
		diag_head_end(p, at, ITEM_ARRAY, 2 + adds);
	return rc;
}

/* Whether that is what diag_ref() reads. */
static bool has_text(const uint8_t *content)
{
	struct item_head list, guard, field;
	const uint8_t *p = item_head(content, &list);

	if (list.major != ITEM_ARRAY || list.arg < 2 || list.arg > 3)
		return false;
	item_head(p, &guard);
	p = item_skip(p);
	item_head(p, &field);
	if (guard.major != ITEM_UINT || guard.arg >= MESSAGE_GUARDS_MAX ||
	    field.major != ITEM_UINT || field.arg >= FORMAL_FIELDS)
		return false;
	p = item_skip(p);
	return list.arg == 2 ||
	       (item_type(p) == ITEM_TYPE_INT && item_bytes(p).n <= DECIMAL_BYTES);
}

bool diag_ref_print(struct buf *out, const uint8_t *at)
{
	struct message_ref ref;
	struct item_head tag;

	if (!has_text(item_head(at, &tag)))
		return false;
	message_ref_read(at, &ref);
	buf_printf(out, "@%u.%u", (unsigned)ref.guard, (unsigned)ref.field);
	if (ref.add == NULL)
		return true;
	item_head(ref.add, &tag);
	if (tag.major == ITEM_UINT || (tag.major == ITEM_TAG && tag.arg == 2))
		buf_byte(out, '+');
	diag_print(out, ref.add);
	return true;
}
