#include "plan/route_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/parts.h"

void route_search_finish(struct route_search *search)
{
	free(search->subnets);
	free(search->hops);
	free(search->first_hops);
	free(search->found);
	free(search->own_starts);
	free(search->own);
	free(search->gateway_starts);
	free(search->gateways);
	free(search->node_hops);
	free(search->node_seen);
	free(search->subnet_seen);
	free(search->queue);
}

/* Turn how many each has, in starts[i + 1], into where its part of the list begins. */
static void starts_sum(size_t *starts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		starts[i + 1] += starts[i];
}

/* How many interfaces with an address of the family each node has, and routers each subnet. */
static void count_ports(
	const struct plan *plan, const size_t *subnet_of, struct route_search *search)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			if (!plan_has_address(interface, search->family))
				continue;
			search->own_starts[i + 1]++;
			search->gateway_starts[subnet_of[plan->links[interface->link].segment] +
					       1] += node->forwarding;
		}
	}
	starts_sum(search->own_starts, plan->node_count);
	starts_sum(search->gateway_starts, search->count);
}

/* `filled`: by subnet, how many of its gateways are there. */
static void fill_ports(const struct plan *plan, const size_t *subnet_of,
	struct route_search *search, size_t *filled)
{
	size_t at = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			if (!plan_has_address(interface, search->family))
				continue;
			size_t subnet = subnet_of[plan->links[interface->link].segment];
			search->own[at++] = subnet;
			if (node->forwarding)
				search->gateways[search->gateway_starts[subnet] +
						 filled[subnet]++] = (struct route_gateway){
					i, interface->addresses[search->family].address};
		}
	}
}

/* The arrays whose lengths are known from the plan alone. */
static int search_allocate(
	const struct plan *plan, struct route_search *search, struct error *error)
{
	size_t nodes = plan->node_count + 2, subnets = search->count + 2;
	search->hops = calloc(subnets, sizeof(*search->hops));
	search->first_hops = calloc(nodes, sizeof(*search->first_hops));
	search->found = calloc(subnets, sizeof(*search->found));
	search->own_starts = calloc(nodes, sizeof(*search->own_starts));
	search->gateway_starts = calloc(subnets, sizeof(*search->gateway_starts));
	search->node_hops = calloc(nodes, sizeof(*search->node_hops));
	search->node_seen = calloc(nodes, sizeof(*search->node_seen));
	search->subnet_seen = calloc(subnets, sizeof(*search->subnet_seen));
	search->queue = calloc(nodes, sizeof(*search->queue));
	return search->hops && search->first_hops && search->found && search->own_starts &&
			       search->gateway_starts && search->node_hops && search->node_seen &&
			       search->subnet_seen && search->queue
		       ? 0
		       : plan_out_of_memory(error);
}

int route_search_begin(const struct plan *plan, enum ip_family family,
	struct route_search *ret_search, struct error *error)
{
	CLEANUP(free_pointer)
	size_t *subnet_of = calloc(plan->segment_count + 1, sizeof(*subnet_of));
	struct route_search *search = ret_search;
	*search = (struct route_search){.family = family};
	int status = plan_sort_subnets(plan, family, &search->subnets, &search->count, error);
	if (status == 0)
		status = search_allocate(plan, search, error);
	if (status < 0)
		return status;
	if (!subnet_of)
		return plan_out_of_memory(error);
	for (size_t i = 0; i < search->count; i++)
		subnet_of[search->subnets[i] - plan->segments] = i;
	count_ports(plan, subnet_of, search);
	search->own = calloc(search->own_starts[plan->node_count] + 1, sizeof(*search->own));
	search->gateways =
		calloc(search->gateway_starts[search->count] + 1, sizeof(*search->gateways));
	if (!search->own || !search->gateways)
		return plan_out_of_memory(error);
	fill_ports(plan, subnet_of, search, search->found); /* which is not used yet */
	return 0;
}

/* Reach the subnets of the node at `at`, by the hop that leads to it, and the routers in them. */
static size_t search_expand(struct route_search *search, size_t origin, size_t at, size_t queued)
{
	unsigned hop = search->node_hops[at];
	for (size_t i = search->own_starts[at]; i < search->own_starts[at + 1]; i++) {
		size_t subnet = search->own[i];
		if (search->subnet_seen[subnet] == origin + 1)
			continue;
		search->subnet_seen[subnet] = origin + 1;
		if (at != origin) {
			search->hops[subnet] = hop;
			search->found[search->found_count++] = subnet;
		}
		for (size_t j = search->gateway_starts[subnet];
			j < search->gateway_starts[subnet + 1]; j++) {
			const struct route_gateway *next = &search->gateways[j];
			if (search->node_seen[next->node] == origin + 1)
				continue;
			search->node_seen[next->node] = origin + 1;
			/* A router next to the origin is a first hop, with its place in the queue
			   as number. */
			if (at == origin)
				search->first_hops[queued] = next->address;
			search->node_hops[next->node] = at == origin ? (unsigned)queued : hop;
			search->queue[queued++] = next->node;
		}
	}
	return queued;
}

void route_search_from(struct route_search *search, size_t origin)
{
	size_t queued = 1;
	memset(search->hops, 0, search->count * sizeof(*search->hops));
	search->found_count = 0;
	search->queue[0] = origin;
	search->node_seen[origin] = origin + 1;
	/* Own subnets first, all of them: they need no route, whoever else is in them. */
	for (size_t i = 0; i < queued; i++)
		queued = search_expand(search, origin, search->queue[i], queued);
}

void route_search_clear(struct route_search *search)
{
	search->found_count = 0;
}

static int subnet_compare(const void *key, const void *element)
{
	const struct ip *address = key;
	const struct plan_segment *segment = *(const struct plan_segment *const *)element;
	ip_number first = segment->subnets[address->family].address.number;
	return address->number < first ? -1 : address->number > first;
}

bool route_search_leave_out(struct route_search *search, struct ip_prefix subnet)
{
	struct ip first = ip_prefix_first(subnet);
	if (!search->found_count || subnet.address.family != search->family)
		return false;
	const struct plan_segment **at = bsearch(
		&first, search->subnets, search->count, sizeof(*search->subnets), subnet_compare);
	if (!at || !ip_prefix_same((*at)->subnets[search->family], subnet) ||
		!search->hops[at - search->subnets])
		return false;
	search->hops[at - search->subnets] = 0;
	return true;
}
