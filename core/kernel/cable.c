#include "kernel/cable.h"

#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/shape.h"

/* The end of a link that is set down: not the one where frames are captured. */
static struct fabric_port far_end(
	const struct plan *plan, const struct fabric *fabric, size_t index)
{
	for (size_t i = 0; i < fabric->moved_count; i++)
		if (fabric->moved[i].link == index)
			return fabric->moved[i];
	const struct plan_link *link = &plan->links[index];
	const struct plan_end *end = &link->ends[!link->named_end];
	return (struct fabric_port){.link = index,
		.node = end->node,
		.ifindex = plan->nodes[end->node].interfaces[end->interface].ifindex};
}

static bool reaches(const struct plan_interface *interface, struct ip gateway)
{
	return plan_has_address(interface, gateway.family) &&
	       ip_prefix_contains(interface->addresses[gateway.family], gateway);
}

/*
 * What went with the interface: its IPv6 address, and the routes through it; those through others
 * are still there.
 */
static int planned_again(const struct plan_node *node, unsigned ifindex, struct link_socket *socket,
	struct error *error)
{
	const struct plan_interface *interface = NULL;
	for (size_t i = 0; i < node->interface_count; i++)
		if (node->interfaces[i].ifindex == ifindex)
			interface = &node->interfaces[i];
	int status = 0;
	socket->forgiven = -EEXIST;
	if (interface && plan_has_address(interface, IPV6))
		status = address_add(socket, ifindex, interface->addresses[IPV6], error);
	for (size_t i = 0; interface && status == 0 && i < node->route_count; i++) {
		const struct plan_route *route = &node->routes[i];
		if (reaches(interface, route->gateway))
			status = route_add(socket, route->destination, route->gateway, error);
	}
	return status;
}

static int set_here(
	const struct plan *plan, const struct fabric_port *port, bool plugged, struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	int status = link_socket_open(&socket, error);
	if (status == 0)
		status = plugged ? link_up(&socket, port->ifindex, error)
				 : link_down(&socket, port->ifindex, error);
	if (status == 0 && plugged)
		status = planned_again(&plan->nodes[port->node], port->ifindex, &socket, error);
	return status < 0 ? status : link_flush(&socket, error);
}

/* Enter the node's namespace; `home` is where the caller was. */
static int enter(const struct fabric *fabric, size_t node, int *home, struct error *error)
{
	CLEANUP(close_fd) int netns = -1;
	int status = netns_current(home, error);
	if (status == 0)
		status = fabric_netns(fabric, node, &netns, error);
	return status < 0 ? status : netns_enter(netns, error);
}

static int leave(int home, int status, struct error *error)
{
	struct error back;
	if (netns_enter(home, &back) < 0 && status == 0)
		return error_set(error, back.code, "%s", back.text);
	return status;
}

int cable_set(const struct plan *plan, const struct fabric *fabric,
	const struct plan_interface *interface, bool plugged, struct error *error)
{
	struct fabric_port port = far_end(plan, fabric, interface->link);
	CLEANUP(close_fd) int home = -1;
	int status = enter(fabric, port.node, &home, error);
	if (status == 0)
		status = set_here(plan, &port, plugged, error);
	if (home >= 0)
		status = leave(home, status, error);
	return status < 0 ? error_prefix(error, "link %s: ", plan->links[interface->link].name) : 0;
}

static int move_from_here(
	const struct fabric_port *port, int there_fd, const char *name, struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	int status = link_socket_open(&socket, error);
	if (status == 0)
		status = link_move(&socket, port->ifindex, there_fd, name, error);
	return status < 0 ? status : link_flush(&socket, error);
}

/* The far end as planned; its queue stayed where it was. */
static int join_here(const struct plan *plan, const struct plan_link *link, const char *name,
	unsigned *ret_ifindex, struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	const struct plan_end *end = &link->ends[!link->named_end];
	const struct plan_interface *planned = &plan->nodes[end->node].interfaces[end->interface];
	int status = link_socket_open(&socket, error);
	if (status == 0)
		status = link_find(&socket, name, ret_ifindex, error);
	if (status == 0 && planned->rate)
		status = shape_rate(&socket, *ret_ifindex, plan_queue(plan, planned), error);
	if (status == 0)
		status = bridge_join(&socket, *ret_ifindex, error);
	return status < 0 ? status : link_flush(&socket, error);
}

/* Where the far end is from now on. */
static int remember(struct fabric *fabric, const struct fabric_port *port, struct error *error)
{
	for (size_t i = 0; i < fabric->moved_count; i++) {
		if (fabric->moved[i].link == port->link) {
			fabric->moved[i] = *port;
			return 0;
		}
	}
	struct fabric_port *moved = array_add(&fabric->moved, &fabric->moved_count);
	if (!moved)
		return error_set(error, -ENOMEM, "out of memory");
	*moved = *port;
	return 0;
}

int cable_move(const struct plan *plan, struct fabric *fabric,
	const struct plan_interface *interface, size_t node, struct error *error)
{
	struct fabric_port port = far_end(plan, fabric, interface->link);
	char name[PLAN_INTERFACE_NAME_SIZE];
	snprintf(name, sizeof(name), "moved%zu", interface->link);
	CLEANUP(close_fd) int home = -1, there = -1;
	int status = enter(fabric, port.node, &home, error);
	/* At the same switch it is put in again, at the same port. */
	if (status == 0 && port.node != node) {
		status = fabric_netns(fabric, node, &there, error);
		if (status == 0)
			status = move_from_here(&port, there, name, error);
		if (status == 0)
			status = netns_enter(there, error);
		if (status == 0)
			status = join_here(
				plan, &plan->links[port.link], name, &port.ifindex, error);
		port.node = node;
	} else if (status == 0) {
		status = set_here(plan, &port, true, error);
	}
	if (home >= 0)
		status = leave(home, status, error);
	if (status == 0)
		status = remember(fabric, &port, error);
	return status < 0 ? error_prefix(error, "link %s: ", plan->links[interface->link].name) : 0;
}
