#include "read.h"

#include "../../libclient/item.h"

#include <string.h>

bool read_session(struct store *s, struct change *c, uint64_t *sum)
{
	enum store_statement which = STORE_SESSIONS;
	struct bytes id = store_bytes(s, which, 1);

	*c = (struct change){.kind = CHANGE_SESSION, .session = store_number(s, which, 0)};
	c->principal = store_bytes(s, which, 2);
	c->bytes = store_bytes(s, which, 3);
	c->lease_ms = store_number(s, which, 4);
	*sum = sum_number(sum_begin("session"), c->session);
	*sum = sum_bytes(sum_bytes(sum_bytes(*sum, id), c->principal), c->bytes);
	*sum = sum_number(*sum, c->lease_ms);
	if (id.n != sizeof c->id16 || *sum != store_number(s, which, 5))
		return false;
	memcpy(c->id16, id.p, sizeof c->id16);
	return true;
}

bool read_tuple(struct store *s, struct change *c, uint64_t *body)
{
	enum store_statement which = STORE_TUPLES;
	struct sum_state state = {
		.owner = store_number(s, which, 3),   .number = store_number(s, which, 4),
		.token = store_number(s, which, 5),   .lease_ms = store_number(s, which, 6),
		.tries = store_number(s, which, 7),   .due_ms = store_number(s, which, 8),
		.expires_ms = store_number(s, which, 9), .bound = store_number(s, which, 10),
	};

	*c = (struct change){
		.kind = CHANGE_PUT,
		.id = store_number(s, which, 0),
		.space = store_number(s, which, 1),
		.bytes = store_bytes(s, which, 2),
		.session = state.owner,
		.number = state.number,
		.token = state.token,
		.lease_ms = state.lease_ms,
		.tries = (uint32_t)state.tries,
		.due_ms = state.due_ms,
		.expires_ms = state.expires_ms,
		.bound = state.bound,
	};
	*body = sum_tuple(c->space, c->id, c->bytes);
	return (*body ^ sum_of_state(&state)) == store_number(s, which, 11);
}

bool read_outcomes(struct store *s, struct change *c, uint64_t *sum)
{
	enum store_statement which = STORE_OUTCOMES;

	*c = (struct change){.kind = CHANGE_OUTCOME, .session = store_number(s, which, 0)};
	c->batch = store_number(s, which, 1);
	c->bytes = store_bytes(s, which, 2);
	*sum = sum_number(sum_number(sum_begin("outcome"), c->session), c->batch);
	*sum = sum_bytes(*sum, c->bytes);
	return *sum == store_number(s, which, 3);
}

bool read_outcome(struct bytes all, const uint8_t **at, struct change *c)
{
	const uint8_t *p = *at ? *at : all.p;
	struct item_head head;

	if (p >= all.p + all.n)
		return false;
	p = item_head(p, &head);
	p = item_head(p, &head);
	c->number = head.arg;
	c->bytes = item_bytes(p);
	*at = c->bytes.p + c->bytes.n;
	return true;
}
