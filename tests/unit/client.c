/* libtilia against a real tiliad ($BUILD/tiliad), which is killed and started
 * again under it. */
#include "../lib/tiliad.h"

#include "../../libclient/base/xmalloc.h"
#include "../../libclient/tilia.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t count_all(struct tilia *t)
{
	uint64_t n;

	CHECK_INT(tilia_count_text(t, NULL, "null", &n), 0);
	return n;
}

/* --- what a call does ------------------------------------------------------ */

TEST(every_type_goes_there_and_back)
{
	struct tilia *t;
	int i, v;
	unsigned u;
	int64_t l;
	uint64_t L;
	double d;
	bool b;
	char *s, *S;
	void *y, *c, *m;
	size_t S_size, y_size, c_size, m_size;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out(t, "iulLdbsSynUv[ii]{si}ts", -5, 6u, INT64_MIN, UINT64_MAX, 2.5, 1,
	                   "text", "a\0b", (size_t)3, "\1\2", (size_t)2, 40, 1, 2, "k", 9,
	                   (uint64_t)50, "tagged"));
	CHECK_OK(tilia_in(t, "?i?u?l?L?d?b?s?S?y?n?U?v?[?{_", &i, &u, &l, &L, &d, &b, &s, &S,
	                  &S_size, &y, &y_size, &v, &c, &c_size, &m, &m_size));
	CHECK(i == -5 && u == 6 && l == INT64_MIN && L == UINT64_MAX && d == 2.5 && b && v == 40);
	CHECK_STR(s, "text");
	CHECK(S_size == 3 && y_size == 2 && c_size == 3 && m_size == 4);
	CHECK(memcmp(c, "\x82\1\2", 3) == 0 && memcmp(m, "\xa1\x61k\x09", 4) == 0);
	tilia_free(s);
	tilia_free(S);
	tilia_free(y);
	tilia_free(c);
	tilia_free(m);
	CHECK_INT(count_all(t), 0);
	CHECK_OK(tilia_close(t));
}

TEST(nothing_there_and_timeouts)
{
	struct tilia *t;
	struct tilia_op op = {.timeout_ms = 80};
	int64_t start;
	int n = 7;

	tiliad_start(false);
	t = connect_here();
	CHECK_INT(tilia_inp(t, "?i", &n), TILIA_NONE);
	CHECK_INT(tilia_rdp(t, "?i", &n), TILIA_NONE);
	start = now_ms();
	CHECK_INT(tilia_in_x(t, &op, NULL, "?i", &n), TILIA_NONE);
	CHECK(now_ms() - start >= 79);
	CHECK_INT(n, 7);
	CHECK_OK(tilia_out(t, "i", 3));
	CHECK_OK(tilia_rdp(t, "?i", &n));
	CHECK_INT(n, 3);
	CHECK_OK(tilia_inp(t, "?i", NULL));
	CHECK_INT(tilia_inp(t, "?i", &n), TILIA_NONE);
	CHECK_OK(tilia_close(t));
}

static void *take_one(void *arg)
{
	struct tilia *t = connect_here();
	int *n = arg;

	CHECK_OK(tilia_in(t, "s?i", "job", n));
	CHECK_OK(tilia_close(t));
	return NULL;
}

TEST(a_waiting_take_gets_what_another_puts)
{
	pthread_t thread;
	struct tilia *t;
	int n = 0;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(pthread_create(&thread, NULL, take_one, &n));
	pause_ms(20);
	CHECK_OK(tilia_out(t, "si", "job", 42));
	pthread_join(thread, NULL);
	CHECK_INT(n, 42);
	CHECK_OK(tilia_close(t));
}

