/*
 * A graph as a network: nodes are routers, edges links. A node that stands for a hyperedge, which joins
 * more than two, is a switch.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "exchange/graphml.h"
#include "exchange/import.h"
#include "exchange/names.h"
#include "plan/plan.h"
#include "topology/rate.h"

/* Texts with `between` between two; those that are not there are left out. */
static char *join(const char *const *parts, size_t count, const char *between)
{
	struct text text = {0};
	for (size_t i = 0; i < count; i++)
		if (parts[i] && *parts[i])
			text_append(&text, "%s%s", text.length ? between : "", parts[i]);
	return text_take(&text);
}

static bool is_hub(const struct graphml_item *node)
{
	const char *value = node->values[NODE_HYPEREDGE];
	return value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

/* What the Zoo's drawings call a node that has no label. */
static const char *label_of(const struct graphml_item *node)
{
	const char *label = node->values[NODE_LABEL];
	return label && strcmp(label, "None") != 0 ? label : "";
}

static int graph_heading(const struct graphml *graph, const char *path, struct network *network)
{
	char *const *values = graph->itself.values;
	const char *name = values[GRAPH_NETWORK] ? values[GRAPH_NETWORK] : values[GRAPH_LABEL];
	const char *title[] = {name, values[GRAPH_LOCATION], values[GRAPH_DATE]};
	CLEANUP(free_pointer) char *fallback = import_name(path);
	network->name = fallback ? name_fit(name ? name : "", fallback, true) : NULL;
	network->title = join(title, ARRAY_LENGTH(title), ", ");
	network->heading =
		values[GRAPH_SOURCE] ? text_format("Source: %s", values[GRAPH_SOURCE]) : strdup("");
	return network->name && network->title && network->heading ? 0 : -ENOMEM;
}

static char *node_comment(const struct graphml_item *node, const char *name)
{
	char *const *values = node->values;
	const char *label = label_of(node);
	const char *where[] = {values[NODE_LATITUDE], values[NODE_LONGITUDE]};
	CLEANUP(free_pointer) char *coordinates = join(where, 2, " ");
	const char *internal = values[NODE_INTERNAL];
	const char *parts[] = {strcmp(label, name) == 0 ? NULL : label, values[NODE_COUNTRY],
		coordinates, values[NODE_TYPE],
		internal && strcmp(internal, "0") == 0 ? "of another network" : NULL};
	return coordinates ? join(parts, ARRAY_LENGTH(parts), ", ") : NULL;
}

/* Bits a second as the file says them; 0: it does not, or in words. */
static double edge_speed(const struct graphml_item *edge)
{
	static const char units[] = "KMGT";
	const char *raw = edge->values[EDGE_SPEED_RAW], *speed = edge->values[EDGE_SPEED],
		   *unit = edge->values[EDGE_SPEED_UNITS];
	char *end;
	double bits = raw ? strtod(raw, &end) : 0;
	if (raw && *end == '\0' && isfinite(bits))
		return bits;
	const char *found = unit && *unit ? strchr(units, *unit) : NULL;
	bits = speed && found ? strtod(speed, &end) : 0;
	if (!speed || !found || *end != '\0' || !isfinite(bits))
		return 0;
	for (const char *at = units; at <= found; at++)
		bits *= 1000;
	return bits;
}

static void edge_rate(
	const struct graphml_item *edge, struct network *network, struct network_link *link)
{
	double bits = edge_speed(edge);
	if (bits >= (double)RATE_LEAST && bits <= (double)RATE_MOST)
		link->ends[0].rate = link->ends[1].rate = (uint64_t)bits;
	else if (bits > (double)RATE_MOST)
		network_note(network, edge->line, "over 16gbit, the most that `rate` can be",
			"the speed of links");
	else if (bits > 0 || edge->values[EDGE_SPEED])
		network_note(network, edge->line, "it is in no unit that `rate` has",
			"the speed of links");
}

static char *edge_comment(const struct graphml_item *edge, bool rate)
{
	char *const *values = edge->values;
	const char *label = values[EDGE_LABEL], *type = values[EDGE_TYPE];
	const char *parts[] = {label, label && type && strstr(label, type) ? NULL : type,
		label ? NULL : values[EDGE_NOTE], rate ? NULL : values[EDGE_SPEED],
		rate || !values[EDGE_SPEED] ? NULL : values[EDGE_SPEED_UNITS]};
	return join(parts, ARRAY_LENGTH(parts), " ");
}

/* An edge of a directed graph; both ways of one pair are one cable. */
struct way {
	size_t low, high;
	bool back; /* from high to low */
	size_t edge;
};

static int way_compare(const void *a, const void *b)
{
	const struct way *left = a, *right = b;
	if (left->low != right->low)
		return left->low < right->low ? -1 : 1;
	if (left->high != right->high)
		return left->high < right->high ? -1 : 1;
	if (left->back != right->back)
		return left->back ? 1 : -1;
	return left->edge < right->edge ? -1 : left->edge > right->edge;
}

/* Of `count` ways of one pair those back that have one there to go with. */
static void join_ways(const struct way *ways, size_t count, bool *left_out)
{
	size_t forth = 0;
	while (forth < count && !ways[forth].back)
		forth++;
	for (size_t i = forth; i < count && i < 2 * forth; i++)
		left_out[ways[i].edge] = true;
}

static int both_ways(const struct graphml *graph, bool *left_out)
{
	CLEANUP(free_pointer) struct way *ways = calloc(graph->edge_count + 1, sizeof(*ways));
	size_t count = 0;
	if (!ways)
		return -ENOMEM;
	for (size_t i = 0; i < graph->edge_count; i++) {
		size_t from = graph->edges[i].nodes[0], to = graph->edges[i].nodes[1];
		bool back = from > to;
		if (graph->edges[i].directed)
			ways[count++] = (struct way){back ? to : from, back ? from : to, back, i};
	}
	qsort(ways, count, sizeof(*ways), way_compare);
	for (size_t i = 0, j; i < count; i = j) {
		for (j = i;
			j < count && ways[j].low == ways[i].low && ways[j].high == ways[i].high;)
			j++;
		join_ways(&ways[i], j - i, left_out);
	}
	return 0;
}

/* A hub is a switch, which has no loops and a limit of ports; else it has to be a router. */
static int hub_kinds(const struct graphml *graph, const bool *left_out, struct network *network)
{
	CLEANUP(free_pointer) size_t *degrees = calloc(graph->node_count + 1, sizeof(*degrees));
	CLEANUP(free_pointer) bool *beside = calloc(graph->node_count + 1, sizeof(*beside));
	if (!degrees || !beside)
		return -ENOMEM;
	for (size_t i = 0; i < graph->edge_count; i++) {
		const size_t *ends = graph->edges[i].nodes;
		if (left_out[i])
			continue;
		for (size_t j = 0; j < 2; j++) {
			degrees[ends[j]]++;
			beside[ends[j]] |= is_hub(&graph->nodes[ends[!j]]);
		}
	}
	for (size_t i = 0; i < graph->node_count; i++) {
		bool hub = is_hub(&graph->nodes[i]);
		bool fits = !beside[i] && degrees[i] <= PLAN_BRIDGE_PORTS_MOST;
		network->nodes[i].kind = hub && fits ? NODE_SWITCH : NODE_ROUTER;
		if (hub && !fits)
			network_note(network, graph->nodes[i].line,
				beside[i] ? "they are linked to each other, and switches form no "
					    "loop: routers"
					  : "a switch has at most 1023 links: a router",
				"that nodes are hyperedges");
	}
	return 0;
}

static int graph_nodes(const struct graphml *graph, struct names *names, struct network *network,
	struct error *error)
{
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct graphml_item *item = &graph->nodes[i];
		struct network_node *node = network_add_node(network, error);
		if (!node)
			return error->code;
		char fallback[32];
		snprintf(fallback, sizeof(fallback), "n%zu", i);
		CLEANUP(free_pointer)
		char *by_id = name_fit(item->id ? item->id : "", fallback, true);
		bool digits = by_id && strspn(by_id, "0123456789") == strlen(by_id);
		CLEANUP(free_pointer)
		char *plain = by_id ? text_format("%s%s", digits ? "n" : "", by_id) : NULL;
		if (!plain)
			return -ENOMEM;
		node->name = names_choose(names, label_of(item), plain, true);
		if (!node->name)
			return -ENOMEM;
		node->comment = node_comment(item, node->name);
		if (!node->comment)
			return -ENOMEM;
	}
	return 0;
}

