#include "roots.h"

#include "must.h"
#include "payload.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "../../libclient/utf8.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH 32

int roots_add(struct roots *r, const char *folder)
{
	char *path = realpath(folder, NULL);
	struct stat st;

	if (path == NULL || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		free(path);
		return ERROR_SYSTEM;
	}
	r->at = xrealloc(r->at, (r->count + 1) * sizeof *r->at);
	r->at[r->count] = xmalloc(strlen(path) + 1);
	strcpy(r->at[r->count++], path);
	free(path);
	return 0;
}

void roots_close(struct roots *r)
{
	for (size_t i = 0; i < r->count; i++)
		xfree(r->at[i]);
	xfree(r->at);
	r->at = NULL;
	r->count = 0;
}

/* --- names ----------------------------------------------------------------- */

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n > k && strcmp(s + n - k, suffix) == 0;
}

/* Names that are not UTF-8 cannot be imported, nor said on the trunk. */
static bool is_text(const char *s)
{
	return utf8_valid(bytes_of(s));
}

/* The length of the identifier that `s` begins with. */
static size_t identifier(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_' || (unsigned char)s[n] > 127)
		n++;
	return isdigit((unsigned char)s[0]) ? 0 : n;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Whether the folder has Python in it, itself or one level down. */
static bool has_python(const char *path, int depth)
{
	DIR *d = opendir(path);
	struct dirent *e;
	bool yes = false;

	while (d != NULL && !yes && (e = readdir(d)) != NULL) {
		char below[PATH_MAX];

		if (e->d_name[0] == '.')
			continue;
		yes = has_suffix(e->d_name, ".py");
		if (!yes && depth > 0 &&
		    snprintf(below, sizeof below, "%s/%s", path, e->d_name) < PATH_MAX)
			yes = is_folder(below) && has_python(below, depth - 1);
	}
	if (d != NULL)
		closedir(d);
	return yes;
}

/* What the entry `name` of `root` is: its name's length, and in *last whether
 * the host is asked first. 0: nothing. */
static size_t entry_name(const char *root, const char *name, bool *last)
{
	size_t n = identifier(name);
	char path[PATH_MAX];

	if (n == 0)
		return 0;
	*last = false;
	if (strcmp(name + n, ".py") == 0)
		return n;
	*last = true;
	if (name[n] == '.' && has_suffix(name, ".so"))
		return n;
	if (name[n] != '\0' ||
	    snprintf(path, sizeof path, "%s/%s/__init__.py", root, name) >= PATH_MAX)
		return 0;
	*last = access(path, R_OK) != 0;
	snprintf(path, sizeof path, "%s/%s", root, name);
	return !*last || (is_folder(path) && has_python(path, 1)) ? n : 0;
}

void roots_names(const struct roots *r, bool last, struct buf *out)
{
	struct buf names = BUF_INIT;
	unsigned count = 0;

	for (size_t i = 0; i < r->count; i++) {
		DIR *d = opendir(r->at[i]);
		struct dirent *e;

		while (d != NULL && (e = readdir(d)) != NULL) {
			bool is_last;
			size_t n = entry_name(r->at[i], e->d_name, &is_last);

			if (n > 0 && is_last == last && is_text(e->d_name)) {
				item_put_text_n(&names, (struct bytes){(uint8_t *)e->d_name, n});
				count++;
			}
		}
		if (d != NULL)
			closedir(d);
	}
	must(&names);
	item_put_head(out, ITEM_ARRAY, count);
	buf_append(out, names.data, names.len);
	buf_close(&names);
}

/* --- files ----------------------------------------------------------------- */

/* Appends a whole file. 0, ERROR_SYSTEM, ERROR_LIMIT (nothing appended). */
static int file_read(const char *path, size_t limit, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), e = 0;
	size_t before = out->len;
	struct stat st;

	if (fd < 0)
		return ERROR_SYSTEM;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = ERROR_SYSTEM;
	while (e == 0) {
		uint8_t *p = buf_reserve(out, 65536);
		ssize_t n = p != NULL ? read(fd, p, 65536) : -1;

		if (n < 0)
			e = ERROR_SYSTEM;
		if (n <= 0)
			break;
		out->len += (size_t)n;
		if (out->len - before > limit)
			e = ERROR_LIMIT;
	}
	close(fd);
	if (e != 0)
		out->len = before;
	return e;
}

/* Whether `path`, links resolved, is under the root. */
static bool is_under(const char *root, const char *path)
{
	char *real = realpath(path, NULL);
	size_t n = strlen(root);
	bool yes = real != NULL && strncmp(real, root, n) == 0 &&
	        (real[n] == '/' || root[n - 1] == '/');

	free(real);
	return yes;
}

