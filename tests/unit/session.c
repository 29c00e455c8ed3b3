/* The client's session as two byte strings: what it says to what it is told.
 * Every scenario is told in slices of 1, 2, 3, 7 and any number of bytes, and
 * written in such slices too. */
#include "../lib/harness.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "../../libclient/linda.h"
#include "../../libclient/session.h"

#include <stdarg.h>
#include <stdlib.h>

static size_t slice; /* 0: all at once */

#define ID "0123456789abcdef"
#define ALL(run)                                                                                   \
	do {                                                                                       \
		static const size_t slices[] = {0, 1, 2, 3, 7};                                    \
		for (size_t i_ = 0; i_ < sizeof(slices) / sizeof(slices[0]); i_++) {               \
			slice = slices[i_];                                                        \
			run();                                                                     \
		}                                                                                  \
	} while (0)

/* --- messages -------------------------------------------------------------- */

static struct buf message_v(const char *format, va_list args)
{
	struct linda l;

	CHECK_INT(linda_build(&l, false, format, args), 0);
	return l.item;
}

static void expect(struct buf *b, const char *format, ...)
{
	va_list args;
	struct buf m;

	va_start(args, format);
	m = message_v(format, args);
	va_end(args);
	frame_put_head(b, m.len);
	buf_append(b, m.data, m.len);
	buf_close(&m);
}

static void show(const char *what, struct bytes b)
{
	fprintf(stderr, "%s:", what);
	for (size_t i = 0; i < b.n; i++)
		fprintf(stderr, " %02x", b.p[i]);
	fprintf(stderr, "\n");
}

/* All that the session says now is `want`, which is emptied. */
static void says(struct session *s, struct buf *want)
{
	struct bytes out = session_output(s);

	if (!bytes_equal(out, buf_bytes(want))) {
		show("said", out);
		show("want", buf_bytes(want));
	}
	CHECK(bytes_equal(out, buf_bytes(want)));
	while ((out = session_output(s)).n != 0)
		session_written(s, slice != 0 && slice < out.n ? slice : out.n);
	buf_close(want);
}

static void says_nothing(struct session *s)
{
	CHECK_INT(session_output(s).n, 0);
}

static struct session_reply got;

/* The frame of the message, in slices; after it there is `replies` to read. The
 * last is `got`. */
static void told(struct session *s, const char *format, ...)
{
	struct buf b = BUF_INIT, m;
	va_list args;
	int code = 0;

	va_start(args, format);
	m = message_v(format, args);
	va_end(args);
	frame_put_head(&b, m.len);
	buf_append(&b, m.data, m.len);
	for (size_t at = 0; at < b.len;) {
		size_t n = slice != 0 && slice < b.len - at ? slice : b.len - at;

		CHECK_INT(session_feed(s, b.data + at, n), 0);
		at += n;
		if (at < b.len)
			CHECK_INT(session_next(s, &got), 0);
	}
	(void)code;
	buf_close(&m);
	buf_close(&b);
}

static void next_is(struct session *s, uint64_t n, int code)
{
	CHECK_INT(session_next(s, &got), 1);
	CHECK_INT(got.n, n);
	CHECK_INT(got.code, code);
}

static void nothing_next(struct session *s)
{
	CHECK_INT(session_next(s, &got), 0);
}

/* --- requests -------------------------------------------------------------- */

static uint64_t ask(struct session *s, enum message_op op, unsigned args, const char *format, ...)
{
	struct linda l;
	va_list ap;
	struct item_head h;
	const uint8_t *p;
	uint64_t n = 0;

	va_start(ap, format);
	CHECK_INT(linda_build(&l, false, format, ap), 0);
	va_end(ap);
	p = item_head(l.item.data, &h);
	CHECK_INT(h.arg, args + 1);
	CHECK_INT(session_request(s, op, args,
	                          (struct bytes){p, (size_t)(l.item.data + l.item.len - p)}, s, &n),
	          0);
	linda_close(&l);
	return n;
}

static uint64_t ask_out(struct session *s, int v)
{
	return ask(s, MESSAGE_OUT, 2, "ss[i]", "out", "main", v);
}

static uint64_t ask_in(struct session *s)
{
	return ask(s, MESSAGE_IN, 2, "ssn", "in", "main");
}

static uint64_t ask_rd(struct session *s)
{
	return ask(s, MESSAGE_RD, 2, "ssn", "rd", "main");
}

static uint64_t ask_ping(struct session *s)
{
	return ask(s, MESSAGE_PING, 0, "s", "ping");
}

static struct session *make(bool resumable, bool passthrough)
{
	struct session_options o = {.resumable = resumable, .passthrough = passthrough,
	                            .grace_ms = SESSION_DEFAULT};
	struct session *s = session_create(&o);

	CHECK(s != NULL);
	return s;
}

static void expect_new(struct buf *b)
{
	expect(b, "is{siss}", 1, "hello", "v", 1, "session", "new");
}

