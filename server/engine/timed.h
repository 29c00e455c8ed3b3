/* What only few tuples have: a time at which they become due, one at which they
 * expire, a session with which they vanish. It stands in a record beside the tuple,
 * found by its id; tuple.timed says that there is one. */
#ifndef TILIA_ENGINE_TIMED_H
#define TILIA_ENGINE_TIMED_H

#include "../../libclient/base/heap.h"
#include "../../libclient/base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct change;
struct engine;
struct message_put;
struct session;
struct space;
struct tuple;

struct timed {
	uint64_t id; /* first: key of engine.timed */
	struct tuple *tuple;
	struct space *space;
	uint64_t due_ms;         /* wall time: it is hidden until then; 0: it is not delayed */
	uint64_t expires_ms;     /* wall time; 0: never */
	struct heap_node moment; /* space.agenda: the sooner of both, when it stands in the space
	                            and nobody has claimed it */
	struct session *session; /* it is bound to; NULL: to none that lives */
	struct list link;        /* session.bound */
	bool visible, hidden;    /* where it stands; neither: it is taken */
	bool orphan;             /* the session it was bound to is over */
};

/* A new tuple, which stands nowhere yet, gets the times and the session it is put
 * with. True: it is delayed. */
bool timed_put(struct engine *e, struct session *by, struct space *s, struct tuple *t,
               const struct message_put *how);

/* The same at recovery, for a tuple that `owned` says is taken or claimed. */
bool timed_restore(struct engine *e, struct space *s, struct tuple *t, const struct change *c,
                   bool owned);

/* Writes into a CHANGE_PUT what the row keeps of that. */
void timed_row(const struct engine *e, const struct tuple *t, struct change *c);

/* A tuple with a record enters or leaves the space. */
void timed_enter(struct engine *e, struct tuple *t, bool hidden);
void timed_leave(struct engine *e, struct tuple *t);

/* A claimed tuple stays hidden, delayed. */
void timed_delay(struct engine *e, struct space *s, struct tuple *t, uint64_t delay_ms);

/* Whether a tuple does not exist any more, though it still stands in its space; or, of
 * one that is taken or claimed, whether it may not come back. */
bool timed_over(const struct engine *e, const struct tuple *t);

/* A moment has come: the tuple is due, or expires. */
void timed_moment(struct engine *e, struct heap_node *moment);

/* The session is over to which the tuple was bound. */
void timed_release(struct engine *e, struct timed *r);

/* Nothing of that is true any more. */
void timed_end(struct engine *e, struct tuple *t);

#endif
