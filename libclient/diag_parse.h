/* Between the files that parse diagnostic notation. */
#ifndef TILIA_DIAG_PARSE_H
#define TILIA_DIAG_PARSE_H

#include "item.h"
#include "scan.h"

#define DIAG_INSIDE (-1) /* not among the whole's fields */

struct parse {
	struct scan s;
	unsigned flags;
	unsigned depth;
	struct buf *out;
	size_t base; /* where in `out` the whole begins */
	struct diag_names *names; /* or NULL */
	const char *bare;  /* why no formal may stand here; NULL: one may */
	int field;         /* the top-level field that is parsed, or DIAG_INSIDE */
	bool located;      /* only heads of one byte are written, and places noted */
	struct buf places; /* struct place */
};

/* Takes the item that is next, blanks in front of it too, and appends it. */
int diag_item(struct parse *p);

/* One level more; the caller takes it from p->depth again. */
int diag_deeper(struct parse *p);

/* An array's or map's head is written when its count is known: a byte is kept
 * for it (the answer says where), and what follows moves when that is too little.
 * Located, the whole gets an end instead. */
size_t diag_head_keep(struct parse *p, enum item_major major);
void diag_head_end(struct parse *p, size_t at, enum item_major major, uint64_t count);

/* Takes a string of any kind, if one is next, and appends its content. Answers
 * 0 when none is, else its major type, or a negative code. */
int diag_string(struct scan *s, struct buf *out);

/* Takes a formal, whose ? is next, and appends its item. */
int diag_formal(struct parse *p);

/* The same of a reference, whose @ is next. */
int diag_ref(struct parse *p);

/* Appends the text of the reference (tag 21581) at `at`; false: it has none. */
bool diag_ref_print(struct buf *out, const uint8_t *at);

#endif
