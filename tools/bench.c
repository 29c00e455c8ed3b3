/* bench: how fast is my server from here? Connections, each with a number of
 * requests on their way, for some seconds. */
#include "histogram.h"
#include "link.h"
#include "tilia.h"

#include "../libclient/base/xmalloc.h"
#include "../libclient/item.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BENCH_CONNECTIONS_MAX 10000
#define BENCH_PIPELINE_MAX 1024
#define BENCH_PAYLOAD_MAX ((uint64_t)1000000)
#define BENCH_NAME "tilia bench" /* first field of its tuples */

enum {
	OPT_CONNECTIONS = OPT_OWN,
	OPT_PIPELINE,
	OPT_PAYLOAD,
	OPT_SECONDS,
	OPT_PAIRS,
	OPT_NO_SESSION
};

const struct option_row bench_options[] = {
	{OPT_CONNECTIONS, 'c', "connections", OPT_VALUE, "N", "connections (50)"},
	{OPT_PIPELINE, 'p', "pipeline", OPT_VALUE, "N", "requests on their way in each (1)"},
	{OPT_PAYLOAD, 'b', "payload", OPT_VALUE, "BYTES", "of each tuple (64)"},
	{OPT_SECONDS, 't', "time", OPT_VALUE, "TIME", "how long (3s)"},
	{OPT_PAIRS, 0, "pairs", OPT_FLAG, NULL, "put and take in turn (put only)"},
	{OPT_NO_SESSION, 0, "no-session", OPT_FLAG, NULL, "connections without sessions"},
	OPT_ROW_SPACE,
	OPT_ROW_CONNECT,
	OPT_ROWS_END,
};

struct bench {
	struct link link;
	struct tilia_op op;
	uint64_t connections, pipeline, payload, ms;
	bool pairs, no_session;
	struct tilia **handle; /* one a connection */
	struct pollfd *poll;
	struct lane *lanes; /* one a request on its way */
	struct buf tuple, template;
	struct histogram took;
	uint64_t in_flight, ends_ns;
	int status;
};

/* One request after the other. */
struct lane {
	struct bench *bench;
	struct tilia *t;
	uint64_t key, began_ns;
	bool takes; /* the request on its way is the take of a pair */
};

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void next(struct lane *lane);

static void on_done(struct tilia *t, struct tilia_done *d, void *arg)
{
	struct lane *lane = arg;
	struct bench *bench = lane->bench;
	uint64_t now = clock_ns();

	(void)t;
	bench->in_flight--;
	if (d->code < 0) {
		if (bench->status == 0)
			bench->status = link_failed(&bench->link, d->code, d->error);
		return;
	}
	histogram_add(&bench->took, now - lane->began_ns);
	lane->takes = bench->pairs && !lane->takes;
	if (lane->takes || (now < bench->ends_ns && !link_interrupted() && bench->status == 0))
		next(lane);
}

/* [name, pid, key, payload], or its template. */
static struct bytes message(struct lane *lane)
{
	struct bench *bench = lane->bench;
	struct buf *b = lane->takes ? &bench->template : &bench->tuple;

	buf_clear(b, SIZE_MAX);
	item_put_head(b, ITEM_ARRAY, 4);
	item_put_text(b, BENCH_NAME);
	item_put_int(b, getpid());
	item_put_uint(b, lane->key);
	if (lane->takes) {
		item_put_head(b, ITEM_TAG, ITEM_TAG_FORMAL);
		item_put_null(b);
	} else {
		item_put_head(b, ITEM_BYTES, bench->payload);
		memset(buf_reserve(b, bench->payload), 'x', bench->payload);
		b->len += bench->payload;
	}
	return buf_bytes(b);
}

static void next(struct lane *lane)
{
	struct bench *bench = lane->bench;
	struct bytes m = message(lane);
	int64_t request;

	lane->began_ns = clock_ns();
	request = tilia_submit(lane->t, lane->takes ? TILIA_IN : TILIA_OUT, &bench->op, m.p, m.n,
	                       on_done, lane);
	if (request > 0)
		bench->in_flight++;
	else if (bench->status == 0)
		bench->status = link_failed(&bench->link, (int)request, NULL);
}

static int open_all(struct bench *bench)
{
	struct tilia_options options = {.address = bench->link.address,
	                                .client = "tilia bench",
	                                .no_session = bench->no_session};

	for (uint64_t i = 0; i < bench->connections; i++) {
		int code = tilia_open(&bench->handle[i], &options);

		if (code != 0) {
			tool_complain(bench->link.command, "connection %llu: %s",
			              (unsigned long long)i + 1, tilia_error(bench->handle[i]));
			return EXIT_NO_SERVER;
		}
	}
	return 0;
}

static void start_all(struct bench *bench)
{
	bench->ends_ns = clock_ns() + bench->ms * 1000000;
	for (uint64_t i = 0; i < bench->connections * bench->pipeline; i++) {
		struct lane *lane = &bench->lanes[i];

		*lane = (struct lane){bench, bench->handle[i % bench->connections], i, 0, false};
		next(lane);
	}
}

