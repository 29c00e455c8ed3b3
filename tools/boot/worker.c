#include "crew.h"
#include "must.h"
#include "../../libclient/error.h"
#include "../../libclient/frame.h"

#include <stdio.h>

#define GRANT (TRUNK_WINDOW / 4) /* credit is given back in such steps */

void worker_name(const struct worker *w, char *out, size_t size)
{
	const struct site *s = w->site;
	const char *name = place_name(s->place);
	bool alone = s->count == 1;

	for (unsigned i = 0; i < s->run->count && alone; i++)
		alone = &s->run->sites[i] == s ||
		        strcmp(place_name(s->run->sites[i].place), name) != 0;
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

static void grant_ops(struct worker *w)
{
	if (w->op_owed < GRANT || !far_is_open(w->site->far) ||
	    (w->uplink != NULL && uplink_is_full(w->uplink)))
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
		launcher_say(r, "%s: the server is lost: %s%s%s", name, error_text(code),
		             *text ? ": " : "", text);
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
	launcher_check_done(w->site->run);
}

static const struct uplink_events uplink_events = {on_reply, on_lost, on_moved, on_uplink_ended};

void worker_take_op(struct worker *w, struct bytes piece)
{
	struct bytes message;
	size_t used, at = 0;
	int e = 0;

	buf_append(&w->in, piece.p, piece.n);
	must(&w->in);
	while (!w->cut &&
	       (e = frame_next((struct bytes){w->in.data + at, w->in.len - at}, FRAME_MAX,
	                                  &message, &used)) == 1) {
		e = w->uplink != NULL ? uplink_pass(w->uplink, message) : 0;
		if (e != 0)
			break;
		at += used;
	}
	if (e < 0) {
		char name[256];

		worker_name(w, name, sizeof name);
		launcher_say(w->site->run, "%s: what it sent is not a request; it is cut off",
		             name);
		cut_off(w);
	}
	if (w->cut)
		at = w->in.len;
	buf_shift(&w->in, at);
	w->op_owed += piece.n;
	grant_ops(w);
}

/* --- begin and end --------------------------------------------------------- */

void worker_equip(struct worker *w)
{
	struct run *r = w->site->run;
	int colour = (int)(w->site - r->sites);
	char name[256], client[300];

	worker_name(w, name, sizeof name);
	console_attach(r->out, &w->out, r->workers > 1 ? name : NULL,
	               launcher_is_coloured(1) ? colour : -1, text_taken, w);
	console_attach(r->err, &w->err, r->workers > 1 ? name : NULL,
	               launcher_is_coloured(2) ? colour : -1, text_taken, w);
	snprintf(client, sizeof client, "run %s %s", r->id, name);
	r->uplinks++;
	w->uplink = uplink_create(&r->loop, r->o->addresses, r->o->may, client, &uplink_events, w);
}

void worker_ended(struct worker *w, int status)
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
		launcher_say(r, "%s: ended by signal %d (%s)", name, -status, strsignal(-status));
	else if (status > 0)
		launcher_say(r, "%s: exit status %d", name, status);
	if (s->running == 0)
		far_stop(s->far);
}

unsigned worker_status(const struct worker *w)
{
	if (w->status == STATUS_LOST)
		return w->site->failed ? LAUNCHER_BOOTSTRAP : LAUNCHER_SOME;
	return w->status < 0 ? 128 - (unsigned)w->status : (unsigned)w->status;
}
