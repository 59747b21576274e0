/* Names, hardware addresses and indexes of interfaces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "plan/parts.h"

static struct plan_interface *interface_find(const struct plan_node *node, const char *name)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (strcmp(node->interfaces[i].name, name) == 0)
			return &node->interfaces[i];
	return NULL;
}

/* A name that is free, now and when the written ones of later links come. */
static void interface_choose_name(
	struct plan *plan, size_t node, char name[PLAN_INTERFACE_NAME_SIZE])
{
	bool is_switch = plan->nodes[node].node->kind == NODE_SWITCH;
	size_t number = is_switch ? plan->nodes[node].interface_count + 1 : 0;
	bool taken;
	do {
		snprintf(
			name, PLAN_INTERFACE_NAME_SIZE, is_switch ? "port%zu" : "eth%zu", number++);
		taken = interface_find(&plan->nodes[node], name) != NULL;
		/* Ports are never written out; a host's few interfaces may be. */
		for (size_t i = 0; !is_switch && !taken && i < plan->link_count; i++)
			for (size_t j = 0; j < 2; j++) {
				const struct link_end *end = &plan->links[i].link->ends[j];
				taken |= end->node == node && end->interface &&
					 strcmp(end->interface, name) == 0;
			}
	} while (taken);
}

static void interface_choose_mac(const struct node *node, struct plan_interface *interface)
{
	for (size_t i = 0; i < node->mac_count; i++) {
		if (strcmp(node->macs[i].interface, interface->name) == 0) {
			interface->mac = node->macs[i].mac;
			return;
		}
	}
	size_t link = interface->link + 1;
	interface->mac = (struct mac){{0x02, 0x4c, (uint8_t)(link >> 16), (uint8_t)(link >> 8),
		(uint8_t)link, (uint8_t)(interface->end + 1)}};
}

static int interface_add(struct plan *plan, size_t link, unsigned end, struct error *error)
{
	const struct link_end *written = &plan->links[link].link->ends[end];
	struct plan_node *node = &plan->nodes[written->node];
	char name[PLAN_INTERFACE_NAME_SIZE];
	if (written->interface)
		snprintf(name, sizeof(name), "%s", written->interface);
	else
		interface_choose_name(plan, written->node, name);
	if (interface_find(node, name))
		return plan_fail(plan, written->mark, error, "'%s' already has an interface '%s'",
			node->node->name, name);
	bool is_switch = node->node->kind == NODE_SWITCH;
	if (is_switch && node->interface_count == PLAN_BRIDGE_PORTS_MOST)
		return plan_fail(plan, written->mark, error,
			"switch '%s' has more than %d links: that is what a Linux bridge can take",
			node->node->name, PLAN_BRIDGE_PORTS_MOST);

	struct plan_interface *interface = array_add(&node->interfaces, &node->interface_count);
	if (!interface)
		return plan_out_of_memory(error);
	memcpy(interface->name, name, sizeof(name));
	unsigned first = is_switch ? PLAN_BRIDGE_IFINDEX + 1 : 2;
	interface->ifindex = first + (unsigned)node->interface_count - 1;
	interface->link = link;
	interface->end = end;
	interface_choose_mac(node->node, interface);
	plan->links[link].ends[end] =
		(struct plan_end){.node = written->node, .interface = node->interface_count - 1};
	return 0;
}

static int link_name(struct plan *plan, struct plan_link *link, struct error *error)
{
	const struct plan_node *first = &plan->nodes[link->ends[0].node];
	link->named_end = first->node->kind == NODE_SWITCH ? 1 : 0;
	const struct plan_end *end = &link->ends[link->named_end];
	const struct plan_node *node = &plan->nodes[end->node];
	link->name = text_format("%s:%s", node->node->name, node->interfaces[end->interface].name);
	return link->name ? 0 : plan_out_of_memory(error);
}

/* Hardware addresses that the file writes must each name an interface, and be its alone. */
static int check_macs(const struct plan *plan, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		for (size_t j = 0; j < node->mac_count; j++) {
			const struct interface_mac *written = &node->macs[j];
			if (!interface_find(&plan->nodes[i], written->interface))
				return plan_fail(plan, written->mark, error,
					"'%s' has no interface '%s' to give this hardware address "
					"to",
					node->name, written->interface);
			for (size_t k = 0; k <= i; k++) {
				const struct node *other = plan->nodes[k].node;
				size_t count = k == i ? j : other->mac_count;
				for (size_t l = 0; l < count; l++)
					if (mac_equal(other->macs[l].mac, written->mac))
						return plan_fail(plan, written->mark, error,
							"'%s' and '%s' have the same hardware "
							"address %s",
							other->name, node->name,
							MAC_TEXT(written->mac));
			}
		}
	}
	return 0;
}

int plan_interfaces(struct plan *plan, struct error *error)
{
	for (size_t i = 0; i < plan->link_count; i++) {
		for (unsigned end = 0; end < 2; end++) {
			int status = interface_add(plan, i, end, error);
			if (status < 0)
				return status;
		}
		int status = link_name(plan, &plan->links[i], error);
		if (status < 0)
			return status;
	}
	return check_macs(plan, error);
}
