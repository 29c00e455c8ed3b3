#include "far.h"

#include "payload.h"
#include "stage.h"
#include "../../libclient/base/xmalloc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define FIRST_PATIENCE_MS 5000
#define STOP_MS 2000
#define TRIES 5        /* of a refused handshake */
#define SAID 4096      /* bytes kept of stderr before the start */
#define SHOWN 200      /* and shown */

enum far_state {
	FAR_NEW,
	FAR_MARK,    /* waits for the mark */
	FAR_HELLO,   /* the mark came, the payload is there */
	FAR_OPEN,
	FAR_AGAIN,   /* being ended, to be started once more */
	FAR_STOPPED, /* far_stop() */
	FAR_BROKEN,  /* why is filled */
	FAR_ENDED,
};

struct far {
	uv_loop_t *loop;
	struct far_options o;
	const struct far_events *events;
	void *ctx;
	enum far_state state;
	bool waiting;     /* the payload goes after the mark */
	bool told_start;
	bool payload_sent;
	unsigned tries;   /* handshakes */
	struct trunk *trunk;
	uv_process_t process;
	uv_pipe_t in, out, err;
	uv_timer_t timer;
	uv_write_t write;
	bool writing, shut;
	bool held;        /* reading waits until what was asked of us is written */
	unsigned handles; /* not yet closed */
	bool exited;
	int64_t status;
	int signal;
	struct buf said;  /* stderr before the start */
	char why[FAR_WHY];
	char input[65536], errors[8192];
};

static void spawn(struct far *f);
static void take_frames(struct far *f);
static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *b);
static void on_out(uv_stream_t *s, ssize_t n, const uv_buf_t *b);

/* --- what went wrong ------------------------------------------------------- */

/* The last SHOWN bytes of what the far side said, on one line, without control
 * characters. */
static void last_words(struct far *f, char *out, size_t size)
{
	struct bytes noise = trunk_noise(f->trunk), err = buf_bytes(&f->said);
	struct bytes b = err.n > 0 ? err : noise;
	size_t n = 0;

	while (b.n > 0 && b.p[b.n - 1] <= ' ')
		b.n--;
	if (b.n > SHOWN) {
		b.p += b.n - SHOWN;
		b.n = SHOWN;
	}
	for (size_t i = 0; i < b.n && n + 3 < size; i++) {
		if (b.p[i] == '\n') {
			out[n++] = ';';
			out[n++] = ' ';
		} else if (b.p[i] >= ' ' && b.p[i] != 127)
			out[n++] = (char)b.p[i];
	}
	out[n] = '\0';
}

static bool said(const struct far *f, const char *text)
{
	return f->said.len > 0 && memmem(f->said.data, f->said.len, text, strlen(text)) != NULL;
}

static void explain(struct far *f)
{
	const char *name = place_name(f->o.place);
	bool remote = f->o.place->hops > 0;
	char words[SHOWN * 2 + 8];

	last_words(f, words, sizeof words);
	if (f->state == FAR_HELLO && f->status == STAGE_DAMAGED)
		snprintf(f->why, sizeof f->why,
		         "%s: what was sent arrived damaged; a start-up file "
		         "there may read its stdin%s%s", name, *words ? "; it said: " : "", words);
	else if (f->status == STAGE_NONE)
		snprintf(f->why, sizeof f->why, "%s: no Python there; install python3, or name one "
		         "with ,python=/path/to/python3", name);
	else if (f->status == STAGE_OLD)
		snprintf(f->why, sizeof f->why,
		         "%s: only too old a Python there (3.6 or later is needed): %s",
		         name, words);
	else if (remote && f->status == 255)
		snprintf(f->why, sizeof f->why, "%s: ssh failed: %s", name,
		         *words ? words : "it said nothing; try ssh -v");
	else if (remote && f->status == 127 && f->state == FAR_MARK && said(f, "ssh: not found"))
		snprintf(f->why, sizeof f->why, "%s: there is no ssh on this host", name);
	else if (f->signal != 0)
		snprintf(f->why, sizeof f->why, "%s: ended by signal %d%s%s", name, f->signal,
		         *words ? "; it said: " : "", words);
	else
		snprintf(f->why, sizeof f->why, "%s: ended with status %d%s%s%s", name,
		         (int)f->status,
		         f->state == FAR_OPEN ? " while workers ran" : " before it was ready",
		         *words ? "; it said last: " : "", words);
}

