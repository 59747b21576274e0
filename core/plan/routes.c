/* The routes of each node: what the search finds, and what the file writes. */
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "plan/parts.h"
#include "plan/route_search.h"
#include "plan/route_tree.h"

enum {
	JOINED_OVER = 64, /* subnets of a family that a node has routes to: fewer are kept one for
			     each, to be read */
	ROUTES_MOST = 1000000, /* of all nodes */
};

/* What routes are found with, by family. */
struct routing {
	struct route_search searches[IP_FAMILIES];
	struct route_tree trees[IP_FAMILIES];
};

int plan_add_route(struct plan_node *node, struct ip_prefix destination, struct ip gateway,
	struct error *error)
{
	struct plan_route *route = array_add(&node->routes, &node->route_count);
	if (!route)
		return plan_out_of_memory(error);
	*route = (struct plan_route){.destination = destination, .gateway = gateway};
	return 0;
}

/* The first router in the host's subnets, and whether there is one in another subnet too. */
static struct ip first_gateway(const struct route_search *search, size_t host, bool *ret_several)
{
	struct ip first = {0};
	*ret_several = false;
	for (size_t i = search->own_starts[host]; i < search->own_starts[host + 1]; i++) {
		size_t begin = search->gateway_starts[search->own[i]];
		if (begin == search->gateway_starts[search->own[i] + 1])
			continue;
		*ret_several |= !ip_is_none(first);
		if (ip_is_none(first))
			first = search->gateways[begin].address;
	}
	return first;
}

/*
 * A default route; with routers in several segments also a route to each subnet that the search
 * finds nearer through another of them.
 */
static int host_find(
	struct plan_node *node, struct route_search *search, size_t index, struct error *error)
{
	bool several;
	struct ip first = first_gateway(search, index, &several);
	if (ip_is_none(first))
		return 0;
	int status = plan_add_route(node, (struct ip_prefix){{0, search->family}, 0}, first, error);
	if (status < 0 || !several)
		return status;
	route_search_from(search, index);
	for (size_t i = 0; i < search->found_count; i++) {
		unsigned *hop = &search->hops[search->found[i]];
		if (ip_equal(search->first_hops[*hop], first))
			*hop = 0;
	}
	return 0;
}

static int node_find(
	const struct plan *plan, struct routing *routing, size_t index, struct error *error)
{
	struct plan_node *node = &plan->nodes[index];
	int status = 0;
	for (size_t i = 0; status == 0 && i < IP_FAMILIES; i++) {
		struct route_search *search = &routing->searches[i];
		route_search_clear(search);
		if (node->node->no_routes || !search->count)
			continue;
		if (node->forwarding)
			route_search_from(search, index);
		else if (node->node->kind == NODE_HOST)
			status = host_find(node, search, index, error);
	}
	return status;
}

/* Routes to what was found and not left out. A host's own routes are no part of the tree. */
static int family_add(struct plan_node *node, const struct route_search *search,
	struct route_tree *tree, struct error *error)
{
	if (search->found_count > JOINED_OVER && (node->forwarding || !node->node->route_count))
		return route_tree_routes(tree, search, node, error);
	int status = 0;
	for (size_t i = 0; status == 0 && i < search->found_count; i++) {
		size_t subnet = search->found[i];
		if (search->hops[subnet])
			status = plan_add_route(node,
				search->subnets[subnet]->subnets[search->family],
				search->first_hops[search->hops[subnet]], error);
	}
	return status;
}

static int node_routes(
	struct plan *plan, struct routing *routing, size_t index, struct error *error)
{
	struct plan_node *node = &plan->nodes[index];
	int status = node_find(plan, routing, index, error), result = 0;
	if (status == 0)
		status = plan_written_routes(plan, node, routing->searches, error);
	for (size_t i = 0; plan_goes_on(plan, status, &result) && i < IP_FAMILIES; i++)
		status = family_add(node, &routing->searches[i], &routing->trees[i], error);
	return result;
}

static int all_routes(struct plan *plan, struct routing *routing, struct error *error)
{
	size_t count = 0;
	int result = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		if (!plan_goes_on(plan, node_routes(plan, routing, i, error), &result))
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
	struct routing routing = {0};
	int status = 0;
	for (size_t i = 0; status == 0 && i < IP_FAMILIES; i++) {
		struct route_search *search = &routing.searches[i];
		status = route_search_begin(plan, (enum ip_family)i, search, error);
		if (status == 0)
			status = route_tree_begin(plan, search, &routing.trees[i], error);
	}
	if (status == 0)
		status = all_routes(plan, &routing, error);
	for (size_t i = 0; i < IP_FAMILIES; i++) {
		route_search_finish(&routing.searches[i]);
		route_tree_finish(&routing.trees[i]);
	}
	return status;
}
