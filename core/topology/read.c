#include "topology/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
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

static int read_variable(const struct yaml_value *value, void *target, struct error *error)
{
	struct topology *topology = target;
	int status = topology_check_name(value, value->name, "a variable", error);
	if (status < 0)
		return status;
	if (topology->variable_count == TOPOLOGY_VARIABLES_MOST)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"a topology has at most %d variables", TOPOLOGY_VARIABLES_MOST);
	struct variable *variable = array_add(&topology->variables, &topology->variable_count);
	if (!variable || !(variable->name = strdup(value->name)))
		return error_set(error, -ENOMEM, "out of memory");
	return yaml_read_text(value->source, value->node, value->name, &variable->value, error);
}

static int read_variables(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(value->source, value->node, "vars", read_variable, target, error);
}

static int read_setting(struct topology *topology, const char *setting, struct error *error)
{
	const char *names[64];
	size_t count = 0;
	const char *equals = strchr(setting, '=');
	if (!equals || equals == setting)
		return error_set(error, -EINVAL, "--set takes NAME=VALUE, not '%s'", setting);
	CLEANUP(free_pointer) char *name = strndup(setting, (size_t)(equals - setting));
	CLEANUP(free_pointer) char *printable = text_sanitize(setting, strlen(setting));
	if (!name || !printable)
		return error_set(error, -ENOMEM, "out of memory");
	if (strcmp(printable, setting) != 0)
		return error_set(error, -EINVAL, "--set %s: the value is no printable UTF-8 text",
			printable);
	for (size_t i = 0; i < topology->variable_count; i++) {
		struct variable *variable = &topology->variables[i];
		if (strcmp(variable->name, name) == 0) {
			free(variable->value);
			variable->value = strdup(equals + 1);
			return variable->value ? 0 : error_set(error, -ENOMEM, "out of memory");
		}
		if (count < ARRAY_LENGTH(names))
			names[count++] = variable->name;
	}
	const char *nearest = text_nearest(name, names, count);
	return error_set(error, -EINVAL, "--set %s: '%s' is no entry of vars in %s%s%s%s", setting,
		name, topology->path, nearest ? "; did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?" : "");
}

/* Variables first, wherever they stand in the file: everything else may use them. */
static const struct yaml_key variable_keys[] = {
	{"name", read_skip, false},
	{"title", read_skip, false},
	{"description", read_skip, false},
	{"vars", read_variables, false},
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
	int status = yaml_read_form(source, yaml_root(source), &forms[0], topology, error);
	for (size_t i = 0; status == 0 && i < setting_count; i++)
		status = read_setting(topology, settings[i], error);
	source->variables = topology;
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
