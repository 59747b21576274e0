/*
 * A topology file for containerlab. Its linux nodes are containers of an image: addresses and routes
 * are commands (`exec`), forwarding is a sysctl, and a switch is a node with a bridge in it, so that
 * nothing has to be made on the machine before. `sim import` reads all of that back.
 */
#include <string.h>

#include "base/cleanup.h"
#include "exchange/comment.h"
#include "exchange/export.h"
#include "exchange/script_parts.h"

enum { MTU_DEFAULT = 1500 }; /* ours is the kernel's; containerlab's is 9500 */

static void lab_heading(const struct plan *plan, struct text *text)
{
	const struct topology *topology = plan->topology;
	size_t processes = 0;
	for (size_t i = 0; i < plan->node_count; i++)
		processes += plan->nodes[i].process_count;
	text_append(text, "# %s%s", topology->name, topology->title ? ": " : "");
	comment_append(text, topology->title ? topology->title : "");
	text_append(text,
		"\n# The network of this topology for containerlab, by `sim export %s --format "
		"containerlab`:\n"
		"#\n"
		"#     IMAGE=... sudo -E containerlab deploy -t FILE\n"
		"#\n"
		"# IMAGE is an image with iproute2's ip in it; it gives its name to every node. "
		"Nodes have no management\n"
		"# network (network-mode: none), so that they have these interfaces, addresses and "
		"routes alone.\n",
		topology->name);
	if (processes)
		text_append(text,
			"# What `sim up` starts (%zu program%s) stands in comments: the image has "
			"to "
			"bring it.\n",
			processes, TEXT_PLURAL(processes));
	if (topology->scenario_count)
		text_append(text,
			"# Not here: %zu scenario%s, for which containerlab has no words; `sim "
			"run` tries them.\n",
			topology->scenario_count, TEXT_PLURAL(topology->scenario_count));
	text_append(text,
		"name: %s\n"
		"topology:\n"
		"  defaults:\n"
		"    kind: linux\n"
		"    image: ${IMAGE:=nicolaka/netshoot}\n"
		"    network-mode: none\n",
		topology->name);
}

/* What the topology says itself counts, and a key stands once. */
static void lab_sysctl(
	const struct plan_node *node, const char *name, const char *value, struct text *text)
{
	for (size_t i = 0; i < node->node->sysctl_count; i++) {
		CLEANUP(free_pointer) char *own = strdup(node->node->sysctls[i].path);
		for (char *at = own; at && *at; at++)
			*at = *at == '/' ? '.' : *at;
		if (own && strcmp(own, name) == 0)
			return;
	}
	text_append(text, "        %s: %s\n", name, value);
}

static void lab_sysctls(const struct plan_node *node, struct text *text)
{
	text_append(text, "      sysctls:\n");
	for (size_t i = 0; i < node->node->sysctl_count; i++) {
		text_append(text, "        \"%s\": ", node->node->sysctls[i].name);
		comment_quote(text, node->node->sysctls[i].value);
		text_append(text, "\n");
	}
	if (node->forwarding)
		lab_sysctl(node, "net.ipv4.ip_forward", "1", text);
	if (!node->has_ipv6) {
		lab_sysctl(node, "net.ipv6.conf.default.disable_ipv6", "1", text);
		return;
	}
	lab_sysctl(node, "net.ipv6.conf.all.disable_ipv6", "0", text);
	lab_sysctl(node, "net.ipv6.conf.default.accept_dad", "0", text);
	lab_sysctl(node, "net.ipv6.conf.default.accept_ra", "0", text);
	if (node->forwarding)
		lab_sysctl(node, "net.ipv6.conf.all.forwarding", "1", text);
}

static void lab_environment(const struct node *node, struct text *text)
{
	if (node->environment_count)
		text_append(text, "      env:\n");
	for (size_t i = 0; i < node->environment_count; i++) {
		const char *entry = node->environment[i], *equals = strchr(entry, '=');
		text_append(text, "        \"%.*s\": ", (int)(equals - entry), entry);
		comment_quote(text, equals + 1);
		text_append(text, "\n");
	}
}

/* Commands of `exec`: those of the network's tools, which the image has; the others in comments. */
static void lab_commands(const struct node *node, struct text *text)
{
	for (size_t i = 0; i < node->exec_count; i++) {
		const char *command = node->execs[i].command;
		bool taken = export_sets_up(command) && strlen(command) < COMMENT_EXCERPT;
		text_append(text, taken ? "        - " : "        # exec: ");
		if (taken)
			comment_quote(text, command);
		else
			comment_append(text, command);
		text_append(text, "\n");
	}
}

static void lab_rate(
	const struct plan *plan, const struct plan_interface *interface, struct text *text)
{
	struct plan_queue queue = plan_queue(plan, interface);
	if (interface->rate)
		text_append(text,
			"        - tc qdisc add dev %s root tbf rate %llubit burst %llu limit "
			"%llu\n",
			interface->name, (unsigned long long)interface->rate,
			(unsigned long long)queue.burst, (unsigned long long)queue.limit);
}

/* A text of several lines is no command of `exec`. */
static void lab_rules(const struct plan_node *node, struct text *text)
{
	for (const char *line = node->rules; line && *line;) {
		size_t length = strcspn(line, "\n");
		CLEANUP(free_pointer) char *copy = strndup(line, length);
		text->failed |= !copy;
		text_append(text, "        # nftables: ");
		comment_append(text, copy ? copy : "");
		text_append(text, "\n");
		line += length + (line[length] == '\n');
	}
}

