/* What ends by the clock: in slices, at most a quarter of a batch, and nobody is told
 * what is not so meanwhile. What a step did is counted, not timed. */
#include "../../libclient/diag.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "../../server/engine/state.h"
#include "../lib/harness.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MANY = 100000 };
#else
enum { MANY = 1000000 };
#endif

enum { LIST = 1000, STEPS_MAX = 4 * MANY };

static struct world {
	struct engine *engine;
	struct effects fx;
	uint64_t now_ms, n;
	unsigned deletes, states, resumes; /* effects, of all steps so far */
	struct buf reply;                  /* the last, as text */
} w;

static int step(struct event ev)
{
	int result;

	ev.now_ms = w.now_ms;
	ev.wall_ms = 1700000000000 + w.now_ms;
	result = engine_step(w.engine, &ev, &w.fx);
	for (size_t i = 0; i < w.fx.count; i++) {
		const struct effect *f = &w.fx.list[i];
		struct bytes message;
		size_t used;

		w.deletes += f->kind == EFFECT_CHANGE && f->change.kind == CHANGE_DELETE;
		w.states += f->kind == EFFECT_CHANGE && f->change.kind == CHANGE_STATE;
		w.resumes += f->kind == EFFECT_RESUME;
		if (f->kind != EFFECT_REPLY)
			continue;
		CHECK_INT(frame_next(effect_frame(&w.fx, f), FRAME_MAX, &message, &used), 1);
		buf_clear(&w.reply, 0);
		diag_print(&w.reply, message.p);
		buf_byte(&w.reply, 0);
	}
	return result;
}

/* Asks on a connection: `[n, ` and what is given. */
static int ask(uint32_t conn, const char *text)
{
	struct buf line = BUF_INIT, b = BUF_INIT, scratch = BUF_INIT;
	struct message_error err;
	struct diag_error why;
	struct request r;
	int result;

	buf_printf(&line, "[%llu, %s]", (unsigned long long)w.n, text);
	CHECK_INT(diag_parse(buf_bytes(&line), DIAG_FORMALS, &b, NULL, NULL, &why), 0);
	CHECK_INT(message_decode(buf_bytes(&b), &scratch, &r, &err), 0);
	result = step((struct event){.kind = EV_REQUEST, .conn = conn, .request = &r});
	w.n++;
	buf_close(&line);
	buf_close(&b);
	buf_close(&scratch);
	return result;
}

/* Answered at once, with that result. */
static void says(uint32_t conn, const char *text, const char *result)
{
	struct buf want = BUF_INIT;

	buf_printf(&want, "[%llu, 0, %s]", (unsigned long long)w.n, result);
	buf_byte(&want, 0);
	CHECK_INT(ask(conn, text), 0);
	CHECK_STR((const char *)w.reply.data, (const char *)want.data);
	buf_close(&want);
}

/* Puts `count` tuples [kind, 0], ... with the options, LIST at a time. */
static void put(const char *space, const char *kind, unsigned count, const char *options)
{
	struct buf b = BUF_INIT;

	for (unsigned i = 0; i < count;) {
		buf_clear(&b, SIZE_MAX);
		buf_printf(&b, "\"outs\", \"%s\", [", space);
		for (unsigned k = 0; k < LIST && i < count; k++, i++)
			buf_printf(&b, "%s[\"%s\", %u]", k ? ", " : "", kind, i);
		buf_printf(&b, "], %s", options);
		buf_byte(&b, 0);
		CHECK_INT(ask(0, (const char *)b.data), 0);
	}
	buf_close(&b);
}

static void begin(unsigned settles, unsigned expiries)
{
	struct engine_config config = {.hash_seed = 1};

	memset(&w, 0, sizeof w);
	w.n = 1;
	w.now_ms = 1000;
	effects_init(&w.fx);
	buf_init(&w.reply);
	engine_limits_default(&config.limits);
	if (settles)
		config.limits.settles = settles;
	if (expiries)
		config.limits.expiries = expiries;
	w.engine = engine_create(&config);
	step((struct event){.kind = EV_READY, .batch = 1, .boot = 1});
	for (uint32_t conn = 0; conn < 3; conn++)
		step((struct event){.kind = EV_OPEN, .conn = conn, .principal = bytes_of("uid:1")});
	CHECK_INT(ask(0, "\"space\", \"create\", \"v\", {\"volatile\": true}"), 0);
}

static void end(void)
{
	engine_assert(w.engine);
	engine_destroy(w.engine);
	effects_close(&w.fx);
	buf_close(&w.reply);
}

static void pass(uint64_t ms)
{
	w.now_ms += ms;
	step((struct event){.kind = EV_TIME});
}

