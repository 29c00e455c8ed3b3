/* libtilia against a real tiliad: wait, atomic, drain, and the options of what is put. */
#include "../lib/tiliad.h"

#include "../../libclient/base/xmalloc.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

/* Ends `t`'s wait as soon as something waits in the server. */
struct interrupter {
	struct tilia *t, *other;
};

static uint64_t waiting(struct tilia *t)
{
	unsigned long long n = 0;
	size_t size;
	void *p;
	char *text, *at;

	CHECK_OK(tilia_stats(t, NULL, &p, &size));
	text = tilia_text(p, size);
	at = text == NULL ? NULL : strstr(text, "\"waiting\": ");
	CHECK(at != NULL && sscanf(at, "\"waiting\": %llu", &n) == 1);
	tilia_free(text);
	tilia_free(p);
	return n;
}

static void *interrupt_when_waiting(void *arg)
{
	struct interrupter *i = arg;

	while (waiting(i->other) == 0)
		pause_ms(1);
	tilia_interrupt(i->t);
	return NULL;
}

static struct tilia_tuple *claim(struct tilia *t, const char *template)
{
	struct tilia_op op = {.lease_ms = 60000, .timeout_ms = TILIA_NOWAIT};
	struct tilia_tuple *found;

	CHECK_OK(tilia_in_text_x(t, &op, template, &found));
	return found;
}

static void give_back(struct tilia *t, struct tilia_tuple *found, int64_t delay_ms)
{
	uint64_t token = tilia_tuple_token(found);
	struct tilia_commit c = {.back = &token, .back_count = 1, .back_delay_ms = &delay_ms};

	CHECK_OK(tilia_commit(t, &c, NULL));
	tilia_tuple_free(found);
}

TEST(waits_for_a_number_and_for_none)
{
	struct tilia_op now = {.timeout_ms = TILIA_NOWAIT}, seen = {.visible = true};
	struct tilia_tuple *found;
	struct tilia *t;
	uint64_t n = 0;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out(t, "si", "job", 1));
	CHECK_OK(tilia_out(t, "si", "job", 2));
	CHECK_OK(tilia_wait(t, TILIA_GE, 2, "s?i", "job", NULL));
	CHECK_INT(tilia_wait_x(t, &now, TILIA_GE, 3, &n, "s?i", "job", NULL), TILIA_NONE);
	CHECK_OK(tilia_wait_text(t, NULL, TILIA_GE, 1, "[\"job\", ?int]", &n));
	CHECK_INT(n, 2);
	CHECK_OK(tilia_wait_cbor(t, NULL, TILIA_EQ, 0, "\x81\x01", 2, &n));
	CHECK_INT(n, 0);
	found = claim(t, "[\"job\", 1]");
	CHECK_OK(tilia_in(t, "si", "job", 2));
	CHECK_INT(tilia_wait_x(t, &now, TILIA_EQ, 0, NULL, "s?i", "job", NULL), TILIA_NONE);
	CHECK_OK(tilia_wait_x(t, &seen, TILIA_EQ, 0, NULL, "s?i", "job", NULL));
	CHECK_OK(tilia_count_x(t, &seen, &n, "s?i", "job", NULL));
	CHECK_INT(n, 0);
	give_back(t, found, 0);
	CHECK_INT(tilia_wait(t, TILIA_EQ, 1, "i", 1), TILIA_E_USAGE);
	CHECK_INT(tilia_wait(t, (enum tilia_until)7, 1, "i", 1), TILIA_E_USAGE);
	CHECK_INT(tilia_wait_text(t, NULL, TILIA_GE, 1, "[?nt]", NULL), TILIA_E_SYNTAX);
	CHECK_OK(tilia_close(t));
}

TEST(unless_and_drain_see_all_that_exists)
{
	struct tilia_op unless = {.unless = "[\"job\", ?]"}, drain = {.drain = true};
	struct tilia_op cbor = {.unless_cbor = "\x81\x01", .unless_size = 2};
	struct tilia_tuple *found;
	struct tilia *t;
	uint64_t ids[2];

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out_x(t, &unless, NULL, "si", "job", 1));
	CHECK_INT(tilia_out_x(t, &unless, NULL, "si", "job", 2), TILIA_NONE);
	CHECK_INT(tilia_outs_cbor(t, &unless, "\x81\x81\x01", 3, ids), TILIA_NONE);
	CHECK_OK(tilia_outs_cbor(t, &cbor, "\x82\x81\x01\x81\x02", 5, ids));
	CHECK(ids[0] < ids[1]);
	CHECK_INT(tilia_outs_cbor(t, &cbor, "\x81\x81\x02", 3, ids), TILIA_NONE);
	found = claim(t, "[\"job\", ?]");
	CHECK_INT(tilia_out_text_x(t, &unless, NULL, "[\"job\", 3]"), TILIA_NONE);
	unless.visible = true;
	CHECK_OK(tilia_out_text_x(t, &unless, NULL, "[\"job\", 3]"));
	CHECK_OK(tilia_in_x(t, &drain, NULL, "si", "job", 3));
	give_back(t, found, 0);
	CHECK_OK(tilia_in_x(t, &drain, NULL, "s?i", "job", NULL));
	CHECK_INT(tilia_in_x(t, &drain, NULL, "s?i", "job", NULL), TILIA_NONE);
	CHECK_OK(tilia_close(t));
}

