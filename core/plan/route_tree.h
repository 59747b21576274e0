/*
 * Joining routes: where a router has a gateway to each of a thousand subnets, a route to the
 * smallest prefix around neighbouring subnets with one gateway takes the place of one to each. A
 * chain of 1,000 routers has a million routes one by one, and some ten thousand joined.
 *
 * Each subnet's packets go as before: a prefix is joined only where all subnets in it are reached
 * by the same gateway, and the node is in none of them. Prefixes joined never overlap: when a
 * gateway is lost so are its routes, and no wider one takes over and sends packets back.
 *
 * A prefix joined may hold addresses that no subnet has, since a topology may number its links
 * 10.0.1.0/30, 10.0.2.0/30. No packet to such an address can circle: let P be the smallest prefix
 * around it that holds a subnet S. Every joined prefix that holds the address holds P, and with it S,
 * so a router that has one sends the packet just as it sends packets to S, to where S is nearer; a
 * router in S has none, and says that the address cannot be reached. Where routers have routes of
 * their own, written in the file, that does not hold for the addresses they lead to: there only
 * prefixes full of subnets are joined, and none that would be wider than a written one within it.
 */
#ifndef PLAN_ROUTE_TREE_H
#define PLAN_ROUTE_TREE_H

#include "plan/route_search.h"

/* Two neighbours, subnets or joints themselves, and the smallest prefix around them. */
struct route_joint {
	struct ip_prefix whole;
	size_t children[2]; /* below the count of subnets: a subnet; else a joint, from there on */
	size_t first, last; /* the subnets in it */
	bool full; /* no address is outside of all subnets */
	bool joins; /* written routes allow it */
};

/* The subnets of a family, all of a lab. */
struct route_tree {
	size_t count; /* subnets; joints: one less */
	struct route_joint *joints; /* those within a joint stand before it */
	unsigned *hops; /* by child number, of one node */
	size_t *widest; /* by subnet: the joint + 1 with one gateway that begins there */
};

/* route_tree_finish() frees it, also after a failure. */
int route_tree_begin(const struct plan *plan, const struct route_search *search,
	struct route_tree *ret_tree, struct error *error);
void route_tree_finish(struct route_tree *tree);

/* Add routes for what the search found, joined, to those of the node. */
int route_tree_routes(struct route_tree *tree, const struct route_search *search,
	struct plan_node *node, struct error *error);

#endif
