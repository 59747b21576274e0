#include "exchange/containerlab.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

enum { MERGE_DEPTH = 4 };

static const char its_image[] = "a node runs the programs of this machine, not of an image";
static const char its_container[] = "a node is no container";
static const char its_management[] =
	"there is no management network: sim exec and sim shell go into a node";
static const char its_order[] =
	"all nodes are there at once; a program in `run` says when it is ready";
static const char no_variables[] = "none is read: defaults are taken, $NAME stays";
static const char its_vendor[] = "it configures the image's own system";

/* Keys of a node that have no word here, or none that means the same. */
static const struct {
	const char *key, *why;
} left_out[] = {
	{"image-pull-policy", its_image},
	{"license", its_image},
	{"cmd", its_image},
	{"entrypoint", its_image},
	{"user", its_image},
	{"type", its_vendor},
	{"components", its_vendor},
	{"startup-config", its_vendor},
	{"enforce-startup-config", its_vendor},
	{"suppress-startup-config", its_vendor},
	{"config", its_vendor},
	{"extras", its_vendor},
	{"credentials", its_vendor},
	{"certificate", its_vendor},
	{"SANs", its_vendor},
	{"mgmt-ipv4", its_management},
	{"mgmt-ipv6", its_management},
	{"mgmt_ipv4", its_management},
	{"mgmt_ipv6", its_management},
	{"ports", its_management},
	{"publish", its_management},
	{"aliases", its_management},
	{"dns", its_management},
	{"startup-delay", its_order},
	{"wait-for", its_order},
	{"stages", its_order},
	{"healthcheck", its_order},
	{"labels", its_container},
	{"auto-remove", its_container},
	{"restart-policy", its_container},
	{"runtime", its_container},
	{"sandbox", its_container},
	{"kernel", its_container},
	{"shm-size", its_container},
	{"cap-add", its_container},
	{"devices", its_container},
	{"cpu-set", its_container},
	{"env-files", "`env` can have what they hold"},
	{"binds", "they bring files for the image; `binds` can bring them for programs of this "
		  "machine"},
	{"cpu", "it is the image's need; `cpu` can set a limit"},
	{"memory", "it is the image's need; `memory` can set a limit"},
};

/* What kinds are; those that are not here are routers, as most of containerlab's are. */
static const struct {
	const char *name;
	enum node_kind kind;
} kinds[] = {
	{"linux", NODE_HOST},
	{"bridge", NODE_SWITCH},
	{"ovs-bridge", NODE_SWITCH},
	{"ext-container", NODE_HOST},
	{"k8s-kind", NODE_HOST},
	{"k8s_kind", NODE_HOST},
	{"generic_vm", NODE_HOST},
	{"openbsd", NODE_HOST},
	{"freebsd", NODE_HOST},
	{"keysight_ixia-c-one", NODE_HOST},
	{"border0", NODE_HOST},
	{"mysocketio", NODE_HOST},
	{"rare", NODE_ROUTER},
	{"frr", NODE_ROUTER},
	{"xrd", NODE_ROUTER},
	{"srl", NODE_ROUTER},
	{"ceos", NODE_ROUTER},
	{"crpd", NODE_ROUTER},
	{"cvx", NODE_ROUTER},
	{"c8000", NODE_ROUTER},
	{"sonic-vs", NODE_ROUTER},
	{"sonic-vm", NODE_ROUTER},
	{"vyosnetworks_vyos", NODE_ROUTER},
};

/* Names of vendors, of whose systems all route. */
static const char *const vendors[] = {"nokia_", "arista_", "juniper_", "cisco_", "cumulus_",
	"dell_", "aruba_", "mikrotik_", "huawei_", "ipinfusion_", "paloalto_", "checkpoint_",
	"fortinet_", "ciena_", "arrcus_", "sixwind_", "6wind_", "f5_", "vr-", "vyos", "openwrt"};

/* Images of linux nodes that are made to route. */
static const char *const routing_images[] = {
	"frr", "bird", "quagga", "vyos", "gobgp", "openbgpd", "holo", "freertr"};

unsigned clab_line(const yaml_node_t *node)
{
	return yaml_mark(node).line;
}

yaml_node_t *clab_find(struct clab *lab, yaml_node_t *mapping, const char *key)
{
	for (int depth = 0; mapping && depth <= MERGE_DEPTH; depth++) {
		yaml_node_t *found = yaml_find(&lab->source, mapping, key);
		if (found)
			return found;
		mapping = yaml_find(&lab->source, mapping, "<<");
		if (mapping && yaml_is_sequence(mapping) && yaml_sequence_length(mapping))
			mapping = yaml_sequence_item(&lab->source, mapping, 0);
	}
	return NULL;
}

