#include "copy.h"

#include "../../libclient/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int refuse(char *why, const char *what, const char *path)
{
	snprintf(why, OFFLINE_WHY, "cannot %s %.400s: %s", what, path, strerror(errno));
	return ERROR_STORE;
}

/* Of a copy that died: SQLite would roll it back into this one. */
static void drop_journal(const struct copy *c)
{
	char journal[STORE_PATH + sizeof "-journal"];

	snprintf(journal, sizeof journal, "%s-journal", c->part);
	unlink(journal);
}

int copy_begin(struct copy *c, const char *path, char *why)
{
	c->fd = -1;
	if (snprintf(c->path, sizeof c->path, "%s", path) >= STORE_PATH - 16) {
		snprintf(why, OFFLINE_WHY, "the path of the copy is too long");
		return ERROR_STORE;
	}
	snprintf(c->part, sizeof c->part, "%.*s" COPY_SUFFIX, STORE_PATH - 16, c->path);
	c->fd = open(c->part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->fd < 0)
		return refuse(why, "make", c->part);
	if (flock(c->fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(c->fd, 0) == 0) {
		drop_journal(c);
		return 0;
	}
	if (errno == EWOULDBLOCK)
		snprintf(why, OFFLINE_WHY, "%.400s is being written by another copy", c->part);
	else
		refuse(why, "write", c->part);
	close(c->fd);
	c->fd = -1;
	return ERROR_STORE;
}

/* VACUUM INTO reads in one transaction, from which no writer is held up. */
int copy_fill(struct copy *c, const char *from, char *why)
{
	sqlite3_stmt *stmt = NULL;
	struct store s;
	int code = store_open_alone(&s, from, false);

	if (code) {
		snprintf(why, OFFLINE_WHY, "%s", s.why);
		return code;
	}
	if (sqlite3_prepare_v2(s.db, "VACUUM main INTO ?1", -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 1, c->part, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_DONE) {
		code = store_fail(&s, "cannot copy it to %.80s", c->part);
		snprintf(why, OFFLINE_WHY, "%s", s.why);
	}
	sqlite3_finalize(stmt);
	store_close(&s, false);
	return code;
}

int copy_sync_folder(const struct copy *c, char *why)
{
	char folder[STORE_PATH];
	char *slash;
	int fd, rc = -1;

	snprintf(folder, sizeof folder, "%s", c->path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		rc = fsync(fd);
		close(fd);
	}
	return rc == 0 ? 0 : refuse(why, "sync the folder of", c->path);
}

int copy_finish(struct copy *c, char *why)
{
	if (fsync(c->fd) != 0)
		return refuse(why, "sync", c->part);
	if (rename(c->part, c->path) != 0)
		return refuse(why, "rename", c->part);
	close(c->fd);
	c->fd = -1;
	return copy_sync_folder(c, why);
}

void copy_end(struct copy *c)
{
	if (c->fd < 0)
		return;
	drop_journal(c);
	unlink(c->part);
	close(c->fd);
	c->fd = -1;
}
