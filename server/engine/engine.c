/* The one door: events in, effects out. */
#include "state.h"

#include "../../libclient/frame.h"

#include <assert.h>

#define LEASE_STEP_MS 1000 /* the most the lease clock adds in a step */

void engine_limits_default(struct engine_limits *l)
{
	*l = (struct engine_limits){
		.indexes = 64,
		.waiting_shapes = 256,
		.residual_waiters = 4096,
		.waiting = 16384,
		.outcomes = 4096,
		.outcome_bytes = (uint64_t)16 << 20,
		.claims = 131072,
		.expiries = 12500,
		.low_expiries = 500,
		.low_sessions = 1024,
		.settles = 256,
		.sessions = 65536,
		.spaces = 4096,
		.grace_default_ms = 60000,
		.grace_max_ms = 86400000,
		.ring_bytes = (uint64_t)1 << 20,
		.putters = 16384,
		.putter_bytes = (uint64_t)64 << 20,
		.watch_bytes = (uint64_t)64 << 10,
		.bytes = (uint64_t)1 << 32,
		.reply_bytes = FRAME_MAX - 64,
	};
}

struct engine *engine_create(const struct engine_config *config)
{
	struct engine *e = xcalloc(1, sizeof *e);

	e->config = *config;
	e->next_id = 2;
	seq_init(&e->spaces);
	hash_init(&e->space_names);
	seq_init(&e->sessions);
	hash_init(&e->session_ids);
	hash_init(&e->principals);
	heap_init(&e->timers);
	heap_init(&e->graces);
	for (unsigned i = 0; i < 2 * CLOCKS; i++)
		heap_init(&e->turns[i / 2][i % 2]);
	list_init(&e->backlogs);
	seq_init(&e->timed);
	list_init(&e->work);
	seq_init(&e->waiters);
	list_init(&e->rooms);
	list_init(&e->pressed);
	list_init(&e->room_work.link);
	list_init(&e->tallies);
	list_init(&e->trying.link);
	heap_init(&e->tries);
	list_init(&e->rings);
	buf_init(&e->result);
	buf_init(&e->built);
	e->main = space_create(e, 1, bytes_of(ENGINE_MAIN), config->all_volatile);
	return e;
}

uint64_t engine_id(struct engine *e)
{
	uint64_t id = e->next_id++;

	if (e->ready && e->ceiling - e->next_id < ENGINE_CEILING_STEP / 2) {
		e->ceiling_safe = e->ceiling;
		e->ceiling += ENGINE_CEILING_STEP;
		e->ceiling_batch = e->batch;
		reply_change(e, CHANGE_CEILING)->number = e->ceiling;
	}
	return id;
}

uint64_t engine_wait(const struct engine *e, uint64_t id, uint64_t batch)
{
	return id >= e->ceiling_safe && e->ceiling_batch > batch ? e->ceiling_batch : batch;
}

void engine_bury(struct engine *e, struct tuple *t)
{
	if (t->timed)
		timed_end(e, t);
	if (e->grave_count == e->grave_cap) {
		e->grave_cap = e->grave_cap ? 2 * e->grave_cap : 64;
		e->grave = xrealloc(e->grave, e->grave_cap * sizeof *e->grave);
	}
	e->grave[e->grave_count++] = t;
}

static void empty_grave(struct engine *e)
{
	while (e->grave_count > 0)
		tuple_free(e->grave[--e->grave_count]);
}

static void set_clocks(struct engine *e, const struct event *ev)
{
	uint64_t passed = ev->now_ms > e->now_ms ? ev->now_ms - e->now_ms : 0;

	if (e->ready) /* recovery takes nothing from a lease */
		e->lease_ms += passed < LEASE_STEP_MS ? passed : LEASE_STEP_MS;
	e->now_ms += passed;
	e->wall_ms = ev->wall_ms;
}

/* ---- recovery --------------------------------------------------------------------- */

