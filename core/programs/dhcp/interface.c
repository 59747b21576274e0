#include "programs/dhcp/interface.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <string.h>

#include "base/cleanup.h"

#define LIFETIME_FOREVER UINT32_MAX /* what the kernel reports of a person's address */

enum { ROUTES_MOST = 16 };

static void put_link(struct rtnl_link **link)
{
	rtnl_link_put(*link);
}

static void put_address(struct rtnl_addr **address)
{
	rtnl_addr_put(*address);
}

static void put_route(struct rtnl_route **route)
{
	rtnl_route_put(*route);
}

static void put_nl_addr(struct nl_addr **address)
{
	nl_addr_put(*address);
}

static void free_cache(struct nl_cache **cache)
{
	nl_cache_free(*cache);
}

static int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

/* libnl's error as an errno, for the few that callers tell apart. */
static int netlink_error(const char *what, int status, struct error *error)
{
	int code = status == -NLE_EXIST ? -EEXIST : status == -NLE_PERM ? -EPERM : -EIO;
	return error_set(error, code, "%s: %s", what, nl_geterror(status));
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
	return set_up(interface, link, error);
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
	if (find_link(&interface, error) < 0)
		return error_prefix(error, "interface '%s': ", name);
	*ret_interface = interface;
	interface.netlink = NULL;
	return 0;
}

void interface_close(struct interface *interface)
{
	if (interface->netlink)
		nl_socket_free(interface->netlink);
	interface->netlink = NULL;
}

static struct nl_addr *ipv4_object(struct ipv4 address, unsigned length)
{
	struct in_addr in = ipv4_to_in(address);
	struct nl_addr *object = nl_addr_build(AF_INET, &in, sizeof(in));
	if (object)
		nl_addr_set_prefixlen(object, (int)length);
	return object;
}

static uint32_t lifetime_of(const struct dhcp_configuration *configuration)
{
	uint32_t seconds = configuration->lease_seconds;
	return seconds == DHCP_LEASE_INFINITE ? LIFETIME_FOREVER - 1 : seconds;
}

static struct rtnl_addr *address_object(
	const struct interface *interface, const struct dhcp_configuration *configuration)
{
	struct prefix prefix = configuration->address;
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
	rtnl_addr_set_valid_lifetime(object, lifetime_of(configuration));
	rtnl_addr_set_preferred_lifetime(object, lifetime_of(configuration));
	return TAKE(object);
}

static bool is_same_address(struct rtnl_addr *seen, struct rtnl_addr *kept)
{
	return nl_addr_cmp(rtnl_addr_get_local(seen), rtnl_addr_get_local(kept)) == 0 &&
	       rtnl_addr_get_prefixlen(seen) == rtnl_addr_get_prefixlen(kept);
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
		if (rtnl_addr_get_ifindex(seen) != (int)interface->index ||
			rtnl_addr_get_family(seen) != AF_INET ||
			rtnl_addr_get_valid_lifetime(seen) == LIFETIME_FOREVER ||
			is_same_address(seen, kept))
			continue;
		status = rtnl_addr_delete(interface->netlink, seen, 0);
		if (status < 0 && status != -NLE_NOADDR)
			return netlink_error("cannot remove a former lease", status, error);
	}
	return 0;
}

int interface_set_address(struct interface *interface,
	const struct dhcp_configuration *configuration, struct error *error)
{
	CLEANUP(put_address)
	struct rtnl_addr *address = address_object(interface, configuration);
	if (!address)
		return no_memory(error);
	if (remove_other_leases(interface, address, error) < 0)
		return error->code;
	int status = rtnl_addr_add(interface->netlink, address, NLM_F_CREATE | NLM_F_REPLACE);
	if (status < 0)
		return netlink_error("cannot set the address", status, error);
	return 0;
}

static struct rtnl_route *route_object(const struct interface *interface,
	const struct dhcp_configuration *configuration, bool complete)
{
	struct ipv4 router = configuration->router;
	CLEANUP(put_route) struct rtnl_route *route = rtnl_route_alloc();
	CLEANUP(put_nl_addr) struct nl_addr *everything = ipv4_object((struct ipv4){0}, 0);
	CLEANUP(put_nl_addr) struct nl_addr *gateway = ipv4_object(router, 32);
	CLEANUP(put_nl_addr)
	struct nl_addr *source = ipv4_object(configuration->address.address, 32);
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	if (!route || !everything || !gateway || !source || !hop) {
		if (hop)
			rtnl_route_nh_free(hop);
		return NULL;
	}
	rtnl_route_add_nexthop(route, hop); /* which owns it from here */
	rtnl_route_nh_set_ifindex(hop, (int)interface->index);
	rtnl_route_set_family(route, AF_INET);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_protocol(route, RTPROT_DHCP);
	rtnl_route_set_dst(route, everything);
	/* Without gateway and source it matches, for removal, whatever DHCP routed there. */
	rtnl_route_set_scope(route, complete ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE);
	if (complete) {
		rtnl_route_set_pref_src(route, source);
		rtnl_route_nh_set_gateway(hop, gateway);
		if (!prefix_contains(configuration->address, router))
			rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
	}
	return TAKE(route);
}

static int remove_routes(struct interface *interface,
	const struct dhcp_configuration *configuration, struct error *error)
{
	CLEANUP(put_route)
	struct rtnl_route *route = route_object(interface, configuration, false);
	if (!route)
		return no_memory(error);
	for (int i = 0; i < ROUTES_MOST; i++) {
		int status = rtnl_route_delete(interface->netlink, route, 0);
		if (status == -NLE_OBJ_NOTFOUND)
			return 0;
		if (status < 0)
			return netlink_error("cannot remove the default route", status, error);
	}
	return 0;
}

int interface_set_route(struct interface *interface, const struct dhcp_configuration *configuration,
	struct error *error)
{
	if (remove_routes(interface, configuration, error) < 0)
		return error->code;
	if (ipv4_is_none(configuration->router))
		return 0;
	CLEANUP(put_route)
	struct rtnl_route *route = route_object(interface, configuration, true);
	if (!route)
		return no_memory(error);
	int status = rtnl_route_add(interface->netlink, route, NLM_F_CREATE | NLM_F_EXCL);
	if (status < 0)
		return netlink_error("cannot set the default route", status, error);
	return 0;
}

int interface_clear(struct interface *interface, const struct dhcp_configuration *configuration,
	struct error *error)
{
	if (remove_routes(interface, configuration, error) < 0)
		return error->code;
	CLEANUP(put_address)
	struct rtnl_addr *address = address_object(interface, configuration);
	if (!address)
		return no_memory(error);
	int status = rtnl_addr_delete(interface->netlink, address, 0);
	if (status < 0 && status != -NLE_NOADDR && status != -NLE_OBJ_NOTFOUND)
		return netlink_error("cannot remove the address", status, error);
	return 0;
}
