/* What each node is asked for, in the order in which the kernel has to hear it. */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/shape.h"
#include "kernel/site.h"
#include "kernel/sysctls.h"

/* A node that is being visited. */
struct visit {
	const struct site *site;
	size_t index;
	const struct plan_node *node;
	struct link_socket *socket;
	bool again; /* its interfaces have their names already */
};

static void tell_link(const void *about, struct text *text)
{
	const struct plan_link *link = about;
	text_append(text, "link %s", link->name);
}

static void tell_interface(const void *about, struct text *text)
{
	const struct plan_interface *interface = about;
	text_append(text, "interface %s", interface->name);
}

static void tell_route(const void *about, struct text *text)
{
	const struct plan_route *route = about;
	text_append(text, "route to %s via %s", IP_PREFIX_TEXT(route->destination),
		IP_TEXT(route->gateway));
}

static void about(struct visit *visit, link_tell *tell, const void *subject)
{
	visit->socket->tell = tell;
	visit->socket->about = subject;
}

static bool is_switch(const struct plan *plan, const struct plan_end *end)
{
	return plan->nodes[end->node].node->kind == NODE_SWITCH;
}

/* Whether that end of the link makes it. */
static bool makes(const struct plan *plan, const struct plan_link *link, unsigned end)
{
	const struct plan_end *here = &link->ends[end], *there = &link->ends[!end];
	bool bridge = is_switch(plan, here);
	return bridge != is_switch(plan, there) ? bridge : here->node < there->node;
}

static int visit_make(struct visit *visit, const struct plan_link *link,
	const struct plan_interface *interface, struct error *error)
{
	const struct plan *plan = visit->site->plan;
	const struct plan_end *peer = &link->ends[!interface->end];
	struct veth_pair pair = {
		.here = interface,
		.there = &plan->nodes[peer->node].interfaces[peer->interface],
		.there_netns_fd = visit->site->netns_fds[peer->node],
		.mtu = link->link->mtu,
		.bridge_port = visit->node->node->kind == NODE_SWITCH,
	};
	return veth_create(visit->socket, &pair, error);
}

static int visit_links(struct visit *visit, struct error *error)
{
	const struct plan *plan = visit->site->plan;
	bool bridge = visit->node->node->kind == NODE_SWITCH;
	int status = 0;
	for (size_t i = 0; status == 0 && i < visit->node->interface_count; i++) {
		const struct plan_interface *interface = &visit->node->interfaces[i];
		const struct plan_link *link = &plan->links[interface->link];
		about(visit, tell_link, link);
		if (makes(plan, link, interface->end))
			status = visit_make(visit, link, interface, error);
		else if (bridge) /* the port of another switch's link */
			status = bridge_join(visit->socket, interface->ifindex, error);
	}
	about(visit, NULL, NULL);
	return status;
}

/* Interfaces without IPv6 address of a node that has one elsewhere. */
static int visit_without_ipv6(struct visit *visit, struct error *error)
{
	const struct plan_node *node = visit->node;
	int status = 0;
	for (size_t i = 0; node->has_ipv6 && status == 0 && i < node->interface_count; i++) {
		char path[64];
		if (plan_has_address(&node->interfaces[i], IPV6))
			continue;
		snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6",
			node->interfaces[i].name);
		status = link_flush(visit->socket, error); /* so that it is there */
		if (status == 0)
			status = netns_sysctl(path, "1", error);
	}
	return status;
}

static int visit_interface(
	struct visit *visit, const struct plan_interface *interface, struct error *error)
{
	struct link_socket *socket = visit->socket;
	int status = 0;
	about(visit, tell_interface, interface);
	/* Before Linux 5.5 there are no alternative names: the plan shows what the other stands for. */
	socket->forgiven = -EOPNOTSUPP;
	if (interface->long_name && !visit->again)
		status = link_alternative_name(
			socket, interface->ifindex, interface->long_name, error);
	socket->forgiven = 0;
	if (status == 0 && plan_has_address(interface, IPV4))
		status = address_add(socket, interface->ifindex, interface->addresses[IPV4], error);
	if (status == 0)
		status = link_up(socket, interface->ifindex, error);
	if (status == 0 && plan_has_address(interface, IPV6))
		status = address_add(socket, interface->ifindex, interface->addresses[IPV6], error);
	return status;
}

