#include "../../../libclient/item.h"
#include "core.h"
#include "sim.h"
#include "user.h"

#include <inttypes.h>

/* An entry of a reply to a take or a read. */
struct entry {
	uint64_t id, uid, token;
	struct bytes tuple;
};

/* Answers what comes after it. */
static const uint8_t *read_entry(const uint8_t *p, struct entry *e)
{
	struct item_head h, fields;
	const uint8_t *field;

	p = item_head(p, &h);
	message_number(p, &e->id);
	p = item_skip(p);
	e->tuple = item_bytes(p);
	field = item_head(p, &fields);
	for (uint64_t skip = fields.arg == 4 ? 3 : 1; skip > 0; skip--)
		field = item_skip(field);
	if (fields.arg < 3 || !message_number(field, &e->uid))
		e->uid = 0;
	p = item_skip(p);
	e->token = 0;
	if (h.arg == 4) {
		message_number(p, &e->token);
		p = item_skip(item_skip(p));
	}
	return p;
}

const uint8_t *answer_entry(const uint8_t *p, uint64_t *uid, uint64_t *token)
{
	struct entry e;

	p = read_entry(p, &e);
	*uid = e.uid;
	*token = e.token;
	return p;
}

static void note(const struct ask *a, uint64_t uid, const char *what, int code)
{
	sim_note(uid, "user %u: %s (%" PRIu64 "): %d", a->user, what, a->n, code);
}

/* A code that nothing here should bring about. Without a session the end of a connection,
 * or of the server, is seen. */
static void unexpected(const struct ask *a, const struct session_reply *r)
{
	bool plain = users[a->user].plain;

	sim.totals.full += r->code == ERROR_FULL;
	if (r->code == ERROR_CANCELLED || r->code == ERROR_FULL ||
	    (plain && (r->code == ERROR_STOPPING || r->code == ERROR_UNKNOWN)))
		return;
	sim_fail(0, "user %u: request %" PRIu64 " of kind %d is refused: %d %.*s", a->user, a->n,
	         a->kind, r->code, (int)r->text.n, (const char *)r->text.p);
}

/* ---- puts ---- */

/* [id...] or id; twisted commits have more of them than were asked for. */
static void read_ids(struct bytes body, const uint64_t *uid, unsigned count)
{
	struct item_head h;
	const uint8_t *p = item_head(body.p, &h);
	uint64_t id;

	if (h.major != ITEM_ARRAY) {
		p = body.p;
		h.arg = 1;
	}
	for (unsigned i = 0; i < count && i < h.arg; i++) {
		if (message_number(p, &id))
			account_id(id, uid[i]);
		p = item_skip(p);
	}
}

static void all_put(const struct ask *a, int code, enum account_put how)
{
	for (unsigned i = 0; i < a->puts; i++) {
		note(a, a->uid[i], "put", code);
		account_put(a->uid[i], how);
	}
}

/* As its code has it. */
static enum account_put put_of(int code)
{
	return code == 0 ? PUT_DONE : code == ERROR_UNKNOWN ? PUT_UNKNOWN : PUT_REFUSED;
}

static void on_put(struct ask *a, const struct session_reply *r)
{
	bool nothing = r->code == 0 && *r->body.p == ITEM_NULL;

	if (r->code == 0 && !nothing) {
		read_ids(r->body, a->uid, a->puts);
		account_acknowledged(a->user, a->n);
	}
	all_put(a, r->code, nothing ? PUT_REFUSED : put_of(r->code));
	if (r->code != 0 && r->code != ERROR_UNKNOWN)
		unexpected(a, r);
}

/* ---- takes, reads and claims ---- */

/* The user has changed its mind: it cancels what it has read. */
static bool cancels(struct ask *a)
{
	if (a->kind != ASK_TAKE || a->takes == 0 || a->lane || a->user == AUDITOR ||
	    users[a->user].plain ||
	    test_random_below(12))
		return false;
	a->cancelled = session_cancel(users[a->user].session, a->n) == 0;
	for (unsigned i = 0; a->cancelled && i < a->takes; i++) {
		note(a, a->taken[i], "cancels the take", 0);
		account_cancel(a->take[i]);
	}
	return a->cancelled;
}

static void claimed(const struct ask *a, const struct entry *e)
{
	struct user *u = &users[a->user];

	account_token(e->token, e->uid, a->space, e->tuple);
	account_seen(e->uid, a->asked);
	sim.totals.claims++;
	if (a->lane || u->claims_count == CLAIMS)
		return; /* the lane knows of it; or its lease will end */
	u->claims[u->claims_count++] = (struct claim){
		.token = e->token, .uid = e->uid, .space = a->space, .lease_ms = a->lease_ms,
		.asked_ms = a->asked_ms,
	};
}