static void told_welcome(struct session *s)
{
	told(s, "ii{sisysisi}", 1, 0, "v", 1, "session", ID, (size_t)16, "boot", 7, "grace", 60000);
	nothing_next(s);
	CHECK(session_is_open(s));
}

/* A session that is open, with nothing under way. */
static struct session *make_open(bool passthrough)
{
	struct session *s = make(true, passthrough);
	struct buf want = BUF_INIT;

	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	says(s, &want);
	told_welcome(s);
	return s;
}

static void break_off(struct session *s)
{
	session_disconnected(s);
	nothing_next(s);
	says_nothing(s);
}

/* --- scenarios ------------------------------------------------------------- */

static void hello_and_first_request(void)
{
	struct session *s = make(true, false);
	struct buf want = BUF_INIT;

	CHECK_INT(ask_out(s, 5), 2);
	says_nothing(s);
	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	expect(&want, "iss[i]", 2, "out", "main", 5);
	says(s, &want);
	told_welcome(s);
	CHECK_INT(session_boot(s), 7);
	CHECK_INT(session_grace_ms(s), 60000);
	CHECK(bytes_equal(session_id(s), bytes_of(ID)));
	told(s, "iii", 2, 0, 99);
	next_is(s, 2, 0);
	CHECK(got.user == s);
	CHECK(got.op == MESSAGE_OUT);
	CHECK_INT(got.body.n, 2);
	nothing_next(s);
	says_nothing(s); /* acknowledged with the next request */
	CHECK_INT(ask_ping(s), 3);
	expect(&want, "isi", 0, "ack", 2);
	expect(&want, "is", 3, "ping");
	says(s, &want);
	told(s, "iin", 3, 0);
	next_is(s, 3, 0);
	CHECK_INT(session_unanswered(s), 0);
	session_destroy(s);
}

TEST(hello_and_the_first_request_leave_in_one_write)
{
	ALL(hello_and_first_request);
}

TEST(hello_says_what_the_options_say)
{
	static const uint8_t may[] = {0xa1, 0x61, 'x', 0x81, 0x62, 'r', 'd'};
	struct session_options o = {.resumable = true, .grace_ms = 5000, .auth = "secret",
	                            .client = "me", .may = {may, sizeof(may)}};
	struct session *s = session_create(&o);
	struct buf want = BUF_INIT;

	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{siscsssissss}", 1, "hello", "v", 1, "may", may, sizeof(may), "auth",
	       "secret", "grace", 5000, "client", "me", "session", "new");
	says(s, &want);
	session_destroy(s);
	s = make(false, false);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{siss}", 1, "hello", "v", 1, "session", "none");
	says(s, &want);
	session_destroy(s);
}

static void told_event(struct session *s, const char *kind, uint64_t cursor)
{
	told(s, "ii[sLi[i]]", 2, 1, kind, cursor, 7, 5);
}

static void watch_again(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	CHECK_INT(ask(s, MESSAGE_WATCH, 2, "ss[i]", "watch", "main", 5), 2);
	CHECK_INT(ask(s, MESSAGE_WATCH, 3, "ssn{si}", "watch", "main", "after", 9), 3);
	expect(&want, "iss[i]", 2, "watch", "main", 5);
	expect(&want, "issn{si}", 3, "watch", "main", "after", 9);
	says(s, &want);
	/* Nothing was told: where the first began is not known, the second can begin again. */
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "iss[i]{si}", 2, "watch", "main", 5, "after", 0);
	expect(&want, "issn{si}", 3, "watch", "main", "after", 9);
	says(s, &want);
	told_welcome(s);
	told_event(s, "put", 1000);
	next_is(s, 2, 1);
	CHECK(got.user == s);
	told_event(s, "take", (uint64_t)1 << 52);
	next_is(s, 2, 1);
	/* One that came, and is not read when the stream ends, is read first. */
	told(s, "ii[siin]", 3, 1, "gap", 77, 0);
	session_disconnected(s);
	next_is(s, 3, 1);
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 2);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "iss[i]{sL}", 2, "watch", "main", 5, "after", (uint64_t)1 << 52);
	expect(&want, "issn{si}", 3, "watch", "main", "after", 77);
	says(s, &want);
	told_welcome(s);
	/* In a new session too; the server stops, and it goes on with the next. */
	told(s, "iis", 2, ERROR_STOPPING, "stopping");
	nothing_next(s);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "iss[i]{sL}", 2, "watch", "main", 5, "after", (uint64_t)1 << 52);
	expect(&want, "issn{si}", 3, "watch", "main", "after", 77);
	says(s, &want);
	told(s, "iis", 1, ERROR_SESSION_OVER, "over");
	CHECK_INT(session_next(s, &got), ERROR_SESSION_OVER);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	expect(&want, "iss[i]{sL}", 2, "watch", "main", 5, "after", (uint64_t)1 << 52);
	expect(&want, "issn{si}", 3, "watch", "main", "after", 77);
	says(s, &want);
	told_welcome(s);
	/* The end of one, by its cancel. */
	CHECK_INT(session_cancel(s, 2), 0);
	expect(&want, "isi", 4, "cancel", 2);
	says(s, &want);
	told_event(s, "put", (uint64_t)1 << 52 | 1);
	next_is(s, 2, 1);
	told(s, "iis", 2, ERROR_CANCELLED, "cancelled");
	nothing_next(s);
	told(s, "iib", 4, 0, 1);
	next_is(s, 2, ERROR_CANCELLED);
	CHECK_INT(session_unanswered(s), 1);
	session_destroy(s);
}