/* --- the process ----------------------------------------------------------- */

static void timer_closed(uv_handle_t *h)
{
	struct far *f = h->data;

	trunk_destroy(f->trunk);
	buf_close(&f->said);
	xfree(f);
}

void far_destroy(struct far *f)
{
	if (f != NULL)
		uv_close((uv_handle_t *)&f->timer, timer_closed);
}

static void tell_started(struct far *f)
{
	if (!f->told_start) {
		f->told_start = true;
		f->events->started(f->ctx);
	}
}

static void on_again(uv_timer_t *t)
{
	spawn(t->data);
}

/* A server that refuses because too many knock at once (sshd's MaxStartups). */
static bool is_crowded(const struct far *f)
{
	return f->state == FAR_MARK && f->status == 255 && f->tries < TRIES &&
	       (said(f, "kex_exchange_identification") || said(f, "Connection reset by peer"));
}

static void finished(struct far *f)
{
	uv_timer_stop(&f->timer);
	if (f->state == FAR_MARK && is_crowded(f)) {
		uint16_t jitter = 0;

		(void)!getrandom(&jitter, sizeof jitter, 0);
		f->tries++;
		uv_timer_start(&f->timer, on_again, 100 * f->tries + jitter % 400, 0);
		return;
	}
	if (f->state == FAR_HELLO && f->status == STAGE_DAMAGED && !f->waiting)
		f->state = FAR_AGAIN;
	if (f->state == FAR_AGAIN) {
		f->waiting = true;
		spawn(f);
		return;
	}
	if (f->state != FAR_STOPPED && f->state != FAR_BROKEN)
		explain(f);
	f->state = FAR_ENDED;
	tell_started(f);
	f->events->ended(f->ctx, f->why[0] != '\0' ? f->why : NULL);
}

static void handle_closed(uv_handle_t *h)
{
	struct far *f = h->data;

	if (--f->handles == 0)
		finished(f);
}

static void close_handle(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, handle_closed);
}

/* The process is gone and its output read: or it must go now. */
static void close_all(struct far *f)
{
	if (!f->exited)
		uv_process_kill(&f->process, SIGKILL);
	close_handle((uv_handle_t *)&f->in);
	close_handle((uv_handle_t *)&f->out);
	close_handle((uv_handle_t *)&f->err);
	if (f->exited)
		close_handle((uv_handle_t *)&f->process);
}

static void on_exit_late(uv_timer_t *t)
{
	close_all(t->data);
}

static void on_exit_status(uv_process_t *p, int64_t status, int sig)
{
	struct far *f = p->data;

	f->exited = true;
	f->status = status;
	f->signal = sig;
	close_handle((uv_handle_t *)p);
	/* What it said last is still in the pipes; who inherited them does not count. */
	uv_timer_start(&f->timer, on_exit_late, 200, 0);
}

static void far_break(struct far *f, enum far_state state)
{
	f->state = state;
	close_all(f);
}

/* --- writing --------------------------------------------------------------- */

static void on_written(uv_write_t *w, int status)
{
	struct far *f = w->data;

	f->writing = false;
	if (f->payload_sent)
		trunk_written(f->trunk);
	else
		f->payload_sent = true;
	if (status != 0 || f->exited)
		return;
	if (f->held && !uv_is_closing((uv_handle_t *)&f->out)) {
		f->held = false;
		uv_read_start((uv_stream_t *)&f->out, on_alloc, on_out);
		take_frames(f);
	}
	far_flush(f);
	f->events->moved(f->ctx);
}

static void write_bytes(struct far *f, struct bytes b)
{
	uv_buf_t buf = uv_buf_init((char *)b.p, (unsigned)b.n);

	f->write.data = f;
	if (uv_write(&f->write, (uv_stream_t *)&f->in, &buf, 1, on_written) == 0)
		f->writing = true;
}

