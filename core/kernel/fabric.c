#include "kernel/fabric.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "kernel/netns.h"
#include "kernel/rules.h"
#include "kernel/site.h"
#include "kernel/system_limits.h"

static int site_build(struct site *site, struct error *error)
{
	int status = site_namespaces(site, error);
	if (status == 0)
		status = site_visit(site, error);
	return status < 0 ? status : rules_load(site->plan, site->netns_fds, error);
}

int fabric_build(const struct plan *plan, const struct progress *progress,
	struct fabric *ret_fabric, struct error *error)
{
	struct plan_needs needs;
	int status = plan_count_needs_up(plan, &needs, error);
	if (status == 0)
		status = system_limits_check(&needs, error);
	if (status < 0)
		return status;
	CLEANUP(site_close) struct site site = {0};
	CLEANUP(shelf_close) struct shelf shelf = SHELF_NONE;
	CLEANUP(close_fd) int home = -1;
	status = site_open(plan, progress, &site, error);
	if (status == 0)
		status = netns_current(&home, error);
	if (status == 0)
		status = shelf_make(&shelf, error);
	if (status < 0)
		return status;
	status = site_build(&site, error);
	struct error back;
	if (netns_enter(home, &back) < 0 && status == 0)
		status = error_set(error, back.code, "%s", back.text);
	if (status == 0)
		status = shelf_put(&shelf, SHELF_NETNS, site.netns_fds, plan->node_count, error);
	if (status < 0)
		return status;
	*ret_fabric = (struct fabric){.stands = true, .shelf = shelf};
	shelf = SHELF_NONE;
	return 0;
}

size_t fabric_number(const struct fabric *fabric, size_t node)
{
	return fabric->places ? fabric->places[node] : node;
}

int fabric_place(
	struct fabric *fabric, size_t node_count, size_t node, size_t number, struct error *error)
{
	if (!fabric->places) {
		fabric->places = calloc(node_count, sizeof(*fabric->places));
		if (!fabric->places)
			return error_set(error, -ENOMEM, "out of memory");
		for (size_t i = 0; i < node_count; i++)
			fabric->places[i] = i;
	}
	fabric->places[node] = number;
	return 0;
}

int fabric_netns(const struct fabric *fabric, size_t node, int *ret_fd, struct error *error)
{
	return shelf_open(&fabric->shelf, SHELF_NETNS, fabric_number(fabric, node), ret_fd, error);
}

void fabric_finish(struct fabric *fabric)
{
	if (fabric->stands)
		shelf_close(&fabric->shelf);
	free(fabric->moved);
	free(fabric->places);
	*fabric = (struct fabric){0};
}
