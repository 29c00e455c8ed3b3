/* A client that puts and takes until its stdin ends, and writes down what came of it:
 *
 *	worker ADDRESS NAME SEED DEPTH LOG [none | all]
 *
 * DEPTH 0: blocking calls; above: so many requests at once. `none`: without a session. `all`:
 * claims with commits, and atomics, too. It has no retry code of its own: what a broken
 * connection needs is libtilia's. Tuples are ["job", lane,
 * key, filler], keys are NAME * 10,000,000 + n. A line of LOG is one write():
 *
 *	p KEY		it is about to put this one
 *	P KEY ID	put
 *	X KEY CODE	refused, with no effect
 *	U KEY CODE	not known
 *	t N		it is about to take up to N
 *	T KEY ID	taken
 *	N		none taken, for certain
 *	V CODE N	not known what was taken, up to N
 *	E CODE N	refused, none taken
 *	B KEY ID	this one was taken and given back
 *	C KEY ID TRIES TOKEN	claimed
 *	R KEY ID	its claim was given back
 *	D KEY		not put, for certain: there was nothing to take for it
 *	end CODE	how the session ended
 */
#include "../../libclient/tilia.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LANES 4
#define FILLER 6000
#define LEASE_MS 600000 /* nobody lives so long */

struct put {
	int64_t key;
};

static int log_fd;
static int64_t next_key;
static uint64_t state;
static bool all;
static size_t depth;
static char filler[FILLER + 1];

