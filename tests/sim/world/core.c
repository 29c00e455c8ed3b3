#include "core.h"

#include "../../../libclient/frame.h"
#include "../../../server/held.h"
#include "disk.h"
#include "link.h"
#include "sim.h"
#include "twist.h"

#include <stdlib.h>

enum { WALL = 1700000000 }; /* s: when the world begins */

struct peer {
	bool open, deaf, closing;
	bool kept;      /* its next frame is to be given again, later */
	bool till_seal; /* and the next seal is as good as a resume */
	uint32_t life;  /* counts the connections that had this number */
	uint64_t held;  /* the last batch that holds something for it */
	struct buf in;
};

static struct core {
	struct engine *engine; /* NULL: it is down */
	struct effects fx;
	struct peer peers[LINKS];
	struct held held[2];
	uint64_t open, durable; /* batches */
	bool up, stopping;
	bool dying;             /* within a commit */
	bool full;              /* it was told that the disk is */
	uint64_t wake_ms;       /* down, or standing still, until then */
	uint64_t boots, steps;
	uint32_t sent[LINKS * 4];
	uint64_t sent_n[LINKS * 4];
	unsigned sents;
} core;

static int step(struct event *ev);
static void crash(void);

/* ---- effects ---- */

static void write_reply(uint32_t conn, struct bytes frame, bool confirm, uint64_t n)
{
	link_write(&links[conn].down, frame);
	if (!confirm || core.sents == LINKS * 4)
		return;
	core.sent[core.sents] = conn;
	core.sent_n[core.sents++] = n;
}

/* The kernel has what was written. */
static void confirm(void)
{
	for (unsigned i = 0; i < core.sents; i++)
		if (core.peers[core.sent[i]].open)
			step(&(struct event){.kind = EV_SENT, .conn = core.sent[i],
			                     .number = core.sent_n[i]});
	core.sents = 0;
}

static void close_peer(uint32_t conn)
{
	struct peer *p = &core.peers[conn];

	if (!p->open)
		return;
	confirm();
	p->open = p->closing = p->deaf = p->kept = false;
	p->held = 0;
	p->life++;
	buf_close(&p->in);
	link_close_server(&links[conn], false);
	step(&(struct event){.kind = EV_CLOSE, .conn = conn});
}

static void reply(const struct effect *f)
{
	struct peer *p = &core.peers[f->conn];
	struct held_reply r = {.conn = f->conn, .life = p->life, .number = f->number,
	                       .confirm = f->confirm};

	if (f->batch <= core.durable || sim_planted(PLANT_EARLY_REPLY, 8)) {
		write_reply(f->conn, effect_frame(&core.fx, f), f->confirm, f->number);
		return;
	}
	p->held = f->batch;
	held_add(&core.held[f->batch & 1], &r, effect_frame(&core.fx, f));
}

/* Answers whether it is to be closed now; else behind what is held for it. */
static bool close_now(const struct effect *f)
{
	struct peer *p = &core.peers[f->conn];

	if (f->discard)
		p->life++;
	if (f->discard || p->held <= core.durable)
		return true;
	p->closing = p->deaf = true;
	held_add(&core.held[p->held & 1],
	         &(struct held_reply){.conn = f->conn, .life = p->life, .close = true},
	         (struct bytes){NULL, 0});
	return false;
}

/* What closes is closed last: that is a step of its own. */
static void apply(void)
{
	uint32_t closing[LINKS];
	unsigned count = 0;

	for (size_t i = 0; i < core.fx.count; i++) {
		const struct effect *f = &core.fx.list[i];

		if (f->kind == EFFECT_REPLY)
			reply(f);
		else if (f->kind == EFFECT_CHANGE)
			disk_add(&f->change);
		else if (f->kind == EFFECT_RESUME && !sim_planted(PLANT_LOST_WAKE, 8))
			core.peers[f->conn].kept = false;
		else if (f->kind == EFFECT_CLOSE && close_now(f))
			closing[count++] = f->conn;
	}
	for (unsigned i = 0; i < count; i++)
		close_peer(closing[i]);
}

