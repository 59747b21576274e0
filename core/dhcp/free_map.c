#include "dhcp/free_map.h"

#include <stdlib.h>
#include <string.h>

enum { BITS = 64 };

static size_t words_for(size_t bits)
{
	return (bits + BITS - 1) / BITS;
}

bool dhcp_free_map_init(struct dhcp_free_map *map, size_t size)
{
	*map = (struct dhcp_free_map){.size = size};
	size_t total = 0;
	for (size_t bits = size; map->level_count == 0 || bits > 1; bits = words_for(bits)) {
		total += words_for(bits);
		map->level_count++;
	}
	uint64_t *words = calloc(total + 1, sizeof(*words));
	if (!words)
		return false;
	size_t bits = size;
	for (unsigned level = 0; level < map->level_count; level++) {
		map->levels[level] = words;
		memset(words, 0xff, bits / BITS * sizeof(*words));
		if (bits % BITS)
			words[bits / BITS] = ((uint64_t)1 << bits % BITS) - 1;
		words += words_for(bits);
		bits = words_for(bits);
	}
	return true;
}

void dhcp_free_map_finish(struct dhcp_free_map *map)
{
	free(map->levels[0]);
	*map = (struct dhcp_free_map){0};
}

void dhcp_free_map_set(struct dhcp_free_map *map, size_t number, bool is_free)
{
	bool any = is_free;
	for (unsigned level = 0; level < map->level_count; level++) {
		uint64_t *word = &map->levels[level][number / BITS];
		uint64_t bit = (uint64_t)1 << number % BITS;
		uint64_t before = *word;
		*word = any ? before | bit : before & ~bit;
		if ((before != 0) == (*word != 0))
			return; /* those above say so already */
		any = *word != 0;
		number /= BITS;
	}
}

/* The lowest free number below a bit that is set. */
static size_t descend(const struct dhcp_free_map *map, unsigned level, size_t at)
{
	while (level-- > 0)
		at = at * BITS + (size_t)__builtin_ctzll(map->levels[level][at]);
	return at;
}

size_t dhcp_free_map_next(const struct dhcp_free_map *map, size_t from)
{
	size_t at = from, size = map->size;
	for (unsigned level = 0; level < map->level_count && at < size; level++) {
		uint64_t word = map->levels[level][at / BITS] & ~(uint64_t)0 << at % BITS;
		if (word)
			return descend(
				map, level, at / BITS * BITS + (size_t)__builtin_ctzll(word));
		at = at / BITS + 1;
		size = words_for(size);
	}
	return map->size;
}
