/* Parts of engine_assert(). */
#ifndef TILIA_ENGINE_ASSERT_H
#define TILIA_ENGINE_ASSERT_H

#include <stdint.h>

struct engine;
struct space;
struct waitkey;

/* Checks all that stand under a key; adds how many they are, and how many follow what
 * comes and goes. */
void assert_waiters(const struct engine *e, const struct space *s, const struct waitkey *k,
                    uint64_t *waiting, uint64_t *following);

#endif