static void work(unsigned units)
{
	for (int i = 0; engine_working(w.engine); i++) {
		CHECK(i < STEPS_MAX);
		step((struct event){.kind = EV_WORK, .units = units});
	}
}

static void seal(void)
{
	step((struct event){.kind = EV_SEAL});
	step((struct event){.kind = EV_TIME});
}

/* Works until nothing is left to do, a step at a time: each takes no more than its
 * units (and the slice that every step may settle); who asks for another space is
 * answered between any two steps. */
static void work_watched(unsigned units, const uint64_t *left)
{
	for (unsigned i = 0; engine_working(w.engine); i++) {
		uint64_t before = *left;

		CHECK(i < STEPS_MAX);
		step((struct event){.kind = EV_WORK, .units = units});
		CHECK(before - *left <= units + 256);
		CHECK(w.fx.count <= units + 256);
		if (i % 64 == 0)
			says(1, "\"in\", \"main\", [\"other\"], {\"timeout\": 0}", "[]");
	}
}

TEST(a_million_tuples_expire_in_one_millisecond)
{
	begin(0, 0);
	says(1, "\"rd\", \"main\", [\"other\"], {\"timeout\": 0}", "[]"); /* the index is there */
	put("v", "x", MANY, "{\"ttl\": 5000}");
	CHECK_INT(w.engine->tuples, MANY);
	pass(4999);
	CHECK_INT(w.engine->tuples, MANY);
	pass(1);
	CHECK_INT(w.engine->tuples, MANY - 256);
	CHECK_INT(ask(2, "\"count\", \"v\", null"), ENGINE_AGAIN);
	work_watched(512, &w.engine->tuples);
	CHECK_INT(w.engine->tuples, 0);
	CHECK_INT(w.engine->timed.count, 0);
	CHECK(w.resumes == 1);
	says(2, "\"count\", \"v\", null", "0");
	end();
}

TEST(a_million_leases_end_in_one_millisecond)
{
	unsigned claimed = 0;

	begin(0, 0);
	says(1, "\"rd\", \"main\", [\"other\"], {\"timeout\": 0}", "[]");
	put("v", "x", MANY, "{}");
	/* A session may have 131,072 claims: each connection takes what it may. */
	for (uint32_t conn = 3; claimed < MANY; claimed += LIST) {
		if (claimed % 130000 == 0)
			step((struct event){.kind = EV_OPEN, .conn = ++conn,
			                    .principal = bytes_of("uid:1")});
		CHECK_INT(ask(conn, "\"in\", \"v\", null, {\"lease\": 5000, \"max\": 1000}"), 0);
	}
	CHECK_INT(w.engine->claims, MANY);
	for (int i = 0; i < 5; i++)
		pass(999);
	CHECK_INT(w.engine->claims, MANY);
	pass(5);
	CHECK_INT(w.engine->claims, MANY - 256);
	CHECK_INT(ask(2, "\"in\", \"v\", [\"nothing\"], {\"timeout\": 0}"), ENGINE_AGAIN);
	work_watched(512, &w.engine->claims);
	CHECK_INT(w.engine->claims, 0);
	CHECK_INT(w.engine->main->all.count, 0);
	says(2, "\"in\", \"v\", [\"nothing\"], {\"timeout\": 0}", "[]");
	end();
}

/* Expiry does not scan: one of many is settled in one step, and nothing is left to do. */
TEST(one_of_many_expires_in_a_step)
{
	begin(0, 0);
	put("v", "far", 100000, "{\"ttl\": 86400000}");
	put("v", "later", 100000, "{\"delay\": 86400000}");
	put("v", "now", 1, "{\"ttl\": 1}");
	put("v", "soon", 1, "{\"delay\": 2}");
	CHECK_INT(w.engine->tuples, 200002);
	CHECK_INT(w.engine->delayed, 100001);
	CHECK_INT(engine_deadline(w.engine), w.now_ms + 1);
	pass(1);
	CHECK_INT(w.engine->tuples, 200001);
	CHECK(!engine_working(w.engine));
	CHECK_INT(engine_deadline(w.engine), w.now_ms + 1);
	pass(1);
	CHECK_INT(w.engine->delayed, 100000);
	CHECK(!engine_working(w.engine));
	end();
}

