/* commit and renew. */
#include "world.h"

/* What is named by a list of tokens, or of [token, delay]. */
struct named {
	struct m_tuple *claims[NAMED];
	uint64_t stale[NAMED], delay[NAMED];
	unsigned done, back; /* claims up to these places are; the rest is buried */
	unsigned count, stales;
	bool twice;
};

static void name_claims(struct named *k, int session, const uint8_t *p, bool pairs)
{
	static const uint8_t zero[] = {0};
	struct item_head h;

	p = item_head(p, &h);
	for (uint64_t left = h.arg; left > 0; left--, p = item_skip(p)) {
		struct m_tuple *t;
		uint64_t token;

		CHECK(message_number(pairs ? item_head(p, &h) : p, &token));
		t = m_claim_find(session, token);
		if (!t) {
			k->stale[k->stales++] = token;
			continue;
		}
		for (unsigned i = 0; i < k->count; i++)
			k->twice |= k->claims[i] == t;
		message_number(pairs ? item_skip(item_head(p, &h)) : zero, &k->delay[k->count]);
		k->claims[k->count++] = t;
	}
	CHECK(k->count + k->stales <= NAMED);
}

/* Whether they are right; else the error is expected. */
static bool named_well(const struct named *k, int conn, uint64_t n)
{
	w.totals.stale += k->stales > 0;
	if (k->stales)
		expect_stale(conn, n, w.now.claim_batch[w.conns[conn].session], k->stale,
		             k->stales);
	else if (k->twice)
		expect_code(conn, n, ERROR_REQUEST);
	return !k->stales && !k->twice;
}

static void name_all(struct named *k, int session, const struct request *r)
{
	if (request_has(r, OPTION_DONE))
		name_claims(k, session, r->option[OPTION_DONE].s.p, false);
	k->done = k->count;
	if (request_has(r, OPTION_BACK))
		name_claims(k, session, r->option[OPTION_BACK].s.p, true);
	k->back = k->count;
	if (request_has(r, OPTION_BURY))
		name_claims(k, session, r->option[OPTION_BURY].s.p, false);
}

/* Its outs: how many, and *p the first of them. */
static uint64_t outs_of(const struct request *r, const uint8_t **p)
{
	struct item_head h = {.arg = 0};

	if (request_has(r, OPTION_OUTS))
		*p = item_head(r->option[OPTION_OUTS].s.p, &h);
	return h.arg;
}

/* What the commit touches: 1 durable spaces, 2 volatile ones. */
static int touched(const struct named *k, const struct request *r, unsigned *kinds)
{
	struct bytes name, tuple;
	struct message_put put;
	const uint8_t *p;

	*kinds = 0;
	for (unsigned i = 0; i < k->count; i++)
		*kinds |= m_space(k->claims[i]->space)->is_volatile ? 2 : 1;
	for (uint64_t left = outs_of(r, &p); left > 0; left--) {
		int space;

		p = message_out_read(p, &name, &tuple, &put);
		space = m_space_find(name);
		if (space < 0)
			return ERROR_NO_SPACE;
		*kinds |= m_space(space)->is_volatile ? 2 : 1;
	}
	return *kinds == 3 ? ERROR_MIXED : 0;
}

/* Whether there can be the spaces that its dead need. */
static int graves(const struct named *k)
{
	int code = 0;

	for (unsigned i = k->back; i < k->count && code == 0; i++)
		if (!m_space(k->claims[i]->space)->dropped)
			m_space_dead(k->claims[i]->space, true, &code);
	return code;
}

/* Room is what there is when its claims have ended. */
static bool has_room(const struct named *k, const struct request *r, int conn)
{
	struct m_room room = {.count = 0};
	struct bytes name, tuple;
	struct message_put put;
	const uint8_t *p;

	for (uint64_t left = outs_of(r, &p); left > 0; left--) {
		p = message_out_read(p, &name, &tuple, &put);
		m_room_put(&room, m_space_find(name), tuple);
	}
	for (unsigned i = 0; i < k->count; i++)
		if (i < k->done || i >= k->back)
			m_room_gone(&room, k->claims[i]);
	if (m_room_judge(&room))
		expect_code_at(conn, r->n, room.batch, room.code);
	return room.code == 0;
}

static void end_claims(const struct named *k)
{
	for (unsigned i = 0; i < k->count; i++) {
		if (i < k->done)
			m_claim_done(k->claims[i]);
		else if (i < k->back || !m_claim_bury(k->claims[i]))
			m_claim_back(k->claims[i], false, k->delay[i]);
	}
	w.totals.committed += k->count;
}

void m_commit(int conn, int session, const struct request *r)
{
	struct bytes name, tuple;
	struct named k = {.count = 0};
	struct message_put put;
	struct buf b = BUF_INIT;
	const uint8_t *p;
	uint64_t outs = outs_of(r, &p);
	unsigned kinds;
	int code;

	name_all(&k, session, r);
	if (!named_well(&k, conn, r->n))
		return;
	code = touched(&k, r, &kinds);
	code = code ? code : graves(&k);
	if (code) {
		expect_code(conn, r->n, code);
		return;
	}
	if (!has_room(&k, r, conn))
		return;
	end_claims(&k);
	item_put_head(&b, ITEM_ARRAY, outs);
	for (; outs > 0; outs--) {
		p = message_out_read(p, &name, &tuple, &put);
		item_put_uint(&b, m_tuple_put(session, m_space_find(name), tuple, &put));
	}
	if (kinds)
		m_outcome_result(conn, session, r->n, kinds & 1, &b);
	else
		expect_result(conn, r->n, 0, &b);
}

void m_commit_renew(int conn, int session, const struct request *r)
{
	struct named k = {.count = 0};
	struct buf b = BUF_INIT;

	name_claims(&k, session, r->value.p, false);
	if (!named_well(&k, conn, r->n))
		return;
	item_put_head(&b, ITEM_ARRAY, k.count);
	for (unsigned i = 0; i < k.count; i++) {
		if (k.claims[i]->over < w.now.lease + r->number)
			m_claim_lease(k.claims[i], r->number);
		item_put_uint(&b, k.claims[i]->over - w.now.lease);
	}
	expect_result(conn, r->n, 0, &b);
}
