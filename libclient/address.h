/* Addresses of a server, and where it is looked for when nobody says: one
 * grammar for --listen, --connect and $TILIA.
 *
 *   unix:/path            a Unix socket
 *   tcp:host[:port]       TCP; [v6]:port for IPv6; the port is 5463 when missing
 *   ssh:host              the protocol over `ssh host tilia relay`
 *   cmd:program args      the protocol over a program's stdin and stdout
 *
 * A list is addresses with commas between them; cmd: takes the rest of it. */
#ifndef TILIA_ADDRESS_H
#define TILIA_ADDRESS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_PORT 5463
#define ADDRESS_WHY 256      /* size of a `why` */
#define ADDRESS_UNIX_MAX 107 /* bytes of a Unix socket's path: sun_path less its NUL */
#define ADDRESS_LIST_MAX 16

enum address_kind {
	ADDRESS_UNIX,
	ADDRESS_TCP,
	ADDRESS_SSH,
	ADDRESS_CMD,
};

struct address {
	enum address_kind kind;
	uint16_t port; /* TCP */
	char *name;    /* owned: path, host (without brackets), ssh target, or command */
};

struct address_list {
	unsigned count;
	struct address at[ADDRESS_LIST_MAX];
};

/* Reads one address. 0 (then address_close() frees it), or ERROR_USAGE,
 * ERROR_LIMIT or ERROR_NOMEM with a text in why[ADDRESS_WHY]. */
int address_parse(struct bytes text, struct address *a, char *why);
void address_close(struct address *a);

/* Reads a list of 1 to 16. The same answers; on an error the list is empty. */
int address_list_parse(struct bytes text, struct address_list *l, char *why);
void address_list_close(struct address_list *l);

/* Appends the address as it is written above; the port is always shown. */
void address_print(struct buf *b, const struct address *a);

/* Where a user's own server listens: $XDG_RUNTIME_DIR/tilia.sock, else
 * /tmp/tilia-UID/tilia.sock. *shared is set when the folder stands in a folder
 * that others can write to (the second case; may be NULL): then whoever uses it
 * must look at its owner first. The same answers. */
int address_default(struct address *a, bool *shared, char *why);

/* Where the client looks: $TILIA, else the default. A default whose folder in
 * /tmp belongs to somebody else is refused: who made it could read everything. */
int address_list_default(struct address_list *l, char *why);

/* Appends the path of the default store: $XDG_STATE_HOME/tilia/main.db, else
 * ~/.local/state/tilia/main.db. ERROR_USAGE when there is no home either. */
int address_default_store(struct buf *path, char *why);

#endif
