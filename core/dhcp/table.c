#include "dhcp/table.h"

#include <stdlib.h>

#include "base/array.h"

void dhcp_table_finish(struct dhcp_table *table)
{
	free(table->buckets);
	*table = (struct dhcp_table){0};
}

/* The new last bucket takes its share of the one that held both until now. */
static void split(struct dhcp_table *table, const struct dhcp_table_kind *kind, const void *owner)
{
	size_t added = table->bucket_count - 1;
	size_t whole = (size_t)1 << (63 - __builtin_clzll(added));
	uint32_t *from = &table->buckets[added - whole], *to = &table->buckets[added];
	while (*from) {
		uint32_t number = *from - 1, *link = kind->link(owner, number);
		if (dhcp_table_bucket(added + 1, kind->hash(owner, number)) != added) {
			from = link;
			continue;
		}
		*from = *link;
		*link = *to;
		*to = number + 1;
	}
}

bool dhcp_table_reserve(struct dhcp_table *table, const struct dhcp_table_kind *kind,
	const void *owner, size_t count)
{
	if (count < table->bucket_count)
		return true;
	if (!array_add(&table->buckets, &table->bucket_count))
		return table->bucket_count > 0;
	if (table->bucket_count > 1)
		split(table, kind, owner);
	return true;
}

static uint32_t *chain_of(const struct dhcp_table *table, const struct dhcp_table_kind *kind,
	const void *owner, uint32_t number)
{
	uint64_t hash = kind->hash(owner, number);
	return &table->buckets[dhcp_table_bucket(table->bucket_count, hash)];
}

void dhcp_table_insert(struct dhcp_table *table, const struct dhcp_table_kind *kind,
	const void *owner, uint32_t number)
{
	uint32_t *first = chain_of(table, kind, owner, number);
	*kind->link(owner, number) = *first;
	*first = number + 1;
}

void dhcp_table_remove(struct dhcp_table *table, const struct dhcp_table_kind *kind,
	const void *owner, uint32_t number)
{
	uint32_t *link = chain_of(table, kind, owner, number);
	while (*link != number + 1)
		link = kind->link(owner, *link - 1);
	*link = *kind->link(owner, number);
}
