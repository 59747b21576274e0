/* Names, hardware addresses and indexes of interfaces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "plan/parts.h"

const struct plan_interface *plan_find_interface(const struct plan_node *node, const char *name)
{
	for (size_t i = 0; i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		if (strcmp(interface->name, name) == 0 ||
			(interface->long_name && strcmp(interface->long_name, name) == 0))
			return interface;
	}
	return NULL;
}

/* An interface's name as a link writes it. */
struct written_name {
	size_t node;
	const char *name;
	struct mark mark;
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

/* With the same name, in the order of the file. */
static int written_name_order(const void *a, const void *b)
{
	const struct written_name *left = a, *right = b;
	int order = written_name_compare(a, b);
	return order ? order : mark_compare(left->mark, right->mark);
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
					(struct written_name){end->node, end->interface, end->mark};
		}
	qsort(naming->written, naming->written_count, sizeof(*naming->written), written_name_order);
	int result = 0;
	for (size_t i = 1; i < naming->written_count; i++) {
		const struct written_name *name = &naming->written[i];
		if (written_name_compare(name - 1, name) != 0)
			continue;
		int status =
			plan_fail(plan, name->mark, error, "'%s' already has an interface '%s'",
				plan->nodes[name->node].node->name, name->name);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

/* A name that no link writes, also no later one. */
static void interface_choose_name(const struct plan *plan, struct naming *naming, size_t node,
	char name[PLAN_INTERFACE_NAME_SIZE])
{
	bool is_switch = plan->nodes[node].node->kind == NODE_SWITCH;
	struct written_name chosen = {.node = node, .name = name};
	do
		snprintf(name, PLAN_INTERFACE_NAME_SIZE, is_switch ? "port%zu" : "eth%zu",
			is_switch + naming->next[node]++);
	while (bsearch(&chosen, naming->written, naming->written_count, sizeof(chosen),
		written_name_compare));
}

static const struct interface_mac *mac_written(
	const struct node *node, const struct plan_interface *interface)
{
	for (size_t i = 0; i < node->mac_count; i++)
		if (strcmp(node->macs[i].interface, interface->name) == 0 ||
			(interface->long_name &&
				strcmp(node->macs[i].interface, interface->long_name) == 0))
			return &node->macs[i];
	return NULL;
}

static void interface_choose_mac(const struct node *node, struct plan_interface *interface)
{
	const struct interface_mac *written = mac_written(node, interface);
	if (written) {
		interface->mac = written->mac;
		return;
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
	bool is_long = written->interface && strlen(written->interface) >= PLAN_INTERFACE_NAME_SIZE;
	char name[PLAN_INTERFACE_NAME_SIZE];
	if (written->interface && !is_long)
		snprintf(name, sizeof(name), "%s", written->interface);
	else
		interface_choose_name(plan, naming, written->node, name);
	bool is_switch = node->node->kind == NODE_SWITCH;
	struct plan_interface *interface = array_add(&node->interfaces, &node->interface_count);
	if (!interface)
		return plan_out_of_memory(error);
	memcpy(interface->name, name, sizeof(name));
	interface->long_name = is_long ? written->interface : NULL;
	unsigned first = is_switch ? PLAN_BRIDGE_IFINDEX + 1 : 2;
	interface->ifindex = first + (unsigned)node->interface_count - 1;
	interface->link = link;
	interface->end = end;
	interface->rate = written->rate;
	interface_choose_mac(node->node, interface);
	plan->links[link].ends[end] =
		(struct plan_end){.node = written->node, .interface = node->interface_count - 1};
	return 0;
}

static int link_name(struct plan *plan, struct plan_link *link, struct error *error)
{
	const struct plan_node *first = &plan->nodes[link->ends[0].node];
	link->named_end = first->node->kind == NODE_SWITCH ? 1 : 0;
	const bool *captured = plan->topology->captured;
	link->captured = plan->topology->capture && (!captured || captured[link->ends[0].node] ||
							    captured[link->ends[1].node]);
	const struct plan_end *end = &link->ends[link->named_end];
	const struct plan_node *node = &plan->nodes[end->node];
	link->name = text_format(
		"%s:%s", node->node->name, plan_shown_name(&node->interfaces[end->interface]));
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
	return order ? order : mark_compare(left->mark, right->mark);
}

static struct mark mac_mark(const struct node *node, const struct plan_interface *interface)
{
	const struct interface_mac *written = mac_written(node, interface);
	return written ? written->mark : (struct mark){0};
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
	int result = 0;
	for (size_t i = 1; i < count; i++) {
		if (!mac_equal(uses[i - 1].mac, uses[i].mac))
			continue;
		int status = plan_fail(plan, uses[i].mark, error,
			"'%s' and '%s' have the same hardware address %s", uses[i - 1].node,
			uses[i].node, MAC_TEXT(uses[i].mac));
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

/* Hardware addresses that the file writes must each name an interface. */
static int check_macs(const struct plan *plan, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		for (size_t j = 0; j < node->mac_count; j++) {
			const struct interface_mac *mac = &node->macs[j];
			/* Where links could not be read they may be what is missed. */
			if ((plan->topology->missing & MISSING_LINKS) ||
				plan_find_interface(&plan->nodes[i], mac->interface))
				continue;
			int status = plan_fail(plan, mac->mark, error,
				"'%s' has no interface '%s' to give this hardware address to",
				node->name, mac->interface);
			if (!plan_goes_on(plan, status, &result))
				return result;
		}
	}
	int status = check_macs_differ(plan, error);
	return result < 0 ? result : status;
}

static int check_ports(const struct plan *plan, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		if (node->node->kind != NODE_SWITCH ||
			node->interface_count <= PLAN_BRIDGE_PORTS_MOST)
			continue;
		const struct plan_interface *first = &node->interfaces[PLAN_BRIDGE_PORTS_MOST];
		int status = plan_fail(plan, plan_written_end(plan, first)->mark, error,
			"switch '%s' has more than %d links: that is what a Linux bridge can take",
			node->node->name, PLAN_BRIDGE_PORTS_MOST);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}

int plan_interfaces(struct plan *plan, struct error *error)
{
	CLEANUP(naming_finish) struct naming naming = {0};
	int result = 0;
	if (!plan_goes_on(plan, naming_begin(plan, &naming, error), &result))
		return result;
	for (size_t i = 0; i < plan->link_count; i++) {
		int status = interface_add(plan, i, 0, &naming, error);
		if (status == 0)
			status = interface_add(plan, i, 1, &naming, error);
		if (status == 0)
			status = link_name(plan, &plan->links[i], error);
		if (status < 0)
			return status;
	}
	if (!plan_goes_on(plan, check_ports(plan, error), &result))
		return result;
	int status = check_macs(plan, error);
	return result < 0 ? result : status;
}
