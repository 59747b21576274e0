/* `links:` of containerlab's files, in the brief form and in the extended one (manual/links). */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "exchange/containerlab.h"

static const char not_inside[] = "it leads out of the lab";

/* One end as the file says it. */
struct clab_end {
	char *node, *interface;
	struct mac mac;
	bool has_mac;
	yaml_node_t *place;
};

static void clab_end_finish(struct clab_end *end)
{
	free(end->node);
	free(end->interface);
	*end = (struct clab_end){0};
}

/* "node:interface"; with three parts the first one is the kind. */
static int read_brief_end(struct clab *lab, struct clab_end *end, struct error *error)
{
	CLEANUP(free_pointer) char *text = clab_text(lab, end->place);
	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	char *colon = strrchr(text, ':');
	if (!colon || colon == text || !colon[1])
		return yaml_fail(&lab->source, yaml_mark(end->place), error,
			"an endpoint is written as node:interface, not '%.60s'", text);
	*colon = '\0';
	end->node = strdup(text);
	end->interface = strdup(colon + 1);
	return end->node && end->interface ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int read_extended_end(struct clab *lab, struct clab_end *end, struct error *error)
{
	yaml_node_t *node = clab_find(lab, end->place, "node");
	yaml_node_t *interface = clab_find(lab, end->place, "interface");
	yaml_node_t *mac = clab_find(lab, end->place, "mac");
	if (!node || !interface)
		return yaml_fail(&lab->source, yaml_mark(end->place), error,
			"an endpoint needs `node` and `interface`");
	end->node = clab_text(lab, node);
	end->interface = clab_text(lab, interface);
	CLEANUP(free_pointer) char *address = mac ? clab_text(lab, mac) : strdup("");
	if (!end->node || !end->interface || !address)
		return error_set(error, -ENOMEM, "out of memory");
	end->has_mac = mac && clab_mac(address, &end->mac);
	if (mac && !end->has_mac)
		return yaml_fail(&lab->source, yaml_mark(mac), error,
			"'%.60s' is no interface's hardware address", address);
	return 0;
}

static long find_node(const struct clab *lab, const char *name)
{
	ENTRY *found, wanted = {.key = (char *)(uintptr_t)name};
	struct hsearch_data table = lab->by_name;
	return hsearch_r(wanted, FIND, &found, &table) ? (long)(intptr_t)found->data - 1 : -1;
}

/* An interface's name as ours: "ethernet-1/1" is ethernet-1-1. */
static char *interface_name(struct clab *lab, const struct clab_end *end)
{
	static const char *const reserved[] = {"lo", "all", "default"};
	char *name = name_fit(end->interface, "port", false);
	for (size_t i = 0; name && i < ARRAY_LENGTH(reserved); i++)
		if (strcmp(name, reserved[i]) == 0) {
			free(name);
			name = strdup("port");
		}
	if (name && strcmp(name, end->interface) != 0)
		network_note(lab->network, clab_line(end->place),
			"a name has letters, digits, '-', '_' and '.'; what is none is '-'",
			"names of interfaces");
	return name;
}

static int take_mac(struct network_node *node, struct mac address, const char *interface)
{
	struct network_mac *mac = array_add(&node->macs, &node->mac_count);
	if (!mac)
		return -ENOMEM;
	mac->mac = address;
	mac->interface = strdup(interface);
	return mac->interface ? 0 : -ENOMEM;
}

static int take_end(struct clab *lab, const struct clab_end *end, size_t node,
	struct network_end *result, struct error *error)
{
	struct clab_interface *said = NULL;
	struct clab_node *reading = &lab->nodes[node];
	for (size_t i = 0; !said && i < reading->interface_count; i++)
		if (strcmp(reading->interfaces[i].name, end->interface) == 0)
			said = &reading->interfaces[i];
	result->node = node;
	result->interface =
		said && said->long_name ? strdup(said->long_name) : interface_name(lab, end);
	if (!result->interface)
		return error_set(error, -ENOMEM, "out of memory");
	if (!said && !(said = clab_interface(reading, end->interface)))
		return error_set(error, -ENOMEM, "out of memory");
	/* A command comes after the link, and changes what that says. */
	if ((end->has_mac || said->has_mac) && !said->linked &&
		take_mac(&lab->network->nodes[node], said->has_mac ? said->mac : end->mac,
			result->interface) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	result->exact = said->line != 0;
	memcpy(result->addresses, said->addresses, sizeof(result->addresses));
	result->rate = said->rate;
	said->linked = true;
	return 0;
}

/* Whether it is the machine, or a network of it. */
static bool leads_out(const struct clab *lab, const struct clab_end *end)
{
	static const char *const special[] = {"host", "mgmt-net", "macvlan", "dummy"};
	long index = find_node(lab, end->node);
	if (index >= 0)
		return lab->network->nodes[index].left_out;
	for (size_t i = 0; i < ARRAY_LENGTH(special); i++)
		if (strcmp(end->node, special[i]) == 0)
			return true;
	return false;
}

static int add_link(struct clab *lab, yaml_node_t *place, const struct clab_end ends[static 2],
	unsigned mtu, struct error *error)
{
	long nodes[2];
	for (size_t i = 0; i < 2; i++) {
		nodes[i] = find_node(lab, ends[i].node);
		if (leads_out(lab, &ends[i])) {
			network_note(lab->network, clab_line(place), not_inside,
				"the link to %.60s", ends[i].node);
			return 0;
		}
		if (nodes[i] < 0)
			return yaml_fail(&lab->source, yaml_mark(ends[i].place), error,
				"there is no node '%.60s'", ends[i].node);
	}
	if (nodes[0] == nodes[1]) {
		network_note(lab->network, clab_line(place), "a node is not linked to itself",
			"the link from %.60s to itself", ends[0].node);
		return 0;
	}
	struct network_link *link = network_add_link(lab->network, error);
	if (!link)
		return error->code;
	link->mtu = mtu == 1500 ? 0 : mtu;
	int status = take_end(lab, &ends[0], (size_t)nodes[0], &link->ends[0], error);
	return status < 0 ? status
			  : take_end(lab, &ends[1], (size_t)nodes[1], &link->ends[1], error);
}

static int read_mtu(struct clab *lab, yaml_node_t *link, unsigned *ret_mtu, struct error *error)
{
	yaml_node_t *mtu = clab_find(lab, link, "mtu");
	uint64_t number;
	*ret_mtu = 0;
	if (!mtu) {
		network_note(lab->network, clab_line(link),
			"here links have the kernel's 1500 bytes; `mtu` can say 9500",
			"containerlab's default MTU of 9500 bytes");
		return 0;
	}
	CLEANUP(free_pointer) char *text = clab_text(lab, mtu);
	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	if (!text_parse_number(text, 68, 65535, &number))
		return yaml_fail(&lab->source, yaml_mark(mtu), error,
			"mtu must be 68 to 65535 bytes, not '%.60s'", text);
	*ret_mtu = (unsigned)number;
	return 0;
}

/* Keys that a link has besides: values for templates, and addresses for them. */
static void note_keys(struct clab *lab, yaml_node_t *link)
{
	static const char *const keys[] = {"vars", "labels", "ipv4", "ipv6"};
	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
		yaml_node_t *found = clab_find(lab, link, keys[i]);
		if (found)
			network_note(lab->network, clab_line(found),
				"they are for templates of vendors' configurations", "%s of links",
				keys[i]);
	}
}

static int read_link(struct clab *lab, yaml_node_t *link, struct error *error)
{
	struct yaml_source *source = &lab->source;
	yaml_node_t *type = clab_find(lab, link, "type");
	yaml_node_t *endpoints = clab_find(lab, link, "endpoints");
	const char *kind = type ? yaml_plain_text(type) : "veth";
	if (kind && strcmp(kind, "veth") != 0) {
		network_note(
			lab->network, clab_line(link), not_inside, "a link of type %.60s", kind);
		return 0;
	}
	if (!endpoints || !yaml_is_sequence(endpoints) || yaml_sequence_length(endpoints) != 2)
		return yaml_fail(source, yaml_mark(endpoints ? endpoints : link), error,
			"a link needs two `endpoints`");
	CLEANUP(clab_end_finish) struct clab_end first = {0};
	CLEANUP(clab_end_finish) struct clab_end second = {0};
	struct clab_end *ends[] = {&first, &second};
	unsigned mtu = 0;
	int status = yaml_count(source, link, 4, error);
	for (size_t i = 0; status == 0 && i < 2; i++) {
		ends[i]->place = yaml_sequence_item(source, endpoints, i);
		status = yaml_is_scalar(ends[i]->place) ? read_brief_end(lab, ends[i], error)
							: read_extended_end(lab, ends[i], error);
	}
	if (status == 0)
		status = read_mtu(lab, link, &mtu, error);
	if (status < 0)
		return status;
	note_keys(lab, link);
	return add_link(lab, link, (struct clab_end[2]){first, second}, mtu, error);
}

void clab_forget_planned_names(struct clab *lab)
{
	struct network *network = lab->network;
	size_t *counts = calloc(network->node_count + 1, sizeof(*counts));
	bool *differ = calloc(network->node_count + 1, sizeof(*differ));
	for (size_t pass = 0; counts && differ && pass < 2; pass++) {
		memset(counts, 0, network->node_count * sizeof(*counts));
		for (size_t i = 0; i < 2 * network->link_count; i++) {
			struct network_end *end = &network->links[i / 2].ends[i % 2];
			bool port = network->nodes[end->node].kind == NODE_SWITCH;
			CLEANUP(free_pointer)
			char *planned = text_format("eth%zu", counts[end->node]++);
			if (pass == 0)
				differ[end->node] |=
					!port && (!planned || strcmp(planned, end->interface) != 0);
			if (pass == 0 || differ[end->node])
				continue;
			free(end->interface);
			end->interface = NULL;
		}
	}
	free(counts);
	free(differ);
}

static int index_nodes(struct clab *lab)
{
	if (!hcreate_r(2 * lab->node_count + 16, &lab->by_name))
		return -ENOMEM;
	for (size_t i = 0; i < lab->node_count; i++) {
		ENTRY *found, entry = {(char *)(uintptr_t)lab->nodes[i].name,
				      (void *)(intptr_t)(i + 1)}; /* a number */
		hsearch_r(entry, ENTER, &found, &lab->by_name);
	}
	return 0;
}

int clab_links(struct clab *lab, yaml_node_t *links, struct error *error)
{
	if (index_nodes(lab) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	int status = yaml_require_sequence(&lab->source, links, "links", error);
	size_t length = status < 0 ? 0 : yaml_sequence_length(links);
	for (size_t i = 0; status == 0 && i < length; i++)
		status = read_link(lab, yaml_sequence_item(&lab->source, links, i), error);
	return status;
}
