/* `links:` of a file: they name nodes, which must have been read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/range.h"
#include "topology/rate.h"
#include "topology/read_parts.h"

/* A link as written: ends may be ranges, and become links only when all keys are known. */
struct link_entry {
	char *ends[2];
	struct mark end_marks[2];
	enum address_choice choices[2][IP_FAMILIES];
	struct ip_prefix addresses[2][IP_FAMILIES];
	struct ip_prefix subnets[IP_FAMILIES];
	uint64_t rates[2];
	unsigned mtu;
};

static int read_endpoints(const struct yaml_value *value, void *target, struct error *error)
{
	struct link_entry *entry = target;
	if (!yaml_is_sequence(value->node) || yaml_sequence_length(value->node) != 2)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"endpoints must be a list of two ends like [\"client1:eth0\", lan-a]");
	int status = 0;
	for (size_t i = 0; status == 0 && i < 2; i++) {
		yaml_node_t *item = yaml_sequence_item(value->source, value->node, i);
		entry->end_marks[i] = yaml_mark(item);
		status = yaml_read_text(value->source, item, "an endpoint", &entry->ends[i], error);
	}
	return status;
}

/* One end's `ipv4` or `ipv6`: none, auto, or an address. */
static int read_end_address(const struct yaml_value *value, enum ip_family family,
	struct link_entry *entry, size_t end, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, value->name, &text, error);
	if (status < 0)
		return status;
	if (strcmp(text, "auto") == 0)
		return 0;
	bool none = strcmp(text, "none") == 0;
	entry->choices[end][family] = none ? ADDRESS_NONE : ADDRESS_GIVEN;
	return none ? 0 : yaml_read_prefix(value, family, &entry->addresses[end][family], error);
}

/* For both ends: none, auto, or the subnet that the link has. */
static int read_link_subnet(const struct yaml_value *value, enum ip_family family,
	struct link_entry *entry, struct error *error)
{
	int status = read_end_address(value, family, entry, 0, error);
	if (status < 0)
		return status;
	if (entry->choices[0][family] == ADDRESS_GIVEN) {
		entry->choices[0][family] = ADDRESS_AUTOMATIC;
		status = yaml_read_subnet(value, family, &entry->subnets[family], error);
	}
	entry->choices[1][family] = entry->choices[0][family];
	return status;
}

/* A list has one entry an end, in the order of endpoints. */
static int read_link_addresses(const struct yaml_value *value, enum ip_family family,
	struct link_entry *entry, struct error *error)
{
	if (yaml_is_scalar(value->node))
		return read_link_subnet(value, family, entry, error);
	int status = yaml_require_sequence(value->source, value->node, value->name, error);
	size_t length = yaml_sequence_length(value->node);
	if (status == 0 && length > 2)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s has %zu entries for two endpoints", value->name, length);
	for (size_t i = 0; status == 0 && i < length; i++) {
		struct yaml_value item = *value;
		item.node = yaml_sequence_item(value->source, value->node, i);
		status = read_end_address(&item, family, entry, i, error);
	}
	return status;
}

static int read_link_ipv4(const struct yaml_value *value, void *target, struct error *error)
{
	return read_link_addresses(value, IPV4, target, error);
}

static int read_link_ipv6(const struct yaml_value *value, void *target, struct error *error)
{
	return read_link_addresses(value, IPV6, target, error);
}

static int read_mtu(const struct yaml_value *value, void *target, struct error *error)
{
	struct link_entry *entry = target;
	uint64_t mtu;
	int status = yaml_read_number(value->source, value->node, "mtu", 65535, &mtu, error);
	if (status == 0 && mtu < 68)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"mtu must be 68 to 65535 bytes: IPv4 needs 68");
	entry->mtu = (unsigned)mtu;
	return status;
}

static int read_end_rate(
	const struct yaml_value *value, yaml_node_t *node, uint64_t *ret_rate, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, node, "rate", &text, error);
	if (status < 0 || strcmp(text, "none") == 0)
		return status;
	if (!rate_parse(text, ret_rate))
		return yaml_fail(value->source, yaml_mark(node), error,
			"rate must be 1kbit to 16gbit a second like 10mbit, or none, not '%s'",
			text);
	return 0;
}

