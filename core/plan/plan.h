/*
 * The plan: every name, hardware address, IPv4 address, route and process of a topology, decided
 * before the kernel is touched. What `sim plan` prints is what the kernel gets.
 *
 * Rules, in their order:
 *  - Interfaces are named as written; else `eth0`, `eth1`, ... within a node, `port1`, ... in a
 *    switch, in the order of the links.
 *  - Hardware addresses: as written; else 02:4c:LL:LL:LL:EE for end EE of link LLLLLL, so they are
 *    the same in every run.
 *  - A segment is what frames reach without a router: a link, or links joined by switches. Its
 *    subnet is its switch's `ipv4`, else that of the first address written at one of its ends.
 *  - Addresses: as written; else the lowest free ones of the subnet, routers first, then hosts,
 * each in the order of the links.
 *  - Routes: a host with an address has a default route through the first router of its segment; a
 *    router has a route over the fewest hops to each subnet it is not in.
 *  - Interface indexes: 1 is lo; 2, 3, ... follow the interfaces' order.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/text.h"
#include "topology/model.h"

#define PLAN_INTERFACE_NAME_SIZE 16 /* IFNAMSIZ */
#define PLAN_BRIDGE_NAME	 "br0"
#define PLAN_BRIDGE_IFINDEX	 2
#define PLAN_BRIDGE_PORTS_MOST	 1023 /* BR_MAX_PORTS - 1 */

struct plan_interface {
	char name[PLAN_INTERFACE_NAME_SIZE];
	unsigned ifindex;
	struct mac mac;
	bool has_ipv4;
	struct prefix ipv4;
	size_t link; /* index in plan.links */
	unsigned end;
};

/* destination.length 0 is the default route. */
struct plan_route {
	struct prefix destination;
	struct ipv4 gateway;
};

struct plan_process {
	const struct process_spec *spec;
	struct words words;
};

struct plan_node {
	const struct node *node;
	struct plan_interface *interfaces;
	size_t interface_count;
	struct plan_route *routes;
	size_t route_count;
	struct plan_process *processes;
	size_t process_count;
	bool forwarding; /* of IPv4 packets: a router's */
};

struct plan_end {
	size_t node; /* index in plan.nodes */
	size_t interface; /* index in its interfaces */
};

struct plan_link {
	const struct link *link;
	struct plan_end ends[2];
	unsigned named_end; /* the end that names it and where it is captured: not a switch's if one
			       is not */
	char *name; /* "client1:eth0" */
	size_t segment;
};

/* Links that share a subnet. */
struct plan_segment {
	bool has_ipv4;
	struct prefix ipv4; /* network address and length */
	struct mark mark; /* where the subnet is written */
};

struct plan {
	const struct topology *topology; /* borrowed: outlives the plan */
	struct plan_node *nodes; /* the topology's, in its order */
	size_t node_count;
	struct plan_link *links; /* the topology's, in its order */
	size_t link_count;
	struct plan_segment *segments;
	size_t segment_count;
	char *hosts; /* the text of every node's /etc/hosts */
};

/* Decide everything. Errors: "FILE:LINE:COLUMN: sentence". ret_plan: plan_finish() frees it. */
int plan_make(const struct topology *topology, struct plan *ret_plan, struct error *error);

/* An error at a place of the plan's file: "FILE:LINE:COLUMN: sentence". Returns -EINVAL. */
int plan_fail(const struct plan *plan, struct mark mark, struct error *error, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* The interface of that name, the only one where `name` is NULL; NULL where that is none. */
const struct plan_interface *plan_cable(const struct plan_node *node, const char *name);

/* For CLEANUP(). */
void plan_finish(struct plan *plan);

#endif
