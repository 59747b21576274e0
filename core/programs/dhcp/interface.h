/*
 * The client's interface: found, set up, given an address and a default route (libnl, used in this
 * file alone).
 *
 * Which addresses are ours. The kernel ages addresses only where somebody gave them a lifetime, and
 * for IPv4 that is what DHCP clients do: an address of the interface with a finite lifetime is a
 * lease, ours or an earlier run's, and gives way to the next one. Addresses without a lifetime are
 * a person's and are never touched. An infinite lease gets 2^32 - 2 seconds (136 years) for that
 * reason. The default route names the leased address as its source (RTA_PREFSRC) and `dhcp` as its
 * protocol: so the kernel removes it together with the address, also when the client has died.
 */
#ifndef PROGRAMS_DHCP_INTERFACE_H
#define PROGRAMS_DHCP_INTERFACE_H

#include <net/if.h>

#include "base/address.h"
#include "base/error.h"
#include "dhcp/action.h"

struct nl_sock;

struct interface {
	struct nl_sock *netlink; /* owned */
	char name[IF_NAMESIZE];
	unsigned index;
	struct mac mac;
};

/* Find it, and set it up where it is down. Fails where it is missing or no Ethernet. */
int interface_open(const char *name, struct interface *ret_interface, struct error *error);
void interface_close(struct interface *interface);

/* Put the leased address on it, or prolong it; remove other leased addresses. */
int interface_set_address(struct interface *interface,
	const struct dhcp_configuration *configuration, struct error *error);

/*
 * Make the lease's router the default route, in place of one that DHCP made on this interface. One
 * that a person made stays, and is an error (-EEXIST) here.
 */
int interface_set_route(struct interface *interface, const struct dhcp_configuration *configuration,
	struct error *error);

/* Take route and address off again. What is already gone is no error. */
int interface_clear(struct interface *interface, const struct dhcp_configuration *configuration,
	struct error *error);

#endif
