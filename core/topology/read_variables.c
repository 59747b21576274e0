/* `vars:` of a file, and what --set puts in their place. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/read_parts.h"

/* The value that --set gives the variable, the last one; NULL where none does. */
static const char *setting_of(const struct reading *reading, const char *name, bool *ret_own)
{
	size_t length = strlen(name);
	for (size_t i = reading->setting_count; i-- > 0;)
		if (strncmp(reading->settings[i], name, length) == 0 &&
			reading->settings[i][length] == '=') {
			*ret_own = i < reading->own_settings;
			return reading->settings[i] + length + 1;
		}
	return NULL;
}

/* The full path of a file that `word` names where the caller stands, or NULL. */
static char *file_named(const char *word)
{
	struct stat file;
	return stat(word, &file) == 0 && S_ISREG(file.st_mode) ? realpath(word, NULL) : NULL;
}

static int keep_folder(struct topology *topology, const char *path, struct error *error)
{
	char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
	char **slot = folder ? array_add(&topology->brought, &topology->brought_count) : NULL;
	if (!slot) {
		free(folder);
		return error_set(error, -ENOMEM, "out of memory");
	}
	*slot = folder;
	return 0;
}

/* What stands for the variable in front of a command: nodes work in folders of their own. */
static int read_command(struct topology *topology, struct variable *variable, struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	struct words words;
	struct error ignored;
	bool found = false;
	/* No words, or half of a quotation that the file ends: left as it is. */
	bool split = text_split_words(variable->value, &words, &ignored) == 0;
	CLEANUP(free_pointer) char **list = split ? words.list : NULL;
	for (size_t i = 0; split && i < words.count; i++) {
		CLEANUP(free_pointer) char *path = file_named(list[i]);
		text_append_word(&text, path ? path : list[i]);
		found = found || path;
		if (path && keep_folder(topology, path, error) < 0)
			return -ENOMEM;
	}
	variable->command = found ? text_take(&text) : strdup(variable->value);
	return variable->command ? 0 : error_set(error, -ENOMEM, "out of memory");
}

/* What the last file that defines the variable says: it is read where the first one does. */
static struct yaml_value last_value(const struct yaml_value *value, const struct reading *reading)
{
	struct yaml_value last = *value;
	for (size_t i = reading->source_count; i-- > 0;) {
		struct yaml_source *source = reading->sources[i];
		yaml_node_t *list = yaml_find(source, yaml_root(source), "vars");
		yaml_node_t *node = list ? yaml_find(source, list, value->name) : NULL;
		if (!node)
			continue;
		last.source = source;
		last.node = node;
		break;
	}
	return last;
}

/* Before it is in the list, so that it can use those above it and not itself. */
static int read_value(const struct yaml_value *first, const struct reading *reading,
	struct variable *variable, struct error *error)
{
	const char *setting = setting_of(reading, first->name, &variable->own);
	struct yaml_value value = reading->source_count > 1 ? last_value(first, reading) : *first;
	if (!setting)
		return yaml_read_text(
			value.source, value.node, value.name, &variable->value, error);
	int status = yaml_read_written(value.source, value.node, setting, &variable->value, error);
	return status < 0 ? status : read_command(reading->topology, variable, error);
}

static bool is_variable(const struct topology *topology, const char *name, size_t length)
{
	for (size_t i = 0; i < topology->variable_count; i++)
		if (strlen(topology->variables[i].name) == length &&
			strncmp(topology->variables[i].name, name, length) == 0)
			return true;
	return false;
}

static int read_variable(const struct yaml_value *value, void *target, struct error *error)
{
	const struct reading *reading = target;
	struct topology *topology = reading->topology;
	int status = topology_check_name(value, value->name, "a variable", error);
	if (status < 0)
		return status;
	if (topology->variable_count == TOPOLOGY_VARIABLES_MOST)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"a topology has at most %d variables", TOPOLOGY_VARIABLES_MOST);
	if (reading->source_count > 1 && is_variable(topology, value->name, strlen(value->name)))
		return 0;
	struct variable read = {0};
	status = read_value(value, reading, &read, error);
	/* A faulty one is empty, so that those who use it are not faulty too. */
	read.name = strdup(value->name);
	if (!read.value)
		read.value = strdup("");
	struct variable *variable = NULL;
	if (read.name && read.value)
		variable = array_add(&topology->variables, &topology->variable_count);
	if (variable) {
		*variable = read;
		return status;
	}
	free(read.name);
	free(read.value);
	free(read.command);
	return error_set(error, -ENOMEM, "out of memory");
}

int topology_read_variables(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(value->source, value->node, "vars", read_variable, target, error);
}

int topology_check_settings(const struct reading *reading, struct error *error)
{
	const char *const *settings = reading->settings;
	for (size_t i = 0; i < reading->setting_count; i++) {
		const char *equals = strchr(settings[i], '=');
		if (!equals || equals == settings[i])
			return error_set(
				error, -EINVAL, "--set takes NAME=VALUE, not '%s'", settings[i]);
		CLEANUP(free_pointer)
		char *printable = text_sanitize(settings[i], strlen(settings[i]));
		if (!printable)
			return error_set(error, -ENOMEM, "out of memory");
		if (strcmp(printable, settings[i]) != 0)
			return error_set(error, -EINVAL,
				"--set %s: the value is no printable UTF-8 text", printable);
	}
	return 0;
}

static int __attribute__((format(printf, 3, 4)))
setting_fail(const struct reading *reading, struct error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int status = problem_fail(reading->topology->problems, reading->topology->path,
		(struct mark){0}, error, format, arguments);
	va_end(arguments);
	return status;
}

int topology_check_settings_known(const struct reading *reading, struct error *error)
{
	const struct topology *topology = reading->topology;
	const char *names[64];
	size_t count = 0;
	for (; count < topology->variable_count && count < ARRAY_LENGTH(names); count++)
		names[count] = topology->variables[count].name;
	for (size_t i = 0; i < reading->setting_count; i++) {
		const char *setting = reading->settings[i];
		if (is_variable(topology, setting, strcspn(setting, "=")))
			continue;
		CLEANUP(free_pointer) char *name = strndup(setting, strcspn(setting, "="));
		const char *nearest = text_nearest(name ? name : "", names, count);
		return setting_fail(reading, error,
			"--set %s: '%s' is no entry of vars in %s%s%s%s", setting, name ? name : "",
			topology->path, nearest ? "; did you mean '" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
	}
	return 0;
}