TEST(text_cbor_and_lists)
{
	struct tilia *t;
	struct tilia_tuple *found, *second;
	struct tilia_op op = {.max = 10};
	uint64_t ids[3], n, id;
	char *text;
	const char *s;
	const void *p;
	size_t size;
	int64_t i;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out_text(t, "[\"a\", 1, h'01']"));
	/* Indefinite lengths and long heads are as good. */
	CHECK_OK(tilia_outs_cbor(t, NULL,
	                         "\x9f\x9f\x61"
	                         "a\x18\x02\x41\x02\xff\x83\x61"
	                         "b\x03\x41\x03\xff",
	                         16, ids));
	CHECK(ids[1] > ids[0]);
	CHECK_OK(tilia_count_text(t, NULL, "[\"a\", ?int, ?bytes]", &n));
	CHECK_INT(n, 2);
	CHECK_OK(tilia_count_cbor(t, NULL, "\xf6", 1, &n));
	CHECK_INT(n, 3);
	CHECK_OK(tilia_count(t, &n, "si_", "b", 3));
	CHECK_INT(n, 1);
	CHECK_OK(tilia_rd_text_x(t, &op, "[\"a\", ?, ?]", &found));
	second = tilia_tuple_next(found);
	CHECK(second != NULL && tilia_tuple_next(second) == NULL);
	CHECK_INT(tilia_tuple_id(second), ids[0]);
	CHECK_INT(tilia_tuple_arity(second), 3);
	CHECK_OK(tilia_tuple_string(second, 0, &s, &size));
	CHECK_STR(s, "a");
	CHECK_OK(tilia_tuple_int(second, 1, &i));
	CHECK_INT(i, 2);
	CHECK_OK(tilia_tuple_bytes(second, 2, &p, &size));
	CHECK(size == 1 && *(const char *)p == 2);
	CHECK_INT(tilia_tuple_type(second, 3), TILIA_NOTHING);
	CHECK_INT(tilia_tuple_int(second, 0, &i), TILIA_E_VALUE);
	text = tilia_tuple_text(second);
	CHECK_STR(text, "[\"a\", 2, h'02']");
	tilia_free(text);
	id = tilia_tuple_id(found);
	tilia_tuple_free(found);
	op = (struct tilia_op){.after = id, .timeout_ms = TILIA_NOWAIT};
	CHECK_OK(tilia_rd_cbor(t, &op, "\xf6", 1, &found));
	CHECK_INT(tilia_tuple_id(found), ids[0]);
	tilia_tuple_free(found);
	op.after = ids[1];
	CHECK_INT(tilia_rd_cbor(t, &op, "\xf6", 1, &found), TILIA_NONE);
	CHECK(found == NULL);
	op = (struct tilia_op){.max = 1024};
	CHECK_OK(tilia_in_text_x(t, &op, "null", &found));
	CHECK(tilia_tuple_next(tilia_tuple_next(found)) != NULL);
	CHECK_OK(tilia_tuple_scan(found, "s?l?y", "a", &i, NULL, NULL));
	CHECK_INT(i, 1);
	CHECK_INT(tilia_tuple_scan(found, "s?l?y", "b", &i, NULL, NULL), TILIA_NONE);
	tilia_tuple_free(found);
	CHECK_INT(count_all(t), 0);
	CHECK_OK(tilia_close(t));
}

TEST(errors_say_what_and_where)
{
	struct tilia *t;
	struct tilia_op op = {.space = "nowhere"};
	struct tilia_tuple *found;
	int n = 0;

	tiliad_start(false);
	t = connect_here();
	CHECK_INT(tilia_out_x(t, &op, NULL, "i", 1), TILIA_E_NO_SPACE);
	CHECK(strstr(tilia_error(t), "nowhere") != NULL);
	CHECK_INT(tilia_out(t, "i?i", 1, NULL), TILIA_E_USAGE);
	CHECK_STR(tilia_error(t), "field 1: `?` and `_` are for templates");
	CHECK_INT(tilia_out_text(t, "[1, "), TILIA_E_SYNTAX);
	CHECK(strncmp(tilia_error(t), "byte 4 of the text: ", 20) == 0);
	CHECK_INT(tilia_out_cbor(t, NULL, "\x82\x01", 2, NULL), TILIA_E_VALUE);
	CHECK_INT(tilia_out_cbor(t, NULL, "\x01", 1, NULL), TILIA_E_VALUE);
	op = (struct tilia_op){.max = 1025};
	CHECK_INT(tilia_rd_text_x(t, &op, "null", &found), TILIA_E_LIMIT);
	op = (struct tilia_op){.max = 2};
	CHECK_INT(tilia_in_x(t, &op, NULL, "?i", &n), TILIA_E_USAGE);
	CHECK_INT(tilia_out_x(t, &op, NULL, "i", 1), TILIA_E_USAGE);
	CHECK_OK(tilia_ping(t));
	CHECK_OK(tilia_close(t));
}

/* Claims the oldest job; answers its token. */
static uint64_t claim_job(struct tilia *t, int64_t lease_ms, unsigned tries)
{
	const struct tilia_op op = {.timeout_ms = TILIA_NOWAIT, .lease_ms = lease_ms};
	struct tilia_tuple *found;
	uint64_t token;

	CHECK_OK(tilia_in_text_x(t, &op, "[\"job\", ?int]", &found));
	token = tilia_tuple_token(found);
	CHECK(token > 0);
	CHECK_INT(tilia_tuple_tries(found), tries);
	tilia_tuple_free(found);
	return token;
}

