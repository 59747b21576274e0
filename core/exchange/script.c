/* The shell script. Its sections follow what kernel/fabric.c does, in the same order. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "exchange/comment.h"
#include "exchange/export.h"
#include "exchange/script_parts.h"

enum { LINE_MOST = 90 };

/*
 * Names stand bare: a node's and an interface's have letters, digits, '-', '_' and '.' only, and begin
 * with a letter or a digit (topology_name_fits()), so there is nothing in them that a shell reads.
 */
static const char beginning[] =
	"set -eu # end at the first command that fails\n"
	"\n"
	"[ \"$(id -u)\" = 0 ] || {\n"
	"\techo \"$0: making networks takes root: sudo sh $0, or unshare -Urnm sh $0\" >&2\n"
	"\texit 1\n"
	"}\n"
	"# `ip netns` keeps names in /run/netns. In a user namespace /run is another's: lay an "
	"empty folder\n"
	"# over it, which only this script and what it starts can see.\n"
	"read -r _ _ users </proc/self/uid_map\n"
	"[ \"$users\" = 4294967295 ] || mount -t tmpfs tmpfs /run\n"
	"\n"
	"# What was made goes when the script ends, however it ends. With a network namespace go "
	"its\n"
	"# interfaces, and with one end of a cable the other.\n"
	"made=''\n"
	"remove() {\n"
	"\tfor node in $made; do\n"
	"\t\tfor process in $(ip netns pids \"$node\"); do kill \"$process\" || :; done\n"
	"\t\tip netns delete \"$node\"\n"
	"\tdone\n"
	"}\n"
	"trap remove EXIT\n"
	"trap 'exit 129' HUP\n"
	"trap 'exit 130' INT\n"
	"trap 'exit 143' TERM\n"
	"\n"
	"# ---- Nodes\n"
	"# A node is a network namespace: a network stack of its own, with its own interfaces, "
	"addresses,\n"
	"# routes, sockets and settings. A new one has `lo` alone, and that is down.\n"
	"new_node() {\n"
	"\tip netns add \"$1\"\n"
	"\tmade=\"$made $1\"\n"
	"}\n";

static const char no_ipv6[] =
	"# Where no IPv6 address is planned IPv6 is off: left on, every interface would number "
	"itself\n"
	"# (fe80::...) and send router solicitations. `default` is for the interfaces that are "
	"still to come.\n"
	"no_ipv6() {\n"
	"\tip netns exec \"$1\" sysctl -qew net.ipv6.conf.default.disable_ipv6=1\n"
	"}\n";

static const char planned_ipv6[] =
	"# Where it is on, addresses are those written below and no others: nothing is taken from "
	"a router's\n"
	"# announcements (accept_ra), and they can be used at once, without looking first whether "
	"somebody\n"
	"# else on the cable has the same one (accept_dad).\n"
	"planned_ipv6() {\n"
	"\tip netns exec \"$1\" sysctl -qw net.ipv6.conf.default.accept_dad=0 \\\n"
	"\t\tnet.ipv6.conf.default.accept_ra=0\n"
	"}\n";

static const char ending[] = "\n"
			     "# ---- Work in it\n"
			     "if [ $# -gt 0 ]; then\n"
			     "\t\"$@\"\n"
			     "else\n"
			     "\techo \"%s stands: %zu nodes, %zu cables. 'exit' removes it.\" >&2\n"
			     "\t\"${SHELL:-sh}\"\n"
			     "fi\n";

static bool is_switch(const struct plan_node *node)
{
	return node->node->kind == NODE_SWITCH;
}

static bool is_other(const struct plan_node *node)
{
	return !is_switch(node);
}

static bool is_forwarding(const struct plan_node *node)
{
	return node->forwarding;
}

static bool is_ipv6_router(const struct plan_node *node)
{
	return node->forwarding && node->has_ipv6;
}

static bool has_ipv6(const struct plan_node *node)
{
	return node->has_ipv6;
}

static bool lacks_ipv6(const struct plan_node *node)
{
	return !node->has_ipv6;
}

static size_t count_nodes(const struct plan *plan, bool (*which)(const struct plan_node *node))
{
	size_t count = 0;
	for (size_t i = 0; i < plan->node_count; i++)
		count += which(&plan->nodes[i]);
	return count;
}

/* `for node in ...; do COMMAND; done` over some of the nodes, on lines of bounded length. */
static void for_nodes(const struct plan *plan, bool (*which)(const struct plan_node *node),
	const char *command, struct text *text)
{
	size_t column = strlen("for node in");
	if (!count_nodes(plan, which))
		return;
	text_append(text, "for node in");
	for (size_t i = 0; i < plan->node_count; i++) {
		const char *name = plan->nodes[i].node->name;
		if (!which(&plan->nodes[i]))
			continue;
		if (column + strlen(name) + 1 > LINE_MOST) {
			text_append(text, " \\\n\t");
			column = 8;
		}
		text_append(text, " %s", name);
		column += strlen(name) + 1;
	}
	text_append(text, "; do\n\t%s\ndone\n", command);
}

