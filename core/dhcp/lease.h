/*
 * Leases and the structures that find them: by client, by address, by end, by how long they lay
 * idle. What may be given to whom is the pool's business (pool.h); here nothing is decided.
 *
 *	by client	a hash table: the lease of a client's identity; a client has at most one
 *	by address	a hash table
 *	ending		two heaps: the next offer, and the next other lease, to end
 *	idle		two doubly linked lists of the leases nobody holds: those that were never more
 *			than offered, and those that were in use, longest unused first
 *
 * Leases live in one growing array and name each other by number; a million of them are 140 MB with
 * all that finds them. A `struct dhcp_lease *` is valid until the next dhcp_leases_add().
 */
#ifndef DHCP_LEASE_H
#define DHCP_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "dhcp/identity.h"
#include "dhcp/lease_heap.h"
#include "dhcp/table.h"

#define DHCP_NEVER UINT64_MAX /* ends_ns of an infinite lease */

enum dhcp_lease_state {
	DHCP_LEASE_IDLE,
	DHCP_LEASE_OFFERED,
	DHCP_LEASE_BOUND,
	DHCP_LEASE_DECLINED
};
enum { DHCP_LEASE_STATES = DHCP_LEASE_DECLINED + 1 };

/* "idle", "offered", "bound", "declined". */
const char *dhcp_lease_state_name(enum dhcp_lease_state state);

/* False where `name` is none of them. */
bool dhcp_lease_state_parse(const char *name, enum dhcp_lease_state *ret_state);

enum { DHCP_LEASE_IDENTITY_NEAR = 24 };

struct dhcp_lease {
	struct ipv4 address;
	uint8_t state; /* enum dhcp_lease_state */
	bool reserved; /* not for everybody: bound, kept from clients, or outside the ranges */
	bool used; /* it was more than offered */
	/*
	 * "Do not renew". Of one that runs: its next renewal is refused. Of an idle one: that was
	 * done, and its former client is not to get it back while there is another.
	 */
	bool refuse_renewal;
	bool probing; /* offered to nobody yet: its address is being probed */
	struct dhcp_hardware hardware; /* its client's; of a declined one: who declined it */
	uint16_t identity_length; /* 0: it has, and had, no client */
	uint64_t starts_ns, ends_ns; /* absolute */
	uint64_t before_ns; /* the end that its client knew of before the last change; 0: none */
	union { /* the bytes of struct dhcp_identity: see dhcp_lease_identity() */
		uint8_t near[DHCP_LEASE_IDENTITY_NEAR];
		uint8_t *far; /* owned */
	};
	uint32_t port; /* where its client was seen, see port.h; 0: not known */
	/* Private: numbers of leases plus one, 0 for none; the place in its heap plus one. */
	uint32_t idle_before, idle_after, heap_place;
};

struct dhcp_idle_list {
	uint32_t first, last; /* numbers plus one */
	size_t count;
};

struct dhcp_leases {
	struct dhcp_lease *list;
	size_t count;
	size_t in_state[2][DHCP_LEASE_STATES]; /* [1]: of the reserved ones */
	/* Private. */
	struct dhcp_table clients, addresses;
	struct dhcp_lease_heap offers, others;
	struct dhcp_idle_list idle[2]; /* [1]: used before */
	uint64_t hash_key[2];
};

/* `leases` is zeroed, or was finished. `seed` keeps peers from choosing their hash bucket. */
void dhcp_leases_init(struct dhcp_leases *leases, uint64_t seed);
void dhcp_leases_finish(struct dhcp_leases *leases);

/* A new lease: idle, without a client, queued where it is not reserved. NULL when memory is gone. */
struct dhcp_lease *dhcp_leases_add(struct dhcp_leases *leases, struct ipv4 address, bool reserved);

static inline uint32_t dhcp_lease_number(
	const struct dhcp_leases *leases, const struct dhcp_lease *lease)
{
	return (uint32_t)(lease - leases->list);
}

/* The lease of that client or address, whatever its state; NULL where there is none. */
struct dhcp_lease *dhcp_leases_of_client(
	const struct dhcp_leases *leases, const struct dhcp_identity *identity);
struct dhcp_lease *dhcp_leases_of_address(const struct dhcp_leases *leases, struct ipv4 address);

static inline const uint8_t *dhcp_lease_identity(const struct dhcp_lease *lease)
{
	return lease->identity_length > DHCP_LEASE_IDENTITY_NEAR ? lease->far : lease->near;
}

bool dhcp_lease_is_of(const struct dhcp_lease *lease, const struct dhcp_identity *identity);

/*
 * Make the lease that client's, who must have no other. A former client of the lease is forgotten.
 * Returns false, and nothing has changed, when memory is gone.
 */
bool dhcp_lease_set_client(
	struct dhcp_leases *leases, struct dhcp_lease *lease, const struct dhcp_identity *identity);

/* Forget the lease's client, its hardware address too. */
void dhcp_lease_forget_client(struct dhcp_leases *leases, struct dhcp_lease *lease);

/* Set state and end, and move the lease between heaps and idle lists as they ask. Never fails. */
void dhcp_lease_set_state(struct dhcp_leases *leases, struct dhcp_lease *lease,
	enum dhcp_lease_state state, uint64_t ends_ns);
void dhcp_lease_set_reserved(struct dhcp_leases *leases, struct dhcp_lease *lease, bool reserved);

/* It is told that the lease was in use before: see `used`. */
void dhcp_lease_set_used(struct dhcp_leases *leases, struct dhcp_lease *lease);

/* The idle lease that waits longest, of those `used` before or not, and the one behind it. */
struct dhcp_lease *dhcp_leases_idle(const struct dhcp_leases *leases, bool used);
struct dhcp_lease *dhcp_leases_idle_after(
	const struct dhcp_leases *leases, const struct dhcp_lease *lease);

/* The lease that ends next; NULL where none does. */
struct dhcp_lease *dhcp_leases_next_ending(const struct dhcp_leases *leases);

#endif