TEST(a_watch_goes_on_behind_what_was_read)
{
	ALL(watch_again);
}

static void resume_in_order(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	for (int i = 0; i < 4; i++)
		ask_out(s, i); /* 2 to 5 */
	CHECK_INT(ask_in(s), 6);
	while (session_output(s).n != 0)
		session_written(s, session_output(s).n);
	told(s, "iii", 3, 0, 1);
	next_is(s, 3, 0);
	told(s, "iii", 5, 0, 2);
	next_is(s, 5, 0);
	break_off(s);
	CHECK_INT(ask_rd(s), 7);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sis[ii]sy}", 1, "hello", "v", 1, "have", 3, 5, "session", ID, (size_t)16);
	expect(&want, "iss[i]", 2, "out", "main", 0);
	expect(&want, "iss[i]", 4, "out", "main", 2);
	expect(&want, "issn", 6, "in", "main");
	expect(&want, "issn", 7, "rd", "main");
	says(s, &want);
	told_welcome(s);
	told(s, "iii", 2, 0, 3);
	next_is(s, 2, 0);
	told(s, "iii", 4, 0, 3);
	next_is(s, 4, 0);
	told(s, "ii[[i[i]]]", 6, 0, 3, 0);
	next_is(s, 6, 0);
	told(s, "ii[]", 7, 0);
	next_is(s, 7, 0);
	/* Once more, in the middle of a reply: have is all of it, as ranges. */
	CHECK_INT(ask_in(s), 8);
	expect(&want, "isi[ii]", 0, "ack", 2, 4, 4);
	buf_close(&want);
	expect(&want, "isiii", 0, "ack", 2, 4, 6);
	expect(&want, "issn", 8, "in", "main");
	says(s, &want);
	CHECK_INT(session_feed(s, "\x4a\x83", 2), 0);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sis[[ii]]sy}", 1, "hello", "v", 1, "have", 2, 7, "session", ID,
	       (size_t)16);
	expect(&want, "issn", 8, "in", "main");
	says(s, &want);
	session_destroy(s);
}

TEST(resume_resends_what_is_unanswered_in_order)
{
	ALL(resume_in_order);
}

static void late_replies(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_rd(s);
	expect(&want, "issn", 2, "rd", "main");
	says(s, &want);
	told(s, "ii[]", 2, 0);
	next_is(s, 2, 0);
	told(s, "ii[]", 2, 0);
	told(s, "ii[]", 99, 0);
	nothing_next(s);
	session_destroy(s);
}

TEST(replies_to_finished_numbers_are_ignored)
{
	ALL(late_replies);
}

static void ack_after_64(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	for (int i = 0; i < 65; i++) {
		ask_out(s, 1);
		expect(&want, "iss[i]", i + 2, "out", "main", 1);
	}
	says(s, &want);
	for (int i = 0; i < 63; i++) {
		told(s, "iii", i + 2, 0, 1);
		next_is(s, (uint64_t)i + 2, 0);
	}
	says_nothing(s);
	told(s, "iii", 65, 0, 1);
	next_is(s, 65, 0);
	says_nothing(s); /* its caller may still cancel it */
	nothing_next(s);
	expect(&want, "is[ii]", 0, "ack", 2, 65);
	says(s, &want);
	told(s, "iii", 66, 0, 1);
	next_is(s, 66, 0);
	says_nothing(s);
	session_destroy(s);
}

TEST(sixty_four_replies_read_are_acknowledged_at_once)
{
	ALL(ack_after_64);
}

TEST(refusals_and_reads_are_not_acknowledged)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_out(s, 1);
	ask_rd(s);
	expect(&want, "iss[i]", 2, "out", "main", 1);
	expect(&want, "issn", 3, "rd", "main");
	says(s, &want);
	told(s, "iis", 2, ERROR_FULL, "full");
	next_is(s, 2, ERROR_FULL);
	CHECK(bytes_equal(got.text, bytes_of("full")));
	told(s, "ii[]", 3, 0);
	next_is(s, 3, 0);
	ask_ping(s);
	expect(&want, "is", 4, "ping");
	says(s, &want);
	session_destroy(s);
}

