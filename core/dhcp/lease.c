#include "dhcp/lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

static const char *const state_names[] = {
	[DHCP_LEASE_IDLE] = "idle",
	[DHCP_LEASE_OFFERED] = "offered",
	[DHCP_LEASE_BOUND] = "bound",
	[DHCP_LEASE_DECLINED] = "declined",
};

const char *dhcp_lease_state_name(enum dhcp_lease_state state)
{
	return state_names[state];
}

bool dhcp_lease_state_parse(const char *name, enum dhcp_lease_state *ret_state)
{
	for (size_t i = 0; i < ARRAY_LENGTH(state_names); i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*ret_state = (enum dhcp_lease_state)i;
			return true;
		}
	}
	return false;
}

void dhcp_leases_init(struct dhcp_leases *leases, uint64_t seed)
{
	*leases = (struct dhcp_leases){
		.hash_key = {seed, seed ^ UINT64_C(0x9e3779b97f4a7c15)},
	};
}

void dhcp_leases_finish(struct dhcp_leases *leases)
{
	for (size_t i = 0; i < leases->count; i++)
		free(leases->list[i].identity);
	free(leases->list);
	free(leases->buckets);
	free(leases->heap);
	*leases = (struct dhcp_leases){0};
}

struct dhcp_lease *dhcp_leases_add(struct dhcp_leases *leases, struct ipv4 address)
{
	/* Room in the heap for every lease, so that no change of state can fail for it. */
	if (leases->count == leases->heap_capacity) {
		size_t capacity = leases->heap_capacity ? leases->heap_capacity * 2 : 64;
		uint32_t *heap = realloc(leases->heap, capacity * sizeof(*heap));
		if (!heap)
			return NULL;
		leases->heap = heap;
		leases->heap_capacity = capacity;
	}
	struct dhcp_lease *lease = array_add(&leases->list, &leases->count);
	if (lease)
		lease->address = address;
	return lease;
}

static uint32_t *bucket_of(const struct dhcp_leases *leases, const void *identity, size_t length)
{
	uint64_t hash = dhcp_hash(leases->hash_key, identity, length);
	return &leases->buckets[hash & (leases->bucket_count - 1)];
}

bool dhcp_lease_is_of(const struct dhcp_lease *lease, const struct dhcp_identity *identity)
{
	return lease->identity_length == identity->length &&
	       memcmp(lease->identity, identity->bytes, identity->length) == 0;
}

struct dhcp_lease *dhcp_leases_of_client(
	const struct dhcp_leases *leases, const struct dhcp_identity *identity)
{
	if (leases->bucket_count == 0)
		return NULL;
	uint32_t at = *bucket_of(leases, identity->bytes, identity->length);
	while (at) {
		struct dhcp_lease *lease = &leases->list[at - 1];
		if (dhcp_lease_is_of(lease, identity))
			return lease;
		at = lease->client_next;
	}
	return NULL;
}

static void client_link(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	uint32_t *bucket = bucket_of(leases, lease->identity, lease->identity_length);
	lease->client_next = *bucket;
	*bucket = dhcp_lease_number(leases, lease) + 1;
}

/* At most one client a bucket on average. */
static bool buckets_grow(struct dhcp_leases *leases)
{
	size_t count = leases->bucket_count ? leases->bucket_count * 2 : 64;
	uint32_t *buckets = calloc(count, sizeof(*buckets));
	if (!buckets)
		return leases->bucket_count > 0; /* fuller than wished is slower, not wrong */
	free(leases->buckets);
	leases->buckets = buckets;
	leases->bucket_count = count;
	for (size_t i = 0; i < leases->count; i++)
		if (leases->list[i].identity_length)
			client_link(leases, &leases->list[i]);
	return true;
}

bool dhcp_lease_set_client(
	struct dhcp_leases *leases, struct dhcp_lease *lease, const struct dhcp_identity *identity)
{
	if (dhcp_lease_is_of(lease, identity))
		return true;
	if (leases->client_count == leases->bucket_count && !buckets_grow(leases))
		return false;
	uint8_t *bytes = malloc(identity->length);
	if (!bytes)
		return false;
	memcpy(bytes, identity->bytes, identity->length);
	dhcp_lease_forget_client(leases, lease);
	lease->identity = bytes;
	lease->identity_length = identity->length;
	client_link(leases, lease);
	leases->client_count++;
	return true;
}

