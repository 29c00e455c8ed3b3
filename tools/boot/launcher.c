#include "launcher.h"

#include "far.h"
#include "must.h"
#include "uplink.h"
#include "console.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "../../libclient/utf8.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define STARTS 8               /* at once for one target or bastion */
#define GRANT (TRUNK_WINDOW / 4) /* credit is given back in such steps */
#define IMPORT_PIECE (1 << 20)

#define STATUS_NONE (-1000)    /* it has not ended */
#define STATUS_LOST (-1001)    /* its place has */

struct run;
struct site;

struct worker {
	struct site *site;
	unsigned channel, rank;
	struct uplink *uplink;     /* NULL: none (any more) */
	struct buf in;         /* its requests, the last not yet whole */
	size_t op_owed, text_owed; /* credit not yet given back */
	struct console_stream out, err;
	int status;
	bool cut;              /* its channel was closed */
};

/* A place in a run. */
struct site {
	struct run *run;
	const struct place *place;
	char id[32];
	struct buf start;
	struct far *far;
	struct worker *workers;
	unsigned count, running; /* workers; those not yet ended */
	struct console_stream text; /* stderr of the hub and of ssh */
	size_t text_waits;          /* bytes of it not yet written */
	bool starting, opened, ended; /* waits to be started; said hello; is no more */
	bool failed;                  /* it never said hello */
};

struct run {
	uv_loop_t loop;
	const struct launcher_options *o;
	struct console_sink *out, *err;
	struct site *sites;
	unsigned count, workers, uplinks;
	char id[17];
	uv_signal_t signals[4];
	unsigned interrupts; /* Ctrl-C so far */
	bool stopping;       /* TERM, HUP, or nobody reads us */
	bool leaving;
	int lost_code;       /* of the first session that was lost */
};

static void check_done(struct run *r);

/* --- words ----------------------------------------------------------------- */

static void say(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct run *r, const char *fmt, ...)
{
	char line[FAR_WHY + 128] = "tilia run: ";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + 11, sizeof line - 11, fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++) /* what the far side says moves no cursor */
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	console_say(r->err, line);
}

/* What a worker is called: the place, and its rank where that is not enough. */
static void worker_name(const struct worker *w, char *out, size_t size)
{
	const struct site *s = w->site;
	const char *name = place_name(s->place);
	bool alone = s->count == 1;

	for (unsigned i = 0; i < s->run->count && alone; i++)
		alone = &s->run->sites[i] == s || strcmp(place_name(s->run->sites[i].place), name) != 0;
	if (alone)
		snprintf(out, size, "%.200s", name);
	else
		snprintf(out, size, "%.200s %u", name, w->rank);
}

/* --- credit ---------------------------------------------------------------- */

static void text_taken(void *ctx, size_t n)
{
	struct worker *w = ctx;

	w->text_owed += n;
	if (w->text_owed >= GRANT && far_is_open(w->site->far)) {
		trunk_credit(far_trunk(w->site->far), w->channel, TRUNK_OUT, w->text_owed);
		w->text_owed = 0;
		far_flush(w->site->far);
	}
}

static void site_text_taken(void *ctx, size_t n)
{
	struct site *s = ctx;

	s->text_waits -= n;
	if (s->text_waits <= TRUNK_WINDOW / 2)
		far_read_text(s->far);
}

static void grant_ops(struct worker *w)
{
	if (w->op_owed < GRANT || !far_is_open(w->site->far) || (w->uplink != NULL && uplink_is_full(w->uplink)))
		return;
	trunk_credit(far_trunk(w->site->far), w->channel, TRUNK_OP, w->op_owed);
	w->op_owed = 0;
}

/* --- a worker's session ---------------------------------------------------- */

static void cut_off(struct worker *w)
{
	static const uint8_t close[] = {0x81, 0x65, 'c', 'l', 'o', 's', 'e'};

	if (w->cut || w->status != STATUS_NONE)
		return;
	w->cut = true;
	if (far_is_open(w->site->far)) {
		trunk_send(far_trunk(w->site->far), w->channel, TRUNK_CONTROL,
		           (struct bytes){close, sizeof close});
		far_flush(w->site->far);
	}
}