static const char *first_node(const struct plan *plan, bool (*which)(const struct plan_node *node))
{
	for (size_t i = 0; i < plan->node_count; i++)
		if (which(&plan->nodes[i]))
			return plan->nodes[i].node->name;
	return "NODE";
}

__attribute__((format(printf, 3, 4))) static void usage(
	struct text *text, const char *meaning, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	CLEANUP(free_pointer) char *command = NULL;
	if (vasprintf(&command, format, arguments) < 0)
		command = NULL;
	va_end(arguments);
	text->failed |= !command;
	text_append(text, "#     %-30s  %s\n", command ? command : "", meaning);
}

static bool any_rules(const struct plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++)
		if (plan->nodes[i].rules)
			return true;
	return false;
}

static void script_heading(const struct plan *plan, struct text *text)
{
	const struct topology *topology = plan->topology;
	const char *example = first_node(plan, is_other);
	text_append(text, "#!/bin/sh\n# %s%s", topology->name, topology->title ? ": " : "");
	comment_append(text, topology->title ? topology->title : "");
	text_append(text,
		"\n#\n"
		"# This script builds by hand the network that `sim up %s` builds: the same nodes, "
		"interfaces,\n"
		"# addresses and routes, by commands that a person would type. Read it from top to "
		"bottom.\n#\n",
		topology->name);
	usage(text, "a shell in this network; when it ends, the network is removed",
		"sudo sh SCRIPT");
	usage(text, "one command in the shell's place", "sudo sh SCRIPT COMMAND...");
	usage(text, "both without root, where user namespaces are allowed",
		"unshare -Urnm sh SCRIPT ...");
	text_append(text, "#\n# In that shell:\n#\n");
	usage(text, "the nodes", "ip netns");
	usage(text, "the addresses of this node", "ip -n %s addr", example);
	usage(text, "any command in it", "ip netns exec %s COMMAND...", example);
	text_append(text,
		"#\n# It needs iproute2 (ip, bridge, tc) and sysctl%s. Written by `sim export %s "
		"--format script`.\n%s",
		any_rules(plan) ? ", and nft" : "", topology->name, beginning);
}

static void script_nodes(const struct plan *plan, struct text *text)
{
	if (count_nodes(plan, lacks_ipv6))
		text_append(text, "%s", no_ipv6);
	if (count_nodes(plan, has_ipv6))
		text_append(text, "%s", planned_ipv6);
	text_append(text, "\n");
	for_nodes(plan, lacks_ipv6, "new_node \"$node\"; no_ipv6 \"$node\"", text);
	for_nodes(plan, has_ipv6, "new_node \"$node\"; planned_ipv6 \"$node\"", text);
	/* Before lo has its address: that keeps what was the default then. */
	script_sysctls(plan, true, text);
	if (count_nodes(plan, is_other))
		text_append(text,
			"\n# Programs of one node find each other at 127.0.0.1 when lo is up.\n");
	for_nodes(plan, is_other, "ip -n \"$node\" link set lo up", text);
	if (count_nodes(plan, is_forwarding))
		text_append(text, "\n# A router is a node that passes on packets that are not for "
				  "itself. That is all there is to\n"
				  "# it: routes every node has.\n");
	for_nodes(plan, is_forwarding, "ip netns exec \"$node\" sysctl -qw net.ipv4.ip_forward=1",
		text);
	for_nodes(plan, is_ipv6_router,
		"ip netns exec \"$node\" sysctl -qw net.ipv6.conf.all.forwarding=1", text);
}

static void cable_end(const struct plan *plan, const struct plan_link *link, unsigned end,
	const char *before, struct text *text)
{
	const struct plan_node *node = &plan->nodes[link->ends[end].node];
	const struct plan_interface *interface = &node->interfaces[link->ends[end].interface];
	text_append(text, "%s%s netns %s address %s", before, interface->name, node->node->name,
		MAC_TEXT(interface->mac));
	if (link->link->mtu)
		text_append(text, " mtu %u", link->link->mtu);
}

static void script_cables(const struct plan *plan, struct text *text)
{
	if (!plan->link_count)
		return;
	text_append(text, "\n# ---- Cables\n"
			  "# A cable is a veth pair: what goes in at one end comes out at the "
			  "other. Each end is born in\n"
			  "# its node, so that the names of interfaces have to differ only there. "
			  "Hardware addresses are\n"
			  "# written out to be the same every time (the bit 02 says: not a "
			  "manufacturer's).\n");
	for (size_t i = 0; i < plan->link_count; i++) {
		cable_end(plan, &plan->links[i], 0, "ip link add ", text);
		text_append(text, " \\\n\ttype veth");
		cable_end(plan, &plan->links[i], 1, " peer name ", text);
		text_append(text, "\n");
	}
}

