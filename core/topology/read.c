#include "topology/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/read_parts.h"

bool topology_name_fits(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	return *name && strspn(name, allowed) == strlen(name) && name[0] != '.' && name[0] != '-';
}

int topology_check_name(
	const struct yaml_value *value, const char *name, const char *what, struct error *error)
{
	struct mark mark = yaml_mark(value->key ? value->key : value->node);
	if (strlen(name) > TOPOLOGY_NAME_MOST)
		return yaml_fail(value->source, mark, error,
			"the name of %s has %zu characters; %d are allowed", what, strlen(name),
			TOPOLOGY_NAME_MOST);
	if (!topology_name_fits(name))
		return yaml_fail(value->source, mark, error,
			"'%s' cannot name %s: letters, digits, '-', '_' and '.' can, a letter or "
			"digit first",
			name, what);
	return 0;
}

static int read_skip(const struct yaml_value *value, void *target, struct error *error)
{
	(void)value, (void)target, (void)error;
	return 0;
}

int topology_read_parts(const struct yaml_value *value, const struct file_form *form, void *target,
	struct error *error)
{
	struct yaml_source *source = value->source;
	struct yaml_key keys[FILE_PARTS_MOST];
	for (size_t i = 0; i < form->part_count; i++) {
		const struct file_part *part = &form->parts[i];
		bool now = part->pass == PASS_EVERY || part->pass == source->reading->pass;
		keys[i] = (struct yaml_key){part->name, now ? part->read : read_skip,
			part->required && source->file == 0};
	}
	struct yaml_form now = {form->what, keys, form->part_count};
	return yaml_read_form(source, value->node, &now, target, error);
}

static int read_name(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	if (value->source->file)
		return 0;
	int status = yaml_read_text(value->source, value->node, "name", &topology->name, error);
	if (status < 0)
		return status;
	struct yaml_value itself = {.source = value->source, .node = value->node};
	if (strcmp(topology->name, "latest") == 0)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"'latest' cannot name a topology: in the results it is the newest run");
	return topology_check_name(&itself, topology->name, "a topology", error);
}

static int read_title(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	if (value->source->file)
		return 0;
	return yaml_read_text(value->source, value->node, "title", &topology->title, error);
}

static int read_description(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	if (value->source->file)
		return 0;
	return yaml_read_text(
		value->source, value->node, "description", &topology->description, error);
}

static int read_capture(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	CLEANUP(free_pointer) char *text = NULL;
	CLEANUP(node_selection_finish) struct node_selection selection = {0};
	free(TAKE(topology->captured));
	if (yaml_is_sequence(value->node)) {
		topology->capture = true;
		topology->captured = calloc(topology->node_count + 1, sizeof(bool));
		if (!topology->captured)
			return error_set(error, -ENOMEM, "out of memory");
		int status = topology_read_selection(value, topology, &selection, error);
		for (size_t i = 0; i < selection.count; i++)
			topology->captured[selection.nodes[i]] = true;
		return status;
	}
	int status = yaml_read_text(value->source, value->node, "capture", &text, error);
	if (status < 0)
		return status;
	topology->capture = strcmp(text, "all") == 0;
	if (!topology->capture && strcmp(text, "none") != 0)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"capture must be all, none or a list of nodes, not '%s'", text);
	return 0;
}

static int read_variables(const struct yaml_value *value, void *target, struct error *error)
{
	(void)target;
	return topology_read_variables(value, value->source->reading, error);
}

static int read_include(const struct yaml_value *value, void *target, struct error *error)
{
	(void)target;
	return topology_read_include(value, value->source->reading, error);
}

static const struct file_part file_parts[] = {
	{"name", PASS_SETTINGS, read_name, true},
	{"title", PASS_SETTINGS, read_title, false},
	{"description", PASS_SETTINGS, read_description, false},
	{"include", PASS_INCLUDES, read_include, false},
	{"vars", PASS_VARIABLES, read_variables, false},
	{"topology", PASS_EVERY, topology_read_network, false},
	{"capture", PASS_SCENARIOS, read_capture, false},
	{"scenarios", PASS_SCENARIOS, topology_read_scenarios, false},
};

static const struct file_form file_form = {"a topology file", file_parts, ARRAY_LENGTH(file_parts)};

int topology_read_file(struct yaml_source *source, struct error *error)
{
	struct yaml_value value = {.source = source, .node = yaml_root(source)};
	return topology_read_parts(&value, &file_form, source->reading->topology, error);
}

/* The parts of all files, those of included ones first. */
static int read_pass(struct reading *reading, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < reading->source_count; i++) {
		int status = topology_read_file(reading->sources[i], error);
		if (!problems_go_on(reading->topology->problems, status, &result))
			break;
	}
	return result;
}

/* At the file that was asked for, which is opened last. */
static int check_network(struct reading *reading, struct error *error)
{
	struct yaml_source *source = reading->sources[reading->source_count - 1];
	if (reading->has_network)
		return 0;
	return yaml_fail(source, yaml_mark(yaml_root(source)), error,
		"a topology file needs the key 'topology'");
}

static int read_all(struct reading *reading, struct error *error)
{
	struct topology *topology = reading->topology;
	int result = topology_check_settings(reading, error);
	if (result == 0)
		result = topology_open_file(reading, topology->path, NULL, error);
	if (!reading->source_count)
		return result;
	for (size_t i = 0; i < reading->source_count; i++)
		reading->sources[i]->variables = topology;
	reading->pass = PASS_VARIABLES;
	if (!problems_go_on(topology->problems, result, &result) ||
		!problems_go_on(topology->problems, read_pass(reading, error), &result) ||
		!problems_go_on(topology->problems, topology_check_settings_known(reading, error),
			&result) ||
		!problems_go_on(topology->problems, result < 0 ? 0 : check_network(reading, error),
			&result))
		return result;
	for (unsigned pass = PASS_SETTINGS; pass <= PASS_SCENARIOS; pass++) {
		reading->pass = (enum pass)pass;
		if (!problems_go_on(topology->problems, read_pass(reading, error), &result))
			break;
	}
	return result;
}

int topology_read_with(
	const struct topology_request *request, struct topology *ret_topology, struct error *error)
{
	CLEANUP(topology_finish)
	struct topology topology = {
		.path = strdup(request->path), .capture = true, .problems = request->problems};
	if (!topology.path)
		return error_set(error, -ENOMEM, "out of memory");
	CLEANUP(reading_finish)
	struct reading reading = {.topology = &topology,
		.settings = request->settings,
		.setting_count = request->setting_count,
		.own_settings = request->own_settings};
	int status = read_all(&reading, error);
	if (status < 0 && (status != -EINVAL || !request->problems || !topology.node_count))
		return status;
	topology.faulty = status < 0;
	*ret_topology = topology;
	topology = (struct topology){0};
	return status;
}

int topology_read(const char *path, const char *const *settings, size_t setting_count,
	struct topology *ret_topology, struct error *error)
{
	struct topology_request request = {path, settings, setting_count, NULL, 0};
	return topology_read_with(&request, ret_topology, error);
}
