#include "reserve.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STEP ((uint64_t)1 << 20)     /* what is taken is a multiple of it */
#define SLACK ((uint64_t)1 << 20)    /* what commits need at once is left free */
#define SPARE ((uint64_t)16 << 20)   /* more than what is wanted is kept so far */

static void open_file(struct reserve *r)
{
	char name[4096];
	struct stat st;

	if (snprintf(name, sizeof name, "%s" RESERVE_SUFFIX, r->store) >= (int)sizeof name)
		return;
	r->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (r->fd >= 0 && fstat(r->fd, &st) == 0)
		r->size = (uint64_t)st.st_size;
}

static void cut(struct reserve *r, uint64_t size)
{
	if (r->fd >= 0 && ftruncate(r->fd, (off_t)size) == 0)
		r->size = size;
}

void reserve_open(struct reserve *r, const char *store)
{
	*r = (struct reserve){.store = store, .fd = -1};
	reserve_set(r, RESERVE_LEAST);
}

void reserve_close(struct reserve *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

uint64_t reserve_room(const struct reserve *r)
{
	struct statvfs st;

	if (r->fd < 0 || fstatvfs(r->fd, &st) != 0)
		return 0;
	return (uint64_t)st.f_bavail * st.f_frsize;
}

/* A part of what was not to be had may be in the file, behind its end. */
static void grow(struct reserve *r, uint64_t wanted)
{
	uint64_t room = reserve_room(r), more = wanted - r->size;

	if (more + SLACK > room)
		more = room > SLACK ? room - SLACK : 0;
	more -= more % STEP;
	if (more > 0 && posix_fallocate(r->fd, 0, (off_t)(r->size + more)) == 0)
		r->size += more;
	else if (more > 0)
		cut(r, r->size);
}

bool reserve_set(struct reserve *r, uint64_t wanted)
{
	if (r->fd < 0)
		open_file(r);
	if (r->fd >= 0 && r->size < wanted)
		grow(r, wanted);
	else if (r->size > wanted + SPARE)
		cut(r, wanted);
	return r->size >= wanted;
}

void reserve_release(struct reserve *r)
{
	cut(r, 0);
}