/* How many requests wait inside at `window` puts. */
TEST(the_window_holds_back_and_order_is_kept)
{
	static const int counts[] = {SESSION_WINDOW - 1, SESSION_WINDOW, SESSION_WINDOW + 1};

	for (int c = 0; c < 3; c++) {
		struct session *s = make_open(false);
		struct buf want = BUF_INIT;
		int more = counts[c] > SESSION_WINDOW;

		ask_in(s); /* waits, and does not count */
		expect(&want, "issn", 2, "in", "main");
		for (int i = 0; i < counts[c]; i++) {
			ask_out(s, 1);
			if (i < SESSION_WINDOW)
				expect(&want, "iss[i]", i + 3, "out", "main", 1);
		}
		ask_ping(s);
		if (!more)
			expect(&want, "is", counts[c] + 3, "ping");
		says(s, &want);
		told(s, "iii", 3, 0, 1);
		next_is(s, 3, 0);
		nothing_next(s);
		if (more) {
			expect(&want, "isi", 0, "ack", 3);
			expect(&want, "iss[i]", counts[c] + 2, "out", "main", 1);
			expect(&want, "is", counts[c] + 3, "ping");
		}
		says(s, &want);
		session_destroy(s);
	}
}

TEST(takes_that_do_not_wait_count_for_the_window)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	for (int i = 0; i < SESSION_WINDOW + 1; i++) {
		ask(s, MESSAGE_IN, 3, "ssn{si}", "in", "main", "timeout", 0);
		if (i < SESSION_WINDOW)
			expect(&want, "issn{si}", i + 2, "in", "main", "timeout", 0);
	}
	says(s, &want);
	session_destroy(s);
}

static void cancel_waiting(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_in(s);
	CHECK_INT(session_cancel(s, 2), 0);
	CHECK_INT(session_cancel(s, 2), 0);
	CHECK_INT(session_cancel(s, 3), ERROR_USAGE);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "isi", 3, "cancel", 2);
	says(s, &want);
	told(s, "iis", 2, ERROR_CANCELLED, "cancelled");
	nothing_next(s);
	told(s, "iib", 3, 0, true);
	next_is(s, 2, ERROR_CANCELLED);
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	CHECK_INT(session_cancel(s, 2), ERROR_USAGE);
	session_destroy(s);
}

TEST(a_waiting_take_is_cancelled)
{
	ALL(cancel_waiting);
}

static void cancel_taken(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_in(s);
	ask_out(s, 1);
	CHECK_INT(session_cancel(s, 2), 0);
	CHECK_INT(session_cancel(s, 3), 0);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "iss[i]", 3, "out", "main", 1);
	expect(&want, "isi", 4, "cancel", 2);
	expect(&want, "isi", 5, "cancel", 3);
	says(s, &want);
	/* Both were done when the cancels came: the take is undone, the put stands. */
	told(s, "ii[[i[i]]]", 2, 0, 77, 1);
	told(s, "iii", 3, 0, 78);
	nothing_next(s);
	told(s, "iib", 4, 0, true);
	next_is(s, 2, ERROR_CANCELLED);
	told(s, "iib", 5, 0, false);
	next_is(s, 3, 0);
	CHECK_INT(got.body.n, 2);
	ask_ping(s);
	expect(&want, "isi", 0, "ack", 3);
	expect(&want, "is", 6, "ping");
	says(s, &want);
	session_destroy(s);
}

TEST(a_take_that_was_done_is_undone_and_a_put_stands)
{
	ALL(cancel_taken);
}

static void undo_read(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;
	int other;

	ask_in(s);
	expect(&want, "issn", 2, "in", "main");
	says(s, &want);
	told(s, "ii[[i[i]]]", 2, 0, 77, 1);
	next_is(s, 2, 0);
	CHECK(!session_awaits(s, 2));
	CHECK_INT(session_cancel(s, 2), 0);
	CHECK(session_awaits(s, 2));
	session_set_user(s, 2, &other);
	expect(&want, "isi", 3, "cancel", 2); /* and no ack */
	says(s, &want);
	/* The word on it is lost: the take is said again too, so that it is undone again. */
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "isi", 3, "cancel", 2);
	says(s, &want);
	told_welcome(s);
	told(s, "ii[[i[i]]]", 2, 0, 77, 1);
	told(s, "iib", 3, 0, true);
	next_is(s, 2, ERROR_CANCELLED);
	CHECK(got.user == &other);
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	session_destroy(s);
}

/* The cancel was done, its answer lost; the take, said again, finds nothing. */
static void undo_read_and_gone(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_in(s);
	expect(&want, "issn", 2, "in", "main");
	says(s, &want);
	told(s, "ii[[i[i]]]", 2, 0, 77, 1);
	next_is(s, 2, 0);
	CHECK_INT(session_cancel(s, 2), 0);
	expect(&want, "isi", 3, "cancel", 2);
	says(s, &want);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "isi", 3, "cancel", 2);
	says(s, &want);
	told_welcome(s);
	told(s, "ii[]", 2, 0);
	told(s, "iib", 3, 0, false);
	next_is(s, 2, ERROR_CANCELLED);
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	session_destroy(s);
}

TEST(a_take_undone_before_a_break_does_not_stand_because_nothing_is_there_after_it)
{
	ALL(undo_read_and_gone);
}

TEST(a_take_that_was_read_is_undone_even_over_a_break)
{
	ALL(undo_read);
}

