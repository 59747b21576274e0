/* Segments with their subnets, and the address of each interface. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "plan/parts.h"

/* Union-find over switches: the root of each stands for its segment. */
static size_t root_of(size_t *parents, size_t at)
{
	while (parents[at] != at)
		at = parents[at] = parents[parents[at]];
	return at;
}

static bool is_switch(const struct plan *plan, size_t node)
{
	return plan->nodes[node].node->kind == NODE_SWITCH;
}

/* 0/8, 127/8 and everything from 224/4 on are no hosts' (RFC 6890). */
static bool is_host_range(struct ipv4 address)
{
	uint32_t first = address.host >> 24;
	return first != 0 && first != 127 && first < 224;
}

static int segment_set_subnet(struct plan *plan, struct plan_segment *segment, struct prefix prefix,
	struct mark mark, struct error *error)
{
	struct prefix subnet = {.address = prefix_network(prefix), .length = prefix.length};
	if (!is_host_range(prefix.address))
		return plan_fail(plan, mark, error,
			"%s is not for hosts: take one of 10.0.0.0/8, for example",
			PREFIX_TEXT(prefix));
	if (segment->has_ipv4 && (!ipv4_equal(segment->ipv4.address, subnet.address) ||
					 segment->ipv4.length != subnet.length))
		return plan_fail(plan, mark, error,
			"%s is not of this segment's subnet %s (line %u)", PREFIX_TEXT(prefix),
			PREFIX_TEXT(segment->ipv4), segment->mark.line);
	if (!segment->has_ipv4)
		*segment = (struct plan_segment){.has_ipv4 = true, .ipv4 = subnet, .mark = mark};
	return 0;
}

/* Give each link its segment's number; parents and numbers are `node_count` long. */
static int segments_number(struct plan *plan, size_t *parents, size_t *numbers, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++)
		parents[i] = i;
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_end *ends = plan->links[i].ends;
		if (!is_switch(plan, ends[0].node) || !is_switch(plan, ends[1].node))
			continue;
		size_t first = root_of(parents, ends[0].node);
		size_t second = root_of(parents, ends[1].node);
		if (first == second)
			return plan_fail(plan, plan->links[i].link->mark, error,
				"'%s' and '%s' are joined already: in a loop of switches frames "
				"circle for ever",
				plan->nodes[ends[0].node].node->name,
				plan->nodes[ends[1].node].node->name);
		parents[first] = second;
	}
	for (size_t i = 0; i < plan->link_count; i++) {
		struct plan_link *link = &plan->links[i];
		size_t *number = NULL;
		for (size_t end = 0; end < 2; end++)
			if (is_switch(plan, link->ends[end].node))
				number = &numbers[root_of(parents, link->ends[end].node)];
		if (!number || *number == 0) {
			if (!array_add(&plan->segments, &plan->segment_count))
				return plan_out_of_memory(error);
			if (number)
				*number = plan->segment_count;
		}
		link->segment = number ? *number - 1 : plan->segment_count - 1;
	}
	return 0;
}

static int segment_compare(const void *a, const void *b)
{
	const struct plan_segment *left = *(const struct plan_segment *const *)a;
	const struct plan_segment *right = *(const struct plan_segment *const *)b;
	if (left->ipv4.address.host != right->ipv4.address.host)
		return left->ipv4.address.host < right->ipv4.address.host ? -1 : 1;
	return left->mark.line < right->mark.line ? -1 : left->mark.line > right->mark.line;
}

/* Two segments with a common address could not be told apart by a route. */
static int segments_check(const struct plan *plan, struct error *error)
{
	CLEANUP(free_pointer)
	const struct plan_segment **sorted = calloc(plan->segment_count + 1, sizeof(*sorted));
	size_t count = 0;
	if (!sorted)
		return plan_out_of_memory(error);
	for (size_t i = 0; i < plan->segment_count; i++)
		if (plan->segments[i].has_ipv4)
			sorted[count++] = &plan->segments[i];
	qsort(sorted, count, sizeof(*sorted), segment_compare);
	for (size_t i = 1; i < count; i++) {
		const struct plan_segment *first = sorted[i - 1], *second = sorted[i];
		if (prefix_broadcast(first->ipv4).host < second->ipv4.address.host)
			continue;
		bool later = first->mark.line > second->mark.line ||
			     (first->mark.line == second->mark.line &&
				     first->mark.column > second->mark.column);
		return plan_fail(plan, later ? first->mark : second->mark, error,
			"the subnets %s and %s overlap (line %u)", PREFIX_TEXT(first->ipv4),
			PREFIX_TEXT(second->ipv4), later ? second->mark.line : first->mark.line);
	}
	return 0;
}

int plan_segments(struct plan *plan, struct error *error)
{
	CLEANUP(free_pointer) size_t *parents = calloc(plan->node_count + 1, sizeof(*parents));
	CLEANUP(free_pointer) size_t *numbers = calloc(plan->node_count + 1, sizeof(*numbers));
	if (!parents || !numbers)
		return plan_out_of_memory(error);
	int status = segments_number(plan, parents, numbers, error);
	for (size_t i = 0; status == 0 && i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		if (!node->has_ipv4)
			continue;
		size_t number = numbers[root_of(parents, i)];
		if (number)
			status = segment_set_subnet(
				plan, &plan->segments[number - 1], node->ipv4, node->mark, error);
	}
	for (size_t i = 0; status == 0 && i < plan->link_count; i++) {
		const struct plan_link *link = &plan->links[i];
		for (size_t end = 0; status == 0 && end < 2; end++) {
			const struct link_end *written = &link->link->ends[end];
			if (written->choice == ADDRESS_GIVEN)
				status = segment_set_subnet(plan, &plan->segments[link->segment],
					written->ipv4, written->mark, error);
		}
	}
	return status < 0 ? status : segments_check(plan, error);
}