static void took(struct ask *a, uint64_t uid)
{
	const struct user *u = &users[a->user];
	enum account_take how = u->plain ? TAKE_SURE : TAKE_READ;

	a->taken[a->takes] = uid;
	a->take[a->takes++] =
		account_taken(uid, a->user, a->asked, session_number(u->session), how);
}

static void found(struct ask *a, struct bytes body)
{
	const char *does = a->kind == ASK_READ ? "reads" : a->kind == ASK_TAKE ? "takes" : "claims";
	struct item_head h;
	const uint8_t *p = item_head(body.p, &h);
	struct entry e;

	a->takes = 0;
	users[a->user].found = (unsigned)h.arg;
	if (h.arg > TOGETHER)
		sim_fail(0, "user %u got %" PRIu64 " tuples", a->user, h.arg);
	for (unsigned i = 0; i < h.arg && i < TOGETHER; i++) {
		p = read_entry(p, &e);
		sim_note(e.uid, "user %u (%" PRIu64 ") %s it in %s, id %" PRIu64, a->user, a->n,
		         does, a->space, e.id);
		account_id(e.id, e.uid);
		if (a->kind == ASK_READ)
			account_seen(e.uid, a->asked);
		else if (a->kind == ASK_CLAIM)
			claimed(a, &e);
		else
			took(a, e.uid);
	}
}

/* The second reply, after a cancel. With a body it is that of another execution: the
 * first was undone when the connection broke. */
static void on_cancelled(struct ask *a, const struct session_reply *r)
{
	bool anew = r->code == 0 && r->body.n > 0;
	unsigned takes = a->takes;

	for (unsigned i = 0; i < takes; i++) {
		note(a, a->taken[i], "cancelled take", r->code);
		if (r->code == ERROR_CANCELLED)
			account_undo(a->take[i]);
		else if (r->code == 0 && !anew)
			account_stand(a->take[i], session_number(users[a->user].session));
	}
	if (anew)
		unexpected(a, r);
	a->cancelled = false;
}

/* Answers whether it is over. */
static bool on_found(struct ask *a, const struct session_reply *r)
{
	if (a->cancelled) {
		on_cancelled(a, r);
		return true;
	}
	if (r->code == 0)
		found(a, r->body);
	else if (r->code == ERROR_UNKNOWN && users[a->user].plain && a->kind == ASK_TAKE)
		account_doubt(TOGETHER);
	else if (r->code != ERROR_NO_SPACE)
		unexpected(a, r);
	if (r->code != 0)
		users[a->user].found = 0;
	return !cancels(a);
}

/* ---- the ends of claims ---- */

static bool surely_open(const struct claim *c)
{
	if (sim.now_ms - c->asked_ms < c->lease_ms)
		return true;
	return c->renewed_ms && c->renewed_boots == core_boots() &&
	       sim.now_ms - c->renewed_ms < c->renewed_lease_ms;
}

bool answer_is_stale(struct bytes list, uint64_t token)
{
	struct item_head h;
	const uint8_t *p;
	uint64_t one;

	if (list.n == 0)
		return false;
	p = item_head(list.p, &h);
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p))
		if (message_number(p, &one) && one == token)
			return true;
	return false;
}

static void on_stale(struct ask *a, const struct session_reply *r)
{
	struct user *u = &users[a->user];

	sim.totals.refused++;
	for (unsigned i = 0; i < a->claims; i++) {
		const struct claim *c = &a->claim[i];

		if (!answer_is_stale(r->body, c->token))
			continue;
		note(a, c->uid, "its claim is over", r->code);
		if (a->epoch == u->epoch && surely_open(c))
			sim_fail(c->uid, "a claim of tuple %" PRIu64 " was over within its lease",
			         c->uid);
		user_unclaim(u, c->token);
	}
}

static void committed(struct ask *a, struct bytes body)
{
	uint64_t put[2 * TOGETHER];
	unsigned count = 0;

	sim.totals.committed++;
	for (unsigned i = 0; i < a->claims; i++) {
		uint64_t uid = a->claim[i].uid;

		if (a->fate[i] == FATE_DONE)
			account_taken(uid, a->user, a->asked, a->n, TAKE_SURE);
		if (a->fate[i] == FATE_MOVE)
			put[count++] = uid;
		sim.totals.moved += a->fate[i] == FATE_MOVE;
		sim.totals.buried += a->fate[i] == FATE_BURY;
		note(a, uid, "commit", 0);
		user_unclaim(&users[a->user], a->claim[i].token);
	}
	for (unsigned i = 0; i < a->puts; i++)
		put[count++] = a->uid[i];
	read_ids(body, put, count);
	account_acknowledged(a->user, a->n);
}