TEST(claims_are_done_given_back_buried_or_over)
{
	const struct tilia_put out[] = {
		{.cbor = "\x82\x61r\x01", .size = 4},
		{.space = "main", .cbor = "\x81\x61s", .size = 3},
	};
	struct tilia_tuple *found;
	struct tilia *t, *other;
	uint64_t tokens[3], ids[2], left[2], n;
	struct tilia_commit c = {.done = tokens, .done_count = 1, .back = tokens + 1,
	                         .back_count = 1, .bury = tokens + 2, .bury_count = 1,
	                         .out = out, .out_count = 2};
	const struct tilia_op lease = {.lease_ms = 1};

	tiliad_start(true);
	t = connect_here();
	other = connect_here();
	for (int i = 0; i < 3; i++)
		CHECK_OK(tilia_out(t, "si", "job", i));
	for (int i = 0; i < 3; i++)
		tokens[i] = claim_job(t, 60000, 1);
	CHECK_INT(tilia_inp(other, "s_", "job"), TILIA_NONE);
	CHECK_OK(tilia_renew(t, tokens, 2, 90000, left));
	CHECK_INT(left[1], 90000);
	CHECK_INT(tilia_commit(other, &c, ids), TILIA_E_CLAIM_OVER);
	CHECK_INT(tilia_renew(other, tokens, 1, 90000, NULL), TILIA_E_CLAIM_OVER);
	CHECK_OK(tilia_count(t, &n, "s_", "r"));
	CHECK_INT(n, 0);
	CHECK_OK(tilia_commit(t, &c, ids));
	CHECK(ids[1] > ids[0]);
	CHECK_INT(tilia_commit(t, &c, NULL), TILIA_E_CLAIM_OVER);
	CHECK_OK(tilia_inp(other, "si", "job", 1)); /* back; 0 is done, 2 is buried */
	CHECK_INT(tilia_inp(other, "s_", "job"), TILIA_NONE);
	CHECK_OK(tilia_in_x(other, &(struct tilia_op){.space = "main.dead"}, NULL, "si", "job", 2));
	CHECK_OK(tilia_in(other, "si", "r", 1));
	/* Over with its lease, and with its handle. */
	CHECK_OK(tilia_out(t, "si", "job", 5));
	claim_job(t, 50, 1);
	CHECK_OK(tilia_in(other, "si", "job", 5));
	CHECK_OK(tilia_out(other, "si", "job", 6));
	claim_job(t, 60000, 1);
	CHECK_OK(tilia_close(t));
	claim_job(other, 60000, 2);
	CHECK_INT(tilia_in_x(other, &lease, NULL, "s_", "job"), TILIA_E_USAGE);
	CHECK_INT(tilia_rd_text_x(other, &lease, "[]", &found), TILIA_E_USAGE);
	CHECK_INT(tilia_renew(other, tokens, 1, 0, NULL), TILIA_E_USAGE);
	CHECK_OK(tilia_commit(other, &(struct tilia_commit){0}, NULL));
	CHECK_OK(tilia_close(other));
}

TEST(what_does_not_fit_is_put_back)
{
	struct tilia *t;
	int n = 5;
	char *s = NULL;
	uint64_t id, again;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out_x(t, NULL, &id, "lS", INT64_MAX, "a\0b", (size_t)3));
	CHECK_INT(tilia_in(t, "?i_", &n), TILIA_E_VALUE);
	CHECK_STR(tilia_error(t), "field 0: the integer does not fit an int");
	CHECK_INT(tilia_in(t, "_?s", &s), TILIA_E_VALUE);
	CHECK(n == 5 && s == NULL);
	CHECK_INT(count_all(t), 1);
	CHECK_OK(tilia_rd_x(t, NULL, &again, "__"));
	CHECK_INT(again, id);
	CHECK_OK(tilia_close(t));
}

TEST(spaces_statistics_and_ping)
{
	struct tilia *t;
	struct tilia_op op = {.space = "other"};
	struct tilia_space other = {.is_volatile = true, .shape = "[?int]", .tuples = 1};
	void *p;
	size_t size;
	char *text;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_space_create(t, "other", &other));
	CHECK_INT(tilia_space_create(t, "other", NULL), TILIA_E_SPACE_EXISTS);
	CHECK_INT(tilia_out_x(t, &op, NULL, "d", 1.5), TILIA_E_SHAPE);
	CHECK_STR(tilia_error(t), "out: field 0 is 1.5 (float), the space wants int");
	CHECK_OK(tilia_out_x(t, &op, NULL, "i", 1));
	CHECK_INT(tilia_out_x(t, &op, NULL, "i", 2), TILIA_E_FULL);
	other = (struct tilia_space){.set = TILIA_SPACE_SHAPE | TILIA_SPACE_TUPLES, .tuples = 2};
	CHECK_OK(tilia_space_alter(t, "other", &other));
	CHECK_OK(tilia_out_x(t, &op, NULL, "d", 1.5));
	CHECK_INT(tilia_out_x(t, &op, NULL, "d", 1.5), TILIA_E_FULL);
	other.shape = "[?in";
	CHECK_INT(tilia_space_alter(t, "other", &other), TILIA_E_SYNTAX);
	CHECK_OK(tilia_space_list(t, &p, &size));
	text = tilia_text(p, size);
	CHECK(strstr(text, "\"other\"") != NULL);
	tilia_free(p);
	tilia_free(text);
	CHECK_OK(tilia_space_drop(t, "other"));
	CHECK_INT(tilia_out_x(t, &op, NULL, "i", 1), TILIA_E_NO_SPACE);
	CHECK_OK(tilia_stats(t, NULL, &p, &size));
	text = tilia_text(p, size);
	CHECK(strstr(text, "\"boot\"") != NULL);
	tilia_free(p);
	tilia_free(text);
	CHECK_OK(tilia_close(t));
}

