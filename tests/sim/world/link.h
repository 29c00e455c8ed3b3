/* The network: connections between users and the server. Bytes arrive late, in
 * order and in pieces; a connection that is cut loses what was on its way, from any
 * byte on, and each end learns of it in its own time. */
#ifndef TILIA_TESTS_LINK_H
#define TILIA_TESTS_LINK_H

#include "../../../libclient/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { LINKS = 64, SEGMENTS = 256 };

/* One direction. */
struct pipe {
	struct buf bytes;
	struct {
		uint64_t due_ms;
		size_t n;
	} segment[SEGMENTS];
	unsigned count;
	bool ended; /* nothing more comes; the reader learns of it at end_ms */
	uint64_t end_ms;
};

struct link {
	bool user, server; /* which ends are open. Neither: it may be used again */
	uint64_t broken_ms;   /* when it broke, or an end closed it; 0: it has not */
	struct pipe up, down; /* up: to the server */
};

extern struct link links[LINKS];

/* A connection's number, open at both ends; -1 when there is no more. */
int link_open(void);

void link_write(struct pipe *p, struct bytes b);

/* What has arrived, or the beginning of it; to be taken off with link_taken(). */
struct bytes link_arrived(const struct pipe *p);
void link_taken(struct pipe *p, size_t n);

/* Whether all has arrived that ever will, and the end as well. */
bool link_over(const struct pipe *p);

/* The network loses it. */
void link_cut(struct link *l);

/* An end closes. What the user's had written arrives; what the server's had, too,
 * unless it died. */
void link_close_user(struct link *l);
void link_close_server(struct link *l, bool died);

void link_close_all(void);

#endif