static int step(struct event *ev)
{
	int code;

	ev->now_ms = sim.now_ms;
	ev->wall_ms = (uint64_t)((int64_t)(WALL * UINT64_C(1000) + sim.now_ms) + sim.skew_ms);
	code = engine_step(core.engine, ev, &core.fx);
	if (++core.steps % 512 == 0 && sim.plant == PLANT_NONE)
		engine_assert(core.engine);
	apply();
	return code;
}

/* ---- reading ---- */

static void bad(uint32_t conn, const struct message_error *err)
{
	sim_fail(0, "the server cannot read a message: %d %s", err->code, err->text);
	core.peers[conn].deaf = true;
}

/* Answers whether it is done with. */
static bool give(uint32_t conn, struct bytes message)
{
	struct peer *p = &core.peers[conn];
	struct buf scratch = BUF_INIT, twisted = BUF_INIT;
	struct message_error err;
	struct request r;
	struct event ev = {.kind = EV_REQUEST, .conn = conn, .request = &r};
	bool again = false;

	if (message_decode(twist(message, &twisted), &scratch, &r, &err) != 0) {
		bad(conn, &err);
	} else {
		ev.batch_full = sim.faults && test_random_below(40) == 0;
		for (unsigned i = 0; i < sizeof ev.random; i++)
			ev.random[i] = (uint8_t)test_random();
		p->kept = true; /* until a resume says otherwise, in this step or later */
		p->till_seal = ev.batch_full;
		again = step(&ev) == ENGINE_AGAIN;
		p->kept = p->kept && again;
		sim.totals.requests += !again;
		sim.totals.again += again;
	}
	buf_close(&scratch);
	buf_close(&twisted);
	return !again;
}

static void read_peer(uint32_t conn)
{
	struct peer *p = &core.peers[conn];
	struct bytes message, arrived = link_arrived(&links[conn].up);
	size_t used;
	int code = 0;

	buf_append(&p->in, arrived.p, arrived.n);
	link_taken(&links[conn].up, arrived.n);
	while (p->open && !p->deaf && !p->kept && p->in.len) {
		code = frame_next(buf_bytes(&p->in), FRAME_MAX, &message, &used);
		if (code != 1 || !give(conn, message) || !p->open)
			break;
		buf_shift(&p->in, used);
	}
	if (code < 0)
		sim_fail(0, "the server is sent what is no frame");
	if (p->open && (p->deaf || !p->kept) && link_over(&links[conn].up))
		close_peer(conn);
}

/* ---- writing ---- */

static void release(uint64_t batch)
{
	struct held *h = &core.held[batch & 1];
	struct held done = *h;

	*h = (struct held){.count = 0};
	for (size_t i = 0; i < done.count; i++) {
		const struct held_reply *r = &done.list[i];

		if (core.peers[r->conn].life != r->life)
			continue;
		if (r->close)
			close_peer(r->conn);
		else
			write_reply(r->conn, held_bytes(&done, r), r->confirm, r->number);
	}
	held_close(&done);
}

static void seal(void)
{
	step(&(struct event){.kind = EV_SEAL});
	core.dying = !disk_commit(core.open++);
	for (int i = 0; i < LINKS; i++)
		if (core.peers[i].till_seal)
			core.peers[i].kept = core.peers[i].till_seal = false;
}

static bool wants_seal(void)
{
	bool waiting = false;

	for (int i = 0; i < LINKS; i++)
		waiting |= core.peers[i].kept && core.peers[i].till_seal;
	return waiting || disk_changes() || core.held[core.open & 1].count;
}

static void commit(void)
{
	while (core.durable < disk_durable())
		release(++core.durable);
	if (!disk_busy() && wants_seal())
		seal();
	confirm();
}

/* ---- life ---- */

static void restore(const struct change *c, void *ctx)
{
	(void)ctx;
	step(&(struct event){.kind = EV_RESTORE, .change = c});
}