void far_flush(struct far *f)
{
	struct bytes b;

	if (f->writing || f->shut ||
	    (f->state != FAR_MARK && f->state != FAR_HELLO && f->state != FAR_OPEN) ||
	    uv_is_closing((uv_handle_t *)&f->in))
		return;
	if (!f->payload_sent) {
		if (!f->waiting || f->state != FAR_MARK)
			write_bytes(f, (struct bytes){payload_core.data, payload_core.size});
		return;
	}
	b = trunk_output(f->trunk);
	if (b.n > 0)
		write_bytes(f, b);
}

static void shut(uv_shutdown_t *s, int status)
{
	(void)status;
	xfree(s);
}

void far_stop(struct far *f)
{
	uv_shutdown_t *s;

	if (f->state == FAR_ENDED || f->state == FAR_STOPPED)
		return;
	if (f->state == FAR_NEW) {
		f->state = FAR_ENDED;
		tell_started(f);
		f->events->ended(f->ctx, NULL);
		return;
	}
	if (f->state != FAR_OPEN) {
		if (f->handles == 0) { /* between two tries */
			uv_timer_stop(&f->timer);
			f->state = FAR_STOPPED;
			finished(f);
			return;
		}
		far_break(f, FAR_STOPPED);
		return;
	}
	f->state = FAR_STOPPED;
	f->shut = true;
	s = xmalloc(sizeof *s);
	if (uv_shutdown(s, (uv_stream_t *)&f->in, shut) != 0)
		xfree(s);
	uv_timer_start(&f->timer, on_exit_late, STOP_MS, 0);
}

/* --- reading --------------------------------------------------------------- */

static void on_impatient(uv_timer_t *t)
{
	struct far *f = t->data;
	char words[SHOWN * 2 + 8];

	if (!f->waiting) {
		far_break(f, FAR_AGAIN);
		return;
	}
	last_words(f, words, sizeof words);
	snprintf(f->why, sizeof f->why,
	         "%s: no sign of life in %llu s; a start-up file there may wait for its "
	         "stdin%s%s", place_name(f->o.place), (unsigned long long)f->o.patience_ms / 1000,
	         *words ? "; it said last: " : "", words);
	far_break(f, FAR_BROKEN);
}

static void take_frames(struct far *f)
{
	struct trunk_frame frame;
	int e = 0;

	if (f->state == FAR_MARK && trunk_is_open(f->trunk)) {
		f->state = FAR_HELLO;
		far_flush(f);
	}
	while ((f->state == FAR_HELLO || f->state == FAR_OPEN) && !trunk_is_full(f->trunk) &&
	       (e = trunk_next(f->trunk, &frame)) == 1) {
		if (f->state == FAR_HELLO) {
			f->state = FAR_OPEN;
			uv_timer_stop(&f->timer);
			tell_started(f);
		}
		f->events->frame(f->ctx, &frame);
	}
	if (e < 0) {
		snprintf(f->why, sizeof f->why,
		         "%s: what came from there is not the trunk's protocol",
		         place_name(f->o.place));
		far_break(f, FAR_BROKEN);
	}
	f->held = trunk_is_full(f->trunk);
	if (f->held && !uv_is_closing((uv_handle_t *)&f->out))
		uv_read_stop((uv_stream_t *)&f->out);
	far_flush(f); /* credit may have come for what waits */
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *b)
{
	struct far *f = h->data;

	(void)want;
	if (h == (uv_handle_t *)&f->out)
		*b = uv_buf_init(f->input, sizeof f->input);
	else
		*b = uv_buf_init(f->errors, sizeof f->errors);
}

static void on_out(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct far *f = s->data;

	if (n > 0) {
		trunk_feed(f->trunk, b->base, (size_t)n);
		take_frames(f);
	} else if (n < 0) {
		close_handle((uv_handle_t *)&f->out);
		close_handle((uv_handle_t *)&f->in);
		if (!f->exited && f->state != FAR_STOPPED)
			uv_timer_start(&f->timer, on_exit_late, STOP_MS, 0);
	}
}

static void on_err(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct far *f = s->data;

	if (n < 0)
		close_handle((uv_handle_t *)s);
	else if (n > 0 && (f->state == FAR_OPEN || f->state == FAR_STOPPED)) {
		if (!f->events->text(f->ctx, (struct bytes){(uint8_t *)b->base, (size_t)n}))
			uv_read_stop(s);
	} else if (n > 0) {
		buf_append(&f->said, b->base, (size_t)n);
		if (f->said.len > SAID)
			buf_shift(&f->said, f->said.len - SAID / 2);
	}
}