static void restore_space(struct engine *e, const struct change *c)
{
	bool is_volatile = (c->flags & CHANGE_SPACE_VOLATILE) != 0;
	struct space *s = e->main;

	if (c->space == s->number)
		e->main_kept = true;
	else
		s = space_create(e, c->space, c->bytes, is_volatile);
	space_set(s, &(struct space_options){c->tries, c->dead, c->shape, c->max_tuples,
	                                     c->max_bytes});
	if (c->flags & CHANGE_SPACE_DROPPED)
		space_drop(e, s);
}

static void restore_tuple(struct engine *e, const struct change *c)
{
	struct space *sp = seq_find(&e->spaces, c->space);
	struct session *s = c->session ? session_numbered(e, c->session) : NULL;
	struct tuple *t;
	bool delayed;

	if (!sp)
		return; /* the journal has refused rows of unknown spaces */
	t = tuple_create(c->id, c->bytes);
	t->tries = c->tries < UINT8_MAX ? (uint8_t)c->tries : UINT8_MAX;
	delayed = timed_restore(e, sp, t, c, s != NULL);
	if (s && c->token)
		claim_restore(e, s, sp, c, t);
	else if (s)
		outcome_restore_taken(e, s, sp, c, t);
	else
		space_store(e, sp, t, delayed);
}

static void restore(struct engine *e, const struct change *c)
{
	struct session *s;

	switch (c->kind) {
	case CHANGE_CEILING:
		e->ceiling = c->number;
		break;
	case CHANGE_SPACE:
		restore_space(e, c);
		break;
	case CHANGE_SESSION:
		session_restore(e, c);
		break;
	case CHANGE_PUT:
		restore_tuple(e, c);
		break;
	case CHANGE_OUTCOME:
		s = session_numbered(e, c->session);
		if (s)
			outcome_restore_result(e, s, c);
		break;
	default:
		assert(!"a row the journal does not keep");
	}
}

static void get_ready(struct engine *e, const struct event *ev)
{
	e->batch = ev->batch;
	e->boot = ev->boot;
	e->start_ms = ev->now_ms;
	ring_ready(e);
	if (e->ceiling > e->next_id)
		e->next_id = e->ceiling;
	else if (e->config.all_volatile && ev->wall_ms << 10 > e->next_id)
		e->next_id = ev->wall_ms << 10;
	e->ceiling_safe = e->next_id;
	e->ceiling = e->next_id + ENGINE_CEILING_STEP;
	e->ceiling_batch = e->batch;
	reply_change(e, CHANGE_CEILING)->number = e->ceiling;
	if (!e->main_kept)
		space_write_row(e, e->main);
	e->ready = true;
	if (e->lost)
		session_end(e, e->lost, false);
	e->lost = NULL;
}

/* ---- connections -------------------------------------------------------------------- */

/* What a request was kept back for is done. */
static void conn_ready(struct engine *e, struct seeker *k)
{
	reply_resume(e, list_entry(k, struct conn, seeker));
}

static void open_conn(struct engine *e, const struct event *ev)
{
	struct conn *c = xcalloc(1, sizeof *c);

	if (ev->conn >= e->conn_cap) {
		uint32_t cap = e->conn_cap ? e->conn_cap : 64;

		while (cap <= ev->conn)
			cap *= 2;
		e->conns = xrealloc(e->conns, cap * sizeof *e->conns);
		memset(e->conns + e->conn_cap, 0, (cap - e->conn_cap) * sizeof *e->conns);
		e->conn_cap = cap;
	}
	assert(!e->conns[ev->conn]);
	e->conns[ev->conn] = c;
	e->conn_count++;
	c->age = ++e->opened;
	c->number = ev->conn;
	c->principal = session_copy(ev->principal);
	seeker_init(&c->seeker, conn_ready);
	session_attach(session_make(e, c->principal), c);
}

static void close_conn(struct engine *e, struct conn *c)
{
	search_end(&c->seeker);
	survey_end(c);
	if (c->session)
		session_detach(e, c->session);
	e->conns[c->number] = NULL;
	e->conn_count--;
	xfree((void *)(uintptr_t)c->principal.p);
	xfree((void *)(uintptr_t)c->may.p);
	xfree((void *)(uintptr_t)c->client.p);
	xfree(c);
}

