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

static uint32_t hash_client(const struct dhcp_leases *leases, const void *identity, size_t length)
{
	return (uint32_t)dhcp_hash(leases->hash_key, identity, length);
}

static uint32_t hash_of_client(const struct dhcp_leases *leases, const struct dhcp_lease *lease)
{
	return hash_client(leases, dhcp_lease_identity(lease), lease->identity_length);
}

/*
 * Eight that follow each other stand in one cache line of the table: they are mostly given, and read
 * at start, one after the other. A few multiplications under the key: which addresses there are is
 * the operator's choice, but a peer may wish for some of them.
 */
static uint32_t hash_address(const struct dhcp_leases *leases, struct ipv4 address)
{
	uint32_t line = (address.host >> 3) ^ (uint32_t)leases->hash_key[0];
	line ^= line >> 15;
	line *= UINT32_C(0x2c1b3c6d);
	line ^= line >> 12;
	line *= UINT32_C(0x297a2d39);
	line ^= line >> 15;
	return line << 3 | (address.host & 7);
}

void dhcp_leases_init(struct dhcp_leases *leases, uint64_t seed)
{
	*leases = (struct dhcp_leases){
		.hash_key = {seed, seed ^ UINT64_C(0x9e3779b97f4a7c15)},
	};
}

static void identity_free(struct dhcp_lease *lease)
{
	if (lease->identity_length > DHCP_LEASE_IDENTITY_NEAR)
		free(lease->far);
	lease->identity_length = 0;
}

void dhcp_leases_finish(struct dhcp_leases *leases)
{
	for (size_t i = 0; i < leases->count; i++)
		identity_free(&leases->list[i]);
	free(leases->list);
	dhcp_table_finish(&leases->clients);
	dhcp_table_finish(&leases->addresses);
	dhcp_lease_heap_finish(&leases->offers);
	dhcp_lease_heap_finish(&leases->others);
	*leases = (struct dhcp_leases){0};
}

/* The list that an idle lease waits in; NULL where it waits in none. */
static struct dhcp_idle_list *idle_list(struct dhcp_leases *leases, const struct dhcp_lease *lease)
{
	bool waits = lease->state == DHCP_LEASE_IDLE && !lease->reserved;
	return waits ? &leases->idle[lease->used] : NULL;
}

static void idle_append(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	struct dhcp_idle_list *list = idle_list(leases, lease);
	if (!list)
		return;
	uint32_t link = dhcp_lease_number(leases, lease) + 1;
	lease->idle_before = list->last;
	lease->idle_after = 0;
	*(list->last ? &leases->list[list->last - 1].idle_after : &list->first) = link;
	list->last = link;
	list->count++;
}

static void idle_remove(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	struct dhcp_idle_list *list = idle_list(leases, lease);
	if (!list)
		return;
	uint32_t before = lease->idle_before, after = lease->idle_after;
	*(before ? &leases->list[before - 1].idle_after : &list->first) = after;
	*(after ? &leases->list[after - 1].idle_before : &list->last) = before;
	list->count--;
}

/* Room for every lease in all that finds it, so that no change of state can fail. */
static bool leases_reserve(struct dhcp_leases *leases)
{
	return dhcp_lease_heap_reserve(&leases->offers, leases->count + 1) &&
	       dhcp_lease_heap_reserve(&leases->others, leases->count + 1) &&
	       dhcp_table_reserve(&leases->addresses);
}

struct dhcp_lease *dhcp_leases_add(struct dhcp_leases *leases, struct ipv4 address, bool reserved)
{
	if (!leases_reserve(leases))
		return NULL;
	struct dhcp_lease *lease = array_add(&leases->list, &leases->count);
	if (!lease)
		return NULL;
	lease->address = address;
	lease->reserved = reserved;
	leases->in_state[reserved][DHCP_LEASE_IDLE]++;
	dhcp_table_insert(&leases->addresses, hash_address(leases, address),
		dhcp_lease_number(leases, lease));
	idle_append(leases, lease);
	return lease;
}

struct dhcp_lease *dhcp_leases_of_address(const struct dhcp_leases *leases, struct ipv4 address)
{
	uint32_t hash = hash_address(leases, address), link;
	size_t at = hash;
	while ((link = dhcp_table_next(&leases->addresses, hash, &at)))
		if (ipv4_equal(leases->list[link - 1].address, address))
			return &leases->list[link - 1];
	return NULL;
}

bool dhcp_lease_is_of(const struct dhcp_lease *lease, const struct dhcp_identity *identity)
{
	return lease->identity_length == identity->length &&
	       memcmp(dhcp_lease_identity(lease), identity->bytes, identity->length) == 0;
}

