/* A connection of a load generator, and requests as forms: a frame is built once and
 * only its numbers are patched, so that a generator costs less than the server it
 * measures. Whatever goes wrong ends the program with a message. */
#ifndef TILIA_BENCH_CLIENT_H
#define TILIA_BENCH_CLIENT_H

#include "../../libclient/base/buf.h"

#include <stdint.h>

#define FORM_BLANKS 8

struct form {
	struct buf bytes;
	size_t number;             /* where the request's number is */
	size_t blank[FORM_BLANKS]; /* where the numbers left open are */
	unsigned blanks;
};

/* [n, "op", "space", ...: the caller appends one more item to f->bytes, with
 * form_blank() for a number left open, and ends with form_end(). */
void form_begin(struct form *f, const char *op, const char *space);
void form_blank(struct form *f);
void form_end(struct form *f);

/* The value that a blank has for `value`: its head never changes its length. */
uint32_t form_value(uint32_t value);

struct client {
	int fd;
	uint32_t next;  /* number of the next request */
	struct buf in;  /* an incomplete reply */
	struct buf out; /* not taken by the kernel yet */
};

/* The soft limit of descriptors becomes the hard one. */
void client_many(void);
void client_open(struct client *c, const char *address);

/* Appends a request with these values in its blanks, and answers its number. */
uint32_t client_ask(struct client *c, const struct form *f, const uint32_t *values);

/* Sends what was appended, as far as the kernel takes it. */
void client_flush(struct client *c);

/* Reads what there is (waits for something) and calls `done` for each reply, which
 * is one of success: the request's number and the whole message. */
void client_receive(struct client *c,
                    void (*done)(struct client *c, uint32_t n, struct bytes message, void *ctx),
                    void *ctx);

/* Seconds of a clock that only rises. */
double client_now(void);

void client_die(const char *what);

#endif