static uint64_t chance(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static void note(const char *format, ...)
{
	char line[100];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (write(log_fd, line, (size_t)n) != n)
		_exit(9);
}

static bool is_over(void)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* A failure that says nothing about the next request: without a session, or when a server was
 * away for too long. */
static void pause_after(int code)
{
	if (code == TILIA_E_CONNECT || code == TILIA_E_CLOSED)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static size_t filler_size(void)
{
	return chance(50) == 0 ? chance(FILLER) : chance(100);
}

static void put_ended(int64_t key, int code, uint64_t id)
{
	if (code == 0)
		note("P %lld %llu\n", (long long)key, (unsigned long long)id);
	else
		note("%c %lld %d\n", code == TILIA_E_UNKNOWN ? 'U' : 'X', (long long)key, code);
	pause_after(code);
}

static void take_ended(int code, unsigned max)
{
	if (code == TILIA_NONE || code == TILIA_E_CANCELLED)
		note("N\n");
	else if (code != 0)
		note("%c %d %u\n", code == TILIA_E_UNKNOWN ? 'V' : 'E', code, max);
	pause_after(code);
}

static void note_tuples(char what, const struct tilia_tuple *tuple)
{
	for (; tuple != NULL; tuple = tilia_tuple_next(tuple)) {
		int64_t key;

		if (tilia_tuple_int(tuple, 2, &key) != 0)
			_exit(8);
		note("%c %lld %llu\n", what, (long long)key,
		     (unsigned long long)tilia_tuple_id(tuple));
	}
}

static struct tilia_op take_options(void)
{
	struct tilia_op op = {.timeout_ms = TILIA_NOWAIT, .max = 1};

	if (chance(3) == 0)
		op.timeout_ms = 1 + (int64_t)chance(40);
	if (chance(6) == 0)
		op.max = 1 + (uint32_t)chance(5);
	return op;
}

static const char *take_template(char *text, size_t size)
{
	if (chance(2) == 0)
		return "[\"job\", ?int, ?int, ?text]";
	snprintf(text, size, "[\"job\", %d, ?int, ?]", (int)chance(LANES));
	return text;
}

/* --- one at a time --------------------------------------------------------- */

static void blocking_put(struct tilia *t)
{
	int64_t key = next_key++;
	uint64_t id = 0;
	int code;

	note("p %lld\n", (long long)key);
	code = tilia_out_x(t, NULL, &id, "siLS", "job", (int)(key % LANES), (uint64_t)key, filler,
	                   filler_size());
	put_ended(key, code, id);
}

/* A take that was given back is told apart from one that stands. */
static void blocking_undo(struct tilia *t, const struct tilia_tuple *found, unsigned max)
{
	int code = tilia_undo(t, 0);

	if (code < 0)
		note("V %d %u\n", code, max);
	else
		note_tuples(code == 0 ? 'B' : 'T', found);
}

static void blocking_take(struct tilia *t)
{
	struct tilia_op op = take_options();
	struct tilia_tuple *found = NULL;
	char text[100];
	int code;

	note("t %u\n", op.max);
	code = tilia_in_text_x(t, &op, take_template(text, sizeof(text)), &found);
	take_ended(code, op.max);
	if (code != 0)
		return;
	if (depth == 0 && chance(10) == 0) /* else another take may be the last */
		blocking_undo(t, found, op.max);
	else
		note_tuples('T', found);
	tilia_tuple_free(found);
}

/* --- claims and atomics ---------------------------------------------------- */

static void note_claims(const struct tilia_tuple *tuple)
{
	for (; tuple != NULL; tuple = tilia_tuple_next(tuple)) {
		int64_t key;

		if (tilia_tuple_int(tuple, 2, &key) != 0)
			_exit(8);
		note("C %lld %llu %u %llu\n", (long long)key,
		     (unsigned long long)tilia_tuple_id(tuple), tilia_tuple_tries(tuple),
		     (unsigned long long)tilia_tuple_token(tuple));
	}
}

/* Ends the claims, all of them done or all given back, and puts a tuple in the same step. */
static void commit(struct tilia *t, const struct tilia_tuple *found, bool done)
{
	uint64_t tokens[5], id = 0;
	const struct tilia_tuple *tuple;
	struct tilia_commit c = {.out_count = 1};
	struct tilia_put put = {0};
	int64_t key = next_key++;
	size_t n = 0;
	void *cbor;
	int code;

	for (tuple = found; tuple != NULL; tuple = tilia_tuple_next(tuple))
		tokens[n++] = tilia_tuple_token(tuple);
	*(done ? &c.done : &c.back) = tokens;
	*(done ? &c.done_count : &c.back_count) = n;
	code = tilia_build(t, &cbor, &put.size, "siLs", "job", (int)(key % LANES), (uint64_t)key,
	                   "");
	if (code != 0)
		_exit(7);
	put.cbor = cbor;
	c.out = &put;
	note("p %lld\n", (long long)key);
	code = tilia_commit(t, &c, &id);
	put_ended(key, code, id);
	if (code == 0)
		note_tuples(done ? 'T' : 'R', found);
	tilia_free(cbor);
}

/* It does other things while it holds the claims, too. */
static void claim(struct tilia *t)
{
	struct tilia_op op = take_options();
	struct tilia_tuple *found = NULL;
	char text[100];
	int code;

	op.lease_ms = LEASE_MS;
	note("t %u\n", op.max);
	code = tilia_in_text_x(t, &op, take_template(text, sizeof(text)), &found);
	take_ended(code, op.max);
	if (code != 0)
		return;
	note_claims(found);
	while (chance(2) == 0)
		chance(2) == 0 ? blocking_put(t) : blocking_take(t);
	if (chance(4) == 0) {
		uint64_t token = tilia_tuple_token(found);

		take_ended(tilia_renew(t, &token, 1, LEASE_MS, NULL), op.max);
	}
	commit(t, found, chance(4) != 0);
	tilia_tuple_free(found);
}

/* Takes one and puts one that has the other's filler: both or neither. */
static void atomic(struct tilia *t)
{
	struct tilia_op op = {.timeout_ms = chance(2) == 0 ? TILIA_NOWAIT : 20};
	int64_t key = next_key++;
	char in[100], out[100];
	struct tilia_step steps[] = {
		{.kind = TILIA_STEP_NO, .text = "[\"stop\"]"},
		{.kind = TILIA_STEP_IN, .text = take_template(in, sizeof(in))},
		{.kind = TILIA_STEP_OUT, .text = out},
	};
	int code;

	snprintf(out, sizeof(out), "[\"job\", %d, %lld, @1.3]", (int)(key % LANES), (long long)key);
	note("p %lld\n", (long long)key);
	code = tilia_atomic(t, &op, steps, 3);
	if (code == TILIA_NONE)
		note("D %lld\n", (long long)key);
	else
		put_ended(key, code, steps[2].id);
	if (code == 0)
		note_tuples('T', steps[1].found);
	tilia_tuple_free(steps[1].found);
}

/* --- several at once ------------------------------------------------------- */

static void put_done(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct put *put = arg;

	(void)t;
	put_ended(put->key, d->code, d->number);
	free(put);
}

static void take_done(struct tilia *t, struct tilia_done *d, void *arg)
{
	(void)t;
	take_ended(d->code, (unsigned)(uintptr_t)arg);
	if (d->code == 0)
		note_tuples('T', d->tuples);
}

static int submit_put(struct tilia *t)
{
	struct put *put = malloc(sizeof(*put));
	void *cbor;
	size_t size;
	int64_t code;

	if (put == NULL)
		return TILIA_E_NOMEM;
	put->key = next_key++;
	note("p %lld\n", (long long)put->key);
	code = tilia_build(t, &cbor, &size, "siLS", "job", (int)(put->key % LANES),
	                   (uint64_t)put->key, filler, filler_size());
	if (code != 0)
		return (int)code;
	code = tilia_submit(t, TILIA_OUT, NULL, cbor, size, put_done, put);
	tilia_free(cbor);
	return code < 0 ? (int)code : 0;
}

static int submit_take(struct tilia *t)
{
	struct tilia_op op = take_options();
	char text[100];
	void *cbor;
	size_t size;
	int64_t code = tilia_parse(t, &cbor, &size, take_template(text, sizeof(text)));

	if (code != 0)
		return (int)code;
	note("t %u\n", op.max);
	code = tilia_submit(t, TILIA_IN, &op, cbor, size, take_done, (void *)(uintptr_t)op.max);
	tilia_free(cbor);
	if (code > 0 && chance(8) == 0) {
		int undone = tilia_cancel(t, code);

		return undone == TILIA_E_USAGE ? 0 : undone;
	}
	return code < 0 ? (int)code : 0;
}

/* --- life ------------------------------------------------------------------ */

static int live(struct tilia *t)
{
	int code = 0;

	while (code == 0 && !is_over()) {
		bool put = chance(100) < (all ? 60 : 52); /* so that the store fills slowly */

		if (all && chance(4) == 0) {
			chance(2) == 0 ? claim(t) : atomic(t);
			continue;
		}
		if (depth == 0) {
			put ? blocking_put(t) : blocking_take(t);
			continue;
		}
		code = put ? submit_put(t) : submit_take(t);
		if (code == 0)
			code = tilia_flush(t, chance(8) == 0 ? 0 : depth - 1);
	}
	return code;
}

int main(int argc, char **argv)
{
	struct tilia_options options = {.client = "worker"};
	struct tilia *t;
	int code;

	if (argc < 6) {
		fprintf(stderr, "usage: worker ADDRESS NAME SEED DEPTH LOG [none | all]\n");
		return 2;
	}
	options.address = argv[1];
	next_key = atoll(argv[2]) * 10000000;
	state = (strtoull(argv[3], NULL, 10) * 1000003 + (uint64_t)next_key) * 2654435761u | 1;
	options.no_session = argc > 6 && strcmp(argv[6], "none") == 0;
	all = argc > 6 && strcmp(argv[6], "all") == 0;
	memset(filler, 'x', FILLER);
	log_fd = open(argv[5], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	code = log_fd < 0 ? TILIA_E_SYSTEM : tilia_open(&t, &options);
	if (code != 0)
		goto failed;
	depth = strtoul(argv[4], NULL, 10);
	code = live(t);
	if (code == 0)
		code = tilia_flush(t, 0);
	if (code != 0)
		goto failed;
	code = tilia_close(t);
	note("end %d\n", code);
	return 0;
failed:
	fprintf(stderr, "worker: %d %s\n", code, log_fd < 0 ? strerror(errno) : tilia_error(t));
	note("end %d\n", code);
	return 1;
}
