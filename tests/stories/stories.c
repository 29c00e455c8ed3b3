/* Stories: the server's core (engine, memory journal, virtual clock) played from
 * a text, its trace compared with the golden one beside it. tests/stories/X.story
 * holds both: a line that begins with "> " is played, the lines after it are what
 * it brought about. UPDATE=1 in the environment writes the trace anew.
 *
 *   > open a [principal]   > close a         > a [1, "out", "main", ["x"]]
 *   > a sent 3             > pass 5s         > work [units]    (all, without a number)
 *   > sleep 1h             the server itself stands still meanwhile
 *   > wall -365d           the wall clock is set, back or forward; nothing is told of it
 *   > late 1s a [...]      so much later, before anything else is done
 *   > seal  > sync         > commit          (both)            > crash
 *   > limit ring_bytes 600  one of the engine's, from here on: ring_bytes, watch_bytes, bytes,
 *                           waiting
 *   > stop                 the server is about to
 *   > disk low|well        what the journal tells of it
 *   > slices               from here on work waits for "work"; else it is done at once
 *   > quiet  > loud        what comes between leaves no trace
 *   > many 16000 hello     each on a connection of its own, closed at once
 *   > check                the inside holds; prints the counts that must not grow
 *
 *   a < [...]    a reply leaves     a = [...]    it is held until its batch is durable
 *   a closed     + put 2 [...]      what goes to the journal
 */
#include "../../libclient/diag.h"
#include "../../libclient/frame.h"
#include "../../libclient/item.h"
#include "../../server/engine/state.h"
#include "../../server/journal/journal.h"
#include "../lib/harness.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNS = 26 };

#define WALL_MS UINT64_C(1700000000000) /* at the beginning; due and expires are told from it */

struct held {
	uint64_t batch;
	uint32_t conn;
	struct bytes message; /* owned */
	struct held *next;
};

static struct world {
	struct engine *engine;
	struct journal *journal;
	struct effects fx;
	struct buf trace;
	uint64_t now_ms, wall_ms, open_batch, durable, ids;
	bool committing, quiet, slices, open[CONNS];
	struct buf again[CONNS]; /* frames of requests that wait behind the engine's work */
	struct held *held, **held_end;
} w;

static void print_message(uint32_t conn, char how, struct bytes message)
{
	struct item_head h, key;
	const uint8_t *p = item_head(message.p, &h), *result;

	if (w.quiet)
		return;
	buf_printf(&w.trace, "%c %c ", 'a' + (char)conn, how);
	result = item_skip(item_skip(p));
	if (*result >> 5 != ITEM_MAP || item_string(item_head(result, &key)).n != 1) {
		diag_print(&w.trace, message.p);
		buf_byte(&w.trace, '\n');
		return;
	}
	/* hello's reply: what a story turns on */
	result = item_head(result, &key);
	buf_text(&w.trace, "hello:");
	for (uint64_t i = 0; i < key.arg; i++) {
		struct bytes name = item_string(result);

		result = item_skip(result);
		if (bytes_equal(name, bytes_of("boot")) || bytes_equal(name, bytes_of("grace")) ||
		    bytes_equal(name, bytes_of("session"))) {
			buf_printf(&w.trace, " %.*s ", (int)name.n, (const char *)name.p);
			diag_print(&w.trace, result);
		}
		result = item_skip(result);
	}
	buf_byte(&w.trace, '\n');
}

static void reply(const struct effect *f)
{
	struct bytes message;
	struct held *h;
	size_t used;

	CHECK_INT(frame_next(effect_frame(&w.fx, f), FRAME_MAX, &message, &used), 1);
	if (f->batch <= w.durable) {
		print_message(f->conn, '<', message);
		return;
	}
	print_message(f->conn, '=', message);
	h = xcalloc(1, sizeof *h);
	h->batch = f->batch;
	h->conn = f->conn;
	h->message = (struct bytes){xmalloc(message.n), message.n};
	memcpy((uint8_t *)(uintptr_t)h->message.p, message.p, message.n);
	*w.held_end = h;
	w.held_end = &h->next;
}

