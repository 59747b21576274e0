/*
 * The pool of one subnet: which address may be given to whom (RFC 2131 section 4.3.1). Pure: no
 * clock, no file.
 *
 * A lease is made when its address is first needed and never goes away, so a former client is
 * remembered for as long as nobody else needed its address; an address that was only ever offered
 * is used again before a new one is, so that a flood of offers does not fill memory. A *binding* is
 * an address that belongs to one client and is never put up for others.
 * No operation looks through the pool: choosing and finding are O(1) (O(log n) for the lowest free
 * address), giving and taking back O(log n).
 *
 * Life of a lease: idle -> offered -> bound -> idle; declined where somebody else was seen using
 * the address. Offered, bound and declined end by themselves (dhcp_pool_expire()).
 * Times are nanoseconds of whatever clock the caller uses throughout.
 */
#ifndef DHCP_POOL_H
#define DHCP_POOL_H

#include "base/address.h"
#include "base/error.h"
#include "dhcp/binding.h"
#include "dhcp/free_map.h"
#include "dhcp/lease.h"
#include "dhcp/port.h"
#include "dhcp/settings.h"

#define DHCP_POOL_MOST UINT32_C(0x1000000) /* addresses of its ranges together: a /8 */

struct dhcp_pool {
	struct prefix subnet;
	struct dhcp_range *ranges; /* owned, sorted */
	size_t range_count;
	size_t size; /* addresses of the ranges */
	struct dhcp_bindings bindings;
	struct dhcp_leases leases;
	/* Private. */
	size_t *range_starts; /* how many addresses the ranges before it have */
	struct ipv4 *kept; /* owned: not for clients */
	size_t kept_count;
	size_t taken; /* addresses of the ranges that are bound or kept */
	bool first_free;
	/*
	 * Of the ranges, by number: where first_free, which addresses nobody holds, else, which
	 * never had a lease.
	 */
	struct dhcp_free_map free;
	struct dhcp_ports *ports; /* where leases are counted; NULL: they are not */
};

/* What a pool is made of besides its subnet's settings. */
struct dhcp_pool_habits {
	enum dhcp_allocation allocation;
	struct dhcp_ports *ports; /* borrowed; NULL where ports have no limits */
	uint64_t seed; /* of the hash tables: not to be guessed by a peer */
};

/*
 * The caller has checked that ranges and bindings lie in the subnet, that the ranges are sorted and
 * that no binding occurs twice. The subnet's own and its broadcast address are kept from clients.
 * Fails when memory is gone or the ranges are larger than DHCP_POOL_MOST. Release with
 * dhcp_pool_finish().
 */
int dhcp_pool_init(struct dhcp_pool *pool, const struct dhcp_subnet_settings *settings,
	const struct dhcp_pool_habits *habits, struct error *error);
void dhcp_pool_finish(struct dhcp_pool *pool);

/*
 * Take the leases of `old`, a pool of the same subnet, into `pool`, which has none yet: the work is
 * one pass over them, or none where nothing differs that leases depend on. Never fails; `old` is
 * only to be finished then.
 */
void dhcp_pool_adopt(struct dhcp_pool *pool, struct dhcp_pool *old);

/*
 * Keep `address` (a router's, the server's own) from clients; who holds it already may not have it
 * again. No effect on a binding. Returns false when memory is gone.
 */
bool dhcp_pool_keep(struct dhcp_pool *pool, struct ipv4 address);

/* How many addresses of the ranges could be given to anybody now. */
size_t dhcp_pool_free(const struct dhcp_pool *pool);

/* A lease as it is stored. */
struct dhcp_lease_record {
	struct ipv4 address;
	enum dhcp_lease_state state;
	struct dhcp_hardware hardware; /* of a declined one: who declined it, length 0: a probe */
	uint8_t client_id[DHCP_CLIENT_ID_MAX];
	size_t client_id_length; /* 0: the client sent none */
	uint64_t starts_ns, ends_ns;
	uint8_t port[DHCP_PORT_MAX]; /* printable: where its client was seen, as limits need it */
	size_t port_length; /* 0: not known */
	bool refuse_renewal; /* "do not renew": its next renewal is refused */
};

/*
 * Put a stored lease back; earliest end first, so that the idle ones queue in their order. One that
 * runs is known where its address is not for clients any more, too: nobody gets that while it lasts,
 * whatever the next settings say. Returns false where it has no place here (its address is neither in
 * a range nor bound, or is kept) or is known already.
 */
bool dhcp_pool_restore(
	struct dhcp_pool *pool, const struct dhcp_lease_record *record, uint64_t now_ns);

void dhcp_pool_describe(const struct dhcp_pool *pool, const struct dhcp_lease *lease,
	struct dhcp_lease_record *ret_record);

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
	const struct dhcp_binding *binding; /* its, in the pool that is asked; NULL: none */
	struct dhcp_port_name port; /* where it was seen; length 0: not known, or of no interest */
};

/* The lease that the client has or had, whatever its state; NULL where it has none. */
struct dhcp_lease *dhcp_pool_lease_of(
	const struct dhcp_pool *pool, const struct dhcp_client_key *client);

enum dhcp_choice {
	DHCP_CHOICE_NONE, /* no address is free */
	DHCP_CHOICE_HELD, /* its binding's address is still leased to another, from before */
	DHCP_CHOICE_NO_MEMORY,
	DHCP_CHOICE_FOUND,
};

/*
 * The lease for that client: its binding's, its current, its former, the one of the address it asks
 * for (`requested`, may be none), any free one as the pool allocates. It is only chosen: nothing
 * changes hands before dhcp_pool_give(). ret_lease is set for DHCP_CHOICE_FOUND and valid until the
 * next choice.
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
 * What became of the lease of `address` at this moment (`term`'s start) could not be stored, so its
 * client was not told. One that was given, once or several times, runs on to the end that the client
 * knew of before, else it is what `term` says: an offer. One whose renewal was refused runs on.
 */
void dhcp_pool_not_saved(struct dhcp_pool *pool, struct ipv4 address, const struct dhcp_term *term);

/* Back to idle at `now_ns`; its client is remembered. */
void dhcp_pool_release(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns);

/* Back to idle, and its client forgotten. */
void dhcp_pool_withdraw(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns);

/* Back to idle: its renewal was refused. The client gets another address while there is one. */
void dhcp_pool_refuse(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns);

/*
 * Set aside until `ends_ns`, its client forgotten but for its hardware address (none where
 * `by_probe`): somebody else was seen using the address.
 */
void dhcp_pool_decline(
	struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t ends_ns, bool by_probe);

#endif
