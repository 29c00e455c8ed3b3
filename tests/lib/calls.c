#include "calls.h"

#include "../../libclient/base/xmalloc.h"

#include <string.h>
#include <sys/socket.h>

#define PREPARED 6 /* tuples [n, "text"] */

/* --- the books ----------------------------------------------------------------- */

static int judge(struct calls *c, int code, const char *call, int line)
{
	if (code == 0 || code == TILIA_NONE)
		return code;
	if (code != c->may &&
	    (!c->cut || (code != TILIA_E_CLOSED && code != TILIA_E_UNKNOWN)))
		test_fail(__FILE__, line, "%s, %lu: %s: %d", c->round, c->n, call, code);
	c->failed++;
	return code;
}

/* Of a put that failed nothing is known; a take that failed took nothing. */
static int booked(struct calls *c, int64_t puts, int code)
{
	if (code == 0)
		c->sure += puts;
	else if (code < 0 && puts > 0)
		c->maybe += puts;
	return code;
}

#define DO(call) judge(c, call, #call, __LINE__)
#define PUT(n, call) booked(c, n, DO(call))
#define TAKE(n, call) booked(c, -(n), DO(call))

/* How many were taken is for the answer to say. */
#define TAKE_LIST(call, list) (DO(call) == 0 ? (c->sure -= freed(list)) : 0)

static int freed(struct tilia_tuple *first)
{
	int n = 0;

	for (struct tilia_tuple *at = first; at != NULL; at = tilia_tuple_next(at))
		n++;
	tilia_tuple_free(first);
	return n;
}

static int64_t count(struct tilia *t, const char *space)
{
	struct tilia_op op = {.space = space};
	uint64_t n = 0;
	int code = tilia_count_text(t, &op, "null", &n);

	if (code != 0 && code != TILIA_E_NO_SPACE)
		test_fail(__FILE__, __LINE__, "count in %s: %s", space, tilia_error(t));
	return (int64_t)n;
}

void calls_prepare(struct calls *c, struct tilia *other)
{
	struct tilia_op op = {.space = CALLS_SPACE};

	CHECK_OK(tilia_space_create(other, CALLS_SPACE,
	                            &(struct tilia_space){.is_volatile = true}));
	for (int i = 1; i <= PREPARED; i++)
		CHECK_OK(tilia_out_x(other, &op, NULL, "is", i, "text"));
	c->failed = 0;
	c->sure = PREPARED;
	c->maybe = c->bound = 0;
}

static int64_t all(struct tilia *t)
{
	return count(t, CALLS_SPACE) + count(t, CALLS_SPACE ".dead");
}

void calls_check(const struct calls *c, struct tilia *other, bool closed)
{
	int64_t least = c->sure - (closed ? c->bound : 0), n = all(other);

	/* What a session took that is over is back with its grace. */
	for (int64_t end = now_ms() + 10000; c->cut && n < least && now_ms() < end; n = all(other))
		pause_ms(5);
	if (n < least || n > c->sure + c->maybe)
		test_fail(__FILE__, __LINE__, "%s, %lu: %lld tuples, not %lld%s", c->round, c->n,
		          (long long)n, (long long)least, c->maybe ? " or a few more" : "");
}

void calls_clear(struct tilia *other)
{
	CHECK_OK(tilia_space_drop(other, CALLS_SPACE));
	(void)tilia_space_drop(other, CALLS_SPACE ".dead");
	(void)tilia_space_drop(other, "more");
}

/* --- rounds -------------------------------------------------------------------- */

static void put(struct calls *c)
{
	struct tilia_op every = {.space = CALLS_SPACE, .ttl_ms = 600000,
	                         .unless = "[\"never\", ?int]", .visible = true,
	                         .room = true, .timeout_ms = 600000};
	struct tilia_op cbor = {.unless_cbor = "\x81\x63" "xyz", .unless_size = 5};
	struct tilia_op later = {.delay_ms = 600000}, bound = {.bound = true};
	struct tilia_op refused = {.unless = "[1, ?]"};
	uint64_t id, ids[2];

	PUT(1, tilia_out(c->t, "isdby[in]{si}", 1, "a text", 2.5, 1, "\1", (size_t)1, 1, "k", 2));
	PUT(1, tilia_out_x(c->t, &every, &id, "is", 2, "x"));
	PUT(1, tilia_out_x(c->t, &later, &id, "is", 3, "x"));
	if (PUT(1, tilia_out_text_x(c->t, &bound, &id, "[4, \"x\"]")) == 0)
		c->bound++;
	PUT(1, tilia_out_text(c->t, "[5, [1, {\"a\": h'0102'}], \"\\u00e4\"]"));
	PUT(1, tilia_out_cbor(c->t, &cbor, "\x9f\x06\xff", 3, &id));
	PUT(2, tilia_outs_cbor(c->t, NULL, "\x82\x81\x07\x9f\x08\xff", 6, ids));
	DO(tilia_out_x(c->t, &refused, NULL, "i", 9));
}