void far_read_text(struct far *f)
{
	if (f->handles > 0 && !uv_is_closing((uv_handle_t *)&f->err))
		uv_read_start((uv_stream_t *)&f->err, on_alloc, on_err);
}

/* --- the start ------------------------------------------------------------- */

static void random_mark(char *mark)
{
	static const char letters[] = "abcdefghijkmnopqrstuvwxyz0123456";
	uint8_t bytes[STAGE_MARK];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		abort();
	for (int i = 0; i < STAGE_MARK; i++)
		mark[i] = letters[bytes[i] & 31];
	mark[STAGE_MARK] = '\0';
}

static void new_trunk(struct far *f, char *mark)
{
	char seen[STAGE_MARK + 1];

	random_mark(mark);
	for (int i = 0; i < STAGE_MARK; i++)
		seen[i] = mark[STAGE_MARK - 1 - i];
	seen[STAGE_MARK] = '\0';
	trunk_destroy(f->trunk);
	f->trunk = trunk_create(f->o.place->slots, seen);
	trunk_send(f->trunk, 0, TRUNK_CONTROL, f->o.start);
}

static void open_pipes(struct far *f, uv_stdio_container_t stdio[3])
{
	uv_pipe_t *pipe[3] = {&f->in, &f->out, &f->err};

	for (int i = 0; i < 3; i++) {
		uv_pipe_init(f->loop, pipe[i], 0);
		pipe[i]->data = f;
		stdio[i].flags = UV_CREATE_PIPE | (i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
		stdio[i].data.stream = (uv_stream_t *)pipe[i];
	}
	f->handles = 4;
}

/* Whether ssh may be asking for a passphrase: that takes as long as it takes. */
static bool may_be_asked(const struct far *f)
{
	int fd = f->o.place->hops > 0 ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void spawn(struct far *f)
{
	uv_stdio_container_t stdio[3];
	uv_process_options_t po = {0};
	struct buf command = BUF_INIT;
	char mark[STAGE_MARK + 1];
	uint64_t patience = f->o.patience_ms;
	int e;

	f->exited = f->payload_sent = f->writing = f->shut = f->held = false;
	f->status = f->signal = 0;
	f->state = FAR_MARK;
	buf_clear(&f->said, SAID);
	new_trunk(f, mark);
	stage_command(&command, f->o.id, mark, payload_core.size, payload_core.crc,
	              f->o.place->python);
	buf_byte(&command, 0);
	open_pipes(f, stdio);
	po.args = stage_argv(f->o.place, (char *)command.data);
	po.file = po.args[0];
	po.stdio = stdio;
	po.stdio_count = 3;
	po.exit_cb = on_exit_status;
	f->process.data = f;
	e = uv_spawn(f->loop, &f->process, &po);
	stage_argv_free(po.args);
	buf_close(&command);
	if (e != 0) {
		snprintf(f->why, sizeof f->why, "%s: cannot start a process: %s",
		         place_name(f->o.place),
		         uv_strerror(e));
		f->exited = true;
		far_break(f, FAR_BROKEN);
		return;
	}
	uv_read_start((uv_stream_t *)&f->out, on_alloc, on_out);
	uv_read_start((uv_stream_t *)&f->err, on_alloc, on_err);
	if (!f->waiting && patience > FIRST_PATIENCE_MS && !may_be_asked(f))
		patience = FIRST_PATIENCE_MS;
	uv_timer_start(&f->timer, on_impatient, patience, 0);
	far_flush(f);
}

struct far *far_create(uv_loop_t *loop, const struct far_options *o, const struct far_events *e,
                       void *ctx)
{
	struct far *f = xcalloc(1, sizeof *f);
	char mark[STAGE_MARK + 1];

	f->loop = loop;
	f->o = *o;
	f->events = e;
	f->ctx = ctx;
	uv_timer_init(loop, &f->timer);
	f->timer.data = f;
	new_trunk(f, mark);
	return f;
}

void far_start(struct far *f)
{
	spawn(f);
}

struct trunk *far_trunk(struct far *f)
{
	return f->trunk;
}

bool far_is_open(const struct far *f)
{
	return f->state == FAR_OPEN;
}
