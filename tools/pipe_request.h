/* A request of the line door: the words of a line as what is asked. */
#ifndef TILIA_TOOLS_PIPE_REQUEST_H
#define TILIA_TOOLS_PIPE_REQUEST_H

#include "pipe_words.h"

#include "../libclient/tilia.h"

struct pipe_request {
	enum tilia_request what;
	struct tilia_op op;
	struct buf cbor, unless;
	/* wait: */
	bool none;
	uint64_t least;
	/* Of what was refused: */
	int code;
	char why[256];
};

void pipe_request_init(struct pipe_request *q);
void pipe_request_close(struct pipe_request *q);

/* Understands a line; `space` is that of requests that name none, or NULL. It points into
 * the words, whose order may change. false: refused. */
bool pipe_request_read(struct pipe_request *q, struct pipe_words *w, const char *space);

#endif