/* Held replies whose batch is durable leave; those of a connection are dropped. */
static void release(bool all_dropped, int conn)
{
	struct held **at = &w.held;

	while (*at) {
		struct held *h = *at;
		bool gone = all_dropped || (int)h->conn == conn;

		if (!gone && h->batch > w.durable) {
			at = &h->next;
			continue;
		}
		if (!gone)
			print_message(h->conn, '<', h->message);
		*at = h->next;
		xfree((void *)(uintptr_t)h->message.p);
		xfree(h);
	}
	for (w.held_end = &w.held; *w.held_end;)
		w.held_end = &(*w.held_end)->next;
}

static void print_change(const struct change *c)
{
	static const char *const names[] = {
		"space",   "space-drop",  "space-end", "put",          "state",   "delete",
		"session", "session-end", "outcome",   "outcome-free", "ceiling",
	};
	struct buf *b = &w.trace;

	if (w.quiet)
		return;
	buf_printf(b, "+ %s", names[c->kind]);
	if (c->id)
		buf_printf(b, " %llu", (unsigned long long)c->id);
	if (c->session)
		buf_printf(b, " session %llu", (unsigned long long)c->session);
	if (c->number)
		buf_printf(b, " number %llu", (unsigned long long)c->number);
	if (c->token)
		buf_printf(b, " token %llu lease %llu", (unsigned long long)c->token,
		           (unsigned long long)c->lease_ms);
	if (c->due_ms)
		buf_printf(b, " due %+lld", (long long)(c->due_ms - WALL_MS));
	if (c->expires_ms)
		buf_printf(b, " expires %+lld", (long long)(c->expires_ms - WALL_MS));
	if (c->bound)
		buf_printf(b, " bound %llu", (unsigned long long)c->bound);
	if (c->tries)
		buf_printf(b, " tries %u", c->tries);
	if (c->kind == CHANGE_SPACE) {
		buf_printf(b, " %llu %.*s%s", (unsigned long long)c->space, (int)c->bytes.n,
		           (const char *)c->bytes.p,
		           c->flags & CHANGE_SPACE_VOLATILE ? " volatile" : "");
		if (c->max_tuples || c->max_bytes)
			buf_printf(b, " tuples %llu bytes %llu", (unsigned long long)c->max_tuples,
			           (unsigned long long)c->max_bytes);
		if (c->shape.n) {
			buf_text(b, " shape ");
			diag_print(b, c->shape.p);
		}
	} else if ((c->kind == CHANGE_PUT || c->kind == CHANGE_OUTCOME) && c->bytes.n) {
		buf_byte(b, ' ');
		diag_print(b, c->bytes.p);
	}
	buf_byte(b, '\n');
}

static struct event event(enum event_kind kind)
{
	struct event ev = {.kind = kind, .now_ms = w.now_ms, .wall_ms = w.wall_ms};

	return ev;
}

static void give_again(uint32_t conn);

static int step(const struct event *ev)
{
	int result = engine_step(w.engine, ev, &w.fx);
	uint32_t resume[CONNS];
	unsigned resumes = 0;

	for (size_t i = 0; i < w.fx.count; i++) {
		const struct effect *f = &w.fx.list[i];

		switch (f->kind) {
		case EFFECT_CHANGE:
			print_change(&f->change);
			w.journal->ops->add(w.journal, &f->change);
			break;
		case EFFECT_REPLY:
			reply(f);
			break;
		case EFFECT_CLOSE:
			if (!w.quiet)
				buf_printf(&w.trace, "%c closed%s\n", 'a' + (char)f->conn,
				           f->discard ? ", unread bytes dropped" : "");
			if (f->discard)
				release(false, (int)f->conn);
			break;
		case EFFECT_RESUME:
			resume[resumes++ % CONNS] = f->conn;
			break;
		}
	}
	for (unsigned i = 0; i < resumes; i++)
		give_again(resume[i]);
	return result;
}

/* True: the engine wants it again later. */
static bool request(uint32_t conn, struct bytes message)
{
	struct buf scratch = BUF_INIT;
	struct message_error err;
	struct request r;
	struct event ev;
	int result;

	if (message_decode(message, &scratch, &r, &err)) {
		ev = event(EV_BAD);
		ev.bad = &err;
	} else {
		ev = event(EV_REQUEST);
		ev.request = &r;
		ev.random[0] = (uint8_t)(w.ids >> 8);
		ev.random[1] = (uint8_t)w.ids;
		w.ids += r.op == MESSAGE_HELLO;
	}
	ev.conn = conn;
	result = step(&ev);
	buf_close(&scratch);
	return result == ENGINE_AGAIN;
}

