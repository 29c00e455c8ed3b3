/* Requests that wait: for a tuple (in, rd), for a number of them (wait), for either (in
 * with drain), or for a guard to hold (atomic). They stand in their space under the
 * bound fields of their template, as tuples do in an index; so what happens to a tuple
 * reaches those it concerns whatever the number of the others. */
#ifndef TILIA_ENGINE_WAITER_H
#define TILIA_ENGINE_WAITER_H

#include "../../libclient/base/hash.h"
#include "../../libclient/base/heap.h"
#include "../../libclient/base/list.h"
#include "../../libclient/message.h"
#include "shape.h"

struct atomic;
struct conn;
struct engine;
struct putter;
struct session;
struct space;
struct tally;

/* Waiters of one shape and the same bound fields. */
struct waitkey {
	struct waitshape *shape; /* NULL: those that match everything */
	struct list waiters;     /* waiter.place: all of them */
	struct list tallies;     /* struct tally: of those that wait for a number */
	void *readers, *takers;  /* buckets of struct waiter, by order */
	void *atomics, *picky;   /* likewise: under an `in` or `rd`; those with residue */
	uint32_t hash;
	uint32_t residual;
};

struct waitshape {
	struct list link; /* arity.waiting */
	struct hash keys; /* of struct waitkey */
	uint32_t following; /* waiters in all keys, whom every coming and going concerns */
	uint8_t arity;
	uint8_t class[];
};

struct waiter {
	uint64_t order; /* first: of arrival; the key in waitkey's buckets */
	uint64_t n;
	enum message_op op;
	struct session *session;
	struct list link;       /* session.waiting */
	struct heap_node timer; /* engine.timers */
	struct space *space;
	struct waitkey *key;    /* NULL: not in the indexes (detached) */
	struct list place;      /* waitkey.waiters */
	struct tuple *tuple;    /* the template's; NULL is null */
	uint64_t after;
	uint64_t lease_ms;      /* 0: a plain take */
	uint32_t max;
	bool residue;
	bool resent;            /* asked for on the present connection */
	uint64_t since_ms;      /* when it began to wait */
	bool drain;             /* in: ends when nothing exists any more */
	bool counts;            /* wait, drain, `no`: it is to know how many there are */
	bool visible;           /* but for the hidden ones */
	uint64_t least;         /* wait: ends at so many; 0: when there are none */
	struct tally *tally;    /* counts: while it stands in its key */
	struct putter *putter;  /* out, outs: what waits for room; else NULL. Owned */
	struct heap_node mark;  /* tally.least or tally.none */
	struct atomic *atomic;  /* owned; NULL: it is another request */
};

void waitkey_init(struct waitkey *k);

/* Why the session may have no more of them, or NULL. */
const char *waiter_full(const struct engine *e, const struct session *s);

/* A waiter of the request, known to its session, that stands nowhere yet. */
struct waiter *waiter_new(struct engine *e, struct conn *c, const struct request *r,
                          struct space *s);

/* Whether it stands in its place; else its session has no connection, or it could not go
 * back there without work. */
bool waiter_stands(const struct waiter *w);

/* Makes a waiter of a request and enters it. `count`: what it waits for the number of,
 * as it is now. 0, or ERROR_LIMIT with *why. */
int waiter_create(struct engine *e, struct conn *c, const struct request *r, struct space *s,
                  struct template *t, uint64_t count, const char **why);
void waiter_free(struct engine *e, struct waiter *w);

/* A place for it, instead of the one it has. After an error it stands where it stood. */
int waiter_stand(struct engine *e, struct waiter *w, struct space *s, struct template *t,
                 uint64_t count, const char **why);
struct waiter *waiter_find(const struct session *s, uint64_t n);

/* Out of the indexes, when its session loses its connection; and back. */
void waiter_leave(struct engine *e, struct waiter *w);
void waiter_enter(struct engine *e, struct waiter *w, uint64_t count);

/* What it waits for, ended by template_close(). */
void waiter_template(const struct waiter *w, struct template *t);

/* A waiting request of a resumed session: answered, or in its old place. One that would
 * need unfinished work stays out until it is sent again. */
void waiter_reenter(struct engine *e, struct waiter *w);

/* A tuple enters or leaves the visible or the hidden ones of the space. */
void waiter_follow(struct engine *e, struct space *s, const struct tuple *t,
                   const struct keys *k, bool hidden, bool enters);

/* Serves every matching reader, then the longest-waiting matching taker with a
 * tuple that is in no index yet. True: it was taken. */
bool waiter_serve(struct engine *e, struct space *s, struct tuple *t, const struct keys *k);

/* The key under which those stand that bind the same fields as `t`, or NULL. */
struct waitkey *waiter_key(const struct waitshape *shape, const struct keys *k,
                           const struct tuple *t);

/* A waiter of the space, wherever it stands, or NULL. */
struct waiter *waiter_any(struct space *s);

/* Answers due timeouts, a slice of them. */
void waiter_expire(struct engine *e);

#endif
