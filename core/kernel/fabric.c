#include "kernel/fabric.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/rules.h"
#include "kernel/shape.h"
#include "kernel/sysctls.h"
#include "kernel/system_limits.h"

/* What is held while it is built. */
struct site {
	int *netns_fds; /* by plan node; -1: not there */
	size_t count;
};

static int site_open(size_t count, struct site *ret_site, struct error *error)
{
	struct site site = {malloc((count + 1) * sizeof(*site.netns_fds)), count};
	if (!site.netns_fds)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		site.netns_fds[i] = -1;
	*ret_site = site;
	return 0;
}

static void site_close(struct site *site)
{
	for (size_t i = 0; i < site->count; i++)
		close_fd(&site->netns_fds[i]);
	free(site->netns_fds);
}

/*
 * Settings of a new namespace, before it has links that could act by the old ones. IPv6 is off where
 * no address of it is planned: left on, it would number each link by itself and fill captures with
 * router solicitations and reports of groups. lo keeps ::1. Where it is on, addresses are the
 * plan's alone and usable at once.
 */
static int node_settings(const struct plan_node *node, struct error *error)
{
	static const struct {
		const char *path, *value;
		bool ipv6, router_only;
	} settings[] = {
		{"net/ipv6/conf/default/accept_dad", "0", true, false},
		{"net/ipv6/conf/default/accept_ra", "0", true, false},
		{"net/ipv6/conf/all/forwarding", "1", true, true},
		{"net/ipv4/ip_forward", "1", false, true},
	};
	if (!node->has_ipv6) {
		struct error ignored;
		if (netns_sysctl("net/ipv6/conf/default/disable_ipv6", "1", &ignored) < 0 &&
			ignored.code != -ENOENT)
			return error_set(error, ignored.code, "%s", ignored.text);
	}
	int status = 0;
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(settings); i++)
		if ((!settings[i].ipv6 || node->has_ipv6) &&
			(!settings[i].router_only || node->forwarding))
			status = netns_sysctl(settings[i].path, settings[i].value, error);
	if (status == -ENOENT && node->has_ipv6)
		return error_set(error, -EAFNOSUPPORT,
			"the topology asks for IPv6, which this system has not (or was booted with "
			"ipv6.disable=1)");
	return status;
}

static int fabric_namespaces(const struct plan *plan, struct site *site, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		int status = netns_create(&site->netns_fds[i], error);
		if (status == 0)
			status = node_settings(&plan->nodes[i], error);
		if (status == 0)
			status = sysctls_write(plan->nodes[i].node, SYSCTLS_NEW, error);
		if (status < 0)
			return error_prefix(error, "node %s: ", plan->nodes[i].node->name);
	}
	return 0;
}

/* The end whose node makes the pair: a switch's port can join its bridge in the same message. */
static unsigned link_maker(const struct plan *plan, const struct plan_link *link)
{
	return plan->nodes[link->ends[1].node].node->kind == NODE_SWITCH;
}

static int node_links(const struct plan *plan, size_t index, const struct site *site,
	struct link_socket *socket, struct error *error)
{
	const struct plan_node *node = &plan->nodes[index];
	bool bridge = node->node->kind == NODE_SWITCH;
	int status = bridge ? bridge_create(socket, error) : 0;
	for (size_t i = 0; status == 0 && i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		const struct plan_link *link = &plan->links[interface->link];
		if (link_maker(plan, link) != interface->end)
			continue;
		const struct plan_end *peer = &link->ends[!interface->end];
		struct veth_pair pair = {
			.here = interface,
			.there = &plan->nodes[peer->node].interfaces[peer->interface],
			.there_netns_fd = site->netns_fds[peer->node],
			.mtu = link->link->mtu,
			.bridge_port = bridge,
		};
		status = veth_create(socket, &pair, error);
		if (status < 0)
			return error_prefix(error, "link %s: ", link->name);
	}
	/* Last: a bridge that is up recomputes its state for every port that joins. */
	if (status == 0 && bridge)
		status = link_up(socket, PLAN_BRIDGE_IFINDEX, error);
	return status;
}

/* Ports of a switch that were made from their other end, which is a switch too. */
static int switch_ports(const struct plan *plan, const struct plan_node *node,
	struct link_socket *socket, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		if (link_maker(plan, &plan->links[interface->link]) != interface->end)
			status = bridge_join(socket, interface->ifindex, error);
	}
	return status;
}

/* An interface without IPv6 address of a node that has one elsewhere. */
static int interface_without_ipv6(const struct plan_interface *interface, struct error *error)
{
	char path[64];
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", interface->name);
	return netns_sysctl(path, "1", error);
}

static int node_interface(const struct plan_node *node, const struct plan_interface *interface,
	struct link_socket *socket, struct error *error)
{
	int status = 0;
	if (node->has_ipv6 && !plan_has_address(interface, IPV6))
		status = interface_without_ipv6(interface, error);
	if (status == 0 && interface->long_name)
		status = link_alternative_name(
			socket, interface->ifindex, interface->long_name, error);
	/* Before Linux 5.5 there are none: the plan shows what it stands for. */
	if (status == -EOPNOTSUPP && interface->long_name)
		status = 0;
	if (status == 0 && plan_has_address(interface, IPV4))
		status = address_add(socket, interface->ifindex, interface->addresses[IPV4], error);
	if (status == 0)
		status = link_up(socket, interface->ifindex, error);
	if (status == 0 && plan_has_address(interface, IPV6))
		status = address_add(socket, interface->ifindex, interface->addresses[IPV6], error);
	return status;
}

