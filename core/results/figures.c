#include "results/figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* A host with one interface: what may be like its neighbours. */
static bool is_leaf(const struct plan_node *node)
{
	return node->node->kind == NODE_HOST && node->interface_count == 1;
}

static const struct plan_end *far_end(
	const struct plan *plan, const struct plan_interface *interface)
{
	return &plan->links[interface->link].ends[!interface->end];
}

static int compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* 0 where a picture of one would be a picture of the other, but for numbers. */
static int compare_leaves(const struct plan *plan, size_t first, size_t second)
{
	const struct plan_node *a = &plan->nodes[first], *b = &plan->nodes[second];
	const struct plan_interface *at_a = &a->interfaces[0], *at_b = &b->interfaces[0];
	int order = compare_sizes(far_end(plan, at_a)->node, far_end(plan, at_b)->node);
	if (!order)
		order = strcmp(plan_shown_name(at_a), plan_shown_name(at_b));
	for (size_t i = 0; !order && i < IP_FAMILIES; i++) {
		enum ip_family family = (enum ip_family)i;
		order = compare_sizes(
			plan_has_address(at_a, family), plan_has_address(at_b, family));
		if (!order)
			order = compare_sizes(at_a->addresses[i].length, at_b->addresses[i].length);
	}
	if (!order)
		order = compare_sizes(
			plan->links[at_a->link].link->mtu, plan->links[at_b->link].link->mtu);
	if (!order)
		order = compare_sizes(at_a->rate, at_b->rate);
	if (!order)
		order = compare_sizes(a->rules != NULL, b->rules != NULL);
	if (!order)
		order = compare_sizes(a->process_count, b->process_count);
	for (size_t i = 0; !order && i < a->process_count; i++)
		order = strcmp(a->processes[i].spec->name, b->processes[i].spec->name);
	return order;
}

static int compare_nodes(const void *a, const void *b, void *argument)
{
	const size_t *first = a, *second = b;
	const struct plan *plan = argument;
	bool first_leaf = is_leaf(&plan->nodes[*first]),
	     second_leaf = is_leaf(&plan->nodes[*second]);
	int order = compare_sizes(first_leaf, second_leaf);
	if (!order && first_leaf)
		order = compare_leaves(plan, *first, *second);
	return order ? order : compare_sizes(*first, *second);
}

/* How many from `at` on are one figure. */
static size_t group_length(const struct plan *plan, const size_t *members, size_t at)
{
	size_t length = 1;
	if (!is_leaf(&plan->nodes[members[at]]))
		return 1;
	while (at + length < plan->node_count && is_leaf(&plan->nodes[members[at + length]]) &&
		compare_leaves(plan, members[at], members[at + length]) == 0)
		length++;
	return length >= FIGURE_GROUP_LEAST ? length : 1;
}

static int compare_figures(const void *a, const void *b)
{
	const struct figure *first = a, *second = b;
	return compare_sizes(first->members[0], second->members[0]);
}

/* How far each node is from where the drawing begins: a host that serves, where there is one. */
static int find_ranks(const struct plan *plan, unsigned *ranks)
{
	CLEANUP(free_pointer) size_t *queue = calloc(plan->node_count + 1, sizeof(*queue));
	CLEANUP(free_pointer) bool *seen = calloc(plan->node_count + 1, sizeof(*seen));
	if (!queue || !seen)
		return -ENOMEM;
	size_t start = 0;
	while (start < plan->node_count &&
		(plan->nodes[start].node->kind != NODE_HOST || !plan->nodes[start].process_count))
		start++;
	/* Then whatever is not connected to it. */
	for (size_t i = 0; i <= plan->node_count; i++) {
		size_t root = i == 0 ? start : i - 1, queued = 1;
		if (root == plan->node_count || seen[root])
			continue;
		queue[0] = root;
		seen[root] = true;
		for (size_t at = 0; at < queued; at++) {
			const struct plan_node *node = &plan->nodes[queue[at]];
			for (size_t j = 0; j < node->interface_count; j++) {
				size_t peer = far_end(plan, &node->interfaces[j])->node;
				if (seen[peer])
					continue;
				seen[peer] = true;
				ranks[peer] = ranks[queue[at]] + 1;
				queue[queued++] = peer;
			}
		}
	}
	return 0;
}

/* The figures in the order of the file, and `figure_of` each node that is the first of one. */
static int make_figures(
	const struct plan *plan, const unsigned *ranks, size_t *figure_of, struct figures *figures)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		figures->members[i] = i;
		figure_of[i] = SIZE_MAX;
	}
	qsort_r(figures->members, plan->node_count, sizeof(size_t), compare_nodes, (void *)plan);
	for (size_t i = 0; i < plan->node_count;) {
		struct figure *figure = array_add(&figures->list, &figures->count);
		if (!figure)
			return -ENOMEM;
		*figure = (struct figure){&figures->members[i],
			group_length(plan, figures->members, i), ranks[figures->members[i]]};
		i += figure->count;
	}
	if (figures->count)
		qsort(figures->list, figures->count, sizeof(*figures->list), compare_figures);
	for (size_t i = 0; i < figures->count; i++)
		figure_of[figures->list[i].members[0]] = i;
	return 0;
}

/* A group's links are one line, that of its first node. */
static int make_lines(const struct plan *plan, const size_t *figure_of, struct figures *figures)
{
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_end *ends = plan->links[i].ends;
		size_t first = figure_of[ends[0].node], second = figure_of[ends[1].node];
		if (first == SIZE_MAX || second == SIZE_MAX)
			continue;
		struct line *line = array_add(&figures->lines, &figures->line_count);
		if (!line)
			return -ENOMEM;
		unsigned swap = figures->list[first].rank > figures->list[second].rank;
		line->figures[swap] = first;
		line->figures[!swap] = second;
		line->ends[swap] = ends[0];
		line->ends[!swap] = ends[1];
	}
	return 0;
}

int figures_make(const struct plan *plan, struct figures *ret_figures, struct error *error)
{
	CLEANUP(figures_finish) struct figures figures = {0};
	CLEANUP(free_pointer) unsigned *ranks = calloc(plan->node_count + 1, sizeof(*ranks));
	CLEANUP(free_pointer) size_t *figure_of = calloc(plan->node_count + 1, sizeof(*figure_of));
	figures.members = calloc(plan->node_count + 1, sizeof(*figures.members));
	if (!ranks || !figure_of || !figures.members || find_ranks(plan, ranks) < 0 ||
		make_figures(plan, ranks, figure_of, &figures) < 0 ||
		make_lines(plan, figure_of, &figures) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	*ret_figures = figures;
	figures = (struct figures){0};
	return 0;
}

void figures_finish(struct figures *figures)
{
	free(figures->list);
	free(figures->lines);
	free(figures->members);
	*figures = (struct figures){0};
}
