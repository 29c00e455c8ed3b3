#include "tiliad.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct tiliad tiliad;

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

void tiliad_run(void)
{
	const char *build = getenv("BUILD");
	char program[300], log[300];

	snprintf(program, sizeof(program), "%s/tiliad", build == NULL ? "build" : build);
	snprintf(log, sizeof(log), "%s/log", test_folder());
	if (access(program, X_OK) != 0)
		test_skip("%s is not built", program);
	unlink(tiliad.socket);
	tiliad.pid = fork();
	if (tiliad.pid == 0) {
		int fd;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		dup2(fd, 2);
		if (tiliad.store[0] != '\0')
			execl(program, program, "--listen", tiliad.address, "--store", tiliad.store,
			      NULL);
		else
			execl(program, program, "--listen", tiliad.address, "--volatile", NULL);
		_exit(127);
	}
	for (int64_t end = now_ms() + 30000; access(tiliad.socket, F_OK) != 0; pause_ms(2)) {
		if (waitpid(tiliad.pid, NULL, WNOHANG) != 0 || now_ms() > end)
			test_fail(__FILE__, __LINE__, "tiliad did not start; see %s", log);
	}
}

void tiliad_end(int sig)
{
	if (tiliad.pid == 0)
		return;
	kill(tiliad.pid, sig);
	waitpid(tiliad.pid, NULL, 0);
	tiliad.pid = 0;
}

void tiliad_start(bool durable)
{
	static int count;

	tiliad_end(SIGKILL);
	count++;
	snprintf(tiliad.socket, sizeof(tiliad.socket), "%s/s%d", test_folder(), count);
	snprintf(tiliad.address, sizeof(tiliad.address), "unix:%s", tiliad.socket);
	tiliad.store[0] = '\0';
	if (durable)
		snprintf(tiliad.store, sizeof(tiliad.store), "%s/db%d", test_folder(), count);
	tiliad_run();
}

__attribute__((destructor)) static void tiliad_end_at_exit(void)
{
	tiliad_end(SIGKILL);
}

struct tilia *connect_with(struct tilia_options o)
{
	struct tilia *t;
	int code;

	o.address = tiliad.address;
	code = tilia_open(&t, &o);
	if (code != 0)
		test_fail(__FILE__, __LINE__, "tilia_open: %d %s", code, tilia_error(t));
	return t;
}

struct tilia *connect_here(void)
{
	return connect_with((struct tilia_options){0});
}
