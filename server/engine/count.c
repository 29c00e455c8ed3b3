/* count, and wait for a number. */
#include "state.h"

static bool is_answer(const struct request *r, uint64_t count)
{
	if (r->op == MESSAGE_COUNT)
		return true;
	return bytes_equal(r->verb, bytes_of("eq")) ? count == 0 : count >= r->number;
}

static void answer(struct engine *e, struct conn *c, uint64_t n, const struct space *s,
                   uint64_t count)
{
	item_put_uint(reply_begin(e, n), count);
	reply_end(e, c, n, s->last_batch, false);
}

static void stand(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                  struct template *t, uint64_t count)
{
	const char *why;

	if (request_has(r, OPTION_TIMEOUT) && r->option[OPTION_TIMEOUT].u == 0)
		reply_null(e, c, r->n, s->last_batch);
	else if (waiter_create(e, c, r, s, t, count, &why))
		reply_error(e, c, r->n, 0, ERROR_LIMIT, "wait: %s", why);
}

int count_run(struct engine *e, struct conn *c, const struct event *ev)
{
	const struct request *r = ev->request;
	struct space *s = request_space(e, c, r);
	struct template t;
	struct search_want want = {
		.space = s, .template = &t, .counting = true, .hidden = !request_visible(r),
	};
	uint64_t count;
	int code;

	if (!s)
		return 0;
	template_open(&t, r->value);
	code = search_run(e, &c->seeker, &want, NULL, &count);
	if (code == 0 && is_answer(r, count))
		answer(e, c, r->n, s, count);
	else if (code == 0)
		stand(e, c, r, s, &t, count);
	template_close(&t);
	return code;
}

void count_reenter(struct engine *e, struct waiter *w)
{
	struct template t;
	struct search_want want = {
		.space = w->space, .template = &t, .counting = true, .hidden = !w->visible,
	};
	uint64_t count;
	int code;

	waiter_template(w, &t);
	code = search_run(e, NULL, &want, NULL, &count);
	template_close(&t);
	if (code != 0)
		return;
	if (w->least ? count < w->least : count > 0) {
		waiter_enter(e, w, count);
		return;
	}
	answer(e, w->session->conn, w->n, w->space, count);
	waiter_free(e, w);
}
