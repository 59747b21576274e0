#include "programs/dhcp/interface.h"

#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <string.h>

#include "base/cleanup.h"
#include "programs/dhcp/interface_netlink.h"

#define LIFETIME_FOREVER UINT32_MAX /* what the kernel reports of a person's address */

static void put_link(struct rtnl_link **link)
{
	rtnl_link_put(*link);
}

static void put_address(struct rtnl_addr **address)
{
	rtnl_addr_put(*address);
}

static int set_up(struct interface *interface, struct rtnl_link *link, struct error *error)
{
	if (rtnl_link_get_flags(link) & IFF_UP)
		return 0;
	CLEANUP(put_link) struct rtnl_link *change = rtnl_link_alloc();
	if (!change)
		return no_memory(error);
	rtnl_link_set_flags(change, IFF_UP);
	int status = rtnl_link_change(interface->netlink, link, change, 0);
	return status < 0 ? netlink_error("cannot set it up", status, error) : 0;
}

static int find_link(struct interface *interface, struct error *error)
{
	CLEANUP(put_link) struct rtnl_link *link = NULL;
	int status = rtnl_link_get_kernel(interface->netlink, 0, interface->name, &link);
	if (status == -NLE_OBJ_NOTFOUND || status == -NLE_NODEV)
		return error_set(error, -ENODEV, "there is no such interface");
	if (status < 0)
		return netlink_error("cannot read it", status, error);
	struct nl_addr *mac = rtnl_link_get_addr(link);
	if (rtnl_link_get_arptype(link) != ARPHRD_ETHER || !mac ||
		nl_addr_get_len(mac) != sizeof(interface->mac.bytes))
		return error_set(error, -EINVAL, "it is no Ethernet");
	memcpy(interface->mac.bytes, nl_addr_get_binary_addr(mac), sizeof(interface->mac.bytes));
	interface->index = (unsigned)rtnl_link_get_ifindex(link);
	interface->mtu = rtnl_link_get_mtu(link);
	return set_up(interface, link, error);
}

/* What is announced says only that there is something to read anew: no callback takes it. */
static int open_watch(struct interface *interface, struct error *error)
{
	interface->watch = nl_socket_alloc();
	if (!interface->watch)
		return no_memory(error);
	nl_socket_disable_seq_check(interface->watch);
	int status = nl_connect(interface->watch, NETLINK_ROUTE);
	if (status == 0)
		status = nl_socket_add_membership(interface->watch, RTNLGRP_LINK);
	if (status == 0)
		status = nl_socket_set_nonblocking(interface->watch);
	return status < 0 ? netlink_error("cannot watch links", status, error) : 0;
}

int interface_open(const char *name, struct interface *ret_interface, struct error *error)
{
	CLEANUP(interface_close) struct interface interface = {.netlink = nl_socket_alloc()};
	if (!interface.netlink)
		return no_memory(error);
	if (strlen(name) >= sizeof(interface.name))
		return error_set(error, -ENODEV, "there is no interface '%s'", name);
	memcpy(interface.name, name, strlen(name));
	int status = nl_connect(interface.netlink, NETLINK_ROUTE);
	if (status < 0)
		return netlink_error("cannot open netlink", status, error);
	if (open_watch(&interface, error) < 0 || find_link(&interface, error) < 0)
		return error_prefix(error, "interface '%s': ", name);
	*ret_interface = interface;
	interface.netlink = interface.watch = NULL;
	return 0;
}

void interface_close(struct interface *interface)
{
	if (interface->netlink)
		nl_socket_free(interface->netlink);
	if (interface->watch)
		nl_socket_free(interface->watch);
	interface->netlink = interface->watch = NULL;
}

static struct rtnl_addr *address_object(
	const struct interface *interface, struct prefix prefix, uint32_t lifetime_seconds)
{
	CLEANUP(put_address) struct rtnl_addr *object = rtnl_addr_alloc();
	CLEANUP(put_nl_addr)
	struct nl_addr *local = ipv4_object(prefix.address, prefix.length);
	CLEANUP(put_nl_addr)
	struct nl_addr *broadcast = ipv4_object(prefix_broadcast(prefix), 32);
	if (!object || !local || !broadcast)
		return NULL;
	rtnl_addr_set_ifindex(object, (int)interface->index);
	if (rtnl_addr_set_local(object, local) < 0)
		return NULL;
	if (prefix.length < 31 && rtnl_addr_set_broadcast(object, broadcast) < 0)
		return NULL;
	if (lifetime_seconds == LIFETIME_FOREVER)
		lifetime_seconds--;
	rtnl_addr_set_valid_lifetime(object, lifetime_seconds);
	rtnl_addr_set_preferred_lifetime(object, lifetime_seconds);
	return TAKE(object);
}

static bool is_same_address(struct rtnl_addr *seen, struct rtnl_addr *kept)
{
	return nl_addr_cmp(rtnl_addr_get_local(seen), rtnl_addr_get_local(kept)) == 0 &&
	       rtnl_addr_get_prefixlen(seen) == rtnl_addr_get_prefixlen(kept);
}

static bool is_here(const struct interface *interface, struct rtnl_addr *seen)
{
	return rtnl_addr_get_ifindex(seen) == (int)interface->index &&
	       rtnl_addr_get_family(seen) == AF_INET;
}