static void on_reply(void *ctx, struct bytes message)
{
	struct worker *w = ctx;
	struct trunk *t = far_trunk(w->site->far);
	struct buf head = BUF_INIT;

	if (w->status != STATUS_NONE)
		return;
	frame_put_head(&head, message.n);
	trunk_op(t, w->channel, buf_bytes(&head));
	trunk_op(t, w->channel, message);
	buf_close(&head);
	far_flush(w->site->far);
	if (trunk_queued(t, w->channel) > UPLINK_FULL)
		uplink_pause(w->uplink, true);
}

static void on_lost(void *ctx, int code, const char *text)
{
	struct worker *w = ctx;
	struct run *r = w->site->run;
	char name[256];

	if (w->status != STATUS_NONE || r->leaving)
		return;
	worker_name(w, name, sizeof name);
	if (r->lost_code == 0 || code != r->lost_code)
		say(r, "%s: the server is lost: %s%s%s", name, error_text(code), *text ? ": " : "", text);
	r->lost_code = code;
	cut_off(w);
}

static void on_moved(void *ctx)
{
	struct worker *w = ctx;

	grant_ops(w);
	far_flush(w->site->far);
}

static void on_uplink_ended(void *ctx)
{
	struct worker *w = ctx;

	uplink_destroy(w->uplink);
	w->uplink = NULL;
	w->site->run->uplinks--;
	check_done(w->site->run);
}

static const struct uplink_events uplink_events = {on_reply, on_lost, on_moved, on_uplink_ended};

/* Requests of a worker, cut anywhere. */
static void take_op(struct worker *w, struct bytes piece)
{
	struct bytes message;
	size_t used, at = 0;
	int e = 0;

	buf_append(&w->in, piece.p, piece.n);
	must(&w->in);
	while (!w->cut && (e = frame_next((struct bytes){w->in.data + at, w->in.len - at}, FRAME_MAX,
	                                  &message, &used)) == 1) {
		e = w->uplink != NULL ? uplink_pass(w->uplink, message) : 0;
		if (e != 0)
			break;
		at += used;
	}
	if (e < 0) {
		char name[256];

		worker_name(w, name, sizeof name);
		say(w->site->run, "%s: what it sent is not a request; it is cut off", name);
		cut_off(w);
	}
	if (w->cut)
		at = w->in.len;
	buf_shift(&w->in, at);
	w->op_owed += piece.n;
	grant_ops(w);
}

/* --- the end of workers and places ----------------------------------------- */

static void worker_ended(struct worker *w, int status)
{
	struct site *s = w->site;
	struct run *r = s->run;
	char name[256];

	if (w->status != STATUS_NONE)
		return;
	w->status = status;
	s->running--;
	console_end(&w->out);
	console_end(&w->err);
	buf_close(&w->in);
	if (w->uplink != NULL)
		uplink_end(w->uplink, status == 0);
	worker_name(w, name, sizeof name);
	if (status == STATUS_LOST || r->workers == 1)
		;
	else if (status < 0)
		say(r, "%s: ended by signal %d (%s)", name, -status, strsignal(-status));
	else if (status > 0)
		say(r, "%s: exit status %d", name, status);
	if (s->running == 0)
		far_stop(s->far);
}

static unsigned status_of(const struct worker *w)
{
	if (w->status == STATUS_LOST)
		return w->site->failed ? LAUNCHER_BOOTSTRAP : LAUNCHER_SOME;
	return w->status < 0 ? 128 - (unsigned)w->status : (unsigned)w->status;
}

/* One place: the first status that is not 0. Several: 5, or 6 when not one of
 * them began. */
static int run_status(const struct run *r)
{
	unsigned first = 0, failed_sites = 0;

	for (unsigned i = 0; i < r->count; i++) {
		failed_sites += r->sites[i].failed;
		for (unsigned k = 0; k < r->sites[i].count && first == 0; k++)
			first = status_of(&r->sites[i].workers[k]);
	}
	if (r->interrupts > 0)
		return LAUNCHER_INTERRUPTED;
	if (first == 0)
		return LAUNCHER_DONE;
	if (r->lost_code != 0)
		return r->lost_code == ERROR_CONNECT || r->lost_code == ERROR_CLOSED ? LAUNCHER_NO_SERVER : LAUNCHER_REFUSED;
	if (failed_sites == r->count)
		return LAUNCHER_BOOTSTRAP;
	return r->count > 1 ? LAUNCHER_SOME : (int)first;
}

