/* The log of what happened in each space, and the watchers that are told. The engine
 * tells when it likes: each part is compared with what the log says comes next. */
#include "../../../libclient/base/xmalloc.h"
#include "../../../libclient/diag.h"
#include "../../../libclient/formal.h"
#include "../../../server/engine/state.h"
#include "world.h"

enum { LOG = 16384, WATCHES = 64 };

/* `seq` counts the events of a space from 1; the engine's cursor is so much more. */
static struct m_event {
	uint64_t space; /* its number */
	uint64_t seq, batch, id;
	const char *kind;
	uint8_t len, bytes[40];
} *events;
static size_t event_count;

/* Of a space, by place. */
static struct m_log {
	uint64_t number; /* whose: another one begins anew */
	uint64_t last;   /* seq of the last event */
	uint64_t from;   /* events behind this one are kept; */
	bool kept;       /* since somebody watched */
	uint64_t offset; /* of the engine's cursors; 0: nobody was told one */
	uint64_t cursor; /* the greatest one that was told */
} logs[SPACES];

static struct m_watch {
	bool used, gap, sending; /* gap: one must come first */
	int conn, space;
	uint64_t n, after; /* after: seq of the last event it was told, or that was told before */
	uint64_t batch; /* of the last event it was told */
	uint8_t bytes[120];
} watches[WATCHES];

void m_watch_reset(void)
{
	if (!events)
		events = xmalloc(LOG * sizeof *events);
	event_count = 0;
	memset(logs, 0, sizeof logs);
	memset(watches, 0, sizeof watches);
}

static struct m_log *log_of(int space)
{
	struct m_log *l = &logs[space];

	if (l->number != m_space(space)->number)
		*l = (struct m_log){.number = m_space(space)->number};
	return l;
}

void m_watch_note(const char *kind, int space, const struct m_tuple *t)
{
	struct m_log *l = log_of(space);
	struct m_event *e = &events[event_count++];

	CHECK(event_count < LOG);
	*e = (struct m_event){.space = l->number, .seq = ++l->last, .kind = kind,
	                      .batch = m_space(space)->is_volatile ? 0 : w.open_batch};
	if (!t)
		return;
	e->id = t->id;
	e->len = t->len;
	memcpy(e->bytes, t->bytes, t->len);
}

static struct m_watch *find(int conn, uint64_t n)
{
	for (int i = 0; i < WATCHES; i++)
		if (watches[i].used && watches[i].conn == conn && watches[i].n == n)
			return &watches[i];
	return NULL;
}

bool m_watch_is(int conn, uint64_t n)
{
	return find(conn, n) != NULL;
}

bool m_watch_names(int space)
{
	for (int i = 0; i < WATCHES; i++)
		if (watches[i].used && watches[i].space == space)
			return true;
	return false;
}

void m_watch_run(int conn, const struct request *r, int space)
{
	struct m_log *l = log_of(space);
	uint64_t after = request_has(r, OPTION_AFTER) ? r->option[OPTION_AFTER].u : 0;
	bool known = l->offset && after >= l->offset + l->from && after <= l->offset + l->last;
	struct m_watch *one = NULL;

	if (!l->kept)
		l->from = l->last;
	l->kept = true;
	for (int i = 0; i < WATCHES && !one; i++)
		one = watches[i].used ? NULL : &watches[i];
	CHECK(one && r->value.n <= sizeof one->bytes);
	*one = (struct m_watch){.used = true, .conn = conn, .space = space, .n = r->n};
	memcpy(one->bytes, r->value.p, r->value.n);
	one->after = known ? after - l->offset : l->last;
	one->gap = request_has(r, OPTION_AFTER) && !known;
}

bool m_watch_cancel(int conn, uint64_t n)
{
	struct m_watch *one = find(conn, n);

	if (!one)
		return false;
	expect_code(conn, n, ERROR_CANCELLED);
	one->used = false;
	return true;
}

void m_watch_cancel_all(int conn, bool answered)
{
	for (int i = 0; i < WATCHES; i++) {
		if (!watches[i].used || watches[i].conn != conn)
			continue;
		if (answered)
			expect_code(conn, watches[i].n, ERROR_CANCELLED);
		watches[i].used = false;
	}
}

/* What the watcher is to be told next, or NULL. */
static const struct m_event *next_for(const struct m_watch *one)
{
	for (size_t i = 0; i < event_count; i++) {
		const struct m_event *e = &events[i];

		if (e->space != logs[one->space].number || e->seq <= one->after)
			continue;
		if (!e->len || *one->bytes == ITEM_NULL || formal_match(one->bytes, e->bytes))
			return e;
	}
	return NULL;
}

/* With little room for them, what nobody watches is soon forgotten, and the cursors begin
 * again: only the engine knows where. */