/* One value is for both ends; a list has one an end, in the order of endpoints. */
static int read_rate(const struct yaml_value *value, void *target, struct error *error)
{
	struct link_entry *entry = target;
	int status = 0;
	if (yaml_is_scalar(value->node)) {
		status = read_end_rate(value, value->node, &entry->rates[0], error);
		entry->rates[1] = entry->rates[0];
		return status;
	}
	status = yaml_require_sequence(value->source, value->node, value->name, error);
	size_t length = yaml_sequence_length(value->node);
	if (status == 0 && length > 2)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s has %zu entries for two endpoints", value->name, length);
	for (size_t i = 0; status == 0 && i < length; i++)
		status = read_end_rate(value, yaml_sequence_item(value->source, value->node, i),
			&entry->rates[i], error);
	return status;
}

static int check_interface_name(
	struct yaml_source *source, struct mark mark, const char *name, struct error *error)
{
	static const char *const reserved[] = {"lo", "all", "default"};
	bool fits = strlen(name) <= TOPOLOGY_NAME_MOST && topology_name_fits(name);
	for (size_t i = 0; i < ARRAY_LENGTH(reserved); i++)
		fits &= strcmp(name, reserved[i]) != 0;
	if (!fits)
		return yaml_fail(source, mark, error,
			"'%s' cannot name an interface: 1 to %d letters, digits, '-', '_' and '.' "
			"can, but not lo, all and default, which Linux uses itself",
			name, TOPOLOGY_NAME_MOST);
	return 0;
}

