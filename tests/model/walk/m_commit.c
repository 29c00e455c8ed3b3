/* commit and renew. */
#include "world.h"

/* What is named by a list of tokens, or of [token, delay]. */
struct named {
	struct m_tuple *claims[8];
	uint64_t stale[8];
	unsigned count, stales;
	bool twice;
};

static void name_claims(struct named *k, int session, const uint8_t *p, bool pairs)
{
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
		k->claims[k->count++] = t;
	}
	CHECK(k->count + k->stales <= 8);
}

/* Whether they are right; else the error is expected. */
static bool named_well(const struct named *k, int conn, uint64_t n)
{
	w.totals.stale += k->stales > 0;
	if (k->stales)
		expect_stale(conn, n, k->stale, k->stales);
	else if (k->twice)
		expect_code(conn, n, ERROR_REQUEST);
	return !k->stales && !k->twice;
}

void m_commit(int conn, int session, const struct request *r)
{
	const uint8_t *outs = request_has(r, OPTION_OUTS) ? r->option[OPTION_OUTS].s.p : NULL, *p;
	struct item_head h = {.arg = 0}, out;
	struct named k = {.count = 0};
	bool seen[2] = {false, false};
	struct buf b = BUF_INIT;
	unsigned done;

	if (request_has(r, OPTION_DONE))
		name_claims(&k, session, r->option[OPTION_DONE].s.p, false);
	done = k.count;
	if (request_has(r, OPTION_BACK))
		name_claims(&k, session, r->option[OPTION_BACK].s.p, true);
	if (!named_well(&k, conn, r->n))
		return;
	for (unsigned i = 0; i < k.count; i++)
		seen[k.claims[i]->space] = true;
	outs = outs ? item_head(outs, &h) : NULL;
	p = outs;
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p))
		seen[m_space_at(item_head(p, &out))] = true;
	if (seen[0] && seen[1]) {
		expect_code(conn, r->n, ERROR_MIXED);
		return;
	}
	for (unsigned i = 0; i < k.count; i++)
		(i < done ? m_claim_done : m_claim_back)(k.claims[i]);
	item_put_uint(&b, 0);
	item_put_head(&b, ITEM_ARRAY, h.arg);
	p = outs;
	for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p)) {
		const uint8_t *name = item_head(p, &out);

		item_put_uint(&b, m_tuple_put(m_space_at(name), item_bytes(item_skip(name))));
	}
	if (session < SESSIONS && (seen[0] || seen[1])) {
		struct m_outcome *o = m_outcome_new(session, r->n, seen[0] ? 0 : 1, false);

		CHECK(b.len - 1 <= sizeof o->result);
		memcpy(o->result, b.data + 1, b.len - 1);
		o->len = (uint8_t)(b.len - 1);
	}
	w.totals.committed += k.count;
	expect_item(conn, r->n, seen[0] ? w.open_batch : 0, &b);
}

void m_commit_renew(int conn, int session, const struct request *r)
{
	struct named k = {.count = 0};
	struct buf b = BUF_INIT;

	name_claims(&k, session, r->value.p, false);
	if (!named_well(&k, conn, r->n))
		return;
	item_put_uint(&b, 0);
	item_put_head(&b, ITEM_ARRAY, k.count);
	for (unsigned i = 0; i < k.count; i++) {
		if (k.claims[i]->over < w.now.lease + r->number)
			m_claim_lease(k.claims[i], r->number);
		item_put_uint(&b, k.claims[i]->over - w.now.lease);
	}
	expect_item(conn, r->n, 0, &b);
}
