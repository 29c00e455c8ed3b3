/* Sessions: what survives a broken connection. One without an id (number 0)
 * belongs to its connection, ends with it, and is acknowledged by the kernel's
 * having the bytes; the code is the same. */
#include "state.h"

#define ENDING_SLICE 64 /* units an ending session may use at once */
#define EXPIRE_SLICE 64 /* sessions ended in one step */

/* ---- how many sessions a principal has -------------------------------------- */

struct principal {
	struct bytes name; /* owned */
	uint32_t sessions;
};

static bool principal_is(const void *item, const void *key)
{
	return bytes_equal(((const struct principal *)item)->name, *(const struct bytes *)key);
}

struct bytes session_copy(struct bytes b)
{
	uint8_t *p = b.n ? xmalloc(b.n) : NULL;

	if (p)
		memcpy(p, b.p, b.n);
	return (struct bytes){p, b.n};
}

static void free_bytes(struct bytes *b)
{
	xfree((void *)(uintptr_t)b->p);
	*b = (struct bytes){0};
}

static uint32_t principal_hash(const struct engine *e, struct bytes name)
{
	return (uint32_t)hash_of(name.p, name.n, e->config.hash_seed);
}

static struct principal *principal_get(struct engine *e, struct bytes name)
{
	uint32_t hash = principal_hash(e, name);
	void **slot = hash_find(&e->principals, hash, principal_is, &name);
	struct principal *p;

	if (slot)
		return *slot;
	p = xcalloc(1, sizeof *p);
	p->name = session_copy(name);
	hash_insert(&e->principals, hash, p);
	return p;
}

uint32_t session_count(struct engine *e, struct bytes name)
{
	void **slot = hash_find(&e->principals, principal_hash(e, name), principal_is, &name);

	return slot ? ((struct principal *)*slot)->sessions : 0;
}

static void principal_leave(struct engine *e, struct bytes name)
{
	uint32_t hash = principal_hash(e, name);
	void **slot = hash_find(&e->principals, hash, principal_is, &name);
	struct principal *p = *slot;

	if (--p->sessions > 0)
		return;
	hash_remove(&e->principals, hash, slot);
	free_bytes(&p->name);
	xfree(p);
}

/* ---- life --------------------------------------------------------------------- */

static uint32_t id_hash(const struct engine *e, const uint8_t *id)
{
	return (uint32_t)hash_of(id, ENGINE_SESSION_ID, e->config.hash_seed);
}

static bool id_is(const void *item, const void *key)
{
	return memcmp(((const struct session *)item)->id, key, ENGINE_SESSION_ID) == 0;
}

struct session *session_by_id(const struct engine *e, const uint8_t *id)
{
	void **slot = hash_find(&e->session_ids, id_hash(e, id), id_is, id);

	return slot ? *slot : NULL;
}

struct session *session_numbered(const struct engine *e, uint64_t number)
{
	return seq_find(&e->sessions, number);
}

struct session *session_make(struct engine *e, struct bytes principal)
{
	struct session *s = xcalloc(1, sizeof *s);

	(void)e;
	s->principal = session_copy(principal);
	seq_init(&s->outcomes);
	seq_init(&s->groups);
	seq_init(&s->claims);
	seq_init(&s->early);
	seq_init(&s->watchers);
	list_init(&s->waiting);
	hash_init(&s->waiting_by_n);
	list_init(&s->bound);
	list_init(&s->ending.link);
	return s;
}

/* Makes a session one that can be resumed. */
void session_register(struct engine *e, struct session *s, uint64_t number,
                             const uint8_t *id)
{
	s->number = number;
	memcpy(s->id, id, ENGINE_SESSION_ID);
	seq_insert(&e->sessions, s);
	hash_insert(&e->session_ids, id_hash(e, id), s);
	principal_get(e, s->principal)->sessions++;
}

static void early_clear(struct session *s)
{
	struct early *one;

	while ((one = seq_first(&s->early))) {
		seq_remove(&s->early, one->n);
		xfree(one);
	}
}

