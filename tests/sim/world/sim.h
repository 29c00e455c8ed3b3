/* The simulated world: one server, its disk, a network, and users with the real
 * session machine of libclient, in one process and one thread of virtual time.
 * Everything that happens follows from a seed. There is one world; each file of
 * it reads `sim`. */
#ifndef TILIA_TESTS_SIM_H
#define TILIA_TESTS_SIM_H

#include "../../lib/harness.h"

#include <stdarg.h>

/* Bugs planted between the parts, for the proof that the accounts would show them;
 * see ../README. X(NAME, "name") */
#define PLANTS(X)                                                                                  \
	X(NONE, "nothing")                                                                         \
	X(EARLY_REPLY, "a reply before the commit")                                                \
	X(DROPPED_SYNC, "a sync dropped")                                                          \
	X(FREED_OUTCOME, "an outcome freed before its ack")                                        \
	X(LOST_CLAIM, "a claim not restored")                                                      \
	X(WRONG_PLACE, "a returned claim in the wrong place")                                      \
	X(SAME_TOKEN, "a token reissued after a restart")                                          \
	X(LOST_WAKE, "a wake-up lost during an index build")

enum plant {
#define X(name, text) PLANT_##name,
	PLANTS(X)
#undef X
	PLANT_COUNT
};

/* What a seed draws: how bad this world is. Rates are chances in a million a tick. */
struct sim_rates {
	uint64_t cut, crash, stop, pause, death, jump, full; /* 0: never */
	uint64_t delay_ms;   /* of a write on its way, at most */
	uint64_t away_ms;    /* of a user whose connection broke, at most */
	uint64_t disk_ms;    /* of a commit, at most */
	uint64_t grace_ms;   /* of sessions */
	uint64_t lease_ms;   /* of claims, at least */
	uint64_t ask_ms;     /* between two requests of a user, at most */
	uint64_t idle_ms;    /* users pause for so long after every so long; 0: they do not */
	uint64_t pieces;     /* one read in so many is a piece only; 0: none */
	unsigned fatal;      /* one commit in so many is the last one; 0: none */
	unsigned units;      /* of background work a tick, at most */
	bool few;            /* small limits */
	bool plain;          /* the first user has no session */
	bool sqlite;         /* else the journal in memory */
};

/* What all worlds together must have seen: X(name). */
#define TOTALS(X)                                                                                  \
	X(requests) X(crashes) X(cuts) X(resumes) X(sessions_over) X(deaths) X(puts) X(takes)      \
	X(claims) X(committed) X(refused) X(moved) X(undone) X(unknown) X(again) X(orders)         \
	X(stops) X(pauses) X(jumps) X(buried) X(doubts) X(full)

struct sim_totals {
#define X(name) unsigned long name;
	TOTALS(X)
#undef X
};

struct sim {
	uint64_t seed;
	enum plant plant;
	struct sim_rates rates;
	bool faults;         /* off while the world is set up and wound up */
	uint64_t now_ms;     /* virtual */
	int64_t skew_ms;     /* of the wall clock */
	uint64_t event;      /* rises with all that users do and learn */
	uint64_t digest;     /* of every byte that arrived, in order */
	bool failed;
	char why[400];
	uint64_t about;      /* the tuple that it is about; 0: none */
	bool trace;          /* a replay: what concerns `trace_about` is written down */
	uint64_t trace_about;
	struct sim_totals totals;
};

extern struct sim sim;

/* The first failure ends the world at the end of the tick. `about`: a tuple, or 0. */
void sim_fail(uint64_t about, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line of the trace, kept when a replay asks for it. `about`: a tuple; 0: a fault. */
void sim_note(uint64_t about, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The last lines of the trace. */
void sim_print_trace(void);

/* Whether what has that chance in a million happens now. Never without faults. */
bool sim_happens(uint64_t rate);

/* Whether the planted bug shows now: one time in `often`. */
bool sim_planted(enum plant plant, unsigned often);

/* Plays a whole world; true: nothing is wrong. What it counted is in sim.totals. */
bool sim_run(uint64_t seed, enum plant plant);

/* The same again, with a trace about what failed; prints it. */
void sim_replay(uint64_t seed, enum plant plant);

#endif