/* One dump; what bears a lifetime and is not `kept` goes. */
static int remove_other_leases(
	struct interface *interface, struct rtnl_addr *kept, struct error *error)
{
	CLEANUP(free_cache) struct nl_cache *cache = NULL;
	int status = rtnl_addr_alloc_cache(interface->netlink, &cache);
	if (status < 0)
		return netlink_error("cannot read its addresses", status, error);
	for (struct nl_object *at = nl_cache_get_first(cache); at; at = nl_cache_get_next(at)) {
		struct rtnl_addr *seen = (struct rtnl_addr *)at;
		if (!is_here(interface, seen) ||
			rtnl_addr_get_valid_lifetime(seen) == LIFETIME_FOREVER ||
			is_same_address(seen, kept))
			continue;
		status = rtnl_addr_delete(interface->netlink, seen, 0);
		if (status < 0 && status != -NLE_NOADDR)
			return netlink_error("cannot remove a former lease", status, error);
	}
	return 0;
}

int interface_set_address(struct interface *interface, struct prefix prefix,
	uint32_t lifetime_seconds, struct error *error)
{
	CLEANUP(put_address)
	struct rtnl_addr *address = address_object(interface, prefix, lifetime_seconds);
	if (!address)
		return no_memory(error);
	if (remove_other_leases(interface, address, error) < 0)
		return error->code;
	int status = rtnl_addr_add(interface->netlink, address, NLM_F_CREATE | NLM_F_REPLACE);
	if (status < 0)
		return netlink_error("cannot set the address", status, error);
	return 0;
}

int interface_clear(struct interface *interface, struct prefix prefix, struct error *error)
{
	if (interface_set_routes(interface, prefix.address, NULL, 0, error) < 0)
		return error->code;
	CLEANUP(put_address)
	struct rtnl_addr *address = address_object(interface, prefix, 0);
	if (!address)
		return no_memory(error);
	int status = rtnl_addr_delete(interface->netlink, address, 0);
	if (status < 0 && status != -NLE_NOADDR && status != -NLE_OBJ_NOTFOUND &&
		status != -NLE_NODEV)
		return netlink_error("cannot remove the address", status, error);
	return 0;
}

int interface_set_mtu(struct interface *interface, unsigned mtu, struct error *error)
{
	CLEANUP(put_link) struct rtnl_link *link = rtnl_link_alloc();
	CLEANUP(put_link) struct rtnl_link *change = rtnl_link_alloc();
	if (!link || !change)
		return no_memory(error);
	rtnl_link_set_ifindex(link, (int)interface->index);
	rtnl_link_set_mtu(change, mtu ? mtu : interface->mtu);
	int status = rtnl_link_change(interface->netlink, link, change, 0);
	return status < 0 ? netlink_error("cannot set the MTU", status, error) : 0;
}

int interface_find_address(
	struct interface *interface, struct prefix *ret_address, struct error *error)
{
	CLEANUP(free_cache) struct nl_cache *cache = NULL;
	int status = rtnl_addr_alloc_cache(interface->netlink, &cache);
	if (status < 0)
		return netlink_error("cannot read its addresses", status, error);
	for (struct nl_object *at = nl_cache_get_first(cache); at; at = nl_cache_get_next(at)) {
		struct rtnl_addr *seen = (struct rtnl_addr *)at;
		struct in_addr in;
		if (!is_here(interface, seen))
			continue;
		memcpy(&in, nl_addr_get_binary_addr(rtnl_addr_get_local(seen)), sizeof(in));
		*ret_address = (struct prefix){
			.address = ipv4_from_in(in),
			.length = (unsigned)rtnl_addr_get_prefixlen(seen),
		};
		return 0;
	}
	return error_set(error, -EADDRNOTAVAIL, "it has no IPv4 address");
}

int interface_watch_fd(const struct interface *interface)
{
	return nl_socket_get_fd(interface->watch);
}

enum { FLAGS_UP = IFF_UP | IFF_RUNNING };

/* Whether one of the announcements in `bytes` says that it was down. */
static bool tells_down(const struct interface *interface, unsigned char *bytes, int length)
{
	for (struct nlmsghdr *header = (struct nlmsghdr *)bytes; nlmsg_ok(header, length);
		header = nlmsg_next(header, &length)) {
		const struct ifinfomsg *link = nlmsg_data(header);
		if (header->nlmsg_type == RTM_NEWLINK && nlmsg_valid_hdr(header, sizeof(*link)) &&
			link->ifi_index == (int)interface->index &&
			(link->ifi_flags & FLAGS_UP) != FLAGS_UP)
			return true;
	}
	return false;
}

/* Whether it was down at a time, of all that was announced; also where some of it was lost. */
static bool drain(struct interface *interface)
{
	struct sockaddr_nl from;
	unsigned char *bytes = NULL;
	bool down = false;
	int length;
	do {
		length = nl_recv(interface->watch, &from, &bytes, NULL);
		if (length > 0) {
			down |= tells_down(interface, bytes, length);
			free(bytes);
		}
		down |= length == -NLE_NOMEM;
		bytes = NULL;
	} while (length > 0 || length == -NLE_NOMEM);
	return down;
}

int interface_read_state(struct interface *interface, enum interface_state *ret_state,
	bool *ret_was_down, struct error *error)
{
	*ret_was_down = drain(interface);
	CLEANUP(put_link) struct rtnl_link *link = NULL;
	int status = rtnl_link_get_kernel(interface->netlink, (int)interface->index, NULL, &link);
	if (status == -NLE_OBJ_NOTFOUND || status == -NLE_NODEV) {
		*ret_state = INTERFACE_GONE;
		return 0;
	}
	if (status < 0)
		return netlink_error("cannot read it", status, error);
	bool up = (rtnl_link_get_flags(link) & FLAGS_UP) == FLAGS_UP;
	*ret_state = up ? INTERFACE_UP : INTERFACE_DOWN;
	return 0;
}