/* The end of what "${" at `at` opens; NULL where nothing closes it. */
static const char *default_of(const char *at, const char **ret_value, size_t *ret_length)
{
	const char *end = strchr(at, '}'), *value = strpbrk(at, ":=-}");
	if (!end)
		return NULL;
	value += strspn(value, ":=-");
	*ret_value = value;
	*ret_length = value < end ? (size_t)(end - value) : 0;
	return end + 1;
}

char *clab_text(struct clab *lab, const yaml_node_t *node)
{
	struct text text = {0};
	const char *at = yaml_plain_text(node);
	while (at && *at) {
		const char *value, *end = NULL;
		size_t length, plain = strcspn(at, "$");
		text_append_bytes(&text, at, plain);
		at += plain;
		if (*at == '$' && at[1] == '{')
			end = default_of(at + 2, &value, &length);
		if (end) {
			network_note(lab->network, clab_line(node), no_variables,
				"variables of the environment");
			text_append_bytes(&text, value, length);
			at = end;
		} else if (*at) {
			if (isalpha((unsigned char)at[1]))
				network_note(lab->network, clab_line(node), no_variables,
					"variables of the environment");
			text_append_bytes(&text, at++, 1);
		}
	}
	return text_take(&text);
}

static bool contains_one(const char *text, const char *const *words, size_t count, bool begins)
{
	for (size_t i = 0; i < count; i++)
		if (begins ? text_starts_with(text, words[i]) : strstr(text, words[i]) != NULL)
			return true;
	return false;
}

enum node_kind clab_kind(const struct clab_node *node, bool *ret_known)
{
	*ret_known = true;
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
		if (strcmp(kinds[i].name, node->kind) != 0)
			continue;
		bool routes = node->forwards ||
			      (node->image && contains_one(node->image, routing_images,
						      ARRAY_LENGTH(routing_images), false));
		return kinds[i].kind == NODE_HOST && routes ? NODE_ROUTER : kinds[i].kind;
	}
	*ret_known = contains_one(node->kind, vendors, ARRAY_LENGTH(vendors), true);
	return NODE_ROUTER;
}

/* What is read of one layer: the node itself, its group, its kind, or the defaults. */
struct clab_layer {
	struct clab *lab;
	size_t node;
	yaml_node_t *own; /* its mapping */
	int depth; /* of what is merged into that */
};

static int read_exec(const struct yaml_value *value, struct clab_layer *layer, struct error *error)
{
	int status = yaml_require_sequence(value->source, value->node, "exec", error);
	size_t length = status < 0 ? 0 : yaml_sequence_length(value->node);
	for (size_t i = 0; status == 0 && i < length; i++) {
		yaml_node_t *item = yaml_sequence_item(value->source, value->node, i);
		CLEANUP(free_pointer) char *command = clab_text(layer->lab, item);
		status = yaml_count(value->source, item, 1, error);
		if (status == 0)
			status = command ? clab_exec(layer->lab, layer->node, command,
						   clab_line(item), error)
					 : error_set(error, -ENOMEM, "out of memory");
	}
	return status;
}

static int read_sysctl(const struct yaml_value *value, void *target, struct error *error)
{
	struct clab_layer *layer = target;
	CLEANUP(free_pointer) char *text = clab_text(layer->lab, value->node);
	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	if (!clab_sysctl(&layer->lab->nodes[layer->node], value->name, text))
		network_note(layer->lab->network, clab_line(value->key),
			"`sysctls` can say it where this kernel has it", "sysctl %.100s = %.100s",
			value->name, text);
	return yaml_count(value->source, value->node, 1, error);
}

/* The last one, which is of the nearest layer, counts. */
static int read_variable(const struct yaml_value *value, void *target, struct error *error)
{
	struct clab_layer *layer = target;
	struct network_node *node = &layer->lab->network->nodes[layer->node];
	CLEANUP(free_pointer) char *text = clab_text(layer->lab, value->node);
	size_t length = strlen(value->name);
	bool fits = length && !strpbrk(value->name, "=\"\\") && text_is_utf8(value->name, length);
	for (const char *at = value->name; *at; at++)
		fits &= (unsigned char)*at > ' ' && *at != 0x7f;
	if (!fits) {
		network_note(layer->lab->network, clab_line(value->key),
			"it cannot name a variable", "env %.100s", value->name);
		return 0;
	}
	char **entry = NULL;
	for (size_t i = 0; !entry && i < node->environment_count; i++)
		if (strncmp(node->environment[i], value->name, length) == 0 &&
			node->environment[i][length] == '=')
			entry = &node->environment[i];
	if (!entry)
		entry = array_add(&node->environment, &node->environment_count);
	if (!text || !entry)
		return error_set(error, -ENOMEM, "out of memory");
	free(*entry);
	*entry = text_format("%s=%s", value->name, text);
	return *entry ? yaml_count(value->source, value->node, 1, error)
		      : error_set(error, -ENOMEM, "out of memory");
}

