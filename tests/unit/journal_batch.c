/* What a batch keeps of its changes. */
#include "../../server/journal/batch.h"
#include "../../server/journal/journal.h"
#include "../lib/harness.h"

static const uint8_t body[] = {0x82, 0x61, 'a', 0x01};
static const uint8_t other[] = {0x81, 0x02};

static void add(struct batch *b, enum change_kind kind, uint64_t id, struct bytes bytes)
{
	struct change c = {.kind = kind, .space = 7, .id = id, .bytes = bytes};

	batch_add(b, &c);
}

static void put(struct batch *b, uint64_t id)
{
	add(b, CHANGE_PUT, id, (struct bytes){body, sizeof body});
}

static void del(struct batch *b, uint64_t id)
{
	add(b, CHANGE_DELETE, id, (struct bytes){body, sizeof body});
}

static void state(struct batch *b, uint64_t id, uint64_t owner)
{
	struct change c = {.kind = CHANGE_STATE, .space = 7, .id = id, .session = owner};

	c.number = 9;
	c.tries = 3;
	batch_add(b, &c);
}

static void session(struct batch *b, enum change_kind kind, uint64_t number, uint64_t request,
                    uint64_t batch)
{
	struct change c = {.kind = kind, .session = number, .number = request, .batch = batch};

	if (kind == CHANGE_OUTCOME)
		c.bytes = (struct bytes){body, sizeof body};
	batch_add(b, &c);
}

TEST(put_and_delete_leave_nothing)
{
	struct batch b;

	batch_init(&b, 1);
	CHECK(batch_empty(&b));
	put(&b, 1);
	CHECK(!batch_empty(&b));
	del(&b, 1);
	CHECK(batch_empty(&b));
	CHECK_INT(b.spaces[0].tuples, 0);
	CHECK(b.spaces[0].sums == 0);
	CHECK_INT(b.changes, 2);
	batch_close(&b);
}

TEST(state_merges_into_put)
{
	struct batch b;

	batch_init(&b, 1);
	put(&b, 1);
	state(&b, 1, 5);
	CHECK_INT(b.tuple_count, 1);
	CHECK_INT(b.tuples[0].fate, BATCH_PUT);
	CHECK_INT(b.tuples[0].state.owner, 5);
	CHECK_INT(b.tuples[0].state.number, 9);
	CHECK_INT(b.tuples[0].state.tries, 3);
	CHECK(batch_bytes(&b, b.tuples[0].body).n == sizeof body);
	CHECK_INT(b.spaces[0].tuples, 1);
	CHECK(b.spaces[0].sums == b.tuples[0].sum);
	del(&b, 1);
	CHECK(batch_empty(&b));
	batch_close(&b);
}

TEST(state_then_delete_is_a_delete)
{
	struct batch b;

	batch_init(&b, 1);
	state(&b, 1, 5);
	CHECK_INT(b.tuples[0].fate, BATCH_STATE);
	state(&b, 1, 6);
	CHECK_INT(b.tuples[0].state.owner, 6);
	del(&b, 1);
	CHECK_INT(b.tuple_count, 1);
	CHECK_INT(b.tuples[0].fate, BATCH_DELETE);
	CHECK_INT(b.spaces[0].tuples, -1);
	batch_close(&b);
}

TEST(delete_then_put_of_the_same_id_replaces)
{
	struct batch b;

	batch_init(&b, 1);
	put(&b, 9); /* a greater id came first */
	del(&b, 1);
	CHECK_INT(b.tuples[1].fate, BATCH_DELETE);
	add(&b, CHANGE_PUT, 1, (struct bytes){other, sizeof other});
	CHECK_INT(b.tuples[1].fate, BATCH_REPLACE);
	CHECK_INT(batch_bytes(&b, b.tuples[1].body).n, sizeof other);
	state(&b, 1, 4);
	CHECK_INT(b.tuples[1].fate, BATCH_REPLACE);
	CHECK_INT(b.tuples[1].state.owner, 4);
	add(&b, CHANGE_DELETE, 1, (struct bytes){other, sizeof other});
	CHECK_INT(b.tuples[1].fate, BATCH_DELETE);
	CHECK_INT(b.tuple_count, 2);
	CHECK_INT(b.spaces[0].tuples, 0);
	batch_close(&b);
}

