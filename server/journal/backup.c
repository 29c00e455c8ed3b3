#include "../../libclient/error.h"
#include "copy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What stands beside a store that was served belongs to that one: SQLite would take its
 * log for the copy's. */
static int check_beside(const char *to, char *why)
{
	static const char *const endings[] = {"-wal", "-journal", LOCKFILE_SUFFIX};
	char name[STORE_PATH];
	struct stat st;

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		if (snprintf(name, sizeof name, "%s%s", to, endings[i]) >= STORE_PATH ||
		    lstat(name, &st) != 0)
			continue;
		snprintf(why, OFFLINE_WHY,
		         "%.200s%s is there, of a store that was served; a backup needs a name of "
		         "its own",
		         to, endings[i]);
		return ERROR_STORE;
	}
	return 0;
}

/* Whether the copy may get that name. */
static int check_name(const char *path, const char *to, bool force, char *why)
{
	struct stat store, st;

	if (lstat(to, &st) != 0)
		return check_beside(to, why);
	if (stat(path, &store) == 0 && store.st_dev == st.st_dev && store.st_ino == st.st_ino)
		snprintf(why, OFFLINE_WHY, "%.400s is the store itself", to);
	else if (!S_ISREG(st.st_mode))
		snprintf(why, OFFLINE_WHY, "%.400s is there, and no file", to);
	else if (!force)
		snprintf(why, OFFLINE_WHY, "%.400s exists; --force replaces it", to);
	else
		return check_beside(to, why);
	return ERROR_STORE;
}

static void keep_first(const char *text, void *ctx)
{
	char *first = ctx;

	if (!*first)
		snprintf(first, OFFLINE_WHY / 2, "%s", text);
}

/* What is wrong in the copy is wrong in the store, and said of it. */
static int check_copy(const struct copy *c, const char *path, struct offline_found *found,
                      char *why)
{
	char first[OFFLINE_WHY / 2] = "";
	int code = check_store(c->part, keep_first, first, found, why);

	if (found->faults)
		snprintf(why, OFFLINE_WHY, "%.200s: %s", path, first);
	return code;
}

int backup_store(const char *path, const char *to, bool force, struct offline_found *found,
                 char *why)
{
	struct copy c;
	int code = check_name(path, to, force, why);

	if (code == 0)
		code = copy_begin(&c, to, why);
	if (code)
		return code;
	if ((code = copy_fill(&c, path, why)) == 0 &&
	    (code = check_copy(&c, path, found, why)) == 0 &&
	    (code = check_name(path, to, force, why)) == 0)
		code = copy_finish(&c, why);
	copy_end(&c);
	return code;
}
