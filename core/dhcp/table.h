/*
 * A hash table of numbers by 32 bits of their hash, both in one entry of 8 bytes: a search for what
 * is not there looks at one cache line and at nothing of what the numbers stand for, and growing
 * neither. Open addressing with linear probing; never more than three quarters full.
 */
#ifndef DHCP_TABLE_H
#define DHCP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dhcp_table_entry {
	uint32_t hash;
	uint32_t link; /* the number plus one; 0: empty */
};

/* `= {0}` is an empty one. */
struct dhcp_table {
	struct dhcp_table_entry *entries; /* owned */
	size_t size; /* a power of two, or 0 */
	size_t count;
};

void dhcp_table_finish(struct dhcp_table *table);

/* Make room for one more; false when memory is gone, and nothing has changed. */
bool dhcp_table_reserve(struct dhcp_table *table);

/* Needs a dhcp_table_reserve() before. */
void dhcp_table_insert(struct dhcp_table *table, uint32_t hash, uint32_t number);

/* It is in the table. */
void dhcp_table_remove(struct dhcp_table *table, uint32_t hash, uint32_t number);

/*
 * Go through the numbers with that hash: several may have it, the caller compares.
 *
 *	size_t at = hash;
 *	for (uint32_t link; (link = dhcp_table_next(table, hash, &at));)
 *		... link - 1 ...
 */
static inline uint32_t dhcp_table_next(const struct dhcp_table *table, uint32_t hash, size_t *at)
{
	if (table->size == 0)
		return 0;
	for (;;) {
		const struct dhcp_table_entry *entry = &table->entries[*at & (table->size - 1)];
		++*at;
		if (entry->link == 0 || entry->hash == hash)
			return entry->link;
	}
}

#endif
