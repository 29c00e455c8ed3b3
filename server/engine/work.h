/* Background work, in slices. */
#ifndef TILIA_ENGINE_WORK_H
#define TILIA_ENGINE_WORK_H

#include "../../libclient/base/list.h"

#include <stdbool.h>

struct engine;

struct work {
	struct list link; /* engine.work */
	/* Does up to `units` and answers how many; a work that is done takes itself
	 * off with work_end() (and may free itself). */
	unsigned (*run)(struct engine *e, struct work *w, unsigned units);
};

void work_begin(struct engine *e, struct work *w,
                unsigned (*run)(struct engine *e, struct work *w, unsigned units));
void work_end(struct work *w);
bool work_active(const struct work *w);
void work_run(struct engine *e, unsigned units);

#endif