static void look_up_offset(struct m_log *l, int space)
{
	const struct space *s = space_find(w.engine, bytes_of(m_space(space)->name));

	if (!w.few)
		return;
	l->offset = 0; /* of a dropped one nobody knows any more */
	if (s && s->number == l->number && s->ring)
		l->offset = s->ring->next - 1 - l->last;
}

/* The engine's own number of an event; the first that is told says what it begins at. */
static void check_cursor(struct m_log *l, uint64_t seq, uint64_t cursor)
{
	if (!l->offset) {
		CHECK(cursor > seq && (w.few || cursor > l->cursor));
		l->offset = cursor - seq;
	}
	CHECK_INT(cursor - l->offset, seq);
	l->cursor = cursor > l->cursor ? cursor : l->cursor;
}

/* Whether it is the cursor of an event behind that one, or of that. */
static bool is_known(const struct m_log *l, uint64_t after, uint64_t cursor)
{
	return cursor >= l->offset + after && cursor <= l->offset + l->last;
}

/* A gap tells where the watcher goes on: what is not told before it is lost. */
static void check_gap(struct m_watch *one, uint64_t cursor)
{
	struct m_log *l = log_of(one->space);

	if (!one->gap && !w.few)
		test_fail(__FILE__, __LINE__, "a gap that should not be: watch %llu",
		          (unsigned long long)one->n);
	if (!l->offset)
		check_cursor(l, one->gap ? one->after : l->last - m_space(one->space)->dropped,
		             cursor);
	CHECK(is_known(l, one->after, cursor));
	one->after = cursor - l->offset;
	one->gap = false;
	w.totals.gaps++;
}

static void fail_part(const struct m_event *e, const uint8_t *part)
{
	struct buf b = BUF_INIT;

	diag_print(&b, part);
	buf_printf(&b, "\n  expected ");
	if (e)
		buf_printf(&b, "%s of %llu", e->kind, (unsigned long long)e->id);
	else
		buf_text(&b, "nothing");
	test_fail(__FILE__, __LINE__, "part %.*s", (int)b.len, (char *)b.data);
}

void m_watch_part(int conn, uint64_t n, uint64_t batch, const uint8_t *part)
{
	struct m_watch *one = find(conn, n);
	struct item_head h;
	const uint8_t *kind = item_head(part, &h), *tuple;
	const struct m_event *e;
	uint64_t cursor, id;

	CHECK(one);
	look_up_offset(log_of(one->space), one->space);
	message_number(item_skip(kind), &cursor);
	message_number(item_skip(item_skip(kind)), &id);
	tuple = item_skip(item_skip(item_skip(kind)));
	one->sending = true;
	if (bytes_equal(item_string(kind), bytes_of("gap"))) {
		check_gap(one, cursor);
		return;
	}
	e = next_for(one);
	if (one->gap || !e || !bytes_equal(item_string(kind), bytes_of(e->kind)) || id != e->id ||
	    (e->len && !bytes_equal(item_bytes(tuple), (struct bytes){e->bytes, e->len})))
		fail_part(e, part);
	check_cursor(log_of(one->space), e->seq, cursor);
	one->after = e->seq;
	one->batch = e->batch;
	if (batch < e->batch)
		test_fail(__FILE__, __LINE__, "an event is told before its batch");
	w.totals.told++;
}

void m_watch_dropped(int conn, uint64_t n)
{
	struct m_watch *one = find(conn, n);
	struct buf b = BUF_INIT;

	if (!one || !m_space(one->space)->dropped)
		return;
	if (next_for(one))
		test_fail(__FILE__, __LINE__, "a watch ends before all was told");
	item_put_int(&b, ERROR_NO_SPACE);
	expect_item(conn, n, one->batch, &b);
	one->used = false;
}

void m_watch_settled(void)
{
	for (int i = 0; i < WATCHES; i++) {
		const struct m_watch *one = &watches[i];

		if (!one->used || one->sending)
			continue;
		if (one->gap || next_for(one) || m_space(one->space)->dropped)
			test_fail(__FILE__, __LINE__, "watch %llu on conn %d is behind",
			          (unsigned long long)one->n, one->conn);
	}
}

uint64_t m_watch_cursor(int space)
{
	return log_of(space)->cursor;
}

void m_watch_confirm(void)
{
	for (int i = 0; i < WATCHES; i++) {
		struct event ev = driver_event(EV_SENT);

		if (!watches[i].used || !watches[i].sending || test_random_below(2))
			continue;
		ev.conn = (uint32_t)watches[i].conn;
		ev.number = watches[i].n;
		watches[i].sending = false;
		driver_step(&ev);
		driver_check();
	}
}