void core_start(void)
{
	struct engine_config config = {.hash_seed = test_random()};
	struct journal_start start = {.batch = 0};

	engine_limits_default(&config.limits);
	if (sim.rates.few) {
		config.limits.indexes = 2;
		config.limits.expiries = 2;
		config.limits.settles = 2;
	}
	effects_init(&core.fx);
	core.engine = engine_create(&config);
	core.boots++;
	if (!disk_open(restore, &start)) {
		crash();
		return;
	}
	core.durable = start.batch;
	core.open = start.batch + 1;
	sim_note(0, "the server starts behind batch %llu", (unsigned long long)start.batch);
	step(&(struct event){.kind = EV_READY, .batch = core.open, .boot = start.boot});
	seal();
}

/* What is left of a life that is over. */
static void fall(bool died)
{
	for (int i = 0; i < LINKS; i++) {
		struct peer *p = &core.peers[i];

		if (p->open)
			link_close_server(&links[i], died);
		buf_close(&p->in);
		*p = (struct peer){.life = p->life + 1};
	}
	held_close(&core.held[0]);
	held_close(&core.held[1]);
	engine_destroy(core.engine);
	effects_close(&core.fx);
	core.engine = NULL;
	core.up = core.stopping = core.dying = core.full = false;
	core.sents = 0;
	core.held[0] = core.held[1] = (struct held){.count = 0};
}

static void crash(void)
{
	fall(true);
	disk_crash();
	core.wake_ms = sim.now_ms + 1 + test_random_below(300);
	sim.totals.crashes++;
	sim_note(0, "the server dies");
}

/* Told to stop: it answers, commits, and goes. */
static void stop(void)
{
	if (!core.stopping)
		step(&(struct event){.kind = EV_STOP});
	core.stopping = true;
	if (disk_busy() || wants_seal())
		return;
	fall(false);
	disk_crash();
	core.wake_ms = sim.now_ms + 1 + test_random_below(300);
	sim.totals.stops++;
	sim_note(0, "the server stops");
}

static void work(void)
{
	struct event ev = {.kind = EV_TIME};

	if (engine_working(core.engine)) {
		ev.kind = EV_WORK;
		ev.units = sim.faults ? 1 + (uint32_t)test_random_below(sim.rates.units) : 64;
		step(&ev);
	} else if (engine_deadline(core.engine) <= sim.now_ms) {
		step(&ev);
	}
}

/* The disk gets full, and there is room again. */
static void look_at_room(void)
{
	struct event ev = {.kind = EV_DISK};

	if (!sim_happens(sim.rates.full) && (sim.faults || !core.full))
		return;
	core.full = ev.low = !core.full;
	step(&ev);
	sim_note(0, "the disk is %s", core.full ? "full" : "full no more");
}

static void turn(void)
{
	unsigned first = (unsigned)test_random_below(LINKS);

	for (unsigned i = 0; core.up && i < LINKS; i++)
		if (core.peers[(first + i) % LINKS].open)
			read_peer((first + i) % LINKS);
	work();
	look_at_room();
	commit();
	core.up = core.up || core.durable + 1 == core.open;
}

void core_tick(void)
{
	if (core.wake_ms > sim.now_ms)
		return;
	if (!core.engine) {
		core_start();
		return;
	}
	turn();
	if (core.dying ? test_random_below(3) == 0 : sim_happens(sim.rates.crash)) {
		crash();
	} else if (core.up && (core.stopping || sim_happens(sim.rates.stop))) {
		stop();
	} else if (sim_happens(sim.rates.pause)) {
		core.wake_ms = sim.now_ms + test_random_below(4000);
		sim.totals.pauses++;
		sim_note(0, "the server stands still");
	}
}

bool core_is_up(void)
{
	return core.up && !core.stopping && core.wake_ms <= sim.now_ms;
}

void core_accept(int link)
{
	struct peer *p = &core.peers[link];
	struct event ev = {.kind = EV_OPEN, .conn = (uint32_t)link};

	*p = (struct peer){.open = true, .life = p->life + 1};
	ev.principal = bytes_of("uid:1000");
	step(&ev);
}

uint64_t core_boots(void)
{
	return core.boots;
}

void core_remove(void)
{
	if (core.engine)
		fall(false);
	core = (struct core){.boots = 0};
}