TEST(no_server_is_told_at_once_and_a_list_is_tried_in_turn)
{
	struct tilia_options o = {0};
	struct tilia *t;
	char list[700];
	int64_t start = now_ms();

	tiliad_start(false);
	snprintf(list, sizeof(list), "unix:%s.no", tiliad.socket);
	o.address = list;
	CHECK_INT(tilia_open(&t, &o), TILIA_E_CONNECT);
	CHECK(strstr(tilia_error(t), tiliad.socket) != NULL);
	CHECK_INT(tilia_out(t, "i", 1), TILIA_E_CONNECT);
	CHECK_INT(tilia_close(t), TILIA_E_CONNECT);
	CHECK(now_ms() - start < 5000);
	snprintf(list, sizeof(list), "unix:%s.no,tcp:127.0.0.1:1,unix:%s", tiliad.socket,
	         tiliad.socket);
	CHECK_OK(tilia_open(&t, &o));
	CHECK_OK(tilia_ping(t));
	CHECK_OK(tilia_close(t));
}

/* --- sessions -------------------------------------------------------------- */

static bool comes_back(struct tilia *t, int64_t within_ms)
{
	struct tilia_op op = {.timeout_ms = within_ms};

	return tilia_rd_x(t, &op, NULL, "?i", NULL) == 0;
}

TEST(close_keeps_what_was_taken_and_abandon_gives_it_back)
{
	struct tilia *t, *other;

	tiliad_start(false);
	other = connect_here();
	CHECK_OK(tilia_out(other, "i", 1));
	t = connect_with((struct tilia_options){.grace_ms = 50});
	CHECK_OK(tilia_in(t, "?i", NULL));
	tilia_abandon(t);
	CHECK_INT(count_all(other), 0);
	CHECK(comes_back(other, 10000));
	t = connect_with((struct tilia_options){.grace_ms = 50});
	CHECK_OK(tilia_in(t, "?i", NULL));
	CHECK_OK(tilia_close(t));
	CHECK(!comes_back(other, 300));
	CHECK_OK(tilia_close(other));
}

TEST(undo_gives_the_last_take_back_until_it_is_acknowledged)
{
	struct tilia *t;
	int n;

	tiliad_start(false);
	t = connect_here();
	CHECK_INT(tilia_undo(t, 0), TILIA_NONE);
	CHECK_OK(tilia_out(t, "i", 1));
	CHECK_OK(tilia_in(t, "?i", &n));
	CHECK_OK(tilia_undo(t, 0));
	CHECK_INT(count_all(t), 1);
	CHECK_OK(tilia_in(t, "?i", &n));
	CHECK_OK(tilia_ping(t)); /* carries the acknowledgement */
	CHECK_INT(tilia_undo(t, 0), TILIA_NONE);
	CHECK_INT(count_all(t), 0);
	CHECK_OK(tilia_close(t));
}

struct resumed {
	struct tilia *t;
	int code, n;
};

static void *take_resumed(void *arg)
{
	struct resumed *r = arg;

	r->code = tilia_in(r->t, "s?i", "late", &r->n);
	return NULL;
}

static void waits_over_the_end_of(int sig)
{
	struct resumed r = {0};
	pthread_t thread;
	struct tilia *other;

	tiliad_start(true);
	r.t = connect_here();
	CHECK_OK(pthread_create(&thread, NULL, take_resumed, &r));
	pause_ms(30);
	tiliad_end(sig);
	pause_ms(30);
	tiliad_run();
	other = connect_here();
	CHECK_OK(tilia_out(other, "si", "late", 9));
	pthread_join(thread, NULL);
	CHECK_OK(r.code);
	CHECK_INT(r.n, 9);
	CHECK_OK(tilia_close(r.t));
	CHECK_OK(tilia_close(other));
}

TEST(a_waiting_take_outlives_a_killed_server)
{
	waits_over_the_end_of(SIGKILL);
}

TEST(a_waiting_take_outlives_a_server_that_stops)
{
	waits_over_the_end_of(SIGTERM);
}

#define JOBS 600

static void *put_jobs(void *arg)
{
	struct tilia *t = connect_here();

	(void)arg;
	for (int i = 0; i < JOBS; i++)
		CHECK_OK(tilia_out(t, "si", "job", i));
	CHECK_OK(tilia_close(t));
	return NULL;
}

static int taken[JOBS];

static void *take_jobs(void *arg)
{
	struct tilia *t = connect_here();
	int n = 0;

	(void)arg;
	for (;;) {
		CHECK_OK(tilia_in(t, "s?i", "job", &n));
		if (n < 0)
			break;
		__atomic_add_fetch(&taken[n], 1, __ATOMIC_RELAXED);
	}
	CHECK_OK(tilia_close(t));
	return NULL;
}

TEST(killed_servers_lose_nothing_and_give_nothing_twice)
{
	pthread_t putter, takers[2];
	struct tilia *t;

	tiliad_start(true);
	memset(taken, 0, sizeof(taken));
	CHECK_OK(pthread_create(&putter, NULL, put_jobs, NULL));
	for (int i = 0; i < 2; i++)
		CHECK_OK(pthread_create(&takers[i], NULL, take_jobs, NULL));
	pause_ms(50); /* they begin with a server that is there */
	for (int i = 0; i < 10; i++) {
		pause_ms(20 + 7 * (i % 3));
		tiliad_end(SIGKILL);
		tiliad_run();
	}
	pthread_join(putter, NULL);
	t = connect_here();
	CHECK_OK(tilia_out(t, "si", "job", -1));
	CHECK_OK(tilia_out(t, "si", "job", -1));
	for (int i = 0; i < 2; i++)
		pthread_join(takers[i], NULL);
	for (int i = 0; i < JOBS; i++)
		CHECK_INT(taken[i], 1);
	CHECK_INT(count_all(t), 0);
	CHECK_OK(tilia_close(t));
}