static void sent(struct engine *e, struct conn *c, uint64_t n)
{
	struct session *s = c->session;
	struct outcome *o = s && s->number == 0 ? seq_find(&s->outcomes, n) : NULL;
	struct watcher *w = s ? seq_find(&s->watchers, n) : NULL;

	if (w)
		watch_sent(e, w);
	if (o)
		outcome_free(e, s, o);
}

static void stop(struct engine *e)
{
	e->stopping = true;
	for (uint32_t i = 0; i < e->conn_cap; i++) {
		struct session *s = e->conns[i] ? e->conns[i]->session : NULL;

		if (!s)
			continue;
		list_each(it, &s->waiting) {
			struct waiter *w = list_entry(it, struct waiter, link);

			reply_error(e, s->conn, w->n, 0, ERROR_STOPPING, "the server is stopping");
			waiter_free(e, w);
		}
		watch_end_all(e, s, ERROR_STOPPING, "the server is stopping");
	}
}

/* Whoever waits for room stands in line for another reason now, or for none. */
static void set_disk(struct engine *e, bool low)
{
	struct seq_cursor at;

	if (low && !e->disk_low)
		e->low_sessions = e->session_ids.count + e->config.limits.low_sessions;
	e->disk_low = low;
	atomic_sealed(e); /* more may be tried in this batch, perhaps */
	for (struct space *s = seq_after(&e->spaces, 0, &at); s; s = seq_next(&at))
		putter_wake(e, s);
}

static struct conn *conn_of(const struct engine *e, const struct event *ev)
{
	assert(ev->conn < e->conn_cap && e->conns[ev->conn]);
	return e->conns[ev->conn];
}

/* A request is judged by the clock, whether the background came to it or not. */
static void settle(struct engine *e)
{
	overdue_settle(e);
	if (e->graces_ms != e->lease_ms)
		session_expire(e);
}

static void expire(struct engine *e)
{
	overdue_settle(e);
	session_expire(e);
	waiter_expire(e);
}

static int take_event(struct engine *e, const struct event *ev)
{
	switch (ev->kind) {
	case EV_RESTORE:
		restore(e, ev->change);
		break;
	case EV_READY:
		get_ready(e, ev);
		break;
	case EV_OPEN:
		open_conn(e, ev);
		break;
	case EV_REQUEST:
		settle(e);
		return request_run(e, conn_of(e, ev), ev);
	case EV_BAD:
		settle(e);
		return request_bad(e, conn_of(e, ev), ev);
	case EV_SENT:
		sent(e, conn_of(e, ev), ev->number);
		break;
	case EV_CLOSE:
		close_conn(e, conn_of(e, ev));
		break;
	case EV_WORK:
		expire(e);
		work_run(e, ev->units);
		break;
	case EV_TIME:
		expire(e);
		break;
	case EV_SEAL:
		e->batch++;
		e->expiries = 0;
		atomic_sealed(e);
		break;
	case EV_STOP:
		stop(e);
		break;
	case EV_DISK:
		set_disk(e, ev->low);
		break;
	}
	return 0;
}

int engine_step(struct engine *e, const struct event *ev, struct effects *fx)
{
	int code;

	empty_grave(e);
	fx->count = 0;
	buf_clear(&fx->bytes, (size_t)1 << 20);
	e->fx = fx;
	set_clocks(e, ev);
	e->batch_full = ev->batch_full;
	code = take_event(e, ev);
	overdue_wake(e);
	tally_settle(e);
	return code;
}

bool engine_working(const struct engine *e)
{
	return !list_empty(&e->work);
}

uint64_t engine_deadline(const struct engine *e)
{
	const struct heap_node *timer = heap_first(&e->timers);
	uint64_t at = overdue_deadline(e);

	if (engine_working(e))
		return 0;
	return timer && timer->key < at ? timer->key : at;
}
