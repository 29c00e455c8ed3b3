/* The message `hello` and its answer, as a client writes and reads them. */
#ifndef TILIA_HELLO_H
#define TILIA_HELLO_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define HELLO_NUMBER 1
#define HELLO_ID_MAX 64

/* What a hello says. Absent: NULL, empty, UINT64_MAX. */
struct hello {
	bool resumable;     /* "new", unless `id` is there; else "none" */
	struct bytes id;
	struct bytes have;  /* canonical items (numbers, [from, to]), one after the other */
	unsigned have_count;
	uint64_t grace_ms, attempt;
	const char *auth, *client;
	struct bytes may;   /* canonical map */
};

/* Appends the frame. */
void hello_put(struct buf *b, const struct hello *h);

/* What is answered. */
struct welcome {
	struct bytes id; /* points into the body */
	uint64_t boot, grace_ms;
};

/* Reads the canonical body of hello's reply. false: not what a server says. */
bool hello_read(struct bytes body, struct welcome *w);

/* Whether `body` lists `feature`. */
bool hello_feature(struct bytes body, const char *feature);

#endif