static int read_label(const struct yaml_value *value, void *target, struct error *error)
{
	struct clab_layer *layer = target;
	(void)error;
	const char *text = yaml_plain_text(value->node);
	if (strcmp(value->name, "sim-routes") == 0 && text && strcmp(text, "none") == 0)
		layer->lab->nodes[layer->node].no_routes = true;
	else
		network_note(layer->lab->network, clab_line(value->key), its_container, "labels");
	return 0;
}

/* What is not the network's: noted with the reason why. */
static void note_key(struct clab *lab, const struct yaml_value *value)
{
	const char *why = "containerlab's manual did not have it when this was written";
	for (size_t i = 0; i < ARRAY_LENGTH(left_out); i++)
		if (strcmp(left_out[i].key, value->name) == 0)
			why = left_out[i].why;
	network_note(lab->network, clab_line(value->key), why, "%.100s", value->name);
}

static yaml_read read_node_key;

/* A mapping merged into a node's: its keys count where the node has none. */
static int read_merged(
	const struct yaml_value *value, struct clab_layer *layer, struct error *error)
{
	struct clab_layer merged = {layer->lab, layer->node, layer->own, layer->depth + 1};
	yaml_node_t *one = value->node;
	size_t count = yaml_is_sequence(one) ? yaml_sequence_length(one) : 1;
	int status = layer->depth < MERGE_DEPTH
			     ? 0
			     : yaml_fail(value->source, yaml_mark(value->key), error,
				       "mappings are merged over %d deep", MERGE_DEPTH);
	for (size_t i = 0; status == 0 && i < count; i++) {
		if (yaml_is_sequence(value->node))
			one = yaml_sequence_item(value->source, value->node, i);
		status = yaml_read_entries(
			value->source, one, "what is merged", read_node_key, &merged, error);
	}
	return status;
}

static int read_node_key(const struct yaml_value *value, void *target, struct error *error)
{
	struct clab_layer *layer = target;
	struct clab *lab = layer->lab;
	struct clab_node *node = &lab->nodes[layer->node];
	struct yaml_source *source = value->source;
	const char *text = yaml_plain_text(value->node);
	if (layer->depth && strcmp(value->name, "<<") != 0 &&
		yaml_find(source, layer->own, value->name))
		return 0;
	if (strcmp(value->name, "exec") == 0)
		return read_exec(value, layer, error);
	if (strcmp(value->name, "sysctls") == 0)
		return yaml_read_entries(source, value->node, "sysctls", read_sysctl, layer, error);
	if (strcmp(value->name, "env") == 0)
		return yaml_read_entries(source, value->node, "env", read_variable, layer, error);
	if (strcmp(value->name, "labels") == 0)
		return yaml_read_entries(source, value->node, "labels", read_label, layer, error);
	if (strcmp(value->name, "<<") == 0)
		return read_merged(value, layer, error);
	if (strcmp(value->name, "kind") == 0 || strcmp(value->name, "group") == 0)
		return 0;
	if (strcmp(value->name, "image") == 0) {
		free(node->image);
		node->image = clab_text(lab, value->node);
	}
	if (strcmp(value->name, "image") == 0)
		network_note(lab->network, clab_line(value->key), its_image, "image");
	else if (strcmp(value->name, "network-mode") != 0)
		note_key(lab, value);
	else if (text && strcmp(text, "none") != 0)
		network_note(lab->network, clab_line(value->key),
			"each node has a network of its own", "network-mode %.60s", text);
	return 0;
}

static int read_layer(
	struct clab_layer *layer, yaml_node_t *node, const char *what, struct error *error)
{
	if (!node)
		return 0;
	layer->own = node;
	return yaml_read_entries(&layer->lab->source, node, what, read_node_key, layer, error);
}

/* A key of the nearest layer that has it; NULL where none has. */
static char *layered_text(
	struct clab *lab, yaml_node_t *const *layers, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *found = clab_find(lab, layers[i], key);
		if (found && yaml_plain_text(found))
			return clab_text(lab, found);
	}
	return NULL;
}

