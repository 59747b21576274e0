/* Of interface.h: the routes. */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>

#include "base/cleanup.h"
#include "programs/dhcp/interface.h"
#include "programs/dhcp/interface_netlink.h"

static void put_route(struct rtnl_route **route)
{
	rtnl_route_put(*route);
}

/* Owned by the caller; NULL when memory is gone. */
static struct rtnl_route *route_object(
	const struct interface *interface, struct ipv4 source, const struct dhcp_route *wanted)
{
	bool linked = ipv4_is_none(wanted->router);
	CLEANUP(put_route) struct rtnl_route *route = rtnl_route_alloc();
	CLEANUP(put_nl_addr)
	struct nl_addr *destination =
		ipv4_object(wanted->destination.address, wanted->destination.length);
	CLEANUP(put_nl_addr) struct nl_addr *gateway = ipv4_object(wanted->router, 32);
	CLEANUP(put_nl_addr) struct nl_addr *own = ipv4_object(source, 32);
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	if (!route || !destination || !gateway || !own || !hop) {
		if (hop)
			rtnl_route_nh_free(hop);
		return NULL;
	}
	rtnl_route_add_nexthop(route, hop); /* which owns it from here */
	rtnl_route_nh_set_ifindex(hop, (int)interface->index);
	rtnl_route_set_family(route, AF_INET);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_protocol(route, RTPROT_DHCP);
	rtnl_route_set_scope(route, linked ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
	if (rtnl_route_set_dst(route, destination) < 0 || rtnl_route_set_pref_src(route, own) < 0)
		return NULL;
	/* On the link, whatever the prefix says: some networks' routers stand outside of it. */
	if (!linked) {
		rtnl_route_nh_set_gateway(hop, gateway);
		rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
	}
	return TAKE(route);
}

/* False where it is no plain IPv4 route of one hop. */
static bool route_read(struct rtnl_route *route, struct ipv4 *ret_source, struct dhcp_route *ret)
{
	struct nl_addr *destination = rtnl_route_get_dst(route);
	struct nl_addr *source = rtnl_route_get_pref_src(route);
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	if (!destination || !source || !hop || rtnl_route_get_nnexthops(route) != 1)
		return false;
	struct nl_addr *gateway = rtnl_route_nh_get_gateway(hop);
	struct in_addr in = {0};
	/* The default route's destination has no bytes. */
	memcpy(&in, nl_addr_get_binary_addr(destination), nl_addr_get_len(destination));
	ret->destination.address = ipv4_from_in(in);
	ret->destination.length = nl_addr_get_prefixlen(destination);
	memcpy(&in, nl_addr_get_binary_addr(source), sizeof(in));
	*ret_source = ipv4_from_in(in);
	in.s_addr = 0;
	if (gateway)
		memcpy(&in, nl_addr_get_binary_addr(gateway), sizeof(in));
	ret->router = ipv4_from_in(in);
	return true;
}

static bool is_ours(const struct interface *interface, struct rtnl_route *route)
{
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	return rtnl_route_get_table(route) == RT_TABLE_MAIN &&
	       rtnl_route_get_protocol(route) == RTPROT_DHCP && hop &&
	       rtnl_route_nh_get_ifindex(hop) == (int)interface->index;
}

static bool is_same_destination(const struct dhcp_route *a, const struct dhcp_route *b)
{
	return a->destination.length == b->destination.length &&
	       ipv4_equal(a->destination.address, b->destination.address);
}

struct wanted_routes {
	struct ipv4 source;
	const struct dhcp_route *routes;
	size_t count;
	bool there[DHCP_CLIENT_ROUTES_MAX]; /* which of them the kernel has already */
};

/* Which of the wanted ones a route in the kernel is; `count` where it is none. */
static size_t find_wanted(const struct wanted_routes *wanted, struct rtnl_route *seen)
{
	struct dhcp_route there;
	struct ipv4 source;
	size_t i = 0;
	if (!route_read(seen, &source, &there) || !ipv4_equal(source, wanted->source))
		return wanted->count;
	while (i < wanted->count && !(is_same_destination(&wanted->routes[i], &there) &&
					    ipv4_equal(wanted->routes[i].router, there.router)))
		i++;
	return i;
}

/* Of those that DHCP made here the others go; those that are wanted are marked. */
static int remove_others(
	struct interface *interface, struct wanted_routes *wanted, struct error *error)
{
	CLEANUP(free_cache) struct nl_cache *cache = NULL;
	int status = rtnl_route_alloc_cache(interface->netlink, AF_INET, 0, &cache);
	if (status < 0)
		return netlink_error("cannot read the routes", status, error);
	for (struct nl_object *at = nl_cache_get_first(cache); at; at = nl_cache_get_next(at)) {
		struct rtnl_route *seen = (struct rtnl_route *)at;
		if (!is_ours(interface, seen))
			continue;
		size_t found = find_wanted(wanted, seen);
		if (found < wanted->count) {
			wanted->there[found] = true;
			continue;
		}
		status = rtnl_route_delete(interface->netlink, seen, 0);
		if (status < 0 && status != -NLE_OBJ_NOTFOUND && status != -NLE_NODEV)
			return netlink_error("cannot remove a route", status, error);
	}
	return 0;
}

static int add_route(struct interface *interface, struct ipv4 source,
	const struct dhcp_route *wanted, struct error *error)
{
	CLEANUP(put_route)
	struct rtnl_route *route = route_object(interface, source, wanted);
	if (!route)
		return no_memory(error);
	int status = rtnl_route_add(interface->netlink, route, NLM_F_CREATE | NLM_F_EXCL);
	if (status >= 0)
		return 0;
	netlink_error("cannot set it", status, error);
	return error_prefix(error, "route to %s: ", PREFIX_TEXT(wanted->destination));
}

static bool is_repeated(const struct dhcp_route *routes, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_same_destination(&routes[i], &routes[at]))
			return true;
	return false;
}

int interface_set_routes(struct interface *interface, struct ipv4 source,
	const struct dhcp_route *routes, size_t count, struct error *error)
{
	struct wanted_routes wanted = {.source = source, .routes = routes, .count = count};
	int status = 0;
	if (wanted.count > DHCP_CLIENT_ROUTES_MAX)
		wanted.count = DHCP_CLIENT_ROUTES_MAX;
	if (remove_others(interface, &wanted, error) < 0)
		return error->code;
	for (size_t i = 0; i < wanted.count; i++)
		if (!wanted.there[i] && !is_repeated(routes, i) &&
			add_route(interface, source, &routes[i], error) < 0)
			status = error->code;
	return status;
}