static void commit_unknown(struct ask *a)
{
	for (unsigned i = 0; i < a->claims; i++) {
		note(a, a->claim[i].uid, "commit", ERROR_UNKNOWN);
		if (a->fate[i] == FATE_DONE)
			account_taken(a->claim[i].uid, a->user, a->asked, a->n, TAKE_MAYBE);
		user_unclaim(&users[a->user], a->claim[i].token);
	}
	sim.totals.unknown++;
}

static void on_commit(struct ask *a, const struct session_reply *r)
{
	all_put(a, r->code, put_of(r->code));
	if (r->code == 0)
		committed(a, r->body);
	else if (r->code == ERROR_CLAIM_OVER)
		on_stale(a, r);
	else if (r->code == ERROR_UNKNOWN)
		commit_unknown(a);
	else
		unexpected(a, r);
}

static void on_renew(struct ask *a, const struct session_reply *r)
{
	if (r->code == ERROR_CLAIM_OVER)
		on_stale(a, r);
	else if (r->code != 0 && r->code != ERROR_UNKNOWN)
		unexpected(a, r);
	for (unsigned i = 0; r->code == 0 && i < a->claims; i++) {
		struct claim *c = user_claim(&users[a->user], a->claim[i].token);

		if (!c)
			continue;
		c->renewed_ms = a->asked_ms;
		c->renewed_lease_ms = a->lease_ms;
		c->renewed_boots = a->boots;
	}
}

static void no_longer_busy(const struct ask *a)
{
	for (unsigned i = 0; i < a->claims; i++) {
		struct claim *c = user_claim(&users[a->user], a->claim[i].token);

		if (c)
			c->busy = false;
	}
}

/* ---- the others ---- */

/* [[[id, tuple]...], [id]], or null. */
static void on_move(struct ask *a, const struct session_reply *r)
{
	struct item_head h;
	const uint8_t *p;
	struct entry e;

	if (r->code == ERROR_UNKNOWN)
		return;
	if (r->code != 0) {
		unexpected(a, r);
		return;
	}
	if (*r->body.p == ITEM_NULL)
		return;
	p = item_head(r->body.p, &h);
	read_entry(item_head(p, &h), &e);
	note(a, e.uid, "move", 0);
	account_id(e.id, e.uid);
	account_seen(e.uid, a->asked);
	account_acknowledged(a->user, a->n);
	read_ids(item_bytes(item_skip(p)), &e.uid, 1);
	sim.totals.moved++;
}

static void on_count(const struct ask *a, const struct session_reply *r)
{
	users[a->user].counted = 0;
	if (r->code == 0) /* null: a wait that timed out */
		message_number(r->body.p, &users[a->user].counted);
	else if (r->code != ERROR_NO_SPACE)
		unexpected(a, r);
}

void answer(struct ask *a, const struct session_reply *r)
{
	bool over = true;

	sim.event++;
	if (r->code == ERROR_UNKNOWN && a->epoch == users[a->user].epoch && users[a->user].learnt &&
	    !users[a->user].plain)
		sim_fail(0, "user %u does not know of request %" PRIu64 " in its session", a->user,
		         a->n);
	if (a->lane)
		lane_answer(a, r);
	switch (a->kind) {
	case ASK_PUT:
		on_put(a, r);
		break;
	case ASK_TAKE:
	case ASK_READ:
	case ASK_CLAIM:
		over = on_found(a, r);
		break;
	case ASK_COMMIT:
		on_commit(a, r);
		break;
	case ASK_RENEW:
		on_renew(a, r);
		break;
	case ASK_MOVE:
		on_move(a, r);
		break;
	case ASK_COUNT:
		on_count(a, r);
		break;
	case ASK_SPACE:
		if (r->code != 0)
			unexpected(a, r);
		break;
	}
	if (!over)
		return;
	no_longer_busy(a);
	ask_end(a);
}

void answer_never(struct ask *a)
{
	for (unsigned i = 0; i < a->puts; i++)
		account_put(a->uid[i], PUT_UNKNOWN);
	if (a->kind == ASK_COMMIT)
		commit_unknown(a);
	if (a->kind == ASK_TAKE && users[a->user].plain)
		account_doubt(TOGETHER);
	ask_end(a);
}
