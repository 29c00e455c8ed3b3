/* Spaces: where tuples appear and vanish. Every way a tuple becomes visible ends in
 * appear(), so every way serves waiters. */
#include "bucket.h"
#include "state.h"

#define ENTRY_COST 32 /* bytes a tuple takes in the id sequence and one index, about */

struct name_key {
	struct bytes name;
};

static bool name_is(const void *item, const void *key)
{
	return bytes_equal(((const struct space *)item)->name,
	                   ((const struct name_key *)key)->name);
}

static uint32_t name_hash(const struct engine *e, struct bytes name)
{
	return (uint32_t)hash_of(name.p, name.n, e->config.hash_seed);
}

struct space *space_find(const struct engine *e, struct bytes name)
{
	struct name_key key = {name};
	void **slot = hash_find(&e->space_names, name_hash(e, name), name_is, &key);

	return slot ? *slot : NULL;
}

struct space *space_create(struct engine *e, uint64_t number, struct bytes name, bool is_volatile)
{
	struct space *s = xcalloc(1, sizeof *s);
	uint8_t *copy = xmalloc(name.n);

	memcpy(copy, name.p, name.n);
	s->number = number;
	s->name = (struct bytes){copy, name.n};
	s->is_volatile = is_volatile;
	seq_init(&s->all);
	seq_init(&s->hidden);
	list_init(&s->walks);
	waitkey_init(&s->everything);
	for (enum clock clock = CLOCK_LEASE; clock < CLOCKS; clock++)
		heap_init(&s->agenda[clock]);
	list_init(&s->settling.link);
	list_init(&s->parked);
	list_init(&s->backlog);
	list_init(&s->drop.link);
	list_init(&s->share.link);
	list_init(&s->room);
	seq_init(&s->putters);
	seq_insert(&e->spaces, s);
	hash_insert(&e->space_names, name_hash(e, name), s);
	return s;
}

static void free_options(struct space_options *o)
{
	xfree((void *)(uintptr_t)o->dead.p);
	xfree((void *)(uintptr_t)o->shape.p);
}

void space_set(struct space *s, const struct space_options *options)
{
	struct space_options old = s->options;

	s->options = *options;
	s->options.dead = session_copy(options->dead);
	s->options.shape = session_copy(options->shape);
	free_options(&old); /* what was copied may have been its own */
}

void space_write_row(struct engine *e, const struct space *s)
{
	const struct space_options *o = &s->options;
	struct change *c = reply_change(e, CHANGE_SPACE);

	c->space = s->number;
	c->bytes = s->name;
	c->flags = s->is_volatile ? CHANGE_SPACE_VOLATILE : 0;
	c->tries = o->tries;
	c->dead = o->dead;
	c->shape = o->shape;
	c->max_tuples = o->max_tuples;
	c->max_bytes = o->max_bytes;
}

struct space *space_make(struct engine *e, struct bytes name, bool is_volatile,
                         const struct space_options *options)
{
	struct space *s = space_create(e, engine_id(e), name, is_volatile);

	if (options)
		space_set(s, options);
	space_write_row(e, s);
	space_touch(e, s);
	return s;
}

struct space *space_dead(struct engine *e, const struct space *s, bool only_look, int *code)
{
	struct bytes given = s->options.dead;
	struct buf name = BUF_INIT;
	struct space *dead;

	buf_append(&name, given.n ? given.p : s->name.p, given.n ? given.n : s->name.n);
	if (given.n == 0)
		buf_text(&name, ".dead");
	dead = space_find(e, buf_bytes(&name));
	*code = 0;
	if (dead && dead->is_volatile != s->is_volatile)
		*code = ERROR_MIXED;
	else if (!dead && e->spaces.count >= e->config.limits.spaces)
		*code = ERROR_LIMIT;
	else if (!dead && !only_look)
		dead = space_make(e, buf_bytes(&name), s->is_volatile, NULL);
	buf_close(&name);
	return *code ? NULL : dead;
}

struct arity *space_arity(struct space *s, unsigned n)
{
	struct arity *a = s->arities[n];

	if (!a) {
		a = s->arities[n] = xcalloc(1, sizeof *a);
		list_init(&a->indexes);
		list_init(&a->waiting);
	}
	return a;
}

void space_touch(struct engine *e, struct space *s)
{
	if (!s->is_volatile)
		s->last_batch = e->batch;
}

static void account(struct engine *e, struct space *s, const struct tuple *t, bool in)
{
	struct arity *a = space_arity(s, t->fields);
	uint64_t own = tuple_cost(t), all = own + ENTRY_COST;

	a->tuples += in ? 1 : UINT64_MAX;
	e->tuples += in ? 1 : UINT64_MAX;
	s->bytes += in ? own : 0 - own;
	e->bytes += in ? all : 0 - all;
	if (!in)
		putter_room(e, s);
}

static void enter(struct engine *e, struct space *s, struct tuple *t, const struct keys *k,
                  bool hidden)
{
	struct arity *a = space_arity(s, t->fields);

	index_expect(&a->indexes, k, hidden);
	seq_insert(hidden ? &s->hidden : &s->all, t);
	account(e, s, t, true);
	list_each(it, &a->indexes)
		index_add(list_entry(it, struct index, link), k, t, hidden);
	walk_enter(s, t, hidden);
	if (s->following > 0)
		waiter_follow(e, s, t, k, hidden, true);
	if (t->timed)
		timed_enter(e, t, hidden);
}