static void take(struct calls *c)
{
	struct tilia_op max = {.max = 2, .timeout_ms = 600000};
	struct tilia_op after = {.after = 1, .timeout_ms = TILIA_NOWAIT};
	struct tilia_op now = {.timeout_ms = TILIA_NOWAIT};
	struct tilia_tuple *found;
	char *s = NULL;
	void *item = NULL;
	size_t size;
	uint64_t id;
	int64_t n;

	if (TAKE(1, tilia_in(c->t, "?l?s", &n, &s)) == 0)
		tilia_free(s);
	if (DO(tilia_rd(c->t, "?l?c", &n, &item, &size)) == 0)
		tilia_free(item);
	s = NULL;
	if (TAKE(1, tilia_in_x(c->t, NULL, &id, "?l?s", NULL, &s)) == 0)
		tilia_free(s);
	if (DO(tilia_rd_text(c->t, "[?int 1.., \"text\"]", &found)) == 0)
		freed(found);
	if (DO(tilia_rd_cbor(c->t, &after, "\xf6", 1, &found)) == 0)
		freed(found);
	TAKE_LIST(tilia_in_text_x(c->t, &max, "[?, ?text]", &found), found);
	TAKE_LIST(tilia_in_cbor(c->t, &now, "\x81\xf6", 2, &found), found);
	TAKE(1, tilia_inp(c->t, "?l_", NULL));
	if (TAKE(1, tilia_inp(c->t, "?l_", NULL)) == 0)
		PUT(1, tilia_undo(c->t, 0)); /* puts it back, perhaps later */
	DO(tilia_rdp(c->t, "?l_", NULL));
}

static void look(struct calls *c)
{
	struct tilia_op visible = {.visible = true}, now = {.timeout_ms = TILIA_NOWAIT};
	void *p = NULL;
	size_t size;
	char *text;
	uint64_t n;

	DO(tilia_count(c->t, &n, "?l_", NULL));
	DO(tilia_count_x(c->t, &visible, &n, "?l_", NULL));
	DO(tilia_count_text(c->t, NULL, "[?int, \"text\"]", &n));
	DO(tilia_count_cbor(c->t, NULL, "\xf6", 1, &n));
	DO(tilia_wait(c->t, TILIA_GE, 3, "?l_", NULL));
	DO(tilia_wait_x(c->t, &now, TILIA_GE, 99, &n, "?l_", NULL));
	DO(tilia_wait_text(c->t, NULL, TILIA_EQ, 0, "[\"none\"]", &n));
	DO(tilia_wait_cbor(c->t, NULL, TILIA_EQ, 0, "\x81\x01", 2, &n));
	if (DO(tilia_build(c->t, &p, &size, "i[s]", 1, "x")) == 0) {
		text = tilia_text(p, size);
		DO(text == NULL ? TILIA_E_NOMEM : 0);
		tilia_free(text);
		tilia_free(p);
	}
	if (DO(tilia_parse(c->t, &p, &size, "[@0.1+1, {\"a\": ?int}]")) == 0)
		tilia_free(p);
	if (DO(tilia_stats(c->t, NULL, &p, &size)) == 0)
		tilia_free(p);
	DO(tilia_ping(c->t));
}

static uint64_t claim(struct calls *c)
{
	struct tilia_op op = {.lease_ms = 600000, .timeout_ms = TILIA_NOWAIT};
	struct tilia_tuple *found = NULL;
	uint64_t token = 0;
	char *text;

	if (DO(tilia_in_text_x(c->t, &op, "[?int, ?]", &found)) != 0)
		return 0;
	token = tilia_tuple_token(found);
	text = tilia_tuple_text(found);
	DO(text == NULL ? TILIA_E_NOMEM : 0);
	tilia_free(text);
	tilia_tuple_free(found);
	return token;
}

