/* bury and kick: a claim and a commit, some at a time. As many as match when it begins,
 * so that it ends even while others put. */
#include "space.h"
#include "tilia.h"

#include "../libclient/item.h"

#include <stdlib.h>

#define STEP_TUPLES 256            /* claimed at once */
#define STEP_BYTES ((size_t)4 << 20) /* and put again by one commit, about */
#define LEASE_MS 60000

struct step {
	uint64_t tokens[STEP_TUPLES];
	struct tilia_put outs[STEP_TUPLES];
	size_t count, bytes;
};

/* The space that the dead letters of `name` go to, in *dead, the caller's; as `space list` says
 * it. */
static int find_dead(struct space *space, struct buf *dead)
{
	struct item_head h;
	void *answer;
	size_t size;
	int code = tilia_space_list(space->link.t, &answer, &size);

	if (code != 0)
		return link_failed(&space->link, code, NULL);
	for (const uint8_t *p = item_head(answer, &h); h.arg > 0; h.arg--, p = item_skip(p)) {
		const uint8_t *name = space_value(p, "name"), *given = space_value(p, "dead");

		if (name && bytes_equal(item_string(name), bytes_of(space->name)) && given)
			buf_append(dead, item_string(given).p, item_string(given).n);
	}
	tilia_free(answer);
	if (dead->len == 0) {
		buf_text(dead, space->name);
		buf_text(dead, ".dead");
	}
	buf_byte(dead, 0);
	return 0;
}

/* Commits the step: its tuples are buried, or done and put into `to` again. */
static int commit(struct space *space, const struct step *s, const char *to)
{
	struct tilia_commit c = {0};
	int code;

	if (to) {
		c = (struct tilia_commit){.done = s->tokens, .done_count = s->count,
		                          .out = s->outs, .out_count = s->count};
	} else {
		c.bury = s->tokens;
		c.bury_count = s->count;
	}
	code = s->count ? tilia_commit(space->link.t, &c, NULL) : 0;
	return code == 0 ? 0 : link_failed(&space->link, code, NULL);
}

static int commit_all(struct space *space, const struct tilia_tuple *t, const char *to)
{
	struct step *s = calloc(1, sizeof *s);
	int status = 0;

	if (!s)
		return link_failed(&space->link, TILIA_E_NOMEM, NULL);
	for (; t && status == 0; t = tilia_tuple_next(t)) {
		struct tilia_put *put = &s->outs[s->count];

		*put = (struct tilia_put){.space = to};
		put->cbor = tilia_tuple_cbor(t, &put->size);
		s->tokens[s->count++] = tilia_tuple_token(t);
		s->bytes += put->size;
		if (s->bytes >= STEP_BYTES || !tilia_tuple_next(t)) {
			status = commit(space, s, to);
			s->count = s->bytes = 0;
		}
	}
	free(s);
	return status;
}

static size_t length(const struct tilia_tuple *t)
{
	size_t n = 0;

	for (; t; t = tilia_tuple_next(t))
		n++;
	return n;
}

/* Claims what matches in `from` and ends it by commits, and prints how many that were;
 * `to`: where it is put again. */
static int move(struct space *space, const char *from, const char *to)
{
	struct bytes template = buf_bytes(&space->fields.cbor);
	const struct tilia_op visible = {.space = from, .visible = true};
	struct tilia_op op = {.space = from, .timeout_ms = TILIA_NOWAIT, .lease_ms = LEASE_MS};
	struct tilia_tuple *found;
	uint64_t left = 0, moved = 0;
	int code = tilia_count_cbor(space->link.t, &visible, template.p, template.n, &left);
	int status = 0;

	left = left < space->most ? left : space->most;
	while (code == 0 && status == 0 && moved < left) {
		op.max = left - moved < STEP_TUPLES ? (uint32_t)(left - moved) : STEP_TUPLES;
		code = tilia_in_cbor(space->link.t, &op, template.p, template.n, &found);
		if (code != 0)
			break;
		status = commit_all(space, found, to);
		moved += length(found);
		tilia_tuple_free(found);
	}
	if (code != 0 && code != TILIA_NONE)
		return link_failed(&space->link, code, NULL);
	buf_printf(&space->output.text, "%llu\n", (unsigned long long)moved);
	return status ? status : output_write(&space->output);
}

int space_bury(struct space *space)
{
	return move(space, space->name, NULL);
}

int space_kick(struct space *space)
{
	struct buf dead = BUF_INIT;
	int status = find_dead(space, &dead);

	if (status == 0)
		status = move(space, (const char *)dead.data, space->name);
	buf_close(&dead);
	return status;
}
