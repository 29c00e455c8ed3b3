/* A batch of changes, reduced to what it means for the disk: one entry for each
 * tuple, session and space it touches. What appears and disappears within it is
 * gone; outcomes are grouped by session. Bytes are copied into one area. Filled by
 * the caller's thread, then read only by the writer's. Aborts when memory is out,
 * and when a change contradicts the ones before it: that is a bug of ours. */
#ifndef TILIA_JOURNAL_BATCH_H
#define TILIA_JOURNAL_BATCH_H

#include "../engine/engine.h"
#include "lookup.h"
#include "sum.h"

enum batch_fate {
	BATCH_NOTHING, /* put and deleted here: the disk never knew it */
	BATCH_PUT,     /* a new row */
	BATCH_STATE,   /* the row changes its state */
	BATCH_DELETE,  /* the row goes */
	BATCH_REPLACE, /* the row goes, and one of the same id comes */
};

/* Bytes in the batch's area. */
struct batch_span {
	size_t at, len;
};

struct batch_tuple {
	uint64_t id, space;
	struct batch_span body; /* PUT, REPLACE */
	struct sum_state state; /* PUT, REPLACE, STATE (its first six) */
	uint64_t sum;           /* PUT, REPLACE: sum_tuple() */
	enum batch_fate fate;
};

struct batch_space {
	uint64_t number;
	struct batch_span name, dead, shape;   /* set */
	uint64_t max_tuples, max_bytes;        /* set */
	uint32_t flags, tries;                 /* set */
	bool set, drop, end;    /* in this order */
	int64_t tuples;         /* how many more */
	uint64_t sums;          /* xor of the sum_tuple() of what came and went */
};

struct batch_session {
	uint64_t number, grace_ms;
	uint8_t id[ENGINE_SESSION_ID];
	struct batch_span may, principal;
	bool set, end;        /* in this order; ended: its outcomes go too */
	uint32_t first, last; /* its outcomes here, LOOKUP_NONE: none */
};

struct batch_outcome {
	uint64_t number;
	struct batch_span result;
	uint32_t next; /* of the same session, or LOOKUP_NONE */
};

/* Outcomes of an earlier batch that are acknowledged. */
struct batch_free {
	uint64_t session, batch;
};

struct batch {
	uint64_t number;
	uint64_t ceiling; /* 0: unchanged */
	size_t changes;   /* given to batch_add() */
	struct buf area;
	struct batch_tuple *tuples;
	struct batch_space *spaces;
	struct batch_session *sessions;
	struct batch_outcome *outcomes;
	struct batch_free *frees;
	uint32_t tuple_count, space_count, session_count, outcome_count, free_count;
	uint32_t tuple_cap, space_cap, session_cap, outcome_cap, free_cap;
	uint32_t last_space; /* the one last touched */
	struct lookup tuple_at, space_at, session_at;
};

void batch_init(struct batch *b, uint64_t number);
void batch_close(struct batch *b);

/* Empties it for the batch of that number. */
void batch_clear(struct batch *b, uint64_t number);

/* Takes one change; everything it points to is copied. */
void batch_add(struct batch *b, const struct change *c);

/* Whether nothing of it needs the disk. */
bool batch_empty(const struct batch *b);

/* Appends the session's outcomes to *out: a CBOR sequence of [number, result]. */
void batch_outcomes(const struct batch *b, const struct batch_session *s, struct buf *out);

static inline struct bytes batch_bytes(const struct batch *b, struct batch_span s)
{
	return (struct bytes){b->area.data + s.at, s.len};
}

#endif
