/*
 * Routes: a breadth-first search over the routers, so that every subnet gets the way with the
 * fewest hops. Of equals the first one wins, in the order of interfaces and then of nodes.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "plan/parts.h"

/* A router's interface in a segment. */
struct gateway {
	size_t node;
	struct ip address;
};

struct gateways {
	struct gateway *list;
	size_t count;
};

/* What all searches of a family share: arrays by segment and by node. */
struct search {
	enum ip_family family;
	struct gateways *gateways; /* by segment */
	size_t segment_count;
	size_t *queue;
	struct ip *first_hops; /* by node: where the way to it begins */
	size_t *node_seen,
		*segment_seen; /* the origin's index + 1, of the last search that saw it */
};

static void search_finish(struct search *search)
{
	for (size_t i = 0; search->gateways && i < search->segment_count; i++)
		free(search->gateways[i].list);
	free(search->gateways);
	free(search->queue);
	free(search->first_hops);
	free(search->node_seen);
	free(search->segment_seen);
}

static int search_begin(
	const struct plan *plan, enum ip_family family, struct search *search, struct error *error)
{
	size_t nodes = plan->node_count + 1, segments = plan->segment_count + 1;
	*search = (struct search){.family = family,
		.gateways = calloc(segments, sizeof(*search->gateways)),
		.segment_count = plan->segment_count,
		.queue = calloc(nodes, sizeof(*search->queue)),
		.first_hops = calloc(nodes, sizeof(*search->first_hops)),
		.node_seen = calloc(nodes, sizeof(*search->node_seen)),
		.segment_seen = calloc(segments, sizeof(*search->segment_seen))};
	if (!search->gateways || !search->queue || !search->first_hops || !search->node_seen ||
		!search->segment_seen)
		return plan_out_of_memory(error);
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; node->forwarding && j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			struct gateways *here =
				&search->gateways[plan->links[interface->link].segment];
			if (!plan_has_address(interface, family))
				continue;
			struct gateway *gateway = array_add(&here->list, &here->count);
			if (!gateway)
				return plan_out_of_memory(error);
			*gateway = (struct gateway){i, interface->addresses[family].address};
		}
	}
	return 0;
}

static int route_add(struct plan_node *node, struct ip_prefix destination, struct ip gateway,
	struct error *error)
{
	struct plan_route *route = array_add(&node->routes, &node->route_count);
	if (!route)
		return plan_out_of_memory(error);
	*route = (struct plan_route){.destination = destination, .gateway = gateway};
	return 0;
}

/* Reach the segments of the router at `at`, and the routers in them. */
static int search_expand(struct plan *plan, struct search *search, size_t origin, size_t at,
	size_t *queued, struct error *error)
{
	const struct plan_node *node = &plan->nodes[at];
	for (size_t i = 0; i < node->interface_count; i++) {
		size_t number = plan->links[node->interfaces[i].link].segment;
		if (!plan_has_address(&node->interfaces[i], search->family) ||
			search->segment_seen[number] == origin + 1)
			continue;
		search->segment_seen[number] = origin + 1;
		if (at != origin) {
			int status = route_add(&plan->nodes[origin],
				plan->segments[number].subnets[search->family],
				search->first_hops[at], error);
			if (status < 0)
				return status;
		}
		for (size_t j = 0; j < search->gateways[number].count; j++) {
			const struct gateway *next = &search->gateways[number].list[j];
			if (search->node_seen[next->node] == origin + 1)
				continue;
			search->node_seen[next->node] = origin + 1;
			search->first_hops[next->node] =
				at == origin ? next->address : search->first_hops[at];
			search->queue[(*queued)++] = next->node;
		}
	}
	return 0;
}

/* A route to each subnet that is not the node's own. */
static int routes_to_all(
	struct plan *plan, struct search *search, size_t origin, struct error *error)
{
	size_t queued = 1;
	search->queue[0] = origin;
	search->node_seen[origin] = origin + 1;
	/* Own segments first, all of them: they need no route, whoever else is in them. */
	for (size_t i = 0; i < queued; i++) {
		int status = search_expand(plan, search, origin, search->queue[i], &queued, error);
		if (status < 0)
			return status;
	}
	return 0;
}

/*
 * A default route; with routers in several segments also a route to each subnet that the search
 * finds nearer through another of them.
 */
static int host_routes(struct plan *plan, struct search *search, size_t origin, struct error *error)
{
	struct plan_node *node = &plan->nodes[origin];
	struct ip first = {0};
	bool several = false;
	for (size_t i = 0; i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		const struct gateways *here =
			&search->gateways[plan->links[interface->link].segment];
		if (!plan_has_address(interface, search->family) || !here->count)
			continue;
		several |= !ip_is_none(first);
		if (ip_is_none(first))
			first = here->list[0].address;
	}
	if (ip_is_none(first))
		return 0;
	int status = route_add(node, (struct ip_prefix){{0, search->family}, 0}, first, error);
	if (status < 0 || !several)
		return status;
	size_t kept = node->route_count;
	status = routes_to_all(plan, search, origin, error);
	for (size_t i = kept; i < node->route_count; i++)
		if (!ip_equal(node->routes[i].gateway, first))
			node->routes[kept++] = node->routes[i];
	while (status == 0 && node->route_count > kept)
		node->route_count--;
	return status;
}

enum { ROUTES_MOST = 1000000 }; /* of all nodes */

static int node_routes(
	struct plan *plan, struct search *searches, size_t index, struct error *error)
{
	struct plan_node *node = &plan->nodes[index];
	int status = 0;
	for (size_t i = 0; status == 0 && !node->node->no_routes && i < IP_FAMILIES; i++) {
		if (!searches[i].gateways)
			continue;
		if (node->forwarding)
			status = routes_to_all(plan, &searches[i], index, error);
		else if (node->node->kind == NODE_HOST)
			status = host_routes(plan, &searches[i], index, error);
	}
	if (status == 0)
		status = plan_written_routes(plan, node, error);
	if (status == 0)
		plan_join_routes(node);
	return status;
}

static int all_routes(struct plan *plan, struct search *searches, struct error *error)
{
	size_t count = 0;
	int result = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		if (!plan_goes_on(plan, node_routes(plan, searches, i, error), &result))
			return result;
		count += plan->nodes[i].route_count;
		if (count > ROUTES_MOST)
			return plan_fail(plan, plan->nodes[i].node->mark, error,
				"from each router to each subnet, these are over %d routes",
				ROUTES_MOST);
	}
	return result;
}

int plan_routes(struct plan *plan, struct error *error)
{
	struct search searches[IP_FAMILIES] = {0};
	int status = 0;
	for (size_t i = 0; status == 0 && i < IP_FAMILIES; i++)
		if (plan_uses(plan, (enum ip_family)i))
			status = search_begin(plan, (enum ip_family)i, &searches[i], error);
	if (status == 0)
		status = all_routes(plan, searches, error);
	for (size_t i = 0; i < IP_FAMILIES; i++)
		search_finish(&searches[i]);
	return status;
}
