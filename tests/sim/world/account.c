#include "account.h"

#include "../../../libclient/base/seq.h"
#include "../../../libclient/base/xmalloc.h"
#include "sim.h"

enum { TUPLE_MAX = 64, NOBODY = -1 };

struct entry {
	enum account_put put;
	bool mortal, seen;
	uint64_t seen_asked; /* the last request that saw it */
	long last;           /* its last take; they are chained */
};

struct take {
	uint64_t uid, asked, read; /* events */
	uint64_t number;           /* the user's last request when it was read */
	unsigned user;
	enum account_take how;
	long before; /* the take of this tuple that was read before it */
};

/* An id or a token: one counter gives both. */
struct given {
	uint64_t number, uid;
	bool token;
	const char *space;
	uint8_t tuple[TUPLE_MAX];
	size_t len;
};

static struct account {
	struct entry *entries; /* by uid; 0 is none */
	size_t count, cap;
	struct take *takes;
	size_t takes_count, takes_cap, settled; /* takes before `settled` are not TAKE_READ */
	struct seq given;
	unsigned doubts, lost; /* tuples that may be gone; that are */
} account;

static struct entry *entry_of(uint64_t uid)
{
	if (uid > 0 && uid < account.count)
		return &account.entries[uid];
	sim_fail(0, "there is a tuple %llu that nobody ever put", (unsigned long long)uid);
	return NULL;
}

uint64_t account_new(bool mortal)
{
	if (account.count + 1 >= account.cap) {
		account.cap = account.cap ? 2 * account.cap : 1024;
		account.entries = xrealloc(account.entries, account.cap * sizeof *account.entries);
	}
	account.count += account.count == 0;
	account.entries[account.count] = (struct entry){.mortal = mortal, .last = NOBODY};
	return account.count++;
}

void account_put(uint64_t uid, enum account_put how)
{
	struct entry *e = entry_of(uid);

	if (!e)
		return;
	e->put = how;
	sim.totals.puts += how == PUT_DONE;
	sim.totals.unknown += how == PUT_UNKNOWN;
	if (how == PUT_REFUSED && e->seen)
		sim_fail(uid, "tuple %llu was seen, and its put was refused",
		         (unsigned long long)uid);
}

void account_seen(uint64_t uid, uint64_t asked)
{
	struct entry *e = entry_of(uid);

	if (!e)
		return;
	e->seen = true;
	if (asked > e->seen_asked)
		e->seen_asked = asked;
	if (e->put == PUT_REFUSED)
		sim_fail(uid, "tuple %llu is there, and its put was refused",
		         (unsigned long long)uid);
}

size_t account_taken(uint64_t uid, unsigned user, uint64_t asked, uint64_t number,
                     enum account_take how)
{
	struct entry *e = entry_of(uid);

	if (how != TAKE_MAYBE)
		account_seen(uid, asked);
	if (account.takes_count == account.takes_cap) {
		account.takes_cap = account.takes_cap ? 2 * account.takes_cap : 1024;
		account.takes = xrealloc(account.takes, account.takes_cap * sizeof *account.takes);
	}
	account.takes[account.takes_count] = (struct take){
		.uid = uid, .asked = asked, .read = ++sim.event, .number = number, .user = user,
		.how = how, .before = e ? e->last : NOBODY,
	};
	if (e)
		e->last = (long)account.takes_count;
	sim.totals.takes++;
	return account.takes_count++;
}

void account_cancel(size_t take)
{
	account.takes[take].how = TAKE_MAYBE;
}

void account_stand(size_t take, uint64_t number)
{
	account.takes[take].how = TAKE_READ;
	account.takes[take].number = number;
	if (take < account.settled)
		account.settled = take;
}

void account_undo(size_t take)
{
	account.takes[take].how = TAKE_UNDONE;
	sim.totals.undone++;
}

enum account_take account_state(size_t take)
{
	return account.takes[take].how;
}

static void settle(unsigned user, uint64_t number, enum account_take how)
{
	bool front = true;

	for (size_t i = account.settled; i < account.takes_count; i++) {
		struct take *t = &account.takes[i];

		if (t->how == TAKE_READ && t->user == user && t->number < number)
			t->how = how;
		front = front && t->how != TAKE_READ;
		if (front)
			account.settled = i + 1;
	}
}

void account_acknowledged(unsigned user, uint64_t number)
{
	settle(user, number, TAKE_SURE);
}

void account_doubt(unsigned tuples)
{
	account.doubts += tuples;
	sim.totals.doubts++;
}

void account_session_over(unsigned user)
{
	settle(user, UINT64_MAX, TAKE_MAYBE);
}

/* ---- ids and tokens ---- */

static struct given *give(uint64_t number, uint64_t uid, bool token)
{
	struct given *g = seq_find(&account.given, number);

	if (g && (token || g->token || g->uid != uid))
		sim_fail(uid, "%s %llu was given twice: to tuple %llu, then to %llu",
		         token ? "token" : "id", (unsigned long long)number,
		         (unsigned long long)g->uid, (unsigned long long)uid);
	if (g)
		return g;
	g = xcalloc(1, sizeof *g);
	*g = (struct given){.number = number, .uid = uid, .token = token};
	seq_insert(&account.given, g);
	return g;
}

void account_id(uint64_t id, uint64_t uid)
{
	give(id, uid, false);
}

void account_token(uint64_t token, uint64_t uid, const char *space, struct bytes tuple)
{
	struct given *g = give(token, uid, true);

	g->space = space;
	if (tuple.n > TUPLE_MAX)
		return;
	g->len = tuple.n;
	memcpy(g->tuple, tuple.p, tuple.n);
}

bool account_claimed(uint64_t token, const char **space, struct bytes *tuple)
{
	const struct given *g = seq_find(&account.given, token);

	if (!g || !g->token)
		return false;
	*space = g->space;
	*tuple = (struct bytes){g->tuple, g->len};
	return true;
}

/* ---- the end ---- */

/* What was taken for sure is not there any more for whoever asks afterwards. */
static void judge_order(uint64_t uid, const struct entry *e, const struct take *sure)
{
	if (e->seen_asked > sure->read)
		sim_fail(uid, "tuple %llu was seen after it was taken", (unsigned long long)uid);
}

static void judge(uint64_t uid, const struct entry *e)
{
	unsigned sure = 0, maybe = 0;

	for (long i = e->last; i != NOBODY; i = account.takes[i].before) {
		const struct take *t = &account.takes[i];

		sure += t->how == TAKE_SURE;
		maybe += t->how == TAKE_MAYBE || t->how == TAKE_READ;
		if (t->how == TAKE_SURE)
			judge_order(uid, e, t);
	}
	if (sure > 1)
		sim_fail(uid, "tuple %llu was taken %u times", (unsigned long long)uid, sure);
	if (e->put == PUT_REFUSED && e->seen)
		sim_fail(uid, "tuple %llu was seen, and its put was refused",
		         (unsigned long long)uid);
	if (e->put != PUT_DONE || e->mortal || sure + maybe > 0)
		return;
	if (++account.lost > account.doubts)
		sim_fail(uid, "tuple %llu is lost", (unsigned long long)uid);
}

void account_close(void)
{
	for (uint64_t uid = 1; uid < account.count; uid++)
		judge(uid, &account.entries[uid]);
}

static void drop(void *item, void *ctx)
{
	(void)ctx;
	xfree(item);
}

void account_clear(void)
{
	xfree(account.entries);
	xfree(account.takes);
	while (seq_drain(&account.given, 1000, drop, NULL) > 0)
		;
	seq_close(&account.given);
	account = (struct account){.count = 0};
	seq_init(&account.given);
}
