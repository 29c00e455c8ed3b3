/* C-Linda: tuples and templates out of formats ("s?i?s") and variable
 * arguments, and values back through the pointers. The letters are explained in
 * tilia.h. Pure: no handle, no connection. */
#ifndef TILIA_LINDA_H
#define TILIA_LINDA_H

#include "base/buf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define LINDA_WHY 160
#define LINDA_SLOTS 255
#define LINDA_DEPTH 32

/* Where the value of a `?` goes. */
struct linda_slot {
	char letter;
	void *to;     /* NULL: nowhere */
	size_t *size; /* letters with a size */
	union {       /* read, and not yet stored */
		int64_t i;
		uint64_t u;
		double d;
		void *p;
	} value;
	size_t value_size;
};

struct linda {
	struct buf item; /* canonical CBOR: the tuple or template */
	const char *format;
	unsigned count;
	char why[LINDA_WHY]; /* of a failure; names the field */
	struct linda_slot slots[LINDA_SLOTS];
};

/* Builds l->item. `formals`: `?` and `_` are allowed. *l needs no preparation;
 * linda_close() in any case. `format` must live as long as *l. 0, ERROR_USAGE
 * (the format, a NULL text), ERROR_VALUE (not UTF-8, not CBOR, duplicate keys),
 * ERROR_LIMIT, ERROR_NOMEM; l->why says where, "field 2: ...". */
int linda_build(struct linda *l, bool formals, const char *format, va_list args);
void linda_close(struct linda *l);

/* Whether the canonical `tuple` matches what was built. */
bool linda_matches(const struct linda *l, struct bytes tuple);

/* Stores a matching tuple's values through the pointers: all, or on an error
 * none. ERROR_VALUE: one does not fit its variable; ERROR_NOMEM. */
int linda_store(struct linda *l, struct bytes tuple);

/* Of a format: moves *p over blanks, and over one item; false at its end or at a
 * closing bracket. */
void linda_skip_blanks(const char **p);
bool linda_skip_one(const char **p);

#endif
