/* Segments: what frames reach without a router, and the subnets written for them. */
#include <errno.h>
#include <stdlib.h>

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

static int segment_set_subnet(struct plan *plan, struct plan_segment *segment,
	struct ip_prefix prefix, struct mark mark, struct error *error)
{
	enum ip_family family = prefix.address.family;
	struct ip_prefix subnet = ip_prefix_network(prefix);
	static const char *const examples[] = {"10.0.0.0/8", "2001:db8::/32"};
	bool is_first = !plan_has_subnet(segment, family);
	if (is_first) {
		segment->subnets[family] = subnet;
		segment->marks[family] = mark;
	}
	if (!ip_is_hosts(prefix.address) || !ip_is_hosts(subnet.address))
		return plan_fail(plan, mark, error,
			"%s is not for hosts: take one of %s, for example", IP_PREFIX_TEXT(prefix),
			examples[family]);
	if (!is_first && !ip_prefix_same(segment->subnets[family], subnet))
		return plan_fail(plan, mark, error,
			"%s is not of this segment's subnet %s (line %u)", IP_PREFIX_TEXT(prefix),
			IP_PREFIX_TEXT(segment->subnets[family]), segment->marks[family].line);
	return 0;
}

/* Join the switches that links join; `parents` is node_count long. */
static int switches_join(struct plan *plan, size_t *parents, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < plan->node_count; i++)
		parents[i] = i;
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_end *ends = plan->links[i].ends;
		if (!is_switch(plan, ends[0].node) || !is_switch(plan, ends[1].node))
			continue;
		size_t first = root_of(parents, ends[0].node);
		size_t second = root_of(parents, ends[1].node);
		parents[first] = second;
		if (first != second)
			continue;
		int status = plan_fail(plan, plan->links[i].link->mark, error,
			"'%s' and '%s' are joined already: in a loop of switches frames circle for "
			"ever",
			plan->nodes[ends[0].node].node->name, plan->nodes[ends[1].node].node->name);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

/* Give each link its segment's number; `numbers` are those of the roots, one more, 0: none yet. */
static int segments_number(struct plan *plan, size_t *parents, size_t *numbers, struct error *error)
{
	for (size_t i = 0; i < plan->link_count; i++) {
		struct plan_link *link = &plan->links[i];
		size_t *number = NULL;
		for (size_t end = 0; end < 2; end++)
			if (is_switch(plan, link->ends[end].node))
				number = &numbers[root_of(parents, link->ends[end].node)];
		if (!number || *number == 0) {
			struct plan_segment *segment =
				array_add(&plan->segments, &plan->segment_count);
			if (!segment)
				return plan_out_of_memory(error);
			segment->has_switch = number != NULL;
			if (number)
				*number = plan->segment_count;
		}
		link->segment = number ? *number - 1 : plan->segment_count - 1;
	}
	return 0;
}

