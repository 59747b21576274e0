#include "kernel/fabric.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "kernel/link.h"
#include "kernel/netns.h"

/* Settings of a new namespace, before it has links that could act by the old ones. */
static int node_settings(const struct plan_node *node, struct error *error)
{
	/*
	 * The plan gives IPv4 addresses only; left on, IPv6 would number each link by itself and
	 * fill captures with router solicitations. lo keeps ::1.
	 */
	struct error ignored;
	if (netns_sysctl("net/ipv6/conf/default/disable_ipv6", "1", &ignored) < 0 &&
		ignored.code != -ENOENT)
		return error_set(error, ignored.code, "%s", ignored.text);
	return node->forwarding ? netns_sysctl("net/ipv4/ip_forward", "1", error) : 0;
}

static int fabric_namespaces(const struct plan *plan, struct fabric *fabric, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		int status = netns_create(&fabric->netns_fds[i], error);
		if (status == 0)
			status = node_settings(&plan->nodes[i], error);
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

static int node_links(const struct plan *plan, size_t index, const struct fabric *fabric,
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
			.there_netns_fd = fabric->netns_fds[peer->node],
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

static int node_addresses(
	const struct plan_node *node, struct link_socket *socket, struct error *error)
{
	int status = link_up(socket, 1, error); /* lo */
	for (size_t i = 0; status == 0 && i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		if (interface->has_ipv4)
			status = address_add(socket, interface->ifindex, interface->ipv4, error);
		if (status == 0)
			status = link_up(socket, interface->ifindex, error);
		if (status < 0)
			return error_prefix(error, "interface %s: ", interface->name);
	}
	for (size_t i = 0; status == 0 && i < node->route_count; i++)
		status = route_add(
			socket, node->routes[i].destination, node->routes[i].gateway, error);
	return status;
}

static int fabric_links(const struct plan *plan, struct fabric *fabric, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		CLEANUP(link_socket_close) struct link_socket socket = {0};
		int status = netns_enter(fabric->netns_fds[i], error);
		if (status == 0)
			status = link_socket_open(&socket, error);
		if (status == 0)
			status = node_links(plan, i, fabric, &socket, error);
		if (status < 0)
			return error_prefix(error, "node %s: ", plan->nodes[i].node->name);
	}
	return 0;
}

static int fabric_addresses(const struct plan *plan, struct fabric *fabric, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		CLEANUP(link_socket_close) struct link_socket socket = {0};
		int status = netns_enter(fabric->netns_fds[i], error);
		if (status == 0)
			status = link_socket_open(&socket, error);
		if (status == 0 && plan->nodes[i].node->kind == NODE_SWITCH)
			status = switch_ports(plan, &plan->nodes[i], &socket, error);
		else if (status == 0)
			status = node_addresses(&plan->nodes[i], &socket, error);
		if (status < 0)
			return error_prefix(error, "node %s: ", plan->nodes[i].node->name);
	}
	return 0;
}

int fabric_build(const struct plan *plan, struct fabric *ret_fabric, struct error *error)
{
	CLEANUP(fabric_finish) struct fabric fabric = {.count = plan->node_count};
	fabric.netns_fds = malloc((plan->node_count + 1) * sizeof(*fabric.netns_fds));
	if (!fabric.netns_fds)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < plan->node_count; i++)
		fabric.netns_fds[i] = -1;

	CLEANUP(close_fd) int home = -1;
	int status = netns_current(&home, error);
	if (status < 0)
		return status;
	status = fabric_namespaces(plan, &fabric, error);
	if (status == 0)
		status = fabric_links(plan, &fabric, error);
	if (status == 0)
		status = fabric_addresses(plan, &fabric, error);
	struct error back;
	if (netns_enter(home, &back) < 0 && status == 0)
		status = error_set(error, back.code, "%s", back.text);
	if (status < 0)
		return status;
	*ret_fabric = fabric;
	fabric = (struct fabric){0};
	return 0;
}

void fabric_finish(struct fabric *fabric)
{
	for (size_t i = 0; fabric->netns_fds && i < fabric->count; i++)
		close_fd(&fabric->netns_fds[i]);
	free(fabric->netns_fds);
	free(fabric->moved);
	*fabric = (struct fabric){0};
}
