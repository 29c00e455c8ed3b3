/* Whole worlds, each of one seed: a server, its disk, users, and everything that can go
 * wrong between them. See README. $SEED plays one world, and prints what happened in it
 * when it fails; with $SOAK, $WORLDS of them (10,000) from $SEED on. */
#include "../lib/crashvfs.h"
#include "world/sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { WORLDS = 200, TWICE = 20 };

static uint64_t wish(const char *name, uint64_t fallback)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : fallback;
}

static void add(struct sim_totals *sum)
{
#define X(name) sum->name += sim.totals.name;
	TOTALS(X)
#undef X
}

static void report(const struct sim_totals *sum, uint64_t first, uint64_t last, time_t began)
{
	printf("seeds %" PRIu64 " to %" PRIu64 ", %d s:", first, last, (int)(time(NULL) - began));
#define X(name) printf(" " #name " %lu", sum->name);
	TOTALS(X)
#undef X
	printf("\n");
#define X(name) CHECK(last - first + 1 < WORLDS || sum->name > 0);
	TOTALS(X)
#undef X
}

static void failed(uint64_t seed)
{
	char why[sizeof sim.why];

	memcpy(why, sim.why, sizeof why);
	printf("seed %" PRIu64 ": %s\n", seed, why);
	sim_replay(seed, PLANT_NONE);
	if (strcmp(why, sim.why) != 0)
		printf("  and then: %s\n", sim.why);
	test_fail(__FILE__, __LINE__, "%s", why);
}

TEST(nothing_is_lost_and_nothing_is_there_twice)
{
	uint64_t first = test_seed(1);
	bool soak = wish("SOAK", 0) > 0;
	uint64_t count = soak ? wish("WORLDS", 10000) : wish("SEED", 0) ? 1 : WORLDS;
	struct sim_totals sum = {0};
	time_t began = time(NULL);

	crashvfs_register();
	for (uint64_t seed = first; seed < first + count; seed++) {
		test_note_seed(seed);
		if (!sim_run(seed, PLANT_NONE))
			failed(seed);
		add(&sum);
	}
	report(&sum, first, first + count - 1, began);
}

TEST(a_seed_replays_exactly)
{
	crashvfs_register();
	for (uint64_t seed = 1; seed <= TWICE; seed++) {
		uint64_t digest;

		test_note_seed(seed);
		sim_run(seed, PLANT_NONE);
		digest = sim.digest;
		sim_run(seed, PLANT_NONE);
		CHECK(digest == sim.digest);
	}
}