TEST(put_delete_put_is_a_put)
{
	struct batch b;

	batch_init(&b, 1);
	put(&b, 1);
	del(&b, 1);
	put(&b, 1);
	CHECK_INT(b.tuples[0].fate, BATCH_PUT);
	CHECK_INT(b.spaces[0].tuples, 1);
	CHECK(b.spaces[0].sums == b.tuples[0].sum);
	batch_close(&b);
}

TEST(outcomes_are_one_blob_a_session)
{
	static const uint8_t blob[] = {
		0x82, 0x01, 0x82, 0x61, 'a', 0x01,
		0x82, 0x18, 0xff, 0x82, 0x61, 'a', 0x01,
	};
	struct buf out = BUF_INIT;
	struct batch b;

	batch_init(&b, 4);
	session(&b, CHANGE_OUTCOME, 10, 1, 0);
	session(&b, CHANGE_OUTCOME, 11, 1, 0);
	session(&b, CHANGE_OUTCOME, 10, 255, 0);
	CHECK_INT(b.session_count, 2);
	batch_outcomes(&b, &b.sessions[0], &out);
	CHECK(bytes_equal(buf_bytes(&out), (struct bytes){blob, sizeof blob}));
	buf_clear(&out, 0);
	batch_outcomes(&b, &b.sessions[1], &out);
	CHECK(bytes_equal(buf_bytes(&out), (struct bytes){blob, 6}));
	buf_close(&out);
	batch_close(&b);
}

TEST(outcomes_freed_in_their_batch_leave_nothing)
{
	struct batch b;

	batch_init(&b, 4);
	session(&b, CHANGE_OUTCOME, 10, 1, 0);
	session(&b, CHANGE_OUTCOME, 10, 2, 0);
	session(&b, CHANGE_OUTCOME_FREE, 10, 0, 4);
	CHECK(batch_empty(&b));
	session(&b, CHANGE_OUTCOME_FREE, 10, 0, 3);
	CHECK_INT(b.free_count, 1);
	CHECK(!batch_empty(&b));
	session(&b, CHANGE_OUTCOME, 10, 3, 0);
	CHECK_INT(b.outcomes[b.sessions[0].first].number, 3);
	CHECK_INT(b.outcomes[b.sessions[0].first].next, LOOKUP_NONE);
	batch_close(&b);
}

TEST(a_session_that_ends_takes_its_outcomes_along)
{
	struct batch b;

	batch_init(&b, 4);
	session(&b, CHANGE_SESSION, 10, 0, 0);
	session(&b, CHANGE_OUTCOME, 10, 1, 0);
	session(&b, CHANGE_SESSION_END, 10, 0, 0);
	CHECK(b.sessions[0].end);
	CHECK_INT(b.sessions[0].first, LOOKUP_NONE);
	batch_close(&b);
}

TEST(a_cleared_batch_remembers_nothing)
{
	struct change ceiling = {.kind = CHANGE_CEILING, .number = 1 << 20};
	struct batch b;

	batch_init(&b, 1);
	put(&b, 1);
	session(&b, CHANGE_OUTCOME, 10, 1, 0);
	batch_add(&b, &ceiling);
	batch_clear(&b, 2);
	CHECK(batch_empty(&b));
	CHECK_INT(b.changes, 0);
	CHECK_INT(b.number, 2);
	state(&b, 1, 5); /* the disk's row now, not the put of before */
	CHECK_INT(b.tuples[0].fate, BATCH_STATE);
	batch_close(&b);
}

TEST(a_full_batch_finds_every_id)
{
	struct batch b;

	batch_init(&b, 1);
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 1; i <= JOURNAL_BATCH_CHANGES; i++)
			put(&b, i * 4096);
		CHECK_INT(b.spaces[0].tuples, JOURNAL_BATCH_CHANGES);
		for (uint64_t i = JOURNAL_BATCH_CHANGES; i >= 1; i--)
			del(&b, i * 4096);
		CHECK(batch_empty(&b));
		batch_clear(&b, b.number + 1);
	}
	batch_close(&b);
}
