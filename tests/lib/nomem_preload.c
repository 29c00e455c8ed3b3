/* Under LD_PRELOAD: a program whose n-th allocation fails ($NOMEM_AT, from 1), and all
 * behind it with $NOMEM_ON; in a library too, but not before main(). Programs that it
 * starts have memory. At its end it makes the file $NOMEM_SPARED when it never came to
 * that allocation. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the C library itself calls them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);

#define EXPORT __attribute__((visibility("default")))

static unsigned long calls, fail_at;
static bool fail_on;
static char spared[256];

static bool refused(void)
{
	if (fail_at == 0)
		return false;
	calls++;
	if (calls != fail_at && !(fail_on && calls > fail_at))
		return false;
	errno = ENOMEM;
	return true;
}

EXPORT void *malloc(size_t size)
{
	return refused() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	return refused() ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *ptr, size_t size)
{
	return refused() ? NULL : __libc_realloc(ptr, size);
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("NOMEM_AT"), *file = getenv("NOMEM_SPARED");

	if (at == NULL)
		return;
	if (file != NULL && strlen(file) < sizeof spared)
		strcpy(spared, file);
	fail_on = getenv("NOMEM_ON") != NULL;
	fail_at = strtoul(at, NULL, 10);
	unsetenv("LD_PRELOAD");
	unsetenv("NOMEM_AT");
}

__attribute__((destructor)) static void end(void)
{
	int fd;

	if (calls >= fail_at || spared[0] == '\0')
		return;
	fd = open(spared, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}
