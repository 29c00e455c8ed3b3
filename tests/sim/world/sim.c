#include "sim.h"

#include "core.h"
#include "disk.h"
#include "link.h"
#include "user.h"

#include <inttypes.h>

enum {
	TROUBLE_MS = 6000,  /* of faults */
	PATIENCE_MS = 60000, /* for everything to be answered when there are none */
	LINES = 4096,
	LINE = 160,
	NEAR = 2, /* faults shown around a line about the tuple */
};

struct sim sim;

static struct trace {
	char line[LINES][LINE];
	bool about[LINES];
	unsigned count;
} trace;

void sim_fail(uint64_t about, const char *fmt, ...)
{
	va_list ap;

	if (sim.failed)
		return;
	sim.failed = true;
	sim.about = about;
	va_start(ap, fmt);
	vsnprintf(sim.why, sizeof sim.why, fmt, ap);
	va_end(ap);
}

void sim_note(uint64_t about, const char *fmt, ...)
{
	char *line = trace.line[trace.count % LINES];
	va_list ap;
	int n;

	if (!sim.trace || (about && about != sim.trace_about))
		return;
	n = snprintf(line, LINE, "%8" PRIu64 " ms  ", sim.now_ms);
	va_start(ap, fmt);
	vsnprintf(line + n, LINE - (size_t)n, fmt, ap);
	va_end(ap);
	trace.about[trace.count++ % LINES] = about != 0;
}

/* What is about the tuple, and the faults around it. */
void sim_print_trace(void)
{
	unsigned from = trace.count > LINES ? trace.count - LINES : 0;

	for (unsigned i = from; i < trace.count; i++) {
		bool shown = i + 2 * NEAR >= trace.count;

		for (unsigned j = i > from + NEAR ? i - NEAR : from; j <= i + NEAR; j++)
			shown = shown || (j < trace.count && trace.about[j % LINES]);
		if (shown)
			printf("  %s\n", trace.line[i % LINES]);
	}
}

bool sim_happens(uint64_t rate)
{
	return sim.faults && rate && test_random_below(1000000) < rate;
}

bool sim_planted(enum plant plant, unsigned often)
{
	return sim.plant == plant && sim.faults && test_random_below(often) == 0;
}

/* ---- a world's nature ---- */

/* Never, or any rate up to `most`: small ones as likely as great ones. */
static uint64_t draw_rate(uint64_t most)
{
	uint64_t rate = test_random_below(most) + 1;

	return test_random_below(4) == 0 ? 0 : rate >> test_random_below(6);
}

static void draw_rates(void)
{
	sim.rates = (struct sim_rates){
		.cut = draw_rate(5000),
		.crash = draw_rate(4000),
		.stop = draw_rate(400),
		.pause = draw_rate(400),
		.death = draw_rate(200),
		.jump = draw_rate(400),
		.full = test_random_below(3) ? 0 : draw_rate(2000),
		.delay_ms = test_random_below(test_random_below(3) ? 8 : 100),
		.away_ms = 50 + test_random_below(test_random_below(3) ? 1000 : 9000),
		.disk_ms = test_random_below(test_random_below(3) ? 6 : 80),
		.grace_ms = 200 + test_random_below(test_random_below(2) ? 1000 : 8000),
		.lease_ms = 20 + test_random_below(1000),
		.ask_ms = 2 + test_random_below(40),
		.idle_ms = test_random_below(2) ? 0 : 50 + test_random_below(400),
		.pieces = test_random_below(5),
		.fatal = test_random_below(3) ? 0 : 20 + (unsigned)test_random_below(400),
		.units = 1 + (unsigned)test_random_below(test_random_below(2) ? 3 : 30),
		.few = test_random_below(2),
		.plain = test_random_below(4) == 0,
		.sqlite = test_random_below(8) == 0 && sim.plant != PLANT_DROPPED_SYNC,
	};
}

static void jump_clock(void)
{
	int64_t jump = (int64_t)test_random_below(6000) - 3000;

	if (sim.skew_ms + jump < -5000 || sim.skew_ms + jump > 5000)
		return;
	sim.skew_ms += jump;
	sim.totals.jumps++;
	sim_note(0, "the wall clock jumps by %" PRId64 " ms", jump);
}

/* ---- phases ---- */

static void tick(void)
{
	unsigned first = (unsigned)test_random_below(USERS);

	sim.now_ms++;
	for (unsigned i = 0; i < USERS; i++)
		user_tick((first + i) % USERS);
	user_tick(AUDITOR);
	core_tick();
	if (sim_happens(sim.rates.jump))
		jump_clock();
}

