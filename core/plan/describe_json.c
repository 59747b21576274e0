/* The plan as JSON: the same facts as the tables, and those that only programs want. */
#include "plan/describe.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "plan/needs.h"

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

static json_t *interface_json(const struct plan *plan, const struct plan_interface *interface)
{
	json_t *value = json_pack("{s:s, s:i, s:s, s:s, s:s}", "name", interface->name, "ifindex",
		(int)interface->ifindex, "mac", MAC_TEXT(interface->mac), "peer_node",
		peer_name(plan, interface), "peer_interface", peer_interface(plan, interface));
	for (size_t i = 0; value && i < IP_FAMILIES; i++)
		if (plan_has_address(interface, (enum ip_family)i))
			json_object_set_new(value, ip_family_keys[i],
				json_string(IP_PREFIX_TEXT(interface->addresses[i])));
	if (value && interface->rate)
		json_object_set_new(value, "rate", json_integer((json_int_t)interface->rate));
	if (value && interface->long_name)
		json_object_set_new(value, "long_name", json_string(interface->long_name));
	return value;
}

static json_t *node_json(const struct plan *plan, const struct plan_node *node)
{
	json_t *interfaces = json_array(), *routes = json_array(), *processes = json_array();
	for (size_t i = 0; i < node->interface_count; i++)
		json_array_append_new(interfaces, interface_json(plan, &node->interfaces[i]));
	for (size_t i = 0; i < node->route_count; i++)
		json_array_append_new(routes, json_pack("{s:s, s:s, s:b}", "destination",
						      IP_PREFIX_TEXT(node->routes[i].destination),
						      "gateway", IP_TEXT(node->routes[i].gateway),
						      "written", node->routes[i].written));
	for (size_t i = 0; i < node->process_count; i++)
		json_array_append_new(
			processes, json_pack("{s:s, s:s}", "name", node->processes[i].spec->name,
					   "command", node->processes[i].spec->command));
	CLEANUP(json_release) json_t *details = plan_details_json(node);
	json_t *value = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "name", node->node->name,
		"kind", node_kind_names[node->node->kind], "forwarding", node->forwarding,
		"interfaces", interfaces, "routes", routes, "processes", processes);
	if (!value || !details || json_object_update(value, details) < 0) {
		json_decref(value);
		return NULL;
	}
	if (node->rules)
		json_object_set_new(value, "nftables", json_text(node->rules));
	return value;
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
		for (size_t j = 0; link && j < IP_FAMILIES; j++)
			if (plan_has_subnet(segment, (enum ip_family)j))
				json_object_set_new(link, ip_family_keys[j],
					json_string(IP_PREFIX_TEXT(segment->subnets[j])));
		json_array_append_new(links, link);
	}
	struct plan_needs needs;
	struct error ignored;
	json_t *plan_json = json_pack(
		"{s:s, s:o, s:o}", "name", plan->topology->name, "nodes", nodes, "links", links);
	if (plan_json && plan_count_needs(plan, &needs, &ignored) == 0)
		json_object_set_new(plan_json, "needs",
			json_pack("{s:I, s:I, s:I, s:I, s:I}", "network_namespaces",
				(json_int_t)needs.network_namespaces, "rooms",
				(json_int_t)needs.rooms, "processes", (json_int_t)needs.processes,
				"open_files", (json_int_t)needs.open_files, "memory_bytes",
				(json_int_t)needs.memory_bytes));
	return plan_json;
}
