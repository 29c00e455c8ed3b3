/* Durations counted in buckets: 32 a power of two, so that a percentile is right
 * to 3 per cent. Fixed size, no allocation. */
#ifndef TILIA_TOOLS_HISTOGRAM_H
#define TILIA_TOOLS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS (32 * 60)

struct histogram {
	uint64_t bucket[HISTOGRAM_BUCKETS];
	uint64_t count, max;
};

void histogram_add(struct histogram *h, uint64_t ns);

/* The duration that a share of all (0.99) does not exceed; 0 when empty. */
uint64_t histogram_at(const struct histogram *h, double share);

#endif
