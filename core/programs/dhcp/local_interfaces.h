/*
 * The machine's own interfaces and IPv4 addresses, read in one go (getifaddrs) and kept as a table.
 */
#ifndef PROGRAMS_DHCP_LOCAL_INTERFACES_H
#define PROGRAMS_DHCP_LOCAL_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/error.h"

/* One address of one interface: an interface with two addresses has two rows. */
struct local_interface {
	unsigned index;
	char name[IF_NAMESIZE];
	struct mac mac; /* zeros where it has none */
	struct prefix address;
	bool broadcast; /* it can broadcast */
	bool up; /* set up, and its link has a carrier */
};

struct local_interfaces {
	struct local_interface *list; /* owned */
	size_t count;
};

/* Read them (again). On failure what was there stays. `= {0}` is an empty table. */
int local_interfaces_read(struct local_interfaces *interfaces, struct error *error);
void local_interfaces_finish(struct local_interfaces *interfaces);

/*
 * The row of that interface whose address lies in `preferred`'s subnet, else its first row; NULL
 * where it has no address.
 */
const struct local_interface *local_interfaces_find(
	const struct local_interfaces *interfaces, unsigned index, struct prefix preferred);

/* Whether some row has that address. */
bool local_interfaces_has_address(const struct local_interfaces *interfaces, struct ipv4 address);

#endif
