/* Heads of CBOR items as libcbor reads them. Between the files of the codec. */
#ifndef TILIA_CODEC_HEAD_H
#define TILIA_CODEC_HEAD_H

#include <stdint.h>

enum codec_kind {
	CODEC_INT,    /* major 0 or 1, arg */
	CODEC_STRING, /* major 2 or 3, content */
	CODEC_CHUNKS, /* major 2 or 3, of indefinite length */
	CODEC_ARRAY,  /* or a map; arg is the count of items, for a map of pairs */
	CODEC_OPEN,   /* an array or map of indefinite length */
	CODEC_TAG,
	CODEC_SIMPLE,
	CODEC_FLOAT,
	CODEC_BREAK,
};

struct codec_head {
	enum codec_kind kind;
	uint8_t major;
	uint64_t arg;
	const uint8_t *content;
	double real;
};

/* Reads the head at *p, which is before `end`, and of a string the content, and
 * moves *p behind it. 0, or ERROR_MALFORMED with *why. */
int codec_head(const uint8_t **p, const uint8_t *end, struct codec_head *h, const char **why);

#endif
