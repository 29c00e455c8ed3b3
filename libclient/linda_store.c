/* Values of a tuple that was found, back into the variables of the caller. */
#include "linda.h"

#include "base/xmalloc.h"
#include "error.h"
#include "formal.h"
#include "item.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool linda_matches(const struct linda *l, struct bytes tuple)
{
	return formal_match(l->item.data, tuple.p);
}

struct walk {
	struct linda *l;
	const char *f; /* the format */
	const uint8_t *v; /* the value that stands there */
	unsigned slot, field;
	bool store; /* else: look, and allocate */
};

static int misfit(struct walk *w, const char *what)
{
	snprintf(w->l->why, sizeof(w->l->why), "field %u: %s", w->field, what);
	return ERROR_VALUE;
}

static int read_copy(struct walk *w, struct linda_slot *s, struct bytes b)
{
	uint8_t *p = xtry_malloc(b.n + 1);

	if (p == NULL) {
		snprintf(w->l->why, sizeof(w->l->why), "%s", error_text(ERROR_NOMEM));
		return ERROR_NOMEM;
	}
	if (b.n != 0)
		memcpy(p, b.p, b.n);
	p[b.n] = '\0';
	s->value.p = p;
	s->value_size = b.n;
	return 0;
}

static int read_int(struct walk *w, struct linda_slot *s)
{
	static const char *const what[] = {
		"the integer does not fit an int", "the integer does not fit an unsigned",
		"the integer does not fit an int64_t", "the integer does not fit an uint64_t"};
	uint64_t limits[] = {INT_MAX, UINT_MAX, INT64_MAX, UINT64_MAX};
	unsigned kind = (unsigned)(strchr("iulL", s->letter) - "iulL");
	bool is_signed = kind % 2 == 0;
	struct item_head h;

	item_head(w->v, &h);
	if (h.major > ITEM_NINT || h.arg > limits[kind] || (h.major == ITEM_NINT && !is_signed))
		return misfit(w, what[kind]);
	if (h.major == ITEM_NINT)
		s->value.i = -1 - (int64_t)h.arg;
	else
		s->value.u = h.arg;
	return 0;
}

static double number(const uint8_t *v)
{
	struct item_head h;
	struct bytes big;
	double d = 0;

	v = item_head(v, &h);
	if (h.major == ITEM_UINT)
		return (double)h.arg;
	if (h.major == ITEM_NINT)
		return -1 - (double)h.arg;
	if (h.major == ITEM_SIMPLE)
		return item_float(&h);
	big = item_string(v);
	for (size_t i = 0; i < big.n; i++)
		d = d * 256 + big.p[i];
	return h.arg == 2 ? d : -1 - d;
}

static int read_value(struct walk *w, struct linda_slot *s)
{
	struct item_head h;
	struct bytes string;

	switch (s->letter) {
	case 'i':
	case 'u':
	case 'l':
	case 'L':
		return read_int(w, s);
	case 'd':
	case 'N':
		s->value.d = number(w->v);
		return 0;
	case 'b':
		s->value.u = *w->v == 0xf5;
		return 0;
	case 'v':
		item_head(w->v, &h);
		s->value.i = (int)h.arg;
		return 0;
	case 's':
		string = item_string(w->v);
		if (string.n != 0 && memchr(string.p, 0, string.n) != NULL)
			return misfit(w, "the text has a NUL in it (use ?S)");
		return read_copy(w, s, string);
	case 'S':
	case 'y':
		return read_copy(w, s, item_string(w->v));
	default:
		return read_copy(w, s, item_bytes(w->v));
	}
}

static void store_value(struct linda_slot *s)
{
	switch (s->letter) {
	case 'i':
		*(int *)s->to = (int)s->value.i;
		break;
	case 'u':
		*(unsigned *)s->to = (unsigned)s->value.u;
		break;
	case 'l':
		*(int64_t *)s->to = s->value.i;
		break;
	case 'L':
		*(uint64_t *)s->to = s->value.u;
		break;
	case 'd':
	case 'N':
		*(double *)s->to = s->value.d;
		break;
	case 'b':
		*(bool *)s->to = s->value.u != 0;
		break;
	case 'v':
		*(int *)s->to = (int)s->value.i;
		break;
	default:
		*(void **)s->to = s->value.p;
		if (s->size != NULL)
			*s->size = s->value_size;
		break;
	}
}

static bool is_copied(char letter)
{
	return strchr("sSyc[{t", letter) != NULL;
}

static int visit(struct walk *w, struct linda_slot *s)
{
	int code = 0;

	if (s->to != NULL && !w->store)
		code = read_value(w, s);
	else if (s->to != NULL)
		store_value(s);
	w->v = item_skip(w->v);
	return code;
}

/* Walks `count` items of format and value side by side; the two match. */
static int walk_items(struct walk *w, uint64_t count, bool top)
{
	struct item_head h;
	int code = 0;

	for (uint64_t i = 0; i < count && code == 0; i++) {
		if (top)
			w->field = (unsigned)i;
		linda_skip_blanks(&w->f);
		if (*w->f == '?' || *w->f == '_') {
			w->f += *w->f == '?' ? 2 : 1;
			code = visit(w, &w->l->slots[w->slot++]);
		} else if (*w->f == '[') {
			w->v = item_head(w->v, &h);
			w->f++;
			code = walk_items(w, h.arg, false);
			linda_skip_blanks(&w->f);
			w->f++;
		} else {
			linda_skip_one(&w->f);
			w->v = item_skip(w->v);
		}
	}
	return code;
}

static int walk(struct linda *l, struct bytes tuple, bool store)
{
	struct walk w = {.l = l, .f = l->format, .store = store};
	struct item_head h;

	w.v = item_head(tuple.p, &h);
	return walk_items(&w, h.arg, true);
}

int linda_store(struct linda *l, struct bytes tuple)
{
	int code;

	for (unsigned i = 0; i < l->count; i++)
		l->slots[i].value.p = NULL;
	code = walk(l, tuple, false);
	if (code == 0)
		return walk(l, tuple, true);
	for (unsigned i = 0; i < l->count; i++) {
		if (is_copied(l->slots[i].letter))
			xfree(l->slots[i].value.p);
	}
	return code;
}
