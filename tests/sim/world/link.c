#include "link.h"

#include "../../../libclient/base/hash.h"
#include "sim.h"

struct link links[LINKS];

static void pipe_close(struct pipe *p)
{
	buf_close(&p->bytes);
	p->count = 0;
	p->ended = false;
}

int link_open(void)
{
	for (int i = 0; i < LINKS; i++) {
		if (links[i].user || links[i].server)
			continue;
		pipe_close(&links[i].up);
		pipe_close(&links[i].down);
		links[i].user = links[i].server = true;
		links[i].broken_ms = 0;
		return i;
	}
	return -1;
}

static uint64_t late(void)
{
	return sim.now_ms + (sim.faults ? test_random_below(sim.rates.delay_ms + 1) : 1);
}

void link_write(struct pipe *p, struct bytes b)
{
	uint64_t due = late();
	unsigned last = p->count ? p->count - 1 : 0;

	if (b.n == 0 || p->ended)
		return;
	buf_append(&p->bytes, b.p, b.n);
	if (p->count && due < p->segment[last].due_ms)
		due = p->segment[last].due_ms;
	if (p->count && (p->count == SEGMENTS || p->segment[last].due_ms == due)) {
		p->segment[last].n += b.n;
		return;
	}
	p->segment[p->count].due_ms = due;
	p->segment[p->count++].n = b.n;
}

struct bytes link_arrived(const struct pipe *p)
{
	size_t n = 0;

	for (unsigned i = 0; i < p->count && p->segment[i].due_ms <= sim.now_ms; i++)
		n += p->segment[i].n;
	if (n > 1 && sim.faults && sim.rates.pieces && test_random_below(sim.rates.pieces) == 0)
		n = 1 + test_random_below(n - 1);
	return (struct bytes){p->bytes.data, n};
}

void link_taken(struct pipe *p, size_t n)
{
	unsigned gone = 0;

	sim.digest = hash_mix(sim.digest, hash_of(p->bytes.data, n, sim.now_ms));
	buf_shift(&p->bytes, n);
	while (n > 0) {
		size_t part = n < p->segment[gone].n ? n : p->segment[gone].n;

		p->segment[gone].n -= part;
		n -= part;
		gone += p->segment[gone].n == 0;
	}
	memmove(p->segment, p->segment + gone, (p->count - gone) * sizeof *p->segment);
	p->count -= gone;
}

bool link_over(const struct pipe *p)
{
	return p->ended && p->count == 0 && p->end_ms <= sim.now_ms;
}

/* Only the first `n` bytes of what is on its way arrive. */
static void truncate_at(struct pipe *p, size_t n)
{
	size_t before = 0;

	p->bytes.len = n;
	for (unsigned i = 0; i < p->count; i++) {
		if (before + p->segment[i].n >= n) {
			p->segment[i].n = n - before;
			p->count = i + (n > before);
			return;
		}
		before += p->segment[i].n;
	}
}

static void end(struct pipe *p, uint64_t at)
{
	if (p->ended && p->end_ms <= at)
		return;
	p->ended = true;
	p->end_ms = at;
}

static void lose(struct pipe *p)
{
	if (p->bytes.len)
		truncate_at(p, test_random_below(p->bytes.len));
}

static void broken(struct link *l)
{
	if (!l->broken_ms)
		l->broken_ms = sim.now_ms;
}

/* Sometimes what was on its way to the server arrives all the same, much later: when its
 * sender has long resumed elsewhere. */
void link_cut(struct link *l)
{
	broken(l);
	if (test_random_below(3) != 0)
		lose(&l->up);
	else if (l->up.count)
		l->up.segment[l->up.count - 1].due_ms += test_random_below(2000);
	lose(&l->down);
	end(&l->up, sim.now_ms + test_random_below(test_random_below(4) ? 20 : 5000));
	end(&l->down, sim.now_ms + test_random_below(200));
}

void link_close_user(struct link *l)
{
	broken(l);
	l->user = false;
	end(&l->up, late());
	truncate_at(&l->down, 0);
	end(&l->down, sim.now_ms);
}

void link_close_server(struct link *l, bool died)
{
	broken(l);
	l->server = false;
	if (died)
		lose(&l->down);
	end(&l->down, late());
	truncate_at(&l->up, 0);
	end(&l->up, sim.now_ms);
}

void link_close_all(void)
{
	for (int i = 0; i < LINKS; i++) {
		pipe_close(&links[i].up);
		pipe_close(&links[i].down);
		links[i].user = links[i].server = false;
	}
}
