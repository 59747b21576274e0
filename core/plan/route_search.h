/*
 * The ways of one family from a node to every subnet: a breadth-first search over the routers, so
 * that each subnet is reached over the fewest hops. Of equal ways the first one wins, in the order
 * of interfaces and then of nodes.
 *
 * What the searches from all nodes share is gathered once, so that one search touches a few flat
 * arrays only: of a chain of 1,000 routers all of them are a million steps.
 */
#ifndef PLAN_ROUTE_SEARCH_H
#define PLAN_ROUTE_SEARCH_H

#include "plan/plan.h"

/* A router's address in a subnet. */
struct route_gateway {
	size_t node;
	struct ip address;
};

/* A subnet is an index of `subnets` in all of these. */
struct route_search {
	enum ip_family family;
	const struct plan_segment **subnets; /* the segments that have one, by its address */
	size_t count;

	/* What the last search found. */
	unsigned *hops; /* by subnet: the index in first_hops of what leads there; 0: nothing does,
			   or it is the origin's own */
	struct ip *first_hops;
	size_t *found, found_count; /* subnets that are reached by a hop, as they were found */

	/* Of all searches. */
	size_t *own_starts, *own; /* node i is in the subnets own[own_starts[i]] and on */
	size_t *gateway_starts; /* likewise by subnet */
	struct route_gateway *gateways;

	/* Of one search; "seen" is the origin's index + 1 in the last search that saw it. */
	unsigned *node_hops;
	size_t *node_seen, *subnet_seen, *queue;
};

/* route_search_finish() frees it, also after a failure. */
int route_search_begin(const struct plan *plan, enum ip_family family,
	struct route_search *ret_search, struct error *error);
void route_search_finish(struct route_search *search);

/* Find the ways from a node. */
void route_search_from(struct route_search *search, size_t origin);

/* As if nothing had been found. */
void route_search_clear(struct route_search *search);

/* Leave one subnet out of what was found; returns whether it was there. */
bool route_search_leave_out(struct route_search *search, struct ip_prefix subnet);

#endif
