#include "xmalloc.h"

#include <stdlib.h>
#include <unistd.h>

/* Of one thread each, so that a test's count does not depend on the others. */
static _Thread_local unsigned long calls, fail_in;
static _Thread_local int fail_on;

static void (*or_else)(void);

void xmalloc_or_else(void (*leave)(void))
{
	or_else = leave;
}

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "tilia: out of memory\n";
	ssize_t n;

	if (or_else)
		or_else();
	n = write(2, text, sizeof text - 1);
	(void)n;
	abort();
}

static void *sure(void *ptr)
{
	if (!ptr)
		out_of_memory();
	return ptr;
}

void *xmalloc(size_t size)
{
	return sure(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return sure(count && size ? calloc(count, size) : calloc(1, 1));
}

void *xrealloc(void *ptr, size_t size)
{
	return sure(realloc(ptr, size ? size : 1));
}

static int refused(void)
{
	calls++;
	if (fail_in == 0 || --fail_in > 0)
		return 0;
	fail_in = fail_on ? 1 : 0;
	return 1;
}

static void *perhaps(void *ptr)
{
	if (!ptr && or_else)
		or_else();
	return ptr;
}

void *xtry_malloc(size_t size)
{
	return refused() ? NULL : perhaps(malloc(size ? size : 1));
}

void *xtry_calloc(size_t count, size_t size)
{
	if (refused())
		return NULL;
	return perhaps(count && size ? calloc(count, size) : calloc(1, 1));
}

void *xtry_realloc(void *ptr, size_t size)
{
	return refused() ? NULL : perhaps(realloc(ptr, size ? size : 1));
}

void xfree(void *ptr)
{
	free(ptr);
}

unsigned long xmalloc_fail_at(unsigned long n, int forever)
{
	unsigned long made = calls;

	calls = 0;
	fail_in = n;
	fail_on = forever;
	return made;
}
