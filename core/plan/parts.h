/* Between the files of plan/: one stage each, called in this order by plan_make(). */
#ifndef PLAN_PARTS_H
#define PLAN_PARTS_H

#include "plan/plan.h"

/* Names, hardware addresses and indexes of all interfaces; the links' names. */
int plan_interfaces(struct plan *plan, struct error *error);

/* Which links form a segment, and its subnets as written. */
int plan_segments(struct plan *plan, struct error *error);

/* Subnets of the topology's pools for the segments that have none and need one. */
int plan_pools(struct plan *plan, struct error *error);

/* The segments that have a subnet of the family, by its address. *ret_sorted: free() it. */
int plan_sort_subnets(const struct plan *plan, enum ip_family family,
	const struct plan_segment ***ret_sorted, size_t *ret_count, struct error *error);

/* No two subnets overlap. */
int plan_check_subnets(struct plan *plan, struct error *error);

/* Addresses written and addresses chosen. */
int plan_addresses(struct plan *plan, struct error *error);

int plan_routes(struct plan *plan, struct error *error);

/*
 * A node's `routes:`, over its default route and what the searches (one a family) found for it:
 * what is written to the same destination is left out of these.
 */
struct route_search;
int plan_written_routes(struct plan *plan, struct plan_node *node, struct route_search *searches,
	struct error *error);

/* Add a route that is not written. */
int plan_add_route(struct plan_node *node, struct ip_prefix destination, struct ip gateway,
	struct error *error);

/*
 * For loops over what may be wrong: whether to look at the next one though `status` says that this
 * one is, because all that is wrong is told at once. *result keeps the first failure.
 */
bool plan_goes_on(const struct plan *plan, int status, int *result);

/* Whether the plan is to choose an address of the family for that end. */
bool plan_wants_address(
	const struct plan *plan, const struct plan_link *link, size_t end, enum ip_family family);

/* The nodes' nftables texts. */
int plan_rules(struct plan *plan, struct error *error);

int plan_out_of_memory(struct error *error);

static inline const struct link_end *plan_written_end(
	const struct plan *plan, const struct plan_interface *interface)
{
	return &plan->links[interface->link].link->ends[interface->end];
}

static inline const struct plan_segment *plan_segment_of(
	const struct plan *plan, const struct plan_interface *interface)
{
	return &plan->segments[plan->links[interface->link].segment];
}

#endif
