/*
 * The files of a topology: the one asked for and those it includes. A file counts once, however
 * often it is included, and its parts are read before those of the files that include it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/read_parts.h"

enum { FILES_MOST = 64 };

void reading_finish(struct reading *reading)
{
	for (size_t i = 0; i < reading->source_count; i++) {
		yaml_source_finish(reading->sources[i]);
		free(reading->sources[i]);
	}
	free(reading->sources);
	free(reading->kinds);
	free(reading->defaults);
}

/* Index of the file in topology.files, by whatever name, or -1. */
static long file_known(const struct topology *topology, const char *path)
{
	struct stat known, wanted;
	if (stat(path, &wanted) < 0)
		return -1;
	for (size_t i = 0; i < topology->file_count; i++)
		if (stat(topology->files[i], &known) == 0 && known.st_dev == wanted.st_dev &&
			known.st_ino == wanted.st_ino)
			return (long)i;
	return -1;
}

/* A file that is still being opened includes, by others or itself, what is asked for again. */
static bool is_open(const struct reading *reading, size_t file)
{
	for (size_t i = 0; i < reading->source_count; i++)
		if (reading->sources[i]->file == file)
			return false;
	return true;
}

static int file_add(struct topology *topology, const char *path, struct error *error)
{
	char *copy = strdup(path);
	char **slot = copy ? array_add(&topology->files, &topology->file_count) : NULL;
	if (!slot) {
		free(copy);
		return error_set(error, -ENOMEM, "out of memory");
	}
	*slot = copy;
	return 0;
}

/* The source is in the list behind those it includes, wrong or not: its other parts can be read. */
static int source_add(struct reading *reading, struct yaml_source *take_source, struct error *error)
{
	struct yaml_source **slot = array_add(&reading->sources, &reading->source_count);
	if (!slot) {
		yaml_source_finish(take_source);
		free(take_source);
		return error_set(error, -ENOMEM, "out of memory");
	}
	*slot = take_source;
	return 0;
}

int topology_open_file(struct reading *reading, const char *path, const struct yaml_value *includer,
	struct error *error)
{
	struct topology *topology = reading->topology;
	long known = file_known(topology, path);
	if (known >= 0 && !is_open(reading, (size_t)known))
		return 0;
	if (known >= 0)
		return yaml_fail(includer->source, yaml_mark(includer->node), error,
			"'%s' includes itself by this", path);
	if (topology->file_count == FILES_MOST)
		return yaml_fail(includer->source, yaml_mark(includer->node), error,
			"a topology has at most %d files", FILES_MOST);
	int status = file_add(topology, path, error);
	struct yaml_source *source = status == 0 ? calloc(1, sizeof(*source)) : NULL;
	if (!source)
		return error_set(error, -ENOMEM, "out of memory");
	struct error reason;
	status = yaml_source_open(topology->files[topology->file_count - 1],
		(unsigned)topology->file_count - 1, source, &reason);
	if (status < 0) {
		free(source);
		if (includer)
			return yaml_fail(includer->source, yaml_mark(includer->node), error, "%s",
				reason.text);
		return error_set(error, reason.code, "%s", reason.text);
	}
	source->reading = reading;
	source->problems = topology->problems;
	reading->pass = PASS_INCLUDES;
	status = topology_read_file(source, error);
	int added = source_add(reading, source, error);
	return added < 0 ? added : status;
}

char *topology_path_beside(const struct yaml_source *source, const char *path)
{
	const char *from = source->path, *slash = strrchr(from, '/');
	int folder = *path != '/' && slash ? (int)(slash - from) + 1 : 0;
	return text_format("%.*s%s", folder, from, path);
}

static int include_file(
	const struct yaml_value *value, struct reading *reading, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "include", &text, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) char *path = topology_path_beside(value->source, text);
	if (!path)
		return error_set(error, -ENOMEM, "out of memory");
	if (!*text)
		return yaml_fail(
			value->source, yaml_mark(value->node), error, "include must name a file");
	return topology_open_file(reading, path, value, error);
}

int topology_read_include(const struct yaml_value *value, void *target, struct error *error)
{
	if (!yaml_is_sequence(value->node))
		return include_file(value, target, error);
	int result = 0;
	for (size_t i = 0; i < yaml_sequence_length(value->node); i++) {
		struct yaml_value item = *value;
		item.node = yaml_sequence_item(value->source, value->node, i);
		int status = include_file(&item, target, error);
		if (!problems_go_on(value->source->problems, status, &result))
			break;
	}
	return result;
}
