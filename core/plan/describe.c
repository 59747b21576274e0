/* The plan as tables. */
#include "plan/describe.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "topology/rate.h"

enum { RATE_WIDTH = 9 }; /* "100mbit" and a little more */

/* Widths of columns whose texts are of any length. */
struct widths {
	int node, interface, addresses[IP_FAMILIES], destination;
	bool has_ipv6, has_rates; /* the topology: there is a column for it */
};

static void widen(int *width, size_t length)
{
	if ((int)length > *width)
		*width = (int)length;
}

/* "eth0", with the long name it stands for where there is one: "eth0 (uplink-to-the-backbone)". */
static const char *interface_shown(const struct plan_interface *interface, struct text *text)
{
	text_clear(text);
	text_append(text, "%s", interface->name);
	if (interface->long_name)
		text_append(text, " (%s)", interface->long_name);
	return text_view(text);
}

static const char *address_shown(const struct plan_node *node,
	const struct plan_interface *interface, enum ip_family family,
	char text[static IP_PREFIX_TEXT_SIZE])
{
	if (node->node->kind == NODE_SWITCH)
		return "-";
	if (!plan_has_address(interface, family))
		return "none";
	return ip_prefix_format(interface->addresses[family], text);
}

static const char *destination_shown(
	const struct plan_route *route, char text[static IP_PREFIX_TEXT_SIZE])
{
	return route->destination.length ? ip_prefix_format(route->destination, text) : "default";
}

static const char *rate_shown(
	const struct plan_interface *interface, char text[static RATE_TEXT_SIZE])
{
	return interface->rate ? rate_format(interface->rate, text) : "-";
}

static struct widths widths_of(const struct plan *plan, struct text *scratch)
{
	struct widths widths = {.node = (int)strlen("node"),
		.interface = (int)strlen("interface"),
		.addresses = {PREFIX_TEXT_SIZE - 1, (int)strlen("IPv6 address")},
		.destination = PREFIX_TEXT_SIZE - 1,
		.has_ipv6 = plan_uses(plan, IPV6)};
	char text[IP_PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < IP_FAMILIES * plan->segment_count; i++)
		widen(&widths.destination,
			strlen(IP_PREFIX_TEXT(plan->segments[i / 2].subnets[i % 2])));
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		widen(&widths.node, strlen(node->node->name));
		for (size_t j = 0; j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			widen(&widths.interface, strlen(interface_shown(interface, scratch)));
			widen(&widths.addresses[IPV6],
				strlen(address_shown(node, interface, IPV6, text)));
			widths.has_rates |= interface->rate != 0;
		}
		for (size_t j = 0; j < node->route_count; j++)
			widen(&widths.destination,
				strlen(destination_shown(&node->routes[j], text)));
	}
	return widths;
}

static void describe_interface(const struct plan *plan, const struct plan_node *node,
	const struct plan_interface *interface, const struct widths *widths, struct text *text)
{
	CLEANUP(text_finish) struct text scratch = {0};
	char address[IP_PREFIX_TEXT_SIZE], rate[RATE_TEXT_SIZE];
	const struct plan_end *peer = &plan->links[interface->link].ends[!interface->end];
	const struct plan_node *other = &plan->nodes[peer->node];
	text_append(text, "%-*s  %-6s  %-*s  %-17s", widths->node, node->node->name,
		node_kind_names[node->node->kind], widths->interface,
		interface_shown(interface, &scratch), MAC_TEXT(interface->mac));
	for (size_t i = 0; i < IP_FAMILIES; i++)
		if (i == IPV4 || widths->has_ipv6)
			text_append(text, "  %-*s", widths->addresses[i],
				address_shown(node, interface, (enum ip_family)i, address));
	if (widths->has_rates)
		text_append(text, "  %-*s", RATE_WIDTH, rate_shown(interface, rate));
	text_append(text, "  %s:%s\n", other->node->name,
		plan_shown_name(&other->interfaces[peer->interface]));
}

static void describe_interfaces(
	const struct plan *plan, const struct widths *widths, struct text *text)
{
	text_append(text, "%-*s  %-6s  %-*s  %-17s  %-*s", widths->node, "node", "kind",
		widths->interface, "interface", "hardware address", widths->addresses[IPV4],
		"IPv4 address");
	if (widths->has_ipv6)
		text_append(text, "  %-*s", widths->addresses[IPV6], "IPv6 address");
	if (widths->has_rates)
		text_append(text, "  %-*s", RATE_WIDTH, "sends");
	text_append(text, "  linked to\n");
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++)
			describe_interface(plan, node, &node->interfaces[j], widths, text);
	}
}

