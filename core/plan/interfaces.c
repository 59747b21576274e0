/* Names, hardware addresses and indexes of interfaces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "plan/parts.h"

static struct plan_interface *interface_find(const struct plan_node *node, const char *name)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (strcmp(node->interfaces[i].name, name) == 0)
			return &node->interfaces[i];
	return NULL;
}

/* An interface's name as a link writes it. */
struct written_name {
	size_t node;
	const char *name;
};

/* What names are written, sorted; and the number by node that its next chosen name may have. */
struct naming {
	struct written_name *written;
	size_t written_count;
	size_t *next;
};

static void naming_finish(struct naming *naming)
{
	free(naming->written);
	free(naming->next);
}

static int written_name_compare(const void *a, const void *b)
{
	const struct written_name *left = a, *right = b;
	if (left->node != right->node)
		return left->node < right->node ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int naming_begin(const struct plan *plan, struct naming *naming, struct error *error)
{
	naming->written = calloc(2 * plan->link_count + 1, sizeof(*naming->written));
	naming->next = calloc(plan->node_count + 1, sizeof(*naming->next));
	if (!naming->written || !naming->next)
		return plan_out_of_memory(error);
	for (size_t i = 0; i < plan->link_count; i++)
		for (size_t j = 0; j < 2; j++) {
			const struct link_end *end = &plan->links[i].link->ends[j];
			if (end->interface)
				naming->written[naming->written_count++] =
					(struct written_name){end->node, end->interface};
		}
	qsort(naming->written, naming->written_count, sizeof(*naming->written),
		written_name_compare);
	return 0;
}

/* A name that no link writes, also no later one. */
static void interface_choose_name(const struct plan *plan, struct naming *naming, size_t node,
	char name[PLAN_INTERFACE_NAME_SIZE])
{
	bool is_switch = plan->nodes[node].node->kind == NODE_SWITCH;
	struct written_name chosen = {node, name};
	do
		snprintf(name, PLAN_INTERFACE_NAME_SIZE, is_switch ? "port%zu" : "eth%zu",
			is_switch + naming->next[node]++);
	while (bsearch(&chosen, naming->written, naming->written_count, sizeof(chosen),
		written_name_compare));
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

static int interface_add(
	struct plan *plan, size_t link, unsigned end, struct naming *naming, struct error *error)
{
	const struct link_end *written = &plan->links[link].link->ends[end];
	struct plan_node *node = &plan->nodes[written->node];
	char name[PLAN_INTERFACE_NAME_SIZE];
	if (written->interface)
		snprintf(name, sizeof(name), "%s", written->interface);
	else
		interface_choose_name(plan, naming, written->node, name);
	if (written->interface && interface_find(node, name))
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

/* An interface's hardware address, and where it is written. */
struct mac_use {
	struct mac mac;
	const char *node;
	struct mark mark; /* line 0: chosen here */
};

static int mac_use_compare(const void *a, const void *b)
{
	const struct mac_use *left = a, *right = b;
	int order = memcmp(left->mac.bytes, right->mac.bytes, sizeof(left->mac.bytes));
	if (order)
		return order;
	return left->mark.line < right->mark.line ? -1 : left->mark.line > right->mark.line;
}

static struct mark mac_mark(const struct node *node, const struct plan_interface *interface)
{
	for (size_t i = 0; i < node->mac_count; i++)
		if (strcmp(node->macs[i].interface, interface->name) == 0)
			return node->macs[i].mark;
	return (struct mark){0};
}

/* Each hardware address must be one interface's alone. */
static int check_macs_differ(const struct plan *plan, struct error *error)
{
	CLEANUP(free_pointer)
	struct mac_use *uses = calloc(2 * plan->link_count + 1, sizeof(*uses));
	size_t count = 0;
	if (!uses)
		return plan_out_of_memory(error);
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++)
			uses[count++] = (struct mac_use){node->interfaces[j].mac, node->node->name,
				mac_mark(node->node, &node->interfaces[j])};
	}
	qsort(uses, count, sizeof(*uses), mac_use_compare);
	for (size_t i = 1; i < count; i++)
		if (mac_equal(uses[i - 1].mac, uses[i].mac))
			return plan_fail(plan, uses[i].mark, error,
				"'%s' and '%s' have the same hardware address %s", uses[i - 1].node,
				uses[i].node, MAC_TEXT(uses[i].mac));
	return 0;
}

/* Hardware addresses that the file writes must each name an interface. */
static int check_macs(const struct plan *plan, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		for (size_t j = 0; j < node->mac_count; j++)
			if (!interface_find(&plan->nodes[i], node->macs[j].interface))
				return plan_fail(plan, node->macs[j].mark, error,
					"'%s' has no interface '%s' to give this hardware address "
					"to",
					node->name, node->macs[j].interface);
	}
	return check_macs_differ(plan, error);
}

int plan_interfaces(struct plan *plan, struct error *error)
{
	CLEANUP(naming_finish) struct naming naming = {0};
	int status = naming_begin(plan, &naming, error);
	if (status < 0)
		return status;
	for (size_t i = 0; i < plan->link_count; i++) {
		for (unsigned end = 0; end < 2; end++) {
			status = interface_add(plan, i, end, &naming, error);
			if (status < 0)
				return status;
		}
		status = link_name(plan, &plan->links[i], error);
		if (status < 0)
			return status;
	}
	return check_macs(plan, error);
}