static void lab_interface(const struct plan *plan, const struct plan_node *node,
	const struct plan_interface *interface, struct text *text)
{
	const char *name = interface->name;
	struct ip_prefix ipv4 = interface->addresses[IPV4], ipv6 = interface->addresses[IPV6];
	if (interface->long_name)
		text_append(text, "        - ip link property add dev %s altname %s\n", name,
			interface->long_name);
	if (node->has_ipv6 && !plan_has_address(interface, IPV6))
		text_append(text, "        - sysctl -w net/ipv6/conf/%s/disable_ipv6=1\n", name);
	if (plan_has_address(interface, IPV4))
		text_append(text, "        - ip addr add %s%s dev %s\n", IP_PREFIX_TEXT(ipv4),
			ipv4.length < 31 ? " brd +" : "", name);
	text_append(text, "        - ip link set %s up\n", name);
	if (plan_has_address(interface, IPV6))
		text_append(text, "        - ip addr add %s dev %s\n", IP_PREFIX_TEXT(ipv6), name);
	lab_rate(plan, interface, text);
}

static void lab_switch(const struct plan *plan, const struct plan_node *node, struct text *text)
{
	text_append(text, "      exec:\n        - ip link add " PLAN_BRIDGE_NAME " type bridge\n");
	for (size_t i = 0; i < node->interface_count; i++)
		text_append(text,
			"        - ip link set %s master " PLAN_BRIDGE_NAME "\n"
			"        - ip link set %s up\n",
			node->interfaces[i].name, node->interfaces[i].name);
	text_append(text, "        - ip link set " PLAN_BRIDGE_NAME " up\n");
	for (size_t i = 0; i < node->interface_count; i++)
		lab_rate(plan, &node->interfaces[i], text);
	lab_rules(node, text);
}

static bool has_commands(const struct plan_node *node)
{
	bool found = node->interface_count;
	for (size_t i = 0; i < node->node->exec_count; i++)
		found |= export_sets_up(node->node->execs[i].command);
	return found;
}

static void lab_node(const struct plan *plan, const struct plan_node *node, struct text *text)
{
	text_append(text, "    \"%s\":", node->node->name);
	if (node->node->kind != NODE_HOST)
		text_append(text, " # a %s", node_kind_names[node->node->kind]);
	text_append(text, "\n");
	/* Read by sim import: that there are no routes does not show. */
	if (node->node->no_routes && !node->route_count)
		text_append(text, "      labels: {sim-routes: none}\n");
	lab_sysctls(node, text);
	lab_environment(node->node, text);
	if (node->node->kind == NODE_SWITCH) {
		lab_switch(plan, node, text);
		return;
	}
	if (has_commands(node))
		text_append(text, "      exec:\n");
	for (size_t i = 0; i < node->interface_count; i++)
		lab_interface(plan, node, &node->interfaces[i], text);
	for (size_t i = 0; i < node->route_count; i++) {
		const struct plan_route *route = &node->routes[i];
		text_append(text, "        - ip%s route add %s via %s\n",
			route->gateway.family == IPV6 ? " -6" : "",
			route->destination.length ? IP_PREFIX_TEXT(route->destination) : "default",
			IP_TEXT(route->gateway));
	}
	lab_commands(node->node, text);
	lab_rules(node, text);
	for (size_t i = 0; i < node->process_count; i++) {
		text_append(text, "        # runs: ");
		comment_append(text, node->processes[i].spec->command);
		text_append(text, "\n");
	}
}

/* Whether the file says what its hardware address is: then the long form of a link has to say it. */
static bool mac_is_written(const struct plan *plan, const struct plan_end *end)
{
	const struct plan_node *node = &plan->nodes[end->node];
	const struct plan_interface *interface = &node->interfaces[end->interface];
	for (size_t i = 0; i < node->node->mac_count; i++) {
		const char *name = node->node->macs[i].interface;
		if (strcmp(name, interface->name) == 0 ||
			strcmp(name, plan_shown_name(interface)) == 0)
			return true;
	}
	return false;
}

static void lab_link(const struct plan *plan, const struct plan_link *link, struct text *text)
{
	const struct plan_interface *interfaces[2];
	const char *nodes[2];
	bool macs = false;
	for (size_t i = 0; i < 2; i++) {
		const struct plan_node *node = &plan->nodes[link->ends[i].node];
		nodes[i] = node->node->name;
		interfaces[i] = &node->interfaces[link->ends[i].interface];
		macs |= mac_is_written(plan, &link->ends[i]);
	}
	if (macs) {
		text_append(text, "    - type: veth\n      endpoints:\n");
		for (size_t i = 0; i < 2; i++)
			text_append(text, "        - {node: \"%s\", interface: %s, mac: \"%s\"}\n",
				nodes[i], interfaces[i]->name, MAC_TEXT(interfaces[i]->mac));
	} else {
		text_append(text, "    - endpoints: [\"%s:%s\", \"%s:%s\"]\n", nodes[0],
			interfaces[0]->name, nodes[1], interfaces[1]->name);
	}
	text_append(text, "      mtu: %u\n", link->link->mtu ? link->link->mtu : MTU_DEFAULT);
}

void export_containerlab(const struct plan *plan, struct text *text)
{
	lab_heading(plan, text);
	text_append(text, "  nodes:\n");
	for (size_t i = 0; i < plan->node_count; i++)
		lab_node(plan, &plan->nodes[i], text);
	text_append(text, "  links:%s\n", plan->link_count ? "" : " []");
	for (size_t i = 0; i < plan->link_count; i++)
		lab_link(plan, &plan->links[i], text);
}
