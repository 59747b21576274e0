/* `nodes:` of a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/range.h"
#include "topology/read_parts.h"

/* The kind has been read before the other keys: it says what else they are taken from. */
static int read_kind(const struct yaml_value *value, void *target, struct error *error)
{
	(void)value, (void)target, (void)error;
	return 0;
}

/* A switch's subnet, or that nothing is numbered. */
static int read_node_subnet(const struct yaml_value *value, enum ip_family family,
	struct node *node, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, value->name, &text, error);
	if (status < 0)
		return status;
	node->unnumbered[family] = strcmp(text, "none") == 0;
	return node->unnumbered[family]
		       ? 0
		       : yaml_read_subnet(value, family, &node->subnets[family], error);
}

static int read_node_ipv4(const struct yaml_value *value, void *target, struct error *error)
{
	return read_node_subnet(value, IPV4, target, error);
}

static int read_node_ipv6(const struct yaml_value *value, void *target, struct error *error)
{
	return read_node_subnet(value, IPV6, target, error);
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

/* The variable's place: that of defaults, or a new one; NULL when memory is gone. */
static char **environment_entry(struct node *node, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < node->environment_count; i++)
		if (strncmp(node->environment[i], name, length) == 0 &&
			node->environment[i][length] == '=')
			return &node->environment[i];
	return array_add(&node->environment, &node->environment_count);
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
	char **entry = environment_entry(node, value->name);
	if (!entry)
		return error_set(error, -ENOMEM, "out of memory");
	free(*entry);
	*entry = text_format("%s=%s", value->name, text);
	return *entry ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int read_environment(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(
		value->source, value->node, "env", read_environment_entry, target, error);
}

/* The file's place: that of defaults, or a new one; NULL when memory is gone. */
static struct node_file *file_entry(struct node *node, const char *path)
{
	for (size_t i = 0; i < node->file_count; i++)
		if (strcmp(node->files[i].path, path) == 0)
			return &node->files[i];
	char *copy = strdup(path);
	struct node_file *file = copy ? array_add(&node->files, &node->file_count) : NULL;
	if (file)
		file->path = copy;
	else
		free(copy);
	return file;
}

/* `files: {notes/a.txt: TEXT}`: below the node's working directory, whatever the name says. */
static int read_file_entry(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	const char *path = value->name;
	size_t length = strlen(path);
	if (!length || length > 255 || *path == '/' || path[length - 1] == '/' ||
		topology_path_climbs(path))
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"'%s' cannot name a file here: write it relative to the node's working "
			"directory, "
			"without '..'",
			path);
	struct node_file *file = file_entry(node, path);
	if (!file)
		return error_set(error, -ENOMEM, "out of memory");
	return yaml_read_text(
		value->source, value->node, "a file's content", &file->content, error);
}

static int read_files(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(
		value->source, value->node, "files", read_file_entry, target, error);
}

static int read_rules(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	return yaml_read_block(value, &node->rules, error);
}

static const struct yaml_key node_keys[] = {
	{"kind", read_kind, false},
	{"ipv4", read_node_ipv4, false},
	{"ipv6", read_node_ipv6, false},
	{"mac", read_mac, false},
	{"routes", topology_read_routes, false},
	{"env", read_environment, false},
	{"files", read_files, false},
	{"nftables", read_rules, false},
	{"binds", topology_read_binds, false},
	{"sysctls", topology_read_sysctls, false},
	{"workdir", topology_read_workdir, false},
	{"exec", topology_read_exec, false},
	{"run", topology_read_processes, false},
	{"cpu", topology_read_cpu, false},
	{"memory", topology_read_memory, false},
};

const struct yaml_form topology_node_form = {"a node", node_keys, ARRAY_LENGTH(node_keys)};