/* "client1:eth0" -> node and interface; "lan-a" -> node alone. */
static int read_end(struct yaml_source *source, const struct topology *topology, const char *text,
	struct link_end *end, struct error *error)
{
	const char *colon = strchr(text, ':');
	CLEANUP(free_pointer)
	char *name = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	if (!name)
		return error_set(error, -ENOMEM, "out of memory");
	long index = topology_find_node(topology, name);
	if (index < 0) {
		const char *names[256];
		size_t count = 0;
		for (; count < topology->node_count && count < ARRAY_LENGTH(names); count++)
			names[count] = topology->nodes[count].name;
		const char *nearest = text_nearest(name, names, count);
		return yaml_fail(source, end->mark, error,
			"the link leads to '%s', which is no node%s%s%s", name,
			nearest ? "; did you mean '" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
	}
	end->node = (size_t)index;
	if (!colon)
		return 0;
	if (topology->nodes[index].kind == NODE_SWITCH)
		return yaml_fail(source, end->mark, error,
			"'%s' is a switch: write it without an interface, its ports are named by "
			"the plan",
			name);
	end->interface = strdup(colon + 1);
	if (!end->interface)
		return error_set(error, -ENOMEM, "out of memory");
	return check_interface_name(source, end->mark, end->interface, error);
}

static int add_end(struct yaml_source *source, const struct topology *topology, const char *text,
	struct link_end *end, struct error *error)
{
	int status = read_end(source, topology, text, end, error);
	for (size_t i = 0; status == 0 && i < IP_FAMILIES; i++)
		if (end->choices[i] == ADDRESS_GIVEN &&
			topology->nodes[end->node].kind == NODE_SWITCH)
			return yaml_fail(source, end->mark, error,
				"'%s' is a switch: its ports have no address", text);
	return status;
}

/* One of the links that an entry stands for. */
struct entry_at {
	const struct range *ranges;
	const struct link_entry *entry;
	size_t index, count; /* a range that is shorter than that goes over blocks of the longer */
};

static int fill_link(struct yaml_source *source, const struct topology *topology,
	const struct entry_at *at, struct link *link, struct error *error)
{
	const struct link_entry *entry = at->entry;
	link->mark = entry->end_marks[0];
	link->mtu = entry->mtu;
	memcpy(link->subnets, entry->subnets, sizeof(link->subnets));
	for (size_t i = 0; i < 2; i++) {
		struct link_end *end = &link->ends[i];
		end->mark = entry->end_marks[i];
		memcpy(end->choices, entry->choices[i], sizeof(end->choices));
		memcpy(end->addresses, entry->addresses[i], sizeof(end->addresses));
		end->rate = entry->rates[i];
		CLEANUP(free_pointer)
		char *text = range_name(
			&at->ranges[i], at->index / (at->count / range_length(&at->ranges[i])));
		if (!text)
			return error_set(error, -ENOMEM, "out of memory");
		int status = add_end(source, topology, text, end, error);
		if (status < 0)
			return status;
	}
	if (link->ends[0].node == link->ends[1].node)
		return yaml_fail(source, link->mark, error, "the link joins '%s' to itself",
			topology->nodes[link->ends[0].node].name);
	return 0;
}

/* A link with an end that is nowhere is none. */
static int add_link(struct yaml_source *source, struct topology *topology,
	const struct entry_at *at, struct error *error)
{
	struct link *link = array_add(&topology->links, &topology->link_count);
	if (!link)
		return error_set(error, -ENOMEM, "out of memory");
	if (topology->link_count > TOPOLOGY_LINKS_MOST)
		return yaml_limit(source, at->entry->end_marks[0], error,
			"a topology has at most %d links", TOPOLOGY_LINKS_MOST);
	int status = fill_link(source, topology, at, link, error);
	if (status < 0) {
		free(link->ends[0].interface);
		free(link->ends[1].interface);
		topology->link_count--;
	}
	return status;
}

static bool has_address(const struct link_entry *entry, size_t end)
{
	return entry->choices[end][IPV4] == ADDRESS_GIVEN ||
	       entry->choices[end][IPV6] == ADDRESS_GIVEN;
}

static int add_links(struct yaml_source *source, struct topology *topology,
	const struct link_entry *entry, struct error *error)
{
	struct range ranges[2];
	for (size_t i = 0; i < 2; i++) {
		struct error reason;
		if (range_parse(entry->ends[i], &ranges[i], &reason) < 0)
			return yaml_fail(source, entry->end_marks[i], error, "%s", reason.text);
		if (range_length(&ranges[i]) > 1 && has_address(entry, i))
			return yaml_fail(source, entry->end_marks[i], error,
				"one address cannot serve the %zu ends of '%s'",
				range_length(&ranges[i]), entry->ends[i]);
	}
	size_t lengths[2] = {range_length(&ranges[0]), range_length(&ranges[1])};
	size_t length = lengths[0] > lengths[1] ? lengths[0] : lengths[1];
	if (length % lengths[0] || length % lengths[1])
		return yaml_fail(source, entry->end_marks[0], error,
			"'%s' and '%s' are ranges of different length: %zu and %zu nodes",
			entry->ends[0], entry->ends[1], lengths[0], lengths[1]);
	int result = 0;
	for (size_t i = 0; i < length; i++) {
		struct entry_at at = {ranges, entry, i, length};
		int status = add_link(source, topology, &at, error);
		if (!problems_go_on(source->problems, status, &result))
			break;
	}
	return result;
}

int topology_read_links(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"endpoints", read_endpoints, true},
		{"ipv4", read_link_ipv4, false},
		{"ipv6", read_link_ipv6, false},
		{"mtu", read_mtu, false},
		{"rate", read_rate, false},
	};
	static const struct yaml_form form = {"a link", keys, ARRAY_LENGTH(keys)};
	struct topology *topology = target;
	int result = yaml_require_sequence(value->source, value->node, "links", error), status = 0;
	for (size_t i = 0; i < yaml_sequence_length(value->node); i++) {
		struct link_entry entry = {0};
		status = yaml_read_form(value->source,
			yaml_sequence_item(value->source, value->node, i), &form, &entry, error);
		if (status == 0)
			status = add_links(value->source, topology, &entry, error);
		free(entry.ends[0]);
		free(entry.ends[1]);
		if (!problems_go_on(value->source->problems, status, &result))
			break;
	}
	if (result < 0)
		topology->missing |= MISSING_LINKS;
	return result;
}