static void check_done(struct run *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (!r->sites[i].ended)
			return;
	if (r->uplinks == 0)
		uv_stop(&r->loop);
}

static void on_ended(void *ctx, const char *why)
{
	struct site *s = ctx;
	struct run *r = s->run;

	if (why != NULL && !r->leaving)
		say(r, "%s", why);
	s->failed = why != NULL && !s->opened;
	s->ended = true;
	for (unsigned i = 0; i < s->count; i++)
		worker_ended(&s->workers[i], STATUS_LOST);
	check_done(r);
}

/* --- what a place says ----------------------------------------------------- */

static void answer(struct site *s, enum trunk_kind kind, struct bytes name, const struct buf *data, bool found)
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
		say(s->run, "%s: %.*s", place_name(s->place), (int)item_string(f->bytes.p).n,
		    (const char *)item_string(f->bytes.p).p);
	else if (alive && f->kind == TRUNK_OP)
		take_op(w, f->bytes);
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

/* --- the start ------------------------------------------------------------- */

/* What starts are counted by: the first host of the way. */
static const char *site_door(const struct site *s)
{
	return s->place->hops > 0 ? s->place->hop[0].host : "";
}

static void start_sites(struct run *r)
{
	for (unsigned i = 0; i < r->count && !r->stopping; i++) {
		struct site *s = &r->sites[i];
		unsigned busy = 0;

		if (!s->starting || s->ended)
			continue;
		for (unsigned k = 0; k < r->count; k++)
			busy += !r->sites[k].starting && !r->sites[k].ended && !far_is_open(r->sites[k].far) &&
			        strcmp(site_door(&r->sites[k]), site_door(s)) == 0;
		if (busy < STARTS) {
			s->starting = false;
			far_start(s->far);
		}
	}
}

static void on_started(void *ctx)
{
	struct site *s = ctx;

	start_sites(s->run);
}

static const struct far_events far_events = {on_frame, on_text, on_far_moved, on_started, on_ended};

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

		item_put_text_n(b, (struct bytes){(const uint8_t *)o->env[i], (size_t)(equals - o->env[i])});
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

static void make_worker(struct worker *w, struct site *s, unsigned index, unsigned rank)
{
	w->site = s;
	w->channel = index + 1;
	w->rank = rank;
	w->status = STATUS_NONE;
}

