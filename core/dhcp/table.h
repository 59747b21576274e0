/*
 * A hash table of numbers that grows by one bucket at a time (linear hashing), so that no insertion
 * waits for a million others to move. What the numbers stand for lies in an array of its owner; each
 * element there has the link of its chain: the next one's number plus one, 0 at the end.
 */
#ifndef DHCP_TABLE_H
#define DHCP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dhcp_table_kind {
	uint64_t (*hash)(const void *owner, uint32_t number);
	uint32_t *(*link)(const void *owner, uint32_t number);
};

/* `= {0}` is an empty one. */
struct dhcp_table {
	uint32_t *buckets; /* links */
	size_t bucket_count;
};

void dhcp_table_finish(struct dhcp_table *table);

/*
 * Make room for one element more than the `count` that it holds. False only where not even the first
 * bucket can be had: a fuller table is slower, not wrong.
 */
bool dhcp_table_reserve(struct dhcp_table *table, const struct dhcp_table_kind *kind,
	const void *owner, size_t count);

/* Needs a dhcp_table_reserve() before. */
void dhcp_table_insert(struct dhcp_table *table, const struct dhcp_table_kind *kind,
	const void *owner, uint32_t number);

/* `number` is in it, and its hash is what it was. */
void dhcp_table_remove(struct dhcp_table *table, const struct dhcp_table_kind *kind,
	const void *owner, uint32_t number);

/* The bucket of `hash` in a table of `count` (not 0) buckets. */
static inline size_t dhcp_table_bucket(size_t count, uint64_t hash)
{
	size_t whole = (size_t)1 << (63 - __builtin_clzll(count));
	size_t bucket = hash & (2 * whole - 1);
	return bucket < count ? bucket : bucket - whole;
}

/* The first link of the chain that elements with that hash are in. */
static inline uint32_t dhcp_table_first(const struct dhcp_table *table, uint64_t hash)
{
	if (table->bucket_count == 0)
		return 0;
	return table->buckets[dhcp_table_bucket(table->bucket_count, hash)];
}

#endif
