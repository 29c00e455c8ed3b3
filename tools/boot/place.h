/* Places: where workers run, as --on says it.
 *
 *   4/local  8/web1  ssh:bob@node1/ssh:node2,port=2222,python="/opt/python3"  node[01-20]
 *
 * Blanks separate places, `/` hops, `,` the options of a hop (port= user=
 * identity= python=; from=there is refused so far). A value with `/`, `,` or a blank stands in
 * "...". `8/place` and `place*8` are 8 workers. A bare word is ssh:word. Consecutive ssh
 * hops are one ssh with ProxyJump. execnet's form (popen//python=..., ssh=host//...) is known
 * by its `//`. */
#ifndef TILIA_BOOT_PLACE_H
#define TILIA_BOOT_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#define PLACE_HOPS 8
#define PLACE_SLOTS 4096 /* workers of one place, and of a run */
#define PLACE_WHY 256    /* size of a `why` */

struct place_hop {
	char *host;     /* owned, like the rest; NULL: local */
	char *user, *port, *identity; /* NULL: what ssh_config says */
};

struct place {
	char *spec;   /* without the slots: tilia.place */
	char *python; /* the interpreter, or NULL */
	unsigned slots;
	unsigned hops; /* 0: local */
	struct place_hop hop[PLACE_HOPS];
};

struct place_list {
	struct place *at;
	unsigned count;
};

/* Appends the places of one --on. 0 or ERROR_USAGE / ERROR_LIMIT / ERROR_NOMEM
 * with a text in why[PLACE_WHY]; the list is then as it was. */
int place_list_add(struct place_list *l, const char *text, char *why);

/* Removes the places whose last host (or spec) is `host`; host[a-b] is known.
 * Answers how many; -1 for a range that cannot be read. */
int place_list_except(struct place_list *l, const char *host);

void place_list_close(struct place_list *l);

/* The name people see: the last hop's host, or "local". */
const char *place_name(const struct place *p);

#endif
