/* A file beside a program: which of a topology's programs it takes the place of. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/read.h"
#include "topology/yaml.h"

int topology_check_program(const struct topology *topology, const char *name, struct error *error)
{
	CLEANUP(text_finish) struct text all = {0};
	const char *programs[64];
	size_t count = 0;
	for (size_t i = 0; i < topology->variable_count && count < ARRAY_LENGTH(programs); i++) {
		const struct variable *variable = &topology->variables[i];
		if (!variable->program)
			continue;
		if (strcmp(variable->name, name) == 0)
			return 0;
		text_append(&all, "%s%s", count ? ", " : "", variable->name);
		programs[count++] = variable->name;
	}
	if (!count)
		return error_set(error, -EINVAL,
			"%s has no program to take the place of: none of its commands begins with "
			"a variable",
			topology->name);
	const char *nearest = text_nearest(name, programs, count);
	return error_set(error, -EINVAL, "'%s' is no program of %s%s%s%s; %s can be replaced", name,
		topology->name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?" : "", text_view(&all));
}

struct programs_target {
	const struct topology *topology;
	char ***settings;
	size_t *count;
};

static int read_program(const struct yaml_value *value, void *argument, struct error *error)
{
	struct programs_target *target = argument;
	struct error reason;
	if (topology_check_program(target->topology, value->name, &reason) < 0)
		return yaml_fail(value->source, yaml_mark(value->key), error, "%s", reason.text);
	if (!yaml_is_scalar(value->node) ||
		strlen((char *)value->node->data.scalar.value) != value->node->data.scalar.length)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s must be a command", value->name);
	struct words words;
	if (text_split_words((const char *)value->node->data.scalar.value, &words, &reason) < 0)
		return yaml_fail(value->source, yaml_mark(value->node), error, "%s: %s",
			value->name, reason.text);
	free(words.list);
	char *setting =
		text_format("%s=%s", value->name, (const char *)value->node->data.scalar.value);
	char **slot = setting ? array_add(target->settings, target->count) : NULL;
	if (slot)
		*slot = setting;
	else
		free(setting);
	return slot ? 0 : error_set(error, -ENOMEM, "out of memory");
}

int topology_read_programs(const char *path, const struct topology *topology, char ***ret_settings,
	size_t *ret_count, struct error *error)
{
	CLEANUP(yaml_source_finish) struct yaml_source source = {0};
	struct programs_target target = {topology, ret_settings, ret_count};
	int status = yaml_source_open(path, 0, &source, error);
	return status < 0 ? status
			  : yaml_read_entries(&source, yaml_root(&source), "the file", read_program,
				    &target, error);
}