TEST(delayed_bound_and_short_lived_tuples)
{
	struct tilia_op later = {.delay_ms = 100}, soon_gone = {.ttl_ms = 100};
	struct tilia_op bound = {.bound = true};
	struct tilia_step step = {.kind = TILIA_STEP_OUT, .text = "[3]", .ttl_ms = 100};
	struct tilia_put put = {.cbor = "\x81\x04", .size = 2, .ttl_ms = 100};
	struct tilia_commit c = {.out = &put, .out_count = 1};
	struct tilia *t, *other;
	struct tilia_tuple *found;
	int64_t began;

	tiliad_start(false);
	t = connect_here();
	other = connect_here();
	began = now_ms();
	CHECK_OK(tilia_out_x(t, &later, NULL, "i", 1));
	CHECK_INT(tilia_inp(t, "i", 1), TILIA_NONE);
	CHECK_OK(tilia_rd_text(t, "[1]", &found));
	tilia_tuple_free(found);
	CHECK(now_ms() - began >= 80);
	found = claim(t, "[1]");
	began = now_ms();
	give_back(t, found, 100);
	CHECK_INT(tilia_inp(t, "i", 1), TILIA_NONE);
	CHECK_OK(tilia_in(t, "i", 1));
	CHECK(now_ms() - began >= 80);
	CHECK_OK(tilia_out_x(t, &soon_gone, NULL, "i", 2));
	CHECK_OK(tilia_atomic(t, NULL, &step, 1));
	CHECK_OK(tilia_commit(t, &c, NULL));
	CHECK_OK(tilia_wait(t, TILIA_EQ, 0, "?i", NULL));
	CHECK_OK(tilia_out_x(other, &bound, NULL, "i", 5));
	CHECK_OK(tilia_rdp(t, "i", 5));
	CHECK_OK(tilia_close(other));
	CHECK_OK(tilia_wait(t, TILIA_EQ, 0, "?i", NULL));
	CHECK_OK(tilia_close(t));
}

TEST(an_atomic_happens_as_a_whole_or_not_at_all)
{
	struct tilia_step s[] = {
		{.kind = TILIA_STEP_IN, .text = "[\"counter\", ?int]"},
		{.kind = TILIA_STEP_NO, .text = "[\"stop\"]", .visible = true},
		{.kind = TILIA_STEP_RD, .cbor = "\x81\x01", .size = 2},
		{.kind = TILIA_STEP_OUT, .text = "[\"counter\", @0.1 + 1]"},
		{.kind = TILIA_STEP_OUT, .space = "main", .text = "[@2.0, [@0.0, @0.1-41]]"},
	};
	struct tilia_op now = {.timeout_ms = TILIA_NOWAIT};
	struct tilia *t;
	int64_t v = 0;
	char *text;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out(t, "si", "counter", 41));
	CHECK_INT(tilia_atomic(t, &now, s, 5), TILIA_E_SYNTAX);
	s[3].text = "[\"counter\", @0.1+1]";
	CHECK_INT(tilia_atomic(t, &now, s, 5), TILIA_NONE);
	CHECK(s[0].found == NULL && s[4].id == 0);
	CHECK_OK(tilia_out(t, "i", 1));
	CHECK_OK(tilia_atomic(t, NULL, s, 5));
	CHECK_OK(tilia_tuple_int(s[0].found, 1, &v));
	CHECK_INT(v, 41);
	CHECK(s[1].found == NULL && s[3].found == NULL && s[2].id == 0);
	CHECK_OK(tilia_tuple_int(s[2].found, 0, &v));
	CHECK_INT(v, 1);
	CHECK(s[3].id > tilia_tuple_id(s[2].found) && s[4].id > s[3].id);
	tilia_tuple_free(s[0].found);
	tilia_tuple_free(s[2].found);
	CHECK_OK(tilia_rd_text(t, "[1, ?]", &s[0].found));
	text = tilia_tuple_text(s[0].found);
	CHECK_STR(text, "[1, [\"counter\", 0]]");
	tilia_free(text);
	tilia_tuple_free(s[0].found);
	CHECK_OK(tilia_out(t, "s", "stop"));
	CHECK_INT(tilia_atomic(t, &now, s, 5), TILIA_NONE);
	CHECK_OK(tilia_inp(t, "si", "counter", 42));
	CHECK_OK(tilia_close(t));
}