/* Where subnets are written: at the switch, at the link, with an address; in this order. */
static int subnets_of_switches(
	struct plan *plan, size_t *parents, const size_t *numbers, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < 2 * plan->node_count; i++) {
		const struct node *node = plan->nodes[i / 2].node;
		struct ip_prefix subnet = node->subnets[i % 2];
		if (node->kind != NODE_SWITCH)
			continue;
		size_t number = numbers[root_of(parents, i / 2)];
		if (number) {
			plan->segments[number - 1].faulty |= node->faulty;
			plan->segments[number - 1].unnumbered[i % 2] |= node->unnumbered[i % 2];
		}
		if (ip_is_none(subnet.address))
			continue;
		int status = number ? segment_set_subnet(plan, &plan->segments[number - 1], subnet,
					      node->mark, error)
				    : 0;
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

static int link_subnets(
	struct plan *plan, const struct plan_link *link, enum ip_family family, struct error *error)
{
	struct plan_segment *segment = &plan->segments[link->segment];
	int result = 0, status = 0;
	if (!ip_is_none(link->link->subnets[family].address))
		status = segment_set_subnet(
			plan, segment, link->link->subnets[family], link->link->mark, error);
	for (size_t end = 0; plan_goes_on(plan, status, &result) && end < 2; end++) {
		const struct link_end *written = &link->link->ends[end];
		status = 0;
		if (written->choices[family] == ADDRESS_GIVEN)
			status = segment_set_subnet(
				plan, segment, written->addresses[family], written->mark, error);
	}
	return result;
}

int plan_segments(struct plan *plan, struct error *error)
{
	CLEANUP(free_pointer) size_t *parents = calloc(plan->node_count + 1, sizeof(*parents));
	CLEANUP(free_pointer) size_t *numbers = calloc(plan->node_count + 1, sizeof(*numbers));
	if (!parents || !numbers)
		return plan_out_of_memory(error);
	int result = 0;
	if (!plan_goes_on(plan, switches_join(plan, parents, error), &result) ||
		!plan_goes_on(plan, segments_number(plan, parents, numbers, error), &result) ||
		!plan_goes_on(plan, subnets_of_switches(plan, parents, numbers, error), &result))
		return result;
	for (size_t i = 0; i < IP_FAMILIES * plan->link_count; i++) {
		int status = link_subnets(plan, &plan->links[i / 2], i % 2, error);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

static int segment_compare(
	const struct plan_segment *left, const struct plan_segment *right, enum ip_family family)
{
	ip_number a = left->subnets[family].address.number;
	ip_number b = right->subnets[family].address.number;
	if (a != b)
		return a < b ? -1 : 1;
	return mark_compare(left->marks[family], right->marks[family]);
}

static int segment_compare_ipv4(const void *a, const void *b)
{
	return segment_compare(*(const struct plan_segment *const *)a,
		*(const struct plan_segment *const *)b, IPV4);
}

static int segment_compare_ipv6(const void *a, const void *b)
{
	return segment_compare(*(const struct plan_segment *const *)a,
		*(const struct plan_segment *const *)b, IPV6);
}

int plan_sort_subnets(const struct plan *plan, enum ip_family family,
	const struct plan_segment ***ret_sorted, size_t *ret_count, struct error *error)
{
	const struct plan_segment **sorted = calloc(plan->segment_count + 1, sizeof(*sorted));
	size_t count = 0;
	if (!sorted)
		return plan_out_of_memory(error);
	for (size_t i = 0; i < plan->segment_count; i++)
		if (plan_has_subnet(&plan->segments[i], family))
			sorted[count++] = &plan->segments[i];
	qsort(sorted, count, sizeof(*sorted),
		family == IPV4 ? segment_compare_ipv4 : segment_compare_ipv6);
	*ret_sorted = sorted;
	*ret_count = count;
	return 0;
}

/* Two segments with a common address could not be told apart by a route. */
static int check_family(const struct plan *plan, enum ip_family family, struct error *error)
{
	CLEANUP(free_pointer) const struct plan_segment **sorted = NULL;
	size_t count;
	int result = plan_sort_subnets(plan, family, &sorted, &count, error);
	for (size_t i = 1; result != -ENOMEM && i < count; i++) {
		struct ip_prefix first = sorted[i - 1]->subnets[family],
				 second = sorted[i]->subnets[family];
		if (!ip_prefix_contains(first, second.address))
			continue;
		struct mark one = sorted[i - 1]->marks[family], other = sorted[i]->marks[family];
		bool later = mark_compare(one, other) > 0;
		int status = plan_fail(plan, later ? one : other, error,
			"the subnets %s and %s overlap (line %u)", IP_PREFIX_TEXT(first),
			IP_PREFIX_TEXT(second), later ? other.line : one.line);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

int plan_check_subnets(struct plan *plan, struct error *error)
{
	int result = 0;
	if (plan_goes_on(plan, check_family(plan, IPV4, error), &result))
		plan_goes_on(plan, check_family(plan, IPV6, error), &result);
	return result;
}