static void send(uint32_t conn, struct bytes message)
{
	if (w.again[conn].len == 0 && !request(conn, message))
		return;
	if (!w.quiet && w.slices)
		buf_printf(&w.trace, "%c waits for work\n", 'a' + (char)conn);
	frame_put_head(&w.again[conn], message.n);
	buf_append(&w.again[conn], message.p, message.n);
}

static void give_again(uint32_t conn)
{
	struct bytes message;
	size_t used;

	while (frame_next(buf_bytes(&w.again[conn]), FRAME_MAX, &message, &used) == 1) {
		if (request(conn, message))
			return;
		buf_shift(&w.again[conn], used);
	}
}

static void pass(uint64_t ms)
{
	uint64_t end = w.now_ms + ms;

	for (;;) {
		uint64_t at = engine_deadline(w.engine);
		struct event ev;

		if (at == 0)
			break; /* work is the story's business */
		at = at > end ? end : at < w.now_ms ? w.now_ms : at;
		w.wall_ms += at - w.now_ms;
		w.now_ms = at;
		ev = event(EV_TIME);
		step(&ev);
		if (at == end)
			break;
	}
	w.wall_ms += end - w.now_ms;
	w.now_ms = end;
}

static void work(unsigned units)
{
	struct event ev = event(EV_WORK);

	ev.units = units ? units : 64;
	for (int i = 0; engine_working(w.engine) && (i == 0 || units == 0); i++) {
		CHECK(i < 1000000);
		step(&ev);
	}
}

static void seal(void)
{
	struct event ev = event(EV_SEAL);

	CHECK(!w.committing);
	step(&ev);
	w.journal->ops->commit(w.journal);
	w.open_batch++;
	w.committing = true;
	for (uint32_t i = 0; i < CONNS; i++)
		give_again(i);
}

static void sync_batch(void)
{
	CHECK(w.committing);
	journal_memory_sync(w.journal);
	CHECK_INT(w.journal->ops->poll(w.journal, &w.durable), 0);
	w.committing = false;
	release(false, -1);
}

static void restore_row(const struct change *c, void *ctx)
{
	struct event ev = event(EV_RESTORE);

	(void)ctx;
	ev.change = c;
	step(&ev);
}

static void start(void)
{
	struct engine_config config = {.hash_seed = 7};
	struct journal_start found;
	struct event ev;

	engine_limits_default(&config.limits);
	w.engine = engine_create(&config);
	CHECK_INT(w.journal->ops->recover(w.journal, restore_row, NULL, NULL, &found), 0);
	ev = event(EV_READY);
	ev.batch = w.open_batch = found.batch + 1;
	ev.boot = found.boot;
	w.durable = found.batch;
	w.committing = false;
	step(&ev);
}

static void crash(void)
{
	engine_destroy(w.engine);
	journal_memory_crash(w.journal);
	memset(w.open, 0, sizeof w.open);
	release(true, -1);
	start();
}

static void open_conn(uint32_t conn, const char *principal)
{
	struct event ev = event(EV_OPEN);

	CHECK(!w.open[conn]);
	w.open[conn] = true;
	ev.conn = conn;
	ev.principal = bytes_of(principal);
	step(&ev);
}

static void close_conn(uint32_t conn)
{
	struct event ev = event(EV_CLOSE);

	CHECK(w.open[conn]);
	w.open[conn] = false;
	release(false, (int)conn);
	buf_clear(&w.again[conn], 0);
	ev.conn = conn;
	step(&ev);
}

static void send_text(uint32_t conn, const char *text)
{
	struct buf b = BUF_INIT;
	struct diag_error err;

	if (diag_parse(bytes_of(text), DIAG_FORMALS, &b, NULL, NULL, &err))
		test_fail(__FILE__, __LINE__, "%s: %s", text, err.why);
	send(conn, buf_bytes(&b));
	buf_close(&b);
}

