/* stats "waiting": who waits, for how long, and which tuples come nearest. It is put
 * together in slices while its connection is kept back. */
#ifndef TILIA_ENGINE_SURVEY_H
#define TILIA_ENGINE_SURVEY_H

#include "../../libclient/base/buf.h"
#include "work.h"

#include <stdint.h>

struct conn;
struct event;

#define SURVEY_ENTRIES 1024 /* waiting requests told of */
#define SURVEY_LOOKS 65536  /* and looked at, of all there are */

struct survey {
	struct work work;
	struct conn *conn;
	struct buf entries; /* maps */
	uint64_t order;     /* every waiter up to this one was looked at */
	uint64_t batch;     /* that the reply must wait for */
	unsigned count, looked;
	bool done;
};

/* 0 or ENGINE_AGAIN. */
int survey_run(struct engine *e, struct conn *c, const struct event *ev);

/* Whether the connection must wait for it; and its end. */
bool survey_pending(const struct conn *c);
void survey_end(struct conn *c);

#endif