static bool is_coloured(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && (no == NULL || *no == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

/* Outputs and session of a worker, once all names are known. */
static void equip_worker(struct worker *w)
{
	struct run *r = w->site->run;
	int colour = (int)(w->site - r->sites);
	char name[256], client[300];

	worker_name(w, name, sizeof name);
	console_attach(r->out, &w->out, r->workers > 1 ? name : NULL, is_coloured(1) ? colour : -1, text_taken, w);
	console_attach(r->err, &w->err, r->workers > 1 ? name : NULL, is_coloured(2) ? colour : -1, text_taken, w);
	snprintf(client, sizeof client, "run %s %s", r->id, name);
	r->uplinks++;
	w->uplink = uplink_create(&r->loop, r->o->addresses, r->o->may, client, &uplink_events, w);
}

static void make_sites(struct run *r)
{
	const struct place_list *l = r->o->places;
	unsigned rank = 0;

	r->count = l->count;
	r->sites = xcalloc(l->count, sizeof *r->sites);
	for (unsigned i = 0; i < l->count; i++) {
		struct site *s = &r->sites[i];

		s->run = r;
		s->place = &l->at[i];
		s->count = s->running = s->place->slots;
		s->starting = true;
		snprintf(s->id, sizeof s->id, "%s.%u", r->id, i);
		s->workers = xcalloc(s->count, sizeof *s->workers);
		for (unsigned k = 0; k < s->count; k++)
			make_worker(&s->workers[k], s, k, rank++);
	}
	r->workers = rank;
	for (unsigned i = 0; i < r->count; i++) {
		struct site *s = &r->sites[i];
		struct far_options o = {s->place, s->id, {NULL, 0}, r->o->patience_ms};

		make_start(s);
		o.start = buf_bytes(&s->start);
		s->far = far_create(&r->loop, &o, &far_events, s);
		console_attach(r->err, &s->text, place_name(s->place), is_coloured(2) ? (int)i : -1,
		              site_text_taken, s);
		for (unsigned k = 0; k < s->count; k++)
			equip_worker(&s->workers[k]);
	}
}

/* --- signals --------------------------------------------------------------- */

static void signal_all(struct run *r, int sig)
{
	struct buf b = BUF_INIT;

	item_put_head(&b, ITEM_ARRAY, 2);
	item_put_text(&b, "signal");
	item_put_uint(&b, (uint64_t)sig);
	r->stopping = true;
	for (unsigned i = 0; i < r->count; i++) {
		struct site *s = &r->sites[i];

		if (far_is_open(s->far)) {
			trunk_send(far_trunk(s->far), 0, TRUNK_CONTROL, buf_bytes(&b));
			far_flush(s->far);
		} else
			far_stop(s->far);
	}
	buf_close(&b);
}

/* Closes all trunks: the guardians do the rest. */
static void leave(struct run *r)
{
	r->stopping = r->leaving = true;
	for (unsigned i = 0; i < r->count; i++)
		far_stop(r->sites[i].far);
}

static void on_interrupt(uv_signal_t *s, int sig)
{
	struct run *r = s->data;

	(void)sig;
	r->interrupts++;
	if (r->interrupts == 1) {
		signal_all(r, SIGINT);
		say(r, "interrupted; once more to terminate");
	} else if (r->interrupts == 2) {
		signal_all(r, SIGTERM);
		say(r, "terminating; once more to leave");
	} else
		leave(r);
}

static void on_terminate(uv_signal_t *s, int sig)
{
	struct run *r = s->data;

	(void)sig;
	r->interrupts++;
	leave(r);
}

/* Nobody reads our output: as a program of a shell's pipe, go. */
static void on_broken(void *ctx)
{
	leave(ctx);
}

static void catch(struct run *r, unsigned index, int sig, uv_signal_cb cb)
{
	uv_signal_init(&r->loop, &r->signals[index]);
	r->signals[index].data = r;
	uv_signal_start(&r->signals[index], cb, sig);
}

/* --- all of it ------------------------------------------------------------- */

static void random_id(char *id)
{
	uint8_t bytes[8];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		abort();
	for (int i = 0; i < 8; i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

/* Every place takes three descriptors and every worker one. */
static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* Lets the writers finish, unless the run is being left. */
static void drain(struct run *r)
{
	while (!r->leaving && (!console_is_idle(r->out) || !console_is_idle(r->err)))
		uv_run(&r->loop, UV_RUN_ONCE);
	if (!console_is_idle(r->out) || !console_is_idle(r->err))
		_exit(run_status(r)); /* a writer hangs on a terminal that stands still */
}

static void destroy(struct run *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		struct site *s = &r->sites[i];

		far_destroy(s->far);
		buf_close(&s->start);
	}
	for (unsigned i = 0; i < 4; i++)
		uv_close((uv_handle_t *)&r->signals[i], NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	console_destroy(r->out);
	console_destroy(r->err);
	for (unsigned i = 0; i < r->count; i++)
		xfree(r->sites[i].workers);
	xfree(r->sites);
	uv_loop_close(&r->loop);
}

int launcher_run(const struct launcher_options *o)
{
	struct run r = {.o = o};
	int status;

	if (uv_loop_init(&r.loop) != 0)
		return LAUNCHER_LOCAL;
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	random_id(r.id);
	r.out = console_create(&r.loop, 1, on_broken, &r);
	r.err = console_create(&r.loop, 2, on_broken, &r);
	catch(&r, 0, SIGINT, on_interrupt);
	catch(&r, 1, SIGTERM, on_terminate);
	catch(&r, 2, SIGHUP, on_terminate);
	catch(&r, 3, SIGQUIT, on_terminate);
	make_sites(&r);
	start_sites(&r);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	drain(&r);
	status = run_status(&r);
	destroy(&r);
	return status;
}