static void many_hello(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		open_conn(CONNS - 1, "uid:2");
		send_text(CONNS - 1, "[1, \"hello\", {\"session\": \"new\", \"v\": 1}]");
		close_conn(CONNS - 1);
		if (i % 1000 == 999) {
			seal();
			sync_batch();
		}
	}
}

static uint64_t milliseconds(const char *text)
{
	char *unit;
	uint64_t n = strtoull(text, &unit, 10);

	return strncmp(unit, "ms", 2) == 0 ? n
	                                   : n * (*unit == 'd'   ? 86400000
	                                          : *unit == 'h' ? 3600000
	                                          : *unit == 'm' ? 60000
	                                                         : 1000);
}

static void check(void)
{
	engine_assert(w.engine);
	buf_printf(&w.trace, "tuples %llu waiting %llu outcomes %llu sessions %zu taken %llu "
	           "claims %llu\n",
	           (unsigned long long)w.engine->tuples, (unsigned long long)w.engine->waiting,
	           (unsigned long long)w.engine->outcomes, w.engine->sessions.count,
	           (unsigned long long)w.engine->taken, (unsigned long long)w.engine->claims);
}

static void limit(const char *text)
{
	struct engine_limits *l = &w.engine->config.limits;
	const char *value = strchr(text, ' ');
	uint64_t n = value ? strtoull(value, NULL, 10) : 0;

	if (strncmp(text, "ring_bytes ", 11) == 0)
		l->ring_bytes = n;
	else if (strncmp(text, "watch_bytes ", 12) == 0)
		l->watch_bytes = n;
	else if (strncmp(text, "bytes ", 6) == 0)
		l->bytes = n;
	else if (strncmp(text, "low_sessions ", 13) == 0)
		l->low_sessions = (uint32_t)n;
	else if (strncmp(text, "waiting ", 8) == 0)
		l->waiting = (uint32_t)n;
	else if (strncmp(text, "putters ", 8) == 0)
		l->putters = (uint32_t)n;
	else if (strncmp(text, "putter_bytes ", 13) == 0)
		l->putter_bytes = n;
	else if (strncmp(text, "bytes ", 6) == 0)
		l->bytes = n;
	else
		test_fail(__FILE__, __LINE__, "no such limit: %s", text);
}

static void play(char *line)
{
	char *rest = strchr(line, ' ');

	rest = rest ? rest + 1 : line + strlen(line);
	if (line[1] == ' ' && strncmp(rest, "sent ", 5) == 0) {
		struct event ev = event(EV_SENT);

		ev.conn = (uint32_t)(line[0] - 'a');
		ev.number = strtoull(rest + 5, NULL, 10);
		step(&ev);
	} else if (line[1] == ' ') {
		send_text((uint32_t)(line[0] - 'a'), rest);
	} else if (strncmp(line, "open ", 5) == 0) {
		open_conn((uint32_t)(rest[0] - 'a'), rest[1] ? rest + 2 : "uid:1");
	} else if (strncmp(line, "close ", 6) == 0) {
		close_conn((uint32_t)(rest[0] - 'a'));
	} else if (strncmp(line, "pass ", 5) == 0) {
		pass(milliseconds(rest));
	} else if (strncmp(line, "sleep ", 6) == 0) {
		struct event ev;

		w.now_ms += milliseconds(rest);
		w.wall_ms += milliseconds(rest);
		ev = event(EV_TIME);
		step(&ev);
	} else if (strncmp(line, "wall -", 6) == 0) {
		w.wall_ms -= milliseconds(rest + 1);
	} else if (strncmp(line, "wall ", 5) == 0) {
		w.wall_ms += milliseconds(rest);
	} else if (strncmp(line, "late ", 5) == 0) {
		char *who = strchr(rest, ' ');

		CHECK(who && who[2] == ' ');
		w.now_ms += milliseconds(rest);
		w.wall_ms += milliseconds(rest);
		send_text((uint32_t)(who[1] - 'a'), who + 3);
	} else if (strncmp(line, "limit ", 6) == 0) {
		limit(rest);
	} else if (strcmp(line, "slices") == 0) {
		w.slices = true;
	} else if (strcmp(line, "quiet") == 0 || strcmp(line, "loud") == 0) {
		w.quiet = *line == 'q';
	} else if (strncmp(line, "work", 4) == 0) {
		work((unsigned)strtoul(rest, NULL, 10));
	} else if (strncmp(line, "many ", 5) == 0) {
		many_hello(strtoul(rest, NULL, 10));
	} else if (strcmp(line, "seal") == 0) {
		seal();
	} else if (strcmp(line, "sync") == 0) {
		sync_batch();
	} else if (strcmp(line, "commit") == 0) {
		seal();
		sync_batch();
	} else if (strcmp(line, "crash") == 0) {
		crash();
	} else if (strcmp(line, "stop") == 0) {
		struct event ev = event(EV_STOP);

		step(&ev);
	} else if (strncmp(line, "disk ", 5) == 0) {
		struct event ev = event(EV_DISK);

		ev.low = strcmp(rest, "low") == 0;
		step(&ev);
	} else if (strcmp(line, "check") == 0) {
		check();
	} else {
		test_fail(__FILE__, __LINE__, "no such verb: %s", line);
	}
	if (!w.slices)
		work(0);
	engine_assert(w.engine);
}

