/*
 * A client's lease as a value: what a DHCPACK granted, with every option of it, and when it ends.
 * The machine (client.h) reads one from a message; the edge configures the interface by it, writes
 * it to the lease file and reads it back. Nothing here is allocated.
 *
 * What is believed of a server: the address must be one that an interface can have, the mask one
 * of ones before zeros in which the address is a host, the lease time above 0. T1 and T2 that make
 * no sense give way to RFC 2131's. An option whose length is wrong for its type counts as absent.
 */
#ifndef DHCP_CLIENT_LEASE_H
#define DHCP_CLIENT_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "dhcp/classless_route.h"
#include "dhcp/lease.h"
#include "dhcp/message.h"

enum {
	DHCP_CLIENT_OPTIONS_MAX = DHCP_MESSAGE_SIZE_MAX + 64,
	DHCP_CLIENT_ROUTES_MAX = 32,
	DHCP_CLIENT_ADDRESSES_MAX = 16,
};

struct dhcp_client_lease {
	struct prefix address; /* with the host bits */
	struct ipv4 server; /* its identifier; none where it never said */
	struct ipv4 next_server; /* siaddr */
	uint32_t lease_seconds; /* as granted; DHCP_LEASE_INFINITE */
	/* Instants of the client's clock; DHCP_NEVER for an infinite lease. */
	uint64_t obtained_ns, t1_ns, t2_ns, ends_ns;
	/* Private: code, length as two bytes, value; split options joined. */
	uint16_t options_length;
	uint8_t options[DHCP_CLIENT_OPTIONS_MAX];
};

/*
 * What `message` grants; false where it is no lease that can be used. sent_ns: when the request was
 * sent that it answers; the times count from then (RFC 2131 section 4.4.1).
 */
bool dhcp_client_lease_read(
	const struct dhcp_message *message, uint64_t sent_ns, struct dhcp_client_lease *ret_lease);

/* What `message` tells a client that has `address` by other means (DHCPINFORM): options alone. */
void dhcp_client_lease_inform(const struct dhcp_message *message, struct prefix address,
	uint64_t now_ns, struct dhcp_client_lease *ret_lease);

/* Set T1, T2 and the end, counted from `obtained_ns`; `t1`, `t2` in seconds, 0: not said. */
void dhcp_client_lease_set_times(struct dhcp_client_lease *lease, uint32_t t1, uint32_t t2);

/* Seconds that are left, rounded up; DHCP_LEASE_INFINITE. 0: it has ended. */
uint32_t dhcp_client_lease_left(const struct dhcp_client_lease *lease, uint64_t now_ns);

/* Whether it is an address that an interface can have: not 0/8, 127/8, multicast and above. */
bool dhcp_client_address_usable(struct ipv4 address);

/* Not the subnet's own address nor its broadcast; a length of 0 is none either. */
bool dhcp_client_prefix_usable(struct prefix prefix);

/* Append an option; false where there is no room. For who reads a stored lease. */
bool dhcp_client_lease_add(
	struct dhcp_client_lease *lease, uint8_t code, const void *bytes, size_t length);

/* The next option in ascending code; `*at` begins with 0. False at the end. */
bool dhcp_client_lease_next(const struct dhcp_client_lease *lease, size_t *at, uint8_t *ret_code,
	struct dhcp_field *ret_value);

/* The value of an option; false where it is absent or malformed. */
bool dhcp_client_lease_option(
	const struct dhcp_client_lease *lease, uint8_t code, struct dhcp_field *ret_value);

/* The usable addresses of an option that holds addresses, `most` at most; how many. */
size_t dhcp_client_lease_addresses(const struct dhcp_client_lease *lease, uint8_t code,
	struct ipv4 *ret_addresses, size_t most);

/*
 * The routes: of option 121 where it is there and well-formed (RFC 3442: option 3 is then ignored),
 * else the default route by the first router of option 3. Returns how many.
 */
size_t dhcp_client_lease_routes(const struct dhcp_client_lease *lease,
	struct dhcp_route ret_routes[static DHCP_CLIENT_ROUTES_MAX]);

#endif