static int graph_links(const struct graphml *graph, const bool *left_out, struct network *network,
	struct error *error)
{
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct graphml_item *edge = &graph->edges[i];
		if (left_out[i])
			continue;
		struct network_link *link = network_add_link(network, error);
		if (!link)
			return error->code;
		for (size_t j = 0; j < 2; j++)
			link->ends[j].node = edge->nodes[j];
		edge_rate(edge, network, link);
		link->comment = edge_comment(edge, link->ends[0].rate != 0);
		if (!link->comment)
			return -ENOMEM;
	}
	return 0;
}

static int host_link(struct network *network, size_t node, size_t lan, struct error *error)
{
	struct network_link *link = network_add_link(network, error);
	if (!link)
		return error->code;
	link->ends[0].node = node;
	link->ends[1].node = lan;
	return 0;
}

static int extra_node(struct network *network, struct names *names, enum node_kind kind,
	char *take_name, struct error *error)
{
	CLEANUP(free_pointer) char *wanted = take_name;
	struct network_node *node = network_add_node(network, error);
	if (!node)
		return error->code;
	node->kind = kind;
	node->name = wanted ? names_choose(names, wanted, "host", true) : NULL;
	return node->name ? 0 : error_set(error, -ENOMEM, "out of memory");
}

/* A switch at each router, and hosts at the switch. */
static int graph_hosts(const struct import_request *request, struct names *names,
	struct network *network, struct error *error)
{
	size_t routers = network->node_count;
	int status = 0;
	for (size_t i = 0; status == 0 && i < routers; i++) {
		if (network->nodes[i].kind != NODE_ROUTER)
			continue;
		size_t lan = network->node_count;
		const char *router = network->nodes[i].name;
		status = extra_node(
			network, names, NODE_SWITCH, text_format("%.48s-lan", router), error);
		if (status == 0)
			status = host_link(network, i, lan, error);
		for (unsigned j = 1; status == 0 && j <= request->hosts; j++) {
			router = network->nodes[i].name;
			status = extra_node(network, names, NODE_HOST,
				text_format("%.48s-h%u", router, j), error);
			if (status == 0)
				status = host_link(network, network->node_count - 1, lan, error);
		}
	}
	return status;
}

