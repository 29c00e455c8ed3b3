/* libtilia with a socket that fails: each reading and writing of each call is cut
 * short, or finds the stream broken. The calls do not notice, and nothing is lost. */
#include "../lib/calls.h"
#include "../lib/cut.h"

static bool fail_at(const struct calls_round *round, enum cut_calls which, unsigned long n,
                    enum cut_how how, struct tilia *other)
{
	struct calls c = {.round = round->name, .n = n,
	                  .t = connect_with((struct tilia_options){.space = CALLS_SPACE})};
	unsigned long made;

	calls_prepare(&c, other);
	cut_at(which, n, how);
	round->run(&c);
	made = cut_at(which, 0, how);
	calls_check(&c, other, false);
	CHECK_OK(tilia_close(c.t));
	calls_check(&c, other, true);
	calls_clear(other);
	return made < n;
}

static void each(enum cut_calls which)
{
	struct tilia *other;

	tiliad_start(false);
	other = connect_here();
	for (size_t i = 0; i < calls_rounds_count; i++) {
		for (int how = 0; how < CUT_HOWS; how++) {
			unsigned long n = 1;

			while (!fail_at(&calls_rounds[i], which, n, (enum cut_how)how, other))
				n++;
		}
	}
	CHECK_OK(tilia_close(other));
}

TEST(calls_do_not_notice_a_write_that_fails)
{
	each(CUT_SEND);
}

TEST(calls_do_not_notice_a_read_that_fails)
{
	each(CUT_RECV);
}

TEST(opening_and_closing_survive_a_socket_that_fails)
{
	struct tilia_options o = {.space = "main"};

	tiliad_start(false);
	o.address = tiliad.address;
	for (int i = 0; i < 2 * CUT_HOWS; i++) {
		enum cut_calls which = i % 2 ? CUT_SEND : CUT_RECV;
		unsigned long n = 1, made;

		do {
			struct tilia *t;

			cut_at(which, n, (enum cut_how)(i / 2));
			if (tilia_open(&t, &o) == 0)
				CHECK_OK(tilia_out(t, "i", 1));
			tilia_close(t);
			made = cut_at(which, 0, CUT_SHORT);
		} while (made >= n++);
	}
}
