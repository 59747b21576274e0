/*
 * The client's interface: found, set up, watched, given an address, routes and an MTU (libnl, used
 * in the interface*.c files alone).
 *
 * Which addresses are ours. The kernel ages addresses only where somebody gave them a lifetime, and
 * for IPv4 that is what DHCP clients do: an address of the interface with a finite lifetime is a
 * lease, ours or an earlier run's, and gives way to the next one. Addresses without a lifetime are
 * a person's and are never touched. An infinite lease gets 2^32 - 2 seconds (136 years) for that
 * reason. A lease's routes name the leased address as their source (RTA_PREFSRC) and `dhcp` as
 * their protocol: so the kernel removes them together with the address, also when the client has
 * died, and a later run knows them.
 */
#ifndef PROGRAMS_DHCP_INTERFACE_H
#define PROGRAMS_DHCP_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>

#include "base/address.h"
#include "base/error.h"
#include "dhcp/client_lease.h"

struct nl_sock;

struct interface {
	struct nl_sock *netlink; /* owned: requests */
	struct nl_sock *watch; /* owned: what the kernel announces */
	char name[IF_NAMESIZE];
	unsigned index;
	struct mac mac;
	unsigned mtu; /* as it was when it was opened */
};

/* Find it, and set it up where it is down. Fails where it is missing or no Ethernet. */
int interface_open(const char *name, struct interface *ret_interface, struct error *error);
void interface_close(struct interface *interface);

/* Put the leased address on it, or prolong it; remove other leased addresses. */
int interface_set_address(struct interface *interface, struct prefix address,
	uint32_t lifetime_seconds, struct error *error);

/*
 * Make these the routes that DHCP made on this interface; those that stand already are not touched.
 * `source`: the leased address. A person's route to the same destination stays, and is an error
 * (-EEXIST) here, after the others were set.
 */
int interface_set_routes(struct interface *interface, struct ipv4 source,
	const struct dhcp_route *routes, size_t count, struct error *error);

/* Take the address off again, and what the kernel left of routes. What is gone is no error. */
int interface_clear(struct interface *interface, struct prefix address, struct error *error);

/* Set the MTU, 0: the one that it had when it was opened. */
int interface_set_mtu(struct interface *interface, unsigned mtu, struct error *error);

/* The first IPv4 address on it; false where it has none. */
int interface_find_address(
	struct interface *interface, struct prefix *ret_address, struct error *error);

/* Readable when interface_read_state() has something to tell. */
int interface_watch_fd(const struct interface *interface);

enum interface_state {
	INTERFACE_UP, /* set up, and with a carrier */
	INTERFACE_DOWN,
	INTERFACE_GONE, /* removed, or moved to another network namespace */
};

/*
 * How it is, now. ret_was_down: whether it was down at some time since the last call, however
 * shortly: its routes are gone then.
 */
int interface_read_state(struct interface *interface, enum interface_state *ret_state,
	bool *ret_was_down, struct error *error);

#endif