/* Nothing else is said before it, over a break too. */
TEST(a_cancel_without_memory_is_owed)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_in(s);
	expect(&want, "issn", 2, "in", "main");
	says(s, &want);
	told(s, "ii[[i[i]]]", 2, 0, 77, 1);
	next_is(s, 2, 0);
	xmalloc_fail_at(1, true);
	CHECK_INT(session_cancel(s, 2), ERROR_NOMEM);
	CHECK_INT(session_cancel(s, 2), 0);
	nothing_next(s);
	CHECK_INT(session_bye(s), ERROR_NOMEM);
	xmalloc_fail_at(0, false);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "isi", 3, "cancel", 2);
	says(s, &want);
	told_welcome(s);
	told(s, "ii[[i[i]]]", 2, 0, 77, 1);
	told(s, "iib", 3, 0, true);
	next_is(s, 2, ERROR_CANCELLED);
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	session_destroy(s);
}

TEST(what_was_never_sent_is_cancelled_here)
{
	struct session *s = make(true, false);

	ask_out(s, 1);
	CHECK_INT(session_cancel(s, 2), 0);
	next_is(s, 2, ERROR_CANCELLED);
	nothing_next(s);
	session_destroy(s);
}

static void session_over(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_out(s, 1);
	ask_in(s);
	ask_rd(s);
	expect(&want, "iss[i]", 2, "out", "main", 1);
	expect(&want, "issn", 3, "in", "main");
	expect(&want, "issn", 4, "rd", "main");
	says(s, &want);
	break_off(s);
	ask_out(s, 2);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "iss[i]", 2, "out", "main", 1);
	expect(&want, "issn", 3, "in", "main");
	expect(&want, "issn", 4, "rd", "main");
	expect(&want, "iss[i]", 5, "out", "main", 2);
	says(s, &want);
	told(s, "iis", 1, ERROR_SESSION_OVER, "gone");
	CHECK_INT(session_next(s, &got), ERROR_SESSION_OVER);
	session_disconnected(s);
	next_is(s, 2, ERROR_UNKNOWN); /* 5 was behind the refused hello only */
	nothing_next(s);
	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	expect(&want, "issn", 3, "in", "main");
	expect(&want, "issn", 4, "rd", "main");
	expect(&want, "iss[i]", 5, "out", "main", 2);
	says(s, &want);
	told_welcome(s);
	told(s, "iii", 5, 0, 3);
	next_is(s, 5, 0);
	session_destroy(s);
}

TEST(a_session_that_is_over_begins_anew_and_puts_are_unknown_once)
{
	ALL(session_over);
}

TEST(without_a_session_a_break_makes_changes_unknown)
{
	struct session *s = make(false, false);
	struct buf want = BUF_INIT;

	CHECK_INT(session_connected(s), 0);
	ask_in(s);
	ask_rd(s);
	ask_out(s, 1);
	ask_out(s, 2);
	buf_close(&want);
	/* All is written but the last byte of the last request. */
	session_written(s, session_output(s).n - 1);
	told(s, "ii{si}", 1, 0, "v", 1);
	nothing_next(s);
	told(s, "iii", 4, 0, 1); /* read after the break: it still counts */
	session_disconnected(s);
	next_is(s, 4, 0);
	next_is(s, 2, ERROR_UNKNOWN);
	nothing_next(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{siss}", 1, "hello", "v", 1, "session", "none");
	expect(&want, "issn", 3, "rd", "main");
	expect(&want, "iss[i]", 5, "out", "main", 2);
	says(s, &want);
	session_destroy(s);
}

TEST(a_break_before_hello_is_answered_leaves_that_session)
{
	struct session *s = make(true, false);
	struct buf want = BUF_INIT;

	ask_out(s, 1);
	ask_in(s);
	CHECK_INT(session_connected(s), 0);
	session_written(s, session_output(s).n);
	session_disconnected(s);
	next_is(s, 2, ERROR_UNKNOWN);
	nothing_next(s);
	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	expect(&want, "issn", 3, "in", "main");
	says(s, &want);
	session_destroy(s);
}

TEST(a_connection_that_wrote_nothing_makes_nothing_unknown)
{
	struct session *s = make(true, false);
	struct buf want = BUF_INIT;

	ask_out(s, 1);
	CHECK_INT(session_connected(s), 0);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	expect(&want, "iss[i]", 2, "out", "main", 1);
	says(s, &want);
	session_destroy(s);
}

static void stopping(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_in(s);
	expect(&want, "issn", 2, "in", "main");
	says(s, &want);
	told(s, "iis", 2, ERROR_STOPPING, "stopping");
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 1);
	told(s, "iis", 0, ERROR_STOPPING, "stopping");
	CHECK_INT(session_next(s, &got), ERROR_STOPPING);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "issn", 2, "in", "main");
	says(s, &want);
	session_destroy(s);
}

TEST(a_server_that_stops_is_waited_for)
{
	ALL(stopping);
}