/* Waits for all handles at once and moves what is there. */
static void turn(struct bench *bench)
{
	for (uint64_t i = 0; i < bench->connections; i++) {
		int events = tilia_events(bench->handle[i]);

		bench->poll[i].fd = tilia_fd(bench->handle[i]);
		bench->poll[i].events = (short)((events & TILIA_READ ? POLLIN : 0) |
		                                (events & TILIA_WRITE ? POLLOUT : 0));
	}
	if (poll(bench->poll, (nfds_t)bench->connections, 100) < 0)
		return;
	for (uint64_t i = 0; i < bench->connections; i++) {
		short got = bench->poll[i].revents;
		int events = (got & (POLLIN | POLLHUP | POLLERR) ? TILIA_READ : 0) |
		             (got & POLLOUT ? TILIA_WRITE : 0);

		if (events || tilia_deadline_ms(bench->handle[i]) == 0)
			tilia_process(bench->handle[i], events);
	}
}

/* Takes the tuples that it put away again. */
static int clean(struct bench *bench)
{
	struct tilia_op op = bench->op;
	struct buf template = BUF_INIT;
	struct link_result r;
	int status = 0;

	item_put_head(&template, ITEM_ARRAY, 4);
	item_put_text(&template, BENCH_NAME);
	item_put_int(&template, getpid());
	for (int i = 0; i < 2; i++) {
		item_put_head(&template, ITEM_TAG, ITEM_TAG_FORMAL);
		item_put_null(&template);
	}
	op.max = 1024;
	op.timeout_ms = TILIA_NOWAIT;
	link_result_init(&r);
	while (status == 0) {
		link_try(&bench->link, TILIA_IN, &op, buf_bytes(&template), &r);
		status = r.code == TILIA_NONE ? EXIT_NONE
		         : r.code ? link_failed(&bench->link, r.code, (char *)r.error.data) : 0;
	}
	link_result_close(&r);
	buf_close(&template);
	return status == EXIT_NONE ? 0 : status;
}

static void report(const struct bench *bench, double seconds)
{
	printf("%s, %llu connections, %llu on their way in each, payload %llu bytes, %.1f s\n",
	       bench->pairs ? "put and take" : "put", (unsigned long long)bench->connections,
	       (unsigned long long)bench->pipeline, (unsigned long long)bench->payload, seconds);
	printf("%.0f operations/s, p50 %.3f ms, p99 %.3f ms, longest %.3f ms\n",
	       (double)bench->took.count / seconds, (double)histogram_at(&bench->took, 0.5) / 1e6,
	       (double)histogram_at(&bench->took, 0.99) / 1e6, (double)bench->took.max / 1e6);
}

static int measure(struct bench *bench)
{
	uint64_t began;
	int status = open_all(bench);

	if (status != 0)
		return status;
	began = clock_ns();
	start_all(bench);
	while (bench->in_flight > 0 && bench->status == 0)
		turn(bench);
	if (bench->status == 0)
		report(bench, (double)(clock_ns() - began) / 1e9);
	return bench->status;
}

static int run_all(struct bench *bench)
{
	int left, status;
	size_t n = (size_t)bench->connections;

	status = link_open(&bench->link);
	if (status != 0)
		return status;
	bench->handle = xcalloc(n, sizeof(struct tilia *));
	bench->poll = xcalloc(n, sizeof *bench->poll);
	bench->lanes = xcalloc(n * (size_t)bench->pipeline, sizeof *bench->lanes);
	status = measure(bench);
	for (size_t i = 0; i < n; i++)
		tilia_close(bench->handle[i]);
	left = clean(bench);
	status = status ? status : left;
	left = link_close(&bench->link);
	xfree(bench->handle);
	xfree(bench->poll);
	xfree(bench->lanes);
	buf_close(&bench->tuple);
	buf_close(&bench->template);
	left = left ? left : tool_flush(bench->link.command);
	return status ? status : left;
}

static bool at_least_one(const struct option_scan *s, uint64_t most, uint64_t *value)
{
	if (!option_count(s, most, value))
		return false;
	if (*value == 0)
		tool_usage(s->command, "--%s is at least 1", s->row->name);
	return *value > 0;
}

static bool set_option(void *ctx, const struct option_scan *s, int id)
{
	struct bench *bench = ctx;

	switch (id) {
	case OPT_CONNECT:
		bench->link.address = s->value;
		return true;
	case OPT_SPACE:
		bench->op.space = s->value;
		return true;
	case OPT_CONNECTIONS:
		return at_least_one(s, BENCH_CONNECTIONS_MAX, &bench->connections);
	case OPT_PIPELINE:
		return at_least_one(s, BENCH_PIPELINE_MAX, &bench->pipeline);
	case OPT_PAYLOAD:
		return option_count(s, BENCH_PAYLOAD_MAX, &bench->payload);
	case OPT_SECONDS:
		return option_duration(s, &bench->ms);
	case OPT_PAIRS:
		return bench->pairs = true;
	}
	return bench->no_session = true;
}

int bench_main(const struct command *c, int argc, char **argv)
{
	static struct bench bench; /* the histogram is large for a stack */
	struct option_scan s;
	int status;

	bench = (struct bench){.link.command = c->name, .connections = 50, .pipeline = 1,
	                       .payload = 64, .ms = 3000};
	if (!tool_options(&s, c, argc, argv, set_option, &bench, &status))
		return status;
	if (s.at < argc)
		return tool_usage(c->name, "nothing but options");
	return run_all(&bench);
}
