/* The shell around the engine: requests and time in, effects out. It holds
 * replies until their batch is durable, hands batches to the journal and gives
 * background work its part of a turn. It decides nothing.
 *
 * The loop's owner calls shell_turn() before the loop may block, and after the
 * sockets were read. */
#ifndef TILIA_SHELL_H
#define TILIA_SHELL_H

#include "engine/engine.h"
#include "held.h"
#include "journal/journal.h"
#include "net/net.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* What the shell knows of a connection number. */
struct shell_peer {
	uint32_t life; /* counts the connections that had it: late replies are not for the next */
	bool closing;  /* closes when the held replies are out: no more requests */
	uint64_t held; /* the last batch that holds something for it */
};

struct shell {
	uv_loop_t *loop;
	struct net *net;         /* these three belong to the owner */
	struct engine *engine;
	struct journal *journal;

	struct effects fx;
	struct buf scratch;
	uint64_t open, durable; /* batches */
	struct held held[2]; /* of batch b: held[b & 1]; at most the open one and one under way */
	struct shell_peer *peers;
	uint32_t peers_count;
	uint32_t *again; /* connections whose request waits for EV_SEAL */
	size_t again_count, again_cap;

	uv_idle_t work;   /* while there is background work */
	uv_timer_t timer; /* engine_deadline() */
	uint64_t timer_at;
	uint64_t now_ms, wall_ms; /* of the last step: the clocks stand still within a turn */
	uint32_t units;           /* of EV_WORK, adapted */

	uint64_t requests, refused, refused_logged_ms;
	enum journal_disk_state disk; /* what the engine and the log were told last */
	bool failed; /* the journal did: nothing more is answered */
};

void shell_init(struct shell *s, uv_loop_t *loop);

/* Fills in calls and ctx. */
void shell_calls(struct shell *s, struct net_options *o);

/* One event: clocks are filled in, effects are carried out. Answers as
 * engine_step(). */
int shell_step(struct shell *s, struct event *ev);

/* Recovery is over: `durable` was the last batch. Commits the first one of this
 * start; 0, or the journal's negative code. */
int shell_ready(struct shell *s, uint64_t durable, uint64_t boot);

/* The end of a turn: what can be committed is handed over, what has become
 * durable is released, what can be written is written. Look at `failed`. */
void shell_turn(struct shell *s);

/* Nothing is under way to the journal, and nothing waits for it. */
bool shell_is_quiet(const struct shell *s);

/* Ends every connection once its replies are written. */
void shell_close_all(struct shell *s);

/* Waits until everything is durable; for the end. 0, or a negative code. */
int shell_commit_last(struct shell *s);

/* Thread CPU time so far. */
uint64_t shell_cpu_us(void);

/* Closes its handles: the memory goes with shell_close(), after the loop. */
void shell_stop(struct shell *s);
void shell_close(struct shell *s);

#endif
