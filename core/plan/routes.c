/*
 * Routes: a default route for hosts, and for each router a breadth-first search over the routers it
 * reaches, so that every subnet gets the way with the fewest hops.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "plan/parts.h"

/* A router's interface in a segment. */
struct gateway {
	size_t node;
	struct ipv4 address;
};

struct gateways {
	struct gateway *list;
	size_t count;
};

/* By segment. */
struct gateway_table {
	struct gateways *segments;
	size_t count;
};

static void gateway_table_finish(struct gateway_table *table)
{
	for (size_t i = 0; table->segments && i < table->count; i++)
		free(table->segments[i].list);
	free(table->segments);
}

static int gateways_collect(const struct plan *plan, struct gateways *gateways, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; node->forwarding && j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			struct gateways *here = &gateways[plan->links[interface->link].segment];
			if (!interface->has_ipv4)
				continue;
			struct gateway *gateway = array_add(&here->list, &here->count);
			if (!gateway)
				return plan_out_of_memory(error);
			*gateway = (struct gateway){i, interface->ipv4.address};
		}
	}
	return 0;
}

static int route_add(
	struct plan_node *node, struct prefix destination, struct ipv4 gateway, struct error *error)
{
	struct plan_route *route = array_add(&node->routes, &node->route_count);
	if (!route)
		return plan_out_of_memory(error);
	*route = (struct plan_route){destination, gateway};
	return 0;
}

static int host_route(const struct plan *plan, struct plan_node *node,
	const struct gateways *gateways, struct error *error)
{
	for (size_t i = 0; i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		const struct gateways *here = &gateways[plan->links[interface->link].segment];
		if (interface->has_ipv4 && here->count)
			return route_add(node, (struct prefix){0}, here->list[0].address, error);
	}
	return 0;
}

/* What one search keeps; the arrays are as long as nodes and segments. */
struct search {
	size_t *queue;
	struct ipv4 *first_hop; /* by node: where the way to it begins */
	bool *node_seen, *segment_seen;
};

/* Reach the segments of the router at `at`, and the routers in them. */
static int search_expand(struct plan *plan, const struct gateways *gateways, struct search *search,
	size_t origin, size_t at, size_t *queued, struct error *error)
{
	const struct plan_node *node = &plan->nodes[at];
	for (size_t i = 0; i < node->interface_count; i++) {
		size_t number = plan->links[node->interfaces[i].link].segment;
		const struct plan_segment *segment = &plan->segments[number];
		if (!node->interfaces[i].has_ipv4 || search->segment_seen[number])
			continue;
		search->segment_seen[number] = true;
		if (at != origin && segment->has_ipv4) {
			int status = route_add(
				&plan->nodes[origin], segment->ipv4, search->first_hop[at], error);
			if (status < 0)
				return status;
		}
		for (size_t j = 0; j < gateways[number].count; j++) {
			const struct gateway *next = &gateways[number].list[j];
			if (search->node_seen[next->node])
				continue;
			search->node_seen[next->node] = true;
			search->first_hop[next->node] =
				at == origin ? next->address : search->first_hop[at];
			search->queue[(*queued)++] = next->node;
		}
	}
	return 0;
}

enum { ROUTES_MOST = 1000000 }; /* of all nodes */

static int router_routes(
	struct plan *plan, const struct gateways *gateways, size_t origin, struct error *error)
{
	size_t nodes = plan->node_count + 1, segments = plan->segment_count + 1;
	CLEANUP(free_pointer) size_t *queue = calloc(nodes, sizeof(*queue));
	CLEANUP(free_pointer) struct ipv4 *first_hop = calloc(nodes, sizeof(*first_hop));
	CLEANUP(free_pointer) bool *node_seen = calloc(nodes, sizeof(*node_seen));
	CLEANUP(free_pointer) bool *segment_seen = calloc(segments, sizeof(*segment_seen));
	if (!queue || !first_hop || !node_seen || !segment_seen)
		return plan_out_of_memory(error);
	struct search search = {queue, first_hop, node_seen, segment_seen};
	size_t queued = 1;
	queue[0] = origin;
	node_seen[origin] = true;
	/* Own segments first, all of them: they need no route, whoever else is in them. */
	for (size_t i = 0; i < queued; i++) {
		int status =
			search_expand(plan, gateways, &search, origin, queue[i], &queued, error);
		if (status < 0)
			return status;
	}
	return 0;
}

int plan_routes(struct plan *plan, struct error *error)
{
	CLEANUP(gateway_table_finish) struct gateway_table table = {.count = plan->segment_count};
	struct gateways *gateways = calloc(plan->segment_count + 1, sizeof(*gateways));
	if (!gateways)
		return plan_out_of_memory(error);
	table.segments = gateways;
	int status = gateways_collect(plan, gateways, error);
	size_t count = 0;
	for (size_t i = 0; status == 0 && i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		if (node->forwarding)
			status = router_routes(plan, gateways, i, error);
		else if (node->node->kind == NODE_HOST)
			status = host_route(plan, &plan->nodes[i], gateways, error);
		count += node->route_count;
		if (status == 0 && count > ROUTES_MOST)
			return plan_fail(plan, node->node->mark, error,
				"from each router to each subnet, these are over %d routes",
				ROUTES_MOST);
	}
	return status;
}
