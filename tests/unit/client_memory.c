/* libtilia without memory: each allocation of each call fails in turn, once or from
 * there on. The call says so or is done; nothing is lost, and the handle lives. */
#include "../lib/calls.h"

#include "../../libclient/base/xmalloc.h"

/* The first allocation that the round did not come to fails no more: it is clean. */
static bool fail_at(const struct calls_round *round, unsigned long n, bool on, struct tilia *other)
{
	struct tilia_options o = {.space = CALLS_SPACE, .grace_ms = on ? 100 : 0,
	                          .resume_ms = on ? 100 : 0};
	struct calls c = {.round = round->name, .n = n, .t = connect_with(o),
	                  .may = TILIA_E_NOMEM, .cut = on};
	bool clean;

	calls_prepare(&c, other);
	xmalloc_fail_at(n, on);
	round->run(&c);
	clean = xmalloc_fail_at(0, false) < n;
	if (clean)
		CHECK_INT(c.failed, 0);
	CHECK_OK(tilia_ping(c.t));
	calls_check(&c, other, false);
	CHECK_OK(tilia_close(c.t));
	calls_check(&c, other, true);
	calls_clear(other);
	return clean;
}

static void each(bool on)
{
	struct tilia *other;

	tiliad_start(false);
	other = connect_here();
	for (size_t i = 0; i < calls_rounds_count; i++) {
		unsigned long n = 1;

		while (!fail_at(&calls_rounds[i], n, on, other))
			n++;
	}
	CHECK_OK(tilia_close(other));
}

TEST(a_call_without_memory_says_so_or_is_done)
{
	each(false);
}

TEST(calls_without_any_memory_from_there_on)
{
	each(true);
}

TEST(a_handle_is_not_opened_without_memory)
{
	struct tilia_options o = {.client = "a test", .space = "main"};
	int64_t start = now_ms();
	int code = -1;

	tiliad_start(false);
	for (unsigned long n = 1; code != 0; n++) {
		struct tilia *t;

		o.address = tiliad.address;
		xmalloc_fail_at(n, false);
		code = tilia_open(&t, &o);
		CHECK(xmalloc_fail_at(0, false) >= n || code == 0);
		CHECK(t != NULL || code == TILIA_E_NOMEM);
		CHECK(code == 0 || code == TILIA_E_NOMEM || code == TILIA_E_CONNECT);
		if (code == TILIA_E_CONNECT)
			CHECK_STR(tilia_error(t), "out of memory");
		tilia_close(t);
	}
	CHECK(now_ms() - start < 20000);
}
