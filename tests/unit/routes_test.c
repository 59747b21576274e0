/*
 * plan/: what leads where. Packets are forwarded through the plans of chains and of chance graphs
 * by the longest prefix that matches, as kernels do: each hop towards a subnet must be one nearer to
 * it, and a packet to an address that no subnet has must be refused somewhere, not circle.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "chance.h"
#include "plan/plan.h"
#include "topology/read.h"
#include "unit.h"

static char file_path[64];

static int plan_text(struct text *text, struct topology *topology, struct plan *plan)
{
	struct error error = {0};
	FILE *file = fopen(file_path, "we");
	if (!file || fputs(text_view(text), file) < 0 || fclose(file) != 0)
		abort();
	int status = topology_read(file_path, NULL, 0, topology, &error);
	if (status == 0)
		status = plan_make(topology, plan, &error);
	EXPECT(status == 0, "%s", error.text);
	return status;
}

enum { REFUSED = -1, ARRIVED = -2 };

/* The node with that address in one of the segments of `node`. */
static long gateway_node(const struct plan *plan, const struct plan_node *node, struct ip gateway)
{
	for (size_t i = 0; i < node->interface_count; i++) {
		size_t segment = plan->links[node->interfaces[i].link].segment;
		if (!ip_prefix_contains(node->interfaces[i].addresses[gateway.family], gateway))
			continue;
		for (size_t j = 0; j < 2 * plan->link_count; j++) {
			const struct plan_end *end = &plan->links[j / 2].ends[j % 2];
			const struct plan_interface *there =
				&plan->nodes[end->node].interfaces[end->interface];
			if (plan->links[j / 2].segment == segment &&
				ip_equal(there->addresses[gateway.family].address, gateway))
				return (long)end->node;
		}
	}
	EXPECT(false, "%s: no such gateway as %s", node->node->name, IP_TEXT(gateway));
	return REFUSED;
}

/* Where a router sends a packet: a node's index, or it has arrived in its subnet, or is refused. */
static long next_hop(const struct plan *plan, size_t at, struct ip address)
{
	const struct plan_node *node = &plan->nodes[at];
	const struct plan_route *best = NULL;
	for (size_t i = 0; i < node->interface_count; i++)
		if (ip_prefix_contains(node->interfaces[i].addresses[address.family], address))
			return ARRIVED;
	for (size_t i = 0; i < node->route_count; i++) {
		const struct plan_route *route = &node->routes[i];
		if (ip_prefix_contains(route->destination, address) &&
			(!best || route->destination.length > best->destination.length))
			best = route;
	}
	return best ? gateway_node(plan, node, best->gateway) : REFUSED;
}

/* How many hops each node is from a segment; those that are not joined with it: node_count. */
static void distances_find(
	const struct plan *plan, size_t segment, size_t *distances, size_t *segment_distances)
{
	for (size_t i = 0; i < plan->node_count; i++)
		distances[i] = plan->node_count;
	for (size_t i = 0; i < plan->segment_count; i++)
		segment_distances[i] = i == segment ? 0 : plan->node_count;
	for (bool better = true; better;) {
		better = false;
		for (size_t i = 0; i < 2 * plan->link_count; i++) {
			const struct plan_link *link = &plan->links[i / 2];
			size_t node = link->ends[i % 2].node;
			size_t *here = &distances[node], *wire = &segment_distances[link->segment];
			better |= *wire < *here;
			*here = *wire < *here ? *wire : *here;
			bool onward = plan->nodes[node].forwarding && *here + 1 < *wire;
			better |= onward;
			*wire = onward ? *here + 1 : *wire;
		}
	}
}

/* Each router sends what is for a subnet to one that is nearer to it, until one is in it. */
static void check_nearest(const struct plan *plan, enum ip_family family)
{
	CLEANUP(free_pointer) size_t *distances = calloc(plan->node_count, sizeof(*distances));
	CLEANUP(free_pointer) size_t *others = calloc(plan->segment_count, sizeof(*others));
	for (size_t i = 0; distances && others && i < plan->segment_count; i++) {
		struct ip address = plan->segments[i].subnets[family].address;
		size_t wrong = 0;
		address.number++;
		distances_find(plan, i, distances, others);
		for (size_t j = 0; j < plan->node_count; j++) {
			size_t distance = distances[j];
			if (!plan->nodes[j].forwarding)
				continue;
			long next = next_hop(plan, j, address);
			if (next >= 0)
				wrong += distances[next] + 1 != distance;
			else
				wrong += distance != (next == ARRIVED ? 0 : plan->node_count);
		}
		EXPECT(wrong == 0, "%s: %zu nodes send it elsewhere", IP_TEXT(address), wrong);
	}
}

/* From every router, packets to `address` come to an end. Returns how many hops all took. */
static size_t check_ends(const struct plan *plan, struct ip address)
{
	size_t all = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		size_t hops = 0;
		long at = plan->nodes[i].forwarding ? (long)i : REFUSED;
		for (; at >= 0 && hops <= plan->node_count; hops++)
			at = next_hop(plan, (size_t)at, address);
		EXPECT(at < 0, "from %s to %s a packet circles", plan->nodes[i].node->name,
			IP_TEXT(address));
		all += hops;
	}
	return all;
}

