/* The tuples of a reply as the objects tilia.h hands out. */
#ifndef TILIA_TUPLE_H
#define TILIA_TUPLE_H

#include "base/buf.h"
#include "tilia.h"

/* The tuple whose canonical array is at `p`; NULL when memory is out. */
struct tilia_tuple *tuple_make(uint64_t id, const uint8_t *p);

/* Makes the list of tuples of the body of a reply to `in` or `rd`: [[id,
 * tuple]...], canonical. *first is NULL when there are none. 0, ERROR_MALFORMED:
 * not of that form; ERROR_NOMEM. */
int tuple_list(struct bytes body, struct tilia_tuple **first);

/* The same of one entry, [id, tuple]. */
int tuple_entry(const uint8_t *p, struct tilia_tuple **tuple);

/* The tuple's bytes. */
struct bytes tuple_item(const struct tilia_tuple *tuple);

#endif
