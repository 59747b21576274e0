/*
 * Which of up to DHCP_FREE_MAP_MOST numbers are free: a bit each, and above 64 of them one bit that
 * says whether any is, and so on. Finding the lowest free one looks at a word a level: 4 of them for
 * 16 million. 130 KiB a million numbers.
 */
#ifndef DHCP_FREE_MAP_H
#define DHCP_FREE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DHCP_FREE_MAP_LEVELS = 5, DHCP_FREE_MAP_MOST = 1 << 30 };

/* `= {0}` is an empty one. */
struct dhcp_free_map {
	size_t size;
	uint64_t *levels[DHCP_FREE_MAP_LEVELS]; /* [0]: a bit a number; owned, one allocation */
	unsigned level_count;
};

/* All `size` numbers are free. False when memory is gone. Release with dhcp_free_map_finish(). */
bool dhcp_free_map_init(struct dhcp_free_map *map, size_t size);
void dhcp_free_map_finish(struct dhcp_free_map *map);

void dhcp_free_map_set(struct dhcp_free_map *map, size_t number, bool is_free);

/* The lowest free number that is not below `from`; the map's size where there is none. */
size_t dhcp_free_map_next(const struct dhcp_free_map *map, size_t from);

#endif
