/* The walk is worth its time: it finds what is planted into the engine
 * (planted/plant.c), each defect within 200 seeds, and nothing when nothing is. */
#include "../lib/harness.h"

#include <stdlib.h>

enum { SEEDS = 200 };

/* Walks with the defect; answers the seed that has found it, or 0. */
static unsigned long find(const char *plant, const char *seeds)
{
	const char *build = getenv("BUILD"), *at;
	char command[600], line[4096];
	unsigned long seed = 0;
	FILE *out;

	snprintf(command, sizeof command,
	         "PLANT=%s SOAK= SEED= SEEDS=%s '%s/tests/model/planted/walk' "
	         "a_random_walk_agrees_with_a_list_and_a_scan 2>&1",
	         plant, seeds, build ? build : "build");
	out = popen(command, "r");
	CHECK(out);
	while (fgets(line, sizeof line, out)) {
		at = strstr(line, "(SEED=");
		if (at)
			seed = strtoul(at + 6, NULL, 10);
	}
	pclose(out);
	return seed;
}

static void must_find(const char *plant)
{
	char seeds[20];
	unsigned long seed;

	snprintf(seeds, sizeof seeds, "%d", SEEDS);
	seed = find(plant, seeds);
	printf("%s: found by seed %lu\n", plant, seed);
	CHECK(seed > 0);
}

TEST(nothing_is_found_where_nothing_is_planted)
{
	CHECK_INT(find("nothing", "3"), 0);
}

TEST(a_wake_up_lost_during_an_index_build_is_found)
{
	must_find("wake-up");
}

TEST(a_returned_claim_in_the_wrong_place_is_found)
{
	must_find("place");
}

TEST(a_token_reissued_after_a_restart_is_found)
{
	must_find("token");
}

TEST(a_claim_that_is_not_restored_is_found)
{
	must_find("claim");
}
