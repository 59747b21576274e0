#include "kernel/replace.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/rules.h"
#include "kernel/site.h"

/* Back to where the caller was, whatever happened. */
static int leave(int home, int status, struct error *error)
{
	struct error back;
	if (home >= 0 && netns_enter(home, &back) < 0 && status == 0)
		return error_set(error, back.code, "%s", back.text);
	return status;
}

static int named(const struct plan *plan, size_t node, int status, struct error *error)
{
	return status < 0 ? error_prefix(error, "node %s: ", plan->nodes[node].node->name) : 0;
}

int replace_prepare(const struct plan *plan, const struct fabric *fabric, size_t node,
	size_t number, struct error *error)
{
	CLEANUP(close_fd) int home = -1, netns = -1;
	int status = netns_current(&home, error);
	if (status == 0)
		status = site_namespace(&plan->nodes[node], &netns, error);
	netns_sysctl_end();
	status = leave(home, status, error);
	if (status == 0)
		status = shelf_put_one(&fabric->shelf, SHELF_NETNS, number, netns, error);
	return named(plan, node, status, error);
}

static int move_all(const struct plan_node *node, int target, struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	int status = link_socket_open(&socket, error);
	for (size_t i = 0; status == 0 && i < node->interface_count; i++)
		status = link_move(&socket, node->interfaces[i].ifindex, target,
			node->interfaces[i].name, error);
	return status < 0 ? status : link_flush(&socket, error);
}

int replace_off(const struct plan *plan, struct fabric *fabric, size_t node, size_t number,
	struct error *error)
{
	CLEANUP(close_fd) int home = -1, before = -1, after = -1;
	int status = netns_current(&home, error);
	if (status == 0)
		status = fabric_netns(fabric, node, &before, error);
	if (status == 0)
		status = fabric_place(fabric, plan->node_count, node, number, error);
	if (status == 0)
		status = fabric_netns(fabric, node, &after, error);
	if (status == 0)
		status = netns_enter(before, error);
	if (status == 0)
		status = move_all(&plan->nodes[node], after, error);
	return named(plan, node, leave(home, status, error), error);
}

int replace_on(
	const struct plan *plan, const struct fabric *fabric, size_t node, struct error *error)
{
	/* Of one node, as of a plan that has no other. */
	struct plan one = *plan;
	CLEANUP(close_fd) int home = -1, netns = -1;
	one.nodes = &plan->nodes[node];
	one.node_count = 1;
	int status = netns_current(&home, error);
	if (status == 0)
		status = fabric_netns(fabric, node, &netns, error);
	if (status == 0)
		status = netns_enter(netns, error);
	if (status == 0)
		status = site_visit_again(plan, node, error);
	netns_sysctl_end();
	status = leave(home, status, error);
	if (status == 0)
		status = rules_load(&one, &netns, error);
	return named(plan, node, status, error);
}
