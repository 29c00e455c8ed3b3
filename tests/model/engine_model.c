/* The engine in lock step with a naive model: a list and a scan. A seeded
 * random walk sends requests over a few connections, with and without sessions,
 * breaks and resumes them, crashes and recovers, and runs background work in
 * slices of 1 to 4 so that half-built indexes are seen. After every step the
 * replies must be the model's, byte for byte, and the inside must hold. The walk
 * is done over both journals; under SQLite a crash is a loss of power that drops,
 * keeps or tears what was not synced, at any write of a commit.
 *
 * A failure says its seed: SEED=n runs that one alone, TRACE=1 prints what is sent
 * and answered. By hand, ten million steps from a seed of one's own:
 *     SOAK=1 SEED=1000 STEPS=10000000 CHECK=1000 build/tests/model/engine_model */
#include "../lib/crashvfs.h"
#include "walk/world.h"

#include <stdlib.h>
#include <time.h>

static void make_volatile(void)
{
	struct buf b = BUF_INIT;

	client_open(0);
	item_put_text(&b, "space");
	item_put_text(&b, "create");
	item_put_text(&b, "vol");
	item_put_head(&b, ITEM_MAP, 1);
	item_put_text(&b, "volatile");
	item_put_bool(&b, true);
	driver_send(0, 1, &b, 3);
	buf_close(&b);
	client_close(0);
	store_seal();
	store_sync();
}

static void turn_conn(int conn)
{
	int session = (int)test_random_below(SESSIONS);
	struct m_session *s = &w.now.sessions[session];

	if (!w.conns[conn].open) {
		client_open(conn);
		if (test_random_below(3) == 0)
			return;
		if (s->used && w.clients[session].number == s->number) {
			client_resume(conn, session);
			client_resend(conn);
		} else if (!s->used) { /* else one that its client gave up came back in a crash */
			client_hello(conn, session);
		}
		return;
	}
	if (test_random_below(60) == 0)
		client_close(conn);
	else if (w.conns[conn].held && !w.conns[conn].resumed && test_random_below(10))
		driver_work();
	else if (w.conns[conn].held)
		driver_deliver(conn);
	else if (test_random_below(6) == 0 && w.conns[conn].session < SESSIONS)
		random_ack(conn);
	else
		random_request(conn);
}

/* The kernel has the reply of a take without a session. */
static void confirm_some(void)
{
	for (int i = 0; i < OUTCOMES; i++) {
		struct m_outcome *o = &w.now.outcomes[i];
		struct event ev = driver_event(EV_SENT);

		if (!o->used || o->session < SESSIONS || test_random_below(2))
			continue;
		ev.conn = (uint32_t)(o->session - SESSIONS);
		ev.number = o->n;
		driver_step(&ev);
		m_outcome_free(o);
		driver_check();
	}
}

static void turn(void)
{
	uint64_t kind = test_random_below(100);

	if (kind < 70)
		turn_conn((int)test_random_below(CONNS));
	else if (kind < 80)
		driver_work();
	else if (kind < 86)
		driver_pass(test_random_below(20) ? test_random_below(20) : 1500);
	else if (kind < 92)
		store_seal();
	else if (kind < 97)
		store_sync();
	else if (kind < 98)
		confirm_some();
	else if (kind < 99)
		m_watch_confirm();
	else if (test_random_below(8) == 0)
		store_crash();
}

static void walk(uint64_t seed, int turns, bool sqlite, uint64_t every)
{
	buf_close(&w.expected_bytes);
	memset(&w, 0, sizeof w);
	test_random_seed(seed);
	w.few = seed % 2 == 0;
	w.limited = seed % 4 == 0;
	effects_init(&w.fx);
	w.now_ms = 1000;
	w.wall_ms = w.wall_last = 1700000000000;
	w.sqlite = sqlite;
	w.every = every;
	w.trace = getenv("TRACE") && *getenv("TRACE");
	store_start();
	make_volatile();
	w.walking = true;
	for (int i = 0; i < turns; i++)
		turn();
	engine_destroy(w.engine);
	w.journal->ops->close(w.journal);
	effects_close(&w.fx);
	if (sqlite)
		store_remove();
}

static void add(struct totals *sum)
{
#define X(name, text) sum->name += w.totals.name;
	TOTALS(X)
#undef X
}

static void report(const struct totals *sum, bool whole)
{
#define X(name, text)                                                                              \
	printf("  %lu " text "\n", sum->name);                                                     \
	CHECK(!whole || sum->name > 0);
	TOTALS(X)
#undef X
}

static uint64_t wish(const char *name, uint64_t fallback)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : fallback;
}

/* So many seeds ($SEEDS) from $SEED or 1 on; that one alone when it is given. With $SOAK, seeds
 * until there were $STEPS steps, the inside looked at once in $CHECK of them. */
static void walks(uint64_t seeds, uint64_t soak_steps, int turns, bool sqlite)
{
	bool soak = wish("SOAK", 0) > 0, one = !soak && wish("SEED", 0) > 0;
	uint64_t first = test_seed(1), seed = first;
	uint64_t least = soak ? wish("STEPS", soak_steps) : 0;
	uint64_t every = soak ? wish("CHECK", 1000) : 1;
	time_t began = time(NULL);
	struct totals sum = {0};

	seeds = one || soak ? 1 : wish("SEEDS", seeds);
	do {
		test_note_seed(seed);
		walk(seed++, turns, sqlite, every);
		add(&sum);
	} while (seed < first + seeds || sum.steps < least);
	printf("seeds %llu to %llu, %d turns each, the inside looked at every %llu steps, %d s:\n",
	       (unsigned long long)first, (unsigned long long)seed - 1, turns,
	       (unsigned long long)every, (int)(time(NULL) - began));
	report(&sum, seed - first >= 40);
}

TEST(a_random_walk_agrees_with_a_list_and_a_scan)
{
	walks(40, 10000000, 3000, false);
}

TEST(a_random_walk_survives_losses_of_power)
{
	crashvfs_register();
	walks(12, 1000000, 2000, true);
}
