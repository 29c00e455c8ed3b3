#include "../../../libclient/item.h"
#include "core.h"
#include "sim.h"
#include "user.h"

/* A user alone with its lane, one request at a time, knows what is in it and in which
 * order: each reply can be foretold. A claim is given back, or over, before anything
 * else is asked, and what comes back is in its old place. */

enum { LENGTH = 12 };

struct place {
	uint64_t uid, token; /* token: claimed */
	uint64_t asked_ms, lease_ms;
};

static struct lane {
	uint64_t number;
	struct place place[LENGTH];
	unsigned count;
	const struct ask *ask; /* NULL: none */
	bool backwards; /* it asked for the greatest first */
	unsigned max;   /* and for so many */
} lanes[USERS + 1];

void lane_forget(unsigned user)
{
	lanes[user] = (struct lane){.number = lanes[user].number + 1};
}

void lane_forget_all(void)
{
	memset(lanes, 0, sizeof lanes);
}

/* ---- asking ---- */

static void put_head(struct buf *b, unsigned user)
{
	item_put_head(b, ITEM_ARRAY, 4);
	item_put_uint(b, user);
	item_put_text(b, "lane");
	item_put_uint(b, lanes[user].number);
}

static struct ask *lane_new(unsigned user, enum ask_kind kind)
{
	struct ask *a = ask_new(user, kind, "main");

	a->lane = true;
	lanes[user].ask = a;
	return a;
}

static void put(unsigned user)
{
	struct ask *a = lane_new(user, ASK_PUT);
	unsigned room = LENGTH - lanes[user].count;
	struct buf b = BUF_INIT;

	a->puts = 1 + (unsigned)test_random_below(room < 3 ? room : 3);
	message_request_begin(&b, MESSAGE_OUTS);
	item_put_text(&b, "main");
	item_put_head(&b, ITEM_ARRAY, a->puts);
	for (unsigned i = 0; i < a->puts; i++) {
		a->uid[i] = account_new(false);
		put_head(&b, user);
		item_put_uint(&b, a->uid[i]);
	}
	ask_send(a, MESSAGE_OUTS, 2, &b);
}

/* Any int: by age, by a walk, or by an order that is the same, or the reverse. */
static void put_formal(struct buf *b, unsigned kind)
{
	static const char *const keys[] = {"", "ge", "order", "order"};

	item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
	if (kind == 0) {
		item_put_text(b, "int");
		return;
	}
	item_put_head(b, ITEM_MAP, 2);
	if (kind > 1) {
		item_put_text(b, "type");
		item_put_text(b, "int");
	}
	item_put_text(b, keys[kind]);
	if (kind > 1) {
		item_put_text(b, kind == 2 ? "min" : "max");
		return;
	}
	item_put_uint(b, 1);
	item_put_text(b, "type");
	item_put_text(b, "int");
}

static void look_for(unsigned user, enum ask_kind kind)
{
	struct ask *a = lane_new(user, kind);
	enum message_op op = kind == ASK_READ ? MESSAGE_RD : MESSAGE_IN;
	unsigned formal = (unsigned)test_random_below(4);
	struct message_options o = {.have = 0};
	struct lane *l = &lanes[user];
	struct buf b = BUF_INIT;

	l->backwards = formal == 3;
	l->max = 1 + (unsigned)test_random_below(3);
	message_request_begin(&b, op);
	item_put_text(&b, "main");
	put_head(&b, user);
	put_formal(&b, formal);
	message_option_number(&o, OPTION_TIMEOUT, 0);
	message_option_number(&o, OPTION_MAX, l->max);
	a->lease_ms = 2 * sim.rates.lease_ms;
	if (kind == ASK_CLAIM)
		message_option_number(&o, OPTION_LEASE, a->lease_ms);
	ask_send(a, op, 2 + message_options_put(&b, &o), &b);
}

/* False: it has no claims. */
static bool commit(unsigned user)
{
	struct lane *l = &lanes[user];
	struct ask *a = NULL;
	struct buf b = BUF_INIT;

	for (unsigned i = 0; i < l->count; i++) {
		if (!l->place[i].token)
			continue;
		a = a ? a : lane_new(user, ASK_COMMIT);
		a->claim[a->claims] = (struct claim){
			.token = l->place[i].token, .uid = l->place[i].uid,
			.asked_ms = l->place[i].asked_ms, .lease_ms = l->place[i].lease_ms,
		};
		a->fate[a->claims++] = test_random_below(3) ? FATE_BACK : FATE_DONE;
	}
	if (!a)
		return false;
	ask_write_commit(a, &b);
	ask_send(a, MESSAGE_COMMIT, 1, &b);
	return true;
}

