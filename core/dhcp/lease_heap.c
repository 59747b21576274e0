#include "dhcp/lease_heap.h"

#include <stdlib.h>

#include "dhcp/lease.h"

/* A parent ends no later than its children at 4i + 1 .. 4i + 4. */
enum { CHILDREN = 4, CAPACITY_FIRST = 64 };

void dhcp_lease_heap_finish(struct dhcp_lease_heap *heap)
{
	free(heap->entries);
	*heap = (struct dhcp_lease_heap){0};
}

bool dhcp_lease_heap_reserve(struct dhcp_lease_heap *heap, size_t wanted)
{
	if (wanted <= heap->capacity)
		return true;
	size_t capacity = heap->capacity ? heap->capacity * 2 : CAPACITY_FIRST;
	struct dhcp_heap_entry *entries = realloc(heap->entries, capacity * sizeof(*entries));
	if (!entries)
		return false;
	heap->entries = entries;
	heap->capacity = capacity;
	return true;
}

static void put(struct dhcp_lease_heap *heap, struct dhcp_lease *list, size_t place,
	struct dhcp_heap_entry entry)
{
	heap->entries[place] = entry;
	list[entry.number].heap_place = (uint32_t)place + 1;
}

/* Put `entry` into the hole at `place`, or as much nearer to the root as it must be. */
static void sift_up(struct dhcp_lease_heap *heap, struct dhcp_lease *list, size_t place,
	struct dhcp_heap_entry entry)
{
	while (place > 0) {
		size_t parent = (place - 1) / CHILDREN;
		if (entry.ends_ns >= heap->entries[parent].ends_ns)
			break;
		put(heap, list, place, heap->entries[parent]);
		place = parent;
	}
	put(heap, list, place, entry);
}

/* The child of `place` that ends first; `place` itself where it has none. */
static size_t first_child(const struct dhcp_lease_heap *heap, size_t place)
{
	size_t first = CHILDREN * place + 1, best = first;
	if (first >= heap->count)
		return place;
	size_t behind = first + CHILDREN < heap->count ? first + CHILDREN : heap->count;
	for (size_t child = first + 1; child < behind; child++)
		if (heap->entries[child].ends_ns < heap->entries[best].ends_ns)
			best = child;
	return best;
}

static void sift_down(struct dhcp_lease_heap *heap, struct dhcp_lease *list, size_t place,
	struct dhcp_heap_entry entry)
{
	for (;;) {
		size_t child = first_child(heap, place);
		if (child == place || entry.ends_ns <= heap->entries[child].ends_ns)
			break;
		put(heap, list, place, heap->entries[child]);
		place = child;
	}
	put(heap, list, place, entry);
}

static void settle(struct dhcp_lease_heap *heap, struct dhcp_lease *list, size_t place,
	struct dhcp_heap_entry entry)
{
	if (place > 0 && entry.ends_ns < heap->entries[(place - 1) / CHILDREN].ends_ns)
		sift_up(heap, list, place, entry);
	else
		sift_down(heap, list, place, entry);
}

void dhcp_lease_heap_insert(
	struct dhcp_lease_heap *heap, struct dhcp_lease *list, uint32_t number, uint64_t ends_ns)
{
	sift_up(heap, list, heap->count++, (struct dhcp_heap_entry){ends_ns, number});
}

void dhcp_lease_heap_change(
	struct dhcp_lease_heap *heap, struct dhcp_lease *list, uint32_t number, uint64_t ends_ns)
{
	settle(heap, list, list[number].heap_place - 1, (struct dhcp_heap_entry){ends_ns, number});
}

void dhcp_lease_heap_remove(struct dhcp_lease_heap *heap, struct dhcp_lease *list, uint32_t number)
{
	size_t place = list[number].heap_place - 1;
	list[number].heap_place = 0;
	struct dhcp_heap_entry last = heap->entries[--heap->count];
	if (place < heap->count)
		settle(heap, list, place, last);
}