static void script_long_names(const struct plan *plan, struct text *text)
{
	bool heard = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			if (!interface->long_name || is_switch(node))
				continue;
			if (!heard)
				text_append(text, "\n# An interface's name has at most 15 "
						  "characters. A longer one is an alternative\n"
						  "# name beside it, which ip takes as well (Linux "
						  "5.5 and newer).\n");
			heard = true;
			text_append(text, "ip -n %s link property add dev %s altname %s\n",
				node->node->name, interface->name, interface->long_name);
		}
	}
}

static void script_switches(const struct plan *plan, struct text *text)
{
	if (!count_nodes(plan, is_switch))
		return;
	text_append(text,
		"\n# ---- Switches\n"
		"# A switch is a node with a bridge, whose ports are its ends of the cables: it "
		"learns which\n"
		"# hardware address is behind which port. It has no IP address: hosts do not see "
		"it. The bridge comes\n"
		"# up last. `bridge -n %1$s link` shows the ports, `bridge -n %1$s fdb` what was "
		"learned.\n",
		first_node(plan, is_switch));
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		if (!is_switch(node))
			continue;
		text_append(text, "\nip -n %s link add " PLAN_BRIDGE_NAME " type bridge\n",
			node->node->name);
		for (size_t j = 0; j < node->interface_count; j++)
			text_append(text, "ip -n %s link set %s master " PLAN_BRIDGE_NAME " up\n",
				node->node->name, node->interfaces[j].name);
		text_append(text, "ip -n %s link set " PLAN_BRIDGE_NAME " up\n", node->node->name);
	}
}

static void script_interface(
	const struct plan_node *node, const struct plan_interface *interface, struct text *text)
{
	const char *name = node->node->name;
	struct ip_prefix ipv4 = interface->addresses[IPV4], ipv6 = interface->addresses[IPV6];
	/* sysctl takes '/' for '.', which a name may have. */
	if (node->has_ipv6 && !plan_has_address(interface, IPV6))
		text_append(text, "ip netns exec %s sysctl -qw net/ipv6/conf/%s/disable_ipv6=1\n",
			name, interface->name);
	if (plan_has_address(interface, IPV4))
		text_append(text, "ip -n %s addr add %s%s dev %s\n", name, IP_PREFIX_TEXT(ipv4),
			ipv4.length < 31 ? " brd +" : "", interface->name);
	text_append(text, "ip -n %s link set %s up\n", name, interface->name);
	if (plan_has_address(interface, IPV6))
		text_append(text, "ip -n %s addr add %s dev %s nodad\n", name, IP_PREFIX_TEXT(ipv6),
			interface->name);
}

static void script_addresses(const struct plan *plan, struct text *text)
{
	if (!count_nodes(plan, is_other))
		return;
	text_append(text, "\n# ---- Addresses\n"
			  "# An address with its prefix length makes a route too, which nobody has "
			  "to write: the subnet\n"
			  "# behind the interface. `brd +` is the highest address of the subnet, "
			  "for broadcasts.\n");
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		if (is_switch(node) || !node->interface_count)
			continue;
		text_append(text, "\n");
		for (size_t j = 0; j < node->interface_count; j++)
			script_interface(node, &node->interfaces[j], text);
	}
}

static void script_routes(const struct plan *plan, struct text *text)
{
	bool heard = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->route_count; j++) {
			const struct plan_route *route = &node->routes[j];
			if (!heard)
				text_append(text, "\n# ---- Routes\n"
						  "# A route says which neighbour a packet goes to "
						  "next. `default` is for all that no other\n"
						  "# route fits. The answer needs a way back: "
						  "there are routes in both directions.\n");
			heard = true;
			text_append(text, "%sip -n %s%s route add %s via %s proto static\n",
				j == 0 ? "\n" : "", node->node->name,
				route->gateway.family == IPV6 ? " -6" : "",
				route->destination.length ? IP_PREFIX_TEXT(route->destination)
							  : "default",
				IP_TEXT(route->gateway));
		}
	}
}

static void script_processes(const struct plan *plan, struct text *text)
{
	bool heard = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->process_count; j++) {
			const struct process_spec *spec = node->processes[j].spec;
			if (!heard)
				text_append(text,
					"\n# ---- Programs\n"
					"# `sim up` would now start these and wait until each can "
					"do its work. Each node also has, apart\n"
					"# from the network, a host name, a folder, /run and /tmp "
					"of its own, and an /etc/hosts with all\n"
					"# nodes' names; a network namespace alone has none of "
					"that.\n");
			heard = true;
			text_append(text, "#     ip netns exec %s ", node->node->name);
			comment_append(text, spec->command);
			text_append(text, "\n");
		}
	}
}

void export_script(const struct plan *plan, struct text *text)
{
	script_heading(plan, text);
	script_nodes(plan, text);
	script_cables(plan, text);
	script_long_names(plan, text);
	script_switches(plan, text);
	script_addresses(plan, text);
	script_routes(plan, text);
	script_sysctls(plan, false, text);
	script_rates(plan, text);
	script_rules(plan, text);
	script_commands(plan, text);
	script_processes(plan, text);
	text_append(text, ending, plan->topology->name, plan->node_count, plan->link_count);
}
