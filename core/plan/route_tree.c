#include "plan/route_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/parts.h"

void route_tree_finish(struct route_tree *tree)
{
	free(tree->joints);
	free(tree->hops);
	free(tree->widest);
}

static struct ip_prefix subnet_of(const struct route_search *search, size_t subnet)
{
	return search->subnets[subnet]->subnets[search->family];
}

/* How long the smallest prefix around both is. */
static unsigned common_length(struct ip_prefix a, struct ip_prefix b)
{
	unsigned length = a.length < b.length ? a.length : b.length;
	struct ip_prefix common = {a.address, length};
	while (common.length && !ip_prefix_contains(common, b.address))
		common.length--;
	return common.length;
}

/* A tree that is being built from left to right: parts that wait for their right neighbours. */
struct building {
	const struct route_search *search;
	struct route_tree *tree;
	size_t *parts, part_count;
	unsigned *lengths; /* of the prefix around a part and the next one */
	size_t joint_count;
};

static void child_span(const struct building *building, size_t child, struct route_joint *ret_span)
{
	if (child >= building->tree->count) {
		*ret_span = building->tree->joints[child - building->tree->count];
		return;
	}
	*ret_span = (struct route_joint){.whole = subnet_of(building->search, child),
		.first = child,
		.last = child,
		.full = true};
}

/* Join the last two parts. */
static void building_join(struct building *building)
{
	struct route_joint left, right;
	size_t *parts = &building->parts[building->part_count - 2];
	unsigned length = building->lengths[building->part_count - 2];
	child_span(building, parts[0], &left);
	child_span(building, parts[1], &right);
	struct ip_prefix whole = ip_prefix_network((struct ip_prefix){left.whole.address, length});
	building->tree->joints[building->joint_count] = (struct route_joint){.whole = whole,
		.children = {parts[0], parts[1]},
		.first = left.first,
		.last = right.last,
		.full = left.full && right.full && left.whole.length == length + 1 &&
			right.whole.length == length + 1};
	parts[0] = building->tree->count + building->joint_count++;
	building->part_count--;
}

/* The smallest common prefixes of neighbours make a tree: those that are longest are joined first. */
static void building_run(struct building *building)
{
	for (size_t i = 0; i < building->tree->count; i++) {
		unsigned length = i ? common_length(subnet_of(building->search, i - 1),
					      subnet_of(building->search, i))
				    : 0;
		while (building->part_count > 1 &&
			building->lengths[building->part_count - 2] >= length)
			building_join(building);
		if (i)
			building->lengths[building->part_count - 1] = length;
		building->parts[building->part_count++] = i;
	}
	while (building->part_count > 1)
		building_join(building);
}

/* Whether joining leaves a written route to `written` what it is for. */
static bool spares(const struct route_joint *joint, struct ip_prefix written)
{
	bool inside = written.length >= joint->whole.length &&
		      ip_prefix_contains(joint->whole, written.address);
	bool around = written.length < joint->whole.length &&
		      ip_prefix_contains(written, joint->whole.address);
	return !inside && (!around || joint->full);
}

static void tree_spare(struct route_tree *tree, struct ip_prefix written)
{
	for (size_t i = 0; i + 1 < tree->count; i++)
		tree->joints[i].joins = tree->joints[i].joins && spares(&tree->joints[i], written);
}

/* Written routes of routers; those of hosts have no packets of others to lead astray. */
static void tree_spare_written(
	const struct plan *plan, enum ip_family family, struct route_tree *tree)
{
	for (size_t i = 0; i + 1 < tree->count; i++)
		tree->joints[i].joins = true;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		for (size_t j = 0; plan->nodes[i].forwarding && j < node->route_count; j++) {
			struct ip_prefix written = node->routes[j].destination;
			if (node->routes[j].is_default)
				written = (struct ip_prefix){{0, family}, 0};
			if (written.address.family == family)
				tree_spare(tree, written);
		}
	}
}

int route_tree_begin(const struct plan *plan, const struct route_search *search,
	struct route_tree *ret_tree, struct error *error)
{
	size_t count = search->count;
	CLEANUP(free_pointer) size_t *parts = calloc(count + 1, sizeof(*parts));
	CLEANUP(free_pointer) unsigned *lengths = calloc(count + 1, sizeof(*lengths));
	*ret_tree = (struct route_tree){.count = count,
		.joints = calloc(count + 1, sizeof(*ret_tree->joints)),
		.hops = calloc(2 * count + 1, sizeof(*ret_tree->hops)),
		.widest = calloc(count + 1, sizeof(*ret_tree->widest))};
	if (!parts || !lengths || !ret_tree->joints || !ret_tree->hops || !ret_tree->widest)
		return plan_out_of_memory(error);
	struct building building = {
		.search = search, .tree = ret_tree, .parts = parts, .lengths = lengths};
	building_run(&building);
	tree_spare_written(plan, search->family, ret_tree);
	return 0;
}

/* From what leads to each subnet: what leads to each joint, 0 where not everything in it has one. */
static void tree_mark(struct route_tree *tree, const struct route_search *search)
{
	memcpy(tree->hops, search->hops, tree->count * sizeof(*tree->hops));
	memset(tree->widest, 0, tree->count * sizeof(*tree->widest));
	for (size_t i = 0; i + 1 < tree->count; i++) {
		const struct route_joint *joint = &tree->joints[i];
		unsigned hop = tree->hops[joint->children[0]];
		if (!joint->joins || hop != tree->hops[joint->children[1]])
			hop = 0;
		tree->hops[tree->count + i] = hop;
		if (hop)
			tree->widest[joint->first] = i + 1;
	}
}

int route_tree_routes(struct route_tree *tree, const struct route_search *search,
	struct plan_node *node, struct error *error)
{
	int status = 0;
	tree_mark(tree, search);
	for (size_t i = 0; status == 0 && i < tree->count; i++) {
		struct ip gateway = search->first_hops[tree->hops[i]];
		struct ip_prefix destination = subnet_of(search, i);
		if (!tree->hops[i])
			continue;
		if (tree->widest[i]) {
			const struct route_joint *joint = &tree->joints[tree->widest[i] - 1];
			destination = joint->whole;
			i = joint->last;
		}
		status = plan_add_route(node, destination, gateway, error);
	}
	return status;
}
