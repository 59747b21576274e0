/* `nodes:` of a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/range.h"
#include "topology/read_parts.h"

static int read_kind(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "kind", &text, error);
	if (status < 0)
		return status;
	for (size_t i = 0; i < ARRAY_LENGTH(node_kind_names); i++) {
		if (strcmp(text, node_kind_names[i]) == 0) {
			node->kind = (enum node_kind)i;
			return 0;
		}
	}
	return yaml_fail(value->source, yaml_mark(value->node), error,
		"kind must be host, router or switch, not '%s'", text);
}

static int read_node_ipv4(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	return yaml_read_subnet(value, IPV4, &node->subnets[IPV4], error);
}

static int read_node_ipv6(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	return yaml_read_subnet(value, IPV6, &node->subnets[IPV6], error);
}

static int read_mac_entry(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "mac", &text, error);
	if (status < 0)
		return status;
	struct interface_mac *entry = array_add(&node->macs, &node->mac_count);
	if (!entry || !(entry->interface = strdup(value->name)))
		return error_set(error, -ENOMEM, "out of memory");
	entry->mark = yaml_mark(value->node);
	if (!mac_parse(text, &entry->mac))
		return yaml_fail(value->source, entry->mark, error,
			"mac must be a hardware address like 02:00:00:00:00:19, not '%s'", text);
	if (mac_equal(entry->mac, (struct mac){{0}}))
		return yaml_fail(value->source, entry->mark, error,
			"00:00:00:00:00:00 is no interface's address");
	if (entry->mac.bytes[0] & 1)
		return yaml_fail(value->source, entry->mark, error,
			"'%s' is a group address: the first byte of an interface's own is even",
			text);
	return 0;
}

/* `mac: 02:...` is eth0's; `mac: {eth1: 02:...}` names the interface. */
static int read_mac(const struct yaml_value *value, void *target, struct error *error)
{
	if (yaml_is_mapping(value->node))
		return yaml_read_entries(
			value->source, value->node, "mac", read_mac_entry, target, error);
	struct yaml_value first = *value;
	first.name = "eth0";
	return read_mac_entry(&first, target, error);
}

static int read_environment_entry(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "env", &text, error);
	if (status < 0)
		return status;
	if (!*value->name || strchr(value->name, '='))
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"'%s' cannot name an environment variable", value->name);
	char **entry = array_add(&node->environment, &node->environment_count);
	if (!entry || !(*entry = text_format("%s=%s", value->name, text)))
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

static int read_environment(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(
		value->source, value->node, "env", read_environment_entry, target, error);
}

/* `files: {notes/a.txt: TEXT}`: below the node's working directory, whatever the name says. */
static int read_file_entry(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	const char *path = value->name;
	size_t length = strlen(path);
	bool climbs = strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
		      strstr(path, "/../") ||
		      (length >= 3 && strcmp(path + length - 3, "/..") == 0);
	if (!length || length > 255 || *path == '/' || path[length - 1] == '/' || climbs)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"'%s' cannot name a file here: write it relative to the node's working "
			"directory, "
			"without '..'",
			path);
	struct node_file *file = array_add(&node->files, &node->file_count);
	if (!file || !(file->path = strdup(path)))
		return error_set(error, -ENOMEM, "out of memory");
	return yaml_read_text(
		value->source, value->node, "a file's content", &file->content, error);
}

static int read_files(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(
		value->source, value->node, "files", read_file_entry, target, error);
}

static const struct yaml_key node_keys[] = {
	{"kind", read_kind, false},
	{"ipv4", read_node_ipv4, false},
	{"ipv6", read_node_ipv6, false},
	{"mac", read_mac, false},
	{"routes", topology_read_routes, false},
	{"env", read_environment, false},
	{"files", read_files, false},
	{"run", topology_read_processes, false},
};

static const struct yaml_form node_form = {"a node", node_keys, ARRAY_LENGTH(node_keys)};

static int check_node(const struct yaml_value *value, const struct node *node, struct error *error)
{
	for (size_t i = 0; i < IP_FAMILIES; i++)
		if (node->kind != NODE_SWITCH && !ip_is_none(node->subnets[i].address))
			return yaml_fail(value->source, node->mark, error,
				"'%s' is a %s: only a switch has an %s of its own; a node's stands "
				"at its link",
				node->name, node_kind_names[node->kind], ip_family_keys[i]);
	if (node->kind == NODE_SWITCH && (node->route_count || node->no_routes))
		return yaml_fail(value->source, node->mark, error,
			"'%s' is a switch: it has no routes", node->name);
	if (node->kind == NODE_SWITCH && node->process_count)
		return yaml_fail(value->source, node->mark, error,
			"'%s' is a switch: nothing can run in it", node->name);
	return 0;
}

/* One more node of the entry `value`, named `take_name`. */
static int read_one_node(const struct yaml_value *value, struct topology *topology, char *take_name,
	struct error *error)
{
	struct node *node = array_add(&topology->nodes, &topology->node_count);
	if (!node || !take_name) {
		free(take_name);
		return error_set(error, -ENOMEM, "out of memory");
	}
	node->name = take_name;
	node->mark = yaml_mark(value->key);
	if (!(node->written_as = strdup(value->name)))
		return error_set(error, -ENOMEM, "out of memory");
	int status = topology_check_name(value, node->name, "a node", error);
	if (status < 0)
		return status;
	size_t index = topology->node_count - 1;
	long earlier = topology_index_node(topology, index);
	if (earlier < 0)
		return error_set(error, -ENOMEM, "out of memory");
	if ((size_t)earlier != index)
		return yaml_fail(value->source, node->mark, error,
			"two nodes are named '%s': first in line %u", node->name,
			topology->nodes[earlier].mark.line);
	if (topology->node_count > TOPOLOGY_NODES_MOST)
		return yaml_fail(value->source, node->mark, error,
			"a topology has at most %d nodes", TOPOLOGY_NODES_MOST);
	status = yaml_read_form(value->source, value->node, &node_form, node, error);
	return status < 0 ? status : check_node(value, node, error);
}

static int read_node(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	struct range range;
	struct error reason;
	if (range_parse(value->name, &range, &reason) < 0)
		return yaml_fail(value->source, yaml_mark(value->key), error, "%s", reason.text);
	int status = 0;
	for (size_t i = 0; status == 0 && i < range_length(&range); i++)
		status = read_one_node(value, topology, range_name(&range, i), error);
	return status;
}

int topology_read_nodes(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(value->source, value->node, "nodes", read_node, target, error);
}
