/*
 * Joining routes: two halves of a larger prefix with the same gateway are one route to it. No
 * address is covered that was not before, so each packet goes the same way. A chain of 1,000
 * routers has a million routes one by one, and some ten thousand joined.
 */
#include <stdlib.h>

#include "plan/parts.h"

enum { JOINED_OVER = 64 }; /* routes of a node: fewer are kept one for each subnet, to be read */

static int route_compare(const void *a, const void *b)
{
	const struct plan_route *left = a, *right = b;
	if (left->destination.address.family != right->destination.address.family)
		return left->destination.address.family < right->destination.address.family ? -1
											    : 1;
	ip_number first = left->destination.address.number;
	ip_number second = right->destination.address.number;
	if (first != second)
		return first < second ? -1 : 1;
	return left->destination.length < right->destination.length ? -1 : 1;
}

static bool are_halves(const struct plan_route *low, const struct plan_route *high)
{
	struct ip_prefix whole = low->destination;
	if (low->written || high->written || !ip_equal(low->gateway, high->gateway) ||
		whole.length <= 1 || whole.length != high->destination.length)
		return false;
	whole.length--;
	return ip_prefix_contains(whole, high->destination.address) &&
	       ip_equal(low->destination.address, ip_prefix_first(whole));
}

void plan_join_routes(struct plan_node *node)
{
	size_t kept = 0;
	if (node->route_count <= JOINED_OVER)
		return;
	qsort(node->routes, node->route_count, sizeof(*node->routes), route_compare);
	for (size_t i = 0; i < node->route_count; i++) {
		node->routes[kept++] = node->routes[i];
		for (; kept > 1 && are_halves(&node->routes[kept - 2], &node->routes[kept - 1]);
			kept--)
			node->routes[kept - 2].destination.length--;
	}
	node->route_count = kept;
	size_t capacity = 1; /* what array_add() takes it to be */
	while (capacity < kept)
		capacity *= 2;
	struct plan_route *smaller = realloc(node->routes, capacity * sizeof(*smaller));
	if (smaller)
		node->routes = smaller;
}
