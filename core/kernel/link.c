#include "kernel/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>

#include "base/cleanup.h"
#include "kernel/link_batch.h"

static void link_put(struct rtnl_link **link)
{
	if (*link)
		rtnl_link_put(*link);
}

static void address_put(struct rtnl_addr **address)
{
	if (*address)
		rtnl_addr_put(*address);
}

static void nl_address_put(struct nl_addr **address)
{
	if (*address)
		nl_addr_put(*address);
}

static void message_put(struct nl_msg **message)
{
	if (*message)
		nlmsg_free(*message);
}

static void route_put(struct rtnl_route **route)
{
	if (*route)
		rtnl_route_put(*route);
}

/* libnl has error codes of its own; these are the ones a person may meet here. */
static int nl_fail(struct error *error, int code, const char *what)
{
	static const struct {
		int nl, system;
	} codes[] = {
		{NLE_NOMEM, -ENOMEM},
		{NLE_PERM, -EPERM},
		{NLE_EXIST, -EEXIST},
		{NLE_OPNOTSUPP, -EOPNOTSUPP},
		{NLE_OBJ_NOTFOUND, -ENOENT},
		{NLE_NODEV, -ENODEV},
	};
	int system = -EIO;
	code = code < 0 ? -code : code;
	for (size_t i = 0; i < ARRAY_LENGTH(codes); i++)
		if (codes[i].nl == code)
			system = codes[i].system;
	return error_set(error, system, "cannot %s: %s", what, nl_geterror(-code));
}

/* Ask for it at the next flush. Takes the message, which may be NULL with `status` saying why. */
static int link_ask(struct link_socket *socket, int status, struct nl_msg *message,
	const char *what, struct error *error)
{
	CLEANUP(message_put) struct nl_msg *taken = message;
	if (status < 0)
		return nl_fail(error, status, what);
	return link_queue(socket, nlmsg_hdr(taken), what, error);
}

static int link_describe(
	struct rtnl_link *link, const struct plan_interface *interface, unsigned mtu)
{
	CLEANUP(nl_address_put)
	struct nl_addr *mac =
		nl_addr_build(AF_LLC, interface->mac.bytes, sizeof(interface->mac.bytes));
	if (!mac)
		return -NLE_NOMEM;
	rtnl_link_set_name(link, interface->name);
	rtnl_link_set_ifindex(link, (int)interface->ifindex);
	rtnl_link_set_addr(link, mac);
	/* A queue for each processor is what makes a veth pair slow to create. */
	rtnl_link_set_num_tx_queues(link, 1);
	rtnl_link_set_num_rx_queues(link, 1);
	if (mtu)
		rtnl_link_set_mtu(link, mtu);
	return 0;
}

int veth_create(struct link_socket *socket, const struct veth_pair *pair, struct error *error)
{
	CLEANUP(link_put) struct rtnl_link *link = rtnl_link_veth_alloc();
	CLEANUP(link_put) struct rtnl_link *peer = link ? rtnl_link_veth_get_peer(link) : NULL;
	if (!peer)
		return error_set(error, -ENOMEM, "out of memory");
	int status = link_describe(link, pair->here, pair->mtu);
	if (status == 0)
		status = link_describe(peer, pair->there, pair->mtu);
	if (status < 0)
		return nl_fail(error, status, "describe a veth pair");
	rtnl_link_set_ns_fd(peer, pair->there_netns_fd);
	if (pair->bridge_port) {
		rtnl_link_set_master(link, PLAN_BRIDGE_IFINDEX);
		rtnl_link_set_flags(link, IFF_UP);
	}
	struct nl_msg *message = NULL;
	status = rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &message);
	return link_ask(socket, status, message, "create the veth pair", error);
}

int bridge_create(struct link_socket *socket, struct error *error)
{
	CLEANUP(link_put) struct rtnl_link *bridge = rtnl_link_bridge_alloc();
	if (!bridge)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_link_set_name(bridge, PLAN_BRIDGE_NAME);
	rtnl_link_set_ifindex(bridge, PLAN_BRIDGE_IFINDEX);
	struct nl_msg *message = NULL;
	int status = rtnl_link_build_add_request(bridge, NLM_F_CREATE | NLM_F_EXCL, &message);
	return link_ask(socket, status, message, "create the bridge", error);
}

static int link_change(struct link_socket *socket, unsigned ifindex, unsigned master,
	const char *what, struct error *error)
{
	CLEANUP(link_put) struct rtnl_link *which = rtnl_link_alloc();
	CLEANUP(link_put) struct rtnl_link *change = rtnl_link_alloc();
	if (!which || !change)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_link_set_ifindex(which, (int)ifindex);
	rtnl_link_set_ifindex(change, (int)ifindex);
	rtnl_link_set_flags(change, IFF_UP);
	if (master)
		rtnl_link_set_master(change, (int)master);
	struct nl_msg *message = NULL;
	int status = rtnl_link_build_change_request(which, change, 0, &message);
	return link_ask(socket, status, message, what, error);
}

int bridge_join(struct link_socket *socket, unsigned ifindex, struct error *error)
{
	return link_change(socket, ifindex, PLAN_BRIDGE_IFINDEX, "add a port to the bridge", error);
}

int link_up(struct link_socket *socket, unsigned ifindex, struct error *error)
{
	return link_change(socket, ifindex, 0, "set the interface up", error);
}

