/* A node's own `routes:`, which replace those that the plan found to the same destination. */
#include <string.h>

#include "base/array.h"
#include "plan/parts.h"
#include "plan/route_search.h"

/* A node whose routes are written over what was found for it. */
struct writing {
	const struct plan *plan;
	struct plan_node *node;
	const struct route_spec *spec; /* the one that is on */
	struct route_search *searches; /* by family */
};

/* The address that `name` has in a segment where `node` has one of the family too; or none. */
static struct ip neighbour_address(const struct plan *plan, const struct plan_node *node,
	const struct plan_node *neighbour, enum ip_family family)
{
	for (size_t i = 0; i < node->interface_count; i++) {
		const struct plan_interface *own = &node->interfaces[i];
		for (size_t j = 0; j < neighbour->interface_count; j++) {
			const struct plan_interface *other = &neighbour->interfaces[j];
			if (plan->links[own->link].segment == plan->links[other->link].segment &&
				plan_has_address(own, family) && plan_has_address(other, family))
				return other->addresses[family].address;
		}
	}
	return (struct ip){0};
}

/* A gateway that the kernel would refuse: not next to the node, or the node itself. */
static int check_gateway(const struct plan *plan, const struct plan_node *node, struct ip gateway,
	struct mark mark, struct error *error)
{
	bool reached = false;
	for (size_t i = 0; i < node->interface_count; i++) {
		struct ip_prefix own = node->interfaces[i].addresses[gateway.family];
		if (ip_is_none(own.address))
			continue;
		if (ip_equal(own.address, gateway))
			return plan_fail(plan, mark, error,
				"%s is an address of '%s' itself: a gateway is another node",
				IP_TEXT(gateway), node->node->name);
		reached |= ip_prefix_contains(own, gateway);
	}
	if (!reached)
		return plan_fail(plan, mark, error,
			"'%s' has no interface in the subnet of the gateway %s", node->node->name,
			IP_TEXT(gateway));
	return 0;
}

/* Take away what leads to the destination; returns whether there was such a route. */
static bool routes_remove(struct writing *writing, struct ip_prefix destination)
{
	struct plan_node *node = writing->node;
	size_t kept = 0, count = node->route_count;
	for (size_t i = 0; i < count; i++)
		if (!ip_prefix_same(node->routes[i].destination, destination))
			node->routes[kept++] = node->routes[i];
	node->route_count = kept;
	bool found =
		route_search_leave_out(&writing->searches[destination.address.family], destination);
	return found || kept < count;
}

/* Two lines for one destination: one of them is a slip. */
static int check_written_once(
	const struct writing *writing, struct ip_prefix destination, struct error *error)
{
	const struct plan_node *node = writing->node;
	for (size_t i = 0; i < node->route_count; i++)
		if (node->routes[i].written &&
			ip_prefix_same(node->routes[i].destination, destination))
			return plan_fail(writing->plan, writing->spec->mark, error,
				"'%s' has a route of its own to %s already, via %s",
				node->node->name,
				destination.length ? IP_PREFIX_TEXT(destination) : "default",
				IP_TEXT(node->routes[i].gateway));
	return 0;
}

static int route_set(struct writing *writing, struct ip_prefix destination, struct ip gateway,
	struct error *error)
{
	struct plan_node *node = writing->node;
	int status = check_written_once(writing, destination, error);
	if (status < 0)
		return status;
	routes_remove(writing, destination);
	status = plan_add_route(node, destination, gateway, error);
	if (status == 0)
		node->routes[node->route_count - 1].written = true;
	return status;
}

/* `via: none`: of a default without a family, both. */
static int route_leave_out(const struct plan *plan, struct writing *writing,
	const struct route_spec *spec, struct error *error)
{
	bool removed = false;
	for (size_t i = 0; i < IP_FAMILIES; i++) {
		struct ip_prefix destination = spec->destination;
		if (spec->is_default)
			destination = (struct ip_prefix){{0, (enum ip_family)i}, 0};
		int status = check_written_once(writing, destination, error);
		if (status < 0)
			return status;
		removed |= routes_remove(writing, destination);
	}
	if (removed)
		return 0;
	return plan_fail(plan, spec->mark, error, "'%s' would have no route to %s to leave out",
		writing->node->node->name,
		spec->is_default ? "default" : IP_PREFIX_TEXT(spec->destination));
}

/* The gateway named: of a default one route for each family that the two nodes share. */
static int route_through_node(struct plan *plan, struct writing *writing,
	const struct route_spec *spec, struct error *error)
{
	const struct plan_node *node = writing->node;
	long index = topology_find_node(plan->topology, spec->node);
	if (index < 0)
		return plan_fail(plan, spec->mark, error,
			"the gateway '%s' is neither an address nor a node", spec->node);
	int status = 0;
	bool found = false;
	for (size_t i = 0; status == 0 && i < IP_FAMILIES; i++) {
		enum ip_family family = (enum ip_family)i;
		struct ip_prefix destination = spec->destination;
		if (spec->is_default)
			destination = (struct ip_prefix){{0, family}, 0};
		struct ip gateway = neighbour_address(plan, node, &plan->nodes[index], family);
		if (destination.address.family != family || ip_is_none(gateway))
			continue;
		found = true;
		status = route_set(writing, destination, gateway, error);
	}
	if (status == 0 && !found)
		return plan_fail(plan, spec->mark, error,
			"'%s' and the gateway '%s' have no addresses in one subnet",
			node->node->name, spec->node);
	return status;
}

static int written_route(struct plan *plan, struct writing *writing, const struct route_spec *spec,
	struct error *error)
{
	if (spec->node)
		return route_through_node(plan, writing, spec, error);
	if (ip_is_none(spec->gateway))
		return route_leave_out(plan, writing, spec, error);
	int status = check_gateway(plan, writing->node, spec->gateway, spec->mark, error);
	struct ip_prefix destination = spec->destination;
	if (spec->is_default)
		destination = (struct ip_prefix){{0, spec->gateway.family}, 0};
	return status < 0 ? status : route_set(writing, destination, spec->gateway, error);
}

int plan_written_routes(struct plan *plan, struct plan_node *node, struct route_search *searches,
	struct error *error)
{
	struct writing writing = {plan, node, NULL, searches};
	int result = 0;
	bool missing = plan->topology->missing & MISSING_ADDRESSES; /* gateways' */
	for (size_t i = 0; i < node->interface_count; i++)
		missing |= plan_segment_of(plan, &node->interfaces[i])->faulty;
	for (size_t i = 0; !missing && i < node->node->route_count; i++) {
		writing.spec = &node->node->routes[i];
		int status = written_route(plan, &writing, writing.spec, error);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}
