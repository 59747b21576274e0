/* The addresses of each interface: as written, else the lowest free ones of its segment's subnets. */
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "plan/parts.h"

/* An address in use, and where it is written. */
struct use {
	struct ip address;
	const char *node;
	struct mark mark;
};

/* Those of one family, by address. */
struct uses {
	struct use *list;
	size_t count;
};

static void uses_finish(struct uses *uses)
{
	free(uses->list);
}

static int use_compare(const void *a, const void *b)
{
	const struct use *left = a, *right = b;
	if (left->address.number != right->address.number)
		return left->address.number < right->address.number ? -1 : 1;
	return mark_compare(left->mark, right->mark);
}

/* Of a subnet with more than two addresses the first and, of IPv4, the last are no host's. */
static const char *address_reserved(struct ip_prefix prefix)
{
	if (ip_prefix_span(prefix) < 3)
		return NULL;
	if (ip_equal(prefix.address, ip_prefix_first(prefix)))
		return prefix.address.family == IPV4 ? "network" : "subnet-router anycast";
	bool last = ip_equal(prefix.address, ip_prefix_last(prefix));
	return last && prefix.address.family == IPV4 ? "broadcast" : NULL;
}

static int address_written(struct plan *plan, const struct plan_node *node,
	struct plan_interface *interface, enum ip_family family, struct error *error)
{
	const struct link_end *written = plan_written_end(plan, interface);
	struct ip_prefix prefix = written->addresses[family];
	const char *reserved = address_reserved(prefix);
	if (reserved)
		return plan_fail(plan, written->mark, error,
			"%s is the %s address of its subnet: '%s' cannot have it",
			IP_PREFIX_TEXT(prefix), reserved, node->node->name);
	interface->addresses[family] = prefix;
	return 0;
}

static int uses_check(const struct plan *plan, const struct uses *uses, struct error *error)
{
	int result = 0;
	for (size_t i = 1; i < uses->count; i++) {
		const struct use *first = &uses->list[i - 1], *second = &uses->list[i];
		if (!ip_equal(first->address, second->address))
			continue;
		int status = plan_fail(plan, second->mark, error,
			"'%s' and '%s' have the same address %s (line %u)", second->node,
			first->node, IP_TEXT(second->address), first->mark.line);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

static int addresses_written(
	struct plan *plan, enum ip_family family, struct uses *uses, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			struct plan_interface *interface = &node->interfaces[j];
			const struct link_end *written = plan_written_end(plan, interface);
			if (written->choices[family] != ADDRESS_GIVEN)
				continue;
			struct use *use = array_add(&uses->list, &uses->count);
			if (!use)
				return plan_out_of_memory(error);
			*use = (struct use){written->addresses[family].address, node->node->name,
				written->mark};
			int status = address_written(plan, node, interface, family, error);
			if (!plan_goes_on(plan, status, &result))
				return result;
		}
	}
	if (uses->count)
		qsort(uses->list, uses->count, sizeof(*uses->list), use_compare);
	plan_goes_on(plan, uses_check(plan, uses, error), &result);
	return result;
}