TEST(a_volatile_server_that_is_gone_ends_the_session_and_takes_go_on)
{
	struct tilia *t;

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out(t, "i", 1));
	tiliad_end(SIGKILL);
	tiliad_run();
	CHECK_INT(tilia_inp(t, "?i", NULL), TILIA_NONE);
	CHECK_OK(tilia_out(t, "i", 2));
	CHECK_OK(tilia_inp(t, "i", 2));
	CHECK_OK(tilia_close(t));
}

TEST(without_a_server_calls_end_after_the_window)
{
	struct tilia *t;
	int64_t start;

	tiliad_start(false);
	t = connect_with((struct tilia_options){.resume_ms = 150});
	tiliad_end(SIGKILL);
	start = now_ms();
	CHECK_INT(tilia_in(t, "?i", NULL), TILIA_E_CLOSED);
	CHECK(now_ms() - start >= 140);
	CHECK_INT(tilia_in(t, "?i", NULL), TILIA_E_CLOSED);
	tiliad_run();
	CHECK_OK(tilia_out(t, "i", 1)); /* and go on when it is there again */
	CHECK_OK(tilia_close(t));
}

/* --- interruptions --------------------------------------------------------- */

static struct tilia *interrupted_handle;

static void on_signal(int sig)
{
	(void)sig;
	tilia_interrupt(interrupted_handle);
}

struct signaller {
	pthread_t whom;
	struct tilia *t;
	int rounds;
};

/* Puts a job and sends a signal, at about the same time. */
static void *signal_and_put(void *arg)
{
	struct signaller *s = arg;

	for (int i = 0; i < s->rounds; i++) {
		struct timespec ts = {0, (long)(i * 7919L % 300000)};

		if (i % 2 == 0)
			pthread_kill(s->whom, SIGUSR1);
		nanosleep(&ts, NULL);
		CHECK_OK(tilia_out(s->t, "si", "job", i));
		if (i % 2 != 0)
			pthread_kill(s->whom, SIGUSR1);
	}
	CHECK_OK(tilia_out(s->t, "si", "job", -1));
	return NULL;
}

TEST(an_interrupted_take_loses_nothing_a_thousand_times)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct signaller s = {.whom = pthread_self(), .rounds = 1000};
	static int seen[1000];
	pthread_t thread;
	int n = 0, interruptions = 0;

	tiliad_start(false);
	memset(seen, 0, sizeof(seen));
	interrupted_handle = connect_here();
	s.t = connect_here();
	sigaction(SIGUSR1, &sa, NULL);
	CHECK_OK(pthread_create(&thread, NULL, signal_and_put, &s));
	for (;;) {
		int code = tilia_in(interrupted_handle, "s?i", "job", &n);

		if (code == TILIA_E_INTERRUPTED) {
			interruptions++;
			continue;
		}
		CHECK_OK(code);
		if (n < 0)
			break;
		seen[n]++;
	}
	pthread_join(thread, NULL);
	signal(SIGUSR1, SIG_DFL);
	CHECK(interruptions > 100);
	for (int i = 0; i < 1000; i++)
		CHECK_INT(seen[i], 1);
	CHECK_INT(count_all(s.t), 0);
	CHECK_OK(tilia_close(s.t));
	CHECK_OK(tilia_close(interrupted_handle));
}

TEST(an_interruption_without_a_server_returns_at_once)
{
	struct tilia *t;

	tiliad_start(false);
	t = connect_here();
	tiliad_end(SIGKILL);
	tilia_interrupt(t);
	CHECK_INT(tilia_in(t, "?i", NULL), TILIA_E_INTERRUPTED);
	CHECK_STR(tilia_error(t), tilia_strerror(TILIA_E_INTERRUPTED));
	tilia_abandon(t);
}

/* --- without waiting ------------------------------------------------------- */

struct tally {
	int done, failed, cancelled, chained;
	uint64_t sum;
};

static void on_done(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct tally *tally = arg;

	tally->done++;
	tally->cancelled += d->code == TILIA_E_CANCELLED;
	tally->failed += d->code < 0 && d->code != TILIA_E_CANCELLED;
	if (d->code == 0 && d->tuples != NULL) {
		int64_t v = 0;

		CHECK_OK(tilia_tuple_int(d->tuples, 0, &v));
		tally->sum += (uint64_t)v;
	}
	CHECK_INT(tilia_ping(t), TILIA_E_USAGE);
	if (tally->chained > 0) {
		tally->chained--;
		CHECK(tilia_submit(t, TILIA_PING, NULL, NULL, 0, on_done, tally) > 0);
	}
}

