#include "../../../libclient/base/xmalloc.h"
#include "../../../libclient/item.h"
#include "core.h"
#include "sim.h"
#include "user.h"

#include <inttypes.h>

enum { KINDS = 4, COLOURS = 3, FULL = 60 /* tuples, about: then fewer are put */ };

static const char *const colours[COLOURS] = {"red", "green", "blue"};
static const char *const spaces[] = {"main", "jobs"};

struct ask *ask_new(unsigned user, enum ask_kind kind, const char *space)
{
	struct ask *a = xcalloc(1, sizeof *a);

	a->user = user;
	a->kind = kind;
	a->space = space;
	a->epoch = users[user].epoch;
	a->asked = ++sim.event;
	a->asked_ms = sim.now_ms;
	a->boots = core_boots();
	list_append(&users[user].asks, &a->link);
	users[user].asked++;
	return a;
}

void ask_send(struct ask *a, enum message_op op, unsigned args, struct buf *body)
{
	int code = session_request(users[a->user].session, op, args, buf_bytes(body), a, &a->n);

	CHECK_INT(code, 0);
	buf_close(body);
	for (unsigned i = 0; i < a->puts; i++)
		sim_note(a->uid[i], "user %u asks (%" PRIu64 ") to put it into %s", a->user, a->n,
		         a->space);
}

void ask_end(struct ask *a)
{
	list_remove(&a->link);
	users[a->user].asked--;
	xfree(a);
}

/* ---- tuples and templates ---- */

static void put_formal(struct buf *b, const char *type)
{
	item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
	if (type)
		item_put_text(b, type);
	else
		item_put_null(b);
}

static void put_tuple(struct buf *b, uint64_t uid)
{
	item_put_head(b, ITEM_ARRAY, 3);
	item_put_uint(b, test_random_below(KINDS));
	item_put_uint(b, uid);
	item_put_text(b, colours[test_random_below(COLOURS)]);
}

/* The uid, with what makes the search a walk, or goes by an order. */
static void put_uid_formal(struct buf *b)
{
	unsigned kind = (unsigned)test_random_below(8);

	if (kind > 2) {
		put_formal(b, kind == 3 ? NULL : "int");
		return;
	}
	item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
	item_put_head(b, ITEM_MAP, 2);
	item_put_text(b, kind == 0 ? "ge" : "type");
	if (kind == 0) {
		item_put_uint(b, 1);
		item_put_text(b, "type");
	}
	item_put_text(b, "int");
	if (kind == 0)
		return;
	item_put_text(b, "order");
	item_put_text(b, kind == 1 ? "min" : "max");
}

static void put_template(struct buf *b)
{
	unsigned bound = (unsigned)test_random_below(8);

	item_put_head(b, ITEM_ARRAY, 3);
	if (bound & 3)
		item_put_uint(b, test_random_below(KINDS));
	else
		put_formal(b, "int");
	put_uid_formal(b);
	if (bound & 4)
		item_put_text(b, colours[test_random_below(COLOURS)]);
	else
		put_formal(b, test_random_below(2) ? "text" : NULL);
}

static const char *any_space(void)
{
	return spaces[test_random_below(2)];
}

static void wait_some(struct message_options *o)
{
	uint64_t kind = test_random_below(5);

	if (kind > 0)
		message_option_number(o, OPTION_TIMEOUT, kind < 3 ? 0 : test_random_below(3000));
}

/* ---- requests ---- */

static void put(unsigned user)
{
	bool many = test_random_below(3) == 0, mortal = test_random_below(12) == 0;
	struct ask *a = ask_new(user, ASK_PUT, any_space());
	struct message_options o = {.have = 0};
	struct buf b = BUF_INIT, unless = BUF_INIT;

	a->puts = many ? 1 + (unsigned)test_random_below(TOGETHER) : 1;
	message_request_begin(&b, many ? MESSAGE_OUTS : MESSAGE_OUT);
	item_put_text(&b, a->space);
	if (many)
		item_put_head(&b, ITEM_ARRAY, a->puts);
	for (unsigned i = 0; i < a->puts; i++) {
		a->uid[i] = account_new(mortal);
		put_tuple(&b, a->uid[i]);
	}
	if (mortal && test_random_below(2))
		message_option_number(&o, OPTION_BOUND, 1);
	else if (mortal)
		message_option_number(&o, OPTION_TTL, 1 + test_random_below(2000));
	if (test_random_below(6) == 0)
		message_option_number(&o, OPTION_DELAY, test_random_below(500));
	if (test_random_below(8) == 0) {
		put_template(&unless);
		message_option_bytes(&o, OPTION_UNLESS, buf_bytes(&unless));
	}
	ask_send(a, many ? MESSAGE_OUTS : MESSAGE_OUT, 2 + message_options_put(&b, &o), &b);
	buf_close(&unless);
}

