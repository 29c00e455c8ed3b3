/* Spaces, by number: 0 is main, 1 is volatile. */
#include "world.h"

uint64_t m_space_batch(int space)
{
	return space == 0 ? w.now.last_batch : 0;
}

void m_space_touch(int space)
{
	if (space == 0)
		w.now.last_batch = w.open_batch;
}

int m_space_at(const uint8_t *p)
{
	return bytes_equal(item_string(p), bytes_of("vol")) ? 1 : 0;
}