/* Also just before and behind each subnet, and anywhere. Addresses of no subnet travel, too. */
static void check_gaps(const struct plan *plan, enum ip_family family)
{
	size_t hops = 0;
	for (size_t i = 0; i < plan->segment_count; i++) {
		struct ip_prefix subnet = plan->segments[i].subnets[family];
		struct ip around[] = {
			ip_prefix_first(subnet), ip_prefix_last(subnet), ip_prefix_last(subnet)};
		around[0].number--;
		around[1].number++;
		around[2].number += random_below(1 << 16);
		for (size_t j = 0; j < sizeof(around) / sizeof(*around); j++)
			hops += check_ends(plan, around[j]);
	}
	EXPECT(hops > plan->segment_count * plan->node_count, "%zu hops", hops);
}

static size_t routes_most(const struct plan *plan)
{
	size_t most = 0;
	for (size_t i = 0; i < plan->node_count; i++)
		if (plan->nodes[i].route_count > most)
			most = plan->nodes[i].route_count;
	return most;
}

/* A chain whose links have every `step`-th /30 and /64; written: of node 50. */
static void chain_text(unsigned count, unsigned step, const char *written, struct text *ret_text)
{
	text_append(ret_text,
		"name: t\ntopology:\n  nodes:\n    r[0-49]: {kind: router}\n"
		"    r50: {kind: router%s%s}\n    r[51-%u]: {kind: router}\n"
		"  links:\n",
		*written ? ", routes: " : "", written, count);
	for (unsigned i = 0; i < count; i++)
		text_append(ret_text,
			"    - {endpoints: [r%u, r%u], ipv4: 10.%u.%u.%u/30, ipv6: "
			"\"2001:db8:0:%x::/64\"}\n",
			i, i + 1, i * step * 4 >> 16, i * step * 4 >> 8 & 255, i * step * 4 & 255,
			i * step);
}

static const struct {
	const char *what;
	unsigned count, step;
	const char *written;
	size_t most; /* routes of a router, of both families */
} chains[] = {
	/* What a range of n numbers takes as prefixes: up to twice the bits of n. */
	{"links side by side", 1000, 1, "", 2 * 2 * 9},
	{"with gaps", 1000, 64, "", 2 * 2 * 9},
	{"with gaps that divide nothing", 1000, 7, "", 2 * 2 * 12},
	{"a route elsewhere", 200, 64, "[{to: 192.0.2.0/24, via: r49}]", 2 * 2 * 7 + 1},
	{"a route to a gap", 200, 64, "[{to: 10.0.3.0/24, via: r49}]", 2 * 2 * 9 + 1},
	{"a route to a link", 200, 1, "[{to: 10.0.1.0/30, via: r51}]", 2 * 2 * 10 + 1},
	{"a default route", 200, 64, "[{to: default, via: r49}]", 2 * 199 + 2},
	{"a default route, side by side", 200, 1, "[{to: default, via: r49}]", 2 * 2 * 9 + 2},
	{"a route less", 200, 1, "[{to: 10.0.1.0/30, via: none}]", 2 * 2 * 10},
};

static void test_chains(void)
{
	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		CLEANUP(text_finish) struct text text = {0};
		CLEANUP(topology_finish) struct topology topology = {0};
		CLEANUP(plan_finish) struct plan plan = {0};
		chain_text(chains[i].count, chains[i].step, chains[i].written, &text);
		if (plan_text(&text, &topology, &plan) < 0)
			continue;
		EXPECT(routes_most(&plan) <= chains[i].most, "%s: %zu routes", chains[i].what,
			routes_most(&plan));
		if (!*chains[i].written && chains[i].count < 1000)
			check_nearest(&plan, IPV4);
	}
}

/* Routers joined by links and by switches, at chance, numbered at chance. */
static void graph_text(unsigned routers, struct text *text)
{
	unsigned links = routers + random_below(routers), lans = 4;
	uint8_t used[4096] = {0};
	text_append(text, "name: t\ntopology:\n  nodes:\n    r[0-%u]: {kind: router}\n", routers);
	for (unsigned i = 0; i < lans; i++)
		text_append(text,
			"    s%u: {kind: switch, ipv4: 10.200.%u.0/24, ipv6: "
			"\"2001:db8:f%x::/64\"}\n",
			i, 3 * i, i);
	text_append(text, "  links:\n");
	for (unsigned i = 0; i < 4 * lans; i++)
		text_append(
			text, "    - {endpoints: [r%u, s%u]}\n", random_below(routers), i % lans);
	for (unsigned i = 0; i < links; i++) {
		unsigned number, first = i < routers ? i + 1 : 1 + random_below(routers);
		do
			number = random_below(sizeof(used));
		while (used[number]++);
		text_append(text,
			"    - {endpoints: [r%u, r%u], ipv4: 10.%u.%u.%u/30, ipv6: "
			"\"2001:db8:0:%x::/64\"}\n",
			first, random_below(first), number >> 8, number & 255, random_below(64) * 4,
			number);
	}
}

static void test_graphs(void)
{
	for (unsigned i = 0; i < 12; i++) {
		CLEANUP(text_finish) struct text text = {0};
		CLEANUP(topology_finish) struct topology topology = {0};
		CLEANUP(plan_finish) struct plan plan = {0};
		graph_text(40 + random_below(40), &text);
		if (plan_text(&text, &topology, &plan) < 0)
			continue;
		for (size_t family = 0; family < IP_FAMILIES; family++) {
			check_nearest(&plan, (enum ip_family)family);
			check_gaps(&plan, (enum ip_family)family);
		}
	}
}

int main(void)
{
	snprintf(file_path, sizeof(file_path), "/tmp/routes_test.XXXXXX");
	int fd = mkstemp(file_path);
	if (fd < 0)
		return 1;
	close(fd);
	test_chains();
	test_graphs();
	unlink(file_path);
	return unit_finish();
}