/* An address in use, and where it is written. */
struct use {
	struct ipv4 address;
	const char *node;
	struct mark mark;
};

static int use_compare(const void *a, const void *b)
{
	const struct use *left = a, *right = b;
	if (left->address.host != right->address.host)
		return left->address.host < right->address.host ? -1 : 1;
	return left->mark.line < right->mark.line ? -1 : left->mark.line > right->mark.line;
}

static int address_written(struct plan *plan, struct plan_node *node,
	struct plan_interface *interface, struct error *error)
{
	const struct link_end *written = plan_written_end(plan, interface);
	struct prefix prefix = written->ipv4;
	if (prefix.length < 31 && (ipv4_equal(prefix.address, prefix_network(prefix)) ||
					  ipv4_equal(prefix.address, prefix_broadcast(prefix))))
		return plan_fail(plan, written->mark, error,
			"%s is the %s address of its subnet: '%s' cannot have it",
			PREFIX_TEXT(prefix),
			ipv4_equal(prefix.address, prefix_network(prefix)) ? "network"
									   : "broadcast",
			node->node->name);
	interface->has_ipv4 = true;
	interface->ipv4 = prefix;
	return 0;
}

static int addresses_written(
	struct plan *plan, struct use **uses, size_t *use_count, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			struct plan_interface *interface = &node->interfaces[j];
			const struct link_end *written = plan_written_end(plan, interface);
			if (written->choice != ADDRESS_GIVEN)
				continue;
			int status = address_written(plan, node, interface, error);
			if (status < 0)
				return status;
			struct use *use = array_add(uses, use_count);
			if (!use)
				return plan_out_of_memory(error);
			*use = (struct use){written->ipv4.address, node->node->name, written->mark};
		}
	}
	if (*use_count)
		qsort(*uses, *use_count, sizeof(**uses), use_compare);
	for (size_t i = 1; i < *use_count; i++) {
		const struct use *first = &(*uses)[i - 1], *second = &(*uses)[i];
		if (ipv4_equal(first->address, second->address))
			return plan_fail(plan, second->mark, error,
				"'%s' and '%s' have the same address %s (line %u)", second->node,
				first->node, IPV4_TEXT(second->address), first->mark.line);
	}
	return 0;
}

/* The lowest address above `last` of the subnet that is not in use; none (0) when it is full. */
static struct ipv4 address_next(
	struct prefix subnet, struct ipv4 last, const struct use *uses, size_t use_count)
{
	struct ipv4 end = prefix_broadcast(subnet);
	struct use wanted = {.address = {(last.host ? last.host : subnet.address.host) + 1}};
	for (; wanted.address.host < end.host; wanted.address.host++) {
		bool used = false;
		size_t low = 0, high = use_count;
		while (low < high && !used) {
			size_t middle = (low + high) / 2;
			used = ipv4_equal(uses[middle].address, wanted.address);
			if (uses[middle].address.host < wanted.address.host)
				low = middle + 1;
			else
				high = middle;
		}
		if (!used)
			return wanted.address;
	}
	return (struct ipv4){0};
}

static int addresses_choose(struct plan *plan, enum node_kind kind, struct ipv4 *lasts,
	const struct use *uses, size_t use_count, struct error *error)
{
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_link *link = &plan->links[i];
		const struct plan_segment *segment = &plan->segments[link->segment];
		for (size_t end = 0; end < 2; end++) {
			struct plan_node *node = &plan->nodes[link->ends[end].node];
			const struct link_end *written = &link->link->ends[end];
			if (node->node->kind != kind || written->choice != ADDRESS_AUTOMATIC)
				continue;
			if (!segment->has_ipv4)
				return plan_fail(plan, written->mark, error,
					"'%s' finds no subnet here: give its switch an ipv4, write "
					"the link's "
					"addresses, or write `ipv4: none`",
					link->name);
			struct ipv4 address =
				address_next(segment->ipv4, lasts[link->segment], uses, use_count);
			if (ipv4_is_none(address))
				return plan_fail(plan, written->mark, error,
					"%s has no address left for '%s'",
					PREFIX_TEXT(segment->ipv4), node->node->name);
			struct plan_interface *interface =
				&node->interfaces[link->ends[end].interface];
			interface->has_ipv4 = true;
			interface->ipv4 = (struct prefix){address, segment->ipv4.length};
			lasts[link->segment] = address;
		}
	}
	return 0;
}

int plan_addresses(struct plan *plan, struct error *error)
{
	CLEANUP(free_pointer) struct use *uses = NULL;
	size_t use_count = 0;
	int status = addresses_written(plan, &uses, &use_count, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) struct ipv4 *lasts = calloc(plan->segment_count + 1, sizeof(*lasts));
	if (!lasts)
		return plan_out_of_memory(error);
	status = addresses_choose(plan, NODE_ROUTER, lasts, uses, use_count, error);
	if (status == 0)
		status = addresses_choose(plan, NODE_HOST, lasts, uses, use_count, error);
	return status;
}