static int graph_network(const struct graphml *graph, const struct import_request *request,
	struct network *network, struct error *error)
{
	CLEANUP(names_finish) struct names names = {0};
	CLEANUP(free_pointer) bool *left_out = calloc(graph->edge_count + 1, sizeof(*left_out));
	size_t most = graph->node_count * (request->hosts ? request->hosts + 2 : 1);
	int status = left_out ? both_ways(graph, left_out) : -ENOMEM;
	for (size_t i = 0; status == 0 && i < graph->edge_count; i++)
		if (graph->edges[i].nodes[0] == graph->edges[i].nodes[1]) {
			left_out[i] = true;
			network_note(network, graph->edges[i].line,
				"a node is not linked to itself", "loops");
		}
	if (status == 0)
		status = names_make(
			most < TOPOLOGY_NODES_MOST ? most : TOPOLOGY_NODES_MOST, &names, error);
	if (status == 0)
		status = graph_heading(graph, request->path, network);
	if (status == 0)
		status = graph_nodes(graph, &names, network, error);
	if (status == 0)
		status = hub_kinds(graph, left_out, network);
	if (status == 0)
		status = graph_links(graph, left_out, network, error);
	if (status == 0 && request->hosts)
		status = graph_hosts(request, &names, network, error);
	if (status == -ENOMEM)
		return error_set(error, -ENOMEM, "out of memory");
	return status == -E2BIG ? error_prefix(error, "%s: ", request->path) : status;
}

int import_graph(const struct import_request *request, struct network *network, struct error *error)
{
	CLEANUP(graphml_finish) struct graphml graph = {0};
	int status = graphml_read(
		request->bytes, request->length, request->path, network, &graph, error);
	if (status == 0 && !graph.node_count)
		return error_set(error, -EINVAL, "%s: the graph has no nodes", request->path);
	return status < 0 ? status : graph_network(&graph, request, network, error);
}
