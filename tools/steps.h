/* The steps of an atomic, as words: in, rd, no or out, its options, and one '[...]' in
 * diagnostic notation, again and again. What they say is gathered as CBOR. */
#ifndef TILIA_TOOLS_STEPS_H
#define TILIA_TOOLS_STEPS_H

#include "../libclient/diag.h"

#include <stdint.h>

struct steps {
	const char *space; /* of steps that name none */
	uint64_t count;
	struct buf items;  /* of the protocol's array, one after the other */
	/* Why words were refused; and of a text that is none, which, and where: */
	char why[256];
	const char *text;  /* or NULL */
	struct diag_error at;
};

void steps_init(struct steps *s, const char *space);
void steps_close(struct steps *s);

/* Reads more of them. false: refused, *s says why. */
bool steps_read(struct steps *s, char *const *words, int count);

/* Appends the protocol's array of all that was read. */
void steps_put(const struct steps *s, struct buf *to);

#endif
