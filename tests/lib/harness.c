#include "harness.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static struct test *first, **last = &first;
static jmp_buf leave;
static char reason[65536];
static bool skipped;
static char folder[64];
static uint64_t state[4];
static uint64_t seed_used;

void test_register(struct test *t)
{
	*last = t;
	last = &t->next;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(reason, sizeof reason, "%s:%d: ", file, line);

	va_start(ap, fmt);
	vsnprintf(reason + n, sizeof reason - (size_t)n, fmt, ap);
	va_end(ap);
	skipped = false;
	longjmp(leave, 1);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof reason, fmt, ap);
	va_end(ap);
	skipped = true;
	longjmp(leave, 1);
}

uint64_t test_seed(uint64_t fallback)
{
	const char *s = getenv("SEED");

	seed_used = s && *s ? strtoull(s, NULL, 0) : fallback;
	test_random_seed(seed_used);
	return seed_used;
}

void test_note_seed(uint64_t seed)
{
	seed_used = seed;
}

/* splitmix64 fills the state of xoshiro256** (Blackman, Vigna 2018). */
void test_random_seed(uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		state[i] = z ^ (z >> 31);
	}
}

uint64_t test_random(void)
{
	uint64_t r = state[1] * 5, t = state[1] << 17;

	r = (r << 7 | r >> 57) * 9;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = state[3] << 45 | state[3] >> 19;
	return r;
}

uint64_t test_random_below(uint64_t n)
{
	return n ? test_random() % n : 0;
}

size_t test_unhex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = 0;
	int high = -1;

	for (; *hex; hex++) {
		const char *digits = "0123456789abcdef", *d = strchr(digits, *hex | 32);

		if (!d)
			continue;
		if (high < 0) {
			high = (int)(d - digits);
			continue;
		}
		if (n < cap)
			out[n++] = (uint8_t)(high << 4 | (int)(d - digits));
		high = -1;
	}
	return n;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	if (folder[0])
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void)
{
	if (!folder[0]) {
		const char *tmp = getenv("TMPDIR");

		snprintf(folder, sizeof folder, "%.40s/tilia-XXXXXX", tmp && *tmp ? tmp : "/tmp");
		if (!mkdtemp(folder))
			abort();
		atexit(remove_folder);
	}
	return folder;
}

static bool wanted(const char *name, int argc, char **argv)
{
	if (argc < 2)
		return true;
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

static const char *running = "";

/* An assertion of what is tested has failed: which test it was, and with which seed. */
static void aborted(int number)
{
	char line[200];
	int n = snprintf(line, sizeof line, "not ok %s: aborted (SEED=%llu)\n", running,
	                 (unsigned long long)seed_used);

	if (n > 0 && write(1, line, (size_t)n) < 0)
		_exit(1);
	signal(number, SIG_DFL);
	raise(number);
}

int main(int argc, char **argv)
{
	volatile int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGABRT, aborted);
	for (struct test *volatile t = first; t; t = t->next) {
		if (!wanted(t->name, argc, argv))
			continue;
		test_random_seed(1);
		seed_used = 0;
		running = t->name;
		if (setjmp(leave) == 0) {
			t->run();
			printf("ok %s\n", t->name);
		} else if (skipped) {
			printf("skip %s: %s\n", t->name, reason);
		} else {
			failed++;
			printf("not ok %s: %s", t->name, reason);
			printf(seed_used ? " (SEED=%llu)\n" : "\n", (unsigned long long)seed_used);
		}
	}
	return failed ? 1 : 0;
}