void lane_ask(unsigned user)
{
	static const enum ask_kind kinds[] = {ASK_TAKE, ASK_CLAIM, ASK_CLAIM, ASK_READ};
	struct lane *l = &lanes[user];

	if (l->ask || commit(user))
		return;
	if (l->count < LENGTH && (l->count < 2 || test_random_below(3) == 0))
		put(user);
	else
		look_for(user, kinds[test_random_below(4)]);
}

/* ---- what is learnt ---- */

static void remove_place(struct lane *l, uint64_t uid)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->place[i].uid == uid) {
			memmove(l->place + i, l->place + i + 1,
			        (--l->count - i) * sizeof *l->place);
			return;
		}
}

static void on_put(struct lane *l, const struct ask *a)
{
	for (unsigned i = 0; i < a->puts; i++)
		l->place[l->count++] = (struct place){.uid = a->uid[i]};
}

/* The n-th tuple that it must find. */
static struct place *foretold(struct lane *l, unsigned n)
{
	return n >= l->count ? NULL : &l->place[l->backwards ? l->count - 1 - n : n];
}

/* Over a restart a reply keeps its tuples, and gives them by their ids. */
static void turn_around(struct place *p, unsigned count)
{
	for (unsigned i = 0; i < count / 2; i++) {
		struct place other = p[i];

		p[i] = p[count - 1 - i];
		p[count - 1 - i] = other;
	}
}

/* How many there are in `found`; false: not as many as must be. */
static bool read_found(struct lane *l, const struct ask *a, struct bytes body,
                       struct place *found, unsigned *count)
{
	struct item_head h;
	const uint8_t *p = item_head(body.p, &h);

	*count = l->count < l->max ? l->count : l->max;
	if (h.arg != *count) {
		sim_fail(*count ? foretold(l, 0)->uid : 0,
		         "user %u found %u tuples in its lane, not %u", a->user, (unsigned)h.arg,
		         *count);
		return false;
	}
	for (unsigned i = 0; i < *count; i++) {
		p = answer_entry(p, &found[i].uid, &found[i].token);
		found[i].asked_ms = a->asked_ms;
		found[i].lease_ms = a->lease_ms;
	}
	if (*count && l->backwards && a->boots != core_boots() &&
	    found[0].uid < found[*count - 1].uid)
		turn_around(found, *count);
	return true;
}

static void on_found(struct lane *l, const struct ask *a, struct bytes body)
{
	struct place found[LENGTH];
	unsigned count;

	sim.totals.orders++;
	if (!read_found(l, a, body, found, &count))
		return;
	for (unsigned i = 0; i < count; i++) {
		struct place *place = foretold(l, i);

		if (found[i].uid != place->uid)
			sim_fail(place->uid, "out of order: tuple %llu comes before %llu",
			         (unsigned long long)found[i].uid, (unsigned long long)place->uid);
		else if (a->kind == ASK_CLAIM)
			*place = found[i];
	}
	for (unsigned i = 0; a->kind == ASK_TAKE && i < count; i++)
		remove_place(l, found[i].uid);
}

static void on_commit(struct lane *l, const struct ask *a, const struct session_reply *r)
{
	for (unsigned i = 0; i < a->claims; i++) {
		const struct claim *c = &a->claim[i];

		if (r->code == 0 && a->fate[i] == FATE_DONE)
			remove_place(l, c->uid);
		for (unsigned j = 0; j < l->count; j++)
			if (l->place[j].token == c->token &&
			    (r->code == 0 || answer_is_stale(r->body, c->token)))
				l->place[j].token = 0;
	}
}

void lane_answer(struct ask *a, const struct session_reply *r)
{
	struct lane *l = &lanes[a->user];

	if (l->ask != a)
		return;
	l->ask = NULL;
	/* With small limits what is over may come back a batch later, and a take that finds
	 * something does not wait for it. */
	if (a->kind == ASK_COMMIT &&
	    (r->code == 0 || (r->code == ERROR_CLAIM_OVER && !sim.rates.few)))
		on_commit(l, a, r);
	else if (r->code != 0 ||
	         (a->kind == ASK_CLAIM && sim.now_ms - a->asked_ms >= a->lease_ms))
		lane_forget(a->user); /* of a reply that comes late, some claims may be over */
	else if (a->kind == ASK_PUT)
		on_put(l, a);
	else
		on_found(l, a, r->body);
}
