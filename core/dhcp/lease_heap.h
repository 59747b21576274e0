/*
 * A heap of leases by their ends: which one ends next. Four children a node, and the ends beside the
 * numbers, so that a step down looks at one or two cache lines and at no lease.
 * `list` is the array of all leases: each knows its place in the heap that it is in.
 */
#ifndef DHCP_LEASE_HEAP_H
#define DHCP_LEASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dhcp_lease;

struct dhcp_heap_entry {
	uint64_t ends_ns;
	uint32_t number; /* of the lease */
};

/* `= {0}` is an empty one. */
struct dhcp_lease_heap {
	struct dhcp_heap_entry *entries;
	size_t count, capacity;
};

void dhcp_lease_heap_finish(struct dhcp_lease_heap *heap);

/* Room for `wanted` elements; false when memory is gone. */
bool dhcp_lease_heap_reserve(struct dhcp_lease_heap *heap, size_t wanted);

/* Needs room. */
void dhcp_lease_heap_insert(
	struct dhcp_lease_heap *heap, struct dhcp_lease *list, uint32_t number, uint64_t ends_ns);

/* It is in this heap; then: it has another end, or leaves it. */
void dhcp_lease_heap_change(
	struct dhcp_lease_heap *heap, struct dhcp_lease *list, uint32_t number, uint64_t ends_ns);
void dhcp_lease_heap_remove(struct dhcp_lease_heap *heap, struct dhcp_lease *list, uint32_t number);

#endif