/* Until nobody asks for anything any more. */
static void pass(uint64_t ms)
{
	for (uint64_t end = sim.now_ms + ms; sim.now_ms < end && !sim.failed;)
		tick();
}

/* In a pause they only bring to an end what they have. */
static void use(unsigned i)
{
	bool idle = sim.rates.idle_ms && sim.now_ms / sim.rates.idle_ms % 2;

	if (sim.now_ms < users[i].ask_ms)
		return;
	users[i].ask_ms = sim.now_ms + test_random_below(sim.rates.ask_ms + 1);
	if (idle || test_random_below(3) == 0)
		ask_commit(i);
	if (!idle)
		ask_something(i);
	if (!idle && test_random_below(2) == 0)
		lane_ask(i);
	if (sim_happens(sim.rates.death * 20))
		user_dies(i);
}

static void live(uint64_t ms)
{
	for (uint64_t end = sim.now_ms + ms; sim.now_ms < end && !sim.failed;) {
		for (unsigned i = 0; i < USERS; i++)
			use(i);
		tick();
	}
}

static bool all_finished(void)
{
	bool finished = true;

	for (unsigned i = 0; i < USERS; i++)
		finished = user_finish(i) && finished;
	return finished;
}

/* What somebody still waits for. */
static void fail_stuck(void)
{
	for (unsigned i = 0; i <= USERS; i++)
		list_each(it, &users[i].asks) {
			const struct ask *a = list_entry(it, struct ask, link);

			sim_fail(a->puts ? a->uid[0] : a->claims ? a->claim[0].uid : 0,
			         "user %u waits for ever for request %" PRIu64 " of kind %d", i,
			         a->n, a->kind);
		}
	sim_fail(0, "bye is not answered");
}

static void finish_all(void)
{
	uint64_t end = sim.now_ms + PATIENCE_MS;

	while (!all_finished() && !sim.failed) {
		tick();
		if (sim.now_ms > end)
			fail_stuck();
	}
}

/* ---- the auditor ---- */

static void audit_wait(void)
{
	uint64_t end = sim.now_ms + PATIENCE_MS;

	while (users[AUDITOR].asked > 0 && !sim.failed) {
		tick();
		if (sim.now_ms > end)
			fail_stuck();
	}
}

static void audit_begin(void)
{
	core_start();
	user_begin(AUDITOR);
	ask_space(AUDITOR, "jobs", 4);
	audit_wait();
}

static void audit_space(const char *space)
{
	do {
		ask_all(AUDITOR, space);
		audit_wait();
	} while (users[AUDITOR].found > 0 && !sim.failed);
	ask_count(AUDITOR, space);
	audit_wait();
	if (users[AUDITOR].counted > 0)
		sim_fail(0, "%" PRIu64 " tuples of %s are hidden for ever", users[AUDITOR].counted,
		         space);
}

static void audit_end(void)
{
	static const char *const spaces[] = {"main", "main.dead", "jobs", "jobs.dead"};

	for (unsigned i = 0; i < 4 && !sim.failed; i++)
		audit_space(spaces[i]);
	account_acknowledged(AUDITOR, UINT64_MAX);
	if (!sim.failed)
		account_close();
}

/* ---- a world ---- */

static void play(void)
{
	audit_begin();
	for (unsigned i = 0; i < USERS; i++)
		user_begin(i);
	sim.faults = true;
	live(TROUBLE_MS);
	sim.faults = false;
	sim_note(0, "no more faults");
	live(500);
	finish_all();
	/* Late bytes arrive, graces and leases end, what was delayed is due. */
	pass(5 * sim.rates.lease_ms + sim.rates.grace_ms + 12000);
	audit_end();
}

bool sim_run(uint64_t seed, enum plant plant)
{
	bool traced = sim.trace;
	uint64_t about = sim.trace_about;

	sim = (struct sim){.seed = seed, .plant = plant, .trace = traced, .trace_about = about};
	test_random_seed(seed);
	draw_rates();
	account_clear();
	lane_forget_all();
	play();
	user_remove_all();
	core_remove();
	disk_remove();
	link_close_all();
	return !sim.failed;
}

void sim_replay(uint64_t seed, enum plant plant)
{
	sim.trace = true;
	sim.trace_about = sim.about;
	trace.count = 0;
	sim_run(seed, plant);
	sim_print_trace();
	sim.trace = false;
}
