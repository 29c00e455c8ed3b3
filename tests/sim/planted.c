/* Bugs planted between the parts of the simulated world (world/sim.h names them; README
 * says how each is planted). The accounts must show each of them within the seeds 1 to
 * 200, and within ranges of 200 drawn anew each time. */
#include "../lib/crashvfs.h"
#include "world/sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

enum { WORLDS = 200 };

static const char *const names[] = {
#define X(name, text) text,
	PLANTS(X)
#undef X
};

/* Answers how many worlds it took. */
static unsigned find(enum plant plant, uint64_t first)
{
	for (uint64_t seed = first; seed < first + WORLDS; seed++) {
		if (sim_run(seed, plant))
			continue;
		printf("  seeds %" PRIu64 " to %" PRIu64 ": found by %" PRIu64 ": %s\n", first,
		       first + WORLDS - 1, seed, sim.why);
		return (unsigned)(seed - first) + 1;
	}
	test_fail(__FILE__, __LINE__, "%s is not found within seeds %" PRIu64 " to %" PRIu64,
	          names[plant], first, first + WORLDS - 1);
}

static void look_for(enum plant plant)
{
	const char *wish = getenv("RANGES");
	int ranges = wish ? atoi(wish) : getenv("SOAK") ? 5 : 2;
	uint32_t first;

	printf("%s\n", names[plant]);
	crashvfs_register();
	find(plant, 1);
	for (int i = 0; i < ranges; i++) {
		CHECK(getrandom(&first, sizeof first, 0) == sizeof first);
		find(plant, first);
	}
}

TEST(a_reply_before_the_commit_is_found)
{
	look_for(PLANT_EARLY_REPLY);
}

TEST(a_sync_dropped_is_found)
{
	look_for(PLANT_DROPPED_SYNC);
}

TEST(an_outcome_freed_before_its_ack_is_found)
{
	look_for(PLANT_FREED_OUTCOME);
}

TEST(a_claim_not_restored_is_found)
{
	look_for(PLANT_LOST_CLAIM);
}

TEST(a_returned_claim_in_the_wrong_place_is_found)
{
	look_for(PLANT_WRONG_PLACE);
}

TEST(a_token_reissued_is_found)
{
	look_for(PLANT_SAME_TOKEN);
}

TEST(a_wake_up_lost_during_an_index_build_is_found)
{
	look_for(PLANT_LOST_WAKE);
}
