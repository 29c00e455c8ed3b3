/* A worker: takes ["job", n], puts ["done", n, factor], until ["job", -1] comes
 * or Ctrl-C. Start as many as you like, on any host that reaches the server:
 *
 *	cc worker.c -o worker $(pkg-config --cflags --libs tilia)
 *	./worker & ./worker &
 *	for n in 91 97 1001; do tilia out job $n; done
 *	tilia in done 91 :int
 *
 * A worker that is killed between its take and its next call gives the job back:
 * it was not acknowledged. So is one that is interrupted. */
#include <tilia.h>

#include <signal.h>
#include <stdio.h>

static struct tilia *t;

static void on_interrupt(int sig)
{
	(void)sig;
	tilia_interrupt(t);
}

static int64_t smallest_factor(int64_t n)
{
	for (int64_t f = 2; f <= n / f; f++) {
		if (n % f == 0)
			return f;
	}
	return n;
}

int main(void)
{
	int code, done = 0;
	int64_t n;

	code = tilia_open(&t, NULL);
	if (code == 0) {
		signal(SIGINT, on_interrupt);
		signal(SIGTERM, on_interrupt);
	}
	while (code == 0 && (code = tilia_in(t, "s?l", "job", &n)) == 0 && n >= 0) {
		code = tilia_out(t, "sll", "done", n, smallest_factor(n));
		done += code == 0;
	}
	if (code == TILIA_E_INTERRUPTED)
		code = 0;
	if (code != 0)
		fprintf(stderr, "worker: %s\n", tilia_error(t));
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (tilia_close(t) != 0 || code != 0)
		return 1;
	printf("%d done\n", done);
	return 0;
}
