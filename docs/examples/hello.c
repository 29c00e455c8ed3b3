/* Puts a tuple, reads it, takes it.
 *
 *	cc hello.c -o hello $(pkg-config --cflags --libs tilia)
 *
 * Needs a server: `tiliad --volatile` in another terminal. */
#include <tilia.h>

#include <stdio.h>

int main(void)
{
	struct tilia *t;
	uint64_t count;
	char *who;
	int year;

	if (tilia_open(&t, NULL) != 0)
		goto failed;
	if (tilia_out(t, "ssi", "hello", "world", 1986) != 0)
		goto failed;
	if (tilia_rd(t, "s?s?i", "hello", &who, &year) != 0)
		goto failed;
	printf("hello, %s of %d\n", who, year);
	tilia_free(who);
	if (tilia_in(t, "s__", "hello") != 0)
		goto failed;
	if (tilia_count(t, &count, "s__", "hello") != 0)
		goto failed;
	printf("%llu left\n", (unsigned long long)count);
	return tilia_close(t) == 0 ? 0 : 1;
failed:
	fprintf(stderr, "hello: %s\n", tilia_error(t));
	tilia_close(t);
	return 1;
}