static struct buf read_file(const char *path)
{
	struct buf b = BUF_INIT;
	FILE *f = fopen(path, "r");
	size_t n;

	CHECK(f);
	while ((n = fread(buf_reserve(&b, 4096), 1, 4096, f)) > 0)
		b.len += n;
	fclose(f);
	return b;
}

/* Plays the input lines of a story; its trace is then in w.trace. */
static void tell(const struct buf *story)
{
	const char *p = (const char *)story->data, *end = p + story->len;

	memset(&w, 0, sizeof w);
	w.held_end = &w.held;
	w.now_ms = 1000;
	w.wall_ms = WALL_MS;
	w.ids = 1;
	effects_init(&w.fx);
	CHECK_INT(journal_memory_open(&w.journal, &(struct journal_options){0}, true), 0);
	w.quiet = true;
	start();
	seal();
	sync_batch();
	w.quiet = false;
	for (size_t n; p < end; p += n + 1) {
		char line[1024];

		n = (size_t)((const char *)memchr(p, '\n', (size_t)(end - p)) - p);
		if (*p != '>' && *p != '#' && n > 0)
			continue;
		buf_append(&w.trace, p, n + 1);
		if (*p != '>')
			continue;
		CHECK(n < sizeof line);
		memcpy(line, p + 2, n - 2);
		line[n - 2] = 0;
		play(line);
	}
	release(true, -1);
	engine_destroy(w.engine);
	w.journal->ops->close(w.journal);
	effects_close(&w.fx);
	for (int i = 0; i < CONNS; i++)
		buf_close(&w.again[i]);
}

static const char *folder(void)
{
	return getenv("STORIES") ? getenv("STORIES") : "tests/stories";
}

static void run_story(const char *name)
{
	char path[512];
	struct buf story;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s.story", folder(), name);
	story = read_file(path);
	tell(&story);
	if (getenv("UPDATE")) {
		f = fopen(path, "w");
		CHECK(f && fwrite(w.trace.data, 1, w.trace.len, f) == w.trace.len &&
		      fclose(f) == 0);
	} else if (!bytes_equal(buf_bytes(&story), buf_bytes(&w.trace))) {
		buf_byte(&w.trace, 0);
		buf_byte(&story, 0);
		test_fail(path, 1, "the trace differs; it is now\n%s", (char *)w.trace.data);
	}
	buf_close(&story);
	buf_close(&w.trace);
}

