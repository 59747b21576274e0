/*
 * What a DHCP server is told: its subnets, their ranges, bindings and options, and its habits. Plain
 * values, checked as a whole by whoever fills them in (programs/dhcp/server_settings.h), read by the
 * machine (server.h), which copies what it keeps.
 */
#ifndef DHCP_SETTINGS_H
#define DHCP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "dhcp/identity.h"
#include "dhcp/option_list.h"

struct dhcp_range {
	struct ipv4 first, last; /* inclusive */
};

/*
 * A static binding (RFC 2131 section 1.5, "manual allocation"): an address that belongs to one
 * client and is never put up for others. Who it is: a client identifier or a hardware address; the
 * latter matches whatever identifier that machine sends. Where both match, the identifier's counts.
 */
struct dhcp_binding {
	struct dhcp_identity client;
	struct ipv4 address; /* in the subnet, inside or outside the ranges */
	uint32_t lease_seconds; /* of its leases; 0: as the subnet's others */
	struct dhcp_option_list options; /* come before the subnet's */
};

/*
 * How long a lease is, in seconds; DHCP_LEASE_INFINITE is for ever.
 * 1 <= least <= usual <= most; all zero: an hour, from a second to an hour.
 */
struct dhcp_lease_times {
	uint32_t usual; /* for a client without a wish */
	uint32_t least, most; /* what a client's wish is held within */
};

/*
 * Options of a list go to clients in the order that they ask for them (option 55). Mask (1), lease
 * times (51, 58, 59), server identifier (54) and message type (53) are the machine's own and not in
 * a list. Options 66 and 67 also fill `sname` and `file` for a BOOTP client, and an option 66 that
 * is an IPv4 address `siaddr` for everybody.
 */
struct dhcp_subnet_settings {
	struct prefix prefix; /* its address is the network's */
	const struct dhcp_range *ranges; /* sorted, not overlapping; may be none */
	size_t range_count;
	const struct dhcp_binding *bindings; /* no client and no address occurs twice */
	size_t binding_count;
	struct dhcp_option_list options;
	struct dhcp_lease_times lease;
	bool refuse_renewal; /* each renewal is refused: "do not renew" */
	bool bootp; /* BOOTP clients without a binding get an address, for ever (RFC 1534) */
	bool rapid_commit; /* a DISCOVER with option 80 gets a DHCPACK (RFC 4039) */
};

/* Which free address a client gets that had none and asked for none. */
enum dhcp_allocation {
	DHCP_ALLOCATE_LEAST_RECENT, /* never used ones in their order, then the longest unused */
	DHCP_ALLOCATE_FIRST_FREE, /* the lowest */
};

struct dhcp_server_settings {
	const struct dhcp_subnet_settings *subnets; /* not overlapping; at least one */
	size_t subnet_count;
	enum dhcp_allocation allocation;
	bool ignore_client_id; /* a client is its hardware address, whatever option 61 says */
	bool not_authoritative; /* silent, where another server might know the client */
	uint64_t offer_ns; /* how long an offer holds its address; 0: 10 s */
	uint64_t decline_ns; /* how long a declined address is set aside; 0: 10 minutes */
	uint64_t probe_ns; /* wait so long for an answer to a probe before an offer; 0: no probes */
	/*
	 * At most so many leases, and pending offers, of one client port: option 82's circuit
	 * identifier behind its relay, else the interface. 0: no limit. Addresses that a port's
	 * clients declined count as its leases.
	 */
	uint32_t port_leases, port_offers;
	uint64_t seed; /* of hash tables: not to be guessed by a peer */
};

#endif
