#include "plan/describe.h"

#include <string.h>

static const char *peer_name(const struct plan *plan, const struct plan_interface *interface)
{
	const struct plan_end *peer = &plan->links[interface->link].ends[!interface->end];
	return plan->nodes[peer->node].node->name;
}

static const char *peer_interface(const struct plan *plan, const struct plan_interface *interface)
{
	const struct plan_end *peer = &plan->links[interface->link].ends[!interface->end];
	return plan->nodes[peer->node].interfaces[peer->interface].name;
}

/* Widths of the first column: names are of any length. */
static int name_width(const struct plan *plan)
{
	size_t width = strlen("node");
	for (size_t i = 0; i < plan->node_count; i++)
		if (strlen(plan->nodes[i].node->name) > width)
			width = strlen(plan->nodes[i].node->name);
	return (int)width;
}

static void describe_interfaces(const struct plan *plan, struct text *text)
{
	int width = name_width(plan);
	text_append(text, "%-*s  %-6s  %-9s  %-17s  %-18s  %s\n", width, "node", "kind",
		"interface", "hardware address", "IPv4 address", "linked to");
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			bool port = node->node->kind == NODE_SWITCH;
			text_append(text, "%-*s  %-6s  %-9s  %-17s  %-18s  %s:%s\n", width,
				node->node->name, node_kind_names[node->node->kind],
				interface->name, MAC_TEXT(interface->mac),
				interface->has_ipv4 ? PREFIX_TEXT(interface->ipv4)
				: port		    ? "-"
						    : "none",
				peer_name(plan, interface), peer_interface(plan, interface));
		}
	}
}

static void describe_routes(const struct plan *plan, struct text *text)
{
	int width = name_width(plan);
	bool heading = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->route_count; j++) {
			const struct plan_route *route = &node->routes[j];
			if (!heading)
				text_append(text, "\n%-*s  %-18s  %s\n", width, "node", "route to",
					"gateway");
			heading = true;
			text_append(text, "%-*s  %-18s  %s\n", width, node->node->name,
				route->destination.length ? PREFIX_TEXT(route->destination)
							  : "default",
				IPV4_TEXT(route->gateway));
		}
	}
}

static void describe_processes(const struct plan *plan, struct text *text)
{
	int width = name_width(plan);
	bool heading = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->process_count; j++) {
			if (!heading)
				text_append(text, "\n%-*s  %-10s  %s\n", width, "node", "process",
					"command");
			heading = true;
			text_append(text, "%-*s  %-10s  %s\n", width, node->node->name,
				node->processes[j].spec->name, node->processes[j].spec->command);
		}
	}
}

void plan_describe(const struct plan *plan, struct text *text)
{
	describe_interfaces(plan, text);
	describe_routes(plan, text);
	describe_processes(plan, text);
}

static json_t *interface_json(const struct plan *plan, const struct plan_interface *interface)
{
	json_t *value = json_pack("{s:s, s:i, s:s, s:s, s:s}", "name", interface->name, "ifindex",
		(int)interface->ifindex, "mac", MAC_TEXT(interface->mac), "peer_node",
		peer_name(plan, interface), "peer_interface", peer_interface(plan, interface));
	if (value && interface->has_ipv4)
		json_object_set_new(value, "ipv4", json_string(PREFIX_TEXT(interface->ipv4)));
	return value;
}

static json_t *node_json(const struct plan *plan, const struct plan_node *node)
{
	json_t *interfaces = json_array(), *routes = json_array(), *processes = json_array();
	for (size_t i = 0; i < node->interface_count; i++)
		json_array_append_new(interfaces, interface_json(plan, &node->interfaces[i]));
	for (size_t i = 0; i < node->route_count; i++)
		json_array_append_new(
			routes, json_pack("{s:s, s:s}", "destination",
					PREFIX_TEXT(node->routes[i].destination), "gateway",
					IPV4_TEXT(node->routes[i].gateway)));
	for (size_t i = 0; i < node->process_count; i++)
		json_array_append_new(
			processes, json_pack("{s:s, s:s}", "name", node->processes[i].spec->name,
					   "command", node->processes[i].spec->command));
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "name", node->node->name, "kind",
		node_kind_names[node->node->kind], "forwarding", node->forwarding, "interfaces",
		interfaces, "routes", routes, "processes", processes);
}

json_t *plan_describe_json(const struct plan *plan)
{
	json_t *nodes = json_array(), *links = json_array();
	for (size_t i = 0; i < plan->node_count; i++)
		json_array_append_new(nodes, node_json(plan, &plan->nodes[i]));
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_segment *segment = &plan->segments[plan->links[i].segment];
		json_t *link = json_pack("{s:s, s:i}", "name", plan->links[i].name, "segment",
			(int)plan->links[i].segment);
		if (link && segment->has_ipv4)
			json_object_set_new(
				link, "subnet", json_string(PREFIX_TEXT(segment->ipv4)));
		json_array_append_new(links, link);
	}
	return json_pack(
		"{s:s, s:o, s:o}", "name", plan->topology->name, "nodes", nodes, "links", links);
}