static int check_node(const struct yaml_value *value, const struct node *node, struct error *error)
{
	for (size_t i = 0; i < IP_FAMILIES; i++)
		if (node->kind != NODE_SWITCH && !ip_is_none(node->subnets[i].address))
			return yaml_fail(value->source, node->mark, error,
				"'%s' is a %s: only a switch has an %s of its own (or none); a "
				"node's stands at its link",
				node->name, node_kind_names[node->kind], ip_family_keys[i]);
	if (node->kind == NODE_SWITCH && (node->route_count || node->no_routes))
		return yaml_fail(value->source, node->mark, error,
			"'%s' is a switch: it has no routes", node->name);
	if (node->kind == NODE_SWITCH && node->process_count)
		return yaml_fail(value->source, node->mark, error,
			"'%s' is a switch: nothing can run in it", node->name);
	return 0;
}

static int read_keys(const struct node_entry *entry, struct node *node, struct error *error)
{
	static const char *const merged[] = {"env", "files", "binds", "sysctls", "exec", NULL};
	struct yaml_layers layers = {entry->layers, entry->layer_count, merged};
	node->kind = entry->kind;
	int status = yaml_read_layers(&layers, &topology_node_form, node, error);
	if (status == 0)
		status = check_node(entry->value, node, error);
	if (status == 0)
		status = topology_check_details(entry->value, node, error);
	node->faulty = status < 0;
	return status;
}

static int two_nodes(const struct yaml_value *value, const struct topology *topology,
	const struct node *node, const struct node *earlier, struct error *error)
{
	bool elsewhere = earlier->mark.file != node->mark.file;
	return yaml_fail(value->source, node->mark, error,
		"two nodes are named '%s': first in line %u%s%s", node->name, earlier->mark.line,
		elsewhere ? " of " : "", elsewhere ? topology->files[earlier->mark.file] : "");
}

/* One more node of the entry, named `take_name`. */
static int read_one_node(const struct node_entry *entry, struct topology *topology, char *take_name,
	struct error *error)
{
	const struct yaml_value *value = entry->value;
	struct node *node = array_add(&topology->nodes, &topology->node_count);
	if (!node || !take_name) {
		free(take_name);
		return error_set(error, -ENOMEM, "out of memory");
	}
	node->name = take_name;
	node->mark = yaml_mark(value->key);
	if (!(node->written_as = strdup(value->name)))
		return error_set(error, -ENOMEM, "out of memory");
	/* Under a name that no node may have, links and steps find it still. */
	int result = 0, status = topology_check_name(value, node->name, "a node", error);
	if (!problems_go_on(topology->problems, status, &result))
		return result;
	size_t index = topology->node_count - 1;
	long earlier = topology_index_node(topology, index);
	if (earlier < 0)
		return error_set(error, -ENOMEM, "out of memory");
	if ((size_t)earlier != index)
		return two_nodes(value, topology, node, &topology->nodes[earlier], error);
	if (topology->node_count > TOPOLOGY_NODES_MOST)
		return yaml_limit(value->source, node->mark, error,
			"a topology has at most %d nodes", TOPOLOGY_NODES_MOST);
	problems_go_on(topology->problems, read_keys(entry, node, error), &result);
	if (node->faulty && node->kind == NODE_SWITCH)
		topology->missing |= MISSING_SWITCHES;
	return result;
}

/* What is wrong with one node of a range is wrong with the others: their names are read still. */
static int read_range(const struct node_entry *entry, const struct range *range,
	struct topology *topology, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < range_length(range); i++) {
		int status = read_one_node(entry, topology, range_name(range, i), error);
		if (!problems_go_on(topology->problems, status, &result))
			break;
	}
	return result;
}

static int read_node(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	struct range range;
	struct error reason;
	if (range_parse(value->name, &range, &reason) < 0)
		return yaml_fail(value->source, yaml_mark(value->key), error, "%s", reason.text);
	struct node_entry entry = {0};
	int result = 0, status = node_entry_begin(value, &entry, error);
	if (status < 0)
		topology->missing |= MISSING_SWITCHES;
	if (problems_go_on(topology->problems, status, &result))
		problems_go_on(
			topology->problems, read_range(&entry, &range, topology, error), &result);
	node_entry_finish(&entry);
	return result;
}

int topology_read_nodes(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(value->source, value->node, "nodes", read_node, target, error);
}