int roots_file(const struct roots *r, struct bytes path, struct buf *out)
{
	char full[PATH_MAX];

	if (path.n == 0 || path.p[0] == '/' || memchr(path.p, '\0', path.n) != NULL)
		return ERROR_SYSTEM;
	for (size_t i = 0; i < r->count; i++) {
		if (snprintf(full, sizeof full, "%s/%.*s", r->at[i], (int)path.n,
		             (const char *)path.p) >= PATH_MAX)
			continue;
		if (is_under(r->at[i], full))
			return file_read(full, ROOTS_FILE, out);
	}
	return ERROR_SYSTEM;
}

/* --- packages -------------------------------------------------------------- */

/* An answer being put together. */
struct package {
	const char *root;
	struct buf files; /* path, bytes or null, ... */
	struct buf data;  /* of one file */
	unsigned count;
	size_t python, inlined; /* bytes so far */
};

static void package_add(struct package *p, const char *path)
{
	char full[PATH_MAX];
	bool source = has_suffix(path, ".py");
	size_t limit = source ? ROOTS_PACKAGE - p->python : ROOTS_INLINE - p->inlined;
	int e;

	if (snprintf(full, sizeof full, "%s/%s", p->root, path) >= PATH_MAX ||
	    !is_under(p->root, full) ||
	    !is_text(path))
		return;
	buf_clear(&p->data, ROOTS_INLINE);
	e = has_suffix(path, ".so") ? ERROR_LIMIT : file_read(full, limit, &p->data);
	if (e != 0 && e != ERROR_LIMIT)
		return;
	item_put_text(&p->files, path);
	if (e == 0)
		item_put_bytes(&p->files, buf_bytes(&p->data));
	else
		item_put_null(&p->files);
	*(source ? &p->python : &p->inlined) += p->data.len;
	p->count++;
}

/* All below the folder `path` of the root; Python first, so that the data files
 * do not use up its room. */
static void package_walk(struct package *p, const char *path, int depth)
{
	char full[PATH_MAX], below[PATH_MAX];
	struct dirent **entries;
	int n;

	if (depth == 0 || snprintf(full, sizeof full, "%s/%s", p->root, path) >= PATH_MAX)
		return;
	n = scandir(full, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (name[0] != '.' && strcmp(name, "__pycache__") != 0 &&
		    snprintf(below, sizeof below, "%s/%s", path, name) < PATH_MAX &&
		    snprintf(full, sizeof full, "%s/%s", p->root, below) < PATH_MAX) {
			if (is_folder(full))
				package_walk(p, below, depth - 1);
			else
				package_add(p, below);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* The C extensions NAME.*.so of the root: named, so that the error can be. */
static void package_extensions(struct package *p, const char *name)
{
	DIR *d = opendir(p->root);
	struct dirent *e;
	size_t n = strlen(name);

	while (d != NULL && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, name, n) == 0 && e->d_name[n] == '.' &&
		    has_suffix(e->d_name, ".so"))
			package_add(p, e->d_name);
	if (d != NULL)
		closedir(d);
}

/* As Python would: in each root a package, then a module; folders without
 * __init__.py only when no root has better. */
static void package_find(struct package *p, const struct roots *r, const char *name)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < r->count && p->count == 0; i++) {
		p->root = r->at[i];
		if (snprintf(path, sizeof path, "%s/%s/__init__.py", p->root, name) >= PATH_MAX)
			return;
		if (access(path, R_OK) == 0)
			package_walk(p, name, DEPTH);
		else {
			snprintf(path, sizeof path, "%s.py", name);
			package_add(p, path);
			if (p->count == 0)
				package_extensions(p, name);
		}
	}
	for (size_t i = 0; i < r->count && p->count == 0; i++) {
		p->root = r->at[i];
		package_walk(p, name, DEPTH);
	}
}

static void package_own(struct package *p)
{
	p->root = "";
	for (const struct payload *m = payload_modules; m->path != NULL; m++) {
		item_put_text(&p->files, m->path);
		item_put_bytes(&p->files, (struct bytes){m->data, m->size});
		p->count++;
	}
}

void roots_import(const struct roots *r, struct bytes name, struct buf *out)
{
	struct package p = {0};
	char text[256], root[PATH_MAX];

	if (name.n > 0 && name.n < sizeof text && memchr(name.p, '\0', name.n) == NULL) {
		memcpy(text, name.p, name.n);
		text[name.n] = '\0';
		if (strcmp(text, "tilia") == 0)
			package_own(&p);
		else if (identifier(text) == name.n)
			package_find(&p, r, text);
	}
	item_put_head(out, ITEM_ARRAY, 2);
	snprintf(root, sizeof root, "%s/", p.count > 0 ? p.root : "");
	item_put_text(out, root);
	must(&p.files);
	item_put_head(out, ITEM_MAP, p.count);
	buf_append(out, p.files.data, p.files.len);
	must(out);
	buf_close(&p.files);
	buf_close(&p.data);
}
