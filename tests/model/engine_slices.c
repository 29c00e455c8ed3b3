/* An index built in slices gives the same answers whatever the slice. */
#include "../../libclient/diag.h"
#include "../../libclient/frame.h"
#include "../../server/engine/engine.h"
#include "../lib/harness.h"

enum { COUNT = 1000 };

struct core {
	struct engine *engine;
	struct effects fx;
	bool resumed;
	struct buf replies;
};

static int step(struct core *c, struct event *ev)
{
	int result;

	ev->now_ms = 1;
	result = engine_step(c->engine, ev, &c->fx);
	for (size_t i = 0; i < c->fx.count; i++) {
		const struct effect *f = &c->fx.list[i];

		c->resumed |= f->kind == EFFECT_RESUME;
		if (f->kind == EFFECT_REPLY) {
			struct bytes frame = effect_frame(&c->fx, f);

			buf_append(&c->replies, frame.p, frame.n);
		}
	}
	return result;
}

static int ask(struct core *c, const char *text)
{
	struct buf b = BUF_INIT, scratch = BUF_INIT;
	struct event ev = {.kind = EV_REQUEST};
	struct message_error err;
	struct diag_error why;
	struct request r;
	int result;

	CHECK_INT(diag_parse(bytes_of(text), DIAG_FORMALS, &b, NULL, NULL, &why), 0);
	CHECK_INT(message_decode(buf_bytes(&b), &scratch, &r, &err), 0);
	ev.request = &r;
	result = step(c, &ev);
	buf_close(&b);
	buf_close(&scratch);
	return result;
}

static void core_open(struct core *c)
{
	struct engine_config config = {.hash_seed = 1, .all_volatile = true};

	*c = (struct core){0};
	effects_init(&c->fx);
	engine_limits_default(&config.limits);
	c->engine = engine_create(&config);
	step(c, &(struct event){.kind = EV_READY, .batch = 1, .boot = 1});
	step(c, &(struct event){.kind = EV_OPEN, .principal = bytes_of("uid:1")});
	for (int i = 0; i < COUNT; i++) {
		char text[80];

		snprintf(text, sizeof text, "[%d, \"out\", \"main\", [\"k\", %d, %d]]", i + 1,
		         i % 10, i);
		CHECK_INT(ask(c, text), 0);
	}
}

static void core_close(struct core *c)
{
	engine_destroy(c->engine);
	effects_close(&c->fx);
	buf_close(&c->replies);
}

/* Asks through a fresh index; answers the steps its build took. */
static unsigned build(struct core *c, unsigned units, const char *text)
{
	unsigned steps = 0;

	c->resumed = false;
	CHECK_INT(ask(c, text), ENGINE_AGAIN);
	while (!c->resumed) {
		CHECK_INT(engine_deadline(c->engine), 0);
		step(c, &(struct event){.kind = EV_WORK, .units = units});
		engine_assert(c->engine);
		CHECK(++steps <= 2 * COUNT);
	}
	CHECK_INT(ask(c, text), 0);
	return steps;
}

TEST(slices_of_any_size_give_the_same_answers)
{
	static const unsigned slices[] = {1, 2, 3, 4, 64, 100000};
	struct buf first = BUF_INIT;

	for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
		struct core c;
		unsigned steps;

		core_open(&c);
		steps = build(&c, slices[i],
		              "[2001, \"rd\", \"main\", [\"k\", 3, ?int], {\"max\": 1000}]");
		build(&c, slices[i], "[2002, \"in\", \"main\", [?, ?, 500]]");
		build(&c, slices[i], "[2003, \"count\", \"main\", [?text, 7, ?number]]");
		printf("slices of %u: %u steps to index %d tuples\n", slices[i], steps, COUNT);
		CHECK_INT(steps, (COUNT + slices[i] - 1) / slices[i]);
		if (i == 0)
			buf_append(&first, c.replies.data, c.replies.len);
		CHECK(bytes_equal(buf_bytes(&first), buf_bytes(&c.replies)));
		core_close(&c);
	}
	buf_close(&first);
}
