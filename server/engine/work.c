/* Background work. Every work gets its turn with all the units that are left,
 * then goes to the end of the queue if it is not done. */
#include "state.h"

#include <assert.h>

void work_begin(struct engine *e, struct work *w,
                unsigned (*run)(struct engine *e, struct work *w, unsigned units))
{
	w->run = run;
	list_append(&e->work, &w->link);
}

void work_end(struct work *w)
{
	list_remove(&w->link);
}

bool work_active(const struct work *w)
{
	return !list_empty(&w->link);
}

void work_run(struct engine *e, unsigned units)
{
	while (units > 0 && !list_empty(&e->work)) {
		struct work *w = list_entry(list_first(&e->work), struct work, link);
		unsigned used;

		list_remove(&w->link);
		list_append(&e->work, &w->link);
		used = w->run(e, w, units);
		assert(used > 0);
		units -= used < units ? used : units;
	}
}
