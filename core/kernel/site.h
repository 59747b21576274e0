/*
 * A fabric while it is built: all of its network namespaces are made first, by two threads, which is
 * as many as the kernel serves at once. Then each node is visited, once: with one socket it gets its
 * bridge, the links that it is to make, its addresses and routes, all in one batch of messages.
 *
 * A link is made by the end that is visited first: a switch if it has one (its port joins the bridge
 * in the same message), else the node that stands first in the plan. So when a node is visited
 * all of its interfaces are there, or it makes them now.
 */
#ifndef KERNEL_SITE_H
#define KERNEL_SITE_H

#include "base/progress.h"
#include "plan/plan.h"

struct site {
	const struct plan *plan;
	const struct progress *progress; /* borrowed */
	int *netns_fds; /* by plan node; -1: not there yet */
};

/* Borrows both. What follows fails with -EINTR where who is told of the progress has had enough. */
int site_open(const struct plan *plan, const struct progress *progress, struct site *ret_site,
	struct error *error);

/* For CLEANUP(), of a zeroed one too. */
void site_close(struct site *site);

/* Make the namespaces, with their settings. The caller's own stays as it is. */
int site_namespaces(struct site *site, struct error *error);

/* The same for one node; the caller stays in it. */
int site_namespace(const struct plan_node *node, int *ret_fd, struct error *error);

/* What a visit does but for the links, which are there: in the node's namespace. */
int site_visit_again(const struct plan *plan, size_t node, struct error *error);

/* Visit all nodes; leaves the caller in one of their namespaces. */
int site_visit(const struct site *site, struct error *error);

#endif
