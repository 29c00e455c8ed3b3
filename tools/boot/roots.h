/* The folders whose Python modules workers may import: the script's own and
 * those of --path. Nothing outside of them is ever answered; links that lead
 * out of them neither. */
#ifndef TILIA_BOOT_ROOTS_H
#define TILIA_BOOT_ROOTS_H

#include "../../libclient/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define ROOTS_INLINE 262144       /* bytes of data files that come with a package */
#define ROOTS_FILE (64 << 20)     /* bytes of one file */
#define ROOTS_PACKAGE (256 << 20) /* bytes of one package's Python files */

struct roots {
	char **at; /* owned; absolute, without links */
	size_t count;
};

/* Appends a folder. 0, or ERROR_SYSTEM when there is no such folder. */
int roots_add(struct roots *r, const char *folder);
void roots_close(struct roots *r);

/* Appends the array of top-level names to be asked of us before the host is
 * searched (modules, packages), or after it (folders without __init__.py, C
 * extensions). */
void roots_names(const struct roots *r, bool last, struct buf *out);

/* Appends the answer to `import` (docs/trunk.md): the folder and a map of files,
 * empty when there is no such module. The name may be anything. "tilia" is the client's own. */
void roots_import(const struct roots *r, struct bytes name, struct buf *out);

/* Appends the bytes of a file under the roots. 0; ERROR_SYSTEM: no such file;
 * ERROR_LIMIT: too long. */
int roots_file(const struct roots *r, struct bytes path, struct buf *out);

#endif