TEST(submitted_requests_call_back)
{
	struct tilia *t;
	struct tally tally = {.chained = 10};
	int64_t waiting;
	void *p;
	size_t size;

	tiliad_start(false);
	t = connect_here();
	for (int i = 0; i < 5000; i++) {
		CHECK_OK(tilia_build(t, &p, &size, "i", i));
		CHECK(tilia_submit(t, TILIA_OUT, NULL, p, size, on_done, &tally) > 0);
		tilia_free(p);
		CHECK_OK(tilia_flush(t, 3000));
	}
	CHECK_OK(tilia_flush(t, 0));
	CHECK_INT(tally.done, 5010);
	CHECK_INT(tally.failed, 0);
	CHECK_OK(tilia_build(t, &p, &size, "?i", NULL));
	for (int i = 0; i < 5000; i++)
		CHECK(tilia_submit(t, TILIA_IN, NULL, p, size, on_done, &tally) > 0);
	CHECK_OK(tilia_flush(t, 0));
	CHECK_INT(tally.failed, 0);
	CHECK_INT(tally.sum, 5000ull * 4999 / 2);
	waiting = tilia_submit(t, TILIA_IN, NULL, p, size, on_done, &tally);
	tilia_free(p);
	CHECK_OK(tilia_ping(t));
	CHECK_OK(tilia_cancel(t, waiting));
	CHECK_OK(tilia_flush(t, 0));
	CHECK_INT(tally.cancelled, 1);
	CHECK_INT(tilia_cancel(t, waiting), TILIA_E_USAGE);
	CHECK(tilia_submit(t, TILIA_OUT, NULL, "\xff", 1, on_done, &tally) < 0);
	CHECK_OK(tilia_close(t));
}

static void on_numbers(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct tally *tally = arg;

	(void)t;
	tally->done += d->code == 0;
	tally->failed += d->code == TILIA_E_CLAIM_OVER;
	CHECK(d->code != 0 || (d->size > 1 && ((const uint8_t *)d->cbor)[0] == 0x81));
}

TEST(submitted_claims_are_renewed_and_committed)
{
	const struct tilia_put out = {.cbor = "\x82\x61r\x01", .size = 4};
	struct tilia *t;
	struct tally tally = {0};
	uint64_t token;
	struct tilia_commit c = {.done = &token, .done_count = 1, .out = &out, .out_count = 1};

	tiliad_start(false);
	t = connect_here();
	CHECK_OK(tilia_out(t, "si", "job", 1));
	token = claim_job(t, 60000, 1);
	CHECK(tilia_submit_renew(t, &token, 1, 90000, on_numbers, &tally) > 0);
	CHECK(tilia_submit_commit(t, &c, on_numbers, &tally) > 0);
	CHECK(tilia_submit_commit(t, &c, on_numbers, &tally) > 0);
	CHECK(tilia_submit_renew(t, &token, 1, 90000, on_numbers, &tally) > 0);
	CHECK_INT(tilia_submit_renew(t, &token, 1, 0, on_numbers, &tally), TILIA_E_USAGE);
	CHECK_INT(tilia_submit_commit(t, &c, NULL, NULL), TILIA_E_USAGE);
	CHECK_OK(tilia_flush(t, 0));
	CHECK_INT(tally.done, 2);
	CHECK_INT(tally.failed, 2);
	CHECK_OK(tilia_in(t, "si", "r", 1));
	CHECK_INT(tilia_inp(t, "si", "r", 1), TILIA_NONE);
	CHECK_OK(tilia_close(t));
}

TEST(an_event_loop_needs_only_fd_events_and_deadline)
{
	struct tilia_options o = {.address = NULL};
	struct tilia *t;
	struct tally tally = {.chained = 100};

	tiliad_start(false);
	o.address = tiliad.address;
	CHECK_OK(tilia_start(&t, &o));
	CHECK(tilia_submit(t, TILIA_PING, NULL, NULL, 0, on_done, &tally) > 0);
	for (int64_t end = now_ms() + 20000; tally.done < 101 && now_ms() < end;) {
		int events = tilia_events(t);
		int64_t ms = tilia_deadline_ms(t);
		struct pollfd p = {.fd = tilia_fd(t)};

		p.events = (short)((events & TILIA_READ ? POLLIN : 0) |
		                   (events & TILIA_WRITE ? POLLOUT : 0));
		CHECK(poll(&p, 1, ms < 0 || ms > 20000 ? 20000 : (int)ms) >= 0);
		CHECK_OK(tilia_process(t, (p.revents & POLLIN ? TILIA_READ : 0) |
		                          (p.revents & POLLOUT ? TILIA_WRITE : 0)));
	}
	CHECK_INT(tally.done, 101);
	CHECK_INT(tilia_deadline_ms(t), -1); /* idle: nothing wakes it */
	CHECK_OK(tilia_close(t));
}

TEST(close_answers_what_waits)
{
	struct tilia *t;
	struct tally tally = {0};

	tiliad_start(false);
	t = connect_here();
	CHECK(tilia_submit(t, TILIA_IN, NULL, "\xf6", 1, on_done, &tally) > 0);
	CHECK_OK(tilia_close(t));
	CHECK_INT(tally.cancelled, 1);
}

/* --- memory and other transports ------------------------------------------- */

