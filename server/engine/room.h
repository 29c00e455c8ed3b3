/* What a space takes: its shape, and its limits of tuples and bytes. */
#ifndef TILIA_ENGINE_ROOM_H
#define TILIA_ENGINE_ROOM_H

#include "../../libclient/base/buf.h"
#include "../../libclient/base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct space;
struct tuple;

/* What a request puts into a limited space, while that is judged. */
struct room_share {
	struct list link;      /* room_ask.shares */
	uint64_t tuples, bytes;
	uint64_t gone, freed;  /* what the same step takes away */
};

/* What one step wants to put, a tuple at a time; begun with room_open(). */
struct room_ask {
	const char *each;
	struct list shares; /* room_share of each limited space */
	unsigned tuples;
	size_t bytes;       /* of their arrays */
	int code;           /* what is in the way: ERROR_SHAPE, ERROR_LIMIT, ERROR_FULL */
	bool durable;       /* some of it is for a durable space */
	bool server;        /* it is the server that is full, not a space */
	struct buf why;
	uint64_t batch;     /* that the refusal must wait for */
};

/* `each`: what a tuple is called when there may be many; NULL: there is one. */
void room_open(struct room_ask *a, const char *each);

/* A tuple that is to be put into the space; and one there that will be gone then. */
void room_put(struct room_ask *a, struct space *s, struct bytes tuple);
void room_gone(struct room_ask *a, struct space *s, const struct tuple *t);

/* 0 when all of it may be put; else the code, with its text in a->why. */
int room_judge(const struct engine *e, struct room_ask *a);
void room_close(struct room_ask *a);

#endif
