/* Statements at their limits, and what they cost: wait, drain, unless and atomic, asked
 * of an engine without a world around it. */
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/diag.h"
#include "../../libclient/formal.h"
#include "../../libclient/frame.h"
#include "../../server/engine/state.h"
#include "../lib/harness.h"

static struct {
	struct engine *engine;
	struct effects fx;
	struct buf reply; /* the last one, as text, to whomever */
	unsigned replies; /* of the last step */
} w;

static int step(struct event ev)
{
	int code;

	ev.now_ms = ev.wall_ms = 1000;
	code = engine_step(w.engine, &ev, &w.fx);
	w.replies = 0;
	for (size_t i = 0; i < w.fx.count; i++) {
		struct bytes message;
		size_t used;

		if (w.fx.list[i].kind != EFFECT_REPLY)
			continue;
		frame_next(effect_frame(&w.fx, &w.fx.list[i]), FRAME_MAX, &message, &used);
		buf_clear(&w.reply, 0);
		if (message.n < 1000)
			diag_print(&w.reply, message.p);
		buf_byte(&w.reply, 0);
		w.replies++;
	}
	return code;
}

static void begin_with(const struct engine_limits *limits, bool is_volatile)
{
	struct engine_config config = {.hash_seed = 7, .all_volatile = is_volatile};

	config.limits = *limits;
	effects_init(&w.fx);
	w.engine = engine_create(&config);
	step((struct event){.kind = EV_READY, .batch = 1, .boot = 1});
}

static void begin(const struct engine_limits *limits)
{
	begin_with(limits, true);
}

static void end(void)
{
	engine_assert(w.engine);
	engine_destroy(w.engine);
	effects_close(&w.fx);
	buf_close(&w.reply);
}

static void open_conn(uint32_t conn)
{
	step((struct event){.kind = EV_OPEN, .conn = conn, .principal = bytes_of("me")});
}

/* Works until nothing is left to be done; answers the units. */
static unsigned work(void)
{
	unsigned units = 0;

	for (; engine_working(w.engine); units++)
		step((struct event){.kind = EV_WORK, .units = 1});
	return units;
}

/* Asks, and works as long as it takes. Answers the reply's text, "" when it waits. */
static const char *ask_bytes(uint32_t conn, struct bytes message)
{
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct request r;
	struct event ev = {.kind = EV_REQUEST, .conn = conn, .request = &r};

	if (message_decode(message, &scratch, &r, &err))
		ev = (struct event){.kind = EV_BAD, .conn = conn, .bad = &err};
	while (step(ev) == ENGINE_AGAIN)
		work();
	buf_close(&scratch);
	return w.replies ? (const char *)w.reply.data : "";
}

