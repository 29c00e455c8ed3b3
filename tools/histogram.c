#include "histogram.h"

/* Values below 32 have a bucket each; above, the five bits after the highest one
 * and its place say which. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned high;

	if (ns < 32)
		return (unsigned)ns;
	high = 63 - (unsigned)__builtin_clzll(ns);
	return (high - 4) * 32 + (unsigned)(ns >> (high - 5) & 31);
}

static uint64_t middle_of(unsigned bucket)
{
	unsigned high = bucket / 32 + 4;

	if (bucket < 32)
		return bucket;
	return ((uint64_t)1 << high) + ((2 * (uint64_t)(bucket % 32) + 1) << (high - 5)) / 2;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->bucket[bucket_of(ns)]++;
	h->count++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t want = (uint64_t)((double)h->count * share), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen > want)
			return middle_of(i) < h->max ? middle_of(i) : h->max;
	}
	return h->max;
}