static int visit_addresses(struct visit *visit, struct error *error)
{
	const struct plan_node *node = visit->node;
	int status = visit_without_ipv6(visit, error);
	for (size_t i = 0; status == 0 && i < node->interface_count; i++)
		status = visit_interface(visit, &node->interfaces[i], error);
	for (size_t i = 0; status == 0 && i < node->route_count; i++) {
		const struct plan_route *route = &node->routes[i];
		about(visit, tell_route, route);
		status = route_add(visit->socket, route->destination, route->gateway, error);
	}
	return status;
}

static int visit_rates(struct visit *visit, struct error *error)
{
	const struct plan *plan = visit->site->plan;
	int status = 0;
	for (size_t i = 0; status == 0 && i < visit->node->interface_count; i++) {
		const struct plan_interface *interface = &visit->node->interfaces[i];
		if (!interface->rate)
			continue;
		about(visit, tell_link, &plan->links[interface->link]);
		status = shape_rate(
			visit->socket, interface->ifindex, plan_queue(plan, interface), error);
	}
	return status;
}

static int visit_switch(struct visit *visit, struct error *error)
{
	int status = bridge_create(visit->socket, error);
	return status < 0 ? status : visit_links(visit, error);
}

static int visit_other(struct visit *visit, struct error *error)
{
	int status = visit_links(visit, error);
	if (status == 0)
		status = link_up(visit->socket, 1, error); /* lo */
	return status < 0 ? status : visit_addresses(visit, error);
}

static int visit_node(struct visit *visit, struct error *error)
{
	int status = visit->node->node->kind == NODE_SWITCH ? visit_switch(visit, error)
							    : visit_other(visit, error);
	if (status == 0)
		status = visit_rates(visit, error);
	if (status == 0)
		status = link_flush(visit->socket, error);
	return status < 0 ? status : sysctls_write(visit->node->node, SYSCTLS_BUILT, error);
}

int site_visit_again(const struct plan *plan, size_t node, struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket;
	struct site site = {.plan = plan};
	struct visit visit = {&site, node, &plan->nodes[node], &socket, true};
	socket.socket = NULL;
	int status = link_socket_open(&socket, error);
	if (status == 0)
		status = link_up(&socket, 1, error); /* lo */
	if (status == 0)
		status = visit_addresses(&visit, error);
	if (status == 0)
		status = visit_rates(&visit, error);
	if (status == 0)
		status = link_flush(&socket, error);
	return status < 0 ? status : sysctls_write(visit.node->node, SYSCTLS_BUILT, error);
}

static int bridge_up(struct visit *visit, struct error *error)
{
	int status = link_up(visit->socket, PLAN_BRIDGE_IFINDEX, error);
	return status < 0 ? status : link_flush(visit->socket, error);
}

/* Enter the nodes that are switches, or those that are none, and do one thing there. */
static int visit_each(const struct site *site, bool switches,
	int (*act)(struct visit *visit, struct error *error), struct error *error)
{
	const struct plan *plan = site->plan;
	int status = 0;
	for (size_t i = 0; status == 0 && i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		if ((node->node->kind == NODE_SWITCH) != switches)
			continue;
		if (!progress_tell(site->progress, "nodes built", i, plan->node_count))
			return error_set(error, -EINTR, "interrupted");
		CLEANUP(link_socket_close) struct link_socket socket;
		struct visit visit = {site, i, node, &socket, false};
		socket.socket = NULL;
		status = netns_enter(site->netns_fds[i], error);
		if (status == 0)
			status = link_socket_open(&socket, error);
		if (status == 0)
			status = act(&visit, error);
		if (status < 0)
			error_prefix(error, "node %s: ", node->node->name);
	}
	return status;
}

int site_visit(const struct site *site, struct error *error)
{
	int status = visit_each(site, true, visit_node, error);
	if (status == 0)
		status = visit_each(site, false, visit_node, error);
	/* Last: a bridge that is up looks through all of its ports whenever one changes. */
	if (status == 0)
		status = visit_each(site, true, bridge_up, error);
	netns_sysctl_end();
	return status;
}
