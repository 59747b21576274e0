/*
 * The fabric: a plan's network namespaces, veth pairs, bridges, addresses and routes in the kernel,
 * built by libnl. Every veth pair is created straight into its two namespaces: it never appears in
 * the caller's, so names cannot collide and nothing has to be moved.
 *
 * The fabric lives as long as its shelf or the processes in its nodes.
 */
#ifndef KERNEL_FABRIC_H
#define KERNEL_FABRIC_H

#include "base/progress.h"
#include "kernel/shelf.h"
#include "plan/plan.h"

/* The far end of a link, where it is now. */
struct fabric_port {
	size_t link; /* index in plan.links */
	size_t node; /* index in plan.nodes */
	unsigned ifindex;
};

struct fabric {
	bool stands; /* false, as in a zeroed one: nothing is there */
	struct shelf shelf; /* where the namespaces lie */
	size_t *places; /* by node, its number on the shelf; NULL: the node's own (replace.h) */
	struct fabric_port *moved; /* ports that are elsewhere than the plan says (cable.h) */
	size_t moved_count;
};

/*
 * Build what the plan says. The caller needs CAP_SYS_ADMIN and CAP_NET_ADMIN in its user namespace;
 * it is in its own network namespace again when this returns, whatever happened. What exceeds a
 * limit of the system (system_limits.h) fails before anything is made.
 * progress: who has had enough ends it with -EINTR; nothing is there then.
 * ret_fabric: fabric_finish() closes it.
 */
int fabric_build(const struct plan *plan, const struct progress *progress,
	struct fabric *ret_fabric, struct error *error);

/* The number of a node's namespaces on the shelf. */
size_t fabric_number(const struct fabric *fabric, size_t node);

/* It is another from now on. node_count: of the plan. */
int fabric_place(
	struct fabric *fabric, size_t node_count, size_t node, size_t number, struct error *error);

/* Open the network namespace of a node of the plan: the caller closes *ret_fd. Any thread may. */
int fabric_netns(const struct fabric *fabric, size_t node, int *ret_fd, struct error *error);

/* For CLEANUP(). */
void fabric_finish(struct fabric *fabric);

#endif