static void bye(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;
	uint64_t n;

	ask_in(s);
	ask_out(s, 1);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "iss[i]", 3, "out", "main", 1);
	says(s, &want);
	told(s, "iii", 3, 0, 1);
	next_is(s, 3, 0);
	CHECK_INT(session_bye(s), 0);
	CHECK_INT(session_request(s, MESSAGE_PING, 0, bytes_of("\x64ping"), NULL, &n), ERROR_USAGE);
	expect(&want, "isi", 0, "ack", 3);
	expect(&want, "is", 4, "bye");
	says(s, &want);
	/* The answer is lost; then the session is gone: bye is done all the same. */
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sis[i]sy}", 1, "hello", "v", 1, "have", 3, "session", ID, (size_t)16);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "is", 4, "bye");
	says(s, &want);
	told(s, "iis", 1, ERROR_SESSION_OVER, "gone");
	CHECK_INT(session_next(s, &got), ERROR_SESSION_OVER);
	session_disconnected(s);
	next_is(s, 2, ERROR_CANCELLED);
	next_is(s, 4, 0);
	CHECK(got.op == MESSAGE_BYE);
	CHECK(session_is_ended(s));
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	session_destroy(s);
}

TEST(bye_ends_the_session_even_when_its_answer_is_lost)
{
	ALL(bye);
}

TEST(bye_answers_what_waits)
{
	struct session *s = make_open(false);

	ask_in(s);
	CHECK_INT(session_bye(s), 0);
	session_written(s, session_output(s).n);
	told(s, "iin", 3, 0);
	next_is(s, 2, ERROR_CANCELLED);
	CHECK(!session_is_ended(s));
	next_is(s, 3, 0);
	CHECK(session_is_ended(s));
	nothing_next(s);
	session_destroy(s);
}

TEST(abandoning_answers_everything_and_leaves_the_session)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_out(s, 1);
	ask_in(s);
	session_written(s, session_output(s).n);
	break_off(s);
	ask_out(s, 2);
	session_abandon(s, ERROR_CLOSED);
	next_is(s, 2, ERROR_UNKNOWN);
	next_is(s, 3, ERROR_CLOSED);
	next_is(s, 4, ERROR_CLOSED);
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	says(s, &want);
	session_destroy(s);
}

TEST(have_of_more_than_1024_ranges_goes_on_as_acks)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT, have = BUF_INIT;
	struct bytes out, message;
	size_t used;

	for (int i = 0; i < 1026; i++) {
		ask_in(s);  /* even numbers wait */
		ask_rd(s);
	}
	session_written(s, session_output(s).n);
	for (int i = 0; i < 1026; i++) {
		told(s, "ii[]", 3 + 2 * i, 0);
		next_is(s, (uint64_t)(3 + 2 * i), 0);
	}
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	out = session_output(s);
	CHECK_INT(frame_next(out, FRAME_MAX, &message, &used), 1);
	item_put_head(&have, ITEM_ARRAY, 1024);
	for (int i = 0; i < 1024; i++)
		item_put_uint(&have, (uint64_t)(3 + 2 * i));
	expect(&want, "is{siscsy}", 1, "hello", "v", 1, "have", have.data, have.len, "session", ID,
	       (size_t)16);
	expect(&want, "isii", 0, "ack", 3 + 2 * 1024, 3 + 2 * 1025);
	CHECK(out.n > want.len && memcmp(out.p, want.data, want.len) == 0);
	buf_close(&want);
	buf_close(&have);
	session_destroy(s);
}

static int broken_with(const void *p, size_t n)
{
	struct session *s = make_open(false);
	int code;

	CHECK_INT(session_feed(s, p, n), 0);
	code = session_next(s, &got);
	CHECK_INT(got.code, code);
	CHECK(code == 0 || got.text.n != 0);
	session_disconnected(s);
	nothing_next(s);
	session_destroy(s);
	return code;
}

TEST(a_broken_stream_is_named)
{
	CHECK_INT(broken_with("\x5f", 1), ERROR_MALFORMED);
	CHECK_INT(broken_with("\x83\x01\x00\x01", 4), ERROR_MALFORMED);
	CHECK_INT(broken_with("\x5a\x01\x00\x00\x01", 5), ERROR_LIMIT);
	CHECK_INT(broken_with("\x5a\x01\x00\x00\x00", 5), 0);
	CHECK(broken_with("\x41\xff", 2) < 0);
	CHECK(broken_with("\x40", 1) < 0);
}

TEST(another_one_that_resumes_is_told)
{
	struct session *s = make_open(false);

	ask_in(s);
	session_written(s, session_output(s).n);
	told(s, "iis", 0, ERROR_TAKEN_OVER, "resumed elsewhere");
	CHECK_INT(session_next(s, &got), ERROR_TAKEN_OVER);
	session_disconnected(s);
	session_abandon(s, ERROR_TAKEN_OVER);
	next_is(s, 2, ERROR_TAKEN_OVER);
	session_destroy(s);
}