struct dhcp_lease *dhcp_leases_of_client(
	const struct dhcp_leases *leases, const struct dhcp_identity *identity)
{
	uint32_t hash = hash_client(leases, identity->bytes, identity->length), link;
	size_t at = hash;
	while ((link = dhcp_table_next(&leases->clients, hash, &at)))
		if (dhcp_lease_is_of(&leases->list[link - 1], identity))
			return &leases->list[link - 1];
	return NULL;
}

bool dhcp_lease_set_client(
	struct dhcp_leases *leases, struct dhcp_lease *lease, const struct dhcp_identity *identity)
{
	if (dhcp_lease_is_of(lease, identity))
		return true;
	if (!dhcp_table_reserve(&leases->clients))
		return false;
	bool far = identity->length > DHCP_LEASE_IDENTITY_NEAR;
	uint8_t *bytes = far ? malloc(identity->length) : NULL;
	if (far && !bytes)
		return false;
	dhcp_lease_forget_client(leases, lease);
	if (far)
		lease->far = bytes;
	memcpy(far ? bytes : lease->near, identity->bytes, identity->length);
	lease->identity_length = identity->length;
	dhcp_table_insert(
		&leases->clients, hash_of_client(leases, lease), dhcp_lease_number(leases, lease));
	return true;
}

void dhcp_lease_forget_client(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	lease->hardware = (struct dhcp_hardware){0};
	if (lease->identity_length == 0)
		return;
	dhcp_table_remove(
		&leases->clients, hash_of_client(leases, lease), dhcp_lease_number(leases, lease));
	identity_free(lease);
}

/* The heap of leases in that state with that end; NULL where they are in none. */
static struct dhcp_lease_heap *heap_of(
	struct dhcp_leases *leases, enum dhcp_lease_state state, uint64_t ends_ns)
{
	if (state == DHCP_LEASE_IDLE || ends_ns == DHCP_NEVER)
		return NULL;
	return state == DHCP_LEASE_OFFERED ? &leases->offers : &leases->others;
}

void dhcp_lease_set_state(struct dhcp_leases *leases, struct dhcp_lease *lease,
	enum dhcp_lease_state state, uint64_t ends_ns)
{
	uint32_t number = dhcp_lease_number(leases, lease);
	struct dhcp_lease_heap *before =
		heap_of(leases, (enum dhcp_lease_state)lease->state, lease->ends_ns);
	struct dhcp_lease_heap *after = heap_of(leases, state, ends_ns);
	idle_remove(leases, lease);
	if (before && before != after)
		dhcp_lease_heap_remove(before, leases->list, number);
	leases->in_state[lease->reserved][lease->state]--;
	leases->in_state[lease->reserved][state]++;
	lease->state = (uint8_t)state;
	lease->ends_ns = ends_ns;
	lease->used |= state == DHCP_LEASE_BOUND || state == DHCP_LEASE_DECLINED;
	if (after && after == before)
		dhcp_lease_heap_change(after, leases->list, number, ends_ns);
	else if (after)
		dhcp_lease_heap_insert(after, leases->list, number, ends_ns);
	idle_append(leases, lease);
}

void dhcp_lease_set_reserved(struct dhcp_leases *leases, struct dhcp_lease *lease, bool reserved)
{
	if (lease->reserved == reserved)
		return;
	idle_remove(leases, lease);
	leases->in_state[lease->reserved][lease->state]--;
	leases->in_state[reserved][lease->state]++;
	lease->reserved = reserved;
	idle_append(leases, lease);
}

void dhcp_lease_set_used(struct dhcp_leases *leases, struct dhcp_lease *lease)
{
	idle_remove(leases, lease);
	lease->used = true;
	idle_append(leases, lease);
}

struct dhcp_lease *dhcp_leases_idle(const struct dhcp_leases *leases, bool used)
{
	uint32_t first = leases->idle[used].first;
	return first ? &leases->list[first - 1] : NULL;
}

struct dhcp_lease *dhcp_leases_idle_after(
	const struct dhcp_leases *leases, const struct dhcp_lease *lease)
{
	return lease->idle_after ? &leases->list[lease->idle_after - 1] : NULL;
}

struct dhcp_lease *dhcp_leases_next_ending(const struct dhcp_leases *leases)
{
	const struct dhcp_lease_heap *offers = &leases->offers, *others = &leases->others;
	if (offers->count == 0 && others->count == 0)
		return NULL;
	bool offer = others->count == 0 ||
		     (offers->count > 0 && offers->entries[0].ends_ns < others->entries[0].ends_ns);
	return &leases->list[(offer ? offers : others)->entries[0].number];
}
