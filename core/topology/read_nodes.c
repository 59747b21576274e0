/* `topology:` of a file: nodes, their processes, and links. */
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
	node->has_ipv4 = true;
	return yaml_read_prefix(value->source, value->node, "ipv4", &node->ipv4, error);
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

static int read_ready_port(const struct yaml_value *value, void *target, struct error *error)
{
	struct ready *ready = target;
	uint64_t port;
	int status = yaml_read_number(value->source, value->node, "port", UINT16_MAX, &port, error);
	if (status < 0)
		return status;
	if (port == 0)
		return yaml_fail(
			value->source, yaml_mark(value->node), error, "no port has the number 0");
	ready->kind = READY_PORT;
	ready->port = (uint16_t)port;
	return 0;
}

static int read_ready_log(const struct yaml_value *value, void *target, struct error *error)
{
	struct ready *ready = target;
	ready->kind = READY_LOG;
	int status = yaml_read_text(value->source, value->node, "log", &ready->text, error);
	if (status == 0 && !*ready->text)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"an empty text is in every log at once");
	return status;
}

int topology_read_ready(
	const struct yaml_value *value, struct ready *ret_ready, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"port", read_ready_port, false},
		{"log", read_ready_log, false},
	};
	static const struct yaml_form form = {"ready", keys, ARRAY_LENGTH(keys)};
	if (yaml_is_mapping(value->node)) {
		int form_status =
			yaml_read_form(value->source, value->node, &form, ret_ready, error);
		if (form_status == 0 && yaml_mapping_length(value->node) != 1)
			return yaml_fail(value->source, yaml_mark(value->node), error,
				"ready needs one of port and log");
		return form_status;
	}
	bool notify;
	int status = yaml_read_bool(value->source, value->node, "ready", &notify, error);
	if (status < 0)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"ready must be true (the program tells by READY=1), {port: N} or {log: "
			"TEXT}");
	ret_ready->kind = notify ? READY_NOTIFY : READY_AT_ONCE;
	return 0;
}

static int read_process_name(const struct yaml_value *value, void *target, struct error *error)
{
	struct process_spec *process = target;
	int status = yaml_read_text(value->source, value->node, "name", &process->name, error);
	struct yaml_value itself = {.source = value->source, .node = value->node};
	return status < 0 ? status
			  : topology_check_name(&itself, process->name, "a process", error);
}

static int read_process_command(const struct yaml_value *value, void *target, struct error *error)
{
	struct process_spec *process = target;
	return yaml_read_text(value->source, value->node, "cmd", &process->command, error);
}

static int read_process_ready(const struct yaml_value *value, void *target, struct error *error)
{
	struct process_spec *process = target;
	return topology_read_ready(value, &process->ready, error);
}

static int read_processes(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"name", read_process_name, true},
		{"cmd", read_process_command, true},
		{"ready", read_process_ready, false},
	};
	static const struct yaml_form form = {"an entry of run", keys, ARRAY_LENGTH(keys)};
	struct node *node = target;
	int status = yaml_require_sequence(value->source, value->node, "run", error);
	if (status == 0 && yaml_sequence_length(value->node) > TOPOLOGY_PROCESSES_MOST)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"a node runs at most %d processes", TOPOLOGY_PROCESSES_MOST);
	for (size_t i = 0; status == 0 && i < yaml_sequence_length(value->node); i++) {
		yaml_node_t *item = yaml_sequence_item(value->source, value->node, i);
		struct process_spec *process = array_add(&node->processes, &node->process_count);
		if (!process)
			return error_set(error, -ENOMEM, "out of memory");
		process->mark = yaml_mark(item);
		status = yaml_read_form(value->source, item, &form, process, error);
		for (size_t j = 0; status == 0 && j < i; j++)
			if (strcmp(node->processes[j].name, node->processes[i].name) == 0)
				status = yaml_fail(value->source, yaml_mark(item), error,
					"two processes of one node are named '%s'",
					node->processes[i].name);
	}
	return status;
}

static const struct yaml_key node_keys[] = {
	{"kind", read_kind, false},
	{"ipv4", read_node_ipv4, false},
	{"mac", read_mac, false},
	{"env", read_environment, false},
	{"files", read_files, false},
	{"run", read_processes, false},
};

static const struct yaml_form node_form = {"a node", node_keys, ARRAY_LENGTH(node_keys)};

