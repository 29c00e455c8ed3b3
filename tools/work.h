/* Inside of `tilia work`: the worker (work.c: options; work_loop.c: its one wait), the
 * commands it makes of tuples (work_command.c), and a claim from its first to its last
 * moment (work_job.c). */
#ifndef TILIA_TOOLS_WORK_H
#define TILIA_TOOLS_WORK_H

#include "child.h"
#include "fields.h"
#include "fill.h"
#include "link.h"
#include "sink.h"
#include "words.h"

#include "../libclient/base/list.h"

#define WORK_SLOTS_MAX 1024
#define WORK_OUTS_MAX 16
#define WORK_WHY 512

enum work_stdin { WORK_NO_STDIN, WORK_JSON, WORK_CBOR };

struct work_options {
	char *const *words;    /* of the command */
	unsigned word_count;   /* 1: for sh -c */
	const char *out[WORK_OUTS_MAX];
	unsigned outs;
	const char *out_space; /* NULL: that of the jobs */
	bool captures;         /* {stdout} is in one of `out` */
	enum work_stdin in;
	bool any;              /* no template */
	unsigned slots;
	uint64_t most;         /* jobs to begin */
	int64_t timeout_ms;    /* of a command; 0: none */
	int64_t back_ms, back_max_ms;
	int bury_on;           /* exit status; 0: none */
};

struct work {
	struct link link;
	struct work_options o;
	struct tilia_op op;    /* of the request for jobs */
	struct fields fields;  /* the template, and the names of its blanks */
	unsigned arity;        /* 0: any */
	struct guard guard;
	struct sink out, err;
	struct list jobs;      /* that run */
	unsigned running;
	uint64_t begun, done, back, buried, lost;
	unsigned commits;      /* unanswered */
	int64_t asking;        /* the request for jobs, or 0 */
	bool over;             /* no more jobs are asked for */
	int ends;              /* signals that were heeded */
	int64_t away_ms;       /* since when there is no connection; 0: there is */
	bool told_away;
	bool shows, shown;     /* how it goes, on a terminal's last line; it stands there now */
	int64_t show_ms;       /* not again before */
	int status;            /* why it ended before its time, or 0 */
};

/* --- work_command.c -------------------------------------------------------- */

struct work_command {
	struct words argv, env;
	int in; /* standard input */
};

/* Whether all blanks of the command and of `out` stand for something. */
bool work_command_check(const struct work *w, char *why);

/* The command for a tuple; work_command_close() in any case. false: it cannot be made
 * of this tuple, and why[WORK_WHY] says why. */
bool work_command_make(const struct work *w, const struct tilia_tuple *t,
                       struct work_command *c, char *why);
void work_command_close(struct work_command *c);

/* Appends the CBOR of result number `i`. */
bool work_command_result(const struct work *w, unsigned i, const uint8_t *tuple,
                         struct bytes said, int status, struct buf *to, char *why);

/* --- work_job.c ------------------------------------------------------------ */

struct job;

/* Begins what was claimed; `unwanted`: gives it back at once. */
void job_begin(struct work *w, const struct tilia_tuple *t, bool unwanted);

/* Its descriptors to be polled (none, one or two; answers how many); reads what is
 * there, and answers whether something was. */
unsigned job_poll(struct job *j, struct pollfd *p);
bool job_read(struct job *j);

/* Goes on: renews, terminates, commits. It may be gone then. */
void job_tick(struct job *j, int64_t now_ms);
int64_t job_deadline_ms(const struct job *j, int64_t now_ms);

/* Terminates its command; the claim is given back, or, `lost`, is somebody else's. */
void job_stop(struct job *j, int64_t kill_ms, bool lost);

/* The job of a link of w->jobs. */
struct job *job_of(struct list *link);

/* --- work_loop.c ----------------------------------------------------------- */

/* Works until there is nothing to do any more. Answers the exit status. */
int work_run(struct work *w);

/* No more claims; what runs may finish. `status` 0: for a reason that is no failure. */
void work_end(struct work *w, int status);

#endif