static void look_for(unsigned user, enum ask_kind kind)
{
	struct ask *a = ask_new(user, kind, any_space());
	enum message_op op = kind == ASK_READ ? MESSAGE_RD : MESSAGE_IN;
	struct message_options o = {.have = 0};
	struct buf b = BUF_INIT;

	message_request_begin(&b, op);
	item_put_text(&b, a->space);
	put_template(&b);
	wait_some(&o);
	if (test_random_below(3) == 0)
		message_option_number(&o, OPTION_MAX, 1 + test_random_below(TOGETHER));
	a->lease_ms = sim.rates.lease_ms + test_random_below(3 * sim.rates.lease_ms);
	if (kind == ASK_CLAIM)
		message_option_number(&o, OPTION_LEASE, a->lease_ms);
	if (kind != ASK_READ && test_random_below(8) == 0)
		message_option_number(&o, OPTION_DRAIN, 1);
	ask_send(a, op, 2 + message_options_put(&b, &o), &b);
}

static void put_guard(struct buf *b, const char *kind, const char *space)
{
	item_put_head(b, ITEM_ARRAY, 3);
	item_put_text(b, kind);
	item_put_text(b, space);
	put_template(b);
}

static void put_reference(struct buf *b, unsigned guard, unsigned field)
{
	item_put_head(b, ITEM_TAG, ITEM_TAG_REF);
	item_put_head(b, ITEM_ARRAY, 2);
	item_put_uint(b, guard);
	item_put_uint(b, field);
}

/* An atomic that takes one tuple and puts it again as another kind: none is lost on the
 * way, and none is there twice. */
static void move(unsigned user)
{
	struct ask *a = ask_new(user, ASK_MOVE, any_space());
	unsigned more = (unsigned)test_random_below(3);
	struct message_options o = {.have = 0};
	struct buf b = BUF_INIT;

	message_request_begin(&b, MESSAGE_ATOMIC);
	item_put_head(&b, ITEM_ARRAY, 2 + (more > 0));
	put_guard(&b, "in", a->space);
	if (more > 0)
		put_guard(&b, more == 1 ? "rd" : "no", any_space());
	item_put_head(&b, ITEM_ARRAY, 3);
	item_put_text(&b, "out");
	item_put_text(&b, any_space());
	item_put_head(&b, ITEM_ARRAY, 3);
	item_put_uint(&b, test_random_below(KINDS));
	put_reference(&b, 0, 1);
	put_reference(&b, 0, 2);
	wait_some(&o);
	ask_send(a, MESSAGE_ATOMIC, 1 + message_options_put(&b, &o), &b);
}

void ask_count(unsigned user, const char *space)
{
	struct ask *a = ask_new(user, ASK_COUNT, space);
	struct buf b = BUF_INIT;

	message_request_begin(&b, MESSAGE_COUNT);
	item_put_text(&b, space);
	if (user == AUDITOR)
		item_put_null(&b);
	else
		put_template(&b);
	ask_send(a, MESSAGE_COUNT, 2, &b);
}

/* Until there are some, or none. */
static void wait_for(unsigned user)
{
	struct ask *a = ask_new(user, ASK_COUNT, any_space());
	uint64_t least = test_random_below(4);
	struct message_options o = {.have = 0};
	struct buf b = BUF_INIT;

	message_request_begin(&b, MESSAGE_WAIT);
	item_put_text(&b, a->space);
	put_template(&b);
	item_put_head(&b, ITEM_ARRAY, 2);
	item_put_text(&b, least ? "ge" : "eq");
	item_put_uint(&b, least);
	wait_some(&o);
	ask_send(a, MESSAGE_WAIT, 3 + message_options_put(&b, &o), &b);
}

void ask_something(unsigned user)
{
	unsigned dice = (unsigned)test_random_below(100);
	struct user *u = &users[user];
	bool full = sim.totals.puts > sim.totals.takes + FULL;

	if (u->asked >= ASKED)
		return;
	if (dice < (full ? 10 : 35))
		put(user);
	else if (dice < 55)
		look_for(user, ASK_TAKE);
	else if (dice < 75 && u->claims_count + TOGETHER <= CLAIMS)
		look_for(user, ASK_CLAIM);
	else if (dice < 82)
		look_for(user, ASK_READ);
	else if (dice < 96)
		move(user);
	else if (dice < 98)
		wait_for(user);
	else
		ask_count(user, any_space());
}

/* ---- claims ---- */

static void put_tokens(struct buf *b, const struct ask *a, enum fate fate)
{
	unsigned count = 0;

	for (unsigned i = 0; i < a->claims; i++)
		count += a->fate[i] == fate || (fate == FATE_DONE && a->fate[i] == FATE_MOVE);
	item_put_text(b, fate == FATE_DONE ? "done" : "bury");
	item_put_head(b, ITEM_ARRAY, count);
	for (unsigned i = 0; i < a->claims; i++)
		if (a->fate[i] == fate || (fate == FATE_DONE && a->fate[i] == FATE_MOVE))
			item_put_uint(b, a->claim[i].token);
}