static void leave(struct engine *e, struct space *s, struct tuple *t, const struct keys *k,
                  bool hidden)
{
	struct arity *a = space_arity(s, t->fields);

	index_expect(&a->indexes, k, hidden);
	space_touch(e, s);
	if (t->timed)
		timed_leave(e, t);
	walk_leave(s, t, hidden);
	if (s->following > 0)
		waiter_follow(e, s, t, k, hidden, false);
	list_each(it, &a->indexes)
		index_remove(list_entry(it, struct index, link), k, t, hidden);
	account(e, s, t, false);
	seq_remove_item(hidden ? &s->hidden : &s->all, t);
}

/* The keys of a tuple, as far as indexes or waiters will ask for them. */
static void keys_for(const struct engine *e, const struct space *s, struct keys *k,
                     const struct tuple *t)
{
	const struct arity *a = s->arities[t->fields];

	if (a && (a->index_count > 0 || a->waiting_count > 0))
		keys_of(k, t, e->config.hash_seed);
}

static bool appear(struct engine *e, struct space *s, struct tuple *t, const struct keys *k)
{
	space_touch(e, s);
	if (s->waiting > 0 && waiter_serve(e, s, t, k))
		return false;
	enter(e, s, t, k, false);
	return true;
}

bool space_appear(struct engine *e, struct space *s, struct tuple *t)
{
	struct keys k;

	keys_for(e, s, &k, t);
	return appear(e, s, t, &k);
}

void space_store(struct engine *e, struct space *s, struct tuple *t, bool hidden)
{
	struct keys k;

	keys_for(e, s, &k, t);
	enter(e, s, t, &k, hidden);
}

void space_vanish(struct engine *e, struct space *s, struct tuple *t)
{
	struct keys k;

	keys_for(e, s, &k, t);
	leave(e, s, t, &k, false);
}

void space_hide(struct engine *e, struct space *s, struct tuple *t)
{
	struct keys k;

	keys_for(e, s, &k, t);
	leave(e, s, t, &k, false);
	enter(e, s, t, &k, true);
}

void space_reveal(struct engine *e, struct space *s, struct tuple *t)
{
	struct keys k;

	keys_for(e, s, &k, t);
	leave(e, s, t, &k, true);
	appear(e, s, t, &k);
}

void space_forget(struct engine *e, struct space *s, struct tuple *t)
{
	struct keys k;

	keys_for(e, s, &k, t);
	leave(e, s, t, &k, true);
}

void space_delete(struct engine *e, struct space *s, struct tuple *t, bool hidden)
{
	(hidden ? space_forget : space_vanish)(e, s, t);
	if (!s->is_volatile)
		reply_delete(e, s, t);
	engine_bury(e, t);
}

static void space_free(struct space *s)
{
	overdue_close(s);
	for (unsigned n = 0; n <= TUPLE_FIELDS; n++)
		xfree(s->arities[n]);
	xfree((void *)(uintptr_t)s->name.p);
	free_options(&s->options);
	xfree(s);
}

static void bury_tuple(void *item, void *ctx)
{
	struct engine *e = ((void **)ctx)[0];
	struct space *s = ((void **)ctx)[1];
	struct tuple *t = item;

	account(e, s, t, false);
	if (!s->is_volatile) {
		struct change *c = reply_change(e, CHANGE_DELETE);

		c->space = s->number;
		c->id = t->id;
		c->bytes = tuple_bytes(t);
	}
	engine_bury(e, t);
}

static bool is_awaited(const struct space *s)
{
	return s->waiting > 0 || s->putters.count > 0;
}

/* The same of a hidden one that nobody has claimed. */
static void bury_delayed(void **ctx, struct heap_node *moment)
{
	struct space *s = ctx[1];
	struct tuple *t = list_entry(moment, struct timed, moment)->tuple;

	seq_remove_item(&s->hidden, t);
	bury_tuple(t, ctx);
}

static unsigned drop_run(struct engine *e, struct work *w, unsigned units)
{
	struct space *s = list_entry(w, struct space, drop);
	void *ctx[2] = {e, s};
	struct heap_node *moment;
	unsigned used = 1;

	for (; is_awaited(s) && used < units; used++) {
		struct waiter *one = waiter_any(s);

		reply_error(e, one->session->conn, one->n, s->last_batch, ERROR_NO_SPACE,
		            "the space was dropped");
		waiter_free(e, one);
	}
	if (!is_awaited(s) && used < units)
		used += (unsigned)seq_drain(&s->all, units - used, bury_tuple, ctx);
	for (; s->all.count == 0 && (moment = heap_first(&s->agenda[CLOCK_WALL])); used++) {
		if (used >= units)
			return used;
		bury_delayed(ctx, moment);
	}
	if (is_awaited(s) || s->all.count > 0)
		return used;
	work_end(w);
	if (s->refs > 0) /* the last space_unref() begins this again */
		return used;
	reply_change(e, CHANGE_SPACE_END)->space = s->number;
	seq_remove(&e->spaces, s->number);
	space_free(s);
	return used;
}

void space_drop(struct engine *e, struct space *s)
{
	struct name_key key = {s->name};
	uint32_t hash = name_hash(e, s->name);

	hash_remove(&e->space_names, hash, hash_find(&e->space_names, hash, name_is, &key));
	ring_drop(e, s);
	s->dropped = true;
	overdue_drop(e, s);
	space_touch(e, s);
	search_drop(e, s);
	putter_wake(e, s);
	for (unsigned n = 0; n <= TUPLE_FIELDS; n++) {
		if (!s->arities[n])
			continue;
		list_each(it, &s->arities[n]->indexes)
			index_drop(e, list_entry(it, struct index, link));
	}
	work_begin(e, &s->drop, drop_run);
}

void space_unref(struct engine *e, struct space *s)
{
	s->refs--;
	if (s->dropped && s->refs == 0 && !work_active(&s->drop))
		work_begin(e, &s->drop, drop_run);
}