static int check_node(const struct yaml_value *value, const struct node *node, struct error *error)
{
	if (node->kind != NODE_SWITCH && node->has_ipv4)
		return yaml_fail(value->source, node->mark, error,
			"'%s' is a %s: only a switch has an ipv4 of its own; a node's stands at "
			"its link",
			node->name, node_kind_names[node->kind]);
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

static int read_nodes(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(value->source, value->node, "nodes", read_node, target, error);
}

/* Links are read last: they name nodes. */
static int read_nothing(const struct yaml_value *value, void *target, struct error *error)
{
	(void)value, (void)target, (void)error;
	return 0;
}

/* A link as written: ends may be ranges, and become links only when all keys are known. */
struct link_entry {
	char *ends[2];
	struct mark end_marks[2];
	enum address_choice choices[2];
	struct prefix addresses[2];
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

static int read_link_address(struct yaml_source *source, yaml_node_t *item,
	struct link_entry *entry, size_t index, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(source, item, "ipv4", &text, error);
	if (status < 0)
		return status;
	if (strcmp(text, "none") == 0) {
		entry->choices[index] = ADDRESS_NONE;
		return 0;
	}
	if (strcmp(text, "auto") == 0)
		return 0;
	entry->choices[index] = ADDRESS_GIVEN;
	return yaml_read_prefix(source, item, "ipv4", &entry->addresses[index], error);
}

/* `ipv4: none` is for both ends; a list has one entry an end, in the order of endpoints. */
static int read_link_ipv4(const struct yaml_value *value, void *target, struct error *error)
{
	struct link_entry *entry = target;
	if (yaml_is_scalar(value->node)) {
		int status = read_link_address(value->source, value->node, entry, 0, error);
		if (status == 0 && entry->choices[0] == ADDRESS_GIVEN)
			return yaml_fail(value->source, yaml_mark(value->node), error,
				"ipv4 must be none, auto or a list with one entry for each "
				"endpoint");
		entry->choices[1] = entry->choices[0];
		return status;
	}
	int status = yaml_require_sequence(value->source, value->node, "ipv4", error);
	size_t length = yaml_sequence_length(value->node);
	if (status == 0 && length > 2)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"ipv4 has %zu entries for two endpoints", length);
	for (size_t i = 0; status == 0 && i < length; i++)
		status = read_link_address(value->source,
			yaml_sequence_item(value->source, value->node, i), entry, i, error);
	return status;
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

static int check_interface_name(
	struct yaml_source *source, struct mark mark, const char *name, struct error *error)
{
	static const char *const reserved[] = {"lo", "all", "default"};
	bool fits = strlen(name) <= 15 && topology_name_fits(name);
	for (size_t i = 0; i < ARRAY_LENGTH(reserved); i++)
		fits &= strcmp(name, reserved[i]) != 0;
	if (!fits)
		return yaml_fail(source, mark, error,
			"'%s' cannot name an interface: 1 to 15 letters, digits, '-', '_' and '.' "
			"can, but not lo, all and default, which Linux uses itself",
			name);
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

static int add_link(struct yaml_source *source, struct topology *topology,
	const struct range *ranges, const struct link_entry *entry, size_t index,
	struct error *error)
{
	struct link *link = array_add(&topology->links, &topology->link_count);
	if (!link)
		return error_set(error, -ENOMEM, "out of memory");
	link->mark = entry->end_marks[0];
	link->mtu = entry->mtu;
	for (size_t i = 0; i < 2; i++) {
		struct link_end *end = &link->ends[i];
		end->mark = entry->end_marks[i];
		end->choice = entry->choices[i];
		end->ipv4 = entry->addresses[i];
		CLEANUP(free_pointer)
		char *text = range_name(&ranges[i], ranges[i].single ? 0 : index);
		if (!text)
			return error_set(error, -ENOMEM, "out of memory");
		int status = read_end(source, topology, text, end, error);
		if (status < 0)
			return status;
		if (end->choice == ADDRESS_GIVEN && topology->nodes[end->node].kind == NODE_SWITCH)
			return yaml_fail(source, end->mark, error,
				"'%s' is a switch: its ports have no address", text);
	}
	if (topology->link_count > TOPOLOGY_LINKS_MOST)
		return yaml_fail(source, link->mark, error, "a topology has at most %d links",
			TOPOLOGY_LINKS_MOST);
	if (link->ends[0].node == link->ends[1].node)
		return yaml_fail(source, link->mark, error, "the link joins '%s' to itself",
			topology->nodes[link->ends[0].node].name);
	return 0;
}

static int add_links(struct yaml_source *source, struct topology *topology,
	const struct link_entry *entry, struct error *error)
{
	struct range ranges[2];
	for (size_t i = 0; i < 2; i++) {
		struct error reason;
		if (range_parse(entry->ends[i], &ranges[i], &reason) < 0)
			return yaml_fail(source, entry->end_marks[i], error, "%s", reason.text);
		if (range_length(&ranges[i]) > 1 && entry->choices[i] == ADDRESS_GIVEN)
			return yaml_fail(source, entry->end_marks[i], error,
				"one address cannot serve the %zu ends of '%s'",
				range_length(&ranges[i]), entry->ends[i]);
	}
	if (!ranges[0].single && !ranges[1].single &&
		range_length(&ranges[0]) != range_length(&ranges[1]))
		return yaml_fail(source, entry->end_marks[0], error,
			"'%s' and '%s' are ranges of different length", entry->ends[0],
			entry->ends[1]);
	size_t length = range_length(&ranges[ranges[0].single]);
	int status = 0;
	for (size_t i = 0; status == 0 && i < length; i++)
		status = add_link(source, topology, ranges, entry, i, error);
	return status;
}

static int read_links(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"endpoints", read_endpoints, true},
		{"ipv4", read_link_ipv4, false},
		{"mtu", read_mtu, false},
	};
	static const struct yaml_form form = {"a link", keys, ARRAY_LENGTH(keys)};
	struct topology *topology = target;
	int status = yaml_require_sequence(value->source, value->node, "links", error);
	for (size_t i = 0; status == 0 && i < yaml_sequence_length(value->node); i++) {
		struct link_entry entry = {0};
		status = yaml_read_form(value->source,
			yaml_sequence_item(value->source, value->node, i), &form, &entry, error);
		if (status == 0)
			status = add_links(value->source, topology, &entry, error);
		free(entry.ends[0]);
		free(entry.ends[1]);
	}
	return status;
}

int topology_read_network(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[2][2] = {
		{{"nodes", read_nodes, true}, {"links", read_nothing, false}},
		{{"nodes", read_nothing, true}, {"links", read_links, false}},
	};
	int status = 0;
	for (size_t i = 0; status == 0 && i < 2; i++) {
		struct yaml_form form = {"topology", keys[i], 2};
		status = yaml_read_form(value->source, value->node, &form, target, error);
	}
	return status;
}
