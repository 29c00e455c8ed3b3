#include "user.h"

#include "core.h"
#include "link.h"
#include "sim.h"

struct user users[USERS + 1];

void user_begin(unsigned i)
{
	bool plain = i == 0 && sim.rates.plain;
	struct session_options o = {.resumable = !plain, .grace_ms = sim.rates.grace_ms};
	struct user *u = &users[i];

	*u = (struct user){.session = session_create(&o), .link = -1, .epoch = u->epoch + 1,
	                   .plain = plain};
	list_init(&u->asks);
	u->ask_ms = sim.now_ms + test_random_below(100);
	lane_forget(i);
}

/* ---- the connection ---- */

static void session_is_over(unsigned i)
{
	struct user *u = &users[i];

	sim_note(0, "user %u: its session is over", i);
	if (sim.now_ms - u->lost_ms < sim.rates.grace_ms)
		sim_fail(0, "user %u: its session was over within its grace", i);
	u->learnt = false;
	account_session_over(i);
	u->epoch++;
	u->claims_count = 0;
	lane_forget(i);
	sim.totals.sessions_over++;
}

static void read_replies(unsigned i);

/* Without a session, what belonged to the connection ends with it. */
static void connection_is_over(unsigned i)
{
	users[i].epoch++;
	users[i].claims_count = 0;
	lane_forget(i);
}

/* Sometimes it is away for longer. */
static void disconnect(unsigned i)
{
	struct user *u = &users[i];
	uint64_t away = sim.faults && test_random_below(4) == 0 ? sim.rates.away_ms : 20;

	if (u->link < 0)
		return;
	link_close_user(&links[u->link]);
	if (session_is_open(u->session))
		u->lost_ms = links[u->link].broken_ms;
	u->link = -1;
	u->connect_ms = sim.now_ms + 1 + test_random_below(away);
	session_disconnected(u->session);
	if (u->plain)
		connection_is_over(i);
	read_replies(i);
}

static void hear(unsigned i, const struct session_reply *r)
{
	if (r->op == MESSAGE_BYE) {
		if (r->code != 0)
			sim_fail(0, "user %u: bye is refused: %d", i, r->code);
		users[i].ended = true;
		return;
	}
	answer(r->user, r);
}

static void read_replies(unsigned i)
{
	struct user *u = &users[i];
	struct session_reply r;
	int code;

	while ((code = session_next(u->session, &r)) == 1)
		hear(i, &r);
	if (code == 0)
		return;
	if (code == ERROR_SESSION_OVER)
		session_is_over(i);
	else if (code != ERROR_STOPPING)
		sim_fail(0, "user %u: the stream is ended: %d %.*s", i, code, (int)r.text.n,
		         (const char *)r.text.p);
	disconnect(i);
}

static void connect(unsigned i)
{
	struct user *u = &users[i];

	if (sim.now_ms < u->connect_ms || !core_is_up() || (u->link = link_open()) < 0)
		return;
	core_accept(u->link);
	CHECK_INT(session_connected(u->session), 0);
	sim.totals.resumes += session_id(u->session).n > 0;
}

static void converse(unsigned i)
{
	struct user *u = &users[i];
	struct pipe *down = &links[u->link].down;
	struct bytes in = link_arrived(down), out;

	if (in.n) {
		CHECK_INT(session_feed(u->session, in.p, in.n), 0);
		link_taken(down, in.n);
		u->learnt = u->learnt || session_is_open(u->session);
		read_replies(i);
	}
	if (u->link < 0)
		return;
	out = session_output(u->session);
	link_write(&links[u->link].up, out);
	session_written(u->session, out.n);
	if (link_over(down))
		disconnect(i);
}

void user_tick(unsigned i)
{
	struct user *u = &users[i];

	if (!u->session)
		return;
	if (u->link < 0)
		connect(i);
	if (u->link < 0)
		return;
	converse(i);
	if (u->link >= 0 && sim_happens(sim.rates.cut)) {
		sim_note(0, "user %u is cut off", i);
		link_cut(&links[u->link]);
		sim.totals.cuts++;
	}
}

/* ---- the end ---- */

static void leave(unsigned i)
{
	struct user *u = &users[i];

	if (u->link >= 0)
		link_close_user(&links[u->link]);
	session_destroy(u->session);
	u->session = NULL;
	u->link = -1;
}

void user_dies(unsigned i)
{
	struct list *it;

	sim_note(0, "user %u dies", i);
	sim.totals.deaths++;
	while ((it = list_first(&users[i].asks)))
		answer_never(list_entry(it, struct ask, link));
	account_session_over(i);
	leave(i);
	user_begin(i);
}

bool user_finish(unsigned i)
{
	struct user *u = &users[i];

	if (!u->session)
		return true;
	list_each(it, &u->asks) {
		struct ask *a = list_entry(it, struct ask, link);

		if (!a->cancelled && sim.now_ms > a->asked_ms + 2000)
			session_cancel(u->session, a->n);
	}
	if (list_empty(&u->asks) && !u->leaving) {
		CHECK_INT(session_bye(u->session), 0);
		u->leaving = true;
	}
	if (!u->ended)
		return false;
	account_acknowledged(i, UINT64_MAX);
	leave(i);
	return true;
}

struct claim *user_claim(struct user *u, uint64_t token)
{
	for (unsigned i = 0; i < u->claims_count; i++)
		if (u->claims[i].token == token)
			return &u->claims[i];
	return NULL;
}

void user_unclaim(struct user *u, uint64_t token)
{
	struct claim *c = user_claim(u, token);

	if (c)
		*c = u->claims[--u->claims_count];
}

void user_remove_all(void)
{
	for (unsigned i = 0; i <= USERS; i++) {
		struct list *it;

		if (!users[i].session)
			continue;
		while ((it = list_first(&users[i].asks)))
			ask_end(list_entry(it, struct ask, link));
		leave(i);
	}
	memset(users, 0, sizeof users);
}
