/* out and outs. */
#ifndef TILIA_ENGINE_PUT_H
#define TILIA_ENGINE_PUT_H

#include "../../libclient/message.h"
#include "room.h"

struct conn;
struct event;
struct seeker;
struct session;

/* What an out or outs wants. */
struct put {
	enum message_op op;
	struct bytes value;  /* the tuple, or the array of tuples */
	struct message_put how;
	struct bytes unless; /* a template; empty: none */
	bool visible;        /* unless: hidden tuples do not count */
};

int put_run(struct engine *e, struct conn *c, const struct event *ev);

/* put_try(): nothing is answered yet, for there is no room now. */
#define PUT_FULL 2
#define PUT_SERVER_FULL 3

/* Does it for request n of the session, which has a connection. 0: answered, whether
 * done or refused. ENGINE_AGAIN: k's ready() will be called. With `waits`: one of the
 * above when it is only room that is missing. */
int put_try(struct engine *e, struct session *session, uint64_t n, struct space *s,
            const struct put *p, struct seeker *k, bool waits);

/* Whether there is room for it: as room_judge(). The caller closes *a. */
int put_room(const struct engine *e, struct space *s, const struct put *p, struct room_ask *a);

/* Puts one tuple, for the session; answers its id. */
uint64_t put_one(struct engine *e, struct session *by, struct space *s, struct bytes item,
                 const struct message_put *how);

/* Whether request n may not put what `a` has, with an error reply then. */
bool put_refused(struct engine *e, struct conn *c, uint64_t n, enum message_op op,
                 struct room_ask *a);

#endif