TEST(without_memory_a_call_fails_and_the_handle_lives)
{
	struct tilia *t, *other;

	tiliad_start(false);
	other = connect_here();
	t = connect_here();
	for (unsigned long n = 1;; n++) {
		char *s = NULL;
		unsigned long used;
		uint64_t left;
		int put, got;

		xmalloc_fail_at(n, 0);
		put = tilia_out(t, "is", 1, "x");
		got = tilia_inp(t, "i?s", 1, &s);
		used = xmalloc_fail_at(0, 0);
		CHECK(put == 0 || put == TILIA_E_NOMEM);
		CHECK(got == 0 || got == TILIA_NONE || got == TILIA_E_NOMEM);
		CHECK((got == 0) == (s != NULL));
		left = count_all(other);
		/* A put whose answer could not be copied was done all the same. */
		CHECK(left <= 1 && (put != 0 || left + (got == 0) == 1));
		tilia_free(s);
		if (left != 0)
			CHECK_OK(tilia_in(other, "__"));
		if (used < n)
			break;
	}
	CHECK_OK(tilia_close(t));
	CHECK_OK(tilia_close(other));
}

TEST(a_program_is_a_transport)
{
	struct tilia_options o = {0};
	struct tilia *t;
	char script[300], address[400];
	FILE *f;

	tiliad_start(false);
	snprintf(script, sizeof(script), "%s/pipe.py", test_folder());
	f = fopen(script, "w");
	fprintf(f, "import os, select, socket\n"
	           "s = socket.socket(socket.AF_UNIX)\n"
	           "s.connect('%s')\n"
	           "while True:\n"
	           "    for fd in select.select([0, s], [], [])[0]:\n"
	           "        data = os.read(fd if fd == 0 else s.fileno(), 65536)\n"
	           "        if not data: raise SystemExit\n"
	           "        s.sendall(data) if fd == 0 else os.write(1, data)\n", tiliad.socket);
	fclose(f);
	snprintf(address, sizeof(address), "cmd:python3 %s", script);
	o.address = address;
	CHECK_OK(tilia_open(&t, &o));
	CHECK_OK(tilia_out(t, "s", "through a pipe"));
	CHECK_OK(tilia_in(t, "s", "through a pipe"));
	CHECK_OK(tilia_close(t));
	CHECK_INT(waitpid(-1, NULL, WNOHANG), 0); /* no child but the server */
	o.address = "cmd:/nonexistent/program";
	CHECK_INT(tilia_open(&t, &o), TILIA_E_CONNECT);
	tilia_close(t);
	o.address = "cmd:false";
	o.connect_ms = 500;
	CHECK(tilia_open(&t, &o) < 0);
	tilia_close(t);
}

/* --- watches ----------------------------------------------------------------- */

/* The next event is of that kind, and of the tuple [n]. Its cursor. */
static uint64_t event_is(struct tilia_watch *w, enum tilia_event_kind kind, int64_t n)
{
	struct tilia_event e;
	int64_t v = -1;

	CHECK_OK(tilia_watch_next(w, 10000, &e));
	if (e.tuple != NULL)
		CHECK_OK(tilia_tuple_int(e.tuple, 0, &v));
	if (e.kind != kind || v != n)
		test_fail(__FILE__, __LINE__, "%s %lld, not %s %lld", tilia_event_word(e.kind),
		          (long long)v, tilia_event_word(kind), (long long)n);
	CHECK(e.tuple == NULL || tilia_tuple_id(e.tuple) > 0);
	tilia_tuple_free(e.tuple);
	return e.cursor;
}

static struct tilia_watch *watch_numbers(struct tilia *t, const struct tilia_op *op)
{
	struct tilia_watch *w;

	CHECK_OK(tilia_watch(t, &w, op, "?l", NULL));
	CHECK_OK(tilia_ping(t)); /* it has begun */
	return w;
}

TEST(a_watch_tells_what_happens)
{
	struct tilia_op op = {.space = "s"};
	struct tilia *a, *b;
	struct tilia_watch *w, *again;
	struct tilia_event e;
	uint64_t cursor;

	tiliad_start(false);
	a = connect_here();
	b = connect_with((struct tilia_options){.space = "s"});
	CHECK_OK(tilia_space_create(b, "s", &(struct tilia_space){.is_volatile = true}));
	w = watch_numbers(a, &op);
	CHECK_INT(tilia_watch_next(w, TILIA_NOWAIT, &e), TILIA_NONE);
	CHECK_INT(tilia_watch_next(w, 20, &e), TILIA_NONE);
	CHECK_OK(tilia_out(b, "s", "not watched"));
	CHECK_OK(tilia_out(b, "i", 1));
	cursor = event_is(w, TILIA_EVENT_PUT, 1);
	CHECK_OK(tilia_in(b, "i", 1));
	CHECK_INT(event_is(w, TILIA_EVENT_TAKE, 1), cursor + 1);
	op.after = cursor;
	again = watch_numbers(a, &op);
	event_is(again, TILIA_EVENT_TAKE, 1);
	tilia_watch_end(again);
	tilia_interrupt(a);
	CHECK_INT(tilia_watch_next(w, 0, &e), TILIA_E_INTERRUPTED);
	CHECK_OK(tilia_space_drop(b, "s"));
	event_is(w, TILIA_EVENT_DROP, -1);
	CHECK_INT(tilia_watch_next(w, 0, &e), TILIA_E_NO_SPACE);
	CHECK_INT(tilia_watch_next(w, 0, &e), TILIA_E_NO_SPACE);
	tilia_watch_end(w);
	CHECK_INT(tilia_watch_text(a, &w, NULL, "[oops"), TILIA_E_SYNTAX);
	CHECK(w == NULL);
	CHECK_INT(tilia_watch_text(a, &w, &(struct tilia_op){.max = 1}, "null"), TILIA_E_USAGE);
	CHECK_OK(tilia_watch_text(a, &w, &op, "null"));
	CHECK_INT(tilia_watch_next(w, 0, &e), TILIA_E_NO_SPACE);
	tilia_watch_end(w);
	w = watch_numbers(a, NULL);
	again = watch_numbers(b, &(struct tilia_op){.space = "main"});
	CHECK_OK(tilia_close(a));
	CHECK_INT(tilia_watch_next(w, 0, &e), TILIA_E_CANCELLED);
	tilia_abandon(b);
	CHECK_INT(tilia_watch_next(again, 0, &e), TILIA_E_CLOSED);
	tilia_watch_end(again);
	tilia_watch_end(w);
	tilia_watch_end(NULL);
	tiliad_end(SIGTERM);
}

