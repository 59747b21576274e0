#include "programs/dhcp/local_interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/cleanup.h"

enum { CARRIER = 1 << 16 }; /* IFF_LOWER_UP, which <net/if.h> does not have */

static void free_addresses(struct ifaddrs **addresses)
{
	if (*addresses)
		freeifaddrs(*addresses);
}

static uint32_t address_host(const struct sockaddr *address)
{
	struct sockaddr_in in;
	memcpy(&in, address, sizeof(in));
	return ntohl(in.sin_addr.s_addr);
}

static int add_row(
	struct local_interfaces *interfaces, const struct ifaddrs *entry, struct error *error)
{
	struct local_interface *row = array_add(&interfaces->list, &interfaces->count);
	if (!row)
		return error_set(error, -ENOMEM, "out of memory");
	snprintf(row->name, sizeof(row->name), "%s", entry->ifa_name);
	row->index = if_nametoindex(row->name);
	row->broadcast = (entry->ifa_flags & IFF_BROADCAST) != 0;
	/* Not IFF_RUNNING, which the kernel sets up to a second after frames pass. */
	row->up = (entry->ifa_flags & IFF_UP) && (entry->ifa_flags & CARRIER);
	row->address.address.host = address_host(entry->ifa_addr);
	if (!entry->ifa_netmask ||
		!prefix_length_of_mask(address_host(entry->ifa_netmask), &row->address.length))
		row->address.length = 32;
	return 0;
}

static void set_mac(struct local_interfaces *interfaces, const struct ifaddrs *entry)
{
	struct sockaddr_ll link;
	memcpy(&link, entry->ifa_addr, sizeof(link));
	for (size_t i = 0; i < interfaces->count; i++)
		if (interfaces->list[i].index == (unsigned)link.sll_ifindex &&
			link.sll_halen == sizeof(struct mac))
			memcpy(interfaces->list[i].mac.bytes, link.sll_addr, sizeof(struct mac));
}

int local_interfaces_read(struct local_interfaces *interfaces, struct error *error)
{
	CLEANUP(free_addresses) struct ifaddrs *addresses = NULL;
	CLEANUP(local_interfaces_finish) struct local_interfaces read = {0};
	if (getifaddrs(&addresses) < 0)
		return error_system(error, -errno, "cannot read the machine's addresses");
	for (struct ifaddrs *at = addresses; at; at = at->ifa_next)
		if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET &&
			add_row(&read, at, error) < 0)
			return error->code;
	for (struct ifaddrs *at = addresses; at; at = at->ifa_next)
		if (at->ifa_addr && at->ifa_addr->sa_family == AF_PACKET)
			set_mac(&read, at);
	struct local_interfaces old = *interfaces;
	*interfaces = read;
	read = old;
	return 0;
}

void local_interfaces_finish(struct local_interfaces *interfaces)
{
	free(interfaces->list);
	*interfaces = (struct local_interfaces){0};
}

const struct local_interface *local_interfaces_find(
	const struct local_interfaces *interfaces, unsigned index, struct prefix preferred)
{
	const struct local_interface *first = NULL;
	for (size_t i = 0; i < interfaces->count; i++) {
		const struct local_interface *row = &interfaces->list[i];
		if (row->index != index)
			continue;
		if (prefix_contains(preferred, row->address.address))
			return row;
		if (!first)
			first = row;
	}
	return first;
}

bool local_interfaces_has_address(const struct local_interfaces *interfaces, struct ipv4 address)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (ipv4_equal(interfaces->list[i].address.address, address))
			return true;
	return false;
}
