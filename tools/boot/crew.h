/* Who takes part in a run, for the three files of the launcher: launcher.c (the
 * run: its beginning, signals, end), site.c (a place) and worker.c. */
#ifndef TILIA_BOOT_CREW_H
#define TILIA_BOOT_CREW_H

#include "console.h"
#include "far.h"
#include "launcher.h"
#include "uplink.h"

#include <stdbool.h>
#include <uv.h>

#define STATUS_NONE (-1000)    /* it has not ended */
#define STATUS_LOST (-1001)    /* its place has */

struct run;
struct site;

struct worker {
	struct site *site;
	unsigned channel, rank;
	struct uplink *uplink; /* NULL: none (any more) */
	struct buf in;         /* its requests, the last not yet whole */
	size_t op_owed, text_owed; /* credit not yet given back */
	struct console_stream out, err;
	int status;
	bool cut;              /* its channel was closed */
};

/* A place in a run. */
struct site {
	struct run *run;
	const struct place *place;
	char id[32];
	struct buf start;
	struct far *far;
	struct worker *workers;
	unsigned count, running; /* workers; those not yet ended */
	struct console_stream text; /* stderr of the hub and of ssh */
	size_t text_waits;          /* bytes of it not yet written */
	bool starting, opened, ended; /* waits to be started; said hello; is no more */
	bool failed;                  /* it never said hello */
};

struct run {
	uv_loop_t loop;
	const struct launcher_options *o;
	struct console_sink *out, *err;
	struct site *sites;
	unsigned count, workers, uplinks;
	char id[17];
	uv_signal_t signals[4];
	unsigned interrupts; /* Ctrl-C so far */
	bool stopping;       /* TERM, HUP, or nobody reads us */
	bool leaving;
	int lost_code;       /* of the first session that was lost */
};

/* --- launcher.c ------------------------------------------------------------ */

/* A line of our own on stderr. */
void launcher_say(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Starts the places whose turn it is. */
void launcher_start_sites(struct run *r);

/* Ends the loop when every place and every session has ended. */
void launcher_check_done(struct run *r);

/* Whether a stream of ours is to be coloured. */
bool launcher_is_coloured(int fd);

/* --- site.c ---------------------------------------------------------------- */

/* Fills in a place and its workers, the first of rank `rank`; answers the next
 * rank. */
unsigned site_init(struct site *s, struct run *r, const struct place *p, unsigned rank);

/* Makes what it needs, once all places are known; nothing is started yet. */
void site_equip(struct site *s);
void site_close(struct site *s);

/* The first host of the way there: what starts are counted by. */
const char *site_door(const struct site *s);

/* --- worker.c -------------------------------------------------------------- */

/* What a worker is called: the place, and its rank where that is not enough. */
void worker_name(const struct worker *w, char *out, size_t size);

/* Makes its outputs and its session, which begins to connect. */
void worker_equip(struct worker *w);

/* Requests of the worker, cut anywhere. */
void worker_take_op(struct worker *w, struct bytes piece);

/* It has ended: `status`, minus a signal, or STATUS_LOST. Only the first counts. */
void worker_ended(struct worker *w, int status);

/* Its exit status for people and shells. */
unsigned worker_status(const struct worker *w);

#endif