static yaml_node_t *member(struct clab *lab, yaml_node_t *mapping, const char *key)
{
	return mapping && key ? yaml_find(&lab->source, mapping, key) : NULL;
}

static int read_layers(struct clab *lab, size_t index, yaml_node_t *value, struct error *error)
{
	struct clab_node *node = &lab->nodes[index];
	yaml_node_t *own[] = {value, lab->defaults};
	CLEANUP(free_pointer) char *group_name = layered_text(lab, own, 2, "group");
	yaml_node_t *group = member(lab, lab->groups, group_name);
	yaml_node_t *layers[] = {value, group, lab->defaults};
	node->kind = layered_text(lab, layers, 3, "kind");
	if (!node->kind && !(node->kind = strdup("linux")))
		return error_set(error, -ENOMEM, "out of memory");
	if (strcmp(node->kind, "host") == 0) {
		lab->network->nodes[index].left_out = true;
		network_note(lab->network, node->line, "the machine is outside of the lab",
			"the node %.60s of kind host", node->name);
	}
	struct clab_layer layer = {.lab = lab, .node = index};
	/* Commands of all layers run, those of the defaults first; of other keys the nearest counts. */
	int status = read_layer(&layer, lab->defaults, "defaults", error);
	if (status == 0)
		status = read_layer(&layer, member(lab, lab->kinds, node->kind), "a kind", error);
	if (status == 0)
		status = read_layer(&layer, group, "a group", error);
	return status < 0 ? status : read_layer(&layer, value, "a node", error);
}

static int read_node(const struct yaml_value *value, void *target, struct error *error)
{
	struct clab *lab = target;
	struct network_node *node = network_add_node(lab->network, error);
	if (!node)
		return error->code;
	struct clab_node *reading = array_add(&lab->nodes, &lab->node_count);
	char fallback[32];
	snprintf(fallback, sizeof(fallback), "n%zu", lab->node_count);
	node->name = reading ? names_choose(&lab->names, value->name, fallback, false) : NULL;
	if (!node->name)
		return error_set(error, -ENOMEM, "out of memory");
	reading->name = value->name;
	reading->line = clab_line(value->key);
	if (!yaml_is_mapping(value->node) && !yaml_is_empty(value->node))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"the node '%.60s' must be written as `key: value` pairs", value->name);
	if (strcmp(node->name, value->name) != 0)
		network_note(lab->network, reading->line,
			"a name has letters, digits, '-', '_' and '.'",
			"the name '%.60s', which is %s here", value->name, node->name);
	return read_layers(
		lab, lab->node_count - 1, yaml_is_mapping(value->node) ? value->node : NULL, error);
}

/* A linux node with a bridge that has no address of its own does nothing but switch. */
static bool only_switches(const struct clab_node *node)
{
	bool ports = false;
	for (size_t i = 0; i < node->interface_count; i++) {
		const struct clab_interface *interface = &node->interfaces[i];
		ports |= interface->is_port;
		if (!ip_is_none(interface->addresses[IPV4].address) ||
			!ip_is_none(interface->addresses[IPV6].address) ||
			(interface->linked && !interface->is_port))
			return false;
	}
	return node->has_bridge && ports;
}

static int node_kind(struct clab *lab, size_t index, struct error *error)
{
	struct clab_node *node = &lab->nodes[index];
	struct network_node *result = &lab->network->nodes[index];
	bool known;
	if (result->left_out)
		return 0;
	result->kind = clab_kind(node, &known);
	if (!known)
		network_note(lab->network, node->line, "it is taken for a router's",
			"the kind '%.60s', which is not known here", node->kind);
	if (only_switches(node))
		result->kind = NODE_SWITCH;
	else if (node->has_bridge)
		network_note(lab->network, node->line,
			"it does more than to switch; a switch beside it can",
			"the bridge in %.60s", node->name);
	result->own_routes = result->route_count || node->no_routes;
	bool container = strcmp(node->kind, "linux") == 0;
	/* Nothing runs in a switch. */
	while (result->kind == NODE_SWITCH && result->environment_count)
		free(result->environment[--result->environment_count]);
	if (result->kind == NODE_SWITCH ||
		(container && (result->kind == NODE_HOST || !node->image)))
		return 0;
	result->comment = strdup(container ? node->image : node->kind);
	return result->comment ? 0 : error_set(error, -ENOMEM, "out of memory");
}