static void put_backs(struct buf *b, const struct ask *a)
{
	unsigned count = 0;

	for (unsigned i = 0; i < a->claims; i++)
		count += a->fate[i] == FATE_BACK || a->fate[i] == FATE_LATER;
	item_put_text(b, "back");
	item_put_head(b, ITEM_ARRAY, count);
	for (unsigned i = 0; i < a->claims; i++) {
		if (a->fate[i] != FATE_BACK && a->fate[i] != FATE_LATER)
			continue;
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_uint(b, a->claim[i].token);
		item_put_uint(b, a->fate[i] == FATE_LATER ? 1 + test_random_below(500) : 0);
	}
}

/* The moved ones, then those that are new. */
static void put_outs(struct buf *b, const struct ask *a)
{
	unsigned count = a->puts;

	for (unsigned i = 0; i < a->claims; i++)
		count += a->fate[i] == FATE_MOVE;
	item_put_text(b, "out");
	item_put_head(b, ITEM_ARRAY, count);
	for (unsigned i = 0; i < a->claims; i++) {
		if (a->fate[i] != FATE_MOVE)
			continue;
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_text(b, any_space());
		put_tuple(b, a->claim[i].uid);
	}
	for (unsigned i = 0; i < a->puts; i++) {
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_text(b, a->space);
		put_tuple(b, a->uid[i]);
	}
}

void ask_write_commit(struct ask *a, struct buf *b)
{
	message_request_begin(b, MESSAGE_COMMIT);
	item_put_head(b, ITEM_MAP, 4);
	put_outs(b, a);
	put_backs(b, a);
	put_tokens(b, a, FATE_BURY);
	put_tokens(b, a, FATE_DONE);
	for (unsigned i = 0; i < a->claims; i++)
		sim_note(a->claim[i].uid, "user %u commits claim %" PRIu64 ", fate %d", a->user,
		         a->claim[i].token, a->fate[i]);
}

static void renew(struct ask *a)
{
	struct buf b = BUF_INIT;

	a->lease_ms = sim.rates.lease_ms * 5;
	message_request_begin(&b, MESSAGE_RENEW);
	item_put_head(&b, ITEM_ARRAY, a->claims);
	for (unsigned i = 0; i < a->claims; i++)
		item_put_uint(&b, a->claim[i].token);
	item_put_uint(&b, a->lease_ms);
	ask_send(a, MESSAGE_RENEW, 2, &b);
}

void ask_commit(unsigned user)
{
	static const enum fate fates[] = {FATE_DONE, FATE_DONE, FATE_DONE, FATE_MOVE,
	                                  FATE_MOVE, FATE_BACK, FATE_BACK, FATE_LATER};
	struct user *u = &users[user];
	unsigned want = 1 + (unsigned)test_random_below(TOGETHER);
	bool longer = test_random_below(5) == 0;
	struct buf b = BUF_INIT;
	struct ask *a = NULL;

	for (unsigned i = 0; i < u->claims_count && want > 0; i++) {
		struct claim *c = &u->claims[i];

		if (c->busy)
			continue;
		if (!a)
			a = ask_new(user, longer ? ASK_RENEW : ASK_COMMIT, c->space);
		c->busy = true;
		a->claim[a->claims] = *c;
		a->fate[a->claims++] = test_random_below(20) ? fates[test_random_below(8)]
		                                             : FATE_BURY;
		want--;
	}
	if (a && longer) {
		renew(a);
	} else if (a) {
		if (test_random_below(4) == 0)
			a->uid[a->puts++] = account_new(false);
		ask_write_commit(a, &b);
		ask_send(a, MESSAGE_COMMIT, 1, &b);
	}
}

/* ---- the auditor ---- */

void ask_space(unsigned user, const char *name, uint64_t tries)
{
	struct ask *a = ask_new(user, ASK_SPACE, name);
	struct message_options o = {.have = 0};
	struct buf b = BUF_INIT;

	message_request_begin(&b, MESSAGE_SPACE);
	item_put_text(&b, "create");
	item_put_text(&b, name);
	message_option_number(&o, OPTION_TRIES, tries);
	ask_send(a, MESSAGE_SPACE, 2 + message_options_put(&b, &o), &b);
}

void ask_all(unsigned user, const char *space)
{
	struct ask *a = ask_new(user, ASK_TAKE, space);
	struct message_options o = {.have = 0};
	struct buf b = BUF_INIT;

	message_request_begin(&b, MESSAGE_IN);
	item_put_text(&b, space);
	item_put_null(&b);
	message_option_number(&o, OPTION_TIMEOUT, 0);
	message_option_number(&o, OPTION_MAX, TOGETHER);
	ask_send(a, MESSAGE_IN, 2 + message_options_put(&b, &o), &b);
}
