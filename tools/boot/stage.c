#include "stage.h"

#include "../../libclient/base/xmalloc.h"

#include <string.h>

/* Read by an interpreter that reads payload and frames from fd 0 itself. No
 * quotes, dollars or backslashes: it stands in "..." inside '...'. */
#define PYTHON                                                                                     \
	"import os,sys,zlib;a=sys.argv;os.set_blocking(0,1);"                                      \
	"os.write(1,(a[1][::-1]+chr(10)).encode());n=int(a[2]);x=bytearray();"                     \
	"[x.extend(c)for c in iter(lambda:os.read(0,n-len(x)),bytes())];"                          \
	"zlib.crc32(x)-int(a[3])and os._exit(99);"                                                 \
	"i,h=zlib.decompress(x,-15).split(bytes(1));exec(h);main(i)"

/* `-V` costs a millisecond and tells shims without an interpreter and those
 * that are too old. */
#define SHELL                                                                                      \
	"for p in ${4:-python3 python python3.14 python3.13 python3.12 python3.11 python3.10 "     \
	"python3.9 python3.8 python3.7 python3.6 pypy3 /usr/local/bin/python3 "                    \
	"/usr/libexec/platform-python};do v=$($p -V 2>&1 </dev/null)||continue;"                   \
	"case $v in Python?3.[6-9]*|Python?3.[1-9][0-9]*|Python?[4-9]*)"                           \
	"exec $p -c \"" PYTHON "\" $1 $2 $3;;esac;o=\"$o $p: $v\";done;"                           \
	"[ \"$o\" ]&&echo $o>&2&&exit 98;exit 97"

void stage_command(struct buf *b, const char *id, const char *mark, size_t payload, uint32_t crc,
                   const char *python)
{
	buf_printf(b, "exec env TILIA_RUN=%s /bin/sh -c '%s' - %s %zu %lu", id, SHELL, mark,
	           payload,
	           (unsigned long)crc);
	if (python != NULL)
		buf_printf(b, " %s", python);
}

struct vector {
	char **at;
	size_t count;
};

static void put(struct vector *v, const char *s)
{
	v->at = xrealloc(v->at, (v->count + 2) * sizeof *v->at);
	v->at[v->count] = xmalloc(strlen(s) + 1);
	strcpy(v->at[v->count++], s);
	v->at[v->count] = NULL;
}

static void put_if(struct vector *v, const char *flag, const char *value)
{
	if (value != NULL) {
		put(v, flag);
		put(v, value);
	}
}

/* -J of all hops but the last: user@host:port,... */
static void put_jumps(struct vector *v, const struct place *p)
{
	struct buf b = BUF_INIT;

	for (unsigned i = 0; i + 1 < p->hops; i++) {
		const struct place_hop *h = &p->hop[i];
		const char *six = strchr(h->host, ':') != NULL ? "[" : "";

		buf_printf(&b, "%s%s%s%s%s%s%s%s", i > 0 ? "," : "", h->user != NULL ? h->user : "",
		           h->user != NULL ? "@" : "", six, h->host, *six != '\0' ? "]" : "",
		           h->port != NULL ? ":" : "", h->port != NULL ? h->port : "");
	}
	if (b.len > 0) {
		buf_byte(&b, 0);
		put_if(v, "-J", (char *)b.data);
	}
	buf_close(&b);
}

char **stage_argv(const struct place *p, const char *command)
{
	static const char *const quiet[] = {"/bin/sh", "-c", "trap \"\" INT QUIT;exec \"$@\"",
	                                    "sh"};
	static const char *const ssh[] = {"ssh", "-T", "-x", "-e", "none", "-o",
	                                  "ServerAliveInterval=10",
	                                  "-o", "ServerAliveCountMax=3"};
	struct vector v = {NULL, 0};

	for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
		put(&v, quiet[i]);
	if (p->hops == 0) {
		put(&v, "/bin/sh");
		put(&v, "-c");
	} else {
		const struct place_hop *h = &p->hop[p->hops - 1];

		for (size_t i = 0; i < sizeof ssh / sizeof *ssh; i++)
			put(&v, ssh[i]);
		put_if(&v, "-p", h->port);
		put_if(&v, "-l", h->user);
		put_if(&v, "-i", h->identity);
		put_jumps(&v, p);
		put(&v, "--");
		put(&v, h->host);
	}
	put(&v, command);
	return v.at;
}

void stage_argv_free(char **argv)
{
	for (char **p = argv; *p != NULL; p++)
		xfree(*p);
	xfree(argv);
}
