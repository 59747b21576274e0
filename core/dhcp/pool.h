/*
 * The pool: which address may be given to whom (RFC 2131 section 4.3.1). Pure: no clock, no file.
 *
 * Every address of the range, then every bound address outside it, has an index; an array finds the
 * lease by it, 4 bytes an address. A lease is made when its address is first used and never goes
 * away, so a former client is remembered for as long as nobody else needed its address. A *binding*
 * is an address that belongs to one hardware address and is never put up for others.
 * No operation looks through the pool: choosing is O(1), giving and taking back O(log n).
 *
 * Life of a lease: idle -> offered -> bound -> idle; declined where somebody else was seen using
 * the address. Offered, bound and declined end by themselves (dhcp_pool_expire()).
 * Times are nanoseconds of whatever clock the caller uses throughout.
 */
#ifndef DHCP_POOL_H
#define DHCP_POOL_H

#include "base/address.h"
#include "base/error.h"
#include "dhcp/lease.h"
#include "dhcp/settings.h"

#define DHCP_POOL_MOST UINT32_C(0x1000000) /* addresses of its ranges together: a /8 */

enum { DHCP_PORT_MAX = 64 };

struct dhcp_pool {
	struct prefix subnet;
	struct dhcp_range *ranges; /* owned, sorted */
	size_t range_count;
	size_t size; /* addresses of the ranges */
	struct dhcp_leases leases;
	struct dhcp_binding *bindings; /* owned, sorted by client */
	size_t binding_count;
	/* Private. */
	struct ipv4 *outside; /* bound addresses outside the range, sorted */
	size_t outside_count;
	uint32_t *lease_at; /* by index: the lease's number plus one, 0: none yet, or KEPT */
	size_t next_fresh; /* every index of the range before it has a lease or is kept */
};

/*
 * The caller has checked that range and bindings lie in the subnet and that no binding occurs
 * twice. The subnet's own and its broadcast address are kept from clients. Fails when memory is
 * gone or the ranges are larger than DHCP_POOL_MOST. Release with dhcp_pool_finish().
 */
int dhcp_pool_init(struct dhcp_pool *pool, const struct dhcp_subnet_settings *settings,
	uint64_t seed, struct error *error);
void dhcp_pool_finish(struct dhcp_pool *pool);

/*
 * Keep `address` (a router's, the server's own) from clients; who holds it already may not have it
 * again. No effect outside the range and on a binding.
 */
void dhcp_pool_keep(struct dhcp_pool *pool, struct ipv4 address);

/* A lease as it is stored. client_id_length is 0 where the client sent no identifier. */
struct dhcp_lease_record {
	struct ipv4 address;
	enum dhcp_lease_state state;
	struct dhcp_hardware hardware;
	uint8_t client_id[DHCP_CLIENT_ID_MAX];
	size_t client_id_length;
	uint64_t starts_ns, ends_ns;
	uint8_t port[DHCP_PORT_MAX]; /* printable: where its client was seen, as limits need it */
	size_t port_length; /* 0: not known */
	bool refuse_renewal; /* "do not renew": its next renewal is refused */
};

/*
 * Put a stored lease back; earliest end first, so that the idle ones queue in their order. Returns
 * false where it has no place here: its address is neither in the range nor bound, or is kept.
 */
bool dhcp_pool_restore(
	struct dhcp_pool *pool, const struct dhcp_lease_record *record, uint64_t now_ns);

void dhcp_lease_describe(const struct dhcp_lease *lease, struct dhcp_lease_record *ret_record);

/*
 * Make idle the next lease that has ended; ret_ended is what it was. Call it until it returns false
 * before asking anything else at `now_ns`.
 */
bool dhcp_pool_expire(struct dhcp_pool *pool, uint64_t now_ns, struct dhcp_lease_record *ret_ended);

/* When the next lease, offer or set-aside address ends; DHCP_NEVER where none does. */
uint64_t dhcp_pool_deadline(const struct dhcp_pool *pool);

/* Who asks. */
struct dhcp_client_key {
	struct dhcp_identity identity;
	struct dhcp_hardware hardware;
};

/* The binding of that client, NULL where there is none. */
const struct dhcp_binding *dhcp_pool_binding(
	const struct dhcp_pool *pool, const struct dhcp_client_key *client);

/* The lease of that address, made if need be; NULL where the pool does not have the address. */
struct dhcp_lease *dhcp_pool_lease(struct dhcp_pool *pool, struct ipv4 address);

enum dhcp_choice {
	DHCP_CHOICE_NONE, /* no address is free */
	DHCP_CHOICE_HELD, /* its binding's address is still leased to another, from before */
	DHCP_CHOICE_FOUND,
};

/*
 * The lease for that client: its binding's, its current, its former, the one of the address it asks
 * for (`requested`, may be none), any free one, the longest unused first. It is only chosen:
 * nothing changes hands before dhcp_pool_give(). ret_lease is set for DHCP_CHOICE_FOUND and valid
 * until the next choice.
 */
enum dhcp_choice dhcp_pool_choose(struct dhcp_pool *pool, const struct dhcp_client_key *client,
	struct ipv4 requested, struct dhcp_lease **ret_lease);

/*
 * The lease of exactly that address, where the client may have it: its binding's, else the one it
 * holds or held last; with `or_free`, for a client without any, also one that nobody holds.
 * Returns NULL where it may not, or when memory is gone.
 */
struct dhcp_lease *dhcp_pool_claim(struct dhcp_pool *pool, const struct dhcp_client_key *client,
	struct ipv4 address, bool or_free);

struct dhcp_term {
	enum dhcp_lease_state state; /* offered or bound */
	uint64_t starts_ns, ends_ns;
};

/*
 * Give a chosen lease to that client, which must have no other (dhcp_pool_withdraw() it).
 * Returns false when memory is gone; nothing has changed then.
 */
bool dhcp_pool_give(struct dhcp_pool *pool, struct dhcp_lease *lease,
	const struct dhcp_client_key *client, const struct dhcp_term *term);

/*
 * The lease that was last given at `address` could not be stored, so its client was not told. It
 * runs on to the end that the client knew of before, else it is what `term` says: an offer.
 */
void dhcp_pool_not_saved(struct dhcp_pool *pool, struct ipv4 address, const struct dhcp_term *term);

/* Back to idle at `now_ns`; its client is remembered. */
void dhcp_pool_release(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns);

/* Back to idle, and its client forgotten. */
void dhcp_pool_withdraw(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns);

/* Set aside until `ends_ns`, its client forgotten: somebody else was seen using the address. */
void dhcp_pool_decline(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t ends_ns);

#endif
