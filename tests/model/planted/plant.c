/* Defects, planted into the engine where its files call each other (ld --wrap): the
 * walk must find each. $PLANT names the one there is. */
#include "../../../server/engine/state.h"

#include <stdlib.h>

static bool planted(const char *name)
{
	const char *plant = getenv("PLANT");

	return plant && strcmp(plant, name) == 0;
}

/* ---- a wake-up is lost while an index is being built --------------------------------- */

bool __real_waiter_serve(struct engine *e, struct space *s, struct tuple *t, const struct keys *k);
bool __wrap_waiter_serve(struct engine *e, struct space *s, struct tuple *t, const struct keys *k);

static bool is_building(const struct space *s, const struct tuple *t)
{
	const struct arity *a = s->arities[t->fields];

	for (const struct list *it = a ? a->indexes.next : NULL; a && it != &a->indexes;
	     it = it->next)
		if (list_entry(it, struct index, link)->position != UINT64_MAX)
			return true;
	return false;
}

bool __wrap_waiter_serve(struct engine *e, struct space *s, struct tuple *t, const struct keys *k)
{
	if (planted("wake-up") && is_building(s, t))
		return false;
	return __real_waiter_serve(e, s, t, k);
}

/* ---- a returned claim is in the wrong place: behind all others -------------------------- */

void __real_space_reveal(struct engine *e, struct space *s, struct tuple *t);
void __wrap_space_reveal(struct engine *e, struct space *s, struct tuple *t);

void __wrap_space_reveal(struct engine *e, struct space *s, struct tuple *t)
{
	if (!planted("place") || t->timed) {
		__real_space_reveal(e, s, t);
		return;
	}
	space_forget(e, s, t);
	t->id = engine_id(e);
	space_appear(e, s, t);
}

/* ---- a token is issued again after a restart ---------------------------------------------- */

int __real_engine_step(struct engine *e, const struct event *ev, struct effects *fx);
int __wrap_engine_step(struct engine *e, const struct event *ev, struct effects *fx);

int __wrap_engine_step(struct engine *e, const struct event *ev, struct effects *fx)
{
	struct change change;
	struct event other;

	if (!planted("token") || ev->kind != EV_RESTORE || ev->change->kind != CHANGE_CEILING)
		return __real_engine_step(e, ev, fx);
	change = *ev->change;
	change.number -= ENGINE_CEILING_STEP / 2;
	other = *ev;
	other.change = &change;
	return __real_engine_step(e, &other, fx);
}

/* ---- a claim is not restored ----------------------------------------------------------------- */

void __real_claim_restore(struct engine *e, struct session *s, struct space *sp,
                          const struct change *c, struct tuple *t);
void __wrap_claim_restore(struct engine *e, struct session *s, struct space *sp,
                          const struct change *c, struct tuple *t);

void __wrap_claim_restore(struct engine *e, struct session *s, struct space *sp,
                          const struct change *c, struct tuple *t)
{
	if (planted("claim"))
		space_store(e, sp, t, false);
	else
		__real_claim_restore(e, s, sp, c, t);
}