static bool is_used(const struct uses *uses, struct ip address)
{
	size_t low = 0, high = uses->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (uses->list[middle].address.number == address.number)
			return true;
		if (uses->list[middle].address.number < address.number)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The lowest free address above `last` (none: from the subnet's beginning); none: it is full. */
static struct ip address_next(struct ip_prefix subnet, struct ip last, const struct uses *uses)
{
	struct ip_prefix wanted = subnet;
	struct ip end = ip_prefix_last(subnet);
	if (!ip_is_none(last))
		wanted.address = last;
	bool more = ip_is_none(last) || !ip_equal(last, end);
	wanted.address.number += !ip_is_none(last);
	for (; more; wanted.address.number++) {
		if (!address_reserved(wanted) && !is_used(uses, wanted.address))
			return wanted.address;
		more = !ip_equal(wanted.address, end);
	}
	return (struct ip){0};
}

bool plan_wants_address(
	const struct plan *plan, const struct plan_link *link, size_t end, enum ip_family family)
{
	const struct node *node = plan->nodes[link->ends[end].node].node;
	bool unnumbered =
		node->unnumbered[family] || plan->segments[link->segment].unnumbered[family];
	/* What a link says of itself comes before what is said of all links of a node. */
	return node->kind != NODE_SWITCH &&
	       link->link->ends[end].choices[family] == ADDRESS_AUTOMATIC &&
	       (!unnumbered || !ip_is_none(link->link->subnets[family].address));
}

/* An end of which nothing is said, and nothing can be had: its segment has no subnet. */
static bool finds_nothing(const struct plan *plan, const struct plan_link *link, size_t end)
{
	for (size_t i = 0; i < IP_FAMILIES; i++)
		if (!plan_wants_address(plan, link, end, (enum ip_family)i) ||
			plan_has_subnet(&plan->segments[link->segment], (enum ip_family)i))
			return false;
	return true;
}

static int address_choose(struct plan *plan, const struct plan_link *link, size_t end,
	struct ip *last, const struct uses *uses, enum ip_family family, struct error *error)
{
	const struct plan_segment *segment = &plan->segments[link->segment];
	struct plan_node *node = &plan->nodes[link->ends[end].node];
	const struct link_end *written = &link->link->ends[end];
	bool missing = segment->faulty || (plan->topology->missing & MISSING_POOLS);
	if (family == IPV4 && !missing && finds_nothing(plan, link, end))
		return plan_fail(plan, written->mark, error,
			"'%s:%s' finds no subnet here: give its switch, the link or the topology "
			"an ipv4 or ipv6, write the link's addresses, or write `ipv4: none`",
			node->node->name,
			plan_shown_name(&node->interfaces[link->ends[end].interface]));
	if (!plan_has_subnet(segment, family))
		return 0;
	struct ip_prefix subnet = segment->subnets[family];
	struct ip address = address_next(subnet, *last, uses);
	if (ip_is_none(address))
		return plan_fail(plan, written->mark, error, "%s has no address left for '%s'",
			IP_PREFIX_TEXT(subnet), node->node->name);
	node->interfaces[link->ends[end].interface].addresses[family] =
		(struct ip_prefix){address, subnet.length};
	*last = address;
	return 0;
}

/* Number the automatic ends of all nodes of a kind; `lasts` are the last ones given, by segment. */
static int addresses_choose(struct plan *plan, enum node_kind kind, struct ip *lasts,
	const struct uses *uses, enum ip_family family, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < 2 * plan->link_count; i++) {
		const struct plan_link *link = &plan->links[i / 2];
		size_t end = i % 2;
		if (plan->nodes[link->ends[end].node].node->kind != kind ||
			!plan_wants_address(plan, link, end, family))
			continue;
		int status =
			address_choose(plan, link, end, &lasts[link->segment], uses, family, error);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

static int addresses_of_family(struct plan *plan, enum ip_family family, struct error *error)
{
	CLEANUP(uses_finish) struct uses uses = {0};
	CLEANUP(free_pointer) struct ip *lasts = calloc(plan->segment_count + 1, sizeof(*lasts));
	if (!lasts)
		return plan_out_of_memory(error);
	int result = addresses_written(plan, family, &uses, error);
	if (!plan_goes_on(plan, result, &result) ||
		!plan_goes_on(plan,
			addresses_choose(plan, NODE_ROUTER, lasts, &uses, family, error), &result))
		return result;
	plan_goes_on(plan, addresses_choose(plan, NODE_HOST, lasts, &uses, family, error), &result);
	return result;
}

int plan_addresses(struct plan *plan, struct error *error)
{
	int result = 0;
	for (size_t family = 0; family < IP_FAMILIES; family++) {
		int status = addresses_of_family(plan, (enum ip_family)family, error);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	for (size_t i = 0; i < plan->node_count; i++)
		for (size_t j = 0; j < plan->nodes[i].interface_count; j++)
			plan->nodes[i].has_ipv6 |=
				plan_has_address(&plan->nodes[i].interfaces[j], IPV6);
	return result;
}