/* A segment by its switch, of several the first; else by its link. */
struct place {
	const char *name;
	size_t switches, addresses[IP_FAMILIES];
};

static struct place *places_of(const struct plan *plan)
{
	struct place *places = calloc(plan->segment_count + 1, sizeof(*places));
	for (size_t i = 0; places && i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		bool is_switch = node->node->kind == NODE_SWITCH && node->interface_count;
		for (size_t j = 0; j < node->interface_count; j++) {
			struct place *place =
				&places[plan->links[node->interfaces[j].link].segment];
			for (size_t k = 0; k < IP_FAMILIES; k++)
				place->addresses[k] +=
					plan_has_address(&node->interfaces[j], (enum ip_family)k);
			if (is_switch && j == 0 && place->switches++ == 0)
				place->name = node->node->name;
		}
	}
	for (size_t i = 0; places && i < plan->link_count; i++) {
		struct place *place = &places[plan->links[i].segment];
		if (!place->name)
			place->name = plan->links[i].name;
	}
	return places;
}

static void describe_subnets(
	const struct plan *plan, const struct widths *widths, struct text *text)
{
	CLEANUP(free_pointer) struct place *places = places_of(plan);
	bool heading = false;
	text->failed |= !places;
	for (size_t i = 0; places && i < IP_FAMILIES * plan->segment_count; i++) {
		const struct place *place = &places[i / IP_FAMILIES];
		struct ip_prefix subnet = plan->segments[i / IP_FAMILIES].subnets[i % IP_FAMILIES];
		if (ip_is_none(subnet.address))
			continue;
		if (!heading)
			text_append(text, "\n%-*s  %9s  %s\n", widths->destination, "subnet",
				"addresses", "at");
		heading = true;
		text_append(text, "%-*s  %9zu  %s", widths->destination, IP_PREFIX_TEXT(subnet),
			place->addresses[i % IP_FAMILIES], place->name);
		if (place->switches > 1)
			text_append(text, " and %zu more", place->switches - 1);
		text_append(text, "\n");
	}
}

static void describe_routes(const struct plan *plan, const struct widths *widths, struct text *text)
{
	bool heading = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->route_count; j++) {
			const struct plan_route *route = &node->routes[j];
			char destination[IP_PREFIX_TEXT_SIZE];
			if (!heading)
				text_append(text, "\n%-*s  %-*s  %s\n", widths->node, "node",
					widths->destination, "route to", "gateway");
			heading = true;
			text_append(text, "%-*s  %-*s  %s%s\n", widths->node, node->node->name,
				widths->destination, destination_shown(route, destination),
				IP_TEXT(route->gateway), route->written ? "  as written" : "");
		}
	}
}

static void describe_processes(
	const struct plan *plan, const struct widths *widths, struct text *text)
{
	bool heading = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->process_count; j++) {
			if (!heading)
				text_append(text, "\n%-*s  %-10s  %s\n", widths->node, "node",
					"process", "command");
			heading = true;
			text_append(text, "%-*s  %-10s  %s\n", widths->node, node->node->name,
				node->processes[j].spec->name, node->processes[j].spec->command);
		}
	}
}

static void describe_rules(const struct plan *plan, const struct widths *widths, struct text *text)
{
	bool heading = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (const char *line = node->rules; line && *line;) {
			size_t length = strcspn(line, "\n");
			if (!heading)
				text_append(text, "\n%-*s  nftables\n", widths->node, "node");
			heading = true;
			text_append(text, "%-*s  %.*s\n", widths->node, node->node->name,
				(int)length, line);
			line += length + (line[length] == '\n');
		}
	}
}

void plan_describe(const struct plan *plan, struct text *text)
{
	CLEANUP(text_finish) struct text scratch = {0};
	struct widths widths = widths_of(plan, &scratch);
	describe_interfaces(plan, &widths, text);
	describe_subnets(plan, &widths, text);
	describe_routes(plan, &widths, text);
	describe_rules(plan, &widths, text);
	plan_describe_details(plan, widths.node, text);
	describe_processes(plan, &widths, text);
}
