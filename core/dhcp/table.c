#include "dhcp/table.h"

#include <stdlib.h>

enum { SIZE_FIRST = 64 };

void dhcp_table_finish(struct dhcp_table *table)
{
	free(table->entries);
	*table = (struct dhcp_table){0};
}

static void put(struct dhcp_table *table, struct dhcp_table_entry entry)
{
	size_t at = entry.hash & (table->size - 1);
	while (table->entries[at].link)
		at = (at + 1) & (table->size - 1);
	table->entries[at] = entry;
}

bool dhcp_table_reserve(struct dhcp_table *table)
{
	if (table->count < table->size / 4 * 3)
		return true;
	struct dhcp_table larger = {.size = table->size ? table->size * 2 : SIZE_FIRST};
	larger.count = table->count;
	larger.entries = calloc(larger.size, sizeof(*larger.entries));
	if (!larger.entries)
		return false;
	for (size_t i = 0; i < table->size; i++)
		if (table->entries[i].link)
			put(&larger, table->entries[i]);
	free(table->entries);
	*table = larger;
	return true;
}

void dhcp_table_insert(struct dhcp_table *table, uint32_t hash, uint32_t number)
{
	put(table, (struct dhcp_table_entry){hash, number + 1});
	table->count++;
}

void dhcp_table_remove(struct dhcp_table *table, uint32_t hash, uint32_t number)
{
	size_t mask = table->size - 1, hole = hash & mask;
	while (table->entries[hole].link != number + 1)
		hole = (hole + 1) & mask;
	/* Those behind move up, unless they stand where their hash wants them or behind the hole. */
	for (size_t at = (hole + 1) & mask; table->entries[at].link; at = (at + 1) & mask) {
		size_t home = table->entries[at].hash & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		table->entries[hole] = table->entries[at];
		hole = at;
	}
	table->entries[hole] = (struct dhcp_table_entry){0};
	table->count--;
}