void dhcp_lease_forget_client(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	if (lease->identity_length == 0)
		return;
	uint32_t *link = bucket_of(leases, lease->identity, lease->identity_length);
	while (*link != dhcp_lease_number(leases, lease) + 1)
		link = &leases->list[*link - 1].client_next;
	*link = lease->client_next;
	free(TAKE(lease->identity));
	lease->identity_length = 0;
	leases->client_count--;
}

/* The heap: a parent ends no later than its children at 2i + 1 and 2i + 2. */
static uint64_t heap_end(const struct dhcp_leases *leases, size_t place)
{
	return leases->list[leases->heap[place]].ends_ns;
}

static void heap_put(struct dhcp_leases *leases, size_t place, uint32_t number)
{
	leases->heap[place] = number;
	leases->list[number].heap_place = (uint32_t)place + 1;
}

static void heap_up(struct dhcp_leases *leases, size_t place)
{
	uint32_t number = leases->heap[place];
	uint64_t end = leases->list[number].ends_ns;
	while (place > 0 && end < heap_end(leases, (place - 1) / 2)) {
		heap_put(leases, place, leases->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	heap_put(leases, place, number);
}

static void heap_down(struct dhcp_leases *leases, size_t place)
{
	uint32_t number = leases->heap[place];
	uint64_t end = leases->list[number].ends_ns;
	for (size_t child; (child = 2 * place + 1) < leases->heap_count; place = child) {
		if (child + 1 < leases->heap_count &&
			heap_end(leases, child + 1) < heap_end(leases, child))
			child++;
		if (end <= heap_end(leases, child))
			break;
		heap_put(leases, place, leases->heap[child]);
	}
	heap_put(leases, place, number);
}

static void heap_insert(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	size_t place = leases->heap_count++;
	heap_put(leases, place, dhcp_lease_number(leases, lease));
	heap_up(leases, place);
}

static void heap_remove(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	if (lease->heap_place == 0)
		return;
	size_t place = lease->heap_place - 1;
	lease->heap_place = 0;
	uint32_t last = leases->heap[--leases->heap_count];
	if (place == leases->heap_count)
		return;
	heap_put(leases, place, last);
	heap_up(leases, place);
	heap_down(leases, leases->list[last].heap_place - 1);
}

static void idle_append(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	uint32_t link = dhcp_lease_number(leases, lease) + 1;
	lease->idle_before = leases->idle_last;
	lease->idle_after = 0;
	if (leases->idle_last)
		leases->list[leases->idle_last - 1].idle_after = link;
	else
		leases->idle_first = link;
	leases->idle_last = link;
}

static void idle_remove(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	uint32_t link = dhcp_lease_number(leases, lease) + 1;
	if (lease->idle_before)
		leases->list[lease->idle_before - 1].idle_after = lease->idle_after;
	else if (leases->idle_first == link)
		leases->idle_first = lease->idle_after;
	else
		return; /* it was in no list */
	if (lease->idle_after)
		leases->list[lease->idle_after - 1].idle_before = lease->idle_before;
	else
		leases->idle_last = lease->idle_before;
	lease->idle_before = lease->idle_after = 0;
}

void dhcp_lease_set_state(struct dhcp_leases *leases, struct dhcp_lease *lease,
	enum dhcp_lease_state state, uint64_t ends_ns)
{
	heap_remove(leases, lease);
	idle_remove(leases, lease);
	lease->state = (uint8_t)state;
	lease->ends_ns = ends_ns;
	if (state == DHCP_LEASE_IDLE) {
		if (!lease->reserved)
			idle_append(leases, lease);
	} else if (ends_ns != DHCP_NEVER) {
		heap_insert(leases, lease);
	}
}

struct dhcp_lease *dhcp_leases_idle(const struct dhcp_leases *leases)
{
	return leases->idle_first ? &leases->list[leases->idle_first - 1] : NULL;
}

struct dhcp_lease *dhcp_leases_next_ending(const struct dhcp_leases *leases)
{
	return leases->heap_count ? &leases->list[leases->heap[0]] : NULL;
}