static const char *ask(uint32_t conn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *ask(uint32_t conn, const char *fmt, ...)
{
	struct buf text = BUF_INIT, message = BUF_INIT;
	struct diag_error err;
	const char *reply;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (diag_parse(buf_bytes(&text), DIAG_FORMALS | DIAG_REFS, &message, NULL, NULL, &err))
		test_fail(__FILE__, __LINE__, "%s: %s", fmt, err.why);
	reply = ask_bytes(conn, buf_bytes(&message));
	buf_close(&message);
	buf_close(&text);
	return reply;
}

static struct engine_limits defaults(void)
{
	struct engine_limits l;

	engine_limits_default(&l);
	return l;
}

/* ---- limits ------------------------------------------------------------------------------ */

/* An atomic of so many guards and outs. */
static const char *ask_steps(unsigned n, unsigned guards, unsigned outs)
{
	struct buf text = BUF_INIT;
	const char *reply;

	for (unsigned i = 0; i < guards; i++)
		buf_printf(&text, "%s[\"in\", \"main\", [\"x\"]]", i ? ", " : "");
	for (unsigned i = 0; i < outs; i++)
		buf_printf(&text, "%s[\"out\", \"main\", [\"x\"]]", i + guards ? ", " : "");
	buf_byte(&text, 0);
	reply = ask(0, "[%u, \"atomic\", [%s], {\"timeout\": 0}]", n, (char *)text.data);
	buf_close(&text);
	return reply;
}

TEST(an_atomic_has_sixteen_guards_and_sixty_four_outs)
{
	struct engine_limits l = defaults();

	begin(&l);
	open_conn(0);
	CHECK(strstr(ask_steps(1, 0, 63), "[1, 0, [[], ["));
	CHECK(strstr(ask_steps(2, 15, 64), "[2, 0, [[["));
	CHECK(strstr(ask_steps(3, 16, 63), "[3, 0, [[["));
	CHECK_STR(ask(0, "[4, \"count\", \"main\", null]"), "[4, 0, 159]");
	CHECK(strstr(ask_steps(5, 17, 0), "[5, -4, "));
	CHECK(strstr(ask_steps(6, 0, 65), "[6, -4, "));
	CHECK(strstr(ask_steps(7, 16, 64), "[7, 0, [[["));
	CHECK_STR(ask(0, "[8, \"count\", \"main\", null]"), "[8, 0, 207]");
	end();
}

TEST(waiters_with_residue_have_a_limit)
{
	struct engine_limits l = defaults();

	l.residual_waiters = 3;
	begin(&l);
	open_conn(0);
	CHECK_STR(ask(0, "[1, \"wait\", \"main\", [\"x\", ?int>1], [\"ge\", 1]]"), "");
	CHECK_STR(ask(0, "[2, \"in\", \"main\", [\"x\", ?int>2], {\"drain\": true}]"),
	          "[2, 0, []]");
	CHECK_STR(ask(0, "[3, \"atomic\", [[\"in\", \"main\", [\"x\", ?int>3]]]]"), "");
	CHECK_STR(ask(0, "[4, \"wait\", \"main\", [\"x\", ?int>4], [\"ge\", 1]]"), "");
	CHECK(strstr(ask(0, "[5, \"wait\", \"main\", [\"x\", ?int>5], [\"ge\", 1]]"), "too many"));
	CHECK(strstr(ask(0, "[6, \"atomic\", [[\"rd\", \"main\", [\"x\", ?int>5]]]]"), "too many"));
	CHECK_STR(ask(0, "[7, \"wait\", \"main\", [\"x\", ?int], [\"ge\", 1]]"), "");
	CHECK_STR(ask(0, "[8, \"wait\", \"main\", [\"y\", ?int>5], [\"ge\", 1]]"), "");
	/* One that would have to move there is answered. */
	CHECK_STR(ask(0, "[9, \"atomic\", [[\"rd\", \"main\", [\"z\"]], "
	                 "[\"rd\", \"main\", [\"x\", ?int>6]]]]"), "");
	ask(0, "[10, \"out\", \"main\", [\"z\"]]");
	work();
	CHECK(strstr((char *)w.reply.data, "[9, -4, \"atomic: too many templates"));
	end();
}

TEST(waiting_requests_and_shapes_have_a_limit)
{
	struct engine_limits l = defaults();

	l.waiting = 3;
	l.waiting_shapes = 2;
	begin(&l);
	open_conn(0);
	CHECK_STR(ask(0, "[1, \"wait\", \"main\", [\"x\", 1], [\"ge\", 1]]"), "");
	CHECK_STR(ask(0, "[2, \"atomic\", [[\"in\", \"main\", [\"x\", ?int]]]]"), "");
	CHECK(strstr(ask(0, "[3, \"wait\", \"main\", [?, 1], [\"ge\", 1]]"), "too many shapes"));
	CHECK(strstr(ask(0, "[4, \"atomic\", [[\"in\", \"main\", [?, 1]]]]"), "too many shapes"));
	CHECK_STR(ask(0, "[5, \"atomic\", [[\"in\", \"main\", [\"x\", 2]]]]"), "");
	CHECK(strstr(ask(0, "[6, \"atomic\", [[\"in\", \"main\", [\"x\", 3]]]]"),
	             "too many requests"));
	CHECK(strstr(ask(0, "[7, \"wait\", \"main\", [\"x\", 3], [\"ge\", 1]]"),
	             "too many requests"));
	end();
}

/* Puts ["big", a text of so many bytes]. */
static void put_big(unsigned n, size_t bytes)
{
	struct buf message = BUF_INIT;
	char *text = xmalloc(bytes);

	memset(text, 'x', bytes);
	item_put_head(&message, ITEM_ARRAY, 4);
	item_put_uint(&message, n);
	item_put_text(&message, "out");
	item_put_text(&message, "main");
	item_put_head(&message, ITEM_ARRAY, 2);
	item_put_text(&message, "big");
	item_put_text_n(&message, (struct bytes){(uint8_t *)text, bytes});
	CHECK(strstr(ask_bytes(0, buf_bytes(&message)), ", 0, "));
	buf_close(&message);
	xfree(text);
}

/* An atomic that puts so many tuples of so many references each to the big text. */
static const char *ask_references(unsigned n, unsigned outs, unsigned references)
{
	struct buf text = BUF_INIT;
	const char *reply;

	for (unsigned i = 0; i < outs; i++) {
		buf_text(&text, ", [\"out\", \"main\", [\"copy\"");
		for (unsigned k = 0; k < references; k++)
			buf_text(&text, ", @0.1");
		buf_text(&text, "]]");
	}
	buf_byte(&text, 0);
	reply = ask(0, "[%u, \"atomic\", [[\"rd\", \"main\", [\"big\", ?]]%s]]", n,
	            (char *)text.data);
	buf_close(&text);
	return reply;
}

TEST(a_tuple_with_references_is_no_larger_than_others)
{
	/* [copy, text]: 1 + 5 + 5 bytes beside the text's own */
	const size_t most = FORMAL_TUPLE_BYTES - 11;
	struct engine_limits l = defaults();

	begin(&l);
	open_conn(0);
	put_big(1, most - 1);
	CHECK(!strstr(ask_references(2, 1, 1), ", -"));
	CHECK_STR(ask(0, "[3, \"in\", \"main\", [\"copy\", ?], {\"timeout\": 0}]"), "");
	ask(0, "[4, \"in\", \"main\", [\"big\", ?]]");
	put_big(5, most);
	CHECK(!strstr(ask_references(6, 1, 1), ", -"));
	ask(0, "[7, \"in\", \"main\", [\"big\", ?]]");
	put_big(8, most + 1);
	CHECK(strstr(ask_references(9, 1, 1), "[9, -4, \"atomic: step 1: the tuple"));
	CHECK_STR(ask(0, "[10, \"count\", \"main\", [\"copy\", ?]]"), "[10, 0, 1]");
	end();
}

TEST(references_take_sixteen_mebibytes_in_all)
{
	struct engine_limits l = defaults();

	begin(&l);
	open_conn(0);
	put_big(1, 262144 - 5); /* a field of 256 KiB: 64 of them are a frame */
	CHECK(!strstr(ask_references(2, 21, 3), ", -"));
	CHECK(strstr(ask_references(3, 1, 64), "[3, -4, \"atomic: step 1: the tuple"));
	CHECK(!strstr(ask_references(4, 64, 1), ", -"));
	CHECK(strstr(ask_references(5, 33, 2), "step 33: field 1 of guard 0 is too much"));
	CHECK_STR(ask(0, "[6, \"count\", \"main\", [\"copy\", ?]]"), "[6, 0, 64]");
	end();
}

TEST(what_guards_match_fits_a_reply)
{
	struct engine_limits l = defaults();

	l.reply_bytes = 4 * 16 + 2 * (5 + 5 + 100); /* an entry for each guard, and 2 more */
	begin(&l);
	open_conn(0);
	put_big(1, 100);
	put_big(2, 100);
	ask(0, "[3, \"out\", \"main\", [\"one byte more\"]]");
	CHECK(!strstr(ask(0, "[4, \"atomic\", [[\"rd\", \"main\", [\"big\", ?]], "
	                     "[\"rd\", \"main\", [\"big\", ?]]]]"), ", -"));
	CHECK(strstr(ask(0, "[5, \"atomic\", [[\"in\", \"main\", [\"big\", ?]], "
	                    "[\"in\", \"main\", [\"big\", ?]], "
	                    "[\"rd\", \"main\", [\"one byte more\"]]]]"), "does not fit a reply"));
	CHECK_STR(ask(0, "[6, \"count\", \"main\", null]"), "[6, 0, 3]");
	end();
}

/* ---- costs --------------------------------------------------------------------------------- */

#define HERD 100000u
#define HERD_CONN 10000u /* requests of one connection */

/* So many equal requests wait, on connections from 1 on. */
static void stampede(const char *request)
{
	for (uint32_t i = 0; i < HERD; i++) {
		uint32_t conn = 1 + i / HERD_CONN;

		if (i % HERD_CONN == 0)
			open_conn(conn);
		CHECK_STR(ask(conn, request, i + 1), "");
	}
}

static size_t length(const struct list *l)
{
	size_t n = 0;

	for (const struct list *it = l->next; it != l; it = it->next)
		n++;
	return n;
}

TEST(a_thundering_herd_of_waits_is_one_number)
{
	struct engine_limits l = defaults();
	struct waitshape *shape;
	struct waitkey *k = NULL;
	struct waiter *any;

	begin(&l);
	open_conn(0);
	stampede("[%u, \"wait\", \"main\", [\"x\", ?int], [\"ge\", 2]]");
	any = waiter_any(w.engine->main);
	k = any->key;
	shape = k->shape;
	CHECK_INT(shape->keys.count, 1);
	CHECK_INT(length(&k->tallies), 1); /* all that a tuple has to do with them */
	CHECK_INT(any->tally->waiters, HERD);
	ask(0, "[1, \"out\", \"main\", [\"x\", 1]]");
	CHECK_INT(w.replies, 1);
	ask(0, "[2, \"in\", \"main\", [\"x\", 1]]");
	CHECK_INT(w.replies, 1);
	/* The one that is due is found, whatever the others wait for. */
	ask(0, "[3, \"wait\", \"main\", [\"x\", ?int], [\"ge\", 1]]");
	ask(0, "[4, \"out\", \"main\", [\"x\", 1]]");
	CHECK_INT(w.replies, 2);
	CHECK_STR((char *)w.reply.data, "[3, 0, 1]");
	end();
}

TEST(a_thundering_herd_of_atomics_costs_one_try)
{
	struct engine_limits l = defaults();

	begin(&l);
	open_conn(0);
	stampede("[%u, \"atomic\", [[\"in\", \"main\", [\"x\", ?int]], "
	         "[\"out\", \"main\", [\"y\", @0.1]]]]");
	CHECK_INT(work(), 0);
	for (unsigned i = 0; i < 3; i++) {
		ask(0, "[%u, \"out\", \"main\", [\"x\", 1]]", i + 1);
		/* It serves the first, and the second finds nothing. */
		CHECK(work() <= 3);
		CHECK_INT(waiter_any(w.engine->main)->n, i + 2);
	}
	/* What a single take gets wakes none of them. */
	ask(0, "[4, \"out\", \"main\", [\"z\"]]");
	CHECK_INT(work(), 0);
	end();
}

TEST(a_thundering_herd_behind_a_no_costs_one_try)
{
	struct engine_limits l = defaults();

	begin(&l);
	open_conn(0);
	ask(0, "[1, \"outs\", \"main\", [[\"lock\"], [\"lock\"]]]");
	stampede("[%u, \"atomic\", [[\"no\", \"main\", [\"lock\"]], "
	         "[\"out\", \"main\", [\"lock\"]]]]");
	ask(0, "[2, \"in\", \"main\", [\"lock\"]]");
	CHECK_INT(work(), 0); /* one is left */
	ask(0, "[3, \"in\", \"main\", [\"lock\"]]");
	CHECK(work() <= 3); /* the first has put another */
	CHECK_STR(ask(0, "[4, \"count\", \"main\", [\"lock\"]]"), "[4, 0, 1]");
	CHECK_INT(waiter_any(w.engine->main)->n, 2);
	end();
}

TEST(tries_leave_room_in_a_batch)
{
	struct engine_limits l = defaults();
	unsigned answered = 0;

	l.expiries = 4;
	begin_with(&l, false);
	open_conn(0);
	for (unsigned i = 1; i <= 10; i++)
		CHECK_STR(ask(0, "[%u, \"atomic\", [[\"in\", \"main\", [\"x\", ?int]], "
		                 "[\"out\", \"main\", [\"y\"]]]]", i), "");
	ask(0, "[11, \"outs\", \"main\", [[\"x\", 1], [\"x\", 2], [\"x\", 3], [\"x\", 4], "
	       "[\"x\", 5]]]");
	for (unsigned batch = 0; answered < 5; batch++) {
		unsigned before = answered;

		CHECK(batch < 3);
		while (engine_working(w.engine)) {
			step((struct event){.kind = EV_WORK, .units = 1});
			answered += w.replies;
		}
		CHECK_INT(answered - before, batch < 2 ? 2 : 1);
		engine_assert(w.engine);
		step((struct event){.kind = EV_SEAL});
	}
	end();
}

TEST(sixteen_tries_at_most_walk_at_once)
{
	struct engine_limits l = defaults();
	unsigned answered = 0, most = 0;

	begin(&l);
	open_conn(0);
	for (unsigned i = 1; i <= 200; i++)
		ask(0, "[%u, \"out\", \"main\", [\"n\", %u]]", i, i);
	for (unsigned i = 0; i < 20; i++)
		CHECK_STR(ask(0, "[%u, \"atomic\", [[\"rd\", \"main\", [\"go\", ?int>=%u]], "
		                 "[\"rd\", \"main\", [\"n\", ?int>199]]]]", i + 201, i), "");
	ask(0, "[221, \"out\", \"main\", [\"go\", 18]]");
	CHECK_INT(w.replies, 1);
	while (engine_working(w.engine)) {
		step((struct event){.kind = EV_WORK, .units = 1});
		answered += w.replies;
		most = w.engine->searching > most ? w.engine->searching : most;
		engine_assert(w.engine);
	}
	CHECK_INT(answered, 19);
	CHECK_INT(most, 16);
	end();
}
