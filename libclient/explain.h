/* Why a tuple does not match a template, in words for people. Both are canonical
 * items that were checked; the template may be null. */
#ifndef TILIA_EXPLAIN_H
#define TILIA_EXPLAIN_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define EXPLAIN_MATCH (-1)  /* instead of a field: it matches */
#define EXPLAIN_LENGTH (-2) /* it has another number of fields */

/* The first field that does not match, and how many do; or one of the above. */
int explain_field(const uint8_t *template, const uint8_t *tuple, unsigned *matching);

/* Appends what is wrong with that field, and who wants it otherwise: "field 2 is
 * 17.0 (float), the template wants int". Inside of a field the place is named:
 * "field 1["size"][0] is ...". Long values are cut. Nothing for EXPLAIN_MATCH. */
void explain_text(struct buf *out, const uint8_t *template, const uint8_t *tuple, int field,
                  const char *who);

#endif