/* Ends, dues and expiries of some tuples, some of them bound, with slices of that size. */
static void play(unsigned settles, unsigned units, struct buf *trace)
{
	const char *claim = "\"in\", \"main\", [\"job\", ?], {\"lease\": 900, \"max\": 15}";

	begin(settles, 0);
	CHECK_INT(ask(1, "\"hello\", {\"session\": \"new\", \"grace\": 0}"), 0);
	put("main", "ttl", 20, "{\"ttl\": 5000}");
	put("main", "delay", 20, "{\"delay\": 5000}");
	put("v", "both", 20, "{\"ttl\": 9000, \"delay\": 5000}");
	put("main", "job", 20, "{}");
	CHECK_INT(ask(2, claim), ENGINE_AGAIN);
	work(units);
	w.n--;
	CHECK_INT(ask(2, claim), 0);
	for (int i = 0; i < 5; i++) {
		static const char *const asked[] = {
			"\"count\", \"main\", [?, ?]", "\"count\", \"v\", null",
			"\"rd\", \"main\", [\"ttl\", ?], {\"timeout\": 0, \"max\": 50}",
			"\"in\", \"main\", [\"delay\", ?], {\"timeout\": 0, \"max\": 2}",
			"\"rd\", \"main\", [\"job\", ?], {\"timeout\": 0, \"max\": 50}",
		};

		w.now_ms += 1000;
		for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
			while (ask(0, asked[k]) == ENGINE_AGAIN) {
				w.n--;
				step((struct event){.kind = EV_WORK, .units = units});
				engine_assert(w.engine);
			}
			buf_text(trace, (const char *)w.reply.data);
			buf_byte(trace, '\n');
		}
	}
	end();
}

TEST(slices_of_any_size_tell_the_same)
{
	struct buf first = BUF_INIT;

	for (unsigned units = 1; units <= 5; units++) {
		struct buf trace = BUF_INIT;

		play(units == 5 ? 256 : units, units, &trace);
		if (units == 1)
			buf_append(&first, trace.data, trace.len);
		CHECK(bytes_equal(buf_bytes(&first), buf_bytes(&trace)));
		buf_close(&trace);
	}
	buf_close(&first);
}

/* `count` durable tuples expire, with a limit of 10 a batch. */
static void expire_durably(unsigned count, unsigned at_first)
{
	begin(0, 10);
	put("main", "x", count, "{\"ttl\": 1000}");
	put("v", "x", count, "{\"ttl\": 1000}");
	put("main", "due", 1, "{\"delay\": 999}");
	seal();
	pass(1000);
	work(4);
	CHECK_INT(w.deletes, at_first);
	CHECK_INT(w.engine->tuples, count + 1 - at_first); /* the volatile ones wait for nothing */
	says(1, "\"count\", \"v\", null", "0");
	if (at_first == count) {
		says(1, "\"count\", \"main\", null", "1");
	} else {
		CHECK_INT(ask(1, "\"count\", \"main\", null"), ENGINE_AGAIN);
		CHECK(!engine_working(w.engine) && engine_deadline(w.engine) > w.now_ms);
		CHECK_INT(w.resumes, 0);
		seal();
		CHECK_INT(w.resumes, 1);
		w.n--;
		says(1, "\"count\", \"main\", null", "1");
	}
	CHECK_INT(w.deletes, count);
	end();
}

TEST(a_batch_ends_so_many_and_no_more)
{
	expire_durably(9, 9);
	expire_durably(10, 10);
	expire_durably(11, 10);
	expire_durably(20, 10);
}

TEST(leases_and_expiries_share_a_batch)
{
	begin(0, 10);
	CHECK_INT(ask(1, "\"hello\", {\"session\": \"new\", \"v\": 1}"), 0);
	put("main", "job", 6, "{}");
	CHECK_INT(ask(1, "\"in\", \"main\", null, {\"lease\": 1000, \"max\": 6}"), 0);
	put("main", "x", 6, "{\"ttl\": 1000}");
	seal();
	w.states = 0;
	pass(1000);
	work(4);
	CHECK_INT(w.states, 6);
	CHECK_INT(w.deletes, 4);
	seal();
	CHECK_INT(w.deletes, 6);
	end();
}

TEST(a_hundred_thousand_bound_tuples_end_in_slices)
{
	begin(0, 0);
	put("v", "mine", 100000, "{\"bound\": true}");
	put("v", "stays", 1, "{}");
	step((struct event){.kind = EV_CLOSE, .conn = 0});
	CHECK(w.engine->tuples >= 100001 - 64 && engine_working(w.engine));
	/* None of them is given to anybody any more. */
	CHECK_INT(ask(1, "\"in\", \"v\", null, {\"timeout\": 0}"), ENGINE_AGAIN);
	while (engine_working(w.engine)) {
		uint64_t before = w.engine->tuples;

		step((struct event){.kind = EV_WORK, .units = 512});
		CHECK(before - w.engine->tuples <= 512);
	}
	CHECK_INT(w.resumes, 1);
	says(1, "\"count\", \"v\", null", "1");
	end();
}
