/* The request handler: frames from two connections, sessions, time that passes,
 * work in slices, breaks and seals. The first byte of each piece says what it is.
 * Whatever comes, the inside holds and every effect is well formed. */
#include "../../libclient/frame.h"
#include "../../server/engine/engine.h"

#include <stdlib.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine *engine;
static struct effects fx;
static uint64_t now_ms, ids;
static bool open[2];

static int step(struct event ev)
{
	int result;

	ev.now_ms = now_ms;
	ev.wall_ms = 1700000000000 + now_ms;
	result = engine_step(engine, &ev, &fx);
	for (size_t i = 0; i < fx.count; i++) {
		struct bytes message, frame;
		size_t used;

		if (fx.list[i].kind != EFFECT_REPLY)
			continue;
		frame = effect_frame(&fx, &fx.list[i]);
		REQUIRE(frame_next(frame, FRAME_MAX, &message, &used) == 1 && used == frame.n);
	}
	return result;
}

static void request(uint32_t conn, struct bytes message)
{
	struct event ev = {.kind = EV_REQUEST, .conn = conn};
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct request r;

	ev.random[0] = (uint8_t)++ids;
	if (message_decode(message, &scratch, &r, &err) == 0) {
		ev.request = &r;
	} else {
		ev.kind = EV_BAD;
		ev.bad = &err;
	}
	for (int tries = 0; step(ev) == ENGINE_AGAIN; tries++) {
		REQUIRE(tries < 10000);
		step((struct event){.kind = EV_WORK, .units = 3});
	}
	buf_close(&scratch);
}

static void toggle(uint32_t conn)
{
	open[conn] = !open[conn];
	step((struct event){.kind = open[conn] ? EV_OPEN : EV_CLOSE, .conn = conn,
	                    .principal = bytes_of("uid:1")});
}

/* One piece: what it is, its length, its bytes. */
static void piece(uint8_t kind, struct bytes bytes)
{
	uint32_t conn = kind & 1;

	if (kind < 192 && open[conn])
		request(conn, bytes);
	else if (kind < 192 || kind < 200)
		toggle(conn);
	else if (kind < 220)
		step((struct event){.kind = EV_WORK, .units = 1 + bytes.n % 4});
	else if (kind < 240)
		now_ms += bytes.n * bytes.n, step((struct event){.kind = EV_TIME});
	else if (kind < 250)
		step((struct event){.kind = EV_SEAL});
	else if (open[conn])
		step((struct event){.kind = EV_SENT, .conn = conn, .number = bytes.n});
	engine_assert(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine_config config = {.hash_seed = 1};

	engine_limits_default(&config.limits);
	config.limits.indexes = 2;
	engine = engine_create(&config);
	effects_init(&fx);
	now_ms = ids = 0;
	open[0] = open[1] = false;
	step((struct event){.kind = EV_READY, .batch = 1, .boot = 1});
	while (size >= 2) {
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		piece(data[0], (struct bytes){data + 2, n});
		data += 2 + n;
		size -= 2 + n;
	}
	engine_destroy(engine);
	effects_close(&fx);
	return 0;
}
