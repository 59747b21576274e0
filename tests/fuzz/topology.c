/*
 * Topology files: read to the first problem and to all of them, planned, and told. Input: the file.
 * What is valid one way is valid the other; in a valid plan each address is one interface's, in the
 * subnet of its segment, and each gateway is in a subnet of the node that uses it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#include "base/cleanup.h"
#include "plan/describe.h"
#include "plan/needs.h"
#include "scenario/check.h"
#include "topology/problems.h"
#include "topology/read.h"

static int ip_order(const void *a, const void *b)
{
	const struct ip *left = a, *right = b;
	if (left->family != right->family)
		return left->family < right->family ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

static void check_interface(const struct plan *plan, const struct plan_interface *interface,
	struct ip *held, size_t *count)
{
	const struct plan_segment *segment = &plan->segments[plan->links[interface->link].segment];
	for (size_t i = 0; i < IP_FAMILIES; i++) {
		struct ip_prefix address = interface->addresses[i];
		if (ip_is_none(address.address))
			continue;
		HOLDS(address.address.family == i);
		HOLDS(ip_prefix_same(address, segment->subnets[i]));
		held[(*count)++] = address.address;
	}
}

static void check_routes(const struct plan_node *node)
{
	for (size_t i = 0; i < node->route_count; i++) {
		bool reached = false;
		for (size_t j = 0; j < node->interface_count; j++)
			for (size_t k = 0; k < IP_FAMILIES; k++)
				reached |= !ip_is_none(node->interfaces[j].addresses[k].address) &&
					   ip_prefix_contains(node->interfaces[j].addresses[k],
						   node->routes[i].gateway);
		HOLDS(reached);
	}
}

static void check_plan(const struct plan *plan)
{
	struct ip *held = calloc(4 * plan->link_count + 1, sizeof(*held));
	size_t count = 0;
	HOLDS(held);
	for (size_t i = 0; i < plan->node_count; i++) {
		for (size_t j = 0; j < plan->nodes[i].interface_count; j++)
			check_interface(plan, &plan->nodes[i].interfaces[j], held, &count);
		check_routes(&plan->nodes[i]);
	}
	qsort(held, count, sizeof(*held), ip_order);
	for (size_t i = 1; i < count; i++)
		HOLDS(ip_order(&held[i - 1], &held[i]) != 0);
	free(held);
}

static void tell(const struct plan *plan)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(json_release) json_t *json = plan_describe_json(plan);
	struct plan_needs needs;
	plan_describe(plan, &text);
	HOLDS(json != NULL);
	HOLDS(plan_count_needs(plan, &needs, NULL) == 0);
	HOLDS(needs.network_namespaces == plan->node_count);
}

/* Whether it is valid. */
static bool read_and_plan(const char *path, struct problems *problems)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	struct topology_request request = {.path = path, .problems = problems};
	struct error error = {0};
	int status = topology_read_with(&request, &topology, &error);
	HOLDS(status == 0 || *error.text);
	if (status < 0 && !topology.faulty)
		return false;
	int planned = plan_make(&topology, &plan, &error);
	HOLDS(planned == 0 || *error.text);
	if (plan.topology)
		problems_go_on(problems, scenario_check(&plan, &error), &planned);
	if (status == 0 && planned == 0) {
		check_plan(&plan);
		tell(&plan);
	}
	return status == 0 && planned == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	CLEANUP(problems_finish) struct problems problems = {0};
	char path[32];
	int fd = memfd_create("topology", MFD_CLOEXEC);
	HOLDS(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	bool valid = read_and_plan(path, NULL);
	HOLDS(read_and_plan(path, &problems) == valid);
	HOLDS(!valid || problems.count == 0);
	close(fd);
	return 0;
}