/* Addresses of interfaces that no link has: of lo, of dummies, of the management network. */
static void note_unlinked(struct clab *lab)
{
	for (size_t i = 0; i < lab->node_count; i++)
		for (size_t j = 0; j < lab->nodes[i].interface_count; j++) {
			const struct clab_interface *interface = &lab->nodes[i].interfaces[j];
			if (interface->has_mac && !interface->linked)
				network_note(lab->network, interface->line,
					"no link has that interface", "%s of %.60s at %.60s",
					MAC_TEXT(interface->mac), lab->nodes[i].name,
					interface->name);
			for (size_t k = 0; k < IP_FAMILIES; k++)
				if (!interface->linked &&
					!ip_is_none(interface->addresses[k].address))
					network_note(lab->network, interface->line,
						"no link has that interface",
						"%s of %.60s at %.60s",
						IP_PREFIX_TEXT(interface->addresses[k]),
						lab->nodes[i].name, interface->name);
		}
}

static int read_topology(struct clab *lab, yaml_node_t *topology, struct error *error)
{
	struct yaml_source *source = &lab->source;
	yaml_node_t *nodes = yaml_find(source, topology, "nodes");
	yaml_node_t *links = yaml_find(source, topology, "links");
	lab->defaults = yaml_find(source, topology, "defaults");
	lab->kinds = yaml_find(source, topology, "kinds");
	lab->groups = yaml_find(source, topology, "groups");
	if (!nodes || !yaml_mapping_length(nodes))
		return yaml_fail(source, yaml_mark(nodes ? nodes : topology), error,
			"a topology needs `nodes`");
	int status = names_make(yaml_mapping_length(nodes), &lab->names, error);
	if (status == 0)
		status = yaml_read_entries(source, nodes, "nodes", read_node, lab, error);
	if (status == 0 && links)
		status = clab_links(lab, links, error);
	for (size_t i = 0; status == 0 && i < lab->node_count; i++)
		status = node_kind(lab, i, error);
	if (status == 0) {
		clab_forget_planned_names(lab);
		note_unlinked(lab);
	}
	return status;
}

static int read_root_key(const struct yaml_value *value, void *target, struct error *error)
{
	static const char *const ours[] = {"scenarios", "vars", "include", "capture"};
	struct clab *lab = target;
	for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
		if (strcmp(value->name, ours[i]) == 0)
			return yaml_fail(value->source, yaml_mark(value->key), error,
				"'%s' is a key of a topology file of ours: there is nothing to "
				"import, sim run takes it as it is",
				ours[i]);
	if (strcmp(value->name, "mgmt") == 0)
		network_note(lab->network, clab_line(value->key), its_management, "mgmt");
	else if (strcmp(value->name, "name") != 0 && strcmp(value->name, "topology") != 0)
		network_note(
			lab->network, clab_line(value->key), its_container, "%.100s", value->name);
	return 0;
}

static int read_root(struct clab *lab, struct error *error)
{
	struct yaml_source *source = &lab->source;
	yaml_node_t *root = yaml_root(source);
	yaml_node_t *topology = yaml_is_mapping(root) ? yaml_find(source, root, "topology") : NULL;
	if (!topology || !yaml_is_mapping(topology))
		return yaml_fail(source, yaml_mark(root), error,
			"this is neither GraphML nor a file of containerlab, which has `topology` "
			"with "
			"`nodes` in it");
	int status = yaml_read_entries(
		source, root, "a file of containerlab", read_root_key, lab, error);
	yaml_node_t *name = yaml_find(source, root, "name");
	CLEANUP(free_pointer) char *fallback = import_name(lab->request->path);
	CLEANUP(free_pointer) char *text = name ? clab_text(lab, name) : strdup("");
	if (status < 0)
		return status;
	if (!fallback || !text || !(lab->network->name = name_fit(text, fallback, false)))
		return error_set(error, -ENOMEM, "out of memory");
	return read_topology(lab, topology, error);
}

static void clab_finish(struct clab *lab)
{
	for (size_t i = 0; i < lab->node_count; i++) {
		struct clab_node *node = &lab->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			free(node->interfaces[j].name);
			free(node->interfaces[j].long_name);
		}
		free(node->interfaces);
		free(node->kind);
		free(node->image);
	}
	free(lab->nodes);
	hdestroy_r(&lab->by_name);
	names_finish(&lab->names);
	yaml_source_finish(&lab->source);
}

int import_containerlab(
	const struct import_request *request, struct network *network, struct error *error)
{
	CLEANUP(clab_finish) struct clab lab = {.request = request, .network = network};
	int status = yaml_source_parse(
		request->bytes, request->length, request->path, &lab.source, error);
	return status < 0 ? status : read_root(&lab, error);
}