static void work(struct calls *c)
{
	static const struct tilia_put out[] = {
		{.cbor = "\x81\x01", .size = 2, .ttl_ms = 600000},
		{.space = CALLS_SPACE, .cbor = "\x9f\x02\xff", .size = 3, .delay_ms = 600000},
	};
	uint64_t done = claim(c), back = claim(c), bury = claim(c), ids[2], left;
	int64_t delay_ms = 1;
	struct tilia_commit commit = {
		.done = &done, .done_count = done != 0, .back = &back, .back_count = back != 0,
		.bury = &bury, .bury_count = bury != 0, .back_delay_ms = &delay_ms,
		.out = out, .out_count = 2,
	};
	int code;

	if (done != 0)
		DO(tilia_renew(c->t, &done, 1, 700000, &left));
	code = PUT(2, tilia_commit(c->t, &commit, ids));
	if (done != 0 && code <= 0)
		c->sure--;
	if (done != 0 && code < 0)
		c->maybe++;
}

static void change_at_once(struct calls *c)
{
	struct tilia_step s[] = {
		{.kind = TILIA_STEP_IN, .text = "[?int, \"text\"]"},
		{.kind = TILIA_STEP_RD, .space = CALLS_SPACE, .cbor = "\xf6", .size = 1},
		{.kind = TILIA_STEP_NO, .text = "[\"none\"]", .visible = true},
		{.kind = TILIA_STEP_OUT, .text = "[@0.0+1, \"x\"]", .ttl_ms = 600000},
		{.kind = TILIA_STEP_OUT, .cbor = "\x81\x05", .size = 2},
	};
	struct tilia_op op = {.space = CALLS_SPACE, .timeout_ms = TILIA_NOWAIT};
	int code = DO(tilia_atomic(c->t, &op, s, 5));

	CHECK((code == 0) == (s[0].found != NULL) && (code == 0) == (s[1].found != NULL));
	if (code == 0)
		c->sure++; /* one less, two more */
	else if (code < 0)
		c->maybe++;
	tilia_tuple_free(s[0].found);
	tilia_tuple_free(s[1].found);
}

static void watch(struct calls *c)
{
	struct tilia_watch *all = NULL, *text = NULL, *cbor = NULL;
	struct tilia_event e = {0};

	DO(tilia_watch(c->t, &all, NULL, "?l_", NULL));
	DO(tilia_watch_text(c->t, &text, NULL, "[?int, ?]"));
	DO(tilia_watch_cbor(c->t, &cbor, NULL, "\xf6", 1));
	PUT(1, tilia_out(c->t, "is", 7, "x"));
	if (all != NULL && DO(tilia_watch_next(all, 20, &e)) == 0)
		tilia_tuple_free(e.tuple);
	tilia_watch_end(text);
	PUT(1, tilia_out(c->t, "is", 8, "x"));
	tilia_watch_end(all);
	tilia_watch_end(cbor);
}

static void spaces(struct calls *c)
{
	struct tilia_space made = {.is_volatile = true, .shape = "[?int]", .tuples = 5, .tries = 2,
	                           .dead = "some.dead"};
	struct tilia_space changed = {.set = TILIA_SPACE_TUPLES | TILIA_SPACE_SHAPE, .tuples = 9,
	                              .shape = "[?]"};
	struct tilia_op op = {.space = "more"};
	void *p = NULL;
	size_t size;

	DO(tilia_space_create(c->t, "more", &made));
	if (c->failed == 0) {
		DO(tilia_out_x(c->t, &op, NULL, "i", 1));
		if (DO(tilia_space_alter(c->t, "more", &changed)) == 0)
			DO(tilia_out_x(c->t, &op, NULL, "s", "x"));
	}
	if (DO(tilia_space_list(c->t, &p, &size)) == 0)
		tilia_free(p);
	if (c->failed == 0)
		DO(tilia_space_drop(c->t, "more"));
}

/* --- without waiting ------------------------------------------------------------- */

struct asked {
	struct calls *c;
	int64_t puts, takes, answers;
};

