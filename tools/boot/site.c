#include "crew.h"
#include "must.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/item.h"
#include "../../libclient/utf8.h"

#include <stdio.h>

#define IMPORT_PIECE (1 << 20) /* bytes of a frame of an answer */

/* --- what a place says ----------------------------------------------------- */

static void answer(struct site *s, enum trunk_kind kind, struct bytes name, const struct buf *data,
                   bool found)
{
	struct buf b = BUF_INIT;
	size_t at = 0;

	do {
		size_t n = data->len - at < IMPORT_PIECE ? data->len - at : IMPORT_PIECE;

		buf_clear(&b, 2 * IMPORT_PIECE);
		item_put_head(&b, ITEM_ARRAY, 3);
		item_put_text_n(&b, name);
		item_put_bytes(&b, (struct bytes){data->data + at, n});
		at += n;
		if (found)
			item_put_bool(&b, at == data->len);
		else
			item_put_null(&b);
		must(&b);
		trunk_send(far_trunk(s->far), 0, kind, buf_bytes(&b));
	} while (at < data->len);
	buf_close(&b);
	far_flush(s->far);
}

static void take_question(struct site *s, const struct trunk_frame *f)
{
	struct buf data = BUF_INIT;
	struct bytes name = item_string(f->bytes.p);
	bool found = true;

	if (f->kind == TRUNK_IMPORT)
		roots_import(s->run->o->roots, name, &data);
	else
		found = roots_file(s->run->o->roots, name, &data) == 0;
	answer(s, f->kind, name, &data, found);
	buf_close(&data);
}

static void take_exit(struct worker *w, const struct trunk_frame *f)
{
	struct item_head h;

	item_head(f->bytes.p, &h);
	if (h.major == ITEM_UINT && h.arg < 256)
		worker_ended(w, (int)h.arg);
	else if (h.major == ITEM_NINT && h.arg < 127)
		worker_ended(w, -1 - (int)h.arg);
}

static void on_frame(void *ctx, const struct trunk_frame *f)
{
	struct site *s = ctx;
	struct worker *w = f->channel > 0 ? &s->workers[f->channel - 1] : NULL;
	bool alive = w != NULL && w->status == STATUS_NONE;

	s->opened = true;
	if (f->kind == TRUNK_IMPORT || f->kind == TRUNK_FILE)
		take_question(s, f);
	else if (f->kind == TRUNK_LOG)
		launcher_say(s->run, "%s: %.*s", place_name(s->place),
		             (int)item_string(f->bytes.p).n,
		    (const char *)item_string(f->bytes.p).p);
	else if (alive && f->kind == TRUNK_OP)
		worker_take_op(w, f->bytes);
	else if (alive && (f->kind == TRUNK_OUT || f->kind == TRUNK_ERR))
		console_put(f->kind == TRUNK_OUT ? &w->out : &w->err, f->bytes);
	else if (alive && f->kind == TRUNK_EXIT)
		take_exit(w, f);
}

static bool on_text(void *ctx, struct bytes text)
{
	struct site *s = ctx;

	s->text_waits += text.n;
	console_put(&s->text, text);
	return s->text_waits <= TRUNK_WINDOW;
}

static void on_far_moved(void *ctx)
{
	struct site *s = ctx;
	struct trunk *t = far_trunk(s->far);

	for (unsigned i = 0; i < s->count; i++)
		if (s->workers[i].uplink != NULL && trunk_queued(t, i + 1) < UPLINK_FULL / 2)
			uplink_pause(s->workers[i].uplink, false);
}

static void site_text_taken(void *ctx, size_t n)
{
	struct site *s = ctx;

	s->text_waits -= n;
	if (s->text_waits <= TRUNK_WINDOW / 2)
		far_read_text(s->far);
}

static void on_ended(void *ctx, const char *why)
{
	struct site *s = ctx;
	struct run *r = s->run;

	if (why != NULL && !r->leaving)
		launcher_say(r, "%s", why);
	s->failed = why != NULL && !s->opened;
	s->ended = true;
	for (unsigned i = 0; i < s->count; i++)
		worker_ended(&s->workers[i], STATUS_LOST);
	launcher_check_done(r);
}

