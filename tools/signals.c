#include "signals.h"

#include <stddef.h>

sigset_t signals_open;

static volatile sig_atomic_t ends, first;

static void on_end(int number)
{
	if (ends++ == 0)
		first = number;
}

static void on_child(int number)
{
	(void)number;
}

void signals_catch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
	struct sigaction sa = {0}, old;
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		sa.sa_handler = numbers[i] == SIGCHLD ? on_child : on_end;
		sigaction(numbers[i], NULL, &old);
		if (old.sa_handler != SIG_IGN || numbers[i] == SIGCHLD)
			sigaction(numbers[i], &sa, NULL);
		sigaddset(&held, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &held, &signals_open);
	sigdelset(&signals_open, SIGCHLD);
}

int signals_ends(void)
{
	return ends;
}

int signals_first(void)
{
	return first;
}