void session_free(struct engine *e, struct session *s)
{
	struct group *g;

	(void)e;
	early_clear(s);
	while ((g = seq_first(&s->groups))) {
		seq_remove(&s->groups, g->batch);
		xfree(g);
	}
	seq_close(&s->outcomes);
	seq_close(&s->claims);
	hash_close(&s->waiting_by_n);
	free_bytes(&s->principal);
	free_bytes(&s->may);
	xfree(s);
}

void session_attach(struct session *s, struct conn *c)
{
	s->conn = c;
	s->attach++;
	s->conn_age = c->age;
	c->session = s;
	early_clear(s);
}

void session_suspend(struct engine *e, struct session *s)
{
	list_each(it, &s->waiting) {
		struct waiter *w = list_entry(it, struct waiter, link);

		waiter_leave(e, w);
		w->resent = false;
	}
	watch_forget_all(e, s);
}

void session_detach(struct engine *e, struct session *s)
{
	s->conn->session = NULL;
	s->conn = NULL;
	if (s->number == 0) {
		session_end(e, s, false);
		return;
	}
	session_suspend(e, s);
	heap_insert(&e->graces, &s->grace, e->lease_ms + s->grace_ms);
}

/* Tuples bound to it go first: those it has itself must not come back. */
static unsigned ending_run(struct engine *e, struct work *w, unsigned units)
{
	struct session *s = list_entry(w, struct session, ending);
	unsigned used = 0;
	struct list *bound;
	struct outcome *o;
	struct claim *c;

	for (; (bound = list_first(&s->bound)); used++) {
		if (used >= units)
			return used;
		timed_release(e, list_entry(bound, struct timed, link));
	}
	while ((o = seq_first(&s->outcomes))) {
		if (used >= units)
			return used;
		used += 1 + o->count;
		o->batch = 0; /* the session's rows go all at once */
		if (o->space)
			outcome_undo(e, s, o, s->died ? UNDO_DEATH : UNDO_END);
		else
			outcome_free(e, s, o);
	}
	for (; (c = seq_first(&s->claims)); used++) {
		if (used >= units)
			return used;
		claim_back(e, c, false, 0);
	}
	work_end(w);
	e->endings--;
	if (s->number)
		reply_change(e, CHANGE_SESSION_END)->session = s->number;
	session_free(e, s);
	return used + 1;
}

void session_end(struct engine *e, struct session *s, bool died)
{
	void **slot;

	list_each(it, &s->waiting)
		waiter_free(e, list_entry(it, struct waiter, link));
	watch_forget_all(e, s);
	heap_remove(&e->graces, &s->grace);
	if (s->number) {
		slot = hash_find(&e->session_ids, id_hash(e, s->id), id_is, s->id);
		hash_remove(&e->session_ids, id_hash(e, s->id), slot);
		seq_remove(&e->sessions, s->number);
		principal_leave(e, s->principal);
	}
	s->died = died;
	work_begin(e, &s->ending, ending_run);
	e->endings++;
	ending_run(e, &s->ending, ENDING_SLICE);
}

void session_expire(struct engine *e)
{
	e->graces_ms = e->lease_ms;
	for (unsigned n = 0; n < EXPIRE_SLICE; n++) {
		struct heap_node *node = heap_first(&e->graces);

		if (!node || node->key > e->lease_ms)
			return;
		session_end(e, list_entry(node, struct session, grace), true);
	}
}

void session_ack(struct engine *e, struct session *s, uint64_t from, uint64_t to)
{
	struct outcome *o =
		from ? seq_after(&s->outcomes, from - 1, NULL) : seq_first(&s->outcomes);

	while (o && o->n <= to) {
		uint64_t n = o->n;

		outcome_free(e, s, o);
		o = seq_after(&s->outcomes, n, NULL);
	}
}

void session_restore(struct engine *e, const struct change *c)
{
	struct session *s = session_make(e, c->principal);

	s->grace_ms = c->lease_ms;
	s->may = session_copy(c->bytes);
	session_register(e, s, c->session, c->id16);
	heap_insert(&e->graces, &s->grace, e->lease_ms + s->grace_ms);
}