/* A new start has none of the events: that is told, and then it goes on. */
TEST(a_watch_outlives_a_killed_server)
{
	struct tilia *a, *b;
	struct tilia_watch *w, *quiet;

	tiliad_start(true);
	a = connect_here();
	b = connect_here();
	w = watch_numbers(a, NULL);
	CHECK_OK(tilia_watch_text(a, &quiet, NULL, "[\"never\"]"));
	CHECK_OK(tilia_out(b, "i", 1));
	event_is(w, TILIA_EVENT_PUT, 1);
	for (int sig = SIGKILL; sig != 0; sig = sig == SIGKILL ? SIGTERM : 0) {
		tiliad_end(sig);
		tiliad_run();
		event_is(w, TILIA_EVENT_GAP, -1);
		event_is(quiet, TILIA_EVENT_GAP, -1);
		CHECK_OK(tilia_out(b, "i", 2));
		event_is(w, TILIA_EVENT_PUT, 2);
	}
	CHECK_OK(tilia_close(a));
	tilia_watch_end(w);
	tilia_watch_end(quiet);
	CHECK_OK(tilia_close(b));
	tiliad_end(SIGTERM);
}

/* More than a handle keeps, and less than that and the server's ring: the rest is
 * asked for again, and nothing is missing. */
TEST(a_watch_that_is_not_read_goes_on_later)
{
	enum { COUNT = 1500 };
	static char text[1000];
	struct tilia *a, *b;
	struct tilia_watch *w;
	uint64_t cursor = 0;

	tiliad_start(false);
	a = connect_here();
	b = connect_here();
	memset(text, 'x', sizeof text - 1);
	CHECK_OK(tilia_watch(a, &w, NULL, "?l?s", NULL, NULL));
	CHECK_OK(tilia_ping(a));
	for (int i = 0; i < COUNT; i++) {
		CHECK_OK(tilia_out(b, "is", i, text));
		if (i % 50 == 49)
			CHECK_OK(tilia_ping(a)); /* its events come, too */
	}
	for (int i = 0; i < COUNT; i++) {
		uint64_t at = event_is(w, TILIA_EVENT_PUT, i);

		CHECK(cursor == 0 || at == cursor + 1);
		cursor = at;
	}
	tilia_watch_end(w);
	CHECK_OK(tilia_close(a));
	CHECK_OK(tilia_close(b));
	tiliad_end(SIGTERM);
}

/* An event for which there is no memory is asked for again: it comes, or a gap does. */
TEST(without_memory_a_watch_misses_nothing_unsaid)
{
	struct tilia *a, *b;
	struct tilia_watch *w;
	struct tilia_event e;
	uint64_t last = 0;

	tiliad_start(false);
	a = connect_here();
	b = connect_here();
	for (unsigned long n = 1; n < 12; n++) {
		int code;

		xmalloc_fail_at(n, false);
		code = tilia_watch_text(a, &w, NULL, "[?int]");
		xmalloc_fail_at(0, false);
		CHECK(code == 0 || (code == TILIA_E_NOMEM && w == NULL));
		tilia_watch_end(w);
	}
	w = watch_numbers(a, NULL);
	for (int i = 1; i < 60; i++) {
		int code;

		CHECK_OK(tilia_out(b, "i", i));
		xmalloc_fail_at((unsigned long)i, false);
		code = tilia_watch_next(w, 100, &e);
		xmalloc_fail_at(0, false);
		while (code == TILIA_NONE || code == TILIA_E_NOMEM)
			code = tilia_watch_next(w, 10000, &e);
		CHECK_OK(code);
		CHECK(e.kind == TILIA_EVENT_GAP || last == 0 || e.cursor == last + 1);
		last = e.cursor;
		tilia_tuple_free(e.tuple);
	}
	tilia_watch_end(w);
	CHECK_OK(tilia_close(a));
	CHECK_OK(tilia_close(b));
	tiliad_end(SIGTERM);
}