static int node_addresses(
	const struct plan_node *node, struct link_socket *socket, struct error *error)
{
	int status = link_up(socket, 1, error); /* lo */
	for (size_t i = 0; status == 0 && i < node->interface_count; i++) {
		status = node_interface(node, &node->interfaces[i], socket, error);
		if (status < 0)
			return error_prefix(error, "interface %s: ", node->interfaces[i].name);
	}
	for (size_t i = 0; status == 0 && i < node->route_count; i++) {
		const struct plan_route *route = &node->routes[i];
		status = route_add(socket, route->destination, route->gateway, error);
		if (status < 0)
			return error_prefix(error,
				"route to %s via %s: ", IP_PREFIX_TEXT(route->destination),
				IP_TEXT(route->gateway));
	}
	return status;
}

static int fabric_links(const struct plan *plan, struct site *site, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		CLEANUP(link_socket_close) struct link_socket socket = {0};
		int status = netns_enter(site->netns_fds[i], error);
		if (status == 0)
			status = link_socket_open(&socket, error);
		if (status == 0)
			status = node_links(plan, i, site, &socket, error);
		if (status < 0)
			return error_prefix(error, "node %s: ", plan->nodes[i].node->name);
	}
	return 0;
}

static int fabric_addresses(const struct plan *plan, struct site *site, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		CLEANUP(link_socket_close) struct link_socket socket = {0};
		int status = netns_enter(site->netns_fds[i], error);
		if (status == 0)
			status = link_socket_open(&socket, error);
		if (status == 0 && plan->nodes[i].node->kind == NODE_SWITCH)
			status = switch_ports(plan, &plan->nodes[i], &socket, error);
		else if (status == 0)
			status = node_addresses(&plan->nodes[i], &socket, error);
		if (status == 0)
			status = sysctls_write(plan->nodes[i].node, SYSCTLS_BUILT, error);
		if (status < 0)
			return error_prefix(error, "node %s: ", plan->nodes[i].node->name);
	}
	return 0;
}

/* Where nothing is said no namespace is entered. */
static int node_rates(
	const struct plan *plan, size_t index, const struct site *site, struct error *error)
{
	const struct plan_node *node = &plan->nodes[index];
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	int status = 0;
	for (size_t i = 0; status == 0 && i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		const struct plan_link *link = &plan->links[interface->link];
		if (!interface->rate)
			continue;
		if (!socket.socket)
			status = netns_enter(site->netns_fds[index], error);
		if (status == 0 && !socket.socket)
			status = link_socket_open(&socket, error);
		if (status == 0)
			status = shape_rate(
				&socket, interface->ifindex, plan_queue(plan, interface), error);
		if (status < 0)
			error_prefix(error, "link %s: ", link->name);
	}
	return status;
}

static int fabric_rates(const struct plan *plan, struct site *site, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < plan->node_count; i++)
		status = node_rates(plan, i, site, error);
	return status;
}

static int site_build(const struct plan *plan, struct site *site, struct error *error)
{
	int status = fabric_namespaces(plan, site, error);
	if (status == 0)
		status = fabric_links(plan, site, error);
	if (status == 0)
		status = fabric_addresses(plan, site, error);
	if (status == 0)
		status = fabric_rates(plan, site, error);
	return status < 0 ? status : rules_load(plan, site->netns_fds, error);
}

int fabric_build(const struct plan *plan, struct fabric *ret_fabric, struct error *error)
{
	struct plan_needs needs;
	int status = plan_count_needs(plan, &needs, error);
	if (status == 0)
		status = system_limits_check(&needs, error);
	if (status < 0)
		return status;
	CLEANUP(site_close) struct site site = {0};
	CLEANUP(shelf_close) struct shelf shelf = SHELF_NONE;
	CLEANUP(close_fd) int home = -1;
	status = site_open(plan->node_count, &site, error);
	if (status == 0)
		status = netns_current(&home, error);
	if (status == 0)
		status = shelf_make(&shelf, error);
	if (status < 0)
		return status;
	status = site_build(plan, &site, error);
	struct error back;
	if (netns_enter(home, &back) < 0 && status == 0)
		status = error_set(error, back.code, "%s", back.text);
	if (status == 0)
		status = shelf_put(&shelf, SHELF_NETNS, site.netns_fds, site.count, error);
	if (status < 0)
		return status;
	*ret_fabric = (struct fabric){.stands = true, .shelf = shelf};
	shelf = SHELF_NONE;
	return 0;
}

int fabric_netns(const struct fabric *fabric, size_t node, int *ret_fd, struct error *error)
{
	return shelf_open(&fabric->shelf, SHELF_NETNS, node, ret_fd, error);
}

void fabric_finish(struct fabric *fabric)
{
	if (fabric->stands)
		shelf_close(&fabric->shelf);
	free(fabric->moved);
	*fabric = (struct fabric){0};
}