#define STORY(name)                                                                                \
	TEST(name)                                                                                 \
	{                                                                                          \
		run_story(#name);                                                                  \
	}

STORY(a_take_waits_and_the_oldest_is_first)
STORY(readers_do_not_swallow_the_wake_up)
STORY(a_lone_request_waits_for_its_batch)
STORY(a_cancel_asked_again_waits_for_the_undoing)
STORY(a_session_resumes_after_a_crash)
STORY(a_session_resumes_on_two_connections)
STORY(a_late_hello_does_nothing)
STORY(grace_over_gives_takes_back)
STORY(a_session_that_is_over_is_never_made_anew)
STORY(cancel_takes_back_what_can_be)
STORY(bye_is_answered_after_its_commit)
STORY(without_a_session_an_unsent_take_returns)
STORY(a_client_that_never_acknowledges)
STORY(sixteen_thousand_hellos)
STORY(timeouts_take_their_time)
STORY(waiters_keep_their_order_over_a_resume)
STORY(an_index_is_built_in_slices)
STORY(a_dropped_space_goes_in_slices)
STORY(a_space_is_made_and_dropped_once)
STORY(may_narrows)
STORY(numbers_rise)
STORY(a_stopped_clock_ends_no_grace)
STORY(a_range_is_a_residue)
STORY(min_and_max_take_the_ends)
STORY(an_order_is_indexed_in_slices)
STORY(the_least_of_a_residue_is_walked_in_its_order)
STORY(a_volatile_space_is_empty_after_a_crash)
STORY(a_wake_up_is_not_lost_while_an_order_is_built)
STORY(a_choice_is_looked_up)
STORY(maps_prefixes_and_choices_match)
STORY(wrong_constraints_are_refused)
STORY(a_lease_over_wakes_a_waiter_in_the_old_place)
STORY(a_late_commit_is_refused_before_the_lease_is_looked_at)
STORY(a_session_resumes_with_its_claims_over_a_crash)
STORY(claims_end_with_their_session)
STORY(a_claim_without_a_session_ends_with_its_connection)
STORY(waiting_takers_claim)
STORY(a_commit_touches_durable_or_volatile_spaces)
STORY(claims_of_a_dropped_space_stay_until_they_end)
STORY(tries_over_is_buried)
STORY(a_resume_may_change_the_grace)
STORY(a_commit_buries)
STORY(a_delayed_job_is_due_in_its_old_place)
STORY(a_ttl_passes_while_claimed)
STORY(a_taken_tuple_is_undone_after_its_ttl)
STORY(back_with_a_delay_keeps_id_and_tries)
STORY(a_stopped_server_ends_no_lease)
STORY(the_wall_clock_is_set)
STORY(a_restart_between_put_and_due)
STORY(a_dropped_space_has_delayed_tuples)
STORY(bound_tuples_vanish_with_their_session)
STORY(bound_tuples_after_a_crash)
STORY(a_drain_does_not_end_while_a_job_is_delayed)
STORY(more_is_overdue_than_a_slice)
STORY(waits_count_what_exists)
STORY(waits_are_waiters)
STORY(a_drain_ends_after_the_last_claim)
STORY(a_drain_ends_while_its_session_is_away)
STORY(unless_puts_once)
STORY(atomic_is_all_or_nothing)
STORY(atomic_refers_to_what_it_matched)
STORY(atomic_waits_under_the_guard_that_fails)
STORY(waiting_atomics_are_waiters)
STORY(waiting_atomics_survive_crashes)
STORY(atomics_with_residue_are_tried_with_walks)
STORY(waits_see_what_is_delayed)
STORY(atomic_puts_with_options)
STORY(all_watchers_see_one_order)
STORY(a_watcher_that_is_slow)
STORY(a_ring_has_its_bytes)
STORY(all_rings_share_their_bytes)
STORY(an_out_does_not_wait_for_watchers)
STORY(watchers_are_told_what_time_does)
STORY(a_watch_goes_on_behind_a_cursor)
STORY(a_watch_ends)
STORY(watchers_wait_like_others)
STORY(a_space_has_a_shape)
STORY(a_full_space_refuses)
STORY(a_crash_keeps_a_spaces_options)
STORY(a_full_disk_lets_takes_go_on)
STORY(full_waits_for_room)
STORY(waiting_outs_resume)
STORY(a_full_server_lets_outs_wait)
STORY(waiting_outs_have_a_limit)
STORY(unless_is_asked_again_when_there_is_room)
STORY(stats_say_why_nothing_matches)
STORY(what_expires_makes_room)
STORY(no_wake_up_is_lost_between_search_and_wait)
STORY(nothing_matches_is_never_false)
STORY(one_tuple_has_one_winner)
STORY(a_returned_claim_keeps_its_order)
STORY(a_token_is_never_reissued)