TEST(a_refused_hello_is_told)
{
	struct session *s = make(true, false);

	ask_out(s, 1);
	CHECK_INT(session_connected(s), 0);
	session_written(s, session_output(s).n);
	told(s, "iis", 1, ERROR_AUTH, "who are you?");
	CHECK_INT(session_next(s, &got), ERROR_AUTH);
	CHECK(bytes_equal(got.text, bytes_of("who are you?")));
	session_disconnected(s);
	nothing_next(s);
	session_abandon(s, ERROR_AUTH);
	next_is(s, 2, ERROR_AUTH); /* it was not executed */
	session_destroy(s);
}

/* --- passthrough ----------------------------------------------------------- */

static int pass(struct session *s, const char *format, ...)
{
	va_list args;
	struct buf m;
	int code;

	va_start(args, format);
	m = message_v(format, args);
	va_end(args);
	code = session_pass(s, buf_bytes(&m));
	buf_close(&m);
	return code;
}

static void passes_on(struct session *s, uint64_t n, const char *format, ...)
{
	va_list args;
	struct buf m;

	CHECK_INT(session_next(s, &got), 1);
	CHECK_INT(got.n, n);
	va_start(args, format);
	m = message_v(format, args);
	va_end(args);
	CHECK(bytes_equal(got.message, buf_bytes(&m)));
	buf_close(&m);
}

static void passthrough(void)
{
	struct session *s = make_open(true);
	struct buf want = BUF_INIT;

	CHECK_INT(pass(s, "iss[i]", 10, "out", "main", 1), 0);
	CHECK_INT(pass(s, "issn", 20, "in", "main"), 0);
	CHECK_INT(pass(s, "issn", 30, "in", "main"), 0);
	CHECK_INT(pass(s, "issn", 30, "in", "main"), ERROR_MALFORMED);
	CHECK_INT(pass(s, "is{}", 40, "hello"), ERROR_MALFORMED);
	expect(&want, "iss[i]", 10, "out", "main", 1);
	expect(&want, "issn", 20, "in", "main");
	expect(&want, "issn", 30, "in", "main");
	says(s, &want);
	told(s, "iii", 10, 0, 5);
	passes_on(s, 10, "iii", 10, 0, 5);
	told(s, "ii[[i[i]]]", 20, 0, 5, 1);
	passes_on(s, 20, "ii[[i[i]]]", 20, 0, 5, 1);
	says_nothing(s);
	/* Only the program acknowledges: 20 is not in `have`. */
	CHECK_INT(pass(s, "isi", 0, "ack", 10), 0);
	expect(&want, "isi", 0, "ack", 10);
	says(s, &want);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sis[[ii][ii]]sy}", 1, "hello", "v", 1, "have", 2, 19, 21, 29, "session",
	       ID, (size_t)16);
	expect(&want, "issn", 30, "in", "main");
	says(s, &want);
	told_welcome(s);
	CHECK_INT(pass(s, "isi", 31, "cancel", 30), 0);
	expect(&want, "isi", 31, "cancel", 30);
	says(s, &want);
	told(s, "iis", 30, ERROR_CANCELLED, "cancelled");
	passes_on(s, 30, "iis", 30, ERROR_CANCELLED, "cancelled");
	told(s, "iib", 31, 0, true);
	passes_on(s, 31, "iib", 31, 0, true);
	/* The session is over: what was done for the program is told as a message. */
	CHECK_INT(pass(s, "iss[i]", 50, "out", "main", 1), 0);
	expect(&want, "iss[i]", 50, "out", "main", 1);
	says(s, &want);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	session_written(s, session_output(s).n);
	told(s, "iis", 1, ERROR_SESSION_OVER, "gone");
	CHECK_INT(session_next(s, &got), ERROR_SESSION_OVER);
	session_disconnected(s);
	passes_on(s, 50, "iis", 50, ERROR_UNKNOWN, error_text(ERROR_UNKNOWN));
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	CHECK_INT(session_connected(s), 0);
	expect_new(&want);
	says(s, &want);
	session_destroy(s);
}

TEST(passthrough_keeps_the_numbers_and_acknowledgements_of_the_program)
{
	ALL(passthrough);
}

static void watch_through(void)
{
	struct session *s = make_open(true);
	struct buf want = BUF_INIT, message = BUF_INIT;

	/* With its numbers in long forms, as a program may write them. */
	buf_append(&message, "\x9f\x18\x02\x65watch\x64main\xf6", 15);
	buf_append(&message, "\xbf\x65" "after\x18\x09\xff\xff", 11);
	CHECK_INT(session_pass(s, buf_bytes(&message)), 0);
	expect(&want, "issn{si}", 2, "watch", "main", "after", 9);
	says(s, &want);
	told(s, "ii[siin]", 2, 1, "gap", 30, 0);
	next_is(s, 2, 1);
	CHECK(got.message.n > 0 && got.body.n == 0);
	break_off(s);
	CHECK_INT(session_connected(s), 0);
	expect(&want, "is{sisy}", 1, "hello", "v", 1, "session", ID, (size_t)16);
	expect(&want, "issn{si}", 2, "watch", "main", "after", 30);
	says(s, &want);
	told(s, "iis", 2, ERROR_NO_SPACE, "dropped");
	next_is(s, 2, ERROR_NO_SPACE);
	CHECK_INT(session_unanswered(s), 0);
	buf_close(&message);
	session_destroy(s);
}

