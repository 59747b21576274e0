/*
 * The plan: every name, hardware address, IPv4 and IPv6 address, route and process of a topology,
 * decided before the kernel is touched. What `sim plan` prints is what the kernel gets.
 *
 * Rules, in their order; the two families follow the same ones, each by itself:
 *  - Interfaces are named as written; else `eth0`, `eth1`, ... within a node, `port1`, ... in a
 *    switch, in the order of the links. A name over 15 characters is too long for the kernel: the
 *    interface is named as if none were written and has the long name as its alternative one.
 *  - Hardware addresses: as written; else 02:4c:LL:LL:LL:EE for end EE of link LLLLLL, so they are
 *    the same in every run.
 *  - A segment is what frames reach without a router: a link, or links joined by switches. Its
 *    subnet is its switch's `ipv4` (`ipv6`), else the link's, else that of the first address
 *    written at one of its ends; else, where an end wants an address, the next free one of the
 *    topology's pool: first for segments with switches (/24, or larger where it takes more; /64),
 *    then for links between two nodes (/30; /64).
 *  - Addresses: as written; else the lowest free ones of the subnet, routers first, then hosts,
 *    each in the order of the links.
 *  - Routes: a router has one over the fewest hops to each subnet it is not in; where these are
 *    more than 64 of a family, one to the smallest prefix around neighbouring subnets with one
 *    gateway (route_tree.h says why no packet circles). A host has a default route through the
 *    first router of its first segment that has one; in several segments also one to each subnet
 *    that is nearer through another router. The node's own `routes` come first, in place of those
 *    to the same destination.
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
	const char
		*long_name; /* its alternative name, where the written one is too long; or NULL */
	unsigned ifindex;
	struct mac mac;
	struct ip_prefix addresses[IP_FAMILIES]; /* none (0): it has none of that family */
	size_t link; /* index in plan.links */
	unsigned end;
	uint64_t rate; /* what it sends at most, in bits a second; 0: what the machine can */
};

/*
 * Of an interface with a rate: a token bucket, in bytes. What it sends at once is a millisecond's worth
 * (a real cable sends bit after bit), a frame at least; what waits, a tenth of a second's, ten frames
 * at least.
 */
struct plan_queue {
	uint64_t bytes_a_second, burst;
	uint64_t limit; /* what it holds in all */
};

/* destination.length 0 is the default route. */
struct plan_route {
	struct ip_prefix destination;
	struct ip gateway;
	bool written; /* in the file, not found */
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
	char *rules; /* its nftables text, long interface names as the kernel has them; or NULL */
	bool forwarding; /* a router */
	bool watched; /* what its kernel tells of itself is recorded */
	bool has_ipv6; /* one of its interfaces has an IPv6 address: elsewhere IPv6 is off */
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
	bool captured; /* at the end that names it */
	size_t segment;
};

/* Links that share a subnet of each family. */
struct plan_segment {
	struct ip_prefix subnets[IP_FAMILIES]; /* host bits 0; none (0): it has none */
	struct mark marks[IP_FAMILIES]; /* where each is written */
	bool has_switch;
	bool unnumbered
		[IP_FAMILIES]; /* a switch says so: nobody has an address that no link writes */
	bool faulty; /* a switch could not be read, or the pool: its subnet may have been there */
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

/*
 * Decide everything. Errors: "FILE:LINE:COLUMN: sentence"; where the topology collects problems,
 * *ret_plan is set in spite of them, so that steps can be checked. plan_finish() frees it.
 */
int plan_make(const struct topology *topology, struct plan *ret_plan, struct error *error);

/* The node's interface of that name, short or long; NULL where there is none. */
const struct plan_interface *plan_find_interface(const struct plan_node *node, const char *name);

/* The name a person gave it. */
static inline const char *plan_shown_name(const struct plan_interface *interface)
{
	return interface->long_name ? interface->long_name : interface->name;
}

static inline bool plan_has_address(const struct plan_interface *interface, enum ip_family family)
{
	return !ip_is_none(interface->addresses[family].address);
}

static inline bool plan_has_subnet(const struct plan_segment *segment, enum ip_family family)
{
	return !ip_is_none(segment->subnets[family].address);
}

struct plan_queue plan_queue(const struct plan *plan, const struct plan_interface *interface);

/* Append the interface's addresses, with `between` between two; returns whether it has any. */
bool plan_append_addresses(
	const struct plan_interface *interface, const char *between, struct text *text);

/* Whether anything has an address of the family. */
bool plan_uses(const struct plan *plan, enum ip_family family);

/* An error at a place of the plan's file: "FILE:LINE:COLUMN: sentence". Returns -EINVAL. */
int plan_fail(const struct plan *plan, struct mark mark, struct error *error, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* The interface of that name, the only one where `name` is NULL; NULL where that is none. */
const struct plan_interface *plan_cable(const struct plan_node *node, const char *name);

/* For CLEANUP(). */
void plan_finish(struct plan *plan);

#endif
