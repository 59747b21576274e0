#include "topology/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
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

static int read_name(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
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
	return yaml_read_text(value->source, value->node, "title", &topology->title, error);
}

static int read_description(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	return yaml_read_text(
		value->source, value->node, "description", &topology->description, error);
}

static int read_capture(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "capture", &text, error);
	if (status < 0)
		return status;
	topology->capture = strcmp(text, "all") == 0;
	if (!topology->capture && strcmp(text, "none") != 0)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"capture must be all or none, not '%s'", text);
	return 0;
}

/* Variables first, wherever they stand in the file: everything else may use them. */
static const struct yaml_key variable_keys[] = {
	{"name", read_skip, false},
	{"title", read_skip, false},
	{"description", read_skip, false},
	{"vars", topology_read_variables, false},
	{"topology", read_skip, true},
	{"capture", read_skip, false},
	{"scenarios", read_skip, false},
};

static const struct yaml_key topology_keys[] = {
	{"name", read_name, true},
	{"title", read_title, false},
	{"description", read_description, false},
	{"vars", read_skip, false},
	{"topology", topology_read_network, true},
	{"capture", read_capture, false},
	{"scenarios", read_skip, false},
};

/* Scenarios last: they name nodes. */
static const struct yaml_key scenario_keys[] = {
	{"name", read_skip, false},
	{"title", read_skip, false},
	{"description", read_skip, false},
	{"vars", read_skip, false},
	{"topology", read_skip, false},
	{"capture", read_skip, false},
	{"scenarios", topology_read_scenarios, false},
};

static int topology_read_file(struct yaml_source *source, const char *const *settings,
	size_t setting_count, struct topology *topology, struct error *error)
{
	static const struct yaml_form forms[] = {
		{"a topology file", variable_keys, ARRAY_LENGTH(variable_keys)},
		{"a topology file", topology_keys, ARRAY_LENGTH(topology_keys)},
		{"a topology file", scenario_keys, ARRAY_LENGTH(scenario_keys)},
	};
	struct variables_target target = {topology, settings, setting_count};
	source->variables = topology;
	int status = topology_check_settings(settings, setting_count, error);
	if (status == 0)
		status = yaml_read_form(source, yaml_root(source), &forms[0], &target, error);
	if (status == 0)
		status = topology_check_settings_known(&target, error);
	for (size_t i = 1; status == 0 && i < ARRAY_LENGTH(forms); i++)
		status = yaml_read_form(source, yaml_root(source), &forms[i], topology, error);
	return status;
}

int topology_read(const char *path, const char *const *settings, size_t setting_count,
	struct topology *ret_topology, struct error *error)
{
	CLEANUP(yaml_source_finish) struct yaml_source source = {0};
	int status = yaml_source_open(path, &source, error);
	if (status < 0)
		return status;
	CLEANUP(topology_finish) struct topology topology = {.path = strdup(path), .capture = true};
	if (!topology.path)
		return error_set(error, -ENOMEM, "out of memory");
	status = topology_read_file(&source, settings, setting_count, &topology, error);
	if (status < 0)
		return status;
	*ret_topology = topology;
	topology = (struct topology){0};
	return 0;
}