TEST(a_wrong_step_is_named)
{
	struct tilia_step s[] = {
		{.kind = TILIA_STEP_RD, .text = "[1]"},
		{.kind = TILIA_STEP_OUT, .text = "[@0.3]"},
	};
	struct tilia_op max = {.max = 2};
	struct tilia *t;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out(t, "i", 1));
	CHECK_INT(tilia_atomic(t, NULL, s, 2), TILIA_E_VALUE);
	CHECK(strstr(tilia_error(t), "field 3 of guard 0") != NULL);
	s[1] = (struct tilia_step){.kind = TILIA_STEP_RD, .text = "[1]", .visible = true};
	CHECK_INT(tilia_atomic(t, NULL, s, 2), TILIA_E_USAGE);
	CHECK_STR(tilia_error(t), "step 1: visible is for no");
	s[1] = (struct tilia_step){.kind = TILIA_STEP_NO, .text = "[1]", .ttl_ms = 1};
	CHECK_INT(tilia_atomic(t, NULL, s, 2), TILIA_E_USAGE);
	s[1] = (struct tilia_step){.kind = TILIA_STEP_OUT};
	CHECK_INT(tilia_atomic(t, NULL, s, 2), TILIA_E_USAGE);
	CHECK_STR(tilia_error(t), "step 1: text or cbor, one of them");
	s[1] = (struct tilia_step){.kind = (enum tilia_step_kind)9, .text = "[1]"};
	CHECK_INT(tilia_atomic(t, NULL, s, 2), TILIA_E_USAGE);
	s[1] = (struct tilia_step){.kind = TILIA_STEP_OUT, .text = "[1]", .ttl_ms = -1};
	CHECK_INT(tilia_atomic(t, NULL, s, 2), TILIA_E_USAGE);
	CHECK_INT(tilia_atomic(t, &max, s, 1), TILIA_E_USAGE);
	CHECK_INT(tilia_atomic(t, NULL, s, 0), TILIA_E_REQUEST);
	CHECK_OK(tilia_close(t));
}

TEST(an_interrupted_atomic_has_no_effect)
{
	struct tilia_step s[] = {
		{.kind = TILIA_STEP_IN, .text = "[\"a\"]"},
		{.kind = TILIA_STEP_IN, .text = "[\"b\"]"},
	};
	struct interrupter i;
	pthread_t thread;

	tiliad_start(false);
	i = (struct interrupter){connect_here(), connect_here()};
	CHECK_OK(tilia_out(i.other, "s", "a"));
	CHECK_OK(pthread_create(&thread, NULL, interrupt_when_waiting, &i));
	CHECK_INT(tilia_atomic(i.t, NULL, s, 2), TILIA_E_INTERRUPTED);
	pthread_join(thread, NULL);
	CHECK_INT(waiting(i.other), 0);
	CHECK_OK(tilia_inp(i.t, "s", "a"));
	CHECK_OK(tilia_close(i.t));
	CHECK_OK(tilia_close(i.other));
}

struct seen {
	int calls, code;
	uint64_t number;
	size_t size;
};

static void on_done(struct tilia *t, struct tilia_done *d, void *arg)
{
	(void)t;
	*(struct seen *)arg =
		(struct seen){((struct seen *)arg)->calls + 1, d->code, d->number, d->size};
}

