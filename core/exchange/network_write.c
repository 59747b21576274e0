/* A network as a topology file that a person reads and goes on with. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "exchange/comment.h"
#include "exchange/network.h"
#include "topology/rate.h"

enum { NOTE_LINES = 8 }; /* that are told */

/* A name as a YAML scalar: in quotes where another reader would take it for a number or a truth. */
static void write_name(const char *name, struct text *text)
{
	static const char *const words[] = {
		"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
	bool quoted = !isalpha((unsigned char)name[0]);
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		quoted |= strcasecmp(words[i], name) == 0;
	text_append(text, quoted ? "\"%s\"" : "%s", name);
}

static size_t part_of(size_t *parts, size_t node)
{
	while (parts[node] != node)
		node = parts[node] = parts[parts[node]];
	return node;
}

/* In how many pieces the network falls. */
static size_t count_parts(const struct network *network)
{
	CLEANUP(free_pointer) size_t *parts = calloc(network->node_count + 1, sizeof(*parts));
	size_t count = network->node_count;
	if (!parts)
		return 1;
	for (size_t i = 0; i < network->node_count; i++) {
		parts[i] = i;
		count -= network->nodes[i].left_out;
	}
	for (size_t i = 0; i < network->link_count; i++) {
		const struct network_end *ends = network->links[i].ends;
		size_t a = part_of(parts, ends[0].node), b = part_of(parts, ends[1].node);
		count -= a != b;
		parts[a] = b;
	}
	return count;
}

static void write_count(size_t count, const char *one, const char *many, struct text *text)
{
	if (count)
		text_append(text, " %zu %s,", count, count == 1 ? one : many);
}

static void write_heading(const struct network *network, const char *path, struct text *text)
{
	size_t kinds[ARRAY_LENGTH(node_kind_names)] = {0};
	const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	for (size_t i = 0; i < network->node_count; i++)
		kinds[network->nodes[i].kind] += !network->nodes[i].left_out;
	text_append(text, "# By sim import from ");
	comment_excerpt(text, file);
	text_append(text, ":");
	write_count(kinds[NODE_ROUTER], "router", "routers", text);
	write_count(kinds[NODE_SWITCH], "switch", "switches", text);
	write_count(kinds[NODE_HOST], "host", "hosts", text);
	text_append(text, " %zu link%s.\n", network->link_count, TEXT_PLURAL(network->link_count));
	for (const char *line = network->heading; line && *line;) {
		size_t length = strcspn(line, "\n");
		CLEANUP(free_pointer) char *one = strndup(line, length);
		text->failed |= !one;
		text_append(text, "# ");
		comment_excerpt(text, one ? one : "");
		text_append(text, "\n");
		line += length + (line[length] == '\n');
	}
	size_t parts = count_parts(network);
	if (parts > 1)
		text_append(text, "# It falls into %zu parts that no link joins.\n", parts);
}

static void write_note(const struct note *note, struct text *text)
{
	text_append(text, "#   ");
	comment_append(text, note->what);
	size_t shown = note->count < NOTE_LINES ? note->count : NOTE_LINES;
	for (size_t i = 0; note->lines[0] && i < shown; i++)
		text_append(text,
			i		  ? ", %u"
			: note->count > 1 ? " (lines %u"
					  : " (line %u",
			note->lines[i]);
	if (note->lines[0] && note->count > shown)
		text_append(text, " and %zu more", note->count - shown);
	text_append(text, "%s - %s\n", note->lines[0] ? ")" : "", note->why);
}

static void write_notes(const struct network *network, struct text *text)
{
	if (network->note_count || network->notes_lost)
		text_append(text, "#\n# Not taken over:\n");
	for (size_t i = 0; i < network->note_count; i++)
		write_note(&network->notes[i], text);
	if (network->notes_lost)
		text_append(text, "#   and %zu things more\n", network->notes_lost);
}

static void write_routes(const struct network_node *node, struct text *text)
{
	if (node->own_routes && !node->route_count)
		text_append(text, "      routes: none\n");
	else if (node->route_count)
		text_append(text, "      routes:\n");
	for (size_t i = 0; i < node->route_count; i++) {
		const struct network_route *route = &node->routes[i];
		text_append(text, "        - {to: %s%s%s, via: \"%s\"}\n",
			route->is_default ? "" : "\"",
			route->is_default ? "default" : IP_PREFIX_TEXT(route->destination),
			route->is_default ? "" : "\"", IP_TEXT(route->gateway));
	}
	if (node->own_routes && node->route_count)
		text_append(text, "        - none # but these\n");
}

static void write_environment(const struct network_node *node, struct text *text)
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

static void write_node(const struct network_node *node, struct text *text)
{
	bool plain = !node->route_count && !node->own_routes && !node->mac_count &&
		     !node->environment_count;
	text_append(text, "    ");
	write_name(node->name, text);
	if (plain && node->kind == NODE_HOST)
		text_append(text, ": {}");
	else if (plain)
		text_append(text, ": {kind: %s}", node_kind_names[node->kind]);
	else
		text_append(text, ":");
	if (node->comment && *node->comment) {
		text_append(text, " # ");
		comment_excerpt(text, node->comment);
	}
	text_append(text, "\n");
	if (plain)
		return;
	if (node->kind != NODE_HOST)
		text_append(text, "      kind: %s\n", node_kind_names[node->kind]);
	if (node->mac_count)
		text_append(text, "      mac:\n");
	for (size_t i = 0; i < node->mac_count; i++)
		text_append(text, "        \"%s\": \"%s\"\n", node->macs[i].interface,
			MAC_TEXT(node->macs[i].mac));
	write_environment(node, text);
	write_routes(node, text);
}

static void write_end(
	const struct network *network, const struct network_end *end, struct text *text)
{
	const char *name = network->nodes[end->node].name;
	if (end->interface)
		text_append(text, "\"%s:%s\"", name, end->interface);
	else
		write_name(name, text);
}

/* `ipv4: [10.0.0.1/24, auto]`, where anything else than auto is said. */
static void write_addresses(const struct network *network, const struct network_link *link,
	enum ip_family family, struct text *text)
{
	bool said[2], given[2];
	for (size_t i = 0; i < 2; i++) {
		const struct network_end *end = &link->ends[i];
		given[i] = !ip_is_none(end->addresses[family].address);
		said[i] = given[i] || (end->exact && network->nodes[end->node].kind != NODE_SWITCH);
	}
	if (!said[0] && !said[1])
		return;
	text_append(text, ", %s: [", ip_family_keys[family]);
	for (size_t i = 0; i < 2; i++) {
		struct ip_prefix address = link->ends[i].addresses[family];
		if (given[i])
			text_append(text, "\"%s\"", IP_PREFIX_TEXT(address));
		else
			text_append(text, said[i] ? "none" : "auto");
		text_append(text, i ? "]" : ", ");
	}
}

static void write_rates(const struct network_link *link, struct text *text)
{
	const struct network_end *ends = link->ends;
	char rates[2][RATE_TEXT_SIZE];
	for (size_t i = 0; i < 2; i++)
		if (ends[i].rate)
			rate_format(ends[i].rate, rates[i]);
		else
			snprintf(rates[i], sizeof(rates[i]), "none");
	if (ends[0].rate && ends[0].rate == ends[1].rate)
		text_append(text, ", rate: %s", rates[0]);
	else if (ends[0].rate || ends[1].rate)
		text_append(text, ", rate: [%s, %s]", rates[0], rates[1]);
}

static void write_link(const struct network *network, const struct network_link *link,
	bool has_ipv6, struct text *text)
{
	text_append(text, "    - {endpoints: [");
	write_end(network, &link->ends[0], text);
	text_append(text, ", ");
	write_end(network, &link->ends[1], text);
	text_append(text, "]");
	write_addresses(network, link, IPV4, text);
	if (has_ipv6)
		write_addresses(network, link, IPV6, text);
	if (link->mtu)
		text_append(text, ", mtu: %u", link->mtu);
	write_rates(link, text);
	text_append(text, "}");
	if (link->comment && *link->comment) {
		text_append(text, " # ");
		comment_excerpt(text, link->comment);
	}
	text_append(text, "\n");
}

/* Where there is none at all, that an interface has none goes without saying. */
static bool uses_ipv6(const struct network *network)
{
	for (size_t i = 0; i < network->link_count; i++)
		for (size_t j = 0; j < 2; j++)
			if (!ip_is_none(network->links[i].ends[j].addresses[IPV6].address))
				return true;
	return false;
}

/* Whether the plan has to find an address. */
static bool wants_addresses(const struct network *network)
{
	for (size_t i = 0; i < network->link_count; i++)
		for (size_t j = 0; j < 2; j++) {
			const struct network_end *end = &network->links[i].ends[j];
			if (!end->exact && network->nodes[end->node].kind != NODE_SWITCH &&
				ip_is_none(end->addresses[IPV4].address))
				return true;
		}
	return false;
}

void network_write(const struct network *network, const char *path, struct text *text)
{
	bool has_ipv6 = uses_ipv6(network);
	write_heading(network, path, text);
	write_notes(network, text);
	text_append(text, "name: ");
	write_name(network->name, text);
	if (network->title && *network->title) {
		text_append(text, "\ntitle: ");
		comment_quote(text, network->title);
	}
	text_append(text, "\ntopology:\n");
	if (wants_addresses(network))
		text_append(
			text, "  ipv4: 10.0.0.0/8 # for what has no address below: see sim plan\n");
	text_append(text, "  nodes:%s\n", network->node_count ? "" : " {}");
	for (size_t i = 0; i < network->node_count; i++)
		if (!network->nodes[i].left_out)
			write_node(&network->nodes[i], text);
	text_append(text, "  links:%s\n", network->link_count ? "" : " []");
	for (size_t i = 0; i < network->link_count; i++)
		write_link(network, &network->links[i], has_ipv6, text);
}