static void on_done(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct asked *a = arg;
	struct calls *c = a->c;

	(void)t;
	if (d->event != NULL)
		return;
	a->answers++;
	if (d->code == TILIA_E_CANCELLED)
		return;
	if (a->takes != 0)
		TAKE(a->takes, d->code);
	else
		PUT(a->puts, d->code);
}

static int64_t submit(struct asked *a, enum tilia_request what, const char *cbor, size_t size)
{
	struct calls *c = a->c;
	struct tilia_op now = {.timeout_ms = TILIA_NOWAIT};
	bool waits = what == TILIA_IN || what == TILIA_RD || what == TILIA_ATOMIC;
	int64_t n = tilia_submit(c->t, what, waits ? &now : NULL, cbor, size, on_done, a);

	if (n < 0)
		DO((int)n);
	return n > 0;
}

static void submitted(struct calls *c)
{
	static const char step[] = "\x81\x83\x63" "out" "\x64" CALLS_SPACE "\x81\x01";
	static const struct tilia_put out = {.cbor = "\x81\x03", .size = 2};
	struct tilia_commit commit = {.out = &out, .out_count = 1};
	static struct asked put, two, in, none, waiting; /* may be answered by close */
	uint64_t token = claim(c);
	int64_t asked = 0, n;

	put = (struct asked){c, 1, 0, 0};
	two = (struct asked){c, 2, 0, 0};
	in = (struct asked){c, 0, 1, 0};
	none = waiting = (struct asked){c, 0, 0, 0};
	asked += submit(&put, TILIA_OUT, "\x81\x01", 2);
	asked += submit(&two, TILIA_OUTS, "\x82\x81\x01\x81\x02", 5);
	asked += submit(&in, TILIA_IN, "\x82\xd9\x78\x00\xa0\x64" "text", 10);
	asked += submit(&none, TILIA_RD, "\xf6", 1);
	asked += submit(&none, TILIA_COUNT, "\xf6", 1);
	asked += submit(&none, TILIA_WAIT, "\x82\xf6\x82\x62" "ge" "\x01", 7);
	asked += submit(&put, TILIA_ATOMIC, step, sizeof step - 1);
	asked += submit(&none, TILIA_PING, NULL, 0);
	asked += submit(&none, TILIA_STATS, NULL, 0);
	n = tilia_submit_commit(c->t, &commit, on_done, &put);
	asked += n > 0;
	DO(n < 0 ? (int)n : 0);
	if (token != 0) {
		n = tilia_submit_renew(c->t, &token, 1, 700000, on_done, &none);
		asked += n > 0;
		DO(n < 0 ? (int)n : 0);
	}
	DO(tilia_flush(c->t, 0));
	n = tilia_submit(c->t, TILIA_IN, NULL, "\x81\x18\x63", 3, on_done, &waiting);
	DO(n < 0 ? (int)n : 0);
	DO(tilia_process(c->t, TILIA_READ | TILIA_WRITE));
	if (n > 0 && DO(tilia_cancel(c->t, n)) == 0) {
		DO(tilia_flush(c->t, 0));
		CHECK_INT(waiting.answers, 1);
	}
	CHECK_INT(put.answers + two.answers + in.answers + none.answers, asked);
}

/* Each call finds the stream broken and goes on over a new one. */
static void resume(struct calls *c)
{
	uint64_t token, left;
	char *s = NULL;

	shutdown(tilia_fd(c->t), SHUT_RDWR);
	PUT(1, tilia_out(c->t, "is", 1, "x"));
	shutdown(tilia_fd(c->t), SHUT_RDWR);
	if (TAKE(1, tilia_inp(c->t, "?l?s", NULL, &s)) == 0)
		tilia_free(s);
	token = claim(c);
	shutdown(tilia_fd(c->t), SHUT_RDWR);
	if (token != 0)
		DO(tilia_renew(c->t, &token, 1, 700000, &left));
	shutdown(tilia_fd(c->t), SHUT_RDWR);
	PUT(1, tilia_out(c->t, "is", 1, "x"));
}

const struct calls_round calls_rounds[] = {
	{"put", put},       {"take", take},   {"look", look},
	{"work", work},     {"watch", watch}, {"change_at_once", change_at_once},
	{"spaces", spaces}, {"submitted", submitted},
	{"resume", resume},
};

const size_t calls_rounds_count = sizeof calls_rounds / sizeof *calls_rounds;
