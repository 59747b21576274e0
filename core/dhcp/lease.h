/*
 * Leases and the structures that find them: by client, by end, by how long they lay idle. What may
 * be given to whom is the pool's business (pool.h); here nothing is decided.
 *
 *	clients		a hash table: the lease of a client's identity; a client has at most one
 *	ending		a binary heap: the next lease to end
 *	idle		a doubly linked list: the leases nobody holds, longest unused first
 *
 * Leases live in one growing array and name each other by number, so that a million of them are one
 * allocation. A `struct dhcp_lease *` is valid until the next dhcp_leases_add().
 */
#ifndef DHCP_LEASE_H
#define DHCP_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "dhcp/identity.h"

#define DHCP_NEVER UINT64_MAX /* ends_ns of an infinite lease */

enum dhcp_lease_state {
	DHCP_LEASE_IDLE,
	DHCP_LEASE_OFFERED,
	DHCP_LEASE_BOUND,
	DHCP_LEASE_DECLINED
};

/* "idle", "offered", "bound", "declined". */
const char *dhcp_lease_state_name(enum dhcp_lease_state state);

/* False where `name` is none of them. */
bool dhcp_lease_state_parse(const char *name, enum dhcp_lease_state *ret_state);

struct dhcp_lease {
	struct ipv4 address;
	uint8_t state; /* enum dhcp_lease_state */
	bool reserved; /* a binding's address, or kept from clients: never in the idle list */
	uint16_t identity_length; /* 0: it has, and had, no client */
	struct dhcp_hardware hardware; /* the client's */
	uint8_t *identity; /* the bytes of struct dhcp_identity, owned */
	uint64_t starts_ns, ends_ns; /* absolute */
	uint64_t before_ns; /* the end that its client knew of before the last change; 0: none */
	/* Private: numbers of leases plus one, 0 for none; the place in the heap plus one. */
	uint32_t client_next, idle_before, idle_after, heap_place;
};

struct dhcp_leases {
	struct dhcp_lease *list;
	size_t count;
	/* Private. */
	uint32_t *buckets, *heap;
	size_t bucket_count, client_count, heap_count, heap_capacity;
	uint32_t idle_first, idle_last;
	uint64_t hash_key[2];
};

/* `leases` is zeroed, or was finished. `seed` keeps peers from choosing their hash bucket. */
void dhcp_leases_init(struct dhcp_leases *leases, uint64_t seed);
void dhcp_leases_finish(struct dhcp_leases *leases);

/* A new lease, in no structure yet; NULL when memory is gone. */
struct dhcp_lease *dhcp_leases_add(struct dhcp_leases *leases, struct ipv4 address);

static inline uint32_t dhcp_lease_number(
	const struct dhcp_leases *leases, const struct dhcp_lease *lease)
{
	return (uint32_t)(lease - leases->list);
}

/* The lease of that client, whatever its state; NULL where it has none. */
struct dhcp_lease *dhcp_leases_of_client(
	const struct dhcp_leases *leases, const struct dhcp_identity *identity);

bool dhcp_lease_is_of(const struct dhcp_lease *lease, const struct dhcp_identity *identity);

/*
 * Make the lease that client's, who must have no other. A former client of the lease is forgotten.
 * Returns false, and nothing has changed, when memory is gone.
 */
bool dhcp_lease_set_client(
	struct dhcp_leases *leases, struct dhcp_lease *lease, const struct dhcp_identity *identity);

/* Forget the lease's client. */
void dhcp_lease_forget_client(struct dhcp_leases *leases, struct dhcp_lease *lease);

/* Set state and end, and move the lease between heap and idle list as they ask. Never fails. */
void dhcp_lease_set_state(struct dhcp_leases *leases, struct dhcp_lease *lease,
	enum dhcp_lease_state state, uint64_t ends_ns);

/* The idle lease that was unused for longest, and the lease that ends next; NULL: there is none. */
struct dhcp_lease *dhcp_leases_idle(const struct dhcp_leases *leases);
struct dhcp_lease *dhcp_leases_next_ending(const struct dhcp_leases *leases);

#endif