TEST(passthrough_lets_a_watch_go_on)
{
	ALL(watch_through);
}

TEST(passthrough_lets_refused_and_unknown_requests_pass)
{
	struct session *s = make_open(true);
	struct buf want = BUF_INIT;

	CHECK_INT(pass(s, "isi", 2, "dance", 1), 0);
	expect(&want, "isi", 2, "dance", 1);
	says(s, &want);
	told(s, "iis", 2, ERROR_REQUEST, "no such request");
	passes_on(s, 2, "iis", 2, ERROR_REQUEST, "no such request");
	CHECK_INT(session_pass(s, bytes_of("\x01")), ERROR_MALFORMED);
	CHECK_INT(pass(s, "is", 3, "bye"), 0);
	expect(&want, "is", 3, "bye");
	says(s, &want);
	told(s, "iin", 3, 0);
	passes_on(s, 3, "iin", 3, 0);
	CHECK(session_is_ended(s));
	session_destroy(s);
}

/* --- memory ---------------------------------------------------------------- */

/* A life in which the n-th allocation fails; false when none did. */
static bool life_with_failure(unsigned long n)
{
	struct session_options o = {.resumable = true, .grace_ms = SESSION_DEFAULT, .client = "c"};
	struct session *s;
	struct buf welcome = BUF_INIT, reply = BUF_INIT;
	static const uint8_t put[] = {0x63, 'o', 'u', 't', 0x64, 'm', 'a', 'i', 'n', 0x81, 0x01};
	uint64_t number = 0;
	int replies = 0, code;
	unsigned long used;

	expect(&welcome, "ii{sysi}", 1, 0, "session", ID, (size_t)16, "boot", 1);
	expect(&reply, "iii", 2, 0, 9);
	xmalloc_fail_at(n, 0);
	s = session_create(&o);
	if (s == NULL) {
		s = session_create(&o);
		CHECK(s != NULL);
	}
	code = session_request(s, MESSAGE_OUT, 2, (struct bytes){put, sizeof(put)}, NULL, &number);
	if (code != 0) {
		CHECK_INT(code, ERROR_NOMEM);
		CHECK_INT(session_request(s, MESSAGE_OUT, 2, (struct bytes){put, sizeof(put)}, NULL,
		                          &number),
		          0);
	}
	CHECK_INT(number, 2);
	while (replies == 0) {
		if (session_connected(s) != 0)
			continue;
		while (session_next(s, &got) != 0)
			continue;
		session_written(s, session_output(s).n);
		if (session_feed(s, welcome.data, welcome.len) == 0 &&
		    session_feed(s, reply.data, reply.len) == 0) {
			while ((code = session_next(s, &got)) == 1)
				replies++;
			CHECK(code == 0 || code == ERROR_NOMEM);
		}
		session_disconnected(s);
		while (session_next(s, &got) == 1)
			replies++;
	}
	CHECK_INT(replies, 1);
	if (session_bye(s) != 0)
		CHECK_INT(session_bye(s), 0);
	used = xmalloc_fail_at(0, 0);
	session_destroy(s);
	buf_close(&welcome);
	buf_close(&reply);
	return used >= n;
}

TEST(a_failed_allocation_loses_nothing)
{
	unsigned long n = 1;

	slice = 0;
	while (life_with_failure(n))
		n++;
	CHECK(n > 10);
}

static void asked_again(void)
{
	struct session *s = make_open(false);
	struct buf want = BUF_INIT;

	ask_in(s);
	ask_in(s);
	ask_in(s);
	expect(&want, "issn", 2, "in", "main");
	expect(&want, "issn", 3, "in", "main");
	expect(&want, "issn", 4, "in", "main");
	says(s, &want);
	told(s, "ii[[i[i]]]", 2, 0, 77, 1);
	next_is(s, 2, 0);
	told(s, "iis", 3, ERROR_UNACKNOWLEDGED, "too many");
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 2);
	expect(&want, "isi", 0, "ack", 2);
	expect(&want, "issn", 5, "in", "main");
	says(s, &want);
	CHECK(session_awaits(s, 3));
	told(s, "ii[[i[i]]]", 5, 0, 78, 1);
	next_is(s, 3, 0);
	/* It is known by its first number still. */
	CHECK_INT(session_cancel(s, 3), 0);
	expect(&want, "isi", 6, "cancel", 5);
	says(s, &want);
	told(s, "iib", 6, 0, true);
	next_is(s, 3, ERROR_CANCELLED);
	CHECK_INT(session_cancel(s, 4), 0);
	told(s, "iis", 4, ERROR_UNACKNOWLEDGED, "too many");
	next_is(s, 4, ERROR_CANCELLED);
	nothing_next(s);
	CHECK_INT(session_unanswered(s), 0);
	session_destroy(s);
}

TEST(a_take_refused_for_want_of_acknowledgements_is_asked_again)
{
	ALL(asked_again);
}
