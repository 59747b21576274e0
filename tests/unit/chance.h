/* Numbers that look random and are the same in every run. A test may set `chance_state` first. */
#ifndef TESTS_CHANCE_H
#define TESTS_CHANCE_H

#include <stdint.h>

static uint64_t chance_state = 20261122;

/* 0 .. limit - 1 */
static inline uint32_t random_below(uint32_t limit)
{
	chance_state = chance_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((chance_state >> 33) % limit);
}

#endif