TEST(submitted_waits_and_atomics_call_back)
{
	static const char step[] =
		"[[\"in\", \"main\", [\"job\", ?int]], [\"out\", \"main\", [@0.1]]]";
	struct seen wait = {0}, atomic = {0}, none = {0};
	struct tilia_op now = {.timeout_ms = TILIA_NOWAIT};
	struct tilia *t;
	size_t size, condition;
	void *steps, *until;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_parse(t, &steps, &size, step));
	CHECK_OK(tilia_parse(t, &until, &condition, "[[?int], [\"ge\", 1]]"));
	CHECK(tilia_submit(t, TILIA_WAIT, NULL, until, condition, on_done, &wait) > 0);
	CHECK(tilia_submit(t, TILIA_ATOMIC, &now, steps, size, on_done, &none) > 0);
	CHECK(tilia_submit(t, TILIA_ATOMIC, NULL, steps, size, on_done, &atomic) > 0);
	CHECK_OK(tilia_flush(t, 2));
	CHECK(none.calls == 1 && none.code == TILIA_NONE);
	CHECK_OK(tilia_out(t, "si", "job", 5));
	CHECK_OK(tilia_flush(t, 0));
	CHECK(atomic.calls == 1 && atomic.code == 0 && atomic.size > 8);
	CHECK(wait.calls == 1 && wait.code == 0 && wait.number == 1);
	tilia_free(steps);
	tilia_free(until);
	CHECK_OK(tilia_close(t));
}

TEST(without_memory_a_statement_fails_and_the_handle_lives)
{
	struct tilia *t, *other;

	tiliad_start(false);
	other = connect_here();
	t = connect_here();
	for (unsigned long n = 1;; n++) {
		struct tilia_op op = {.unless = "[?]", .ttl_ms = 600000};
		struct tilia_step s[] = {
			{.kind = TILIA_STEP_IN, .text = "[?int]"},
			{.kind = TILIA_STEP_OUT, .text = "[@0.0+1, \"x\"]"},
		};
		int put, wait, both;
		unsigned long used;

		xmalloc_fail_at(n, 0);
		put = tilia_out_x(t, &op, NULL, "i", 1);
		wait = tilia_wait(t, TILIA_EQ, 0, "s", "nothing");
		op = (struct tilia_op){.timeout_ms = TILIA_NOWAIT};
		both = tilia_atomic(t, &op, s, 2);
		used = xmalloc_fail_at(0, 0);
		CHECK(put == 0 || put == TILIA_E_NOMEM);
		CHECK(wait == 0 || wait == TILIA_E_NOMEM);
		CHECK(both == 0 || both == TILIA_NONE || both == TILIA_E_NOMEM);
		CHECK((both == 0) == (s[0].found != NULL));
		CHECK(both != TILIA_NONE || tilia_inp(other, "_") == TILIA_NONE);
		tilia_tuple_free(s[0].found);
		while (tilia_inp(other, "_") == 0 || tilia_inp(other, "__") == 0)
			;
		if (used < n)
			break;
	}
	CHECK_OK(tilia_close(t));
	CHECK_OK(tilia_close(other));
}

/* --- over a server that is killed ------------------------------------------------ */

#define RAISES 300
#define RAISERS 3

static void *raise_counter(void *arg)
{
	struct tilia *t = connect_here();

	(void)arg;
	for (int i = 0; i < RAISES; i++) {
		struct tilia_step s[] = {
			{.kind = TILIA_STEP_IN, .text = "[\"counter\", ?int]"},
			{.kind = TILIA_STEP_OUT, .text = "[\"counter\", @0.1+1]"},
		};

		CHECK_OK(tilia_atomic(t, NULL, s, 2));
		CHECK(s[0].found != NULL && s[1].id != 0);
		tilia_tuple_free(s[0].found);
	}
	CHECK_OK(tilia_close(t));
	return NULL;
}

TEST(atomics_happen_once_over_killed_servers)
{
	pthread_t threads[RAISERS], waiter;
	struct tilia *t;

	tiliad_start(true);
	t = connect_here();
	CHECK_OK(tilia_out(t, "si", "counter", 0));
	for (int i = 0; i < RAISERS; i++)
		CHECK_OK(pthread_create(&threads[i], NULL, raise_counter, NULL));
	for (int i = 0; i < 8; i++) {
		pause_ms(15 + 7 * (i % 3));
		tiliad_end(SIGKILL);
		tiliad_run();
	}
	CHECK_OK(tilia_wait(t, TILIA_GE, 1, "si", "counter", RAISES * RAISERS));
	for (int i = 0; i < RAISERS; i++)
		pthread_join(threads[i], NULL);
	CHECK_OK(tilia_inp(t, "si", "counter", RAISES * RAISERS));
	/* A wait that was under way is asked again. */
	CHECK_OK(pthread_create(&waiter, NULL, raise_counter, NULL));
	while (waiting(t) == 0)
		pause_ms(1);
	tiliad_end(SIGKILL);
	tiliad_run();
	CHECK_OK(tilia_out(t, "si", "counter", 0));
	CHECK_OK(tilia_wait(t, TILIA_GE, 1, "si", "counter", RAISES));
	pthread_join(waiter, NULL);
	CHECK_OK(tilia_close(t));
}
