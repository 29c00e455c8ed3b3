/* Effects are collected here: frames go one after the other into fx->bytes. */
#include "state.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/frame.h"

#include <stdarg.h>

void effects_init(struct effects *fx)
{
	*fx = (struct effects){0};
	buf_init(&fx->bytes);
}

void effects_close(struct effects *fx)
{
	xfree(fx->list);
	buf_close(&fx->bytes);
	*fx = (struct effects){0};
}

static struct effect *effect_new(struct engine *e, enum effect_kind kind)
{
	struct effects *fx = e->fx;
	struct effect *f;

	if (fx->count == fx->cap) {
		fx->cap = fx->cap ? 2 * fx->cap : 64;
		fx->list = xrealloc(fx->list, fx->cap * sizeof *fx->list);
	}
	f = &fx->list[fx->count++];
	*f = (struct effect){.kind = kind};
	return f;
}

struct change *reply_change(struct engine *e, enum change_kind kind)
{
	struct effect *f = effect_new(e, EFFECT_CHANGE);

	f->change.kind = kind;
	return &f->change;
}

void reply_delete(struct engine *e, struct space *sp, const struct tuple *t)
{
	struct change *c = reply_change(e, CHANGE_DELETE);

	c->space = sp->number;
	c->id = t->id;
	c->bytes = tuple_bytes(t);
	space_touch(e, sp);
}

static struct buf *frame_open(struct engine *e, uint64_t n, unsigned items)
{
	struct buf *b = &e->fx->bytes;

	e->frame_at = b->len;
	e->frame_mark = frame_begin(b);
	item_put_head(b, ITEM_ARRAY, items);
	item_put_uint(b, n);
	return b;
}

static void frame_close(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, bool confirm)
{
	struct buf *b = &e->fx->bytes;
	struct effect *f;

	/* Who has the final reply to a take sent again, or to its cancel, acknowledges it:
	 * not before its undoing on an earlier connection is on disk. */
	if (c->session && c->session->undo_batch > batch)
		batch = c->session->undo_batch;
	frame_end(b, e->frame_mark);
	if (b->failed)
		xmalloc(SIZE_MAX); /* the server does not go on without memory */
	f = effect_new(e, EFFECT_REPLY);
	f->conn = c->number;
	f->number = n;
	f->batch = batch;
	f->confirm = confirm;
	f->at = e->frame_at;
	f->len = b->len - e->frame_at;
}

struct buf *reply_begin(struct engine *e, uint64_t n)
{
	struct buf *b = frame_open(e, n, 3);

	item_put_uint(b, 0);
	return b;
}

void reply_end(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, bool confirm)
{
	frame_close(e, c, n, batch, confirm);
}

void reply_event(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, const char *kind,
                 uint64_t cursor, const struct tuple *t)
{
	struct buf *b = frame_open(e, n, 3);

	item_put_uint(b, 1);
	item_put_head(b, ITEM_ARRAY, 4);
	item_put_text(b, kind);
	item_put_uint(b, cursor);
	item_put_uint(b, t ? t->id : 0);
	if (t)
		item_put_item(b, tuple_bytes(t));
	else
		item_put_null(b);
	frame_close(e, c, n, batch, false);
}

void reply_null(struct engine *e, struct conn *c, uint64_t n, uint64_t batch)
{
	item_put_null(reply_begin(e, n));
	reply_end(e, c, n, batch, false);
}

void reply_error(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, int code,
                 const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	struct buf *b = frame_open(e, n, 3);
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	item_put_int(b, code);
	item_put_text_n(b, buf_bytes(&text));
	buf_close(&text);
	frame_close(e, c, n, batch, false);
}

void reply_stale(struct engine *e, struct conn *c, const struct request *r, uint64_t batch,
                 const uint64_t *tokens, uint32_t count)
{
	struct buf *b = frame_open(e, r->n, 4);
	struct buf text = BUF_INIT;

	item_put_int(b, ERROR_CLAIM_OVER);
	if (count == 1)
		buf_printf(&text, "%s: the claim %llu is over", message_rows[r->op].name,
		           (unsigned long long)tokens[0]);
	else
		buf_printf(&text, "%s: %u claims are over", message_rows[r->op].name, count);
	item_put_text_n(b, buf_bytes(&text));
	buf_close(&text);
	item_put_head(b, ITEM_ARRAY, count);
	for (uint32_t i = 0; i < count; i++)
		item_put_uint(b, tokens[i]);
	frame_close(e, c, r->n, batch, false);
}

void reply_tuples(struct engine *e, struct conn *c, uint64_t n, uint64_t batch, bool confirm,
                  struct tuple *const *t, uint32_t count)
{
	struct buf *b = reply_begin(e, n);

	item_put_head(b, ITEM_ARRAY, count);
	for (uint32_t i = 0; i < count; i++) {
		item_put_head(b, ITEM_ARRAY, 2);
		item_put_uint(b, t[i]->id);
		item_put_item(b, tuple_bytes(t[i]));
		batch = engine_wait(e, t[i]->id, batch);
	}
	reply_end(e, c, n, batch, confirm);
}

void reply_claims(struct engine *e, struct conn *c, const struct outcome *o, uint64_t batch,
                  bool confirm)
{
	struct buf *b = reply_begin(e, o->n);

	item_put_head(b, ITEM_ARRAY, o->count);
	for (const struct list *it = o->claims.next; it != &o->claims; it = it->next) {
		const struct claim *claim = list_entry(it, struct claim, link);

		item_put_head(b, ITEM_ARRAY, 4);
		item_put_uint(b, claim->tuple->id);
		item_put_item(b, tuple_bytes(claim->tuple));
		item_put_uint(b, claim->token);
		item_put_uint(b, claim->tuple->tries);
		batch = engine_wait(e, claim->token, batch);
	}
	reply_end(e, c, o->n, batch, confirm);
}

void reply_close(struct engine *e, struct conn *c, bool discard)
{
	struct effect *f = effect_new(e, EFFECT_CLOSE);

	f->conn = c->number;
	f->discard = discard;
	c->leaving = true;
}

void reply_resume(struct engine *e, struct conn *c)
{
	effect_new(e, EFFECT_RESUME)->conn = c->number;
}
