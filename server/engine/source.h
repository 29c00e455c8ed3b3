/* What there is to look through for a template: buckets (or shelves) of an index,
 * or the whole of a space, as one stream of tuples. */
#ifndef TILIA_ENGINE_SOURCE_H
#define TILIA_ENGINE_SOURCE_H

#include "../../libclient/formal.h"
#include "index.h"
#include "order.h"

#define SOURCE_CHOICES 16 /* buckets that are merged, of visible and of hidden tuples each */

/* How a template is looked up. A field with a choice (a oneof) counts as bound, and
 * every value has a bucket of its own, while there are not too many. */
struct lookup {
	struct shape shape; /* of the index */
	struct order order; /* in which the matches are wanted */
	uint8_t residue;    /* fields of which the buckets do not say all */
};

/* `sorted`: the template's order counts, if it has one. Not for null. */
void lookup_open(struct lookup *l, const struct template *t, bool sorted);

struct source {
	struct order order;
	struct formal range; /* of the field it is in order of; nothing outside is shown */
	unsigned count;
	struct {
		void *bucket; /* in an order by values: the shelf */
		struct tuple *next;
	} from[2 * SOURCE_CHOICES];
};

/* What the complete index `x` (NULL: the space itself) has for the template. It is
 * valid until the space changes. */
void source_open(struct source *src, const struct engine *e, struct space *s,
                 const struct index *x, const struct template *t, bool hidden);

/* How many tuples there are. Not in an order by values. */
uint64_t source_count(const struct source *src);

/* The place before all that may be shown. */
struct place source_start(const struct source *src);

/* What is shown next is what comes behind the place; then one after the other, in
 * the source's order. NULL: there is no more. */
void source_seek(struct source *src, const struct place *p);
struct tuple *source_next(struct source *src);

#endif