static void on_started(void *ctx)
{
	struct site *s = ctx;

	launcher_start_sites(s->run);
}

static const struct far_events far_events = {on_frame, on_text, on_far_moved, on_started, on_ended};

/* --- the start ------------------------------------------------------------- */

/* An argument: text, or bytes where it is not UTF-8. */
static void put_word(struct buf *b, const char *s)
{
	struct bytes word = bytes_of(s);

	if (utf8_valid(word))
		item_put_text_n(b, word);
	else
		item_put_bytes(b, word);
}

static void put_env(struct buf *b, const struct launcher_options *o)
{
	item_put_head(b, ITEM_MAP, o->envc);
	for (unsigned i = 0; i < o->envc; i++) {
		const char *equals = strchr(o->env[i], '=');

		item_put_text_n(b, (struct bytes){(uint8_t *)o->env[i],
		                                  (size_t)(equals - o->env[i])});
		item_put_text(b, equals + 1);
	}
}

/* ["start", {...}] */
static void make_start(struct site *s)
{
	const struct launcher_options *o = s->run->o;
	struct buf *b = &s->start;

	item_put_head(b, ITEM_ARRAY, 2);
	item_put_text(b, "start");
	item_put_head(b, ITEM_MAP, 12);
	item_put_text(b, "script");
	put_word(b, o->script);
	item_put_text(b, "source");
	item_put_bytes(b, o->source);
	item_put_text(b, "argv");
	item_put_head(b, ITEM_ARRAY, o->argc);
	for (unsigned i = 0; i < o->argc; i++)
		put_word(b, o->argv[i]);
	item_put_text(b, "env");
	put_env(b, o);
	item_put_text(b, "ranks");
	item_put_head(b, ITEM_ARRAY, s->count);
	for (unsigned i = 0; i < s->count; i++)
		item_put_uint(b, s->workers[i].rank);
	item_put_text(b, "size");
	item_put_uint(b, s->run->workers);
	item_put_text(b, "host");
	put_word(b, place_name(s->place));
	item_put_text(b, "place");
	put_word(b, s->place->spec);
	item_put_text(b, "run");
	item_put_text(b, s->run->id);
	item_put_text(b, "roots");
	item_put_head(b, ITEM_ARRAY, o->roots->count);
	for (size_t i = 0; i < o->roots->count; i++)
		put_word(b, o->roots->at[i]);
	item_put_text(b, "first");
	roots_names(o->roots, false, b);
	item_put_text(b, "last");
	roots_names(o->roots, true, b);
	must(b);
}

static void worker_init(struct worker *w, struct site *s, unsigned index, unsigned rank)
{
	w->site = s;
	w->channel = index + 1;
	w->rank = rank;
	w->status = STATUS_NONE;
}

unsigned site_init(struct site *s, struct run *r, const struct place *p, unsigned rank)
{
	s->run = r;
	s->place = p;
	s->count = s->running = p->slots;
	s->starting = true;
	snprintf(s->id, sizeof s->id, "%s.%u", r->id, (unsigned)(s - r->sites));
	s->workers = xcalloc(s->count, sizeof *s->workers);
	for (unsigned i = 0; i < s->count; i++)
		worker_init(&s->workers[i], s, i, rank++);
	return rank;
}

void site_equip(struct site *s)
{
	struct run *r = s->run;
	struct far_options o = {s->place, s->id, {NULL, 0}, r->o->patience_ms};

	make_start(s);
	o.start = buf_bytes(&s->start);
	s->far = far_create(&r->loop, &o, &far_events, s);
	console_attach(r->err, &s->text, place_name(s->place),
	               launcher_is_coloured(2) ? (int)(s - r->sites) : -1, site_text_taken, s);
	for (unsigned i = 0; i < s->count; i++)
		worker_equip(&s->workers[i]);
}

void site_close(struct site *s)
{
	far_destroy(s->far);
	buf_close(&s->start);
}

const char *site_door(const struct site *s)
{
	return s->place->hops > 0 ? s->place->hop[0].host : "";
}
