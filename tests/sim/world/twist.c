#include "twist.h"

#include "../../../libclient/item.h"
#include "../../../libclient/message.h"
#include "account.h"
#include "sim.h"

/* A claim that goes back. */
struct back {
	uint64_t token;
	bool moved; /* put again, at the end, instead */
	const char *space;
	struct bytes tuple;
};

enum { BACKS = 16 };

static unsigned read_backs(struct bytes list, struct back *back)
{
	struct item_head h;
	const uint8_t *p = item_head(list.p, &h);
	unsigned count = h.arg < BACKS ? (unsigned)h.arg : BACKS, moved = 0;
	uint64_t delay;

	for (unsigned i = 0; i < count; i++) {
		p = item_head(p, &h);
		message_number(p, &back[i].token);
		p = item_skip(p);
		message_number(p, &delay);
		p = item_skip(p);
		back[i].moved = delay == 0 && account_claimed(back[i].token, &back[i].space,
		                                              &back[i].tuple);
		moved += back[i].moved;
	}
	return moved == h.arg ? moved : 0;
}

static void put_list(struct buf *b, const struct request *r, enum message_option o, uint64_t more)
{
	struct bytes list = request_has(r, o) ? r->option[o].s : (struct bytes){NULL, 0};
	struct item_head h = {.arg = 0};
	const uint8_t *p = list.n ? item_head(list.p, &h) : NULL;

	item_put_text(b, message_option_rows[o].name);
	item_put_head(b, ITEM_ARRAY, h.arg + more);
	if (p)
		buf_append(b, p, list.n - (size_t)(p - list.p));
}

static void put_commit(struct buf *b, const struct request *r, const struct back *back,
                       unsigned moved)
{
	item_put_head(b, ITEM_ARRAY, 3);
	item_put_uint(b, r->n);
	item_put_text(b, "commit");
	item_put_head(b, ITEM_MAP, 3);
	put_list(b, r, OPTION_OUTS, moved);
	for (unsigned i = 0; i < BACKS; i++) {
		if (!back[i].moved)
			continue;
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_text(b, back[i].space);
		item_put_item(b, back[i].tuple);
	}
	put_list(b, r, OPTION_BURY, 0);
	put_list(b, r, OPTION_DONE, moved);
	for (unsigned i = 0; i < BACKS; i++)
		if (back[i].moved)
			item_put_uint(b, back[i].token);
}

/* Planted: what is given back in place is put again at the end of its line. */
struct bytes twist(struct bytes message, struct buf *twisted)
{
	struct buf scratch = BUF_INIT;
	struct back back[BACKS] = {{.token = 0}};
	struct message_error err;
	struct request r;
	unsigned moved = 0;

	if (sim.plant != PLANT_WRONG_PLACE)
		return message;
	if (message_decode(message, &scratch, &r, &err) == 0 && r.op == MESSAGE_COMMIT &&
	    request_has(&r, OPTION_BACK) && sim_planted(PLANT_WRONG_PLACE, 2))
		moved = read_backs(r.option[OPTION_BACK].s, back);
	if (moved)
		put_commit(twisted, &r, back, moved);
	buf_close(&scratch);
	return moved ? buf_bytes(twisted) : message;
}