int link_down(struct link_socket *socket, unsigned ifindex, struct error *error)
{
	CLEANUP(link_put) struct rtnl_link *which = rtnl_link_alloc();
	CLEANUP(link_put) struct rtnl_link *change = rtnl_link_alloc();
	if (!which || !change)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_link_set_ifindex(which, (int)ifindex);
	rtnl_link_set_ifindex(change, (int)ifindex);
	rtnl_link_unset_flags(change, IFF_UP);
	struct nl_msg *message = NULL;
	int status = rtnl_link_build_change_request(which, change, 0, &message);
	return link_ask(socket, status, message, "set the interface down", error);
}

int link_move(struct link_socket *socket, unsigned ifindex, int there_netns_fd, const char *name,
	struct error *error)
{
	CLEANUP(link_put) struct rtnl_link *which = rtnl_link_alloc();
	CLEANUP(link_put) struct rtnl_link *change = rtnl_link_alloc();
	if (!which || !change)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_link_set_ifindex(which, (int)ifindex);
	rtnl_link_set_name(change, name);
	rtnl_link_set_ns_fd(change, there_netns_fd);
	struct nl_msg *message = NULL;
	int status = rtnl_link_build_change_request(which, change, 0, &message);
	return link_ask(socket, status, message, "move the interface", error);
}

int link_find(
	struct link_socket *socket, const char *name, unsigned *ret_ifindex, struct error *error)
{
	CLEANUP(link_put) struct rtnl_link *link = NULL;
	int status = rtnl_link_get_kernel(socket->socket, 0, name, &link);
	if (status < 0)
		return nl_fail(error, status, "find the interface");
	*ret_ifindex = (unsigned)rtnl_link_get_ifindex(link);
	return 0;
}

int link_alternative_name(
	struct link_socket *socket, unsigned ifindex, const char *name, struct error *error)
{
	struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg body = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	struct nlattr *list = NULL;
	int status =
		message ? nlmsg_append(message, &body, sizeof(body), NLMSG_ALIGNTO) : -NLE_NOMEM;
	if (status == 0)
		list = nla_nest_start(message, IFLA_PROP_LIST | NLA_F_NESTED);
	if (status == 0 && (!list || nla_put_string(message, IFLA_ALT_IFNAME, name) < 0))
		status = -NLE_NOMEM;
	if (status == 0)
		nla_nest_end(message, list);
	return link_ask(socket, status, message, "add the alternative name", error);
}

static struct nl_addr *nl_ip(struct ip address, unsigned length)
{
	uint8_t bytes[16];
	size_t size = ip_bytes(address, bytes);
	struct nl_addr *result =
		nl_addr_build(address.family == IPV4 ? AF_INET : AF_INET6, bytes, size);
	if (result)
		nl_addr_set_prefixlen(result, (int)length);
	return result;
}

int address_add(
	struct link_socket *socket, unsigned ifindex, struct ip_prefix prefix, struct error *error)
{
	bool is_ipv6 = prefix.address.family == IPV6;
	CLEANUP(address_put) struct rtnl_addr *address = rtnl_addr_alloc();
	CLEANUP(nl_address_put) struct nl_addr *local = nl_ip(prefix.address, prefix.length);
	CLEANUP(nl_address_put) struct nl_addr *broadcast = nl_ip(ip_prefix_last(prefix), 32);
	if (!address || !local || !broadcast)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_addr_set_ifindex(address, (int)ifindex);
	rtnl_addr_set_family(address, is_ipv6 ? AF_INET6 : AF_INET);
	int status = rtnl_addr_set_local(address, local);
	if (status == 0 && is_ipv6)
		rtnl_addr_set_flags(address, IFA_F_NODAD);
	if (status == 0 && !is_ipv6 && prefix.length < 31)
		status = rtnl_addr_set_broadcast(address, broadcast);
	struct nl_msg *message = NULL;
	if (status == 0)
		status = rtnl_addr_build_add_request(address, 0, &message);
	return link_ask(socket, status, message, "add the address", error);
}

int route_add(struct link_socket *socket, struct ip_prefix destination, struct ip gateway,
	struct error *error)
{
	CLEANUP(route_put) struct rtnl_route *route = rtnl_route_alloc();
	CLEANUP(nl_address_put)
	struct nl_addr *to = nl_ip(ip_prefix_first(destination), destination.length);
	CLEANUP(nl_address_put) struct nl_addr *via = nl_ip(gateway, ip_bits(gateway.family));
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	if (!route || !to || !via || !hop) {
		if (hop)
			rtnl_route_nh_free(hop);
		return error_set(error, -ENOMEM, "out of memory");
	}
	rtnl_route_nh_set_gateway(hop, via);
	rtnl_route_add_nexthop(route, hop); /* takes it */
	rtnl_route_set_family(route, gateway.family == IPV4 ? AF_INET : AF_INET6);
	rtnl_route_set_protocol(route, RTPROT_STATIC);
	int status = rtnl_route_set_dst(route, to);
	struct nl_msg *message = NULL;
	if (status == 0)
		status = rtnl_route_build_add_request(route, NLM_F_CREATE | NLM_F_EXCL, &message);
	return link_ask(socket, status, message, "add the route", error);
}
